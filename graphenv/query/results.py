"""What a query returned: rows, or why there are none. Facts that rewards compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ErrorKind", "QueryError", "Result", "Rows", "Value"]

Value = None | bool | int | float | str | tuple["Value", ...]
"""A cell. Dates are ISO text; a graph element is a tuple (label, (property, value), ...), without
the engine's internal ids; bytes are hexadecimal text."""

ErrorKind = Literal[
    "syntax",  # the engine cannot parse it
    "schema",  # a name that the database does not have
    "runtime",  # a type error, an overflow, ...
    "refused",  # not allowed here: writes, files, settings ...
    "unsupported",  # the engine's dialect has no such thing
    "timeout",
    "memory",
    "size",  # more rows or text than the limits allow
    "crash",  # the engine died
]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a query that ran.

    `work` is what the engine counted (instructions, tuples), `None` where it counts nothing.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    work: int | None = None


@dataclass(frozen=True, slots=True)
class QueryError:
    """Why a query has no rows, in words for the one who wrote it.

    `by_clock`: the clock ended it, so that on a quieter machine it might have had some.
    """

    kind: ErrorKind
    reason: str
    by_clock: bool = field(default=False, compare=False, repr=False)


Result = Rows | QueryError
