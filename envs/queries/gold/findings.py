"""What a gold query does on one database, in a form that can be kept in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

from graphenv.query.results import Rows

__all__ = ["CONSTANT_RIGHT", "Finding", "Looked", "content_of", "telling_copies"]

Finding = Literal[
    "rows",
    "empty",
    "fails",
    "too long",
    "not unique",
    "order not unique",  # the rows are, but rows that are equal in the sort key have no order
    "unreadable",  # it may run, but no reader of ours understands it
]

CONSTANT_RIGHT = "a constant is right everywhere"
"""Why a question is left out: gold returns the same on the database and on every copy of it."""


class Looked(NamedTuple):
    """What was found, how many rows there are, and a digest of them as a bag."""

    finding: Finding
    rows: int = 0
    content: str = ""


def content_of(rows: Rows) -> str:
    """Return a digest of rows whose order does not matter, and for which 1.0 is 1.

    >>> one, two = Rows(("a",), ((1,), ("x",))), Rows(("b",), (("x",), (1.0,)))
    >>> content_of(one) == content_of(two)
    True
    """
    lines = sorted(repr([_plain(cell) for cell in row]) for row in rows.rows)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:16]


def _plain(cell: object) -> object:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def telling_copies(looked: Sequence[Looked], most: int) -> tuple[int, ...] | None:
    """Return the copies that tell right from wrong, at most so many; `None` if none can.

    `looked` is what gold does on the database and then on each copy. Copies on which it returns
    rows are taken, those first on which they are not the rows of the database. `None` where copies
    were asked for and what gold returns is the same on all of them: a constant would be right.

    >>> telling_copies([Looked("rows", 1, "a"), Looked("rows", 1, "a"), Looked("rows", 1, "b")], 1)
    (1,)
    >>> telling_copies([Looked("rows", 1, "a"), Looked("rows", 1, "a"), Looked("empty")], 2)
    """
    original, *copies = looked
    telling = [at for at, copy in enumerate(copies) if copy.finding == "rows"]
    telling += [at for at, copy in enumerate(copies) if copy.finding == "order not unique"]
    telling.sort(key=lambda at: copies[at].content == original.content)
    if most and all(copies[at].content == original.content for at in telling[:1]):
        return None
    return tuple(telling[:most])
