"""Reasons as facts, one a line: from text to a graph, strictly, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphenv.graph import Edge, Graph, Node
from graphenv.text import bounded, normalize

__all__ = ["MAX_STEPS", "rationale_text", "read_rationale"]

MAX_STEPS = 1_000
MAX_NAME = 200

# Nothing is tried twice, so a line is read in linear time.
_NAME = r'\s*+("(?:[^"\\]|\\.)*+"|[^,:()"]++)\s*+'
_ENTITY = re.compile(rf"\({_NAME}:{_NAME}\)")
_TRIPLE = re.compile(rf"\({_NAME},{_NAME},{_NAME}\)")
_MARK = re.compile(r"(?:[-*]|\d{1,4}[.)])\s+")
_SPECIAL = re.compile(r'[,:()"\\]|^\s|\s$')
_ESCAPE = re.compile(r"\\(.)")


def read_rationale(text: str) -> tuple[Graph | None, str]:
    """Return `(graph, "")`, or `(None, reason)`; never raises, whatever the text.

    A line is `(entity: type)` or `(head, relation, tail)`, with a bullet or a number before it if
    need be; a name with one of `, : ( )` in it stands in double quotes. A type is the kind of its
    node. An end of a triple of which no line says the type is a node without a kind. What is said
    twice is there twice. No line at all is the empty graph.

    Source of the form: CheXPO-v2, whose reasons are compared with a reference graph.

    >>> graph, reason = read_rationale("(man: object)\\n(horse: object)\\n(man, ride, horse)")
    >>> graph.triples, [node.kind for node in graph.nodes]
    ((('man', 'ride', 'horse'),), ['object', 'object'])
    >>> read_rationale("The man rides a horse.")[1]
    "line 1 is neither (entity: type) nor (head, relation, tail): 'The man rides a horse.'"
    """
    lines = [(at, line.strip()) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > MAX_STEPS:
        return None, f"{len(lines)} steps; at most {MAX_STEPS} are read"
    nodes: list[Node] = []
    first: dict[str, int] = {}
    triples: list[tuple[str, str, str]] = []

    def add(label: str, kind: str) -> int:
        nodes.append(Node(f"n{len(nodes)}", label, kind))
        return first.setdefault(normalize(label), len(nodes) - 1)

    for at, line in lines:
        step = _MARK.sub("", line, count=1) if not line.startswith("(") else line
        found = _ENTITY.fullmatch(step) or _TRIPLE.fullmatch(step)
        if found is None:
            shown = bounded(line, 60)
            return (
                None,
                f"line {at} is neither (entity: type) nor (head, relation, tail): {shown!r}",
            )
        names = [_plain(name) for name in found.groups()]
        if not all(normalize(name) for name in names):
            return None, f"line {at} has an empty name"
        if max(map(len, names)) > MAX_NAME:
            return None, f"line {at} has a name of more than {MAX_NAME} characters"
        if len(names) == 2:
            add(*names)
        else:
            triples.append((names[0], names[1], names[2]))
    edges = []
    for head, relation, tail in triples:
        ends = []
        for name in (head, tail):
            place = first.get(normalize(name))
            ends.append(add(name, "") if place is None else place)
        edges.append(Edge(ends[0], relation, ends[1]))
    return Graph(tuple(nodes), tuple(edges)), ""


def rationale_text(graph: Graph) -> str:
    """Return a graph as lines that `read_rationale` reads; nodes without a kind get no line.

    Nodes of one label are one name, so two of them come back as one where edges end.

    >>> print(rationale_text(Graph.from_triples([("man", "ride", "horse")])))
    (man, ride, horse)
    """
    return "\n".join(_lines(graph))


def _lines(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        if node.kind:
            yield f"({_quoted(node.label)}: {_quoted(node.kind)})"
    for edge in graph.edges:
        ends = graph.nodes[edge.head].label, graph.nodes[edge.tail].label
        yield f"({_quoted(ends[0])}, {_quoted(edge.relation)}, {_quoted(ends[1])})"


def _plain(name: str) -> str:
    name = name.strip()
    return _ESCAPE.sub(r"\1", name[1:-1]) if name.startswith('"') else name


def _quoted(name: str) -> str:
    if not _SPECIAL.search(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
