"""The distinct pairs of one call, on their way through the compiled core and back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

from graphenv.errors import ConfigError
from graphenv.graph import Edge, Graph, Node
from graphenv.rewards.ged.costs import GRID, EditCosts
from graphenv.rewards.ged.encoding import Encoder, node_costs
from graphenv.rewards.ged.result import GEDResult

__all__ = ["Batch"]

MIN_NODES, MIN_EDGES, TIMES = 64, 256, 3
MAX_ASSIGNED = 1 << 16  # nodes of one graph times nodes of the other
MAX_UNITS = 1 << 26  # of all costs together, so that doubled and scaled sums fit into int32
PER_THREAD = 24  # pairs below which a thread costs more than it brings

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Alike = Callable[[str, str], float] | npt.NDArray[Any] | None


class Batch:
    """Pairs of encoded graphs under one cost model.

    Parameters
    ----------
    encoder
        Holds the graphs.
    pairs
        Numbers of graphs in it.
    costs
        The cost model.
    alike
        Label similarity, if there is one: a function of keyed labels, or an array for one pair.
    key
        What names are compared by.
    """

    def __init__(
        self,
        encoder: Encoder,
        pairs: list[tuple[int, int]],
        costs: EditCosts,
        alike: Alike,
        key: Callable[[str], str],
    ) -> None:
        self._graphs = encoder.graphs
        self._pairs = pairs
        self._costs = costs
        self._key = key
        self._flat = encoder.arrays()
        self._first, self._second = np.array(pairs, np.int64).T.copy()
        self._nodes = np.diff(self._flat["nodes"])
        self._edges = np.diff(self._flat["edges"])
        self._by_hand = isinstance(alike, np.ndarray)
        self._matrices = None if alike is None else [self._matrix(i, j, alike) for i, j in pairs]
        self._into_units()

    def _matrix(
        self, i: int, j: int, alike: Callable[[str, str], float] | npt.NDArray[Any]
    ) -> npt.NDArray[np.int32]:
        a, b, key = self._graphs[i], self._graphs[j], self._key
        if not isinstance(alike, np.ndarray):
            one, two = [key(n.label) for n in a.nodes], [key(n.label) for n in b.nodes]
            return node_costs(a, b, self._costs, key, lambda x, y: alike(one[x], two[y]))
        if alike.shape != (len(a), len(b)):
            raise ConfigError(
                f"the similarity array has shape {alike.shape}; the graphs have "
                f"({len(a)}, {len(b)}) nodes"
            )
        if not bool(np.all((alike >= 0) & (alike <= 1))):
            raise ConfigError("the similarity array holds values outside [0, 1]")
        return node_costs(a, b, self._costs, key, lambda x, y: float(alike[x, y]))

    def _into_units(self) -> None:
        """Express all costs in the largest unit that divides them, and add them up per pair."""
        flat, first, second = self._flat, self._first, self._second
        edge = self._costs.edge_grid()
        given, given_at = np.zeros(1, np.int32), np.full(len(first), -1, np.int64)
        if self._matrices is not None:
            given = np.concatenate([*self._matrices, given])
            sizes = [0, *(matrix.size for matrix in self._matrices)]
            given_at = np.cumsum(sizes)[:-1].astype(np.int64)
        node = [flat[key] for key in ("sub", "delete", "insert")]
        unit = gcd(*edge, *(int(np.gcd.reduce(part)) for part in (*node, given))) or 1
        self._unit = unit
        self._node_units = tuple(part // unit for part in node)
        self._edge_units = tuple(part // unit for part in edge)
        self._given = (given // unit, given_at)

        gone, made = (_sums(part[flat["classes"]], flat["nodes"]) for part in self._node_units[1:])
        cut, drawn = (self._edges * part for part in self._edge_units[1:])
        self._size = np.maximum(gone[first], made[second]) + np.maximum(cut[first], drawn[second])
        self._total = gone[first] + made[second] + cut[first] + drawn[second]

    def _too_large(self) -> Bools:
        n, m, first, second = self._nodes, self._edges, self._first, self._second
        return np.asarray(
            _far(n[first], n[second], MIN_NODES)
            | _far(m[first], m[second], MIN_EDGES)
            | (n[first] * n[second] > MAX_ASSIGNED)
            | (self._total > MAX_UNITS)
        )

    def solve(
        self, core: Any, budget: int, method: str, time_limit: float | None, threads: int
    ) -> list[GEDResult]:
        """Run the core; return a result per pair."""
        large = self._too_large()
        if method == "counts":
            large[:] = True
        raw, encoded, todo = self._room(large)
        image_at = _offsets(self._nodes[self._first])
        images = np.full(image_at[-1], -1, np.int32)
        lower, upper, work = (np.zeros(len(self._pairs), np.int64) for _ in range(3))
        stop = np.zeros(1, np.uint8)
        plain = self._matrices is None and not self._costs.kind_weights
        arguments = (
            *(self._first, self._second, large.astype(np.uint8), *raw, *encoded),
            *(*self._node_units, plain, *self._given, *self._edge_units),
            *(1 if method == "bipartite" else budget, stop),
            *(lower, upper, work, images, image_at),
        )
        timer = threading.Timer(time_limit or 0.0, stop.fill, (1,))
        timer.daemon = True
        if time_limit is not None:
            timer.start()
        try:
            _spread(lambda part: core.encode_run(part, *raw, *encoded), todo, threads)
            everything = np.arange(len(self._pairs))
            _spread(lambda part: core.solve_run(part, *arguments), everything, threads)
        finally:
            timer.cancel()

        self._recognise_copies(lower, upper, images, image_at)
        results = []
        for p, (i, j) in enumerate(self._pairs):
            reason = ""
            if lower[p] != upper[p]:
                if method != "search":
                    reason = "method"
                elif large[p]:
                    reason = "size"
                elif stop[0]:
                    reason = "time limit"
                else:
                    reason = "budget" if work[p] >= budget else "size"
            matrix = None if self._matrices is None or large[p] else self._matrices[p]
            pair = self._graphs[i], self._graphs[j]
            results.append(
                GEDResult(
                    int(lower[p]) * self._unit / GRID,
                    int(upper[p]) * self._unit / GRID,
                    int(work[p]),
                    reason,
                    int(self._size[p]) * self._unit / GRID,
                    pair,
                    images[image_at[p] : image_at[p + 1]],
                    _PairCosts(*pair, self._costs, matrix, self._key),
                )
            )
        return results

    def _recognise_copies(
        self, lower: Ints, upper: Ints, images: npt.NDArray[np.int32], image_at: Ints
    ) -> None:
        """Settle the copies that bounds have missed: regular graphs with few labels, large ones.

        A gold graph with other ids must score 1 whatever its size.
        """
        if self._by_hand:  # equal labels need not be alike
            return
        # Imported here: graphenv.rewards.similarity holds what is made from `ged`.
        from graphenv.rewards.similarity.isomorphism import isomorphism

        for p in np.flatnonzero((lower == 0) & (upper > 0)).tolist():
            one, two = (_keyed(self._graphs[g], self._key) for g in self._pairs[p])
            image = isomorphism(one, two)
            if image is not None:
                upper[p] = 0
                images[image_at[p] : image_at[p + 1]] = image

    def _room(self, large: Bools) -> tuple[tuple[Any, ...], tuple[Any, ...], Ints]:
        """Return the raw arrays, room for encoded graphs, and the graphs that need encoding."""
        flat, n = self._flat, self._nodes
        names = ("classes", "nodes", "heads", "rels", "tails", "edges", "directed")
        raw = (*(flat[name] for name in names), flat["class_hash"], flat["rel_hash"])
        needed = np.zeros(len(n), np.bool_)
        needed[self._first[~large]] = needed[self._second[~large]] = True
        squares = _offsets(np.where(needed, n * n, 0))
        total, edges = flat["nodes"][-1], flat["edges"][-1]
        kinds, order, twin = (np.empty(total, np.int32) for _ in range(3))
        pair = np.empty(squares[-1], np.int32)
        starts = np.empty(2 * edges + 3 * len(n), np.int32)
        codes = np.empty(2 * edges, np.int32)
        marks = np.zeros(len(n), np.uint64)
        encoded = (kinds, order, pair, squares, starts, codes, twin, marks)
        return raw, encoded, np.flatnonzero(needed)


@dataclass(frozen=True, eq=False)
class _PairCosts:
    """The `NodeCost` of one pair."""

    g1: Graph
    g2: Graph
    costs: EditCosts
    matrix: npt.NDArray[np.int32] | None
    key: Callable[[str], str]

    def node(self, i: int | None, j: int | None) -> int:
        a = (0, 0, 0) if i is None else self.costs.node_grid(self.key(self.g1.nodes[i].kind))
        b = (0, 0, 0) if j is None else self.costs.node_grid(self.key(self.g2.nodes[j].kind))
        if i is None or j is None:
            return a[1] + b[2]
        if self.matrix is not None:
            return int(self.matrix[i * len(self.g2) + j])
        return min(max(a[0], b[0]), a[1] + b[2])

    def same(self, a: str, b: str) -> bool:
        return a == b or self.key(a) == self.key(b)

    @property
    def edge(self) -> tuple[int, int, int]:
        return self.costs.edge_grid()


def _keyed(graph: Graph, key: Callable[[str], str]) -> Graph:
    nodes = tuple(Node(n.id, key(n.label), key(n.kind)) for n in graph.nodes)
    edges = tuple(Edge(e.head, key(e.relation), e.tail) for e in graph.edges)
    return Graph(nodes, edges, directed=graph.directed)


def _offsets(sizes: npt.NDArray[Any]) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _sums(values: npt.NDArray[Any], offsets: Ints) -> Ints:
    """Return the sum of each run of values."""
    running = _offsets(values)
    return np.asarray(running[offsets[1:]] - running[offsets[:-1]])


def _far(a: Ints, b: Ints, least: int) -> Bools:
    """Return where one size is far above the other."""
    few, many = np.minimum(a, b), np.maximum(a, b)
    return np.asarray(many > np.maximum(least, TIMES * few))


def _spread(run: Callable[[Ints], None], which: Ints, threads: int) -> None:
    """Call `run` on all of `which`, in parts on several threads where that pays."""
    count = min(threads, len(which) // PER_THREAD)
    if count <= 1:
        if len(which):
            run(which)
        return
    # Several parts a thread: a dear pair does not leave the others idle. (Copied, as the core is
    # compiled for contiguous arrays.)
    parts = [which[k :: 4 * count].copy() for k in range(4 * count)]
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(run, part) for part in parts]:
            done.result()
