"""Link queries: which graphs are read to judge which edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from graphenv.errors import ConfigError
from graphenv.graph import Graph, Triple
from graphenv.scorers import Judged, View
from graphenv.text import bounded

__all__ = ["FOLDS", "Asked", "Query", "folds", "plan", "without"]

FOLDS = 8
"""The edges of a graph are taken out in so many parts at most, so that many cost no more."""


class Query(NamedTuple):
    """An edge between rows of a graph, and where its answer goes."""

    place: int
    head: int
    relation: str
    tail: int


class Asked(NamedTuple):
    """A graph to read, and the edges to judge from it."""

    view: View
    queries: list[Query]


def plan(
    views: Sequence[View], triples: Sequence[Triple], refuses: Callable[[View], str]
) -> tuple[list[Judged | None], list[Asked]]:
    """Return what can be answered without reading (`None` elsewhere), and what is to be read.

    An edge is judged from a graph without it: the edges of a graph stand in up to `FOLDS` parts
    (`folds`), and those of its part are taken out together. With up to 8 different edges each is
    left out alone. Which edges are asked for beside it makes no difference.

    Raises
    ------
    ConfigError
        If there are not as many states as triples.
    """
    if len(views) != len(triples):
        raise ConfigError(f"links: {len(views)} states but {len(triples)} triples")
    found: list[Judged | None] = [None] * len(views)
    rows = {view: _rows(view.graph) for view in dict.fromkeys(views)}
    refused = {view: refuses(view) for view in rows}
    parts = {view: folds(view.graph) for view in rows}
    asked: dict[tuple[View, int | None], list[Query]] = {}
    for place, (view, (head, relation, tail)) in enumerate(zip(views, triples, strict=True)):
        row = rows[view]
        absent = [end for end in (head, tail) if end not in row]
        if refused[view]:
            found[place] = Judged(None, refused[view])
        elif absent:
            found[place] = Judged(None, f"no node {bounded(absent[0], 60)!r} in the graph")
        else:
            query = Query(place, row[head], relation, row[tail])
            part = parts[view].get(_key(view.graph, query.head, relation, query.tail))
            asked.setdefault((view, part), []).append(query)
    return found, [
        Asked(view if part is None else without(view, part, parts[view]), queries)
        for (view, part), queries in asked.items()
    ]


def folds(graph: Graph) -> dict[tuple[int, str, int], int]:
    """Return the part of every different edge, in turn in the order of their ends and relations.

    >>> folds(Graph.from_triples([("a", "r", "b"), ("a", "r", "b"), ("b", "r", "c")]))
    {(0, 'r', 1): 0, (1, 'r', 2): 1}
    """
    keys = sorted({_key(graph, edge.head, edge.relation, edge.tail) for edge in graph.edges})
    return {key: place % FOLDS for place, key in enumerate(keys)}


def without(view: View, part: int, parts: dict[tuple[int, str, int], int]) -> View:
    """Return a state without the edges of one part."""
    graph = view.graph
    kept = [
        edge
        for edge in graph.edges
        if parts[_key(graph, edge.head, edge.relation, edge.tail)] != part
    ]
    return replace(view, graph=replace(graph, edges=tuple(kept)))


def _rows(graph: Graph) -> dict[str, int]:
    return {node.id: row for row, node in enumerate(graph.nodes)}


def _key(graph: Graph, head: int, relation: str, tail: int) -> tuple[int, str, int]:
    if graph.directed or head <= tail:
        return head, relation, tail
    return tail, relation, head
