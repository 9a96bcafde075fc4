"""SELECT and set operations as scopes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlglot import exp

from graphenv.query.model import Expr, Order, Scope
from graphenv.query.sql.joined import only
from graphenv.query.sql.joins import join
from graphenv.query.sql.limits import Unreadable, unsupported
from graphenv.query.sql.normal import conjuncts
from graphenv.query.sql.sources import Frame, Output
from graphenv.query.sql.tables import Tables, bare, unwrapped
from graphenv.query.sql.tidy import Read, repeated, tidy, unordered

__all__ = ["ScopeReader"]

_WITH = frozenset(("with_", "with"))  # older and newer names of sqlglot
_TAIL = frozenset(("order", "limit", "offset", "distinct")) | _WITH
_SELECT = _TAIL | {"expressions", "from_", "from", "joins", "where", "group", "having"}
_SET = _TAIL | {"this", "expression"}


class ScopeReader(Tables):
    """Reads one query; made anew for each."""

    # -- queries ----------------------------------------------------------------------------------

    def query(self, node: Any, parent: Frame | None = None, *, rows_only: bool = False) -> Read:
        """Return the scope of a SELECT or set operation.

        `rows_only`: only the set of rows matters, so that order and repetition are left out.
        """
        self.deeper()
        node = unwrapped(node)
        visible = self.visible
        self.names_in_with(node, parent)
        if isinstance(node, exp.Select):
            found = self.closed(self.select(node, parent), rows_only)
        elif isinstance(node, exp.SetOperation):
            found = self._set_operation(node, parent, rows_only)
        else:
            raise unsupported(node)
        self.visible = visible
        self.depth -= 1
        return found

    def subscope(self, node: Any, frame: Frame, *, rows_only: bool = False) -> Scope:
        return self.query(node, frame, rows_only=rows_only).scope

    def _set_operation(self, node: Any, parent: Frame | None, rows_only: bool) -> Read:
        only(node, _SET)
        steps = []
        top = node
        while isinstance(node, exp.SetOperation) and (node is top or bare(node)):
            every = type(node) is exp.Union and not node.args.get("distinct")
            steps.append((node.key + (" all" if every else ""), node.expression))
            if type(node) is not exp.Union and node.args.get("distinct") is False:
                raise Unreadable("unsupported", f"{node.key.upper()} ALL is not read here")
            node = unwrapped(node.this)
            self.deeper()  # every step is a level of scopes
        # Repetition on either side changes nothing but in UNION ALL.
        left = self.query(node, parent, rows_only=steps[-1][0] != "union all")
        if id(top) in self.inside:
            self.inside[id(top)] = left.outputs
        found = left
        for name, other in reversed(steps):
            right = self.query(other, parent, rows_only=name != "union all")
            sides = (unordered(found.scope), unordered(right.scope))
            found = replace(found, scope=Scope(combine=name, inputs=sides))
            self.depth -= 1
        frame = Frame(parent, sources=left.inner, outputs=left.outputs)
        limit, offset = self._bounds(top, frame)
        order = () if rows_only and limit is None else self._orders(top, frame)
        return replace(found, scope=replace(found.scope, order=order, limit=limit, offset=offset))

    # -- one SELECT -------------------------------------------------------------------------------

    def select(self, node: Any, parent: Frame | None) -> Frame:
        """Return a SELECT up to what its expressions stand for; relations are not made yet."""
        only(node, _SELECT)
        frame = Frame(parent)
        start = node.args.get("from_") or node.args.get("from")
        joins = node.args.get("joins") or ()
        frame.nullable = any(j.side in ("RIGHT", "FULL") for j in joins)
        if start is not None:
            self.item(start.this, frame, False)
            for part in joins:
                self.join_to(part, frame, frame.sources[:], 0, False)
        for item in node.expressions:
            self._output(item, frame)
        if (where := node.args.get("where")) is not None:
            self.filter_rows(self.expr(where.this, frame), frame)
        self._group(node, frame)
        if (distinct := node.args.get("distinct")) is not None:
            if distinct.args.get("on"):
                raise Unreadable("unsupported", "DISTINCT ON is not read here")
            frame.distinct = True
        frame.limit, frame.offset = self._bounds(node, frame)
        frame.order = self._orders(node, frame)
        return frame

    def _output(self, item: Any, frame: Frame) -> None:
        name = ""
        if type(item) is exp.Alias:
            name, item = item.alias.lower(), item.this
        if type(item) is exp.Star and not any(item.args.values()):
            frame.outputs += self._counted(frame.star())
            return
        if type(item) is exp.Column:
            if type(item.this) is exp.Star:
                frame.outputs += self._counted(self._table_star(item, frame))
                return
            name = name or item.name.lower()
        expr = self.expr(item, frame)
        frame.outputs.append((name or written(expr), expr))
        if name and (type(item) is not exp.Column or name != item.name.lower()):
            frame.aliases.setdefault(name, expr)

    def _counted(self, outputs: list[Output]) -> list[Output]:
        self.spend(len(outputs))
        return outputs

    def _table_star(self, node: Any, frame: Frame) -> list[Output]:
        table = node.table.lower()
        for level in frame.chain():
            for source in level.sources:
                if source.alias == table:
                    whole = level is frame and len(frame.sources) == 1
                    return frame.star() if whole else source.star()
        self.unknown[("table", node.table)] = None
        return [("", Expr("star"))]

    def _group(self, node: Any, frame: Frame) -> None:
        if (group := node.args.get("group")) is not None:
            if any(group.args.get(key) for key in group.arg_types if key != "expressions"):
                raise Unreadable("unsupported", "GROUP BY with ROLLUP, CUBE or SETS is not read")
            keys = group.expressions
            found = [self._position(key, frame) or self.expr(key, frame) for key in keys]
            frame.group = tuple(dict.fromkeys(found))
        if (having := node.args.get("having")) is not None:
            frame.having = conjuncts(self.expr(having.this, frame))

    def _position(self, node: Any, frame: Frame) -> Expr | None:
        """Return the output that a bare number in GROUP BY or ORDER BY means."""
        if type(node) is not exp.Literal or node.args["is_string"] or not node.this.isdecimal():
            return None
        place = int(node.this) - 1 if len(node.this) < 6 else -1
        if 0 <= place < len(frame.outputs):
            return self.copied(frame.outputs[place][1])
        return None

    def _orders(self, node: Any, frame: Frame) -> tuple[Order, ...]:
        order = node.args.get("order")
        if order is None:
            return ()
        found: dict[Expr, Order] = {}
        for part in order.expressions:
            if type(part) is not exp.Ordered or part.args.get("with_fill"):
                raise unsupported(part)
            key = self._position(part.this, frame)
            if key is None and type(part.this) is exp.Column and not part.this.table:
                # An output's name comes before a column's here, and only here.
                name = part.this.name.lower()
                named = (expr for alias, expr in frame.outputs if name and alias == name)
                key = next(named, None)
                key = None if key is None else self.copied(key)
            if key is None:
                key = self.expr(part.this, frame)
            # A key that stands further left has decided already.
            found.setdefault(key, Order(self.sort_key(part, key), bool(part.args.get("desc"))))
        return tuple(found.values())

    def _bounds(self, node: Any, frame: Frame) -> tuple[Expr | None, Expr | None]:
        limit, offset = node.args.get("limit"), node.args.get("offset")
        start = None if offset is None else self.expr(offset.expression, frame)
        if start == Expr("literal", "0"):
            start = None
        if limit is None:
            return None, start
        if type(limit) is exp.Fetch:
            options = limit.args.get("limit_options")
            if options is not None and (options.args.get("percent") or options.args["with_ties"]):
                raise unsupported(limit)
            count = limit.args.get("count")
            return (Expr("literal", "1") if count is None else self.expr(count, frame)), start
        if limit.args.get("offset") or limit.args.get("expressions"):
            raise unsupported(limit)
        return self.expr(limit.expression, frame), start

    # -- finishing --------------------------------------------------------------------------------

    def closed(self, frame: Frame, rows_only: bool) -> Read:
        """Return the scope of a SELECT."""
        relations = join(frame, self.names, self.book, self.new)
        tidy(frame)
        if rows_only and frame.limit is None and frame.offset is None:
            frame.order, frame.distinct = (), False
        scope = Scope(
            entities=tuple(frame.entities.values()),
            relations=relations,
            where=tuple(frame.where),
            select=tuple(expr for _, expr in frame.outputs),
            distinct=frame.distinct,
            group=frame.group,
            having=frame.having,
            order=frame.order,
            limit=frame.limit,
            offset=frame.offset,
        )
        return repeated(frame, scope) or Read(scope, frame.outputs, frame.sources)


def written(expr: Expr) -> str:
    """Return how SQLite names an output without a name, where that is sure: `count(*)`."""
    if expr.kind == "aggregate" and [a.kind for a in expr.args] == ["star"]:
        return f"{expr.name}(*)"
    return ""
