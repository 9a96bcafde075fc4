"""Lower bounds from stars: what a node can save at best by taking an image, edges included.

Deleting one graph and inserting the other costs a constant. Mapping node i to j saves node cost;
mapping two edges onto each other saves `save`, and that saving is split between the two ends:
theta[a, b] + theta[a', b'] = save, where slot a is an edge seen from one end, a' from the other.
For any split, node i mapped to j saves at most the best matching of the edges at i with those at j
under theta (its star), and an assignment of nodes to images bounds the whole. Moving savings to
where they are not used makes the bound tighter, never wrong (block coordinate ascent of the dual,
as Hahn and Grant, Operations Research 46, 1998, do for quadratic assignment).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.assignment import assign, make_room

__all__ = ["make_star_room", "slots", "star", "sweep"]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def slots(pair):
    """Return the edge slots of a graph: offsets per node, the node across, the slot across."""
    n = pair.shape[0]
    begin = np.zeros(n + 1, np.int32)
    for i in range(n):
        for j in range(n):
            if i != j and pair[i, j] != 0:
                begin[i + 1] += 1
    for i in range(n):
        begin[i + 1] += begin[i]
    across = np.empty(begin[n], np.int32)
    where = np.empty((n, n), np.int32)
    for i in range(n):
        k = begin[i]
        for j in range(n):
            if i != j and pair[i, j] != 0:
                across[k] = j
                where[i, j] = k
                k += 1
    back = np.empty(begin[n], np.int32)
    for i in range(n):
        for k in range(begin[i], begin[i + 1]):
            back[k] = where[across[k], i]
    return begin, across, back


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _gather(theta, i, j, sides, cost, slot1, slot2):
    """Fill `cost` with the negated savings of the star i -> j, fewer edges as rows.

    Only edges to nodes that are not mapped count. Returns rows, columns, whether the rows are the
    edges of the second graph, and the saving of the best matching where it is plain to see (-1).
    """
    begin1, across1, _, map1, begin2, across2, _, map2 = sides
    r, q = 0, 0
    for a in range(begin1[i], begin1[i + 1]):
        if map1[across1[a]] < 0:
            slot1[r] = a
            r += 1
    for b in range(begin2[j], begin2[j + 1]):
        if map2[across2[b]] < 0:
            slot2[q] = b
            q += 1
    if r == 0 or q == 0:
        return r, q, False, 0
    first = theta[slot1[0], slot2[0]]
    least, most = first, first
    swap = r > q
    if swap:
        for y in range(q):
            for x in range(r):
                t = theta[slot1[x], slot2[y]]
                least, most = min(least, t), max(most, t)
                cost[y * r + x] = -t if t > 0 else 0
        r, q = q, r
    else:
        for x in range(r):
            for y in range(q):
                t = theta[slot1[x], slot2[y]]
                least, most = min(least, t), max(most, t)
                cost[x * q + y] = -t if t > 0 else 0
    known = -1
    if most <= 0:
        known = 0
    elif r == 1:
        known = most
    elif least == most:
        known = r * most
    return r, q, swap, known


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def make_star_room(size):
    """Return the arrays that `star` and `sweep` work in, for graphs of at most `size` nodes."""
    slots = np.empty((2, size), np.int32)
    return np.empty(size * size, np.int32), slots[0], slots[1], make_room(size)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def star(theta, i, j, sides, room):
    """Return what the edges at i can save at most when i is mapped to j.

    `sides` holds, for both graphs, offsets of slots, nodes across, slots across and images.
    """
    cost, slot1, slot2, lap = room
    rows, cols, _, known = _gather(theta, i, j, sides, cost, slot1, slot2)
    if known >= 0:
        return known
    return -assign(cost, rows, cols, lap)


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def sweep(theta, xs, rows, cols, rowid, colid, scale, price1, price2, sides, forth, room):
    """Let every star in turn take savings that it can hold without saving more.

    `price1`, `price2` are the duals of the last assignment; what a mapping costs beyond them is
    space that its star may fill. Half of what could be moved is moved, which converges further.
    """
    cost, slot1, slot2, lap = room
    back1, back2, u, v = sides[2], sides[6], lap[2], lap[3]
    for step in range(rows * cols):
        k = step if forth else rows * cols - 1 - step
        p, q = k // cols, k % cols
        r, c, swap, _ = _gather(theta, rowid[p], colid[q], sides, cost, slot1, slot2)
        if r == 0 or c == 0:
            continue
        saved = -assign(cost, r, c, lap)
        space = max(0, xs[k] * scale - saved - price1[p] - price2[q]) // r
        for x in range(r):
            for y in range(c):
                a, b = (slot1[y], slot2[x]) if swap else (slot1[x], slot2[y])
                moved = (space - u[x] - v[y] - theta[a, b]) >> 1
                theta[a, b] += moved
                theta[back1[a], back2[b]] -= moved
