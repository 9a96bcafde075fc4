"""One pair of encoded graphs: from costs to an interval and a mapping."""

from __future__ import annotations

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.bags import bag_cost
from graphenv.rewards.ged.core.mapping import improve
from graphenv.rewards.ged.core.search import search
from graphenv.rewards.ged.core.sorting import order_of
from graphenv.rewards.ged.core.stars import slots

__all__ = ["solve"]

# Work spent on the cheap bound before the tight one is built: of small pairs the cheap search sees
# the end before the tight bound would have paid.
QUICK = 100
QUICK_SMALL, SMALL = 1000, 10
# Sweeps at the root and below it.
ROOT_SWEEPS = 20
NODE_SWEEPS = 1
MAX_THETA = 1 << 24  # entries of the split of savings, 64 MB
MAX_SLABS = 1 << 24  # entries of all copies of it
MAX_LEVELS = 1 << 23  # entries of all levels of the search


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _dense(codes1, codes2):
    """Renumber the relations of both graphs without gaps; return new codes and their number."""
    size1, size2 = codes1.size, codes2.size
    fresh = np.empty(size1 + size2, np.int32)
    most = 0
    for code in codes1:
        most = max(most, code)
    for code in codes2:
        most = max(most, code)
    count = 0
    if most < 8 * (size1 + size2) + 64:
        number = np.zeros(most // 2 + 1, np.int32)
        for code in codes1:
            number[code >> 1] = 1
        for code in codes2:
            number[code >> 1] = 1
        for k in range(number.size):
            if number[k] != 0:
                number[k] = count
                count += 1
        for k in range(size1):
            fresh[k] = 2 * number[codes1[k] >> 1] + (codes1[k] & 1)
        for k in range(size2):
            fresh[size1 + k] = 2 * number[codes2[k] >> 1] + (codes2[k] & 1)
        return fresh[:size1], fresh[size1:], 2 * count
    both = np.empty(size1 + size2, np.int64)
    both[:size1] = codes1
    both[size1:] = codes2
    last = np.int64(-1)
    for k in order_of(both):
        if both[k] >> 1 != last:
            last = both[k] >> 1
            count += 1
        fresh[k] = 2 * (count - 1) + (both[k] & 1)
    return fresh[:size1], fresh[size1:], 2 * count


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _completed(start, m):
    """Return the images of all rows, then the unused columns."""
    image = np.empty(m, np.int32)
    used = np.zeros(m, np.uint8)
    k = start.size
    for i in range(k):
        image[i] = start[i]
        used[start[i]] = 1
    for j in range(m):
        if used[j] == 0:
            image[k] = j
            k += 1
    return image


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def solve(g1, g2, node_cost, delete1, insert2, sub, dele, ins, start, guided, budget, stop):
    """Return (lower, upper, work) in units, and the image of each node of g1 in canonical order.

    g1 has at most as many nodes as g2. A graph is (pair, starts, codes, twin). `node_cost` (n, m)
    is the cost of mapping node i to j, `delete1`, `insert2` those of deleting i and inserting j,
    `sub`, `dele`, `ins` those of an edge, `start` (n) a mapping to begin with, `guided` whether it
    is worth improving. `work` counts bounded search nodes; a sweep that tightens a bound over r
    rows counts 1 + r // 4, and nodes of large or dense graphs count more. Budget 1 is one
    assignment: the bipartite method.
    """
    pair1, starts1, all1, _ = g1
    pair2, starts2, all2, twin2 = g2
    n, m = pair1.shape[0], pair2.shape[0]
    bags1, bags2 = starts1[-1], starts2[-1]
    codes1, codes2, width = _dense(all1[: starts1[bags1]], all2[: starts2[bags2]])
    # Doubled from here on, so that half an edge is a whole number.
    save = np.zeros((bags1, bags2), np.int32)
    for a in range(1, bags1):
        for b in range(1, bags2):
            begin1, end1, begin2, end2 = starts1[a], starts1[a + 1], starts2[b], starts2[b + 1]
            cost = bag_cost(codes1, begin1, end1, codes2, begin2, end2, sub, dele, ins)
            save[a, b] = 2 * (dele * (end1 - begin1) + ins * (end2 - begin2) - cost)
    base = np.int64(0)
    for i in range(n):
        base += 2 * delete1[i]
        for j in range(i + 1):
            bag = pair1[i, j]
            base += 2 * dele * (starts1[bag + 1] - starts1[bag])
    for i in range(m):
        base += 2 * insert2[i]
        for j in range(i + 1):
            bag = pair2[i, j]
            base += 2 * ins * (starts2[bag + 1] - starts2[bag])
    xs = np.empty(n * m, np.int32)
    for i in range(n):
        for j in range(m):
            saved = delete1[i] + insert2[j] - node_cost[i, j]
            xs[i * m + j] = -2 * saved - save[pair1[i, i], pair2[j, j]]
    image = _completed(start, m)
    lower, work = np.int64(0), np.int64(0)
    best = base
    for i in range(n):
        best += xs[i * m + image[i]]
        for j in range(i):
            best -= save[pair1[i, j], pair2[image[i], image[j]]]
    if guided:
        best = improve(n, m, image, xs, pair1, pair2, save, best, lower)
    # Bounds are finer than costs, as savings are split; int32 holds them.
    scale = 16
    while scale > 1 and base * scale >= 1 << 28:
        scale //= 2

    begin1, across1, back1 = slots(pair1)
    begin2, across2, back2 = slots(pair2)
    problem = (
        base, xs, pair1, pair2, save, twin2,
        begin1, across1, back1, begin2, across2, back2,
    )  # fmt: skip
    edges = (width, starts1, codes1, starts2, codes2, sub, dele, ins)
    size = across1.size * across2.size
    can_search = (n + 1) * n * m <= MAX_LEVELS
    can_tighten = can_search and size <= MAX_THETA
    can_count = (n + 1) * (n + m) * width <= MAX_LEVELS
    node_sweeps = NODE_SWEEPS if (n + 1) * size <= MAX_SLABS else 0
    theta = np.empty((0, 0), np.int32)
    # Twice through one call, so that it is compiled once: with the cheap bound, then the tight one.
    for phase in range(2):
        tight = phase == 1
        limit = budget
        deep = can_search and (tight or can_count)
        if tight:
            if lower == best or work >= budget or not can_tighten:
                break
            theta = np.empty((across1.size, across2.size), np.int32)
            for i in range(n):
                for a in range(begin1[i], begin1[i + 1]):
                    for j in range(m):
                        for b in range(begin2[j], begin2[j + 1]):
                            half = save[pair1[i, across1[a]], pair2[j, across2[b]]] // 2
                            theta[a, b] = half * scale
        elif can_tighten:
            limit = min(QUICK_SMALL if n <= SMALL else QUICK, budget)
        found, best, work = search(
            problem, edges, theta, tight, deep, scale, best, image,
            ROOT_SWEEPS, node_sweeps, limit, work, lower, stop,
        )  # fmt: skip
        lower = max(lower, found)
    return lower // 2, best // 2, work, image[:n]
