"""Depth-first branch and bound over injections of the smaller graph into the larger one.

All costs are integers, doubled, so that half an edge is a whole number; bounds carry a further
factor `scale`. A mapping costs `base` (delete one graph, insert the other) plus `xs` of every
mapped node less `save` of every pair of mapped nodes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.assignment import assign
from graphenv.rewards.ged.core.stars import star, sweep

__all__ = ["improve", "search"]

MAX_ROUNDS = 16  # of local improvement; more are hardly ever needed


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def improve(n, m, image, xs, pair1, pair2, save, best, stop_at):
    """Improve a complete mapping by swaps and moves until none helps; return its cost.

    `image` (m entries) holds the column of each row, then the unused columns.
    """
    better = True
    rounds = 0
    while better and best > stop_at and rounds < MAX_ROUNDS:
        better = False
        rounds += 1
        for i in range(n):
            row = pair1[i]
            for k in range(i + 1, m):
                a, b = image[i], image[k]
                delta = xs[i * m + b] - xs[i * m + a]
                pa, pb = pair2[a], pair2[b]
                if k < n:
                    other = pair1[k]
                    delta += xs[k * m + a] - xs[k * m + b]
                    delta += save[row[k], pa[b]] - save[row[k], pb[a]]
                    for w in range(n):
                        if w != i and w != k:
                            c = image[w]
                            if row[w] != 0:
                                delta += save[row[w], pa[c]] - save[row[w], pb[c]]
                            if other[w] != 0:
                                delta += save[other[w], pb[c]] - save[other[w], pa[c]]
                else:
                    for w in range(n):
                        if w != i and row[w] != 0:
                            c = image[w]
                            delta += save[row[w], pa[c]] - save[row[w], pb[c]]
                if delta < 0:
                    image[i], image[k] = b, a
                    best += delta
                    better = True
    return best


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _loose(i, j, count1, count2, width, sub, dele, ins):
    """Return half of what edges at row i and column j can save, seen as bags of codes (doubled)."""
    saved = 0
    for side in range(2):
        a, b, common = 0, 0, 0
        for k in range(side, width, 2):
            x, y = count1[i * width + k], count2[j * width + k]
            a += x
            b += y
            common += min(x, y)
        few = min(a, b)
        saved += (dele + ins) * few - sub * (few - common)
    return saved


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _complete(rows, cols, base, xs, rowid, colid, col_of, pair1, pair2, save):
    """Return the cost of the mapping that `col_of` completes."""
    total = base
    for i in range(rows):
        total += xs[i * cols + col_of[i]]
        first, second = pair1[rowid[i]], pair2[colid[col_of[i]]]
        for k in range(i):
            edge = first[rowid[k]]
            if edge != 0:
                total -= save[edge, second[colid[col_of[k]]]]
    return total


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def search(
    problem, edges, theta, tight, deep, scale, best, image,
    root_sweeps, node_sweeps, budget, work, floor, stop,
):  # fmt: skip
    """Search from the root; return (lower, upper, work), doubled. `image` keeps the best mapping.

    Bounds come from bags of edges, or, if `tight`, from stars under the split `theta`, improved by
    so many sweeps at the root and below it. Without `deep` only the root is bounded. `best` and
    `floor` are known bounds, `work` what has been spent. The result is exact if lower == upper.

    A larger budget walks the same way further: nothing that is reported can get worse by it.
    """
    base0, xs0, pair1, pair2, save, twin2, begin1, across1, back1, begin2, across2, back2 = problem
    width, starts1, codes1, starts2, codes2, sub, dele, ins = edges
    n, m = pair1.shape[0], pair2.shape[0]
    levels = n + 1 if deep else 1
    slabs = levels if tight and node_sweeps > 0 else 1
    thetas = np.empty((slabs, theta.shape[0], theta.shape[1]), np.int32)
    thetas[0] = theta
    slab = np.zeros(levels, np.int32)
    # At level d there are n - d rows and m - d columns.
    xs = np.empty((levels, n * m), np.int32)
    stars = np.empty((levels, n * m), np.int32)
    rowid = np.empty((levels, n), np.int32)
    colid = np.empty((levels, m), np.int32)
    base = np.zeros(levels, np.int64)
    branch = np.zeros(levels, np.int32)
    pool = np.empty((levels, m), np.int32)
    bound = np.empty((levels, m), np.int64)
    pools = np.zeros(levels, np.int32)
    at = np.zeros(levels, np.int32)
    map1 = np.full(n, -1, np.int32)
    map2 = np.full(m, -1, np.int32)

    wide = max(n, m, 1)
    cost = np.empty(n * m, np.int32)
    row_of = np.empty(wide, np.int32)
    col_of = np.empty(wide, np.int32)
    u = np.empty(wide, np.int32)
    v = np.empty(wide, np.int32)
    dist = np.empty(wide, np.int32)
    prev = np.empty(wide, np.int32)
    done = np.empty(wide, np.int8)
    free = np.empty(wide, np.int32)
    tmp = (
        np.empty(wide * wide, np.int32),
        np.empty(wide, np.int32),
        np.empty(wide, np.int32),
        np.empty(wide, np.int32),
        np.empty(wide, np.int32),
        np.empty(wide, np.int32),
        np.empty(wide, np.int32),
        np.empty(wide, np.int32),
        np.empty(wide, np.int32),
        np.empty(wide, np.int8),
        np.empty(wide, np.int32),
    )
    trial = np.empty(m, np.int32)

    for i in range(n):
        rowid[0, i] = i
    for j in range(m):
        colid[0, j] = j
    base[0] = base0
    count1 = np.zeros((1 if tight else levels, n * width), np.int32)
    count2 = np.zeros((1 if tight else levels, m * width), np.int32)
    if not tight:
        for i in range(n):
            for a in range(begin1[i], begin1[i + 1]):
                b = pair1[i, across1[a]]
                for k in range(starts1[b], starts1[b + 1]):
                    count1[0, i * width + codes1[k]] += 1
        for j in range(m):
            for a in range(begin2[j], begin2[j + 1]):
                b = pair2[j, across2[a]]
                for k in range(starts2[b], starts2[b + 1]):
                    count2[0, j * width + codes2[k]] += 1
    for k in range(n * m):
        xs[0, k] = xs0[k]
        if tight:
            stars[0, k] = star(
                thetas[0],
                rowid[0, k // m],
                colid[0, k % m],
                begin1,
                across1,
                map1,
                begin2,
                across2,
                map2,
                tmp,
            )
        else:
            stars[0, k] = scale * _loose(k // m, k % m, count1[0], count2[0], width, sub, dele, ins)
    unit = np.int64(2) * scale  # costs are whole numbers, doubled
    depth = 0
    fresh = True
    halted = False
    while depth >= 0:
        if fresh:
            if work >= budget or stop[0] != 0:
                break
            work += 1
            sweeps = node_sweeps if depth > 0 else root_sweeps
            rows, cols = n - depth, m - depth
            lower = np.int64(0)
            tries = 0
            was = np.int64(0)
            while True:
                for k in range(rows * cols):
                    cost[k] = xs[depth, k] * scale - stars[depth, k]
                lower = base[depth] * scale
                if rows > 0:
                    lower += assign(cost, rows, cols, row_of, col_of, u, v, dist, prev, done, free)
                if depth > 0:
                    lower = max(lower, bound[depth - 1, at[depth - 1] - 1])
                full = _complete(
                    rows,
                    cols,
                    base[depth],
                    xs[depth],
                    rowid[depth],
                    colid[depth],
                    col_of,
                    pair1,
                    pair2,
                    save,
                )
                if full < best:
                    for i in range(n):
                        trial[i] = map1[i]
                    for i in range(rows):
                        trial[rowid[depth, i]] = colid[depth, col_of[i]]
                    for j in range(m):
                        row_of[j] = -1
                    for i in range(n):
                        row_of[trial[i]] = i
                    k = n
                    for j in range(m):
                        if row_of[j] < 0:
                            trial[k] = j
                            k += 1
                    best = improve(n, m, trial, xs[0], pair1, pair2, save, full, floor)
                    image[:] = trial
                if depth == 0:
                    floor = max(floor, min(2 * ((lower + unit - 1) // unit), best))
                gap = (best - 2) * scale - lower
                if not tight or gap < 0 or tries >= sweeps or rows < 3:
                    break
                if tries > 0 and (lower - was) * (4 if depth > 0 else 40) < gap:
                    break
                if work >= budget:
                    halted = True
                    break
                was = lower
                if tries == 0 and depth > 0:
                    thetas[depth] = thetas[slab[depth]]
                    slab[depth] = depth
                here = thetas[slab[depth]]
                for forth in range(2):
                    sweep(
                        here,
                        xs[depth],
                        rows,
                        cols,
                        rowid[depth],
                        colid[depth],
                        scale,
                        u,
                        v,
                        begin1,
                        across1,
                        back1,
                        map1,
                        begin2,
                        across2,
                        back2,
                        map2,
                        forth == 0,
                        tmp,
                    )
                for k in range(rows * cols):
                    stars[depth, k] = star(
                        here,
                        rowid[depth, k // cols],
                        colid[depth, k % cols],
                        begin1,
                        across1,
                        map1,
                        begin2,
                        across2,
                        map2,
                        tmp,
                    )
                tries += 1
                work += 1 + rows // 4
            if halted or (not deep and gap >= 0):
                break
            pools[depth] = 0
            at[depth] = 0
            if rows > 0 and lower + unit <= best * scale:
                # Branch on the row that has fewest columns left, the dearest first.
                few, dear, pick = m + 1, -1, 0
                for i in range(rows):
                    open_, weight = 0, 0
                    spare = best * scale - unit - lower + u[i]
                    for j in range(cols):
                        reduced = cost[i * cols + j] - v[j]
                        if reduced <= spare:
                            open_ += 1
                            weight += reduced - u[i]
                    if open_ < few or (open_ == few and weight > dear):
                        few, dear, pick = open_, weight, i
                branch[depth] = pick
                size = 0
                for j in range(cols):
                    estimate = lower + cost[pick * cols + j] - u[pick] - v[j]
                    if estimate + unit > best * scale:
                        continue
                    target = colid[depth, j]
                    if twin2[target] >= 0 and map2[twin2[target]] < 0:
                        continue
                    k = size
                    while k > 0 and bound[depth, k - 1] > estimate:
                        bound[depth, k] = bound[depth, k - 1]
                        pool[depth, k] = pool[depth, k - 1]
                        k -= 1
                    bound[depth, k] = estimate
                    pool[depth, k] = j
                    size += 1
                pools[depth] = size
            fresh = False
        # Take the next child of this node, or go back up.
        if at[depth] < pools[depth]:
            at[depth] += 1
            k = at[depth] - 1
            if bound[depth, k] + unit > best * scale:
                at[depth] = pools[depth]
                continue
            rows, cols = n - depth, m - depth
            pi, pj = branch[depth], pool[depth, k]
            me, it = rowid[depth, pi], colid[depth, pj]
            map1[me] = it
            map2[it] = me
            d = depth + 1
            slab[d] = slab[depth]
            here = thetas[slab[d]]
            base[d] = base[depth] + xs[depth, pi * cols + pj]
            for i in range(rows - 1):
                rowid[d, i] = rowid[depth, i if i < pi else i + 1]
            for j in range(cols - 1):
                colid[d, j] = colid[depth, j if j < pj else j + 1]
            mine, its = pair1[me], pair2[it]
            if not tight:
                for i in range(rows - 1):
                    old = (i if i < pi else i + 1) * width
                    for c in range(width):
                        count1[d, i * width + c] = count1[depth, old + c]
                    back = pair1[rowid[d, i], me]
                    for c in range(starts1[back], starts1[back + 1]):
                        count1[d, i * width + codes1[c]] -= 1
                for j in range(cols - 1):
                    old = (j if j < pj else j + 1) * width
                    for c in range(width):
                        count2[d, j * width + c] = count2[depth, old + c]
                    back = pair2[colid[d, j], it]
                    for c in range(starts2[back], starts2[back + 1]):
                        count2[d, j * width + codes2[c]] -= 1
            for i in range(rows - 1):
                old = (i if i < pi else i + 1) * cols
                edge = mine[rowid[d, i]]
                for j in range(cols - 1):
                    was_at = old + (j if j < pj else j + 1)
                    now = i * (cols - 1) + j
                    other = its[colid[d, j]]
                    xs[d, now] = xs[depth, was_at]
                    if edge != 0 and other != 0:
                        xs[d, now] -= save[edge, other]
                    if edge == 0 and other == 0:
                        stars[d, now] = stars[depth, was_at]
                    elif not tight:
                        stars[d, now] = scale * _loose(
                            i, j, count1[d], count2[d], width, sub, dele, ins
                        )
                    else:
                        stars[d, now] = star(
                            here,
                            rowid[d, i],
                            colid[d, j],
                            begin1,
                            across1,
                            map1,
                            begin2,
                            across2,
                            map2,
                            tmp,
                        )
            depth = d
            fresh = True
        else:
            depth -= 1
            if depth >= 0:
                me = rowid[depth, branch[depth]]
                map2[map1[me]] = -1
                map1[me] = -1
    if depth < 0:
        return best, best, work
    lower = best * scale
    for d in range(depth):
        if at[d] < pools[d]:
            lower = min(lower, bound[d, at[d]])
    if depth == 0:
        lower = np.int64(0)
    else:
        lower = min(lower, bound[depth - 1, at[depth - 1] - 1])
    lower = min(2 * ((lower + unit - 1) // unit), best)
    return max(lower, floor), best, work
