"""One pair, from two encoded graphs to an interval and a mapping."""

from __future__ import annotations

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.search import improve, search
from graphenv.rewards.ged.core.stars import slots

__all__ = ["bag_cost", "solve"]


@njit(nogil=True)
def bag_cost(codes1, begin1, end1, codes2, begin2, end2, sub, dele, ins):
    """Return the cost of turning one sorted bag of codes into another (codes 2r and 2r+1)."""
    total = 0
    for side in range(2):
        i, j, a, b, common = begin1, begin2, 0, 0, 0
        while i < end1 or j < end2:
            if i < end1 and (codes1[i] & 1) != side:
                i += 1
            elif j < end2 and (codes2[j] & 1) != side:
                j += 1
            elif j >= end2 or (i < end1 and codes1[i] < codes2[j]):
                a += 1
                i += 1
            elif i >= end1 or codes2[j] < codes1[i]:
                b += 1
                j += 1
            else:
                common += 1
                a += 1
                b += 1
                i += 1
                j += 1
        few = min(a, b)
        total += sub * (few - common) + dele * (a - few) + ins * (b - few)
    return total


@njit(nogil=True)
def solve(g1, g2, cn, es, ed, ei, scale, quantum, budget, quick, polish, polish_root, stop):
    k1, o1, pair1, s1, c1, t1, h1 = g1
    k2, o2, pair2, s2, c2, t2, h2 = g2
    n, m = k1.size, k2.size
    if n > m:
        k1, o1, pair1, s1, c1, t1, h1 = g2
        k2, o2, pair2, s2, c2, t2, h2 = g1
        ed, ei = ei, ed
        n, m = m, n
    bags1, bags2 = s1.size - 1, s2.size - 1
    save = np.zeros((bags1, bags2), np.int32)
    for a in range(1, bags1):
        for b in range(1, bags2):
            save[a, b] = 2 * (
                ed * (s1[a + 1] - s1[a]) + ei * (s2[b + 1] - s2[b])
                - bag_cost(c1, s1[a], s1[a + 1], c2, s2[b], s2[b + 1], es, ed, ei)
            )
    base = np.int64(0)
    xs = np.empty(n * m, np.int32)
    for i in range(n):
        for j in range(i + 1):
            b = pair1[i, j]
            base += 2 * ed * (s1[b + 1] - s1[b])
        base += 2 * cn
    for i in range(m):
        for j in range(i + 1):
            b = pair2[i, j]
            base += 2 * ei * (s2[b + 1] - s2[b])
        base += 2 * cn
    for i in range(n):
        for j in range(m):
            xs[i * m + j] = (-4*cn if k1[i] == k2[j] else -2 * cn) - save[pair1[i, i], pair2[j, j]]
    begin1, across1, back1 = slots(pair1)
    begin2, across2, back2 = slots(pair2)
    theta = np.empty((across1.size, across2.size), np.int32)
    for i in range(n):
        for a in range(begin1[i], begin1[i + 1]):
            for j in range(m):
                for b in range(begin2[j], begin2[j + 1]):
                    theta[a, b] = save[pair1[i, across1[a]], pair2[j, across2[b]]] // 2 * scale
    image = np.arange(m).astype(np.int32)
    best = base
    for i in range(n):
        best += xs[i * m + i]
        for j in range(i):
            best -= save[pair1[i, j], pair2[i, j]]
    best = improve(n, m, image, xs, pair1, pair2, save, best, 0)
    problem = (base, xs, pair1, pair2, save, t2, begin1, across1, back1, begin2, across2, back2)
    width = 0
    for k in range(c1.size):
        width = max(width, c1[k] + 1)
    for k in range(c2.size):
        width = max(width, c2[k] + 1)
    edges = (width, s1, c1, s2, c2, es, ed, ei)
    lower, best, spent = search(
        problem, edges, theta[:0], False, scale, quantum, best, image, 0, 0, min(quick, budget), 0, 0, stop
    )
    if lower < best and spent < budget:
        low2, best, spent = search(
            problem, edges, theta, True, scale, quantum, best, image, polish_root, polish, budget, spent, lower, stop
        )
        lower = max(lower, low2)
    return lower, best, spent
