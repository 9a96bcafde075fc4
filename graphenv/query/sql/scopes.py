"""SELECT, FROM, WITH and set operations as scopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from graphenv.query.model import Entity, Expr, Order, Scope
from graphenv.query.sql.catalogue import Catalogue
from graphenv.query.sql.expressions import Expressions, Unreadable, unsupported
from graphenv.query.sql.joins import join
from graphenv.query.sql.normal import (
    aggregates,
    conjuncts,
    has_scope,
    operator,
    text_literal,
)
from graphenv.query.sql.sources import Derived, Equality, Frame, Output, Source, TableSource

__all__ = ["ScopeReader"]

_WITH = frozenset(("with_", "with"))  # older and newer names of sqlglot
_TAIL = frozenset(("order", "limit", "offset", "distinct")) | _WITH
_SELECT = _TAIL | {"expressions", "from_", "from", "joins", "where", "group", "having"}
_SET = _TAIL | {"this", "expression"}
_ROWID = frozenset(("rowid", "oid", "_rowid_"))


@dataclass(frozen=True, slots=True)
class _Named:
    """A subquery in WITH: where it stands, what it may see."""

    node: Any
    columns: tuple[str, ...]
    frame: Frame | None
    visible: Mapping[str, _Named]


@dataclass(frozen=True, slots=True)
class _Read:
    """A scope that was read, with the columns that it gives and what a star in them is."""

    scope: Scope
    outputs: list[Output]
    inner: list[Source]


class ScopeReader(Expressions):
    """Reads one query. `double` are the names that were written in double quotes only."""

    def __init__(self, book: Catalogue | None, dialect: str, double: frozenset[str]) -> None:
        super().__init__(dialect)
        self.book = book
        self.double = double if dialect == "sqlite" else frozenset()
        self.names: dict[int, str] = {}
        self.unknown: dict[tuple[str, str], None] = {}
        self.visible: Mapping[str, _Named] = {}
        self.inside: dict[int, list[Output] | None] = {}
        self.handles = 0

    def new(self) -> int:
        """Return a handle."""
        self.spend()
        self.handles += 1
        return self.handles - 1

    # -- queries ----------------------------------------------------------------------------------

    def query(self, node: Any, parent: Frame | None = None, *, rows_only: bool = False) -> _Read:
        """Return the scope of a SELECT or set operation.

        `rows_only`: only the set of rows matters, so that order and repetition are left out.
        """
        self.deeper()
        node = _unwrapped(node)
        visible = self.visible
        self._with(node, parent)
        if isinstance(node, exp.Select):
            found = self._closed(self._select(node, parent), rows_only)
        elif isinstance(node, exp.SetOperation):
            found = self._set_operation(node, parent, rows_only)
        else:
            raise unsupported(node)
        self.visible = visible
        self.depth -= 1
        return found

    def subscope(self, node: Any, frame: Frame, *, rows_only: bool = False) -> Scope:
        return self.query(node, frame, rows_only=rows_only).scope

    def _with(self, node: Any, parent: Frame | None) -> None:
        clause = node.args.get("with_") or node.args.get("with")
        if clause is None:
            return
        if any(clause.args.get(key) for key in ("search", "cycle", "udfs")):
            raise unsupported(clause)
        visible = dict(self.visible)
        for part in clause.expressions:
            if part.args.get("key_expressions"):
                raise unsupported(part)
            columns = tuple(c.name.lower() for c in part.args["alias"].args.get("columns") or ())
            # What comes later does not see into what comes earlier, but each sees itself.
            named = _Named(part.this, columns, parent, visible)
            visible = {**visible, part.alias.lower(): named}
        self.visible = visible

    def _set_operation(self, node: Any, parent: Frame | None, rows_only: bool) -> _Read:
        _only(node, _SET)
        steps = []
        top = node
        while isinstance(node, exp.SetOperation) and (node is top or _bare(node)):
            every = type(node) is exp.Union and not node.args.get("distinct")
            steps.append((node.key + (" all" if every else ""), node.expression))
            if type(node) is not exp.Union and node.args.get("distinct") is False:
                raise Unreadable("unsupported", f"{node.key.upper()} ALL is not read here")
            node = _unwrapped(node.this)
            self.deeper()  # every step is a level of scopes
        # Repetition on either side changes nothing but in UNION ALL.
        left = self.query(node, parent, rows_only=steps[-1][0] != "union all")
        if id(top) in self.inside:
            self.inside[id(top)] = left.outputs
        found = left
        for name, other in reversed(steps):
            right = self.query(other, parent, rows_only=name != "union all")
            sides = (_unordered(found.scope), _unordered(right.scope))
            found = replace(found, scope=Scope(combine=name, inputs=sides))
            self.depth -= 1
        frame = Frame(parent, sources=left.inner, outputs=left.outputs)
        limit, offset = self._bounds(top, frame)
        order = () if rows_only and limit is None else self._orders(top, frame)
        return replace(found, scope=replace(found.scope, order=order, limit=limit, offset=offset))

    # -- one SELECT -------------------------------------------------------------------------------

    def _select(self, node: Any, parent: Frame | None) -> Frame:
        """Return a SELECT up to what its expressions stand for; relations are not made yet."""
        _only(node, _SELECT)
        frame = Frame(parent)
        start = node.args.get("from_") or node.args.get("from")
        joins = node.args.get("joins") or ()
        frame.nullable = any(j.side in ("RIGHT", "FULL") for j in joins)
        if start is not None:
            self._item(start.this, frame, False)
            for part in joins:
                self._join(part, frame, frame.sources[:], False)
        for item in node.expressions:
            self._output(item, frame)
        if (where := node.args.get("where")) is not None:
            self._filter_rows(self.expr(where.this, frame), frame)
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
            frame.outputs += frame.star()
            return
        if type(item) is exp.Column:
            if type(item.this) is exp.Star:
                frame.outputs += self._table_star(item, frame)
                return
            name = name or item.name.lower()
        expr = self.expr(item, frame)
        frame.outputs.append((name or _written(expr), expr))
        if name and (type(item) is not exp.Column or name != item.name.lower()):
            frame.aliases.setdefault(name, expr)

    def _table_star(self, node: Any, frame: Frame) -> list[Output]:
        table = node.table.lower()
        for level in frame.chain():
            for source in level.sources:
                if source.alias == table:
                    whole = level is frame and len(frame.sources) == 1
                    return frame.star() if whole else source.star()
        self.unknown[("table", node.table)] = None
        return [("", Expr("star"))]

    def _filter_rows(self, condition: Expr, frame: Frame) -> None:
        """Split a condition on inner rows into equalities of columns and others."""
        for part in conjuncts(condition):
            equality = self._equality(part, frame)
            if equality is None:
                frame.where.append(part)
            else:
                frame.equalities.append(equality)

    def _equality(self, part: Expr, frame: Frame) -> Equality | None:
        if part.kind != "operator" or part.name != "=":
            return None
        left, right = part.args
        first, second = frame.owner(left), frame.owner(right)
        if first is None or second is None or first == second:
            return None
        if first not in frame.entities and second not in frame.entities:
            return None
        return Equality(left, right, (first, second))

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

    # -- FROM -------------------------------------------------------------------------------------

    def _item(self, node: Any, frame: Frame, optional: bool) -> None:
        """Add an item of FROM; `optional` if its rows may be missing."""
        if type(node) is exp.Paren:
            node = node.this
        first = len(frame.sources)
        nested = node.args.get("joins") or ()
        if any(part.side in ("RIGHT", "FULL") for part in nested):
            frame.nullable = True
        if type(node) is exp.Table:
            self._table(node, frame, optional)
        elif type(node) is exp.Subquery and type(node.this) is exp.Table:
            _only(node, frozenset(("this", "joins")))
            self._item(node.this, frame, optional)
        elif type(node) is exp.Subquery:
            _only(node, frozenset(("this", "alias", "joins", "with_", "with")))
            self._derived(node, frame, optional)
        else:
            raise unsupported(node)
        for part in nested:
            self._join(part, frame, frame.sources[first:], optional)

    def _table(self, node: Any, frame: Frame, optional: bool) -> None:
        _only(node, frozenset(("this", "alias", "db", "catalog", "joins")))
        if type(node.this) is not exp.Identifier:
            return self._function(node, frame, optional)
        name, alias = node.this.this, node.alias.lower()
        alias = alias or name.lower()
        space = node.text("db")
        if not space and (named := self._visible(name.lower())) is not None:
            return self._named(named, alias, frame, optional)
        if (table := node.args.get("alias")) is not None and table.args.get("columns"):
            raise Unreadable("unsupported", "new names for the columns of a table are not read")
        own = ("main", self.book.name if self.book is not None else "main")
        if space and space.lower() not in own:
            name = f"{space}.{name}"
        known = self.book.tables.get(name.lower()) if self.book is not None else None
        if known is None and self.book is not None:
            self.unknown[("table", name)] = None
        handle = self.new()
        spelled = name.lower() if known is None else known.name
        self._entity(Entity(handle, spelled, optional), frame)
        columns = None if known is None else known.columns
        frame.sources.append(TableSource(spelled, alias, handle, columns))
        return None

    def _visible(self, name: str) -> _Named | None:
        """Return the subquery of that name, unless that would be itself before it has columns."""
        named = self.visible.get(name)
        if named is None or self.book is None or name not in self.book.tables:
            return named
        node = _unwrapped(named.node)
        return None if self.inside.get(id(node), ()) is None else named

    def _entity(self, entity: Entity, frame: Frame) -> None:
        frame.entities[entity.handle] = entity
        self.names[entity.handle] = entity.name

    def _function(self, node: Any, frame: Frame, optional: bool) -> None:
        """Add a function that gives rows: a list as rows, whose columns nobody told us of."""
        if not isinstance(node.this, exp.Func):
            raise unsupported(node.this)
        items = self.expr(node.this, frame)
        handle = self.new()
        self._entity(Entity(handle, "", optional, items=items), frame)
        frame.sources.append(TableSource("", node.alias.lower() or items.name, handle))

    def _derived(self, node: Any, frame: Frame, optional: bool) -> None:
        alias = node.args.get("alias")
        columns = tuple(
            c.name.lower() for c in (alias.args.get("columns") or () if alias is not None else ())
        )
        # What stands in FROM does not see what stands beside it.
        named = _Named(node.this, columns, frame.parent, self.visible)
        self._named(named, node.alias.lower(), frame, optional)

    def _named(self, named: _Named, alias: str, frame: Frame, optional: bool) -> None:
        node = _unwrapped(named.node)
        if id(node) in self.inside:
            return self._recursive(node, named, alias, frame, optional)
        self.deeper()
        visible = self.visible
        self.visible = self._seen_inside(named)
        self.inside[id(node)] = None
        if isinstance(node, exp.Select):
            self._with(node, named.frame)
            inner = self._select(node, named.frame)
            if _plain(inner, optional or frame.nullable):
                self._merge(inner, named, alias, frame, optional)
            else:
                self._subquery(self._closed(inner, False), named, alias, frame, optional)
        else:
            self._subquery(self.query(node, named.frame), named, alias, frame, optional)
        del self.inside[id(node)]
        self.visible = visible
        self.depth -= 1
        return None

    def _seen_inside(self, named: _Named) -> Mapping[str, _Named]:
        own = {name: n for name, n in self.visible.items() if n is named}
        return {**named.visible, **own} if own else named.visible

    def _recursive(
        self, node: Any, named: _Named, alias: str, frame: Frame, optional: bool
    ) -> None:
        """Add a reference of a subquery to itself: an entity without a name."""
        handle = self.new()
        self._entity(Entity(handle, "", optional), frame)
        outputs = self.inside[id(node)]
        if outputs is None:
            frame.sources.append(TableSource("", alias, handle))
            return
        renamed = _renamed(outputs, named.columns)
        frame.sources.append(Derived(alias, handle, renamed, [], True))

    def _merge(self, inner: Frame, named: _Named, alias: str, frame: Frame, optional: bool) -> None:
        """Add a subquery that only passes rows on: its parts become parts of this SELECT."""
        if optional:
            inner.where = [_optional(part) for part in inner.where]
            for handle, entity in inner.entities.items():
                inner.entities[handle] = replace(entity, optional=True)
        frame.entities.update(inner.entities)
        frame.equalities += inner.equalities
        frame.natural += inner.natural
        frame.where += inner.where
        frame.owners.update(inner.owners)
        outputs = _renamed(inner.outputs, named.columns)
        frame.sources.append(Derived(alias, -1, outputs, inner.sources, False))

    def _subquery(
        self, read: _Read, named: _Named, alias: str, frame: Frame, optional: bool
    ) -> None:
        handle = self.new()
        scope = _unordered(read.scope)
        self._entity(Entity(handle, "", optional, scope), frame)
        outputs = _renamed(read.outputs, named.columns)
        frame.sources.append(Derived(alias, handle, outputs, read.inner, bool(scope.combine)))

    # -- joins ------------------------------------------------------------------------------------

    def _join(self, node: Any, frame: Frame, left: list[Source], optional: bool) -> None:
        """Add a join to what stands left of it; `optional` if the whole may be missing."""
        _only(node, frozenset(("this", "on", "using", "side", "kind", "method")))
        side, kind, method = node.side, node.kind, node.method
        if kind not in ("", "INNER", "OUTER", "CROSS") or method not in ("", "NATURAL"):
            word = " ".join(part for part in (method, side, kind) if part)
            raise Unreadable("unsupported", f"{word} JOIN is not read here")
        handles, before = set(frame.entities), len(frame.sources)
        if side in ("RIGHT", "FULL"):
            for source in left:
                for handle in _handles(source):
                    frame.entities[handle] = replace(frame.entities[handle], optional=True)
            frame.where = [_optional(part) for part in frame.where]
        self._item(node.this, frame, optional or side in ("LEFT", "FULL"))
        right = frame.sources[before:]
        added = set(frame.entities) - handles
        if method:
            self._natural(frame, left, right, bool(side))
        for name in node.args.get("using") or ():
            self._using(name.name, frame, left, right, bool(side))
        on = node.args.get("on")
        if on is None:
            return
        condition = self.expr(on, frame)
        if not side and not optional:
            self._filter_rows(condition, frame)
            return
        for part in conjuncts(condition):
            equality = self._equality(part, frame)
            inner = [end in added for end in equality.ends] if equality is not None else []
            if equality is not None and (not side or sum(inner) == 1):
                frame.equalities.append(replace(equality, optional=bool(side)))
            else:
                frame.where.append(_optional(part))

    def _natural(
        self, frame: Frame, left: list[Source], right: list[Source], optional: bool
    ) -> None:
        known = [source.names() for source in left]
        shared: list[str] = []
        for source in right:
            names = source.names()
            if names is None or any(columns is None for columns in known):
                ends = (left[-1].handle, source.handle)
                frame.natural.append((min(ends), max(ends), optional))
                return
            shared += [n for n in names if any(n in columns for columns in known if columns)]
        for name in dict.fromkeys(shared):
            self._using(name, frame, left, right, optional)

    def _using(
        self, name: str, frame: Frame, left: list[Source], right: list[Source], optional: bool
    ) -> None:
        sides = [self._first(name, frame, sources) for sources in (left, right)]
        if sides[0] is None or sides[1] is None:
            self.unknown[("column", name)] = None
            return
        ends = (frame.owner(sides[0]), frame.owner(sides[1]))
        if ends[0] is not None and ends[1] is not None:
            equality = Equality(sides[0], sides[1], (ends[0], ends[1]), optional)
            frame.equalities.append(equality)

    def _first(self, name: str, frame: Frame, sources: list[Source]) -> Expr | None:
        for source in sources:
            if (found := frame.look(source, name.lower())) is not None:
                return found
        for source in sources:
            if source.open:
                return frame.own(source, source.force(name.lower()))
        return None

    # -- names ------------------------------------------------------------------------------------

    def column(self, node: Any, frame: Frame) -> Expr:
        written = node.args["this"]
        if type(written) is not exp.Identifier:
            raise unsupported(written)
        name = written.args["this"]
        if (table := node.args.get("table")) is not None:
            return self._qualified(table.name, name, frame)
        lowered = name.lower()
        for level in frame.chain():
            for source in level.sources:
                if (found := level.look(source, lowered)) is not None:
                    return self.copied(found) if found.args else found
            if (alias := level.aliases.get(lowered)) is not None:
                return self.copied(alias)
            unknown = [source for source in level.sources if source.open]
            if unknown and (self.book is None or name not in self.double):
                if len(unknown) > 1:
                    return Expr("property", lowered)
                return level.own(unknown[0], unknown[0].force(lowered))
        if name in self.double:
            return text_literal(name)
        return self._missing(name, frame)

    def _missing(self, name: str, frame: Frame) -> Expr:
        lowered = name.lower()
        sources = frame.sources
        of = sources[0].handle if len(sources) == 1 and sources[0].handle >= 0 else None
        if lowered in _ROWID and self.dialect == "sqlite" and sources:
            return Expr("property", "rowid", of=sources[0].handle)
        self.unknown[("column", name)] = None
        return Expr("property", lowered, of=of)

    def _qualified(self, table: str, name: str, frame: Frame) -> Expr:
        lowered, column = table.lower(), name.lower()
        for level in frame.chain():
            for source in level.sources:
                if source.alias != lowered:
                    continue
                found = level.look(source, column)
                if found is not None:
                    return self.copied(found) if found.args else found
                if not source.open and not (column in _ROWID and self.dialect == "sqlite"):
                    self.unknown[("column", f"{source.name or table}.{name}")] = None
                return level.own(source, source.force(column))
        self.unknown[("column", f"{table}.{name}")] = None
        return Expr("property", column)

    # -- finishing --------------------------------------------------------------------------------

    def _closed(self, frame: Frame, rows_only: bool) -> _Read:
        """Return the scope of a SELECT."""
        _tidy(frame)
        if rows_only and frame.limit is None and frame.offset is None:
            frame.order, frame.distinct = (), False
        relations = join(frame, self.names, self.book, self.new)
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
        return _repeated(frame, scope) or _Read(scope, frame.outputs, frame.sources)


def _unwrapped(node: Any) -> Any:
    """Return what stands in parentheses around a whole query."""
    while type(node) is exp.Subquery and _bare(node):
        node = node.this
    return node


def _bare(node: Any) -> bool:
    """Return whether nothing but its sides belongs to a set operation, or nothing to brackets."""
    return not any(
        value
        for key, value in node.args.items()
        if key not in ("this", "expression", "distinct", "alias")
    )


def _only(node: Any, allowed: frozenset[str]) -> None:
    """Refuse a node with parts that would be silently left out."""
    for key, value in node.args.items():
        if value and key not in allowed:
            part = value[0] if isinstance(value, list) else value
            raise unsupported(part if isinstance(part, exp.Expression) else node)


def _optional(part: Expr) -> Expr:
    """Mark a condition of an outer join: it decides what is joined, not which rows stay."""
    return part if part.name == "optional" else operator("optional", part)


def _handles(source: Source) -> list[int]:
    if source.handle >= 0:
        return [source.handle]
    inner = source.inner if isinstance(source, Derived) else []
    return [handle for part in inner for handle in _handles(part)]


def _written(expr: Expr) -> str:
    """Return how SQLite names an output without a name, where that is sure: `count(*)`."""
    if expr.kind == "aggregate" and [a.kind for a in expr.args] == ["star"]:
        return f"{expr.name}(*)"
    return ""


def _renamed(outputs: list[Output], columns: tuple[str, ...]) -> list[Output]:
    if not columns:
        return outputs
    return [(name, expr) for name, (_, expr) in zip(columns, outputs, strict=False)]


def _unordered(scope: Scope) -> Scope:
    """Return a scope without an order that nobody sees: of rows in FROM, of a side of UNION."""
    if not scope.order or scope.limit is not None or scope.offset is not None:
        return scope
    return replace(scope, order=())


def _plain(frame: Frame, nullable: bool) -> bool:
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


def _tidy(frame: Frame) -> None:
    """Give grouping its one form.

    - A condition in HAVING on group keys alone is one on rows.
    - DISTINCT beside all group keys, or beside the one row of an aggregate, adds nothing.
    - Grouping by just what is selected, without aggregates, is DISTINCT.
    """
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


def _repeated(frame: Frame, scope: Scope) -> _Read | None:
    """Return the subquery that a scope only repeats, if that is all it does."""
    if len(frame.sources) != 1 or len(scope.entities) != 1:
        return None
    source, inner = frame.sources[0], scope.entities[0].scope
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
    return _Read(inner, outputs, source.inner)
