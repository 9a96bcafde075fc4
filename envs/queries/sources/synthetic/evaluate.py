"""What a plan returns on contents, in plain Python: filters gold, and checks engines in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from graphenv.envs.queries.files.contents import Contents
from graphenv.envs.queries.sources.synthetic.plan import (
    Absent,
    Compare,
    Filter,
    Item,
    Pattern,
    Plan,
    Step,
)

__all__ = ["Answer", "Tables", "evaluate"]

Row = tuple[Any, ...]
Binding = tuple[int, ...]
_NONE = -1
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq, "<>": ne, "<": lt, ">": gt, "<=": le, ">=": ge,
    "between": lambda a, b: b[0] <= a <= b[1],
    "in": lambda a, b: a in b,
    "starts": lambda a, b: a.startswith(b),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a plan; `unique` is false if ties decide which they are, or their order."""

    rows: tuple[Row, ...]
    unique: bool = True


class Tables:
    """Contents with what joins need: rows by number, neighbours of a row along a relation."""

    def __init__(self, contents: Contents) -> None:
        schema = contents.schema
        self.rows = dict(contents.entities)
        self.columns = {
            e.name: {p.name: at for at, p in enumerate(e.properties)} for e in schema.entities
        }
        number = {
            label: {row[0]: at for at, row in enumerate(rows)} for label, rows in self.rows.items()
        }
        self.names = {
            label: {row[1]: at for at, row in enumerate(rows)} for label, rows in self.rows.items()
        }
        # With a cell more for the row that is not there, number -1.
        self.cells = {
            (label, column): [*(row[at] for row in rows), None]
            for label, rows in self.rows.items()
            for column, at in self.columns[label].items()
        }
        self._matching: dict[tuple[Any, ...], frozenset[int]] = {}
        self.neighbours: dict[tuple[str, bool], list[list[int]]] = {}
        for relation in schema.relations:
            forth: list[list[int]] = [[] for _ in self.rows[relation.head]]
            back: list[list[int]] = [[] for _ in self.rows[relation.tail]]
            heads, tails = number[relation.head], number[relation.tail]
            for head, tail in contents.links[relation.name]:
                forth[heads[head]].append(tails[tail])
                back[tails[tail]].append(heads[head])
            self.neighbours[relation.name, True] = forth
            self.neighbours[relation.name, False] = back

    def follow(self, row: int, step: Step, forward: bool) -> list[int]:
        """Return where a step leads from a row."""
        near = self.neighbours[step.relation, forward]
        if step.hops is None:
            return near[row]
        least, most = step.hops
        found: list[int] = []
        frontier, depth = [row], 0
        while frontier and (most is None or depth < most):
            frontier, depth = [b for a in frontier for b in near[a]], depth + 1
            if depth >= least:
                found += frontier
        return found

    def matching(self, label: str, filters: Iterable[Filter]) -> frozenset[int] | None:
        """Return the rows that hold all conditions, `None` for all rows if there are none."""
        found: frozenset[int] | None = None
        for condition in filters:
            key = (label, condition.property, condition.op, condition.value)
            rows = self._matching.get(key)
            if rows is None:
                rows = self._matching[key] = frozenset(self._holding(label, condition))
            found = rows if found is None else found & rows
        return found

    def _holding(self, label: str, condition: Filter) -> Iterable[int]:
        at, value = self.columns[label][condition.property], condition.value
        cells = [row[at] for row in self.rows[label]]
        if condition.op == "missing":
            return (i for i, cell in enumerate(cells) if cell is None)
        holds = _OPERATORS[condition.op]
        return (i for i, cell in enumerate(cells) if cell is not None and holds(cell, value))


def evaluate(plan: Plan, tables: Tables) -> Answer:
    """Return what a plan returns on these tables."""
    if plan.other is not None:
        parts = (_rows(plan, plan.pattern, tables), _rows(plan, plan.other, tables))
        return Answer(tuple(dict.fromkeys(row for part in parts for row, _ in part)))
    found = _rows(plan, plan.pattern, tables)
    if not plan.order:
        rows = [row for row, _ in found]
        return Answer(tuple(dict.fromkeys(rows) if plan.distinct else rows))
    if plan.distinct:
        found = list(dict.fromkeys(found))
    if any(part is None for _, key in found for part in key):
        return Answer((), unique=False)
    for at in reversed(range(len(plan.order))):
        found.sort(key=lambda pair: pair[1][at], reverse=plan.order[at][1])
    end = len(found) if plan.limit is None else plan.limit
    keys = [key for _, key in found[: end + 1]]
    unique = all(a != b for a, b in pairwise(keys))
    return Answer(tuple(row for row, _ in found[:end]), unique)


