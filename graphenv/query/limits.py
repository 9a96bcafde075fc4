"""How large a query is once everything that it uses again is written out."""

from __future__ import annotations

from collections.abc import Iterator

from graphenv.query.model import Expr, Query, QueryIssue, Scope

__all__ = ["MAX_LEVELS", "MAX_PARTS", "Sizes", "too_large"]

MAX_LEVELS = 120
"""Scopes and expressions inside one another: recursion over a query stays far from its limit."""
MAX_PARTS = 20_000
"""Expressions, each counted as often as it is used."""


def too_large(query: Query) -> QueryIssue | None:
    """Return why a query is too large to be compared, `None` if it is not.

    A short text can stand for a huge query: each part of `WITH x + x AS x WITH x + x AS x ...` uses
    the one before twice. Such values are one object in a `Query`, but whoever hashes, compares or
    prints it meets each of them as often as it is used. Takes time linear in the objects.

    >>> value = Expr("literal", "1")
    >>> for _ in range(20):
    ...     value = Expr("operator", "+", (value, value))
    >>> issue = too_large(Query("cypher", "", Scope(select=(value,))))
    >>> issue.kind, issue.reason
    ('limit', 'the query has 2097152 parts once written out; at most 20000 are compared')
    """
    return _issue(*Sizes().of(query.scope))


def _issue(levels: int, parts: int) -> QueryIssue | None:
    if levels > MAX_LEVELS:
        reason = f"the query nests {levels} levels deep once written out; at most {MAX_LEVELS}"
        return QueryIssue("limit", f"{reason} are compared")
    if parts > MAX_PARTS:
        reason = f"the query has {parts} parts once written out; at most {MAX_PARTS} are compared"
        return QueryIssue("limit", reason)
    return None


class Sizes:
    """How large scopes and expressions are once written out, each object looked at once.

    A reader asks `used` whenever it takes a value a second time, and stops at the first issue:
    what it does with a value itself, to hash it say, takes as long as it is written out.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}
        self._kept: list[Scope | Expr] = []  # as long as they are there, no other has their ids
        self._used = 0

    def of(self, root: Scope | Expr) -> tuple[int, int]:
        """Return the levels and the parts."""
        known = self._known
        self._kept.append(root)
        stack: list[tuple[Scope | Expr, bool]] = [(root, False)]
        while stack:
            item, ready = stack.pop()
            if id(item) in known:
                continue
            below = list(_below(item))
            if not ready:
                stack.append((item, True))
                stack.extend((part, False) for part in below if id(part) not in known)
                continue
            sizes = [known[id(part)] for part in below]
            levels = 1 + max((levels for levels, _ in sizes), default=0)
            known[id(item)] = (levels, 1 + sum(parts for _, parts in sizes))
        return known[id(root)]

    def used(self, value: Expr) -> QueryIssue | None:
        """Count a use of a value; return why that is too much, `None` if it is not."""
        levels, parts = self.of(value) if value.args or value.scope is not None else (1, 1)
        self._used += parts
        return _issue(levels, max(parts, self._used))


def _below(item: Scope | Expr) -> Iterator[Scope | Expr]:
    if isinstance(item, Expr):
        yield from item.args
        if item.scope is not None:
            yield item.scope
        return
    yield from item.inputs
    yield from (*item.select, *item.where, *item.group, *item.having)
    yield from (order.key for order in item.order)
    for entity in item.entities:
        if entity.scope is not None:
            yield entity.scope
        if entity.items is not None:
            yield entity.items
    yield from (bound for bound in (item.limit, item.offset) if bound is not None)
