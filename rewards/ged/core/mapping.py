"""Complete mappings: what they cost, and how swaps make them better."""

from __future__ import annotations

from numba import njit

__all__ = ["complete_cost", "fill_image", "improve"]

MAX_ROUNDS = 16  # of local improvement; more are hardly ever needed


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def complete_cost(rows, cols, base, xs, rowid, colid, col_of, pair1, pair2, save):
    """Return the cost of the mapping that the assignment `col_of` completes."""
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
def fill_image(rows, rowid, colid, col_of, map1, taken, image):
    """Write the mapping that `col_of` completes: images of all rows, then the unused columns."""
    n, m = map1.size, image.size
    for i in range(n):
        image[i] = map1[i]
    for i in range(rows):
        image[rowid[i]] = colid[col_of[i]]
    for j in range(m):
        taken[j] = 0
    for i in range(n):
        taken[image[i]] = 1
    k = n
    for j in range(m):
        if taken[j] == 0:
            image[k] = j
            k += 1


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
