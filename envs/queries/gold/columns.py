"""Values of a column, made anew from those it has: shuffled, drawn again, moved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["Cell", "fresh_values", "made_up", "shuffled"]

Cell = None | int | float | str | bytes

_MOVED = 0.3  # share of numbers that move, and of repeated values that are drawn again
_FEW = 5  # a number column with at most this many values is a code or a flag: it is not moved


def shuffled(values: Sequence[Cell], count: int, random: np.random.Generator) -> list[Cell]:
    """Return `count` cells in another order, with other frequencies and other numbers.

    A column without repeated values stays one. `values` must not be empty.
    """
    cells: list[Cell] = [values[int(at)] for at in random.permutation(len(values))][:count]
    distinct = len(set(values)) == len(values) and None not in values and len(values) > 1
    if distinct:
        cells += fresh_values(values, count - len(cells), random)
    else:
        cells += [values[int(at)] for at in random.integers(len(values), size=count - len(cells))]
    numbers = [v for v in values if isinstance(v, int | float)]
    if len(numbers) == sum(v is not None for v in values) and len(set(numbers)) > _FEW:
        return _moved(cells, numbers, distinct, random)
    if not distinct:
        for at in np.flatnonzero(random.random(len(cells)) < _MOVED):
            cells[int(at)] = values[int(random.integers(len(values)))]
    return cells


def _moved(
    cells: list[Cell], numbers: Sequence[float], distinct: bool, random: np.random.Generator
) -> list[Cell]:
    # What has no negative values (an age, a price) gets none.
    low = min(0, min(numbers))
    spread = max(1.0, 0.1 * float(np.quantile(numbers, 0.9) - np.quantile(numbers, 0.1)))
    taken = set(cells)
    for at in np.flatnonzero(random.random(len(cells)) < _MOVED):
        cell = cells[int(at)]
        if not isinstance(cell, int | float):
            continue
        by = float(random.uniform(-spread, spread))
        moved = max(low, cell + round(by) if isinstance(cell, int) else round(cell + by, 3))
        if not (distinct and moved in taken):
            cells[int(at)] = moved
            taken.add(moved)
    return cells


def fresh_values(values: Sequence[Cell], count: int, random: np.random.Generator) -> list[Cell]:
    """Return `count` distinct values of the same kind that are not among `values`."""
    if not values or count <= 0:
        return []
    numbers = [v for v in values if isinstance(v, int | float)]
    if len(numbers) == len(values):
        top = int(max(numbers))
        return [top + 1 + at for at in range(count)]
    found: list[Cell] = []
    taken = set(values)
    texts = [v for v in values if isinstance(v, str)] or ["value"]
    while len(found) < count:
        text = f"{texts[int(random.integers(len(texts)))]} {len(found) + 2}"
        while text in taken:
            text += "+"
        taken.add(text)
        found.append(text)
    return found


def made_up(column: str, kind: str, count: int, random: np.random.Generator) -> list[Cell]:
    """Return `count` values for a column of declared type `kind` of which no value is known."""
    kind = kind.upper()
    if "INT" in kind or "BOOL" in kind:
        return [int(n) for n in random.integers(1, 100, size=count)]
    if any(part in kind for part in ("REAL", "FLOA", "DOUB", "NUM", "DEC")):
        return [round(float(n), 2) for n in random.uniform(1, 100, size=count)]
    if "DATE" in kind or "TIME" in kind:
        days = random.integers(1, 28, size=(count, 3))
        return [f"{2000 + y}-{1 + m % 12:02}-{d:02}" for y, m, d in days.tolist()]
    return [f"{column} {n}" for n in random.integers(1, 2 * count + 2, size=count).tolist()]
