"""What a scope holds: its subqueries, its expressions."""

from __future__ import annotations

from collections.abc import Iterator

from graphenv.query.model import Expr, Scope

__all__ = ["expressions", "scopes_of"]


def scopes_of(scope: Scope) -> list[Scope]:
    """Return the subqueries of a scope: in FROM and in its expressions, not its inputs."""
    found = [entity.scope for entity in scope.entities if entity.scope is not None]
    return found + [expr.scope for expr in expressions(scope) if expr.scope is not None]


def expressions(scope: Scope) -> Iterator[Expr]:
    """Yield each expression that a scope computes, once: not those of inputs and subqueries."""
    stack = [*scope.select, *scope.where, *scope.group, *scope.having]
    stack += (order.key for order in scope.order)
    stack += (entity.items for entity in scope.entities if entity.items is not None)
    stack += (bound for bound in (scope.limit, scope.offset) if bound is not None)
    stack.reverse()
    seen: set[int] = set()
    while stack:
        expr = stack.pop()
        if id(expr) not in seen and expr.kind != "input":
            seen.add(id(expr))
            yield expr
            stack.extend(reversed(expr.args))
