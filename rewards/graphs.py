"""Terms that compare graphs as sets of labelled parts. Labels are compared normalised.

They need only a predicted and a gold graph, so they work in every family that has both. Parts are
bags: a duplicate of a right edge is a wrong edge. An undirected edge has no order.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import ClassVar

from graphenv.episode import Episode
from graphenv.graph import Graph
from graphenv.rewards.terms import EndTerm
from graphenv.text import normalize

__all__ = ["EdgeF1", "NodeF1", "TripleF1", "alone", "bag_f1"]


def bag_f1(predicted: Counter[Hashable], gold: Counter[Hashable]) -> float:
    """Return 2|P and G| / (|P| + |G|) of two bags; 1.0 if both are empty.

    >>> bag_f1(Counter("aab"), Counter("ab"))
    0.8
    """
    size = predicted.total() + gold.total()
    return 2.0 * (predicted & gold).total() / size if size else 1.0


class _GraphTerm(EndTerm):
    needs: ClassVar[frozenset[str]] = frozenset({"outcome.graph", "target.graph"})

    @abstractmethod
    def parts(self, graph: Graph) -> Counter[Hashable]:
        """Return what is compared, as a bag."""

    def score(self, episode: Episode) -> float | None:
        """Return the F1 in [0, 1]; `None` if the task has no gold graph."""
        gold = episode.task.target.graph
        if gold is None:
            return None
        predicted = episode.outcome.graph if episode.outcome is not None else None
        if predicted is None:
            return 0.0
        return self.compare(self.parts(predicted), self.parts(gold), episode)

    def compare(
        self, predicted: Counter[Hashable], gold: Counter[Hashable], episode: Episode
    ) -> float:
        return bag_f1(predicted, gold)


class NodeF1(_GraphTerm):
    """F1 of the node labels and kinds of the predicted graph, as bags.

    Nodes that the question names (`task.meta["topics"]`) are in both graphs whatever was walked:
    they are left out, or any one move would earn a third of the term. They stay where the gold
    graph has no other node. Blind to edges altogether.
    """

    def compare(
        self, predicted: Counter[Hashable], gold: Counter[Hashable], episode: Episode
    ) -> float:
        given = _topics(episode)
        found = _without(gold, given)
        return bag_f1(_without(predicted, given), found) if found else bag_f1(predicted, gold)

    def parts(self, graph: Graph) -> Counter[Hashable]:
        return Counter((normalize(n.label), normalize(n.kind)) for n in graph.nodes)


class _EdgeTerm(_GraphTerm):
    """What the terms of edges share: a node without any edge is a part of its own, (label,).

    Else the empty graph would be right wherever the gold has nodes alone. Nodes that the question
    names are in every graph: they are no such part.
    """

    def compare(
        self, predicted: Counter[Hashable], gold: Counter[Hashable], episode: Episode
    ) -> float:
        given: set[Hashable] = {(name,) for name in _topics(episode)}
        sides = (Counter({p: n for p, n in c.items() if p not in given}) for c in (predicted, gold))
        return bag_f1(*sides)


def alone(graph: Graph) -> Iterator[str]:
    """Return the normalised label of each node without an edge.

    >>> list(alone(Graph.from_triples([("man", "ride", "horse")], entities=["Tree"])))
    ['tree']
    """
    ends = {end for edge in graph.edges for end in (edge.head, edge.tail)}
    return (normalize(node.label) for i, node in enumerate(graph.nodes) if i not in ends)


def _topics(episode: Episode) -> set[str]:
    return {normalize(name) for name in episode.task.meta.get("topics", ())}


def _without(nodes: Counter[Hashable], labels: set[str]) -> Counter[Hashable]:
    """Return (label, kind) nodes without those of some labels."""
    return Counter({n: c for n, c in nodes.items() if isinstance(n, tuple) and n[0] not in labels})


class EdgeF1(_EdgeTerm):
    """F1 of the edges of the predicted graph without their relations, as bags.

    An edge is (head label, tail label), a node without any edge (label,). Blind to relation names,
    and to nodes that have edges.
    """

    def parts(self, graph: Graph) -> Counter[Hashable]:
        pairs = ((normalize(h), normalize(t)) for h, _, t in graph.triples)
        found: Counter[Hashable] = Counter((name,) for name in alone(graph))
        found.update(pair if graph.directed else tuple(sorted(pair)) for pair in pairs)
        return found


class TripleF1(_EdgeTerm):
    """F1 of the (head label, relation, tail label) triples of the predicted graph, as bags.

    A node without any edge is (label,), so that what is told of nothing else counts, too. Blind to
    nodes that have edges: two of one label that share the edges of one are not told from it.
    """

    def parts(self, graph: Graph) -> Counter[Hashable]:
        names = ((normalize(h), normalize(r), normalize(t)) for h, r, t in graph.triples)
        found: Counter[Hashable] = Counter((name,) for name in alone(graph))
        found.update((h, r, t) if graph.directed else (*sorted((h, t)), r) for h, r, t in names)
        return found
