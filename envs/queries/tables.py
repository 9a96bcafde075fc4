"""Rows as text for an observation."""

from __future__ import annotations

from graphenv.query.results import Rows, Value
from graphenv.text import bounded

__all__ = ["shown_rows"]

MAX_CELL = 120


def shown_rows(rows: Rows, page: int, size: int) -> str:
    """Return a page of rows, with column names above and the count below.

    >>> print(shown_rows(Rows(("name", "age"), (("Ann", 30), ("Bob", None))), 1, 10))
    name | age
    Ann | 30
    Bob | null
    2 rows
    """
    count = len(rows.rows)
    if not count:
        return "0 rows"
    pages = -(-count // size)
    at = min(max(page, 1), pages)
    head = " | ".join(bounded(name, MAX_CELL) for name in rows.columns)
    shown = rows.rows[(at - 1) * size : at * size]
    lines = [head, *(" | ".join(bounded(_cell(v), MAX_CELL) for v in row) for row in shown)]
    plural = "row" if count == 1 else "rows"
    lines.append(f"{count} {plural}" if pages == 1 else f"{count} {plural}; page {at} of {pages}")
    return "\n".join(lines)


def _cell(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"({', '.join(map(_cell, value))})"
    return str(value)
