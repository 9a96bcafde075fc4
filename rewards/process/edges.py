"""Edges of a small graph as a link predictor is asked about them: left out, or made up."""

from __future__ import annotations

from graphenv.graph import Edge, Graph, Triple
from graphenv.seeding import rng, sample
from graphenv.text import normalize

__all__ = ["EDGES", "absent", "chosen", "distinct", "ids", "names", "without"]

EDGES = 48
"""Edges of a graph that a scorer is asked about; of a larger graph a seeded sample."""


def names(graph: Graph, edge: Edge) -> Triple:
    """Return an edge by the normalised names of its ends."""
    head, tail = graph.nodes[edge.head].label, graph.nodes[edge.tail].label
    return normalize(head), normalize(edge.relation), normalize(tail)


def ids(graph: Graph, edge: Edge) -> Triple:
    """Return an edge by the ids of its ends, which is how scorers are asked."""
    return graph.nodes[edge.head].id, edge.relation, graph.nodes[edge.tail].id


def distinct(graph: Graph) -> list[Edge]:
    """Return each edge once, ordered by names: neither ids nor the order of writing matter."""
    found = {_key(graph, edge): edge for edge in reversed(graph.edges)}
    return sorted(found.values(), key=lambda edge: (names(graph, edge), edge.head, edge.tail))


def _key(graph: Graph, edge: Edge) -> tuple[int, str, int]:
    if graph.directed or edge.head <= edge.tail:
        return edge.head, edge.relation, edge.tail
    return edge.tail, edge.relation, edge.head


def chosen(graph: Graph, edges: list[Edge]) -> list[Edge]:
    """Return at most `EDGES` of the edges; which ones depends on the names in the graph alone."""
    if len(edges) <= EDGES:
        return edges
    seed = [names(graph, edge) for edge in edges]
    return [edges[i] for i in sample(len(edges), EDGES, "graphenv.rewards.links", repr(seed))]


def without(graph: Graph, edge: Edge) -> Graph:
    """Return the graph without an edge and its repetitions: a predictor may not see the answer."""
    key = _key(graph, edge)
    kept = tuple(other for other in graph.edges if _key(graph, other) != key)
    return Graph(graph.nodes, kept, directed=graph.directed)


def absent(graph: Graph, edge: Edge, count: int) -> list[Edge]:
    """Return up to `count` edges that the graph does not have, each one change away from `edge`.

    Another node at one end, another relation of the graph, or the other direction. Which ones is
    a function of the names in the graph. Fewer, or none, where the graph has nearly all of them.
    Nodes without an edge are no ends: adding some would make the comparison easy.
    """
    present = {_key(graph, other) for other in graph.edges}
    ends = {end for other in graph.edges for end in (other.head, other.tail)}
    nodes = sorted(ends, key=lambda i: (normalize(graph.labels[i]), graph.nodes[i].id))
    relations = sorted({other.relation for other in graph.edges})
    n = len(nodes)
    found: dict[tuple[int, str, int], Edge] = {}
    order = rng("graphenv.rewards.absent", *names(graph, edge), n)
    for place in order.permutation(2 * n + len(relations) + 1).tolist():
        if place < n:
            other = Edge(edge.head, edge.relation, nodes[place])
        elif place < 2 * n:
            other = Edge(nodes[place - n], edge.relation, edge.tail)
        elif place < 2 * n + len(relations):
            other = Edge(edge.head, relations[place - 2 * n], edge.tail)
        else:
            other = Edge(edge.tail, edge.relation, edge.head)
        loop = other.head == other.tail and edge.head != edge.tail
        if not loop and _key(graph, other) not in present:
            found.setdefault(_key(graph, other), other)
        if len(found) == count:
            break
    return list(found.values())
