"""Intervals in linear time, for pairs too large to search."""

from __future__ import annotations

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.bags import bag_cost
from graphenv.rewards.ged.core.colors import ROUNDS, colors
from graphenv.rewards.ged.core.sorting import order_of

__all__ = ["canonical", "greedy", "interval"]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _bag_bound(labels1, labels2, sub, dele, ins):
    """Return the least cost of turning one bag of labels into another, structure ignored."""
    a = labels1[order_of(labels1.astype(np.int64))]
    b = labels2[order_of(labels2.astype(np.int64))]
    i, j, common = 0, 0, 0
    while i < a.size and j < b.size:
        if a[i] == b[j]:
            common += 1
            i += 1
            j += 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    few = min(a.size, b.size)
    return sub * (few - common) + dele * (a.size - few) + ins * (b.size - few)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def canonical(kinds, order, heads, rels, tails):
    """Return (classes, heads, relations, tails) with nodes numbered in canonical order."""
    n, m = kinds.size, heads.size
    place = np.empty(n, np.int64)
    for i in range(n):
        place[order[i]] = i
    keys = np.empty(m, np.int64)
    for e in range(m):
        keys[e] = place[heads[e]] * n + place[tails[e]]
    # By relation first: a stable sort leaves parallel edges in that order.
    by = order_of(rels.astype(np.int64))
    by = by[order_of(keys[by])]
    ends = keys[by]
    return kinds, (ends // n).astype(np.int32), rels[by], (ends % n).astype(np.int32)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def greedy(g1, g2, directed, class_hash, rel_hash):
    """Return an image per node of g1 (-1: none), in linear time.

    Nodes of equal colour first, those with the finest colours before others; what is left goes
    beside what is mapped. A graph is (classes, heads, relations, tails).
    """
    image = _alike(g1, g2, directed, class_hash, rel_hash)
    _spread(g1, g2, directed, image)
    return image


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _alike(g1, g2, directed, class_hash, rel_hash):
    """Map nodes of equal colour, the finest colours first."""
    n, m = g1[0].size, g2[0].size
    image = np.full(n, -1, np.int32)
    used = np.zeros(m, np.uint8)
    for step in range(ROUNDS + 1):
        rounds = ROUNDS - step
        c1 = colors(g1[0], g1[1], g1[2], g1[3], directed, class_hash, rel_hash, rounds)
        c2 = colors(g2[0], g2[1], g2[2], g2[3], directed, class_hash, rel_hash, rounds)
        o1, o2 = order_of(c1.view(np.int64)), order_of(c2.view(np.int64))
        i, j = 0, 0
        while i < n and j < m:
            if image[o1[i]] >= 0:
                i += 1
            elif used[o2[j]] != 0:
                j += 1
            elif c1[o1[i]] == c2[o2[j]]:
                image[o1[i]] = o2[j]
                used[o2[j]] = 1
                i += 1
                j += 1
            elif np.int64(c1[o1[i]]) < np.int64(c2[o2[j]]):
                i += 1
            else:
                j += 1
    return image


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _ends(g, directed):
    """Return edge ends by node: offsets, keys of (code, class) in ascending order, nodes across."""
    classes, heads, rels, tails = g
    n, m = classes.size, heads.size
    keys, across = np.empty(2 * m, np.int64), np.empty(2 * m, np.int32)
    owner = np.empty(2 * m, np.int64)
    for e in range(m):
        h, t, r = heads[e], tails[e], np.int64(rels[e])
        keys[2 * e] = (2 * r << 32) + classes[t]
        keys[2 * e + 1] = (2 * r + (1 if directed else 0) << 32) + classes[h]
        across[2 * e], across[2 * e + 1] = t, h
        owner[2 * e], owner[2 * e + 1] = h, t
    order = order_of(keys)
    order = order[order_of(owner[order])]
    begin = np.zeros(n + 1, np.int64)
    for k in owner:
        begin[k + 1] += 1
    for i in range(n):
        begin[i + 1] += begin[i]
    return begin, keys[order], across[order]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _pair_ends(i, j, ends1, ends2, shift, image, used, queue, filled):
    """Map free neighbours of i to free neighbours of j whose keys agree above `shift` bits."""
    begin1, keys1, across1 = ends1
    begin2, keys2, across2 = ends2
    a, b = begin1[i], begin2[j]
    while a < begin1[i + 1] and b < begin2[j + 1]:
        x, y = keys1[a] >> shift, keys2[b] >> shift
        if image[across1[a]] >= 0 or x < y:
            a += 1
        elif used[across2[b]] != 0 or y < x:
            b += 1
        else:
            image[across1[a]] = across2[b]
            used[across2[b]] = 1
            queue[filled] = across1[a]
            filled += 1
            a += 1
            b += 1
    return filled


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _spread(g1, g2, directed, image):
    """Map what is not mapped: beside what is, along equal relations, then in any order.

    It never costs more than deleting and inserting, as substitution does not.
    """
    n, m = g1[0].size, g2[0].size
    used = np.zeros(m, np.uint8)
    queue = np.empty(n, np.int32)
    filled = 0
    for i in range(n):
        if image[i] >= 0:
            used[image[i]] = 1
            queue[filled] = i
            filled += 1
    ends1, ends2 = _ends(g1, directed), _ends(g2, directed)
    at, i, j = 0, 0, 0
    while True:
        while at < filled:
            node = queue[at]
            for shift in (0, 32):  # the same class first, then any
                filled = _pair_ends(
                    node, image[node], ends1, ends2, shift, image, used, queue, filled
                )
            at += 1
        while i < n and image[i] >= 0:
            i += 1
        while j < m and used[j] != 0:
            j += 1
        if i == n or j == m:
            return
        image[i] = j
        used[j] = 1
        queue[filled] = i
        filled += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _edge_cost(g1, g2, image, directed, sub, dele, ins):
    """Return what the edges cost under a mapping of the nodes."""
    _, heads1, rels1, tails1 = g1
    _, heads2, rels2, tails2 = g2
    m = np.int64(g2[0].size)
    lost = 0
    count = 0
    most = 1
    for e in range(rels1.size):
        most = max(most, rels1[e] + 1)
    for e in range(rels2.size):
        most = max(most, rels2[e] + 1)
    keys1 = np.empty(rels1.size, np.int64)
    for e in range(rels1.size):
        h, t = np.int64(image[heads1[e]]), np.int64(image[tails1[e]])
        if h < 0 or t < 0:
            lost += 1
            continue
        if not directed and h > t:
            h, t = t, h
        keys1[count] = (h * m + t) * most + rels1[e]
        count += 1
    keys1 = keys1[:count][order_of(keys1[:count])]
    keys2 = np.empty(rels2.size, np.int64)
    for e in range(rels2.size):
        h, t = np.int64(heads2[e]), np.int64(tails2[e])
        if not directed and h > t:
            h, t = t, h
        keys2[e] = (h * m + t) * most + rels2[e]
    keys2 = keys2[order_of(keys2)]
    codes1, codes2 = 2 * (keys1 % most), 2 * (keys2 % most)
    total = dele * lost
    i, j = 0, 0
    while i < keys1.size or j < keys2.size:
        a = keys1[i] // most if i < keys1.size else np.int64(1) << 62
        b = keys2[j] // most if j < keys2.size else np.int64(1) << 62
        where = min(a, b)
        begin_i, begin_j = i, j
        while i < keys1.size and keys1[i] // most == where:
            i += 1
        while j < keys2.size and keys2[j] // most == where:
            j += 1
        total += bag_cost(codes1, begin_i, i, codes2, begin_j, j, sub, dele, ins)
    return total


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _least_spare(costs, count):
    """Return the sum of the `count` least costs."""
    total = np.int64(0)
    order = order_of(costs)
    for k in range(count):
        total += costs[order[k]]
    return total


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def interval(g1, g2, directed, class_hash, rel_hash, node, plain, sub, dele, ins, image):
    """Return (lower, upper) in units; fill the image of each node of g1 (-1: deleted).

    A graph is (classes, heads, relations, tails), `node` the (substitute, delete, insert) costs of
    node classes, `plain` whether they are the same for all of them.
    """
    class_sub, class_del, class_ins = node
    n, m = g1[0].size, g2[0].size
    image[:] = greedy(g1, g2, directed, class_hash, rel_hash)
    upper = _edge_cost(g1, g2, image, directed, sub, dele, ins)
    apart = np.int64(dele * g1[1].size + ins * g2[1].size)  # delete one graph, insert the other
    taken = np.zeros(m, np.uint8)
    for i in range(n):
        apart += class_del[g1[0][i]]
        x = g1[0][i]
        if image[i] < 0:
            upper += class_del[x]
            continue
        taken[image[i]] = 1
        y = g2[0][image[i]]
        if x != y:
            upper += min(max(class_sub[x], class_sub[y]), class_del[x] + class_ins[y])
    for j in range(m):
        apart += class_ins[g2[0][j]]
        if taken[j] == 0:
            upper += class_ins[g2[0][j]]
    if apart < upper:
        upper = apart
        image[:] = -1
    lower = _bag_bound(g1[2], g2[2], sub, dele, ins)
    if plain and n > 0 and m > 0:
        lower += _bag_bound(g1[0], g2[0], class_sub[0], class_del[0], class_ins[0])
    elif n > m:  # whatever is mapped to whatever, so many nodes are left over on one side
        lower += _least_spare(class_del[g1[0]], n - m)
    elif m > n:
        lower += _least_spare(class_ins[g2[0]], m - n)
    return lower, upper
