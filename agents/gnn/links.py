"""Link queries: which graphs are read to judge which edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from graphenv.errors import ConfigError
from graphenv.graph import Edge, Graph, Triple
from graphenv.scorers import Judged, View
from graphenv.text import bounded

__all__ = ["Asked", "Query", "plan", "without"]


class Query(NamedTuple):
    """An edge between rows of a graph, and where its answer goes."""

    place: int
    edge: Edge


class Asked(NamedTuple):
    """A graph to read, and the edges to judge from it."""

    view: View
    queries: list[Query]


def plan(
    views: Sequence[View], triples: Sequence[Triple], refuses: Callable[[View], str]
) -> tuple[list[Judged | None], list[Asked]]:
    """Return what can be answered without reading (`None` elsewhere), and what is to be read.

    An edge that stands in its graph is judged from the graph without it; else the answer would
    only say that it is there. All that are not in a graph are judged from one reading of it.

    Raises
    ------
    ConfigError
        If there are not as many states as triples.
    """
    if len(views) != len(triples):
        raise ConfigError(f"links: {len(views)} states but {len(triples)} triples")
    found: list[Judged | None] = [None] * len(views)
    unique = list(dict.fromkeys(views))
    rows = {view: {node.id: row for row, node in enumerate(view.graph.nodes)} for view in unique}
    refused = {view: refuses(view) for view in unique}
    there = {view: set(map(_key(view.graph), view.graph.edges)) for view in unique}
    asked: dict[tuple[View, Edge | None], list[Query]] = {}
    for place, (view, (head, relation, tail)) in enumerate(zip(views, triples, strict=True)):
        row = rows[view]
        absent = [end for end in (head, tail) if end not in row]
        if refused[view]:
            found[place] = Judged(None, refused[view])
        elif absent:
            found[place] = Judged(None, f"no node {bounded(absent[0], 60)!r} in the graph")
        else:
            edge = Edge(row[head], relation, row[tail])
            key = _key(view.graph)(edge)
            case = (view, key if key in there[view] else None)
            asked.setdefault(case, []).append(Query(place, edge))
    return found, [
        Asked(view if edge is None else without(view, edge), queries)
        for (view, edge), queries in asked.items()
    ]


def without(view: View, edge: Edge) -> View:
    """Return a state without an edge, its repetitions, and, if undirected, its other way around.

    >>> view = View("?", Graph.from_triples([("a", "r", "b"), ("b", "r", "a")], directed=False))
    >>> without(view, Edge(0, "r", 1)).graph.num_edges
    0
    """
    key = _key(view.graph)
    kept = tuple(other for other in view.graph.edges if key(other) != key(edge))
    return replace(view, graph=replace(view.graph, edges=kept))


def _key(graph: Graph) -> Callable[[Edge], Edge]:
    """Return what gives edges that are the same one form."""

    def key(edge: Edge) -> Edge:
        if graph.directed or edge.head <= edge.tail:
            return edge
        return Edge(edge.tail, edge.relation, edge.head)

    return key
