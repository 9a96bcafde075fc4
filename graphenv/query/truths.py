"""What holds for every row, or for none: conditions on constants alone."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from graphenv.query.model import Expr

__all__ = ["always", "undecided"]

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def always(condition: Expr) -> bool | None:
    """Return whether a condition holds for every row or for none; `None` if it depends on the row.

    Comparisons of two numbers, equality of two texts, and a constant that is or is not null are
    decided; what needs an engine to know is not.

    >>> one, two = Expr("literal", "1"), Expr("literal", "2.0")
    >>> always(Expr("operator", "<", (one, two))), always(Expr("operator", "=", (one, two)))
    (True, False)
    >>> always(Expr("operator", "=", (Expr("property", "x", of=0), one)))
    """
    if condition.kind == "literal":
        return {"true": True, "false": False}.get(condition.name)
    if condition.kind == "case":
        return _chosen(condition.args)
    if condition.kind != "operator":
        return None
    args = condition.args
    if condition.name == "not" and len(args) == 1:
        inner = always(args[0])
        return None if inner is None else not inner
    if any(arg.kind != "literal" for arg in args):
        return None
    if condition.name == "is null" and len(args) == 1:
        return args[0].name == "null"
    if condition.name not in _SIGNS or len(args) != 2:
        return None
    left, right = (arg.name for arg in args)
    if left[:1] == right[:1] == "'":
        # Which of two texts comes first is a matter of collation.
        return _SIGNS[condition.name](left, right) if condition.name in ("=", "<>") else None
    for kind in (int, float):
        try:
            return _SIGNS[condition.name](kind(left), kind(right))
        except ValueError:
            continue
    return None


def _chosen(args: tuple[Expr, ...]) -> bool | None:
    """Return the truth of `CASE WHEN args[0] THEN args[1] ... ELSE args[-1]`."""
    *cases, other = args
    for when, value in zip(cases[::2], cases[1::2], strict=True):
        holds = _as_condition(when)
        if holds is None:
            return None
        if holds:
            return _as_condition(value)
    return _as_condition(other)


def _as_condition(expr: Expr) -> bool | None:
    """Like `always`, of a place where SQL takes numbers too: all but 0 hold."""
    if expr.kind == "literal" and expr.name.isdecimal():
        return int(expr.name) != 0
    return always(expr)


def undecided(name: str, parts: Iterable[Expr]) -> list[Expr]:
    """Return the parts of an `and` or `or` that matter; the one that decides it all, if there is.

    >>> true, false = Expr("literal", "true"), Expr("literal", "false")
    >>> [part.name for part in undecided("and", [true, Expr("parameter", "p"), true])]
    ['p']
    >>> [part.name for part in undecided("or", [true, Expr("parameter", "p")])]
    ['true']
    """
    deciding = name == "or"
    kept = []
    for part in parts:
        truth = always(part)
        if truth is None:
            kept.append(part)
        elif truth == deciding:
            return [Expr("literal", "true" if deciding else "false")]
    return kept or [Expr("literal", "false" if deciding else "true")]
