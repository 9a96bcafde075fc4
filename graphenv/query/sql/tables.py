"""FROM: tables, subqueries, joins and WITH."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from graphenv.query.model import Entity, Expr
from graphenv.query.sql.catalogue import Catalogue
from graphenv.query.sql.expressions import Unreadable, unsupported
from graphenv.query.sql.names import Names
from graphenv.query.sql.normal import conjuncts, operator
from graphenv.query.sql.sources import Derived, Equality, Frame, Output, Source, TableSource
from graphenv.query.sql.tidy import Read, plain, unordered

__all__ = ["Tables", "bare", "only", "unwrapped"]


@dataclass(frozen=True, slots=True)
class _Named:
    """A subquery in WITH: where it stands, what it may see."""

    node: Any
    columns: tuple[str, ...]
    frame: Frame | None
    visible: Mapping[str, _Named]


class Tables(Names):
    """Adds what stands in FROM to the frame of a SELECT."""

    def __init__(self, book: Catalogue | None, dialect: str, double: frozenset[str]) -> None:
        super().__init__(book, dialect, double)
        self.visible: Mapping[str, _Named] = {}
        self.inside: dict[int, list[Output] | None] = {}

    @abstractmethod
    def query(self, node: Any, parent: Frame | None = None, *, rows_only: bool = False) -> Read:
        """Return the scope of a SELECT or set operation."""

    @abstractmethod
    def select(self, node: Any, parent: Frame | None) -> Frame:
        """Return a SELECT up to what its expressions stand for."""

    @abstractmethod
    def closed(self, frame: Frame, rows_only: bool) -> Read:
        """Return the scope of a SELECT."""

    def names_in_with(self, node: Any, parent: Frame | None) -> None:
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

    def item(self, node: Any, frame: Frame, optional: bool) -> None:
        """Add an item of FROM; `optional` if its rows may be missing."""
        if type(node) is exp.Paren:
            node = node.this
        first, place = len(frame.sources), len(frame.where)
        nested = node.args.get("joins") or ()
        if any(part.side in ("RIGHT", "FULL") for part in nested):
            frame.nullable = True
        if type(node) is exp.Table:
            self._table(node, frame, optional)
        elif type(node) is exp.Subquery and type(node.this) is exp.Table:
            only(node, frozenset(("this", "joins")))
            self.item(node.this, frame, optional)
        elif type(node) is exp.Subquery:
            only(node, frozenset(("this", "alias", "joins", "with_", "with")))
            self._derived(node, frame, optional)
        else:
            raise unsupported(node)
        for part in nested:
            self.join_to(part, frame, frame.sources[first:], place, optional)

    def _table(self, node: Any, frame: Frame, optional: bool) -> None:
        only(node, frozenset(("this", "alias", "db", "catalog", "joins")))
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
        node = unwrapped(named.node)
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
        node = unwrapped(named.node)
        if id(node) in self.inside:
            return self._recursive(node, named, alias, frame, optional)
        self.deeper()
        visible = self.visible
        self.visible = self._seen_inside(named)
        self.inside[id(node)] = None
        if isinstance(node, exp.Select):
            self.names_in_with(node, named.frame)
            inner = self.select(node, named.frame)
            if plain(inner, optional or frame.nullable):
                self._merge(inner, named, alias, frame, optional)
            else:
                self._subquery(self.closed(inner, False), named, alias, frame, optional)
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
            for handle, entity in inner.entities.items():
                inner.entities[handle] = replace(entity, optional=True)
        frame.entities.update(inner.entities)
        frame.equalities += inner.equalities
        frame.natural += inner.natural
        frame.outer += inner.outer
        frame.where += inner.where
        frame.owners.update(inner.owners)
        outputs = _renamed(inner.outputs, named.columns)
        frame.sources.append(Derived(alias, -1, outputs, inner.sources, False))

    def _subquery(
        self, read: Read, named: _Named, alias: str, frame: Frame, optional: bool
    ) -> None:
        handle = self.new()
        scope = unordered(read.scope)
        self._entity(Entity(handle, "", optional, scope), frame)
        outputs = _renamed(read.outputs, named.columns)
        frame.sources.append(Derived(alias, handle, outputs, read.inner, bool(scope.combine)))

    # -- joins ------------------------------------------------------------------------------------

    def join_to(
        self, node: Any, frame: Frame, left: list[Source], place: int, optional: bool
    ) -> None:
        """Add a join to what stands left of it, whose conditions start at `place`.

        `optional` if the whole may be missing.
        """
        only(node, frozenset(("this", "on", "using", "side", "kind", "method")))
        side, kind, method = node.side, node.kind, node.method
        if kind not in ("", "INNER", "OUTER", "CROSS") or method not in ("", "NATURAL"):
            word = " ".join(part for part in (method, side, kind) if part)
            raise Unreadable("unsupported", f"{word} JOIN is not read here")
        if side in ("RIGHT", "FULL"):
            missing = [handle for source in left for handle in _handles(source)]
            for handle in missing:
                frame.entities[handle] = replace(frame.entities[handle], optional=True)
            frame.outer.append(_mark(frame, place, missing))
        handles, before, place = set(frame.entities), len(frame.sources), len(frame.where)
        self.item(node.this, frame, optional or side in ("LEFT", "FULL"))
        right = frame.sources[before:]
        added = [handle for handle in frame.entities if handle not in handles]
        if side == "RIGHT":
            place = len(frame.where)  # what stands to the right keeps its conditions
        if method:
            self._natural(frame, left, right, bool(side))
        for name in node.args.get("using") or ():
            self._using(name.name, frame, left, right, bool(side))
        if (on := node.args.get("on")) is not None:
            condition = self.expr(on, frame)
            if side:
                self._filter_joined(condition, frame, added)
            else:
                self.filter_rows(condition, frame)
        if side == "RIGHT":
            _mark(frame, place, missing)
        elif side:
            frame.outer.append(_mark(frame, place, added))

    def _filter_joined(self, condition: Expr, frame: Frame, added: list[int]) -> None:
        """Split the condition of an outer join: equalities of its two sides, and others."""
        for part in conjuncts(condition):
            equality = self._equality(part, frame)
            if equality is not None and sum(end in added for end in equality.ends) == 1:
                frame.equalities.append(replace(equality, optional=True))
            else:
                frame.where.append(part)

    def _natural(
        self, frame: Frame, left: list[Source], right: list[Source], optional: bool
    ) -> None:
        known = [source.names() for source in left]
        shared: list[str] = []
        for source in right:
            names = source.names()
            if names is None or any(columns is None for columns in known):
                ends = (_handles(left[-1])[0], _handles(source)[0])
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

    def filter_rows(self, condition: Expr, frame: Frame) -> None:
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


def unwrapped(node: Any) -> Any:
    """Return what stands in parentheses around a whole query."""
    while type(node) is exp.Subquery and bare(node):
        node = node.this
    return node


def bare(node: Any) -> bool:
    """Return whether nothing but its sides belongs to a set operation, or nothing to brackets."""
    return not any(
        value
        for key, value in node.args.items()
        if key not in ("this", "expression", "distinct", "alias")
    )


def only(node: Any, allowed: frozenset[str]) -> None:
    """Refuse a node with parts that would be silently left out."""
    for key, value in node.args.items():
        if value and key not in allowed:
            part = value[0] if isinstance(value, list) else value
            raise unsupported(part if isinstance(part, exp.Expression) else node)


def _mark(frame: Frame, place: int, handles: list[int]) -> tuple[int, ...]:
    """Mark conditions of an outer join: they decide what is joined, not which rows stay."""
    found = tuple(Expr("element", of=handle) for handle in handles)
    frame.where[place:] = [
        part if part.name == "optional" else operator("optional", part, *found)
        for part in frame.where[place:]
    ]
    return tuple(handles)


def _handles(source: Source) -> list[int]:
    if source.handle >= 0:
        return [source.handle]
    inner = source.inner if isinstance(source, Derived) else []
    return [handle for part in inner for handle in _handles(part)]


def _renamed(outputs: list[Output], columns: tuple[str, ...]) -> list[Output]:
    if not columns:
        return outputs
    return [(name, expr) for name, (_, expr) in zip(columns, outputs, strict=False)]