def _rows(plan: Plan, pattern: Pattern, tables: Tables) -> list[tuple[Row, Row]]:
    """Return rows with their sort keys."""
    keys = [item for item, _ in plan.order]
    having = [] if plan.having is None else [plan.having[0]]
    items = (*plan.select, *plan.group, *keys, *having)
    needed = {item.at for item in items if item.property}
    if plan.absent is not None:
        needed.add(plan.absent.step.start)
    if plan.compare is not None:
        needed.add(plan.compare.at)
    aggregates = [item for item in items if item.fn]
    once = plan.distinct or plan.other is not None
    if aggregates:
        once = all(item.distinct or item.fn in ("min", "max") for item in aggregates)
    bindings, places = _bindings(pattern, tables, needed, once=once)
    if plan.absent is not None:
        bindings = _without(plan.absent, bindings, places, tables)
    if plan.compare is not None:
        bindings = _compared(plan.compare, pattern, bindings, places, tables)

    def column(item: Item) -> list[Any]:
        cells = tables.cells[pattern.types[item.at], item.property]
        place = places[item.at]
        return [cells[binding[place]] for binding in bindings]

    if not plan.group and not aggregates:
        rows = list(zip(*map(column, plan.select), strict=True))
        if not keys:
            return [(row, ()) for row in rows]
        return list(zip(rows, zip(*map(column, keys), strict=True), strict=True))
    groups: dict[Row, list[int]] = {} if plan.group else {(): list(range(len(bindings)))}
    if plan.group:
        for number, group in enumerate(zip(*map(column, plan.group), strict=True)):
            groups.setdefault(group, []).append(number)
    columns = {item: column(item) for item in aggregates if item.property}
    found = []
    for group, members in groups.items():
        cells: dict[Item, Any] = dict(zip(plan.group, group, strict=True))
        for item in aggregates:
            if item.property:
                values = columns[item]
                cells[item] = _aggregate(item, [values[number] for number in members])
            else:
                cells[item] = len(members)
        if plan.having is not None:
            item, op, number = plan.having
            if not _OPERATORS[op](cells[item], number):
                continue
        found.append((tuple([cells[i] for i in plan.select]), tuple([cells[i] for i in keys])))
    return found


def _aggregate(item: Item, values: list[Any]) -> Any:
    values = [value for value in values if value is not None]
    if item.fn == "count":
        return len(set(values)) if item.distinct else len(values)
    if not values:
        return None
    if item.fn == "avg":
        return sum(values) / len(values)
    if item.fn == "sum":
        return sum(values)
    return min(values) if item.fn == "min" else max(values)


def _bindings(
    pattern: Pattern, tables: Tables, needed: set[int], *, once: bool
) -> tuple[list[Binding], dict[int, int]]:
    """Return all ways to fill the pattern, and where in them the needed entities stand.

    Begins at the last entity if that one is restricted, else at entity 0. Entities that nothing
    needs any more are dropped on the way, and with `once` the repetitions that this makes.
    """
    types = pattern.types
    filters: list[list[Filter]] = [[] for _ in types]
    for condition in pattern.filters:
        filters[condition.at].append(condition)
    waiting = list(enumerate(pattern.steps, start=1))
    last = len(types) - 1
    first = last if filters[last] and not any(step.optional for step in pattern.steps) else 0
    start = tables.matching(types[first], filters[first])
    everything = range(len(tables.rows[types[first]]))
    found: list[Binding] = [(row,) for row in (everything if start is None else sorted(start))]
    places = {first: 0}
    while waiting:
        at = next(
            i for i, (end, step) in enumerate(waiting) if step.start in places or end in places
        )
        end, step = waiting.pop(at)
        outward = step.start in places
        here, there = (step.start, end) if outward else (end, step.start)
        forward = step.forward == outward
        allowed = tables.matching(types[there], filters[there])
        place = places[here]
        wanted = needed.union(*((s.start, e) for e, s in waiting))
        kept = [entity for entity in places if entity in wanted]
        columns = [places[entity] for entity in kept]
        whole, last_wanted = len(kept) == len(places), there in wanted
        places = {entity: at for at, entity in enumerate(kept)}
        if last_wanted:
            places[there] = len(kept)
        beside, hop = tables.neighbours[step.relation, forward], step.hops is None
        longer: list[Binding] = []
        for binding in found:
            near = beside[binding[place]] if hop else tables.follow(binding[place], step, forward)
            if allowed is not None:
                near = [row for row in near if row in allowed]
            if not near:
                if not step.optional:
                    continue
                near = [_NONE]
            known = binding if whole else tuple([binding[c] for c in columns])
            if not last_wanted:
                longer += [known] * len(near)
            elif known:
                longer += [(*known, row) for row in near]
            else:
                longer += zip(near)
        dropped = not (whole and last_wanted)
        found = list(dict.fromkeys(longer)) if once and dropped else longer
    return found, places


def _without(
    absent: Absent, bindings: list[Binding], places: dict[int, int], tables: Tables
) -> list[Binding]:
    step, place = absent.step, places[absent.step.start]
    allowed = tables.matching(absent.type, absent.filters)

    def holds(row: int) -> bool:
        near = tables.follow(row, step, step.forward)
        return not (near if allowed is None else allowed.intersection(near))

    return [b for b in bindings if holds(b[place])]


def _compared(
    compare: Compare,
    pattern: Pattern,
    bindings: list[Binding],
    places: dict[int, int],
    tables: Tables,
) -> list[Binding]:
    once = compare.fn != "avg"
    inner, inside = _bindings(compare.inner, tables, {0}, once=once)
    cells = tables.cells[compare.inner.types[0], compare.property]
    place = inside[0]
    values = [cells[binding[place]] for binding in inner]
    bound = _aggregate(Item(0, compare.property, compare.fn or "max"), values)
    if bound is None:
        return []
    holds, cells = _OPERATORS[compare.op], tables.cells[pattern.types[compare.at], compare.property]
    place = places[compare.at]
    return [b for b in bindings if (v := cells[b[place]]) is not None and holds(v, bound)]
