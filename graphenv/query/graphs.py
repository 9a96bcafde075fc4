"""`query_graph`: a query of either language as one labelled graph.

| kind | label | edges that leave it |
|---|---|---|
| `scope` | empty | `from`, `select`, `where`, `group`, `having`, `order:1`, `limit`, `offset`, \
`distinct`, `optional`, `input` (the part before, a subquery) |
| `set` | `union`, `except` ... | `arg` scopes (`left`, `right` of `except`), and as a scope |
| `entity` | table or label | `items` (a list as rows) |
| `relation` | its name | `head`, `tail` (both `end` if undirected), `hops` |
| `property` | column or property | `of` |
| `predicate` | `=`, `and`, `exists` ... | `arg`, or `left` and `right` where order matters |
| `aggregate` | `count` ... | `arg`, or `distinct` |
| `call` | function, arithmetic, `case`, `list` ... | `arg`, `arg:1` ... |
| `order` | `asc`, `desc` | `by` |
| `limit` | its number | `by`, if it is computed |
| `distinct`, `hops`, `literal`, `star` | `distinct`, `1..3`, `'text'`, `*` | |

Labels are names of the schema, operators and literals, never aliases or variables. A property of an
entity is one node, however often it is used, and so is an expression within its scope. What was
said in another order is the same graph, and what is said twice in a conjunction is said once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from graphenv.graph import Edge, Graph, Node
from graphenv.query.model import Expr, Query, Relation, Scope
from graphenv.query.walking import scopes_of

__all__ = ["COMMUTATIVE", "pattern_graph", "query_graph"]

COMMUTATIVE = frozenset({"=", "<>", "and", "or", "xor", "+", "*"})
"""Operators whose operands have no order."""
IDEMPOTENT = frozenset({"and", "or"})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "||"})
COMMUTATIVE_SETS = frozenset({"union", "union all", "intersect"})


def query_graph(query: Query) -> Graph:
    """Return the graph of a query; equal queries give isomorphic graphs.

    >>> from graphenv.query.model import Entity
    >>> film = Entity(0, "film")
    >>> title = Expr("property", "title", of=0)
    >>> print(*query_graph(Query("sql", "", Scope((film,), select=(title,)))).triples, sep="; ")
    ('', 'from', 'film'); ('title', 'of', 'film'); ('', 'select', 'title')
    """
    builder = _Builder()
    builder.scope(query.scope)
    return builder.graph()


Part = tuple[str, int]
"""An edge to be: its role, and the node that it leads to."""


class _Place(NamedTuple):
    """Where an expression is computed: the scope, its node."""

    scope: Scope
    node: int


class _Builder:
    """A graph in the making."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._handles: dict[int, int] = {}
        self._properties: dict[tuple[int, str], int] = {}
        # By what they are made of, and by identity: a value that later parts use many times is one
        # object, and as many texts as there are ways to it.
        self._known: dict[tuple[int, str, str, tuple[Part, ...]], int] = {}
        self._seen: dict[tuple[int, int], int] = {}
        self._derived: dict[int, _Place] = {}
        self._before: dict[int, _Place] = {}

    def graph(self) -> Graph:
        return Graph(tuple(self._nodes), tuple(self._edges))

    def _node(self, kind: str, label: str) -> int:
        self._nodes.append(Node(str(len(self._nodes)), label, kind))
        return len(self._nodes) - 1

    def _edge(self, head: int, role: str, tail: int) -> None:
        self._edges.append(Edge(head, role, tail))

    # -- scopes -----------------------------------------------------------------------------------

    def scope(self, scope: Scope) -> int:
        """Add a scope and all below it; return its node."""
        node = self._node("set" if scope.combine else "scope", scope.combine)
        place = _Place(scope, node)
        for i, part in enumerate(scope.inputs):
            below = self.scope(part)
            role = "input"
            if scope.combine:
                role = "arg" if scope.combine in COMMUTATIVE_SETS else ("left", "right")[i > 0]
            elif i == 0:
                self._before[node] = _Place(part, below)
            self._edge(node, role, below)
        self._sources(scope, place)
        for expr in scope.select:
            self._edge(node, "select", self._expr(expr, place))
        self._once(node, "where", scope.where, place)
        self._once(node, "group", scope.group, place)
        self._once(node, "having", scope.having, place)
        for i, order in enumerate(scope.order, 1):
            key = self._node("order", "desc" if order.descending else "asc")
            self._edge(node, f"order:{i}", key)
            self._edge(key, "by", self._expr(order.key, place))
        self._bound(scope.limit, "limit", place)
        self._bound(scope.offset, "offset", place)
        if scope.distinct:
            self._edge(node, "distinct", self._node("distinct", "distinct"))
        return node

    def _sources(self, scope: Scope, place: _Place) -> None:
        """Add entities and relations; subqueries among them come last, as they may name the rest.

        A subquery is an input, whether it stands in FROM or before a WITH.
        """
        for entity in scope.entities:
            if entity.scope is None:
                self._handles[entity.handle] = node = self._node("entity", entity.name)
                self._edge(place.node, "optional" if entity.optional else "from", node)
        for relation in scope.relations:
            self._handles[relation.handle] = self._node("relation", relation.name)
        for entity in scope.entities:
            if entity.scope is not None:
                self._handles[entity.handle] = node = self.scope(entity.scope)
                self._derived[entity.handle] = _Place(entity.scope, node)
                self._edge(place.node, "optional" if entity.optional else "input", node)
            if entity.items is not None:
                node = self._handles[entity.handle]
                self._edge(node, "items", self._expr(entity.items, place))
        for relation in scope.relations:
            self._relation(relation, place.node)

    def _relation(self, relation: Relation, scope: int) -> None:
        node = self._handles[relation.handle]
        roles = ("head", "tail") if relation.directed else ("end", "end")
        for role, handle in zip(roles, (relation.head, relation.tail), strict=True):
            self._edge(node, role, self._handles[handle])
        if relation.optional:  # the others belong where their ends do
            self._edge(scope, "optional", node)
        if relation.hops is not None or relation.shortest:
            self._edge(node, "hops", self._node("hops", _hops(relation)))

    def _bound(self, bound: Expr | None, role: str, place: _Place) -> None:
        if bound is None:
            return
        fixed = bound.kind in ("literal", "parameter")
        node = self._node("limit", _label(bound) if fixed else "")
        self._edge(place.node, role, node)
        if not fixed:
            self._edge(node, "by", self._expr(bound, place))

    def _once(self, node: int, role: str, exprs: Iterable[Expr], place: _Place) -> None:
        """Draw an edge to each distinct expression: saying it twice says it once."""
        for tail in dict.fromkeys(self._expr(expr, place) for expr in exprs):
            self._edge(node, role, tail)

    # -- expressions ------------------------------------------------------------------------------

    def _expr(self, expr: Expr, place: _Place) -> int:
        """Return the node of an expression computed in a scope."""
        if expr.kind == "property" and expr.of is not None:
            key = (expr.of, expr.name)
            if key not in self._properties:
                node = self._properties[key] = self._node("property", expr.name)
                self._edge(node, "of", self._handles[expr.of])
            return self._properties[key]
        if expr.kind == "element":
            assert expr.of is not None
            return self._handles[expr.of]
        at = (place.node, id(expr))
        if at not in self._seen:
            if expr.kind == "input":  # the value itself, where it was computed
                before, derived = self._before.get(place.node), self._derived.get(expr.of or 0)
                source = before if expr.of is None else derived
                self._seen[at] = self._expr(expr.args[0], source or place)
            elif expr.kind == "subquery":
                self._seen[at] = self._subquery(expr, place)
            else:
                self._seen[at] = self._made(expr, place)
        return self._seen[at]

    def _subquery(self, expr: Expr, place: _Place) -> int:
        """Return the node of a subquery's one value, or of the subquery itself.

        A value is what a part before a WITH would have computed: the subquery is an input.
        """
        scope = expr.scope
        assert scope is not None
        node = self.scope(scope)
        if scope.combine or len(scope.select) != 1:
            return node
        self._edge(place.node, "input", node)
        return self._expr(scope.select[0], _Place(scope, node))

    def _made(self, expr: Expr, place: _Place) -> int:
        """Return the node made of these parts in this scope, a new one if there is none."""
        kind, label, parts = _kind(expr), _label(expr), tuple(self._parts(expr, place))
        key = (place.node, kind, label, parts)
        if key not in self._known:
            node = self._known[key] = self._node(kind, label)
            for role, part in parts:
                self._edge(node, role, part)
        return self._known[key]

    def _parts(self, expr: Expr, place: _Place) -> list[Part]:
        args = expr.args
        below = [] if expr.scope is None else [("arg", self.scope(expr.scope))]
        if expr.name == "in" and len(args) == 2 and args[1].kind in ("list", "subquery"):
            inside = args[1].scope
            items = [] if inside is None else [("right", self.scope(inside))]
            items += (("item", self._expr(arg, place)) for arg in args[1].args)
            return [("left", self._expr(args[0], place)), *sorted(set(items))]
        if expr.kind == "property":  # of a value; of nothing, if nobody knows whose it is
            return [("of", self._expr(arg, place)) for arg in args]
        nodes = [self._expr(arg, place) for arg in args]
        parts = below + list(zip(_roles(expr), nodes, strict=True))
        if expr.kind == "operator" and expr.name in IDEMPOTENT:
            parts = list(set(parts))
        return sorted(parts) if expr.name in COMMUTATIVE else parts


