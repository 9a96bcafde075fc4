"""Similarities of labels that come back: a batch asks for the same few words again and again."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import lru_cache
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from graphenv.rewards.similarity.embedding import MAX_ENCODED
from graphenv.rewards.similarity.labels import (
    MAX_LABEL_CHARS,
    LabelSpec,
    label_likeness,
    label_similarity,
)

__all__ = ["LikenessTable", "likeness_table"]

_ROWS = 1_536
Matrix = NDArray[np.float64]


class LikenessTable:
    """`label_likeness` of lists that share most of their labels, each pair found once.

    Holds the similarities of 1,536 labels (18 MiB) and starts afresh when they are full. What is
    kept changes no value: a pair of labels has one similarity, whatever stands beside it. Lists
    so long that only some of their pairs are asked about (`label_likeness`) are not kept.

    Parameters
    ----------
    spec
        As `label_similarity`.

    >>> LikenessTable("string").likeness(["man"], ["man", "woman"]).tolist()
    [[1.0, 0.6]]
    """

    def __init__(self, spec: LabelSpec = None) -> None:
        label_similarity(spec)
        self._spec = spec
        self.exact = spec is None
        self._lock = RLock()
        self._number: dict[str, int] = {}
        self._known = np.empty((0, 0))

    def likeness(self, first: Sequence[str], second: Sequence[str]) -> Matrix:
        """Return the similarity of labels by labels."""
        if self._spec is None or not first or not second:
            return label_likeness(None, first, second, np.ones((len(first), len(second)), bool))
        names1, rows1 = _distinct(first)
        names2, rows2 = _distinct(second)
        if max(len(names1), len(names2)) > MAX_ENCODED or not _short(names1, names2):
            # Sorted: which pairs are asked about must not depend on the order of labels.
            order1, order2 = (
                sorted(range(len(names1)), key=names1.__getitem__),
                sorted(range(len(names2)), key=names2.__getitem__),
            )
            found = np.empty((len(names1), len(names2)))
            found[np.ix_(order1, order2)] = label_likeness(
                self._spec,
                [names1[i] for i in order1],
                [names2[j] for j in order2],
                np.ones((len(names1), len(names2)), bool),
            )
            return found[np.ix_(rows1, rows2)]
        with self._lock:
            at1, at2 = self._places(names1, names2)
            small = self._known.take(at1[:, None] * _ROWS + at2)
            if np.isnan(small).any():
                self._ask(names1, names2, at1, at2, small)
                small = self._known.take(at1[:, None] * _ROWS + at2)
        if len(names1) == len(first) and len(names2) == len(second):
            return small
        return small.take(rows1[:, None] * len(names2) + rows2)

    def one(self, first: str, second: str) -> float:
        """Return the similarity of two labels."""
        if first == second:
            return 1.0
        if self._spec is None:
            return 0.0
        with self._lock:
            i, j = self._number.get(first), self._number.get(second)
            value = float(self._known[i, j]) if i is not None and j is not None else math.nan
        if not math.isnan(value):
            return value
        return float(self.likeness([first], [second])[0, 0])

    def _places(
        self, names1: list[str], names2: list[str]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        number = self._number
        new = {name for name in (*names1, *names2) if name not in number}
        if not self._known.size or len(number) + len(new) > _ROWS:
            number.clear()
            self._known = np.full((_ROWS, _ROWS), np.nan)
        for name in (*names1, *names2):
            number.setdefault(name, len(number))
        return (
            np.fromiter(map(number.__getitem__, names1), np.intp, len(names1)),
            np.fromiter(map(number.__getitem__, names2), np.intp, len(names2)),
        )

    def _ask(
        self,
        names1: list[str],
        names2: list[str],
        at1: NDArray[np.intp],
        at2: NDArray[np.intp],
        small: Matrix,
    ) -> None:
        """Fill in what is not known of two lists."""
        # Whole rows and columns: new labels are new to all others.
        unknown = np.isnan(small)
        rows = np.asarray(unknown.any(axis=1))
        columns = np.asarray(unknown.any(axis=0))
        some1 = [name for name, asked in zip(names1, rows, strict=True) if asked]
        some2 = [name for name, asked in zip(names2, columns, strict=True) if asked]
        ask = np.isnan(small[np.ix_(rows, columns)])
        found = label_likeness(self._spec, some1, some2, ask)
        where1, where2 = np.nonzero(ask)
        a, b, values = at1[rows][where1], at2[columns][where2], found[where1, where2]
        self._known[a, b] = values
        self._known[b, a] = values


def _distinct(names: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    number: dict[str, int] = {}
    rows = [number.setdefault(name, len(number)) for name in names]
    return list(number), np.array(rows, dtype=np.intp)


def _short(*lists: list[str]) -> bool:
    """Whether no label is so long that keeping it would be a leak."""
    return all(len(name) <= MAX_LABEL_CHARS for names in lists for name in names)


@lru_cache(maxsize=8)
def likeness_table(spec: str | None) -> LikenessTable:
    """Return the table of a similarity, the same for every term that has it."""
    return LikenessTable(spec)


if hasattr(os, "register_at_fork"):
    # A lock that another thread holds at the moment of the fork stays locked in the child for ever.
    os.register_at_fork(after_in_child=likeness_table.cache_clear)
