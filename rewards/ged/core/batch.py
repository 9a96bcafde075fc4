"""The compiled entry points: encode a run of graphs, solve a run of pairs.

Numba keys its cache on the source of the cached function alone. The entry points are therefore
closures over a digest of all sources of this folder: an edit of any of them compiles anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from graphenv.rewards.ged.core.encode import encode
from graphenv.rewards.ged.core.large import bag_bound, edge_cost, greedy
from graphenv.rewards.ged.core.solve import solve
from graphenv.rewards.ged.core.sorting import order_of

__all__ = ["DONE", "LARGE", "encode_run", "solve_run"]

DONE, LARGE = 0, 1
"""How a pair was treated: searched, or bounded in linear time."""


def _digest() -> int:
    found = hashlib.blake2b(digest_size=6)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return int.from_bytes(found.digest(), "big")


def _entries(version: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    @njit(nogil=True, cache=True)
    def encode_run(
        which, classes, nodes, heads, rels, tails, edges, directed, class_hash, rel_hash,
        kinds, order, pair, squares, starts, codes, twin, marks,
    ):  # fmt: skip
        """Encode the graphs `which`; the last eight arrays are filled at their offsets."""
        for g in which:
            a, b, c, d = nodes[g], nodes[g + 1], edges[g], edges[g + 1]
            n = b - a
            marks[g] = encode(
                classes[a:b], heads[c:d], rels[c:d], tails[c:d], directed[g] != 0,
                class_hash, rel_hash, kinds[a:b], order[a:b],
                pair[squares[g] : squares[g] + n * n].reshape((n, n)),
                starts[2 * c + 3 * g : 2 * d + 3 * g + 3], codes[2 * c : 2 * d], twin[a:b],
            )  # fmt: skip
        return version

    @njit(nogil=True, cache=True)
    def solve_run(
        which, firsts, seconds, methods,
        classes, nodes, heads, rels, tails, edges, directed, class_hash, rel_hash,
        kinds, order, pair, squares, starts, codes, twin, marks,
        class_sub, class_del, class_ins, plain, given, given_at, sub, dele, ins, budget, stop,
        lowers, uppers, works, images, image_at,
    ):  # fmt: skip
        """Solve the pairs `which`; the last five arrays are filled.

        `given` holds node costs of the pairs that have their own (`given_at` >= 0), row by row in
        input order. `plain` says that all classes cost the same.
        """
        for p in which:
            one, two = firsts[p], seconds[p]
            n, m = nodes[one + 1] - nodes[one], nodes[two + 1] - nodes[two]
            image = images[image_at[p] : image_at[p] + n]
            if methods[p] == LARGE:
                a, b, c, d = nodes[one], nodes[one + 1], edges[one], edges[one + 1]
                g1 = (classes[a:b], heads[c:d], rels[c:d], tails[c:d])
                a, b, c, d = nodes[two], nodes[two + 1], edges[two], edges[two + 1]
                g2 = (classes[a:b], heads[c:d], rels[c:d], tails[c:d])
                way = directed[one] != 0
                image[:] = greedy(g1, g2, way, class_hash, rel_hash)
                total = np.int64(0)
                everything = np.int64(0)
                taken = np.zeros(m, np.uint8)
                for i in range(n):
                    everything += class_del[g1[0][i]]
                    if image[i] < 0:
                        total += class_del[g1[0][i]]
                    else:  # equal class: no node cost
                        taken[image[i]] = 1
                for j in range(m):
                    everything += class_ins[g2[0][j]]
                    if taken[j] == 0:
                        total += class_ins[g2[0][j]]
                total += edge_cost(g1, g2, image, way, sub, dele, ins)
                everything += dele * g1[1].size + ins * g2[1].size
                if everything < total:
                    total = everything
                    image[:] = -1
                spare = np.int64(0)
                if plain and n > 0 and m > 0:
                    c0, c1, c2 = class_sub[0], class_del[0], class_ins[0]
                    spare += bag_bound(g1[0], g2[0], c0, c1, c2)
                # Whatever is mapped to whatever, so many nodes are left over on one side.
                elif n > m:
                    costs = class_del[g1[0]]
                    costs = costs[order_of(costs)]
                    for k in range(n - m):
                        spare += costs[k]
                elif m > n:
                    costs = class_ins[g2[0]]
                    costs = costs[order_of(costs)]
                    for k in range(m - n):
                        spare += costs[k]
                lowers[p] = spare + bag_bound(g1[2], g2[2], sub, dele, ins)
                uppers[p] = total
                works[p] = 0
                continue
            swap = n > m or (n == m and marks[one] > marks[two])
            g, h = (two, one) if swap else (one, two)
            rows, cols = min(n, m), max(n, m)
            if swap:
                out, into, edge_out, edge_in = class_ins, class_del, ins, dele
            else:
                out, into, edge_out, edge_in = class_del, class_ins, dele, ins
            ga, ha = nodes[g], nodes[h]
            node_cost = np.empty((rows, cols), np.int32)
            delete1, insert2 = np.empty(rows, np.int32), np.empty(cols, np.int32)
            for i in range(rows):
                delete1[i] = out[kinds[ga + i]]
            for j in range(cols):
                insert2[j] = into[kinds[ha + j]]
            for i in range(rows):
                x = kinds[ga + i]
                for j in range(cols):
                    y = kinds[ha + j]
                    if given_at[p] >= 0:
                        r, c = order[ga + i], order[ha + j]
                        at = given_at[p] + (c * rows + r if swap else r * cols + c)
                        node_cost[i, j] = given[at]
                    elif x == y:
                        node_cost[i, j] = 0
                    else:
                        both = out[x] + into[y]
                        node_cost[i, j] = min(max(class_sub[x], class_sub[y]), both)
            c, d = edges[g], edges[g + 1]
            g1 = (
                pair[squares[g] : squares[g] + rows * rows].reshape((rows, rows)),
                starts[2 * c + 3 * g : 2 * d + 3 * g + 3], codes[2 * c : 2 * d],
                twin[ga : ga + rows],
            )  # fmt: skip
            c, d = edges[h], edges[h + 1]
            g2 = (
                pair[squares[h] : squares[h] + cols * cols].reshape((cols, cols)),
                starts[2 * c + 3 * h : 2 * d + 3 * h + 3], codes[2 * c : 2 * d],
                twin[ha : ha + cols],
            )  # fmt: skip
            lower, upper, work, found = solve(
                g1, g2, node_cost, delete1, insert2, sub, edge_out, edge_in, budget, stop
            )
            lowers[p], uppers[p], works[p] = lower, upper, work
            if swap:
                image[:] = -1
                for i in range(rows):
                    image[order[ha + found[i]]] = order[ga + i]
            else:
                for i in range(rows):
                    image[order[ga + i]] = order[ha + found[i]]
        return version

    return encode_run, solve_run


encode_run, solve_run = _entries(_digest())
