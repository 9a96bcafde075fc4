"""sqlglot's expressions as `Expr`; what columns and subqueries stand for is for a subclass."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlglot import exp

from graphenv.query.model import Expr, Scope
from graphenv.query.sql.functions import Functions
from graphenv.query.sql.limits import unsupported
from graphenv.query.sql.normal import (
    FALSE,
    NULL,
    STAR,
    TRUE,
    compare,
    junction,
    negate,
    number,
    operator,
    text_literal,
)
from graphenv.query.sql.sources import Frame

__all__ = ["Expressions"]

_COMPARISONS = dict(
    zip(
        (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
        ("=", "<>", "<", "<=", ">", ">="),
        strict=True,
    )
)
_OPERATORS = {
    exp.BitwiseAnd: "&",
    exp.BitwiseLeftShift: "<<",
    exp.BitwiseOr: "|",
    exp.BitwiseRightShift: ">>",
    exp.BitwiseXor: "^",
    exp.Collate: "collate",
    exp.Div: "/",
    exp.Escape: "escape",
    exp.Glob: "glob",
    exp.ILike: "ilike",
    exp.IntDiv: "//",
    exp.Is: "is",
    exp.JSONExtract: "->",
    exp.JSONExtractScalar: "->>",
    exp.Like: "like",
    exp.Match: "match",
    exp.Mod: "%",
    exp.NullSafeEQ: "is",
    exp.RegexpLike: "regexp",
    exp.SimilarTo: "similar to",
    exp.Sub: "-",
    exp.Xor: "xor",
}
_CHAINS = {exp.Add: "+", exp.Mul: "*", exp.DPipe: "||"}
_AS_TEXT = (exp.DataType, exp.JSONPath, exp.HexString, exp.BitString, exp.Var, exp.WindowSpec)


class Expressions(Functions):
    """Reads expressions; one object per query."""

    @abstractmethod
    def column(self, node: Any, frame: Frame) -> Expr:
        """Return what a column stands for."""

    @abstractmethod
    def subscope(self, node: Any, frame: Frame, *, rows_only: bool = False) -> Scope:
        """Return the scope of a subquery; `rows_only` if order and repetition do not matter."""

    def expr(self, node: Any, frame: Frame) -> Expr:
        """Return the expression of a node."""
        while type(node) is exp.Paren:
            node = node.this
        self.spend()
        self.deeper()
        kind = type(node)
        read = _READERS.get(kind)
        if read is not None:
            found = read(self, node, frame)
        elif kind in _COMPARISONS:
            found = self._comparison(node, frame)
        elif kind in _CHAINS:
            found = self._chain(node, frame)
        elif kind in _OPERATORS:
            found = self._operator(node, frame)
        elif isinstance(node, exp.AggFunc):
            found = self._aggregate(node, frame)
        elif isinstance(node, _AS_TEXT):
            found = text_literal(node.sql(self.dialect).lower())
        elif isinstance(node, exp.Func):
            found = self._call(node, frame)
        elif isinstance(node, exp.Query):
            found = Expr("subquery", scope=self.subscope(node, frame))
        else:
            raise unsupported(node)
        self.depth -= 1
        return found

    # -- operators --------------------------------------------------------------------------------

    def _comparison(self, node: Any, frame: Frame) -> Expr:
        left, right = node.args["this"], node.args["expression"]
        if type(right) in (exp.Any, exp.All) or type(left) in (exp.Any, exp.All):
            return self._quantified(node, frame)
        return compare(_COMPARISONS[type(node)], self.expr(left, frame), self.expr(right, frame))

    def _quantified(self, node: Any, frame: Frame) -> Expr:
        name, right = _COMPARISONS[type(node)], node.expression
        left = self.expr(node.this, frame)
        if type(right) not in (exp.Any, exp.All):
            raise unsupported(node.this)
        word = "any" if type(right) is exp.Any else "all"
        inner = self._set(right.this, frame)
        if name == "=" and word == "any":
            return operator("in", left, inner)
        if name == "<>" and word == "all":
            return operator("not", operator("in", left, inner))
        return operator(name, left, Expr("call", word, (inner,)))

    def _set(self, node: Any, frame: Frame) -> Expr:
        """Return the right side of IN: a subquery as a set of rows, or a list."""
        while type(node) is exp.Paren:
            node = node.this
        if isinstance(node, exp.Query):
            return Expr("subquery", scope=self.subscope(node, frame, rows_only=True))
        return self.expr(node, frame)

    def _chain(self, node: Any, frame: Frame) -> Expr:
        """Return a chain of one operator, `a + b + c`, flat."""
        kind, parts = type(node), []
        while type(node) is kind:
            parts.append(node.args["expression"])
            node = node.args["this"]
        parts.append(node)
        return Expr("operator", _CHAINS[kind], self.all(reversed(parts), frame))

    def _operator(self, node: Any, frame: Frame) -> Expr:
        args = self.all((node.args["this"], node.args["expression"]), frame)
        found = Expr("operator", _OPERATORS[type(node)], args)
        return negate(found) if node.args.get("negate") else found

    def _and_or(self, node: Any, frame: Frame) -> Expr:
        kind, parts = type(node), []
        todo = [node]
        while todo:  # a chain of conditions is as deep as it is long
            part = todo.pop()
            while type(part) is exp.Paren:
                part = part.this
            if type(part) is kind:
                todo += (part.args["expression"], part.args["this"])
            else:
                parts.append(self.expr(part, frame))
        return junction("and" if kind is exp.And else "or", parts)

    def _not(self, node: Any, frame: Frame) -> Expr:
        return negate(self.expr(node.this, frame))

    def _neg(self, node: Any, frame: Frame) -> Expr:
        inner = self.expr(node.this, frame)
        if inner.kind == "literal" and inner.name[:1].isdigit():
            return Expr("literal", f"-{inner.name}")
        return operator("-", inner)

    def _bitwise_not(self, node: Any, frame: Frame) -> Expr:
        return operator("~", self.expr(node.this, frame))

    def _between(self, node: Any, frame: Frame) -> Expr:
        if node.args.get("symmetric"):
            raise unsupported(node)
        value = self.expr(node.this, frame)
        low, high = self.all((node.args["low"], node.args["high"]), frame)
        return junction("and", [compare(">=", value, low), compare("<=", self.copied(value), high)])

    def _in(self, node: Any, frame: Frame) -> Expr:
        value = self.expr(node.this, frame)
        query = node.args.get("query")
        if query is not None:
            return operator("in", value, self._set(query, frame))
        if node.args.get("unnest") or node.args.get("field"):
            raise unsupported(node)
        items = node.expressions
        if len(items) == 1 and isinstance(items[0], exp.Query):
            return operator("in", value, self._set(items[0], frame))
        found = list(dict.fromkeys(self.all(items, frame)))
        if len(found) == 1:
            return compare("=", value, found[0])
        if all(item.kind == "literal" for item in found):
            found.sort(key=lambda item: item.name)
        return operator("in", value, Expr("list", args=tuple(found)))

    def _is(self, node: Any, frame: Frame) -> Expr:
        if type(node.expression) is exp.Null:
            return operator("is null", self.expr(node.this, frame))
        return self._operator(node, frame)

    def _null_safe_neq(self, node: Any, frame: Frame) -> Expr:
        return operator("not", operator("is", *self.all((node.this, node.expression), frame)))

    def _exists(self, node: Any, frame: Frame) -> Expr:
        scope = self.subscope(node.this, frame, rows_only=True)
        if scope.combine or any(expr.kind == "aggregate" for expr in scope.select):
            return Expr("exists", scope=scope)
        return Expr("exists", scope=replace(scope, select=(), distinct=False))

    # -- values -----------------------------------------------------------------------------------

    def _literal(self, node: Any, frame: Frame) -> Expr:
        return text_literal(node.this) if node.args["is_string"] else number(node.this)

    def _null(self, node: Any, frame: Frame) -> Expr:
        return NULL

    def _boolean(self, node: Any, frame: Frame) -> Expr:
        return TRUE if node.this else FALSE

    def _parameter(self, node: Any, frame: Frame) -> Expr:
        return Expr("parameter", node.name)

    def _star(self, node: Any, frame: Frame) -> Expr:
        if any(node.args.values()):
            raise unsupported(node)
        return STAR

    def _case(self, node: Any, frame: Frame) -> Expr:
        args: list[Expr] = []
        value = None if node.this is None else self.expr(node.this, frame)
        for branch in node.args["ifs"]:
            condition = self.expr(branch.this, frame)
            if value is not None:
                condition = compare("=", self.copied(value), condition)
            args += (condition, self.expr(branch.args["true"], frame))
        default = node.args.get("default")
        args.append(NULL if default is None else self.expr(default, frame))
        return Expr("case", args=tuple(args))

    def _if(self, node: Any, frame: Frame) -> Expr:
        other = node.args.get("false")
        found = self.all((node.this, node.args["true"]), frame)
        return Expr("case", args=(*found, NULL if other is None else self.expr(other, frame)))

    def _tuple(self, node: Any, frame: Frame) -> Expr:
        return Expr("list", args=self.all(node.expressions, frame))


_Reader = Callable[[Expressions, Any, Frame], Expr]
_READERS: dict[type, _Reader] = {
    exp.Column: lambda self, node, frame: self.column(node, frame),
    exp.Literal: Expressions._literal,
    exp.And: Expressions._and_or,
    exp.Or: Expressions._and_or,
    exp.Not: Expressions._not,
    exp.Neg: Expressions._neg,
    exp.BitwiseNot: Expressions._bitwise_not,
    exp.Between: Expressions._between,
    exp.In: Expressions._in,
    exp.Is: Expressions._is,
    exp.NullSafeNEQ: Expressions._null_safe_neq,
    exp.Exists: Expressions._exists,
    exp.Null: Expressions._null,
    exp.Boolean: Expressions._boolean,
    exp.Placeholder: Expressions._parameter,
    exp.Parameter: Expressions._parameter,
    exp.Star: Expressions._star,
    exp.Case: Expressions._case,
    exp.If: Expressions._if,
    exp.Tuple: Expressions._tuple,
    exp.Array: Expressions._tuple,
    exp.Cast: Expressions._cast,
    exp.TryCast: Expressions._cast,
    exp.Anonymous: Expressions._anonymous,
    exp.TimeToStr: Expressions._time_to_str,
    exp.Filter: Expressions._filter,
    exp.Window: Expressions._window,
    exp.Order: Expressions._order,
}
