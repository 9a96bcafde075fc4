"""The compiled entry points: prepare a batch, encode its graphs, solve its pairs.

A batch arrives as `words`, a run of integers per graph: 1 if directed else 0, the number of nodes,
a class per node, then heads, relations and tails of the edges. Graph g stands at
words[at[g] : at[g + 1]]. `class_costs` (3, classes) and `edge_costs` (3) are substitute, delete and
insert in units.

Numba keys its cache on the source of the cached function alone. The entry points are therefore
closures over a digest of all sources of this folder: an edit of any of them compiles anew. None of
them calls another: a closure over a compiled function is never found in the cache.
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

__all__ = ["encode_run", "prepare", "solve_run"]

LARGE_PAIR = 400  # pairs of nodes above which a search starts from a greedy mapping

# A graph is searched up to this many times the size of the other, or up to the least caps: a
# prediction can be as large as its writer likes, and memory grows with the squares of both.
MIN_NODES, MIN_EDGES, TIMES = 64, 256, 3
MAX_ASSIGNED = 1 << 16  # nodes of one graph times nodes of the other
MAX_UNITS = 1 << 26  # of all costs together, so that doubled and scaled sums fit into int32


def _digest() -> int:
    found = hashlib.blake2b(digest_size=6)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return int.from_bytes(found.digest(), "big")


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _far(a, b, least):
    """Return whether one size is far above the other."""
    return max(a, b) > max(least, TIMES * min(a, b))


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _parts(words, at, g):
    """Return (classes, heads, relations, tails) of a graph."""
    a = at[g] + 2
    b = a + words[at[g] + 1]
    m = (at[g + 1] - b) // 3
    return words[a:b], words[b : b + m], words[b + m : b + 2 * m], words[b + 2 * m : b + 3 * m]


def _entries(version: int) -> tuple[Callable[..., Any], ...]:
    @njit(nogil=True, cache=True)
    def prepare(words, at, firsts, seconds, class_costs, edge_costs, by_counts):
        """Return (found, images, image_at, needed, room) of a batch.

        Per pair, `found` holds lower, upper, work (to be found), the normaliser of the similarity
        in units, and whether it is bounded in linear time (all are if `by_counts`); `image_at` says
        where its images begin. Per graph: whether it needs encoding, and room for that.
        """
        graphs, pairs = at.size - 1, firsts.size
        nodes, edges = np.zeros(graphs + 1, np.int64), np.zeros(graphs + 1, np.int64)
        gone, made = np.zeros(graphs, np.int64), np.zeros(graphs, np.int64)
        for g in range(graphs):
            classes, heads, _, _ = _parts(words, at, g)
            nodes[g + 1] = nodes[g] + classes.size
            edges[g + 1] = edges[g] + heads.size
            for x in classes:
                gone[g] += class_costs[1, x]
                made[g] += class_costs[2, x]
        found, needed = np.zeros((pairs, 5), np.int64), np.zeros(graphs, np.uint8)
        image_at = np.zeros(pairs + 1, np.int64)
        for p in range(pairs):
            one, two = firsts[p], seconds[p]
            n1, n2 = nodes[one + 1] - nodes[one], nodes[two + 1] - nodes[two]
            m1, m2 = edges[one + 1] - edges[one], edges[two + 1] - edges[two]
            cut, drawn = m1 * edge_costs[1], m2 * edge_costs[2]
            found[p, 3] = max(gone[one], made[two]) + max(cut, drawn)
            image_at[p + 1] = image_at[p] + n1
            if (
                by_counts
                or _far(n1, n2, MIN_NODES)
                or _far(m1, m2, MIN_EDGES)
                or n1 * n2 > MAX_ASSIGNED
                or gone[one] + made[two] + cut + drawn > MAX_UNITS
            ):
                found[p, 4] = 1
            else:
                needed[one] = needed[two] = 1
        squares = np.zeros(graphs + 1, np.int64)
        for g in range(graphs):
            n = nodes[g + 1] - nodes[g] if needed[g] else 0
            squares[g + 1] = squares[g] + n * n
        total = nodes[graphs]
        kinds, order = np.empty(total, np.int32), np.empty(total, np.int32)
        twin = np.empty(total, np.int32)
        pair = np.empty(squares[graphs], np.int32)
        starts = np.empty(2 * edges[graphs] + 3 * graphs, np.int32)
        codes = np.empty(2 * edges[graphs], np.int32)
        marks = np.zeros(graphs, np.uint64)
        room = (nodes, edges, squares, kinds, order, pair, starts, codes, twin, marks)
        images = np.full(image_at[pairs], -1, np.int32)
        return found, images, image_at, needed, room

    @njit(nogil=True, cache=True)
    def encode_run(which, words, at, class_hash, rel_hash, room):
        """Encode the graphs `which` into `room`."""
        nodes, edges, squares, kinds, order, pair, starts, codes, twin, marks = room
        for g in which:
            a, b, c, d = nodes[g], nodes[g + 1], edges[g], edges[g + 1]
            n = b - a
            classes, heads, rels, tails = _parts(words, at, g)
            marks[g] = encode(
                classes, heads, rels, tails, words[at[g]] != 0, class_hash, rel_hash,
                kinds[a:b], order[a:b],
                pair[squares[g] : squares[g] + n * n].reshape((n, n)),
                starts[2 * c + 3 * g : 2 * d + 3 * g + 3], codes[2 * c : 2 * d], twin[a:b],
            )  # fmt: skip
        return version

    @njit(nogil=True, cache=True)
    def solve_run(
        which, words, at, class_hash, rel_hash, firsts, seconds, class_costs, edge_costs,
        plain, given, given_at, budget, stop, found, images, image_at, room,
    ):  # fmt: skip
        """Solve the pairs `which`; `found` and `images` are filled.

        `given` holds node costs of the pairs that have their own, row by row in input order from
        `given_at` (-1: none, an empty array: no pair has). `plain` says that all classes cost the
        same.
        """
        nodes, edges, squares, kinds, order, pair, starts, codes, twin, marks = room
        class_sub, class_del, class_ins = class_costs[0], class_costs[1], class_costs[2]
        sub, dele, ins = edge_costs[0], edge_costs[1], edge_costs[2]
        for p in which:
            one, two = firsts[p], seconds[p]
            directed = words[at[one]] != 0
            n, m = nodes[one + 1] - nodes[one], nodes[two + 1] - nodes[two]
            image = images[image_at[p] : image_at[p] + n]
            if found[p, 4] != 0:
                found[p, 0], found[p, 1] = interval(
                    _parts(words, at, one), _parts(words, at, two), directed, class_hash, rel_hash,
                    (class_sub, class_del, class_ins), plain, sub, dele, ins, image,
                )  # fmt: skip
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
            own = given_at[p] if given_at.size else -1
            for i in range(rows):
                x = kinds[ga + i]
                for j in range(cols):
                    y = kinds[ha + j]
                    if own >= 0:
                        r, c = order[ga + i], order[ha + j]
                        node_cost[i, j] = given[own + (c * rows + r if swap else r * cols + c)]
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
                _, heads, rels, tails = _parts(words, at, g)
                flat1 = canonical(kinds[ga : ga + rows], order[ga : ga + rows], heads, rels, tails)
                _, heads, rels, tails = _parts(words, at, h)
                flat2 = canonical(kinds[ha : ha + cols], order[ha : ha + cols], heads, rels, tails)
                start = greedy(flat1, flat2, directed, class_hash, rel_hash)
            found[p, 0], found[p, 1], found[p, 2], mapped = solve(
                g1, g2, node_cost, delete1, insert2, sub, edge_out, edge_in,
                start, guided, budget, stop,
            )  # fmt: skip
            if swap:
                image[:] = -1
                for i in range(rows):
                    image[order[ha + mapped[i]]] = order[ga + i]
            else:
                for i in range(rows):
                    image[order[ga + i]] = order[ha + mapped[i]]
        return version

    return prepare, encode_run, solve_run


prepare, encode_run, solve_run = _entries(_digest())
