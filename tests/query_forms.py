"""Queries compared up to the order in which things were said; trees of queries changed in place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from graphenv.query.cypher.reader import parse
from graphenv.query.cypher.scopes import Scopes
from graphenv.query.cypher.tree import Body
from graphenv.query.model import Entity, Expr, Query, QueryIssue, Relation, Scope

_UNORDERED = frozenset(("=", "<>", "and", "or", "xor"))


def form(query: Query | QueryIssue) -> str:
    """Return text that is the same for queries that differ in handles and order only."""
    assert isinstance(query, Query), query
    return scope_form(query.scope)


def tree(text: str) -> Body:
    """Return the clauses of a query that can be read."""
    body = parse(text)
    assert isinstance(body, Body), (text, body)
    return body


def tree_form(body: Body) -> str:
    """Return the form of a query given by its clauses."""
    return scope_form(Scopes(None).query(body))


def scope_form(scope: Scope) -> str:
    """Return the form of a scope; see `form`."""
    slots = {slot.handle: slot for slot in _slots(scope)}
    assert sorted(slots) == list(range(len(slots))), "handles are dense"
    relations = [slot for slot in slots.values() if isinstance(slot, Relation)]
    colours = {handle: _colour(slot) for handle, slot in slots.items()}
    for _ in range(4):
        fresh = {}
        for handle in slots:
            facts = [
                f"{role}{colours[r.handle]}"
                for r in relations
                for role, end in (("head", r.head), ("tail", r.tail), ("self", r.handle))
                if end == handle
                for role in [role if r.directed or role == "self" else "end"]
            ]
            if isinstance(slots[handle], Relation):
                r = slots[handle]
                assert isinstance(r, Relation)
                ends = [colours[r.head], colours[r.tail]]
                facts += [str(ends if r.directed else sorted(ends))]
            facts.append(_scope(scope, {**colours, handle: "@"}, set()))
            fresh[handle] = _digest([colours[handle], *sorted(facts)])
        colours = fresh
    return _scope(scope, colours, set())


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _colour(slot: Entity | Relation) -> str:
    if isinstance(slot, Entity):
        return f"E{slot.name}{slot.optional}{slot.items is not None}"
    return f"R{slot.name}{slot.directed}{slot.optional}{slot.hops}{slot.shortest}"


def _slots(scope: Scope) -> Iterator[Entity | Relation]:
    for part in scope.inputs:
        yield from _slots(part)
    for entity in scope.entities:
        yield entity
        if entity.scope is not None:
            yield from _slots(entity.scope)
        if entity.items is not None:
            yield from _slots_of(entity.items)
    yield from scope.relations
    orders = [order.key for order in scope.order]
    bounds = [bound for bound in (scope.limit, scope.offset) if bound is not None]
    seen: set[int] = set()
    for expr in (*scope.where, *scope.select, *scope.group, *scope.having, *orders, *bounds):
        for slot in _slots_of(expr):
            if slot.handle not in seen:  # a subquery may be selected and sorted by
                seen.add(slot.handle)
                yield slot


def _slots_of(expr: Expr) -> Iterator[Entity | Relation]:
    for part in expr.walk():
        if part.scope is not None:
            yield from _slots(part.scope)


def _scope(scope: Scope, colours: dict[int, str], done: set[int]) -> str:
    entities = sorted(
        colours[e.handle]
        + (_scope(e.scope, colours, done) if e.scope else "")
        + (_expr(e.items, colours) if e.items else "")
        for e in scope.entities
    )
    relations = sorted(
        f"{colours[r.handle]}:"
        + "-".join(
            (lambda ends: ends if r.directed else sorted(ends))([colours[r.head], colours[r.tail]])
        )
        for r in scope.relations
    )
    inputs = [_scope(part, colours, done) for part in scope.inputs]
    parts: list[Any] = [
        entities,
        relations,
        sorted(_expr(e, colours) for e in scope.where),
        [_expr(e, colours) for e in scope.select],
        scope.distinct,
        sorted(_expr(e, colours) for e in scope.group),
        sorted(_expr(e, colours) for e in scope.having),
        [(_expr(o.key, colours), o.descending) for o in scope.order],
        _expr(scope.limit, colours) if scope.limit else None,
        _expr(scope.offset, colours) if scope.offset else None,
        scope.combine,
        sorted(inputs) if scope.combine.startswith("union") else inputs,
    ]
    return str(parts)


def _expr(expr: Expr, colours: dict[int, str]) -> str:
    args = [_expr(arg, colours) for arg in expr.args]
    if expr.kind == "operator" and expr.name in _UNORDERED:
        args.sort()
    of = colours[expr.of] if expr.of is not None else ""
    inner = _scope(expr.scope, colours, set()) if expr.scope is not None else ""
    return f"{expr.kind}|{expr.name}|{of}|{expr.distinct}|{args}|{inner}"


def places(tree: Any, change: Callable[[Any], Any]) -> int:
    """Return in how many places of a tree `change` would change something."""
    return sum(1 for _ in _found(tree, change))


def _found(tree: Any, change: Callable[[Any], Any]) -> Iterator[Any]:
    if not isinstance(tree, tuple):
        return
    if change(tree) is not None:
        yield tree
    for part in tree:
        yield from _found(part, change)


def changed(tree: Any, change: Callable[[Any], Any], at: int | None = None) -> Any:
    """Return a tree with the part number `at` changed, or every part that `change` does not leave.

    `change` returns the new part, or None to leave it.
    """
    count = [0]

    def walk(part: Any) -> Any:
        if not isinstance(part, tuple):
            return part
        found = change(part)
        if found is not None:
            count[0] += 1
            if at is None or count[0] == at + 1:
                part = found
        new = [walk(inner) for inner in part]
        return type(part)(*new) if hasattr(part, "_fields") else tuple(new)

    return walk(tree)
