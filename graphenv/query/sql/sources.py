"""What stands in FROM, and how names are looked up in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphenv.query.model import Entity, Expr, Order
from graphenv.query.sql.normal import STAR

__all__ = ["Derived", "Equality", "Frame", "Output", "Source", "TableSource"]

Output = tuple[str, Expr]
"""A column of a subquery: its name in lower case (empty without one), and what it stands for."""


class Source(ABC):
    """An item of FROM. `handle` is that of its entity; -1 if it was merged into the scope."""

    def __init__(self, name: str, alias: str, handle: int) -> None:
        self.name = name
        self.alias = alias
        self.handle = handle

    @property
    @abstractmethod
    def open(self) -> bool:
        """Whether it may have columns that nobody told us of."""

    @abstractmethod
    def find(self, column: str) -> Expr | None:
        """Return what a column (in lower case) stands for, `None` if it is not known here."""

    def force(self, column: str) -> Expr:
        """Return a property for a column that is not known here."""
        return Expr("property", column, of=None if self.handle < 0 else self.handle)

    @abstractmethod
    def names(self) -> list[str] | None:
        """Return its columns in lower case, `None` if they are not all known."""

    @abstractmethod
    def star(self) -> list[Output]:
        """Return what `*` stands for; a table's is one star of its own."""


class TableSource(Source):
    """A table; `columns` (lower case -> spelling) is `None` if they are not known."""

    def __init__(
        self, name: str, alias: str, handle: int, columns: dict[str, str] | None = None
    ) -> None:
        super().__init__(name, alias, handle)
        self.columns = columns

    @property
    def open(self) -> bool:
        return self.columns is None

    def find(self, column: str) -> Expr | None:
        spelled = self.columns.get(column) if self.columns else None
        return None if spelled is None else Expr("property", spelled, of=self.handle)

    def names(self) -> list[str] | None:
        return None if self.columns is None else list(self.columns)

    def star(self) -> list[Output]:
        return [("", Expr("star", of=self.handle))]


class Derived(Source):
    """A subquery in FROM.

    Columns that only pass through are those of the inner table; others are `input`, unless the
    subquery was merged into the scope or `opaque` says that none pass through (UNION).
    """

    def __init__(
        self, alias: str, handle: int, outputs: list[Output], inner: list[Source], opaque: bool
    ) -> None:
        super().__init__("", alias, handle)
        self.inner = inner  # what a star among the outputs stands for
        self.opaque = opaque
        self.outputs = outputs
        self._known: dict[str, Expr] = {}
        for name, expr in outputs:
            if expr.kind != "star" and name:
                self._known.setdefault(name, expr)
        self._starred = [
            source
            for _, expr in outputs
            if expr.kind == "star"
            for source in inner
            if expr.of is None or expr.of == source.handle
        ]

    @property
    def open(self) -> bool:
        return any(source.open for source in self._starred)

    def _seen(self, expr: Expr) -> Expr:
        if self.handle < 0 or (expr.kind == "property" and not self.opaque):
            return expr
        return Expr("input", args=(expr,), of=self.handle)

    def find(self, column: str) -> Expr | None:
        known = self._known.get(column)
        if known is None:
            found = (source.find(column) for source in self._starred)
            known = next((expr for expr in found if expr is not None), None)
        return None if known is None else self._seen(known)

    def force(self, column: str) -> Expr:
        unknown = [source for source in self._starred if source.open]
        return self._seen(unknown[0].force(column)) if unknown else super().force(column)

    def names(self) -> list[str] | None:
        found = [name for name, expr in self.outputs if name and expr.kind != "star"]
        for source in self._starred:
            names = source.names()
            if names is None:
                return None
            found += names
        return found

    def star(self) -> list[Output]:
        found: list[Output] = []
        for name, expr in self.outputs:
            if expr.kind != "star":
                found.append((name, self._seen(expr)))
                continue
            for source in self.inner:
                if expr.of is None or expr.of == source.handle:
                    found += source.star()
        return found


@dataclass(frozen=True, slots=True)
class Equality:
    """Two columns of different items of FROM that are equal, and the handles of those items."""

    left: Expr
    right: Expr
    ends: tuple[int, int]
    optional: bool = False


@dataclass(slots=True)
class Frame:
    """A SELECT in the making."""

    parent: Frame | None
    sources: list[Source] = field(default_factory=list)
    entities: dict[int, Entity] = field(default_factory=dict)
    equalities: list[Equality] = field(default_factory=list)
    natural: list[tuple[int, int, bool]] = field(default_factory=list)
    outer: list[tuple[int, ...]] = field(default_factory=list)  # what each outer join may miss
    where: list[Expr] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    aliases: dict[str, Expr] = field(default_factory=dict)
    group: tuple[Expr, ...] = ()
    having: tuple[Expr, ...] = ()
    order: tuple[Order, ...] = ()
    distinct: bool = False
    limit: Expr | None = None
    offset: Expr | None = None
    owners: dict[int, int] = field(default_factory=dict)
    nullable: bool = False  # whether a RIGHT or FULL join may leave out what stands before it

    def chain(self) -> Iterator[Frame]:
        """Yield this frame and those around it."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.parent

    def look(self, source: Source, column: str) -> Expr | None:
        """Return a column of one of its sources, and remember which one it came through."""
        found = source.find(column)
        if found is not None:
            self.own(source, found)
        return found

    def own(self, source: Source, found: Expr) -> Expr:
        """Remember that a property of a table inside a subquery came through this source."""
        if found.of is not None and source.handle >= 0 and found.of != source.handle:
            self.owners[found.of] = source.handle
        return found

    def owner(self, expr: Expr) -> int | None:
        """Return the handle of the item of FROM that a column belongs to, here or further out."""
        if expr.of is None or expr.kind not in ("property", "input"):
            return None
        for frame in self.chain():
            if expr.of in frame.owners:
                return frame.owners[expr.of]
        return expr.of

    def star(self) -> list[Output]:
        """Return what `*` stands for: one star where it is no more than all columns of tables."""
        parts = [part for source in self.sources for part in source.star()]
        stars = {expr.of for _, expr in parts if expr.kind == "star"}
        if len(stars) == len(parts) and stars == set(self.entities):
            return [("", STAR)]
        return parts
