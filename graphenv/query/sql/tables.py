"""FROM: tables, subqueries and WITH."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from graphenv.query.model import Entity
from graphenv.query.sql.catalogue import Catalogue
from graphenv.query.sql.joined import Joined, only
from graphenv.query.sql.limits import Unreadable, unsupported
from graphenv.query.sql.sources import Derived, Frame, Output, TableSource
from graphenv.query.sql.tidy import Read, plain, unordered

__all__ = ["Tables", "bare", "unwrapped"]


@dataclass(frozen=True, slots=True)
class _Named:
    """A subquery in WITH: where it stands, what it may see."""

    node: Any
    columns: tuple[str, ...]
    frame: Frame | None
    visible: Mapping[str, _Named]


class Tables(Joined):
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


def _renamed(outputs: list[Output], columns: tuple[str, ...]) -> list[Output]:
    if not columns:
        return outputs
    return [(name, expr) for name, (_, expr) in zip(columns, outputs, strict=False)]
