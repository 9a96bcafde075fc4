"""One form for expressions: comparisons, negation, literals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from graphenv.query.model import Expr, Order, Scope
from graphenv.query.truths import always, undecided

__all__ = [
    "FALSE",
    "NULL",
    "STAR",
    "TRUE",
    "aggregates",
    "compare",
    "conjuncts",
    "has_scope",
    "is_constant",
    "junction",
    "negate",
    "number",
    "operator",
    "rewrite",
    "rewrite_scope",
    "text_literal",
]

STAR = Expr("star")
NULL = Expr("literal", "null")
TRUE = Expr("literal", "true")
FALSE = Expr("literal", "false")

_MIRROR = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_OF_CONSTANTS = frozenset(("call", "list", "operator"))


def operator(name: str, *args: Expr) -> Expr:
    """Return an operator applied to its arguments."""
    return Expr("operator", name, args)


def text_literal(value: str) -> Expr:
    """Return a literal of text, in quotes; quotes within need no escape, as it ends with the last.

    >>> text_literal("it's").name
    "'it's'"
    """
    return Expr("literal", f"'{value}'")


def number(text: str) -> Expr:
    """Return a literal of a number: integers stay integers, everything else is a fraction.

    >>> [number(text).name for text in ("007", "1.50", "1e3", "1e999")]
    ['7', '1.5', '1000.0', '1e999']
    """
    try:
        value: float = int(text) if text.isdecimal() else float(text)
    except ValueError:
        return Expr("literal", text.lower())
    if value in (float("inf"), float("-inf")) or value != value:
        return Expr("literal", text.lower())
    return Expr("literal", repr(value))


def is_constant(expr: Expr) -> bool:
    """Return whether an expression depends on no row."""
    if expr.kind in _OF_CONSTANTS:
        return all(is_constant(part) for part in expr.args)
    return expr.kind in ("literal", "parameter")


def compare(name: str, left: Expr, right: Expr) -> Expr:
    """Return a comparison in its one form: the constant on the right, else `<` and never `>`.

    >>> one, age = number("1"), Expr("property", "age", of=0)
    >>> compare("<", one, age).name, compare(">", age, Expr("property", "year", of=0)).name
    ('>', '<')
    """
    fixed = is_constant(left)
    swap = fixed if fixed != is_constant(right) else name in (">", ">=")
    return operator(_MIRROR[name], right, left) if swap else operator(name, left, right)


def junction(name: str, parts: list[Expr]) -> Expr:
    """Return the flat `and` or `or` of parts, each said once, without what changes nothing.

    >>> one, age = number("1"), Expr("property", "age", of=0)
    >>> junction("and", [compare("=", one, one), compare("=", age, one)]).args[0].name
    'age'
    """
    flat: dict[Expr, None] = {}
    for part in undecided(name, parts):
        same = part.kind == "operator" and part.name == name
        flat.update(dict.fromkeys(part.args if same else (part,)))
    return next(iter(flat)) if len(flat) == 1 else Expr("operator", name, tuple(flat))


def negate(expr: Expr) -> Expr:
    """Return the negation, pushed into comparisons, `and` and `or`; two of them cancel."""
    if expr.kind == "operator":
        if expr.name in _OPPOSITE:
            return compare(_OPPOSITE[expr.name], expr.args[0], expr.args[1])
        if expr.name in ("and", "or"):
            other = "or" if expr.name == "and" else "and"
            return junction(other, [negate(part) for part in expr.args])
        if expr.name == "not":
            return expr.args[0]
    if expr in (TRUE, FALSE):
        return FALSE if expr == TRUE else TRUE
    return operator("not", expr)


def conjuncts(expr: Expr) -> tuple[Expr, ...]:
    """Return the parts of a conjunction, without what is always true."""
    parts = expr.args if expr.kind == "operator" and expr.name == "and" else (expr,)
    return tuple(part for part in parts if not always(part) and part != Expr("literal", "1"))


def aggregates(expr: Expr) -> bool:
    """Return whether an expression aggregates rows of its scope (a window does not)."""
    if expr.kind in ("aggregate", "input"):
        return expr.kind == "aggregate"
    parts = expr.args[1:] if expr.kind == "call" and expr.name == "over" else expr.args
    return any(aggregates(part) for part in parts)


def has_scope(expr: Expr) -> bool:
    """Return whether there is a subquery in an expression."""
    return any(part.scope is not None for part in expr.walk())


Change = Callable[[Expr], Expr | None]


def rewrite(expr: Expr, change: Change) -> Expr:
    """Return the expression with each part, of subqueries too, replaced where `change` says so."""
    changed = change(expr)
    if changed is not None:
        return changed
    if not expr.args and expr.scope is None:
        return expr
    args = tuple(rewrite(part, change) for part in expr.args)
    scope = rewrite_scope(expr.scope, change) if expr.scope is not None else None
    if args == expr.args and scope == expr.scope:
        return expr
    return replace(expr, args=args, scope=scope)


def rewrite_scope(scope: Scope, change: Change) -> Scope:
    """Return the scope with the expressions in it replaced where `change` says so."""
    return replace(
        scope,
        where=tuple(rewrite(part, change) for part in scope.where),
        select=tuple(rewrite(part, change) for part in scope.select),
        group=tuple(rewrite(part, change) for part in scope.group),
        having=tuple(rewrite(part, change) for part in scope.having),
        order=tuple(Order(rewrite(o.key, change), o.descending) for o in scope.order),
        inputs=tuple(rewrite_scope(part, change) for part in scope.inputs),
    )
