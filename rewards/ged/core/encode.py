"""Graphs as flat integer arrays: pair bags, incident relations, canonical node order, twins.

A graph arrives as node classes and edges of integer relations. Between two nodes there may be
several edges both ways; they are folded into one bag of codes per ordered pair: `2 * relation` for
an edge that leaves the first node, `2 * relation + 1` for one that enters it. Equal bags of one
graph share a number (0: no edge).
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["encode"]


@njit(nogil=True, inline="always")
def _mix(x):
    """Scramble 64 bits (the finaliser of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(nogil=True)
def _colors(classes, heads, rels, tails, directed, class_hash, rel_hash, rounds):
    """Return Weisfeiler-Leman colours; they depend on labels and structure, not on numbering."""
    n = classes.size
    color = np.empty(n, np.uint64)
    for i in range(n):
        color[i] = _mix(class_hash[classes[i]] + np.uint64(1))
    fresh = np.empty(n, np.uint64)
    for _ in range(rounds):
        for i in range(n):
            fresh[i] = _mix(color[i])
        for e in range(heads.size):
            h, t, r = heads[e], tails[e], rel_hash[rels[e]]
            back = r + np.uint64(0x632BE59BD9B4E019) if directed else r
            fresh[h] += _mix(color[t] * np.uint64(3) + r)
            fresh[t] += _mix(color[h] * np.uint64(3) + back)
        for i in range(n):
            color[i] = _mix(fresh[i])
    return color


@njit(nogil=True)
def encode(classes, heads, rels, tails, directed, class_hash, rel_hash):
    """Return one encoded graph.

    A tuple: node classes in canonical order, that order (positions in the input), the bag number
    of every ordered pair (n, n), bag offsets, bag codes (sorted in each bag), the previous twin of
    each node (-1: none), and a hash that equal structures share.

    Nodes are ordered by colour, so that what a truncated search finds does not depend on how the
    input was numbered. Twins are nodes that can be swapped without changing the graph.
    """
    n, m = classes.size, heads.size
    color = _colors(classes, heads, rels, tails, directed, class_hash, rel_hash, 3)
    order = np.argsort(color, kind="mergesort").astype(np.int32)
    place = np.empty(n, np.int32)
    total = np.uint64(n)
    for i in range(n):
        place[order[i]] = i
        total += _mix(color[i])
    kinds = np.empty(n, np.int32)
    for i in range(n):
        kinds[i] = classes[order[i]]

    # Every edge twice, once from each end; a self-loop once. Sorted by (pair, code).
    count = 0
    keys = np.empty(2 * m, np.int64)
    width = np.int64(2 * rel_hash.size + 2)
    for e in range(m):
        h, t, r = np.int64(place[heads[e]]), np.int64(place[tails[e]]), np.int64(rels[e])
        keys[count] = (h * n + t) * width + 2 * r
        count += 1
        if h != t:
            back = 2 * r + 1 if directed else 2 * r
            keys[count] = (t * n + h) * width + back
            count += 1
    keys = np.sort(keys[:count])
    pair = np.zeros((n, n), np.int32)
    starts = np.zeros(count + 2, np.int32)
    codes = np.empty(count, np.int32)
    bags, filled, at = 1, 0, 0  # bag 0 is empty: starts[0] = starts[1] = 0
    seen_hash = np.zeros(count + 2, np.uint64)
    while at < count:
        where = keys[at] // width
        begin = filled
        mark = np.uint64(0)
        while at < count and keys[at] // width == where:
            codes[filled] = keys[at] % width
            mark = _mix(mark + np.uint64(codes[filled]) + np.uint64(7))
            filled += 1
            at += 1
        found = -1
        for b in range(1, bags):
            if seen_hash[b] == mark and starts[b + 1] - starts[b] == filled - begin:
                same = True
                for k in range(filled - begin):
                    if codes[starts[b] + k] != codes[begin + k]:
                        same = False
                        break
                if same:
                    found = b
                    break
        if found < 0:
            found = bags
            seen_hash[bags] = mark
            bags += 1
            starts[bags] = filled
        else:
            filled = begin
        pair[where // n, where % n] = found

    twin = np.full(n, -1, np.int32)
    for i in range(n):
        for j in range(i - 1, -1, -1):
            if kinds[i] != kinds[j] or pair[i, j] != pair[j, i] or pair[i, i] != pair[j, j]:
                continue
            same = True
            for k in range(n):
                if k != i and k != j and pair[i, k] != pair[j, k]:
                    same = False
                    break
            if same:
                twin[i] = j
                break
    return kinds, order, pair, starts[: bags + 1].copy(), codes[:filled].copy(), twin, np.int64(total & np.uint64(0x7FFFFFFFFFFFFFFF))
