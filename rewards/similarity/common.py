"""Maximum common edge subgraph, by way of graph edit distance."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

from graphenv.graph import Edge, Graph, Node
from graphenv.rewards.ged import EditCosts, ged
from graphenv.rewards.ged.solver import BUDGET
from graphenv.rewards.similarity.isomorphism import isomorphism

__all__ = ["CommonEdges", "mces"]

_Code = tuple[str, str, str, str, str]  # label and kind of the head, relation, of the tail


@dataclass(frozen=True)
class CommonEdges:
    """`lower <= c <= upper` for c the edges of a maximum common edge subgraph.

    Parameters
    ----------
    sizes
        The numbers of edges of both graphs.
    reason
        Why the interval is open, as in `GEDResult`; empty if `exact`.
    mapping
        Pairs of nodes (in the first graph, in the second) that have `lower` edges in common.
    """

    lower: int
    upper: int
    sizes: tuple[int, int]
    reason: str
    mapping: tuple[tuple[int, int], ...]

    @property
    def exact(self) -> bool:
        """Whether the number is known."""
        return self.lower == self.upper

    @property
    def value(self) -> float:
        """2 * lower / (m1 + m2) in [0, 1]; 1.0 if neither graph has edges.

        A search that gives up can only lower it.
        """
        return 2.0 * self.lower / sum(self.sizes) if sum(self.sizes) else 1.0


def mces(g1: Graph, g2: Graph, budget: int = BUDGET) -> CommonEdges:
    """Return how many edges two graphs can share under one mapping of nodes, as an interval.

    Nodes are mapped one to one; an edge is shared if its image is an edge with the same relation,
    direction and labels and kinds of both ends. Parallel edges are shared one to one. Labels are
    compared as given. Graphs of which only one is directed share nothing. Blind to nodes without
    edges. Exact, or certified where the search stops at its budget.

    Found with `graphenv.rewards.ged`: with nodes free of cost, edges deleted and inserted at 1 and
    substituted at 2, the distance is m1 + m2 - 2c. An undirected edge enters as both its
    directions. Edges that have no counterpart in the other graph are left out beforehand, so a
    prediction of thousands of edges costs no more than what it shares with the gold.

    References: Bunke, On a relation between graph edit distance and maximum common subgraph,
    Pattern Recognition Letters 1997; Raymond, Gardiner and Willett, RASCAL, The Computer Journal
    2002 (edges).

    Raises
    ------
    ConfigError
        If numba is missing.

    >>> gold = Graph.from_edges(["man", "man", "hat"], [(0, "wears", 2), (1, "sees", 0)])
    >>> found = Graph.from_edges(["man", "man", "hat"], [(0, "wears", 2), (0, "sees", 1)])
    >>> mces(found, gold).lower, mces(found, gold).value
    (1, 0.5)
    """
    sizes = (g1.num_edges, g2.num_edges)
    codes1, codes2 = _codes(g1), _codes(g2)
    shared = Counter(codes1) & Counter(codes2) if g1.directed == g2.directed else Counter()
    if not shared:
        return CommonEdges(0, 0, sizes, "", ())
    number = {code: str(i) for i, code in enumerate(sorted(shared))}
    (first, nodes1), (second, nodes2) = _blank(g1, codes1, number), _blank(g2, codes2, number)
    images = isomorphism(first, second)
    if images is not None:  # a copy of a regular graph, where a search would give up
        count = first.num_edges if g1.directed else first.num_edges // 2
        mapping = tuple((nodes1[i], nodes2[j]) for i, j in enumerate(images))
        return CommonEdges(count, count, sizes, "", mapping)
    costs = EditCosts(node_substitute=0.0, node_insert=0.0, node_delete=0.0, edge_substitute=2.0)
    result = ged(first, second, costs=costs, budget=budget)
    total = first.num_edges + second.num_edges
    # An undirected edge is there twice.
    twice = 2.0 if g1.directed else 4.0
    lower = math.ceil((total - result.upper) / twice - 1e-6)
    upper = math.floor((total - result.lower) / twice + 1e-6)
    upper = max(lower, min(upper, shared.total()))
    mapping = tuple((nodes1[i], nodes2[j]) for i, j in result.mapping)
    reason = "" if lower == upper else result.reason
    return CommonEdges(lower, upper, sizes, reason, mapping)


def _codes(graph: Graph) -> list[_Code]:
    """Return what an image of each edge must agree in."""
    found = []
    for edge in graph.edges:
        head, tail = (graph.nodes[i] for i in (edge.head, edge.tail))
        first, second = (head.label, head.kind), (tail.label, tail.kind)
        if not graph.directed and second < first:
            first, second = second, first
        found.append((*first, edge.relation, *second))
    return found


def _blank(graph: Graph, codes: list[_Code], number: dict[_Code, str]) -> tuple[Graph, list[int]]:
    """Return the directed graph of the edges that have a number, labels moved into relations.

    And the old index of each of its nodes.
    """
    index: dict[int, int] = defaultdict(lambda: len(index))
    edges = []
    for edge, code in zip(graph.edges, codes, strict=True):
        if code not in number:
            continue
        head, tail = index[edge.head], index[edge.tail]
        if graph.directed:
            edges.append(Edge(head, number[code], tail))
            continue
        # Undirected: labels alone would let an edge a-b be turned round onto b-a. The two ends of
        # an edge between different labels are told apart by the direction of its two arcs.
        turned = (graph.nodes[edge.head].label, graph.nodes[edge.head].kind) != code[:2]
        if turned:
            head, tail = tail, head
        loose = code[:2] == code[3:]
        edges.append(Edge(head, number[code], tail))
        edges.append(Edge(tail, number[code] + ("" if loose else "'"), head))
    nodes = tuple(Node(str(i), "") for i in range(len(index)))
    return Graph(nodes, tuple(edges)), list(index)
