"""Graphs as text: the encodings that a prompt can use, each one line per fact.

Fatemi, Halcrow, Perozzi: Talk like a Graph (ICLR 2024) found that the encoding moves accuracy by
tens of points; hence it is a keyword of the environments and never fixed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator

from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.graph import Graph

__all__ = ["ENCODINGS", "encode_graph"]


def _names(graph: Graph) -> list[str]:
    """Return a name per node: its label, and its id behind it where nodes share a label."""
    count = Counter(graph.labels)
    return [n.label if count[n.label] == 1 else f"{n.label}#{n.id}" for n in graph.nodes]


def _named_edges(graph: Graph) -> Iterator[tuple[str, str, str]]:
    names = _names(graph)
    return ((names[e.head], e.relation, names[e.tail]) for e in graph.edges)


def _triples(graph: Graph) -> str:
    return "\n".join(f"({h}, {r}, {t})" for h, r, t in _named_edges(graph))


def _edge_list(graph: Graph) -> str:
    arrow = "->" if graph.directed else "--"
    return "\n".join(f"{h} {arrow}[{r}] {t}" for h, r, t in _named_edges(graph))


def _adjacency(graph: Graph) -> str:
    """One line per node: the nodes it points to (both ends if undirected)."""
    out: dict[str, list[str]] = {name: [] for name in _names(graph)}
    for h, _, t in _named_edges(graph):
        out[h].append(t)
        if not graph.directed and h != t:
            out[t].append(h)
    return "\n".join(f"{name}: {', '.join(targets)}" for name, targets in out.items())


def _incident(graph: Graph) -> str:
    """One line per node: its outgoing edges with their relations (both ends if undirected)."""
    out: dict[str, list[str]] = {name: [] for name in _names(graph)}
    for h, r, t in _named_edges(graph):
        out[h].append(f"{r} {t}")
        if not graph.directed and h != t:
            out[t].append(f"{r} {h}")
    return "\n".join(f"{name}: {'; '.join(facts)}" for name, facts in out.items())


def _json(graph: Graph) -> str:
    nodes = [
        {"id": n.id, "label": n.label, **({"kind": n.kind} if n.kind else {})} for n in graph.nodes
    ]
    edges = [
        {"head": graph.nodes[e.head].id, "relation": e.relation, "tail": graph.nodes[e.tail].id}
        for e in graph.edges
    ]
    return json.dumps({"nodes": nodes, "edges": edges}, ensure_ascii=False)


ENCODINGS: dict[str, Callable[[Graph], str]] = {
    "triples": _triples,
    "adjacency": _adjacency,
    "incident": _incident,
    "edge_list": _edge_list,
    "json": _json,
}


def encode_graph(graph: Graph, encoding: str = "triples") -> str:
    """Return `graph` as text in one of `ENCODINGS`.

    Raises
    ------
    UnknownNameError
        If `encoding` is not one of `ENCODINGS`.

    Examples
    --------
    >>> g = Graph.from_triples([("Heat", "directed_by", "Michael Mann")])
    >>> encode_graph(g, "incident")
    'Heat: directed_by Michael Mann\\nMichael Mann: '
    """
    if encoding not in ENCODINGS:
        hint = did_you_mean(encoding, ENCODINGS)
        raise UnknownNameError(f"encoding={encoding!r} is not a graph encoding.{hint}")
    return ENCODINGS[encoding](graph)
