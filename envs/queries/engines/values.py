"""Cells and messages of engines in one form."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from graphenv.query.results import QueryError, Value

__all__ = ["MAX_COLUMNS", "MAX_NESTING", "Budget", "canonical", "say", "too_nested"]

MAX_REASON = 300
"""Longest message of an engine that is passed on, in characters."""
MAX_COLUMNS = 1_000
MAX_NESTING = 64
"""Levels of lists in a cell: whoever compares, prints or copies one goes down by recursion."""
_PATH = re.compile(r"(?<![\w/])/(?:[\w.@+-]+/)+[\w.@+-]*")


def canonical(cell: object) -> Value:
    """Return a cell of an engine as a `Value`.

    Decimals become int or float, dates ISO text, bytes hexadecimal text, structures tuples of
    (key, value) pairs; NaN is no value that equals itself and becomes `None`, as SQLite has it.

    Examples
    --------
    >>> canonical(Decimal("2.50")), canonical([b"\\x01", date(2020, 1, 2)]), canonical({"a": 1})
    (2.5, ('01', '2020-01-02'), (('a', 1),))
    """
    if cell is None or isinstance(cell, bool | int | str):
        return cell
    if isinstance(cell, float):
        return None if math.isnan(cell) else cell
    if isinstance(cell, Decimal):
        if not cell.is_finite():
            return None
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, date | datetime | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return f"P{cell.days}DT{cell.seconds + cell.microseconds / 1e6:g}S"
    if isinstance(cell, bytes | bytearray | memoryview):
        return bytes(cell).hex()
    if isinstance(cell, Mapping):
        return tuple((canonical(key), canonical(value)) for key, value in cell.items())
    if isinstance(cell, Sequence | set | frozenset):
        return tuple(map(canonical, cell))
    return str(cell)


def too_nested() -> QueryError:
    """Return the error of a cell with too many levels."""
    return QueryError("size", f"a value has more than {MAX_NESTING} lists inside each other")


class Budget:
    """Counts columns, rows and characters of a result while it is fetched.

    Examples
    --------
    >>> budget = Budget(rows=1, chars=100)
    >>> budget.add((1, "a")), budget.add((2, "b"))
    (None, QueryError(kind='size', reason='the result has more than 1 rows'))
    """

    def __init__(self, rows: int, chars: int) -> None:
        self._rows, self._chars = rows, chars
        self._seen = self._used = 0

    def head(self, columns: Sequence[str]) -> QueryError | None:
        """Count the names of the columns; return why the result is too large, if it is."""
        if len(columns) > MAX_COLUMNS:
            return QueryError("size", f"the result has more than {MAX_COLUMNS:,} columns")
        return self._spent(sum(map(len, columns)))

    def add(self, row: Sequence[Value]) -> QueryError | None:
        """Count a row; return why the result is too large, if it is."""
        self._seen += 1
        if self._seen > self._rows:
            return QueryError("size", f"the result has more than {self._rows:,} rows")
        try:
            return self._spent(sum(_length(cell) for cell in row))
        except RecursionError:
            return too_nested()

    def _spent(self, chars: int) -> QueryError | None:
        self._used += chars
        if self._used > self._chars:
            return QueryError("size", f"the result has more than {self._chars:,} characters")
        return None


def _length(cell: Value, levels: int = MAX_NESTING) -> int:
    if isinstance(cell, str):
        return len(cell)
    if isinstance(cell, tuple):
        if not levels:
            raise RecursionError
        return 1 + sum([_length(item, levels - 1) for item in cell])
    return 8


def say(message: str, location: str = "") -> str:
    """Return an engine's message in one short line, without paths of this machine.

    Examples
    --------
    >>> say('cannot open file "/home/me/x/db.sqlite":\\n  denied')
    'cannot open file "...": denied'
    """
    if location:
        message = message.replace(location, "the database")
    line = _PATH.sub("...", " ".join(message.split()))
    return line if len(line) <= MAX_REASON else line[: MAX_REASON - 3] + "..."
