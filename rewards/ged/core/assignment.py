"""Rectangular linear assignment in integers, with the duals that a search prunes by."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["assign", "make_room"]

FAR = 1 << 30


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def make_room(size):
    """Return the arrays that `assign` fills: row_of, col_of, u, v, and four of its own."""
    # One allocation: of a small pair they would take longer than the search.
    room = np.empty((8, size), np.int32)
    return room[0], room[1], room[2], room[3], room[4], room[5], room[6], room[7]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def assign(cost, rows, cols, room):
    """Assign every row to its own column at least cost; return the cost. `rows <= cols`.

    `cost` is flat, row-major, int32. `room` is what `make_room` gives; filled are `col_of[row]`,
    `row_of[col]` (-1: unused) and the duals `u`, `v` with `cost[i, j] >= u[i] + v[j]`, equality on
    the assignment, `v <= 0`, and `v = 0` on unused columns, so that sum(u) + sum(v) is the optimum.
    The steps are those of Jonker and Volgenant (Computing 38, 1987): row minima, two rounds in
    which free rows bid for columns, then shortest augmenting paths for what is left.
    """
    row_of, col_of, u, v, dist, prev, done, free = room
    for j in range(cols):
        row_of[j] = -1
        v[j] = 0
    left = 0
    for i in range(rows):
        base = i * cols
        best, at = cost[base], 0
        for j in range(1, cols):
            if cost[base + j] < best:
                best, at = cost[base + j], j
        u[i] = best
        if row_of[at] < 0:
            row_of[at] = i
            col_of[i] = at
        else:
            col_of[i] = -1
            free[left] = i
            left += 1
    # Free rows bid: take the best column, lower its price to the second best, push its owner out.
    for _ in range(2):
        if left == 0 or cols == 1:
            break
        todo, left, at = left, 0, 0
        tries = 0
        while at < todo:
            i = free[at]
            at += 1
            base = i * cols
            low, low_at, second, second_at = FAR, -1, FAR, -1
            for j in range(cols):
                reduced = cost[base + j] - v[j]
                if reduced < second:
                    if reduced < low:
                        second, second_at = low, low_at
                        low, low_at = reduced, j
                    else:
                        second, second_at = reduced, j
            u[i] = second
            target = low_at
            if low < second:
                v[low_at] -= second - low
            elif row_of[low_at] >= 0:
                target = second_at
            out = row_of[target]
            row_of[target] = i
            col_of[i] = target
            if out >= 0:
                col_of[out] = -1
                tries += 1
                if low < second and tries < 2 * cols:
                    at -= 1
                    free[at] = out
                else:
                    free[left] = out
                    left += 1
    for k in range(left):
        start = free[k]
        base = start * cols
        for j in range(cols):
            dist[j] = cost[base + j] - v[j]
            prev[j] = start
            done[j] = 0
        end = -1
        reach = 0
        while True:
            low, at = FAR, -1
            for j in range(cols):
                if done[j] == 0 and dist[j] < low:
                    low, at = dist[j], j
            reach = low
            done[at] = 1
            i = row_of[at]
            if i < 0:
                end = at
                break
            base = i * cols
            shift = cost[base + at] - v[at] - low
            for j in range(cols):
                if done[j] == 0:
                    length = cost[base + j] - v[j] - shift
                    if length < dist[j]:
                        dist[j] = length
                        prev[j] = i
        for j in range(cols):
            if done[j] == 1 and j != end:
                v[j] += dist[j] - reach
        while True:
            i = prev[end]
            row_of[end] = i
            was = col_of[i]
            col_of[i] = end
            end = was
            if i == start:
                break
    total = 0
    for i in range(rows):
        total += cost[i * cols + col_of[i]]
        u[i] = cost[i * cols + col_of[i]] - v[col_of[i]]
    return total
