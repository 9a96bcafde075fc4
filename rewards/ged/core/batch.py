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
from graphenv.rewards.ged.core.large import canonical, greedy, interval
from graphenv.rewards.ged.core.solve import solve

__all__ = ["encode_run", "solve_run"]

LARGE_PAIR = 400  # pairs of nodes above which a search starts from a greedy mapping


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
        which, firsts, seconds, large,
        classes, nodes, heads, rels, tails, edges, directed, class_hash, rel_hash,
        kinds, order, pair, squares, starts, codes, twin, marks,
        class_sub, class_del, class_ins, plain, given, given_at, sub, dele, ins, budget, stop,
        lowers, uppers, works, images, image_at,
    ):  # fmt: skip
        """Solve the pairs `which`; the last five arrays are filled.

        `given` holds node costs of the pairs that have their own (`given_at` >= 0), row by row in
        input order. `plain` says that all classes cost the same. Pairs in `large` are bounded in
        linear time.
        """
        for p in which:
            one, two = firsts[p], seconds[p]
            n, m = nodes[one + 1] - nodes[one], nodes[two + 1] - nodes[two]
            image = images[image_at[p] : image_at[p] + n]
            if large[p]:
                a, b, c, d = nodes[one], nodes[one + 1], edges[one], edges[one + 1]
                g1 = (classes[a:b], heads[c:d], rels[c:d], tails[c:d])
                a, b, c, d = nodes[two], nodes[two + 1], edges[two], edges[two + 1]
                g2 = (classes[a:b], heads[c:d], rels[c:d], tails[c:d])
                lowers[p], uppers[p] = interval(
                    g1, g2, directed[one] != 0, class_hash, rel_hash,
                    (class_sub, class_del, class_ins), plain, sub, dele, ins, image,
                )  # fmt: skip
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
            start = np.arange(rows).astype(np.int32)
            guided = rows * cols > LARGE_PAIR
            if guided:
                c, d = edges[g], edges[g + 1]
                flat1 = canonical(
                    kinds[ga : ga + rows], order[ga : ga + rows], heads[c:d], rels[c:d], tails[c:d]
                )
                c, d = edges[h], edges[h + 1]
                flat2 = canonical(
                    kinds[ha : ha + cols], order[ha : ha + cols], heads[c:d], rels[c:d], tails[c:d]
                )
                start = greedy(flat1, flat2, directed[g] != 0, class_hash, rel_hash)
            lower, upper, work, found = solve(
                g1,
                g2,
                node_cost,
                delete1,
                insert2,
                sub,
                edge_out,
                edge_in,
                start,
                guided,
                budget,
                stop,
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
