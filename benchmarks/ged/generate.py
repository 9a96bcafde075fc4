"""Random directed labelled graphs, their edited copies, and batches like those of a GRPO step.

Graphs are simple (no self-loops, no parallel edges of one direction), because networkx, which is
compared with, knows no others; the correctness part adds its own graphs that have both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphenv.graph import Graph

__all__ = ["Shape", "edited", "grpo_batch", "multigraph", "pairs", "random_graph"]

Pair = tuple[Graph, Graph]
GROUP = 8


@dataclass(frozen=True)
class Shape:
    """Labels, relations and edges per node of the graphs that are made."""

    labels: int = 6
    relations: int = 4
    density: float = 1.5


def random_graph(dice: np.random.Generator, nodes: int, shape: Shape | None = None) -> Graph:
    """Return a connected graph: a random tree, then random edges up to round(density * nodes)."""
    shape = Shape() if shape is None else shape
    labels = [int(x) for x in dice.integers(0, shape.labels, nodes)]
    edges: dict[tuple[int, int], int] = {}
    for i in range(1, nodes):
        j = int(dice.integers(0, i))
        edges[(i, j) if dice.random() < 0.5 else (j, i)] = int(dice.integers(0, shape.relations))
    most = min(round(shape.density * nodes), nodes * (nodes - 1))
    while len(edges) < most:
        a, b = (int(x) for x in dice.integers(0, nodes, 2))
        if a != b and (a, b) not in edges:
            edges[a, b] = int(dice.integers(0, shape.relations))
    return _graph(labels, edges)


def edited(
    dice: np.random.Generator, graph: Graph, share: float, shape: Shape | None = None
) -> Graph:
    """Return a copy after round(share * (nodes + edges)) random edits, its nodes shuffled.

    An edit is, with equal chance: relabel a node, change a relation, add a node with an edge,
    remove an edge, remove a node with its edges, add an edge. At least one is made.
    """
    shape = Shape() if shape is None else shape
    labels = [int(node.label[1:]) for node in graph.nodes]
    edges = {(e.head, e.tail): int(e.relation[1:]) for e in graph.edges}
    for _ in range(max(1, round(share * (len(labels) + len(edges))))):
        match int(dice.integers(0, 6)):
            case 0:
                labels[int(dice.integers(0, len(labels)))] = int(dice.integers(0, shape.labels))
            case 1 if edges:
                where = list(edges)[int(dice.integers(0, len(edges)))]
                edges[where] = int(dice.integers(0, shape.relations))
            case 2:
                new, old = len(labels), int(dice.integers(0, len(labels)))
                labels.append(int(dice.integers(0, shape.labels)))
                edges[new, old] = int(dice.integers(0, shape.relations))
            case 3 if edges:
                del edges[list(edges)[int(dice.integers(0, len(edges)))]]
            case 4 if len(labels) > 2:
                gone = int(dice.integers(0, len(labels)))
                labels.pop(gone)
                edges = {
                    (a - (a > gone), b - (b > gone)): r
                    for (a, b), r in edges.items()
                    if gone not in (a, b)
                }
            case 5:
                a, b = (int(x) for x in dice.integers(0, len(labels), 2))
                if a != b:
                    edges.setdefault((a, b), int(dice.integers(0, shape.relations)))
            case _:
                pass
    place = dice.permutation(len(labels)).tolist()
    moved = [0] * len(labels)
    for old, new in enumerate(place):
        moved[new] = labels[old]
    return _graph(moved, {(place[a], place[b]): r for (a, b), r in edges.items()})


def pairs(
    dice: np.random.Generator,
    nodes: int,
    count: int,
    share: float | None,
    shape: Shape | None = None,
) -> list[Pair]:
    """Return pairs of a graph and its edited copy, or, without `share`, of two unrelated graphs."""
    made = []
    for _ in range(count):
        first = random_graph(dice, nodes, shape)
        if share is None:
            made.append((first, random_graph(dice, nodes, shape)))
        else:
            made.append((first, edited(dice, first, share, shape)))
    return made


def grpo_batch(dice: np.random.Generator, groups: int) -> list[Pair]:
    """Return (predicted, gold) pairs: 8 predictions per gold graph of 5 to 20 nodes.

    Of the predictions 50 % are the gold after a share of edits drawn from [0, 25 %], 30 % after
    50 % edits, 20 % are unrelated graphs of 5 to 20 nodes.
    """
    made = []
    for _ in range(groups):
        gold = random_graph(dice, int(dice.integers(5, 21)))
        for _ in range(GROUP):
            kind = dice.random()
            if kind < 0.5:
                predicted = edited(dice, gold, 0.25 * dice.random())
            elif kind < 0.8:
                predicted = edited(dice, gold, 0.5)
            else:
                predicted = random_graph(dice, int(dice.integers(5, 21)))
            made.append((predicted, gold))
    return made


def multigraph(dice: np.random.Generator, most_nodes: int, *, directed: bool) -> Graph:
    """Return a small graph that may be empty, with self-loops, parallel edges and kinds."""
    nodes = int(dice.integers(0, most_nodes + 1))
    labels, relations = int(dice.integers(1, 4)), int(dice.integers(1, 4))
    edges = [
        (
            int(dice.integers(0, nodes)),
            f"r{dice.integers(0, relations)}",
            int(dice.integers(0, nodes)),
        )
        for _ in range(int(dice.integers(0, 2 * nodes + 1)) if nodes else 0)
    ]
    kinds = ["literal" if dice.random() < 0.2 else "" for _ in range(nodes)]
    names = [f"n{x}" for x in dice.integers(0, labels, nodes)]
    return Graph.from_edges(names, edges, kinds=kinds, directed=directed)


def _graph(labels: list[int], edges: dict[tuple[int, int], int]) -> Graph:
    return Graph.from_edges(
        [f"n{x}" for x in labels], [(a, f"r{r}", b) for (a, b), r in edges.items()]
    )
