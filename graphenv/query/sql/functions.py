"""sqlglot's functions, aggregates and windows as `Expr`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from sqlglot import exp

from graphenv.query.model import Expr, ExprKind
from graphenv.query.sql.limits import Counter, Unreadable, unsupported
from graphenv.query.sql.normal import NULL, STAR, operator, text_literal
from graphenv.query.sql.sources import Frame

__all__ = ["Functions"]

# sqlglot's names of SQLite functions, where they are not SQLite's.
_NAMES = {"time_to_str": "strftime", "str_position": "instr", "ts_or_ds_to_timestamp": "datetime"}
# Notes of sqlglot's parser about how it read something, not of what was written.
_NOTES = frozenset({"big_int", "safe", "typed", "is_string", "ignore_nulls", "coerce", "is_null"})


class Functions(Counter, ABC):
    """Reads what is applied with brackets."""

    def __init__(self, dialect: str) -> None:
        super().__init__()
        self.dialect = dialect

    @abstractmethod
    def expr(self, node: Any, frame: Frame) -> Expr:
        """Return the expression of a node."""

    def all(self, nodes: Iterable[Any], frame: Frame) -> tuple[Expr, ...]:
        """Return the expressions of several nodes."""
        return tuple(self.expr(node, frame) for node in nodes)

    def _cast(self, node: Any, frame: Frame) -> Expr:
        if node.args.get("format") or node.args.get("action") or node.args.get("default"):
            raise unsupported(node)
        name = "cast" if type(node) is exp.Cast else "try_cast"
        return Expr("call", name, self.all((node.this, node.args["to"]), frame))

    def _anonymous(self, node: Any, frame: Frame) -> Expr:
        name = str(node.this).lower()
        # The one aggregate of SQLite that sqlglot has no class for.
        kind: ExprKind = "aggregate" if name == "total" else "call"
        return Expr(kind, name, self.all(node.expressions, frame))

    def _call(self, node: Any, frame: Frame) -> Expr:
        name = node.sql_name().lower()
        return Expr("call", _NAMES.get(name, name), self._arguments(node, frame))

    def _time_to_str(self, node: Any, frame: Frame) -> Expr:
        value = node.this
        if type(value) is exp.TsOrDsToTimestamp:
            value = value.this
        rest = self._arguments(node, frame, skip=("this", "format"))
        return Expr("call", "strftime", (*self.all((node.args["format"], value), frame), *rest))

    def _arguments(self, node: Any, frame: Frame, skip: Sequence[str] = ()) -> tuple[Expr, ...]:
        """Return what a function is applied to; modifiers that are no expressions are texts."""
        found: list[Expr] = []
        for key in node.arg_types:
            value = node.args.get(key)
            if value is None or value is False or key in skip or key in _NOTES:
                continue
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, exp.Expression):
                    found.append(self.expr(item, frame))
                else:
                    found.append(text_literal(key if item is True else str(item).lower()))
        return tuple(found)

    def _aggregate(self, node: Any, frame: Frame) -> Expr:
        name = _NAMES.get(node.sql_name().lower(), node.sql_name().lower())
        inner = node.this
        if type(inner) is exp.Distinct:
            if inner.args.get("on"):
                raise unsupported(inner)
            rest = self._arguments(node, frame, skip=("this",))
            args = (*self.all(inner.expressions, frame), *rest)
            return Expr("aggregate", name, args, distinct=name not in ("min", "max"))
        args = self._arguments(node, frame)
        if name == "count" and (not args or (args[0].kind == "literal" and args[0] != NULL)):
            args = (STAR,)
        # With several arguments SQLite's are functions of one row.
        scalar = name in ("min", "max") and len(args) > 1
        return Expr("call" if scalar else "aggregate", name, args)

    def _filter(self, node: Any, frame: Frame) -> Expr:
        return operator("filter", *self.all((node.this, node.expression.this), frame))

    def _window(self, node: Any, frame: Frame) -> Expr:
        args = [self.expr(node.this, frame)]
        if node.args.get("alias") or node.args.get("first"):
            raise Unreadable("unsupported", "a named window (WINDOW) is not read; write it in OVER")
        if partition := node.args.get("partition_by"):
            args.append(operator("partition by", *self.all(partition, frame)))
        if order := node.args.get("order"):
            args.append(self._order(order, frame))
        if spec := node.args.get("spec"):
            args.append(self.expr(spec, frame))
        return Expr("call", "over", tuple(args))

    def _order(self, node: Any, frame: Frame) -> Expr:
        keys = []
        if node.args.get("this"):  # the value, in string_agg(x ORDER BY y)
            raise unsupported(node)
        for ordered in node.expressions:
            key = self.sort_key(ordered, self.expr(ordered.this, frame))
            keys.append(operator("desc", key) if ordered.args.get("desc") else key)
        return operator("order by", *keys)

    def sort_key(self, node: Any, key: Expr) -> Expr:
        """Return a sort key, marked where NULLs were asked for at the other end."""
        descending, first = bool(node.args.get("desc")), bool(node.args.get("nulls_first"))
        small = self.dialect != "duckdb"
        if first == (small and not descending):
            return key
        return operator("nulls first" if first else "nulls last", key)
