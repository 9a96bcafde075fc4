"""Checks of what comes into a triple store, and the messages when it does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphenv.errors import DataError, UnknownNameError
from graphenv.knowledge.protocol import INVERSE, Frontier
from graphenv.text import bounded


def triple_positions(ids: Frontier, count: int) -> NDArray[np.int64]:
    """Return triple ids as an array, or raise IndexError if one is outside ``0..count-1``."""
    positions = np.asarray(ids, np.int64)
    if len(positions) and (int(positions.min()) < 0 or int(positions.max()) >= count):
        raise IndexError(f"a triple id is outside 0..{count - 1}")
    return positions


def unknown(kind: str, name: str, near: list[str]) -> UnknownNameError:
    """Return the error for an unknown name, with the nearest names in its message."""
    hint = f". The nearest: {', '.join(repr(bounded(n, 80)) for n in near)}" if near else ""
    return UnknownNameError(f"no {kind} is named {bounded(name, 80)!r}{hint}")


def check_relations(names: list[bytes]) -> None:
    """Raise DataError if a relation's name begins with the mark of inverse moves."""
    marked = [n for n in names if n.startswith(INVERSE.encode())]
    if marked:
        raise DataError(
            f"the relation {marked[0].decode('utf-8', 'replace')!r} begins with {INVERSE!r}, which "
            "marks the inverse of a relation; rename it in the data"
        )


def id_column(label: str, values: ArrayLike, limit: int) -> NDArray[Any]:
    """Return ids as an array, or raise DataError if one is outside ``0..limit-1``."""
    column = np.asarray(values)
    if not column.size:
        return np.zeros(0, np.int32)
    if column.ndim != 1 or column.dtype.kind not in "iu":
        raise DataError(
            f"{label} must be one-dimensional integers, got shape {column.shape} of {column.dtype}"
        )
    low, high = int(column.min()), int(column.max())
    if low < 0 or high >= limit:
        raise DataError(
            f"{label} hold ids {low}..{high}, but the names allow 0..{limit - 1}; probably the ids "
            "belong to another name list"
        )
    return column.astype(np.int64, copy=False)
