"""Whether a query can have only one result, judged by the query alone."""

from __future__ import annotations

from typing import Literal

from graphenv.envs.queries.gold.witnesses import scopes
from graphenv.query.model import Expr, Query, Scope
from graphenv.query.schema import Schema

__all__ = ["Cut", "worst_cut"]

Cut = Literal["none", "total order", "ties possible", "no order"]
"""How a query cuts its rows: no LIMIT at all; a LIMIT after a sort in which rows that differ are
never equal; one after a sort in which they may be; one after no sort."""

_RANK: tuple[Cut, ...] = ("none", "total order", "ties possible", "no order")


def worst_cut(query: Query, schema: Schema) -> Cut:
    """Return the least certain cut of a query and its parts.

    With `no order` any rows will do, so that there is no one right result; with `ties possible` it
    depends on the data.
    """
    cuts = [_cut(scope, schema) for scope in scopes(query.scope)]
    return max(cuts, key=_RANK.index)


def _cut(scope: Scope, schema: Schema) -> Cut:
    if scope.limit is None and scope.offset is None:
        return "none"
    if _one_row(scope):
        return "total order"
    if not scope.order:
        return "no order"
    keys = {order.key for order in scope.order}
    # Rows that are equal in all they return are one and the same result.
    if scope.select and all(part in keys for part in scope.select):
        return "total order"
    if scope.group:
        return "total order" if all(part in keys for part in scope.group) else "ties possible"
    named = {entity.handle: schema.entity(entity.name) for entity in scope.entities}
    for handle, entity in named.items():
        properties = {k.name.lower() for k in keys if k.kind == "property" and k.of == handle}
        known = {name.lower() for name in entity.key} if entity is not None else set()
        whole = Expr("element", of=handle) in keys
        if not whole and not (known and known <= properties):
            return "ties possible"
    return "total order" if named else "ties possible"


def _one_row(scope: Scope) -> bool:
    return (
        not scope.group
        and not scope.combine
        and bool(scope.select)
        and all(any(p.kind == "aggregate" for p in part.walk()) for part in scope.select)
    )
