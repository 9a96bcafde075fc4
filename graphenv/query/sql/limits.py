"""What ends reading: what is not read, and what is too much."""

from __future__ import annotations

from typing import Any, Literal

from graphenv.query.model import Expr

__all__ = ["MAX_DEPTH", "Counter", "Unreadable", "unsupported"]

MAX_DEPTH = 50
MAX_PARTS = 5_000


class Unreadable(Exception):
    """Raised inside the reader, caught by `read_sql`: why a query cannot be read."""

    def __init__(self, kind: Literal["unsupported", "limit"], reason: str) -> None:
        super().__init__(reason)
        self.kind: Literal["unsupported", "limit"] = kind
        self.reason = reason


def unsupported(node: Any) -> Unreadable:
    """Return the reason that names what is not read."""
    word = getattr(node, "key", type(node).__name__).replace("_", " ").upper()
    return Unreadable("unsupported", f"{word} in this place is not read; write plain SELECTs")


class Counter:
    """Counts what a reader makes, and how deep it stands."""

    def __init__(self) -> None:
        self.depth = 0
        self.parts = 0

    def spend(self, parts: int = 1) -> None:
        """Count parts made: what is inlined can double at every level."""
        self.parts += parts
        if self.parts > MAX_PARTS:
            raise Unreadable("limit", f"the query has more than {MAX_PARTS} parts once written out")

    def copied(self, expr: Expr) -> Expr:
        """Return an expression that is used a second time, counting its parts."""
        todo = [expr]
        while todo:
            part = todo.pop()
            self.spend()
            todo += part.args
        return expr

    def deeper(self) -> None:
        """Count a level of nesting; whoever calls it takes it back."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("limit", f"nested more than {MAX_DEPTH} levels deep")
