"""Edit paths: from a mapping of nodes to a list of edits that reads like advice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from graphenv.graph import Edge, Graph, Node
from graphenv.rewards.ged.costs import GRID
from graphenv.text import bounded

MAX_SAID = 100  # characters of a name in the text of an edit

__all__ = ["EditOp", "NodeCost", "apply_edits", "edit_path"]


class NodeCost(Protocol):
    """The costs behind one result, in units of 1 / GRID."""

    def node(self, i: int | None, j: int | None) -> int:
        """Return the cost of node i -> j; `None` stands for nothing (insert, delete)."""
        ...

    def same(self, a: str, b: str) -> bool:
        """Return whether two names count as equal."""
        ...

    @property
    def edge(self) -> tuple[int, int, int]:
        """Costs of an edge: substitute, delete, insert."""
        ...


@dataclass(frozen=True)
class EditOp:
    """One edit of a graph.

    Nodes are referred to by number: those of the first graph keep theirs, inserted ones count on
    from there. Edges of the first graph are referred to by their position.

    Parameters
    ----------
    kind
        `substitute node`, `delete node`, `insert node`, `substitute edge`, `delete edge` or
        `insert edge`.
    cost
        What it costs.
    at
        The node or edge it is about (-1 for an inserted edge).
    value
        What it becomes: (label, kind) of a node, (relation,) of an edge.
    ends
        Head and tail of an inserted edge.
    text
        The edit in words; what `str` gives.
    """

    kind: str
    cost: float
    at: int
    value: tuple[str, ...] = ()
    ends: tuple[int, int] = (-1, -1)
    text: str = ""

    def __str__(self) -> str:
        return self.text


def apply_edits(graph: Graph, edits: Sequence[EditOp]) -> Graph:
    """Return the graph after the edits.

    Raises
    ------
    KeyError
        If the edits belong to another graph and touch a node or edge that this one does not have.

    >>> from graphenv import Graph
    >>> from graphenv.rewards.ged import ged
    >>> a = Graph.from_triples([("Heat", "directed_by", "Mann")])
    >>> b = Graph.from_triples([("Mann", "wrote", "Heat")])
    >>> apply_edits(a, ged(a, b).edit_path).isomorphic_to(b)
    True
    """
    nodes: dict[int, Node] = dict(enumerate(graph.nodes))
    edges: dict[int, Edge] = dict(enumerate(graph.edges))
    ids = {node.id for node in graph.nodes}
    next_edge = len(edges)
    for edit in edits:
        match edit.kind:
            case "delete node":
                del nodes[edit.at]
            case "insert node":
                name = f"new {edit.at}"
                while name in ids:
                    name += "'"
                ids.add(name)
                nodes[edit.at] = Node(name, label=edit.value[0], kind=edit.value[1])
            case "substitute node":
                label, kind = edit.value
                nodes[edit.at] = replace(nodes[edit.at], label=label, kind=kind)
            case "delete edge":
                del edges[edit.at]
            case "substitute edge":
                edges[edit.at] = replace(edges[edit.at], relation=edit.value[0])
            case _:
                edges[next_edge] = Edge(edit.ends[0], edit.value[0], edit.ends[1])
                next_edge += 1
    place = {old: new for new, old in enumerate(nodes)}
    made = tuple(Edge(place[e.head], e.relation, place[e.tail]) for e in edges.values())
    return Graph(tuple(nodes.values()), made, directed=graph.directed)


def edit_path(g1: Graph, g2: Graph, image: Sequence[int], costs: NodeCost) -> tuple[EditOp, ...]:
    """Return the edits of a mapping (image of each node of g1, -1: deleted), removals first."""
    substitute, delete, insert = costs.edge
    origin = {j: i for i, j in enumerate(image) if j >= 0}
    fresh = [j for j in range(len(g2)) if j not in origin]
    number = {**origin, **{j: len(g1) + k for k, j in enumerate(fresh)}}
    arrow = "->" if g1.directed else "--"

    def between(graph: Graph, edge: Edge, relation: str) -> str:
        head, tail = graph.nodes[edge.head], graph.nodes[edge.tail]
        return f"{_said(head.label)} -[{_short(relation)}]{arrow} {_said(tail.label)}"

    def pair(head: int, tail: int) -> tuple[int, int]:
        return (head, tail) if g1.directed or head <= tail else (tail, head)

    wanted: dict[tuple[int, int], list[int]] = defaultdict(list)
    for k, edge in enumerate(g2.edges):
        wanted[pair(number[edge.head], number[edge.tail])].append(k)
    present: dict[tuple[int, int], list[int]] = defaultdict(list)
    for k, edge in enumerate(g1.edges):
        present[pair(edge.head, edge.tail)].append(k)

    cut: list[EditOp] = []
    turned: list[EditOp] = []
    drawn: list[EditOp] = []
    for where in [*present, *(w for w in wanted if w not in present)]:
        old, new = list(present.get(where, ())), list(wanted.get(where, ()))
        for k in list(old):
            relation = g1.edges[k].relation
            twin = next((x for x in new if costs.same(g2.edges[x].relation, relation)), None)
            if twin is not None:
                old.remove(k)
                new.remove(twin)
        while old and new:
            k, relation = old.pop(0), g2.edges[new.pop(0)].relation
            edge = g1.edges[k]
            text = f"change the relation of {between(g1, edge, edge.relation)} to {_said(relation)}"
            turned.append(EditOp("substitute edge", substitute / GRID, k, (relation,), text=text))
        for k in old:
            edge = g1.edges[k]
            text = f"remove the edge {between(g1, edge, edge.relation)}"
            cut.append(EditOp("delete edge", delete / GRID, k, text=text))
        for k in new:
            edge = g2.edges[k]
            ends = (number[edge.head], number[edge.tail])
            text = f"add the edge {between(g2, edge, edge.relation)}"
            drawn.append(EditOp("insert edge", insert / GRID, -1, (edge.relation,), ends, text))

    gone: list[EditOp] = []
    named: list[EditOp] = []
    for i, j in enumerate(image):
        node = g1.nodes[i]
        if j < 0:
            text = f"remove the node {_said(node.label)}"
            gone.append(EditOp("delete node", costs.node(i, None) / GRID, i, text=text))
            continue
        other = g2.nodes[j]
        cost = costs.node(i, j) / GRID
        alike = costs.same(node.label, other.label) and costs.same(node.kind, other.kind)
        if cost or not alike:
            text = f"change the node {_name(node)} to {_name(other)}"
            value = (other.label, other.kind)
            named.append(EditOp("substitute node", cost, i, value, text=text))
    made = [
        EditOp(
            "insert node",
            costs.node(None, j) / GRID,
            number[j],
            (g2.nodes[j].label, g2.nodes[j].kind),
            text=f"add the node {_name(g2.nodes[j])}",
        )
        for j in fresh
    ]
    return (*cut, *gone, *named, *made, *turned, *drawn)


def _name(node: Node) -> str:
    return f"{_said(node.label)} ({_short(node.kind)})" if node.kind else _said(node.label)


def _short(text: str) -> str:
    """Return a name that fits on a line; a label may be a megabyte of model text."""
    return bounded(" ".join(text[: 2 * MAX_SAID].split()), MAX_SAID)


def _said(text: str) -> str:
    return repr(_short(text))
