"""What of a SELECT changes nothing: orders nobody sees, grouping that is DISTINCT, wrapping."""

from __future__ import annotations

from dataclasses import dataclass, replace

from graphenv.query.model import Expr, Scope
from graphenv.query.sql.normal import aggregates, has_scope
from graphenv.query.sql.sources import Derived, Frame, Output, Source

__all__ = ["Read", "plain", "repeated", "tidy", "unordered"]


@dataclass(frozen=True, slots=True)
class Read:
    """A scope that was read, with the columns that it gives and what a star in them is."""

    scope: Scope
    outputs: list[Output]
    inner: list[Source]


def unordered(scope: Scope) -> Scope:
    """Return a scope without an order that nobody sees: of rows in FROM, of a side of UNION."""
    if not scope.order or scope.limit is not None or scope.offset is not None:
        return scope
    return replace(scope, order=())


def plain(frame: Frame, nullable: bool) -> bool:
    """Return whether a subquery only passes rows on, so that it can be merged.

    Where its rows may be missing (`nullable`), values that are no columns would be there all the
    same, so it may have none.
    """
    if frame.distinct or frame.group or frame.having or not frame.entities:
        return False
    if frame.limit is not None or frame.offset is not None:
        return False
    outputs = [expr for _, expr in frame.outputs]
    if nullable and any(expr.kind not in ("property", "star") for expr in outputs):
        return False
    return not any(aggregates(e) or has_scope(e) or _windowed(e) for e in outputs)


def _windowed(expr: Expr) -> bool:
    return any(part.kind == "call" and part.name == "over" for part in expr.walk())


def tidy(frame: Frame) -> None:
    """Give grouping its one form.

    - What is said twice in WHERE or GROUP BY is said once.
    - A condition in HAVING on group keys alone is one on rows.
    - DISTINCT beside all group keys, or beside the one row of an aggregate, adds nothing.
    - Grouping by just what is selected, without aggregates, is DISTINCT.
    """
    frame.where = list(dict.fromkeys(frame.where))
    frame.group = tuple(dict.fromkeys(frame.group))
    if len(frame.outer) == 1:  # a condition of the one outer join needs no more to be told apart
        frame.where = [
            replace(part, args=part.args[:1]) if part.name == "optional" else part
            for part in frame.where
        ]
    select = {expr for _, expr in frame.outputs}
    if not frame.group:
        frame.distinct = frame.distinct and not any(aggregates(expr) for expr in select)
        return
    keys = set(frame.group)
    rows = [part for part in frame.having if _on_keys(part, keys)]
    frame.where += rows
    frame.having = tuple(part for part in frame.having if part not in rows)
    if keys <= select:
        frame.distinct = False
    sorted_by = {order.key for order in frame.order}
    plain = not any(aggregates(key) or _windowed(key) for key in keys)
    if plain and keys == select and not frame.having and sorted_by <= keys:
        frame.group, frame.distinct = (), True


def _on_keys(part: Expr, keys: set[Expr]) -> bool:
    if aggregates(part) or has_scope(part):
        return False
    return all(p in keys for p in part.walk() if p.kind in ("property", "input"))


def repeated(frame: Frame, scope: Scope) -> Read | None:
    """Return the subquery that a scope only repeats, if that is all it does."""
    if len(frame.sources) != 1 or len(scope.entities) != 1:
        return None
    source, inner = frame.sources[0], scope.entities[0].scope
    while isinstance(source, Derived) and source.handle < 0 and len(source.inner) == 1:
        source = source.inner[0]  # what was merged into this scope passes on what it reads
    if inner is None or not isinstance(source, Derived) or source.handle < 0:
        return None
    if replace(scope, entities=(), select=()) != Scope():
        return None
    if [expr for _, expr in source.star()] != list(scope.select):
        return None
    outputs = source.outputs
    if len(outputs) == len(frame.outputs):
        new = [name for name, _ in frame.outputs]
        outputs = [(name or old, e) for name, (old, e) in zip(new, outputs, strict=True)]
    return Read(inner, outputs, source.inner)
