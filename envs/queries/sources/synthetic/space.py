"""All questions of a world, numbered: a slot is a path and a pick from every list of options."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from math import comb, isqrt, prod
from typing import Any

from graphenv.choices import Permutation
from graphenv.envs.queries.sources.synthetic.evaluate import Answer, evaluate
from graphenv.envs.queries.sources.synthetic.kinds import Kind
from graphenv.envs.queries.sources.synthetic.options import Extras, Options
from graphenv.envs.queries.sources.synthetic.plan import Filter, Pattern, Plan
from graphenv.envs.queries.sources.synthetic.world import World, make_world

__all__ = ["Cell", "Space", "make_space"]

_MOST_ROWS = 60
_MOVED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_TWELFTHS = {"train": (0, 10), "validation": (10, 11), "heldout": (11, 12)}


@dataclass(frozen=True)
class Cell:
    """The questions of one kind, number of joins and number of further filters, in mixed order.

    Slots are distinct plans: a split of the slots is a split of the questions.
    """

    kind: Kind
    extras: int
    paths: tuple[Pattern, ...]
    offsets: tuple[int, ...]
    order: Permutation

    def region(self, split: str) -> tuple[int, int]:
        """Return the first rank of a split's twelfths, and the number of its ranks."""
        low, high = (self.offsets[-1] * part // 12 for part in _TWELFTHS[split])
        return low, high - low


class Space:
    """The questions of a world."""

    def __init__(self, options: Options, key: tuple[object, ...]) -> None:
        self.options = options
        self.world = options.world
        self._key = key
        self._cells: dict[tuple[str, int, int], Cell] = {}

    def cell(self, kind: Kind, hops: int, extras: int) -> Cell:
        """Return a cell, made on first use."""
        place = (kind.name, hops, extras)
        if place not in self._cells:
            paths = tuple(kind.path(self.options, hops))
            sizes = [self._size(kind, path, extras) for path in paths]
            offsets = (0, *accumulate(sizes))
            order = Permutation(max(offsets[-1], 1), "query cell", *self._key, *place)
            self._cells[place] = Cell(kind, extras, paths, offsets, order)
        return self._cells[place]

    def _size(self, kind: Kind, path: Pattern, extras: int) -> int:
        size = prod(len(self.options.of(part, path)) for part in kind.parts)
        return size * comb(len(self._extras(kind, path)), extras)

    def _extras(self, kind: Kind, path: Pattern) -> Extras:
        # Only what is grouped by has no room for a filter, and without steps that is a property.
        closed = kind.closed if path.steps else 0
        return self.options.extras(path, closed)

    def plan(self, cell: Cell, rank: int) -> Plan | None:
        """Return the plan at a rank, `None` if its parts do not go together."""
        slot = cell.order.inverse(rank)
        at = bisect_right(cell.offsets, slot) - 1
        path, rest = cell.paths[at], slot - cell.offsets[at]
        picks = []
        for part in cell.kind.parts:
            options = self.options.of(part, path)
            rest, place = divmod(rest, len(options))
            picks.append(options[place])
        filters: tuple[Filter, ...] = ()
        if cell.extras:
            extras = self._extras(cell.kind, path)
            filters = tuple(extras[place] for place in _chosen(rest, cell.extras))
        plan = cell.kind.make(self.options, replace(path, filters=filters), picks)
        return plan if plan is not None and _sensible(plan, filters, self.world) else None

    def answers(self, plan: Plan) -> tuple[Answer, ...] | None:
        """Return a plan's answers on all databases, `None` if they make no good question.

        Wanted are answers that are not empty, not everything, not decided by ties, and others on
        every database, with conditions that each make a difference on the main one, and cuts that
        some row stands on: `<` for `<=` must be wrong somewhere.
        """
        main, *others = self.options.tables
        first = evaluate(plan, main)
        if not self._good(plan, first):
            return None
        found = [first]
        for tables in others:
            answer = evaluate(plan, tables)
            if not self._good(plan, answer) or set(answer.rows) == set(first.rows):
                return None
            found.append(answer)
        for shorter in _relaxed(plan, self.world.things):
            answer = evaluate(shorter, main)
            if answer.rows == first.rows or set(answer.rows) == set(first.rows):
                return None
        for moved in _moved(plan):
            pairs = zip(self.options.tables, found, strict=True)
            if all(set(evaluate(moved, tables).rows) == set(a.rows) for tables, a in pairs):
                return None
        return tuple(found)

    def _good(self, plan: Plan, answer: Answer) -> bool:
        rows = answer.rows
        if not rows or len(rows) > _MOST_ROWS or not answer.unique:
            return False
        if plan.limit is not None and len(rows) < plan.limit:
            return False
        if plan.kind == "sorted" and len(rows) < 2:
            return False
        alone = len(plan.select) == 1 and plan.select[0].fn
        if alone and (rows[0][0] is None or (plan.select[0].fn == "count" and rows[0][0] < 2)):
            return False
        if plan.kind in ("per_group", "group_measure") and len(rows) < 2:
            return False
        if plan.kind == "optional_count":
            counts = [row[1] for row in rows]
            return 0 in counts and max(counts) > 0
        if plan.kind == "optional_list":
            return {row[1] is None for row in rows} == {True, False}
        return True


def _chosen(rest: int, count: int) -> tuple[int, ...]:
    """Return the `rest`-th choice of one or two places, the pairs counted as (1, 0), (2, 0) ...

    >>> [_chosen(n, 2) for n in range(4)]
    [(1, 0), (2, 0), (2, 1), (3, 0)]
    """
    if count == 1:
        return (rest,)
    high = (1 + isqrt(1 + 8 * rest)) // 2
    return high, rest - high * (high - 1) // 2


def _sensible(plan: Plan, extras: tuple[Filter, ...], world: World) -> bool:
    """Return whether no property is restricted twice and no extra filter was lost on the way."""
    for pattern in (plan.pattern, plan.other):
        if pattern is None:
            continue
        places = [(f.at, f.property) for f in pattern.filters]
        if plan.compare is not None and plan.kind != "extreme":
            places.append((plan.compare.at, plan.compare.property))
        if len(set(places)) < len(places):
            return False
        # Of two conditions on one entity either may be the first pick: one order is enough.
        if any(
            extra.property < other.property
            for extra in extras
            for other in pattern.filters
            if other.at == extra.at and other.op != "<>" and other not in extras
        ):
            return False
        # Nothing more is to be said about what is named.
        named = [
            f.at for f in pattern.filters
            if f.op == "=" and f.property == world.things[pattern.types[f.at]].title
        ]  # fmt: skip
        if any(sum(f.at == at for f in pattern.filters) > 1 for at in named):
            return False
        if pattern is plan.pattern and not set(extras) <= set(pattern.filters):
            return False
    # What a question asks for or sorts by is not what its conditions fix.
    fixed = {(f.at, f.property) for f in plan.pattern.filters if f.op in ("=", "missing")}
    asked = (*plan.select, *plan.group, *(item for item, _ in plan.order))
    return not any((item.at, item.property) in fixed for item in asked)


def _relaxed(plan: Plan, things: Any) -> list[Plan]:
    """Return the plan without each of its conditions, names excepted."""
    found = []
    for condition in plan.pattern.filters:
        thing = things[plan.pattern.types[condition.at]]
        if condition.property == thing.title and condition.op == "=":
            continue
        filters = tuple(f for f in plan.pattern.filters if f is not condition)
        pattern = replace(plan.pattern, filters=filters)
        compare = plan.compare
        if compare is not None and compare.inner == plan.pattern:
            compare = replace(compare, inner=pattern)
        found.append(replace(plan, pattern=pattern, compare=compare))
    return found


def _moved(plan: Plan) -> Iterator[Plan]:
    """Yield the plan with each of its cuts moved, so that what stands on one changes sides."""
    for filters in _with_moved(plan.pattern.filters):
        pattern, compare = replace(plan.pattern, filters=filters), plan.compare
        if compare is not None and compare.inner == plan.pattern:
            compare = replace(compare, inner=pattern)
        yield replace(plan, pattern=pattern, compare=compare)
    if plan.absent is not None:
        for filters in _with_moved(plan.absent.filters):
            yield replace(plan, absent=replace(plan.absent, filters=filters))
    if plan.having is not None and plan.having[1] in _MOVED:
        item, op, number = plan.having
        yield replace(plan, having=(item, _MOVED[op], number))


def _with_moved(filters: tuple[Filter, ...]) -> Iterator[tuple[Filter, ...]]:
    for at, condition in enumerate(filters):
        if condition.op in _MOVED:
            moved = replace(condition, op=_MOVED[condition.op])
            yield (*filters[:at], moved, *filters[at + 1 :])


@lru_cache(maxsize=64)
def make_space(split: str, number: int, seed: int, size: int) -> Space:
    """Return the questions of a world (cached)."""
    world = make_world(split, number, seed, size)
    return Space(Options(world), (split, number, seed, size))
