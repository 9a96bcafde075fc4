"""What is equal in two results: cells as numbers, equal where the cells are.

- Whole numbers are compared exactly; two numbers of which one is a float are equal within 1e-9
  (relative, absolute below 1), so 1 equals 1.0 and a sum does not depend on its order. Chains of
  such numbers are one.
- Text equals text only ('1' is not 1), exactly as it stands. A truth value is no number. Null
  equals null, NaN equals NaN.
- Lists inside a cell are bags: the order that `collect` gives is nobody's choice. Nothing nested
  deeper than 64 levels equals anything.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence

from graphenv.query.results import Rows, Value

__all__ = ["UNKNOWN", "Columns", "coded"]

TOLERANCE = 1e-9
MAX_DEPTH = 64
UNKNOWN = -1
"""The number of cells that the gold does not hold."""

Columns = list[list[int]]


def coded(predicted: Rows, gold: Rows) -> tuple[Columns, Columns]:
    """Return the columns of both results, a number for each cell; `UNKNOWN` if not in the gold.

    >>> coded(Rows(("a",), ((1.0,), ("1",))), Rows(("b",), ((1,), (2,))))
    ([[0, -1]], [[0, 1]])
    """
    coder = _Coder(gold, predicted)
    theirs = [[coder.learn(cell) for cell in column] for column in zip(*gold.rows, strict=True)]
    ours = [
        [coder.look_up(cell) for cell in column] for column in zip(*predicted.rows, strict=True)
    ]
    return ours, theirs


class _Coder:
    """Numbers for the cells of a gold result, and which of them other cells equal."""

    def __init__(self, *results: Rows) -> None:
        self._numbers = _classes(result.rows for result in results)
        self._codes: dict[Hashable, int] = {}

    def learn(self, value: Value, depth: int = 0) -> int:
        if isinstance(value, tuple):
            if depth == MAX_DEPTH:
                return self._codes.setdefault(("deep", len(self._codes)), len(self._codes))
            items = sorted(self.learn(item, depth + 1) for item in value)
            return self._codes.setdefault(("list", *items), len(self._codes))
        return self._codes.setdefault(self._key(value), len(self._codes))

    def look_up(self, value: Value, depth: int = 0) -> int:
        if isinstance(value, tuple):
            if depth == MAX_DEPTH:
                return UNKNOWN
            items = sorted(self.look_up(item, depth + 1) for item in value)
            return self._codes.get(("list", *items), UNKNOWN)
        return self._codes.get(self._key(value), UNKNOWN)

    def _key(self, value: bool | int | float | str | None) -> Hashable:
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, bool):
            return ("constant", value)
        return ("number", self._numbers[value] if value == value else "nan")


def _classes(tables: Iterator[Sequence[tuple[Value, ...]]]) -> dict[int | float, int]:
    """Return a number for each number in the cells, the same for those that count as equal."""
    floats: dict[int | float, bool] = {}
    stack: list[Value] = [row for rows in tables for row in rows]
    while stack:
        value = stack.pop()
        if isinstance(value, tuple):
            stack.extend(value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            floats[value] = floats.get(value, False) or isinstance(value, float)
    classes: dict[int | float, int] = {}
    last: int | float | None = None
    for value in sorted(floats):
        joined = last is not None and (floats[last] or floats[value]) and _close(last, value)
        classes[value] = len(classes) if not joined or last is None else classes[last]
        last = value
    return classes


def _close(a: int | float, b: int | float) -> bool:
    try:
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    except OverflowError:  # an integer beyond all floats
        return False
