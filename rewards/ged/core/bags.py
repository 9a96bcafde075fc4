"""Bags of edge codes: what turning one into another costs, and the cheap bound made from them.

Even codes leave a node, odd codes enter it; an edge never turns into one of the other direction.
"""

from __future__ import annotations

from numba import njit

__all__ = ["bag_cost", "bag_saving", "count_codes", "drop_node"]


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def bag_cost(codes1, begin1, end1, codes2, begin2, end2, sub, dele, ins):
    """Return the cost of turning one sorted bag of codes into another."""
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


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def count_codes(width, begin, across, pair, starts, codes, count):
    """Count the codes at every node: `count[i * width + code]`."""
    for i in range(begin.size - 1):
        for a in range(begin[i], begin[i + 1]):
            bag = pair[i, across[a]]
            for k in range(starts[bag], starts[bag + 1]):
                count[i * width + codes[k]] += 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def drop_node(size, place, width, ids, node, pair, starts, codes, before, after):
    """Copy the counts of all nodes but the one at `place`, without the edges to it.

    `ids` are the nodes that stay, `node` is the one that goes.
    """
    for i in range(size):
        old = (i if i < place else i + 1) * width
        for c in range(width):
            after[i * width + c] = before[old + c]
        bag = pair[ids[i], node]
        for c in range(starts[bag], starts[bag + 1]):
            after[i * width + codes[c]] -= 1


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def bag_saving(i, j, count1, count2, width, sub, dele, ins):
    """Return half of what the edges at i and j can save, seen as bags (doubled: a whole number)."""
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
