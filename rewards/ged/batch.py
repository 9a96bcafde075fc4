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

PER_THREAD = 24  # pairs below which a thread costs more than it brings

Ints = npt.NDArray[np.int64]
_NO_COSTS, _NOWHERE = np.zeros(0, np.int32), np.zeros(0, np.int64)
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
        if isinstance(alike, np.ndarray):
            self._check_table(alike)
        # The largest unit that divides all costs. It is one of the model, not of the graphs: bounds
        # are rounded to it, and must not depend on what else stands in the batch.
        self._unit = costs.unit if alike is None else 1
        self._words, grid = encoder.arrays(costs)
        sides = np.array(pairs, np.int64)
        self._sides = (sides[:, 0].copy(), sides[:, 1].copy())
        self._units = (grid // self._unit, np.array(costs.edge_grid, np.int64) // self._unit)

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

    def solve(
        self, core: Any, budget: int, method: str, time_limit: float | None, threads: int
    ) -> list[Solved]:
        """Run the core; return what it found for each distinct pair."""
        stop = np.zeros(1, np.uint8)
        timer = None
        if time_limit is not None:
            timer = threading.Timer(time_limit, stop.fill, (1,))
            timer.daemon = True
            timer.start()
        search = (1 if method == "bipartite" else budget, stop)
        matrices: dict[int, npt.NDArray[np.int32]] = {}
        plain = self._alike is None and not self._costs.kind_weights
        threads = min(threads, len(self._pairs) // PER_THREAD)
        try:
            found, images, image_at, needed, room = core.prepare(
                *(*self._words[:2], *self._sides, *self._units, method == "counts")
            )
            if self._alike is not None:
                matrices = self._matrices(found[:, 4] == 0)
            own = (plain, *_flat(matrices, len(found)))
            filled = (found, images, image_at, room)
            arguments = (*self._words, *self._sides, *self._units, *own, *search, *filled)
            graphs, pairs = needed.nonzero()[0], np.arange(len(found))
            _spread(lambda g: core.encode_run(g, *self._words, room), graphs, threads)
            _spread(lambda p: core.solve_run(p, *arguments), pairs, threads)
        finally:
            if timer is not None:
                timer.cancel()
        solved = []
        end = 0
        for p, (low, high, spent, size, bounded) in enumerate(found.tolist()):
            begin, end = end, end + len(self._graphs[self._pairs[p][0]].nodes)
            image = images[begin:end]
            if low == 0 < high and self._shares_labels and (copied := self._isomorphism(p)):
                image, high = np.array(copied, np.int32), 0
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
            solved.append(Solved(low, high, spent, size, reason, image, matrices.get(p)))
        return solved

    def _matrices(self, searched: npt.NDArray[np.bool_]) -> dict[int, npt.NDArray[np.int32]]:
        """Return the node costs of the pairs that have their own.

        A similarity is asked for the pairs that are searched and no others: it may be slow.
        """
        return {p: self._matrix(*self._pairs[p]) for p in np.flatnonzero(searched).tolist()}

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
                not self._shares_labels,
            ),
        )

    @property
    def _shares_labels(self) -> bool:
        """Whether equal labels are alike: an array may say otherwise."""
        return not isinstance(self._alike, np.ndarray)

    def _isomorphism(self, pair: int) -> list[int] | None:
        """Return the mapping of a copy that bounds have missed, `None` if it is no copy.

        They miss regular graphs with few labels, and large ones. A gold graph with other ids must
        score 1 whatever its size.
        """
        # Imported here: graphenv.rewards.similarity holds what is made from `ged`.
        from graphenv.rewards.similarity.isomorphism import isomorphism

        return isomorphism(*(_keyed(self._graphs[g], self._key) for g in self._pairs[pair]))


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
        return self.costs.edge_grid


def _keyed(graph: Graph, key: Callable[[str], str]) -> Graph:
    nodes = tuple(Node(n.id, key(n.label), key(n.kind)) for n in graph.nodes)
    edges = tuple(Edge(e.head, key(e.relation), e.tail) for e in graph.edges)
    return Graph(nodes, edges, directed=graph.directed)


def _flat(
    matrices: dict[int, npt.NDArray[np.int32]], pairs: int
) -> tuple[npt.NDArray[np.int32], Ints]:
    """Return all matrices in one array, and where each pair's begins (-1: it has none)."""
    if not matrices:
        return _NO_COSTS, _NOWHERE
    begin, at = np.full(pairs, -1, np.int64), 0
    for p, matrix in matrices.items():
        begin[p] = at
        at += matrix.size
    return np.concatenate([*matrices.values()]), begin


def _spread(run: Callable[[Ints], None], which: Ints, threads: int) -> None:
    """Call `run` on all of `which`, in parts on several threads where that pays."""
    if threads <= 1:
        if len(which):
            run(which)
        return
    # Several parts a thread: a dear pair does not leave the others idle. (Copied, as the core is
    # compiled for contiguous arrays.)
    parts = [which[k :: 4 * threads].copy() for k in range(4 * threads)]
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(run, part) for part in parts]:
            done.result()
