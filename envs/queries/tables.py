"""Rows as text for an observation."""

from __future__ import annotations

from graphenv.query.results import Rows, Value
from graphenv.text import bounded

__all__ = ["shown_plan", "shown_rows", "shown_values"]

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


def shown_values(rows: Rows, most: int) -> str:
    """Return the values of the first column, `most` of them, one a line.

    >>> print(shown_values(Rows(("name",), (("Ann",), ("Bob",), ("Cid",))), 2))
    Ann
    Bob
    the first 2; there are more
    """
    values = [bounded(_cell(row[0]), MAX_CELL) for row in rows.rows]
    if not values:
        return "no values"
    if len(values) > most:
        return "\n".join([*values[:most], f"the first {most}; there are more"])
    return "\n".join(
        [*values, f"all {len(values)} values" if len(values) > 1 else "the only value"]
    )


def shown_plan(rows: Rows) -> str:
    """Return an engine's plan, a step a line.

    >>> print(shown_plan(Rows(("plan",), (("SCAN film",), ("USE TEMP B-TREE FOR ORDER BY",)))))
    SCAN film
    USE TEMP B-TREE FOR ORDER BY
    """
    steps = ("  ".join(filter(None, map(_cell, row))).rstrip() for row in rows.rows)
    return "\n".join(steps) or "the query has no plan"


def _cell(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"({', '.join(map(_cell, value))})"
    return str(value)
