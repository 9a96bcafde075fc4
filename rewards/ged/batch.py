"""The distinct pairs of one call, on their way through the compiled core and back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from graphenv.errors import ConfigError
from graphenv.graph import Edge, Graph, Node
from graphenv.rewards.ged.costs import GRID, EditCosts
from graphenv.rewards.ged.encoding import Encoder, node_costs, same_kinds
from graphenv.rewards.ged.result import GEDResult

__all__ = ["Batch"]

# A graph is searched up to this many times the size of the other, or up to the least caps: a
# prediction can be as large as its writer likes, and memory grows with the squares of both.
MIN_NODES, MIN_EDGES, TIMES = 64, 256, 3
MAX_ASSIGNED = 1 << 16  # nodes of one graph times nodes of the other
MAX_UNITS = 1 << 26  # of all costs together, so that doubled and scaled sums fit into int32
PER_THREAD = 24  # pairs below which a thread costs more than it brings

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Alike = str | Callable[[str, str], float] | npt.NDArray[Any] | None


class Solved(NamedTuple):
    """What the core found for a pair: bounds, work and size in units, an image per node."""

    lower: int
    upper: int
    work: int
    size: int
    reason: str
    image: npt.NDArray[np.int32]
    matrix: npt.NDArray[np.int32] | None


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
        Label similarity, if there is one, as `ged` takes it; an array is for one pair.
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
        self._alike = alike
        self._key = key
        self._flat = encoder.arrays()
        self._first, self._second = np.array(pairs, np.int64).T.copy()
        self._nodes = np.diff(self._flat["nodes"])
        self._edges = np.diff(self._flat["edges"])
        if isinstance(alike, np.ndarray):
            self._check_table(alike)
        # The largest unit that divides all costs. It is one of the model, not of the graphs: bounds
        # are rounded to it, and must not depend on what else stands in the batch.
        self._unit = costs.unit() if alike is None else 1
        self._node_units = tuple(
            self._flat[part] // self._unit for part in ("sub", "delete", "insert")
        )
        self._edge_units = tuple(part // self._unit for part in costs.edge_grid())
        first, second = self._first, self._second
        classes, nodes = self._flat["classes"], self._flat["nodes"]
        gone, made = (_sums(part[classes], nodes) for part in self._node_units[1:])
        cut, drawn = (self._edges * part for part in self._edge_units[1:])
        self._size = np.maximum(gone[first], made[second]) + np.maximum(cut[first], drawn[second])
        self._total = gone[first] + made[second] + cut[first] + drawn[second]

    def _check_table(self, table: npt.NDArray[Any]) -> None:
        a, b = (self._graphs[g] for g in self._pairs[0])
        if table.shape != (len(a), len(b)):
            raise ConfigError(
                f"the similarity array has shape {table.shape}; the graphs have "
                f"({len(a)}, {len(b)}) nodes"
            )
        if not bool(np.all((table >= 0) & (table <= 1))):
            raise ConfigError("the similarity array holds values outside [0, 1]")

    def _matrix(self, i: int, j: int) -> npt.NDArray[np.int32]:
        """Return the substitution costs of a pair under a similarity, in units, row by row."""
        a, b, key, alike = self._graphs[i], self._graphs[j], self._key, self._alike
        if not isinstance(alike, np.ndarray):
            # Imported here: graphenv.rewards.similarity holds what is made from `ged`.
            from graphenv.rewards.similarity.labels import label_likeness

            one, two = [key(n.label) for n in a.nodes], [key(n.label) for n in b.nodes]
            ask = same_kinds([key(n.kind) for n in a.nodes], [key(n.kind) for n in b.nodes])
            alike = label_likeness(alike, one, two, ask)
        costs = node_costs(a, b, self._costs, key, alike)
        return (costs // self._unit).astype(np.int32).ravel()

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
    ) -> list[Solved]:
        """Run the core; return what it found for each distinct pair."""
        large = self._too_large()
        if method == "counts":
            large[:] = True
        # A similarity is asked for the pairs that are searched and no others: it may be slow.
        matrices = {
            p: self._matrix(*self._pairs[p])
            for p in (np.flatnonzero(~large).tolist() if self._alike is not None else ())
        }
        given = np.concatenate([*matrices.values(), np.zeros(1, np.int32)])
        given_at = np.full(len(large), -1, np.int64)
        given_at[list(matrices)] = _offsets([part.size for part in matrices.values()])[:-1]
        raw, encoded, todo = self._room(large)
        image_at = _offsets(self._nodes[self._first])
        images = np.full(image_at[-1], -1, np.int32)
        lower, upper, work = (np.zeros(len(self._pairs), np.int64) for _ in range(3))
        stop = np.zeros(1, np.uint8)
        plain = self._alike is None and not self._costs.kind_weights
        arguments = (
            *(self._first, self._second, large.astype(np.uint8), *raw, *encoded),
            *(*self._node_units, plain, given, given_at, *self._edge_units),
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
        ends = image_at.tolist()
        columns = (part.tolist() for part in (lower, upper, work, self._size, large))
        solved = []
        for p, (low, high, spent, size, bounded) in enumerate(zip(*columns, strict=True)):
            reason = ""
            if low != high:
                if method != "search":
                    reason = "method"
                elif bounded:
                    reason = "size"
                elif stop[0]:
                    reason = "time limit"
                else:
                    reason = "budget" if spent >= budget else "size"
            image = images[ends[p] : ends[p + 1]]
            solved.append(Solved(low, high, spent, size, reason, image, matrices.get(p)))
        return solved

    def result(self, solved: Solved, g1: Graph, g2: Graph) -> GEDResult:
        """Return the result for two graphs that read as those of a solved pair."""
        return GEDResult(
            solved.lower * self._unit / GRID,
            solved.upper * self._unit / GRID,
            solved.work,
            solved.reason,
            solved.size * self._unit / GRID,
            (g1, g2),
            solved.image,
            _PairCosts(
                *(g1, g2, self._costs, solved.matrix, self._unit, self._key),
                isinstance(self._alike, np.ndarray),
            ),
        )

    def _recognise_copies(
        self, lower: Ints, upper: Ints, images: npt.NDArray[np.int32], image_at: Ints
    ) -> None:
        """Settle the copies that bounds have missed: regular graphs with few labels, large ones.

        A gold graph with other ids must score 1 whatever its size.
        """
        if isinstance(self._alike, np.ndarray):  # equal labels need not be alike
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


class _PairCosts(NamedTuple):
    """The `NodeCost` of one pair."""

    g1: Graph
    g2: Graph
    costs: EditCosts
    matrix: npt.NDArray[np.int32] | None
    unit: int
    key: Callable[[str], str]
    apart: bool  # an array decides what nodes cost, equal labels or not

    def node(self, i: int | None, j: int | None) -> int:
        a = (0, 0, 0) if i is None else self.costs.node_grid(self.key(self.g1.nodes[i].kind))
        b = (0, 0, 0) if j is None else self.costs.node_grid(self.key(self.g2.nodes[j].kind))
        if i is None or j is None:
            return a[1] + b[2]
        if self.matrix is not None:
            return int(self.matrix[i * len(self.g2) + j]) * self.unit
        one, two = self.g1.nodes[i], self.g2.nodes[j]
        if not self.apart and self.same(one.label, two.label) and self.same(one.kind, two.kind):
            return 0
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


def _offsets(sizes: npt.ArrayLike) -> Ints:
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
