"""Expressions that mean the same in one form: comparisons, negations, conjunctions, patterns."""

from __future__ import annotations

from collections.abc import Iterable

from graphenv.query.model import Expr
from graphenv.query.truths import always, undecided

__all__ = [
    "FALSE",
    "NULL",
    "STAR",
    "TRUE",
    "aggregated",
    "combine",
    "compare",
    "conjuncts",
    "is_constant",
    "literal",
    "member",
    "negate",
    "text_match",
]

TRUE, FALSE, NULL = (Expr("literal", word) for word in ("true", "false", "null"))
STAR = Expr("star")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "="}
_CONSTANT = frozenset(("literal", "parameter"))
_OF_CONSTANTS = frozenset(("call", "list", "map", "operator"))


def literal(text: str) -> Expr:
    """Return a text as a literal."""
    return Expr("literal", f"'{text}'")


def is_constant(expr: Expr) -> bool:
    """Whether an expression depends on no row."""
    if expr.kind in _CONSTANT:
        return True
    return expr.kind in _OF_CONSTANTS and all(is_constant(arg) for arg in expr.args)


def _rank(expr: Expr) -> int:
    """Return 0 for what differs from row to row, 1 for a subquery, 2 for a constant."""
    if expr.kind == "subquery" or expr.kind == "exists":
        return 1
    return 2 if is_constant(expr) else 0


def aggregated(expr: Expr) -> bool:
    """Whether an aggregate of this scope, and not of one before, is part of an expression."""
    if expr.kind == "aggregate":
        return True
    return expr.kind != "input" and any(aggregated(arg) for arg in expr.args)


def _shape(expr: Expr) -> tuple[str, ...]:
    """Return what orders the sides of an equation, without handles: they follow the text."""
    found = [expr.kind, expr.name]
    for arg in expr.args:
        found.extend(_shape(arg))
    return tuple(found)


def compare(sign: str, left: Expr, right: Expr) -> Expr:
    """Return a comparison with the constant on the right, otherwise with `<`, `<=`, `=` or `<>`.

    >>> two, x = Expr("literal", "2"), Expr("property", "x", of=0)
    >>> compare("<", two, x) == compare(">", x, two)
    True
    >>> compare(">", x, Expr("property", "y", of=0)).name
    '<'
    """
    first, second = _rank(left), _rank(right)
    if first != second:
        swap = first > second
    elif sign == "=" or sign == "<>":
        swap = _shape(right) < _shape(left)
    else:
        swap = sign[0] == ">"
    if swap:
        return Expr("operator", _FLIPPED[sign], (right, left))
    return Expr("operator", sign, (left, right))


def combine(sign: str, parts: Iterable[Expr]) -> Expr:
    """Return a flat `and` or `or` without repetitions and what changes nothing.

    >>> combine("and", (TRUE, TRUE)) == TRUE
    True
    """
    flat: dict[Expr, None] = {}
    for part in undecided(sign, parts):
        if part.kind == "operator" and part.name == sign:
            flat.update(dict.fromkeys(part.args))
        else:
            flat[part] = None
    return next(iter(flat)) if len(flat) == 1 else Expr("operator", sign, tuple(flat))


def conjuncts(expr: Expr) -> tuple[Expr, ...]:
    """Return the conditions that must all hold."""
    if expr.kind == "operator" and expr.name == "and":
        return expr.args
    return () if always(expr) else (expr,)


def negate(expr: Expr) -> Expr:
    """Return the negation, pushed inwards as far as it goes.

    >>> x, two = Expr("property", "x", of=0), Expr("literal", "2")
    >>> negate(compare("<", x, two)).name, negate(negate(Expr("exists"))).kind
    ('>=', 'exists')
    """
    if expr.kind == "operator":
        name = expr.name
        if name == "not":
            return expr.args[0]
        if name in _OPPOSITE and len(expr.args) == 2:
            return compare(_OPPOSITE[name], *expr.args)
        if name == "and" or name == "or":
            sign = "or" if name == "and" else "and"
            return combine(sign, (negate(part) for part in expr.args))
    elif expr in (TRUE, FALSE):
        return FALSE if expr == TRUE else TRUE
    return Expr("operator", "not", (expr,))


def member(item: Expr, items: Expr) -> Expr:
    """Return `item in items`; order and repetition of the items mean nothing.

    >>> one = Expr("literal", "1")
    >>> member(Expr("property", "x", of=0), Expr("list", args=(one, one))).name
    '='
    """
    if items.kind == "list" and items.args:
        found = dict.fromkeys(items.args)
        if len(found) == 1:
            return compare("=", item, next(iter(found)))
        items = Expr("list", "", tuple(sorted(found, key=repr)))
    return Expr("operator", "in", (item, items))


def text_match(name: str, text: Expr, part: Expr) -> Expr:
    """Return CONTAINS, STARTS WITH, ENDS WITH as `like` where the text sought is plain.

    >>> text_match("contains", Expr("property", "name", of=0), literal("ann")).args[1].name
    "'%ann%'"
    """
    sought = part.name
    if part.kind != "literal" or sought[:1] != "'" or any(char in sought for char in "%_\\"):
        return Expr("operator", name, (text, part))
    before = "" if name == "starts with" else "%"
    after = "" if name == "ends with" else "%"
    return Expr("operator", "like", (text, literal(f"{before}{sought[1:-1]}{after}")))
