"""What JOIN, USING, NATURAL and conditions say about the items of FROM."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from sqlglot import exp

from graphenv.query.model import Expr
from graphenv.query.sql.limits import Unreadable, unsupported
from graphenv.query.sql.names import Names
from graphenv.query.sql.normal import conjuncts, operator
from graphenv.query.sql.sources import Derived, Equality, Frame, Source

__all__ = ["Joined", "only"]


class Joined(Names):
    """Adds joins to the frame of a SELECT."""

    @abstractmethod
    def item(self, node: Any, frame: Frame, optional: bool) -> None:
        """Add an item of FROM; `optional` if its rows may be missing."""

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
