"""Edits that cannot make a state better: of a state, a graph of another task and a draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from graphenv.graph import Edge, Graph, Node
from graphenv.scorers import View

__all__ = ["EDITS"]


def _strangers(graph: Graph, donor: Graph, most: int, draw: np.random.Generator) -> list[Node]:
    """Return nodes of the donor that the graph lacks, without the mark of a seed."""
    ids = {node.id for node in graph.nodes}
    labels = set(graph.labels)
    found = [donor.nodes[i] for i in draw.permutation(len(donor)).tolist()]
    return [
        replace(node, attributes=tuple(a for a in node.attributes if a[0] != "seed"))
        for node in found
        if node.id not in ids and node.label not in labels
    ][:most]


def _relation(donor: Graph, draw: np.random.Generator) -> str:
    return donor.edges[int(draw.integers(donor.num_edges))].relation


def _with(graph: Graph, nodes: Sequence[Node], edges: Sequence[Edge]) -> Graph:
    return Graph((*graph.nodes, *nodes), (*graph.edges, *edges), directed=graph.directed)


def _hub(view: View, donor: Graph, draw: np.random.Generator) -> Graph:
    """Add a node with many neighbours that nothing else touches."""
    nodes = _strangers(view.graph, donor, int(draw.integers(3, 9)), draw)
    first, relation = len(view.graph), _relation(donor, draw)
    edges = [Edge(first, relation, first + i) for i in range(1, len(nodes))]
    return _with(view.graph, nodes, edges)


def _lone(view: View, donor: Graph, draw: np.random.Generator) -> Graph:
    """Add nodes without edges."""
    return _with(view.graph, _strangers(view.graph, donor, int(draw.integers(1, 6)), draw), ())


def _dense(view: View, donor: Graph, draw: np.random.Generator) -> Graph:
    """Add a few nodes, each tied to each."""
    nodes = _strangers(view.graph, donor, int(draw.integers(2, 5)), draw)
    first = len(view.graph)
    edges = [
        Edge(first + a, _relation(donor, draw), first + b)
        for a, b in permutations(range(len(nodes)), 2)
    ]
    return _with(view.graph, nodes, edges)


def _duplicates(view: View, _: Graph, draw: np.random.Generator) -> Graph:
    """Repeat edges that are there."""
    graph = view.graph
    if not graph.edges:
        return graph
    again = draw.integers(graph.num_edges, size=int(draw.integers(1, 6))).tolist()
    return _with(graph, (), [graph.edges[i] for i in again])


def _padding(view: View, donor: Graph, draw: np.random.Generator) -> Graph:
    """Add a piece of the other task's graph, as it is."""
    nodes = _strangers(view.graph, donor, int(draw.integers(2, 9)), draw)
    place = {node.id: len(view.graph) + i for i, node in enumerate(nodes)}
    edges = [
        Edge(place[donor.nodes[e.head].id], e.relation, place[donor.nodes[e.tail].id])
        for e in donor.edges
        if donor.nodes[e.head].id in place and donor.nodes[e.tail].id in place
    ]
    return _with(view.graph, nodes, edges[:12])


def _echo(view: View, donor: Graph, draw: np.random.Generator) -> Graph:
    """Add a node whose name is a piece of the question, or all of it."""
    words = view.question.split()
    if not words:
        return view.graph
    start = int(draw.integers(len(words)))
    label = " ".join(words[start : start + int(draw.integers(2, 12))])
    if label in {node.id for node in view.graph.nodes}:
        return view.graph
    like = _strangers(view.graph, donor, 1, draw)
    kind = like[0].kind if like else (view.graph.nodes[0].kind if view.graph.nodes else "")
    return _with(view.graph, [Node(label, label, kind)], ())


EDITS: dict[str, Callable[[View, Graph, np.random.Generator], Graph]] = {
    "hub": _hub,
    "lone nodes": _lone,
    "dense junk": _dense,
    "duplicates": _duplicates,
    "padding": _padding,
    "echo": _echo,
}
