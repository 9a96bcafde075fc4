"""Graphs as flat integer arrays: pair bags, incident relations, canonical node order, twins.

A graph arrives as node classes and edges of integer relations. Between two nodes there may be
several edges both ways; they are folded into one bag of codes per ordered pair: `2 * relation` for
an edge that leaves the first node, `2 * relation + 1` for one that enters it. Equal bags of one
graph share a number (0: no edge).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.colors import ROUNDS, colors, mix
from graphenv.rewards.ged.core.sorting import order_of

__all__ = ["encode"]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def encode(
    classes, heads, rels, tails, directed, class_hash, rel_hash,
    kinds, order, pair, starts, codes, twin,
):  # fmt: skip
    """Fill the arrays of one encoded graph; return a hash that equal structures share.

    Filled are `kinds` (n): node classes in canonical order; `order` (n): their places in the
    input; `pair` (n, n): the bag of every ordered pair; `starts` (2m + 3) and `codes` (2m): bag b
    holds the sorted codes[starts[b] : starts[b + 1]], and starts[-1] is the number of bags;
    `twin` (n): the previous twin of each node (-1: none).

    Nodes are ordered by colour, so that what a truncated search finds does not depend on how the
    input was numbered. Twins are nodes that can be swapped without changing the graph.
    """
    n, m = classes.size, heads.size
    color = colors(classes, heads, rels, tails, directed, class_hash, rel_hash, ROUNDS)
    order[:] = order_of(color.view(np.int64))
    place = np.empty(n, np.int32)
    total = np.uint64(n)
    for i in range(n):
        place[order[i]] = i
        total += mix(color[i])
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
    keys = keys[:count][order_of(keys[:count])]
    pair[:] = 0
    starts[0] = starts[1] = 0  # bag 0 is empty
    bags, filled, at = 1, 0, 0
    seen_hash = np.zeros(count + 2, np.uint64)
    while at < count:
        where = keys[at] // width
        begin = filled
        mark = np.uint64(0)
        while at < count and keys[at] // width == where:
            codes[filled] = keys[at] % width
            mark = mix(mark + np.uint64(codes[filled]) + np.uint64(7))
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

    starts[-1] = bags
    for i in range(n):
        twin[i] = -1
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
    return total
