"""What a scorer must beat: size, degree, distance to the seeds. They read no words."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from graphenv.agents.gnn.examples import Example
from graphenv.graph import Graph

__all__ = ["HEURISTICS", "Binned", "degree", "distance", "size"]

Floats = NDArray[np.float64]
_BINS = 12


def size(example: Example) -> float:
    """Return the number of nodes and edges."""
    return float(example.size)


def degree(example: Example) -> float:
    """Return the mean degree."""
    graph = example.view.graph
    return 2 * graph.num_edges / len(graph) if len(graph) else 0.0


def distance(example: Example) -> float:
    """Return the mean number of edges from a node to the nearest seed.

    A node that no seed reaches counts as many as there are nodes. Seeds are the nodes marked as
    such, else those that bear a name the task gives.
    """
    graph = example.view.graph
    if not len(graph):
        return 0.0
    hops = _hops(graph, _seed_places(graph, example.seeds))
    return float(np.mean([hops.get(i, len(graph)) for i in range(len(graph))]))


def _seed_places(graph: Graph, named: Sequence[str]) -> list[int]:
    marked = [i for i, node in enumerate(graph.nodes) if ("seed", "1") in node.attributes]
    return marked or [i for i, node in enumerate(graph.nodes) if node.label in named]


def _hops(graph: Graph, starts: Sequence[int]) -> dict[int, int]:
    around: list[list[int]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        around[edge.head].append(edge.tail)
        around[edge.tail].append(edge.head)
    hops = dict.fromkeys(starts, 0)
    waiting = deque(starts)
    while waiting:
        here = waiting.popleft()
        for other in around[here]:
            if other not in hops:
                hops[other] = hops[here] + 1
                waiting.append(other)
    return hops


HEURISTICS: dict[str, Callable[[Example], float]] = {
    "size": size,
    "degree": degree,
    "distance to seeds": distance,
}


class Binned:
    """Numbers of a state turned into a value: the mean outcome of training states like it.

    The range of each number is cut at quantiles of the training states, so that a heuristic is as
    good as it can be: "neither small nor large" is learned too. With several numbers a cell is
    their combination; one without training states gets the mean of all.

    Parameters
    ----------
    features
        The heuristics, by name.
    examples
        Training states.
    """

    def __init__(
        self, features: Mapping[str, Callable[[Example], float]], examples: Sequence[Example]
    ) -> None:
        self._features = tuple(features.values())
        values = self._values(examples)
        bins = max(3, round(_BINS ** (1 / len(self._features)))) if len(features) > 1 else _BINS
        inner = np.linspace(0, 1, bins + 1)[1:-1]
        self._cuts = [np.unique(np.quantile(column, inner)) for column in values.T]
        outcomes: dict[tuple[int, ...], list[float]] = {}
        for cell, example in zip(self._cells(values), examples, strict=True):
            outcomes.setdefault(cell, []).append(example.outcome)
        self._means = {cell: float(np.mean(found)) for cell, found in outcomes.items()}
        self._rest = float(np.mean([example.outcome for example in examples]))

    def __call__(self, examples: Sequence[Example]) -> Floats:
        """Return a value in [0, 1] for each state."""
        cells = self._cells(self._values(examples))
        return np.array([self._means.get(cell, self._rest) for cell in cells], dtype=np.float64)

    def _values(self, examples: Sequence[Example]) -> Floats:
        rows = [[feature(example) for feature in self._features] for example in examples]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self._features))

    def _cells(self, values: Floats) -> list[tuple[int, ...]]:
        columns = [
            np.searchsorted(cuts, column, side="right").tolist()
            for cuts, column in zip(self._cuts, values.T, strict=True)
        ]
        return list(zip(*columns, strict=True))
