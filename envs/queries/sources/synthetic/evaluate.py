"""What a plan returns on contents, in plain Python: filters gold, and checks engines in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from graphenv.envs.queries.contents import Contents
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

    def value(self, label: str, row: int, column: str) -> Any:
        """Return a cell, `None` for the row that is not there."""
        return None if row == _NONE else self.rows[label][row][self.columns[label][column]]

    def follow(self, row: int, step: Step, *, forward: bool) -> Iterable[int]:
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

    def keep(self, label: str, rows: Iterable[int], filters: Sequence[Filter]) -> Iterable[int]:
        """Return those rows that hold all conditions."""
        table, columns = self.rows[label], self.columns[label]
        for condition in filters:
            at, value = columns[condition.property], condition.value
            if condition.op == "missing":
                rows = [i for i in rows if table[i][at] is None]
            else:
                holds = _OPERATORS[condition.op]
                rows = [i for i in rows if table[i][at] is not None and holds(table[i][at], value)]
        return rows


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
    unique = all(a != b for a, b in zip(keys, keys[1:], strict=False))
    return Answer(tuple(row for row, _ in found[:end]), unique)


def _rows(plan: Plan, pattern: Pattern, tables: Tables) -> list[tuple[Row, Row]]:
    """Return rows with their sort keys."""
    bindings = _bindings(pattern, tables)
    if plan.absent is not None:
        bindings = _without(plan.absent, bindings, tables)
    if plan.compare is not None:
        bindings = _compared(plan.compare, pattern, bindings, tables)
    types = pattern.types
    keys = [item for item, _ in plan.order]
    if not plan.group and not any(item.fn for item in plan.select):
        return [
            (
                tuple(tables.value(types[i.at], b[i.at], i.property) for i in plan.select),
                tuple(tables.value(types[i.at], b[i.at], i.property) for i in keys),
            )
            for b in bindings
        ]
    groups: dict[Row, list[Binding]] = {} if plan.group else {(): bindings}
    for b in bindings if plan.group else ():
        key = tuple(tables.value(types[i.at], b[i.at], i.property) for i in plan.group)
        groups.setdefault(key, []).append(b)
    found = []
    for key, members in groups.items():
        known = dict(zip(plan.group, key, strict=True))

        def cell(
            item: Item, known: dict[Item, Any] = known, members: list[Binding] = members
        ) -> Any:
            return _aggregate(item, members, types, tables) if item.fn else known[item]

        if plan.having is not None:
            item, op, number = plan.having
            if not _OPERATORS[op](cell(item), number):
                continue
        found.append((tuple(map(cell, plan.select)), tuple(map(cell, keys))))
    return found


def _aggregate(item: Item, members: list[Binding], types: tuple[str, ...], tables: Tables) -> Any:
    if not item.property:
        return len(members)
    values = [tables.value(types[item.at], b[item.at], item.property) for b in members]
    values = [value for value in values if value is not None]
    if item.distinct:
        values = list(dict.fromkeys(values))
    if item.fn == "count":
        return len(values)
    if not values:
        return None
    if item.fn == "avg":
        return sum(values) / len(values)
    return {"sum": sum, "min": min, "max": max}[item.fn](values)


def _bindings(pattern: Pattern, tables: Tables) -> list[Binding]:
    """Return all ways to fill the pattern, entity by entity, from the one that is named if any."""
    types = pattern.types
    by_entity: list[list[Filter]] = [[] for _ in types]
    named = 0
    for condition in pattern.filters:
        by_entity[condition.at].append(condition)
        if condition.op == "=" and tables.columns[types[condition.at]][condition.property] == 1:
            named = condition.at
    start: Iterable[int] = range(len(tables.rows[types[named]]))
    for condition in by_entity[named]:
        if condition.op == "=" and tables.columns[types[named]][condition.property] == 1:
            row = tables.names[types[named]].get(condition.value)
            start = () if row is None else (row,)
    found: list[dict[int, int]] = [
        {named: row} for row in tables.keep(types[named], start, by_entity[named])
    ]
    bound, waiting = {named}, list(enumerate(pattern.steps, start=1))
    while waiting:
        at = next(
            i for i, (end, step) in enumerate(waiting)
            if not step.optional and (end in bound or step.start in bound) or step.start in bound
        )  # fmt: skip
        end, step = waiting.pop(at)
        outward = step.start in bound
        here, there = (step.start, end) if outward else (end, step.start)
        forward = step.forward if outward else not step.forward
        longer = []
        for binding in found:
            near = tables.follow(binding[here], step, forward=forward)
            near = list(tables.keep(types[there], near, by_entity[there]))
            if not near and step.optional:
                near = [_NONE]
            longer += [{**binding, there: row} for row in near]
        found = longer
        bound.add(there)
    return [tuple(binding[i] for i in range(len(types))) for binding in found]


def _without(absent: Absent, bindings: list[Binding], tables: Tables) -> list[Binding]:
    step = absent.step

    def holds(row: int) -> bool:
        near = tables.follow(row, step, forward=step.forward)
        return not list(tables.keep(absent.type, near, absent.filters))

    return [b for b in bindings if holds(b[step.start])]


def _compared(
    compare: Compare, pattern: Pattern, bindings: list[Binding], tables: Tables
) -> list[Binding]:
    item = Item(0, compare.property, compare.fn or "max")
    inner = _bindings(compare.inner, tables)
    bound = _aggregate(item, inner, compare.inner.types, tables)
    if bound is None:
        return []
    holds, label = _OPERATORS[compare.op], pattern.types[compare.at]
    return [
        b for b in bindings
        if (value := tables.value(label, b[compare.at], compare.property)) is not None
        and holds(value, bound)
    ]  # fmt: skip
