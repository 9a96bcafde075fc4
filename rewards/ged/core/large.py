"""Intervals in linear time, for pairs too large to search."""

from __future__ import annotations

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.bags import bag_cost
from graphenv.rewards.ged.core.colors import ROUNDS, colors
from graphenv.rewards.ged.core.sorting import order_of

__all__ = ["interval"]


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
def _greedy(g1, g2, directed, class_hash, rel_hash):
    """Return an image per node of g1 (-1: none): nodes of equal colour, the finest colours first.

    A graph is (classes, heads, relations, tails).
    """
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
    image[:] = _greedy(g1, g2, directed, class_hash, rel_hash)
    upper = _edge_cost(g1, g2, image, directed, sub, dele, ins)
    apart = np.int64(dele * g1[1].size + ins * g2[1].size)  # delete one graph, insert the other
    taken = np.zeros(m, np.uint8)
    for i in range(n):
        apart += class_del[g1[0][i]]
        if image[i] < 0:
            upper += class_del[g1[0][i]]
        else:  # nodes of equal class: no cost
            taken[image[i]] = 1
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
