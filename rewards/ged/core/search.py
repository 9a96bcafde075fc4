"""Depth-first branch and bound over injections of the smaller graph into the larger one.

All costs are integers, doubled, so that half an edge is a whole number; bounds carry a further
factor `scale`. A mapping costs `base` (delete one graph, insert the other) plus `xs` of every
mapped node less `save` of every pair of mapped nodes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.assignment import assign, make_room
from graphenv.rewards.ged.core.bags import bag_saving, count_codes, drop_node
from graphenv.rewards.ged.core.mapping import complete_cost, fill_image, improve
from graphenv.rewards.ged.core.stars import make_star_room, star, sweep

__all__ = ["search"]

# What bounding a node costs beyond one unit of work: cells of the arrays that are gone through.
# A node of an ordinary pair touches fewer than one unit's worth; one of two dense graphs of 64
# nodes a thousand times that.
CELLS = 1 << 15
# A sweep is repeated while what the last one gained, so many times over, would close the gap.
ROOT_PATIENCE, NODE_PATIENCE = 40, 4


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _branch(rows, cols, cost, u, v, lower, limit, colid, twin2, map2, pool, bound):
    """Choose the row to map next; return it and its number of images, which fill `pool`, `bound`.

    The row that has fewest images left below `limit`, of those the one whose images cost most
    beyond the assignment. Of free twins only the first is tried: the others give the same.
    """
    few, dear, pick = cols + 1, -1, 0
    for i in range(rows):
        left, weight = 0, 0
        for j in range(cols):
            reduced = cost[i * cols + j] - u[i] - v[j]
            if lower + reduced <= limit:
                left += 1
                weight += reduced
        if left < few or (left == few and weight > dear):
            few, dear, pick = left, weight, i
    size = 0
    for j in range(cols):
        estimate = lower + cost[pick * cols + j] - u[pick] - v[j]
        twin = twin2[colid[j]]
        if estimate > limit or (twin >= 0 and map2[twin] < 0):
            continue
        k = size
        while k > 0 and bound[k - 1] > estimate:
            bound[k] = bound[k - 1]
            pool[k] = pool[k - 1]
            k -= 1
        bound[k] = estimate
        pool[k] = j
        size += 1
    return pick, size


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
    # At level d there are n - d rows and m - d columns, in compact form.
    xs = np.empty((levels, n * m), np.int32)
    stars = np.empty((levels, n * m), np.int32)
    rowid = np.empty((levels, n), np.int32)
    colid = np.empty((levels, m), np.int32)
    base = np.empty(levels, np.int64)
    # The images of the branching row that are left to try, with lower bounds.
    of_level = np.zeros((4, levels), np.int32)
    branch, pools, at, slab = of_level[0], of_level[1], of_level[2], of_level[3]
    pool = np.empty((levels, m), np.int32)
    bound = np.empty((levels, m), np.int64)
    # A level that sweeps writes its own copy of theta; those below it use that.
    thetas = np.empty((levels if tight and node_sweeps > 0 else 1, *theta.shape), np.int32)
    thetas[0] = theta
    slots = np.int64(across1.size) * across2.size
    cells = np.int64(0)  # gone through and not counted as work yet
    counted = 1 if tight else levels
    count1 = np.zeros((counted, n * width), np.int32)
    count2 = np.zeros((counted, m * width), np.int32)
    map1, map2 = np.full(n, -1, np.int32), np.full(m, -1, np.int32)
    sides = (begin1, across1, back1, map1, begin2, across2, back2, map2)
    cost = np.empty(n * m, np.int32)
    trial = np.empty(m, np.int32)
    room = make_room(max(m, 1))
    _, col_of, u, v, _, _, taken, _ = room
    star_room = make_star_room(max(m, 1))

    base[0] = base0
    for i in range(n):
        rowid[0, i] = i
    for j in range(m):
        colid[0, j] = j
    if not tight:
        count_codes(width, begin1, across1, pair1, starts1, codes1, count1[0])
        count_codes(width, begin2, across2, pair2, starts2, codes2, count2[0])
    for k in range(n * m):
        xs[0, k] = xs0[k]
        i, j = rowid[0, k // m], colid[0, k % m]
        if tight:
            stars[0, k] = star(thetas[0], i, j, sides, star_room)
        else:
            stars[0, k] = scale * bag_saving(i, j, count1[0], count2[0], width, sub, dele, ins)

    unit = np.int64(2) * scale  # costs are whole numbers, doubled
    depth = 0
    fresh = True  # the node at `depth` has not been bounded yet
    halted = False
    while depth >= 0:
        rows, cols = n - depth, m - depth
        if fresh:
            if work >= budget or stop[0] != 0:
                break
            cells += 8 * rows * cols
            work += 1 + cells // CELLS
            cells %= CELLS
            sweeps = node_sweeps if depth > 0 else root_sweeps
            patience = NODE_PATIENCE if depth > 0 else ROOT_PATIENCE
            tries = 0
            was = np.int64(0)
            while True:
                for k in range(rows * cols):
                    cost[k] = xs[depth, k] * scale - stars[depth, k]
                lower = base[depth] * scale
                if rows > 0:
                    lower += assign(cost, rows, cols, room)
                if depth > 0:
                    lower = max(lower, bound[depth - 1, at[depth - 1] - 1])
                full = complete_cost(
                    rows, cols, base[depth], xs[depth], rowid[depth], colid[depth], col_of,
                    pair1, pair2, save,
                )  # fmt: skip
                if depth == 0:
                    floor = max(floor, min(2 * ((lower + unit - 1) // unit), best))
                if full < best:
                    fill_image(rows, rowid[depth], colid[depth], col_of, map1, taken, trial)
                    best = improve(n, m, trial, xs[0], pair1, pair2, save, full, floor)
                    image[:] = trial
                gap = (best - 2) * scale - lower
                if not tight or gap < 0 or tries >= sweeps or rows < 3:
                    break
                if tries > 0 and (lower - was) * patience < gap:
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
                        here, xs[depth], rows, cols, rowid[depth], colid[depth], scale, u, v,
                        sides, forth == 0, star_room,
                    )  # fmt: skip
                for k in range(rows * cols):
                    i, j = rowid[depth, k // cols], colid[depth, k % cols]
                    stars[depth, k] = star(here, i, j, sides, star_room)
                tries += 1
                cells += 3 * slots
                work += 1 + rows // 4 + cells // CELLS
                cells %= CELLS
            if halted or (not deep and gap >= 0):
                break
            pools[depth] = 0
            at[depth] = 0
            limit = best * scale - unit
            if rows > 0 and lower <= limit:
                branch[depth], pools[depth] = _branch(
                    rows, cols, cost, u, v, lower, limit, colid[depth], twin2, map2,
                    pool[depth], bound[depth],
                )  # fmt: skip
            fresh = False
        if at[depth] >= pools[depth]:  # nothing left here: go back up
            depth -= 1
            if depth >= 0:
                i = rowid[depth, branch[depth]]
                map2[map1[i]] = -1
                map1[i] = -1
            continue
        at[depth] += 1
        if bound[depth, at[depth] - 1] + unit > best * scale:  # nor is any later one better
            at[depth] = pools[depth]
            continue
        # Map the branching row to its next image, and describe what is left.
        p, q = branch[depth], pool[depth, at[depth] - 1]
        one, two = rowid[depth, p], colid[depth, q]
        map1[one], map2[two] = two, one
        d = depth + 1
        slab[d] = slab[depth]
        base[d] = base[depth] + xs[depth, p * cols + q]
        for i in range(rows - 1):
            rowid[d, i] = rowid[depth, i if i < p else i + 1]
        for j in range(cols - 1):
            colid[d, j] = colid[depth, j if j < q else j + 1]
        if not tight:
            drop_node(
                rows - 1, p, width, rowid[d], one, pair1, starts1, codes1, count1[depth], count1[d]
            )
            drop_node(
                cols - 1, q, width, colid[d], two, pair2, starts2, codes2, count2[depth], count2[d]
            )
        for i in range(rows - 1):
            before = (i if i < p else i + 1) * cols
            edge = pair1[one, rowid[d, i]]
            degree = begin1[rowid[d, i] + 1] - begin1[rowid[d, i]]
            for j in range(cols - 1):
                old, new = before + (j if j < q else j + 1), i * (cols - 1) + j
                other = pair2[two, colid[d, j]]
                xs[d, new] = xs[depth, old]
                if edge != 0 and other != 0:
                    xs[d, new] -= save[edge, other]
                if edge == 0 and other == 0:
                    stars[d, new] = stars[depth, old]
                elif tight:
                    k = colid[d, j]
                    cells += degree * (begin2[k + 1] - begin2[k])
                    stars[d, new] = star(thetas[slab[d]], rowid[d, i], k, sides, star_room)
                else:
                    cells += width
                    saved = bag_saving(i, j, count1[d], count2[d], width, sub, dele, ins)
                    stars[d, new] = scale * saved
        depth = d
        fresh = True

    if depth < 0:
        return best, best, work
    if depth == 0 and fresh:
        return floor, best, work
    # Stopped: what is open are the images not tried, and the node at hand.
    lower = best * scale
    for d in range(depth):
        if at[d] < pools[d]:
            lower = min(lower, bound[d, at[d]])
    lower = min(lower, bound[depth - 1, at[depth - 1] - 1])
    return max(floor, min(2 * ((lower + unit - 1) // unit), best)), best, work
