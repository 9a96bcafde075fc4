"""What a column stands for: names looked up from the inside out."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from graphenv.query.model import Expr
from graphenv.query.sql.catalogue import Catalogue
from graphenv.query.sql.expressions import Expressions
from graphenv.query.sql.limits import unsupported
from graphenv.query.sql.normal import text_literal
from graphenv.query.sql.sources import Frame

__all__ = ["Names"]

_ROWID = frozenset(("rowid", "oid", "_rowid_"))


class Names(Expressions):
    """Looks names up. `double` are the names that were written in double quotes only."""

    def __init__(self, book: Catalogue | None, dialect: str, double: frozenset[str]) -> None:
        super().__init__(dialect)
        self.book = book
        self.double = double if dialect == "sqlite" else frozenset()
        self.names: dict[int, str] = {}
        self.unknown: dict[tuple[str, str], None] = {}
        self.handles = 0

    def new(self) -> int:
        """Return a handle."""
        self.spend()
        self.handles += 1
        return self.handles - 1

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
        if self._rowid(lowered) and sources:
            return sources[0].force("rowid")
        self.unknown[("column", name)] = None
        return sources[0].force(lowered) if len(sources) == 1 else Expr("property", lowered)

    def _rowid(self, column: str) -> bool:
        """Return whether every table of SQLite has this column without saying so."""
        return column in _ROWID and self.dialect == "sqlite"

    def _qualified(self, table: str, name: str, frame: Frame) -> Expr:
        lowered, column = table.lower(), name.lower()
        for level in frame.chain():
            for source in level.sources:
                if source.alias != lowered:
                    continue
                found = level.look(source, column)
                if found is not None:
                    return self.copied(found) if found.args else found
                if self._rowid(column) and not source.open:
                    column = "rowid"
                elif not source.open:
                    self.unknown[("column", f"{source.name or table}.{name}")] = None
                return level.own(source, source.force(column))
        self.unknown[("column", f"{table}.{name}")] = None
        return Expr("property", column)
