"""Wrong questions made from right ones: a plan with one thing changed, for both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from graphenv.envs.queries.sources.synthetic.plan import Compare, Filter, Item, Pattern, Plan, Step
from graphenv.envs.queries.sources.synthetic.world import World

__all__ = ["plan_mutants"]

Found = Iterator[tuple[str, Plan]]
_SIGNS = {
    "=": ("<>",),
    "<>": ("=",),
    "<": ("<=", ">"),
    ">": (">=", "<"),
    "<=": ("<",),
    ">=": (">",),
}
_FUNCTIONS = {"min": ("max",), "max": ("min",), "sum": ("avg",), "avg": ("sum", "max"), "count": ()}


def plan_mutants(plan: Plan, world: World) -> Found:
    """Yield (what was done, plan with one thing changed)."""
    for done, pattern in _patterns(plan.pattern, world):
        yield done, replace(plan, pattern=pattern)
    yield from _items(plan, world)
    if plan.group == () and not any(item.fn for item in plan.select):
        yield "distinct", replace(plan, distinct=not plan.distinct)
    if plan.having is not None:
        item, sign, number = plan.having
        for other in _SIGNS[sign]:
            yield "having sign", replace(plan, having=(item, other, number))
        for by in (-1, 1):
            yield "having number", replace(plan, having=(item, sign, number + by))
    if plan.order:
        (first, down), *rest = plan.order
        yield "order turned", replace(plan, order=((first, not down), *rest))
        if plan.limit is None:
            yield "no order", replace(plan, order=())
    if plan.limit is not None:
        yield "limit", replace(plan, limit=plan.limit + 1)
    if plan.absent is not None:
        yield "absent dropped", replace(plan, absent=None)
        for at, condition in enumerate(plan.absent.filters):
            kept = (*plan.absent.filters[:at], *plan.absent.filters[at + 1 :])
            yield "absent wider", replace(plan, absent=replace(plan.absent, filters=kept))
            for done, new in _filter(condition, world, plan.absent.type):
                changed = (*plan.absent.filters[:at], new, *plan.absent.filters[at + 1 :])
                absent = replace(plan.absent, filters=changed)
                yield f"absent: {done}", replace(plan, absent=absent)
    if plan.compare is not None:
        yield from _compared(plan, plan.compare, world)
    if plan.other is not None:
        yield "one side", replace(plan, other=None)
        yield "other side", replace(plan, pattern=plan.other, other=None)
        for done, pattern in _patterns(plan.other, world):
            yield f"other: {done}", replace(plan, other=pattern)


def _patterns(pattern: Pattern, world: World) -> Iterator[tuple[str, Pattern]]:
    for at, condition in enumerate(pattern.filters):
        kept = (*pattern.filters[:at], *pattern.filters[at + 1 :])
        yield "condition dropped", replace(pattern, filters=kept)
        for done, new in _filter(condition, world, pattern.types[condition.at]):
            changed = (*pattern.filters[:at], new, *pattern.filters[at + 1 :])
            yield done, replace(pattern, filters=changed)
    for at, step in enumerate(pattern.steps):
        start, end = pattern.types[step.start], pattern.types[at + 1]
        for done, new_step in _steps(step, start, end, world):
            steps = (*pattern.steps[:at], new_step, *pattern.steps[at + 1 :])
            yield done, replace(pattern, steps=steps)


def _filter(condition: Filter, world: World, label: str) -> Iterator[tuple[str, Filter]]:
    value = condition.value
    for sign in _SIGNS.get(condition.op, ()):
        yield "sign", replace(condition, op=sign)
    if condition.op == "between":
        yield "one bound", replace(condition, op=">=", value=value[0])
        yield "one bound", replace(condition, op="<=", value=value[1])
    elif condition.op == "in":
        yield "one of several", replace(condition, op="=", value=value[0])
    elif condition.op == "starts":
        yield "is, not starts", replace(condition, op="=")
    elif isinstance(value, bool):
        yield "constant", replace(condition, value=not value)
    elif isinstance(value, int | float):
        yield "constant", replace(condition, value=value + 1)
    elif isinstance(value, str):
        thing = world.things[label]
        words: tuple[str, ...] = thing.core
        if condition.property != thing.title:
            words = tuple(thing.properties[condition.property].words)
        other = next((word for word in words if word != value), None)
        if other is not None:
            yield "constant", replace(condition, value=other)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for name in _alike(condition.property, world, label):
            yield "another property", replace(condition, property=name)


def _alike(name: str, world: World, label: str) -> list[str]:
    """Return other properties with values of the same kind."""
    known = world.things[label].properties
    if name not in known:
        return []
    return [n for n, kind in known.items() if n != name and kind.type == known[name].type]


def _steps(step: Step, start: str, end: str, world: World) -> Iterator[tuple[str, Step]]:
    if start == end:
        yield "step turned", replace(step, forward=not step.forward)
    head, tail = (start, end) if step.forward else (end, start)
    for name, link in world.links.items():
        if name != step.relation and (link.head, link.tail) == (head, tail) and step.hops is None:
            yield "another relation", replace(step, relation=name)
        if (
            name != step.relation
            and (link.head, link.tail) == (tail, head)
            and step.hops is None
            and head != tail
        ):
            other = replace(step, relation=name, forward=not step.forward)
            yield "another relation", other
    if step.optional:
        yield "not optional", replace(step, optional=False)
    if step.hops is not None:
        least, most = step.hops
        yield "one hop", replace(step, hops=None)
        yield "fewer hops", replace(step, hops=(least + 1, None if most is None else most + 1))
        if most is not None:
            yield "no end of hops", replace(step, hops=(least, None))


def _items(plan: Plan, world: World) -> Found:
    for at, item in enumerate(plan.select):
        for done, new in _item(item, plan.pattern, world):
            if plan.other is not None and new.at >= len(plan.other.types):
                continue  # the other side has no such node
            select = (*plan.select[:at], new, *plan.select[at + 1 :])
            group = tuple(new if g == item else g for g in plan.group)
            yield done, replace(plan, select=select, group=group)
    if len(plan.select) > 1:
        yield "column dropped", replace(plan, select=plan.select[:-1])
        yield "columns turned", replace(plan, select=plan.select[::-1])


def _item(item: Item, pattern: Pattern, world: World) -> Iterator[tuple[str, Item]]:
    for fn in _FUNCTIONS.get(item.fn, ()):
        yield "function", replace(item, fn=fn)
    if item.fn == "count" and item.property:
        yield "count of all", replace(item, distinct=not item.distinct)
    label = pattern.types[item.at]
    if item.property:
        for name in _alike(item.property, world, label)[:2]:
            yield "another column", replace(item, property=name)
        thing = world.things[label]
        if item.property == thing.title:
            yield "key for title", replace(item, property=thing.key)
        for at, other in enumerate(pattern.types):
            if at != item.at and item.property == world.things[label].title:
                yield "of another", Item(at, world.things[other].title, item.fn, item.distinct)


def _compared(plan: Plan, compare: Compare, world: World) -> Found:
    for sign in _SIGNS[compare.op]:
        yield "compared sign", replace(plan, compare=replace(compare, op=sign))
    for fn in _FUNCTIONS.get(compare.fn, ()):
        yield "compared function", replace(plan, compare=replace(compare, fn=fn))
    label: Any = compare.inner.types[0]
    for name in _alike(compare.property, world, label)[:1]:
        yield "compared property", replace(plan, compare=replace(compare, property=name))
    for done, inner in _patterns(compare.inner, world):
        yield f"inner: {done}", replace(plan, compare=replace(compare, inner=inner))
