"""`Plan`: a question as data: its wording, its gold in both languages, its answer come from it.

Entities of a pattern are numbered: 0 is what is asked about, step `i` leads to entity `i + 1`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Absent", "Compare", "Filter", "Item", "Pattern", "Plan", "Step", "handles"]


@dataclass(frozen=True, slots=True)
class Step:
    """A relation from entity `start` to a new one; `forward` if `start` is its head.

    `hops` is (least, most) of one that is followed several times, most `None` for any number.
    """

    start: int
    relation: str
    forward: bool
    optional: bool = False
    hops: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on a property of entity `at`.

    `op`: = <> < > <= >=, `between` and `in` (a tuple as value), `starts`, `missing`.
    """

    at: int
    property: str
    op: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Entities of these types, joined by steps, under conditions."""

    types: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """That `step` leads to no entity of type `type` under `filters` (all `at` 0)."""

    step: Step
    type: str
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """That a property of entity `at` stands in `op` to a value: `fn` over a pattern of its own.

    The value is `fn` (avg, min, max; "" where there is one row) of `of` of entity 0 of `inner`.
    """

    at: int
    property: str
    op: str
    fn: str
    inner: Pattern


@dataclass(frozen=True, slots=True)
class Item:
    """A column: a property of entity `at`, or the aggregate `fn` of it (of rows without one)."""

    at: int = 0
    property: str = ""
    fn: str = ""
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a question asks for.

    With `group` rows are gathered by these items; `having` is (item, operator, number). `other` is
    a second pattern whose rows are united with those of the first.
    """

    kind: str
    pattern: Pattern
    select: tuple[Item, ...]
    distinct: bool = False
    group: tuple[Item, ...] = ()
    having: tuple[Item, str, int] | None = None
    order: tuple[tuple[Item, bool], ...] = ()
    limit: int | None = None
    absent: Absent | None = None
    compare: Compare | None = None
    other: Pattern | None = None


def handles(types: tuple[str, ...], taken: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return short distinct names for entities of these types, none of them in `taken`.

    >>> handles(("Film", "Actor", "Film"))
    ('f', 'a', 'f2')
    """
    names: list[str] = []
    for label in types:
        first = label[0].lower()
        used = {*names, *taken}
        count = 1
        while (name := first if count == 1 else f"{first}{count}") in used:
            count += 1
        names.append(name)
    return tuple(names)