def _kind(expr: Expr) -> str:
    if expr.kind in ("property", "aggregate", "star"):
        return expr.kind
    if expr.kind in ("literal", "parameter"):
        return "literal"
    if expr.kind == "exists" or (expr.kind == "operator" and expr.name not in ARITHMETIC):
        return "predicate"
    return "call"


def _label(expr: Expr) -> str:
    if expr.kind == "parameter":
        return f"${expr.name}"
    if expr.kind in ("comprehension", "variable"):
        return f"{expr.kind} {expr.name}"
    if expr.kind == "star":
        return "*"
    return expr.name or expr.kind


def _roles(expr: Expr) -> list[str]:
    count = len(expr.args)
    if expr.kind == "operator" and expr.name in COMMUTATIVE:
        return ["arg"] * count
    if expr.kind == "operator" and count == 2:
        return ["left", "right"]
    if count == 1:
        return ["distinct" if expr.distinct else "arg"]
    prefix = "distinct" if expr.distinct else "arg"
    return [f"{prefix}:{i}" for i in range(1, count + 1)]


def _hops(relation: Relation) -> str:
    least, most = relation.hops or (1, 1)
    kind = "shortest " if relation.shortest else ""
    return f"{kind}{least}..{'*' if most is None else most}"


# -- the published graph --------------------------------------------------------------------------


def pattern_graph(query: Query) -> Graph:
    """Return the graph that STRuCT-LLM compares: node patterns and relationships, nothing else.

    A node per entity with its label, an edge per relation with its type, in all parts of the query.
    What is selected, filtered or ordered by is not in it. (Stoisser et al., arXiv 2506.21575.)
    """
    nodes: dict[int, Node] = {}
    relations: list[Relation] = []
    _collect(query.scope, nodes, relations)
    place = {handle: i for i, handle in enumerate(nodes)}
    edges = tuple(
        Edge(place[r.head], r.name, place[r.tail])
        for r in relations
        if r.head in place and r.tail in place
    )
    return Graph(tuple(nodes.values()), edges)


def _collect(scope: Scope, nodes: dict[int, Node], relations: list[Relation]) -> None:
    for part in scope.inputs:
        _collect(part, nodes, relations)
    for entity in scope.entities:
        nodes[entity.handle] = Node(str(entity.handle), entity.name)
    relations.extend(scope.relations)
    for below in scopes_of(scope):
        _collect(below, nodes, relations)
