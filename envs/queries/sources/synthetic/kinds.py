"""The kinds of question: what of a world each is made of, and the plan that comes out.

A kind lists its `parts`; each has a finite list of options in a world and on a path, so the
questions of a kind can be counted and numbered without being made (see `space`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from graphenv.envs.queries.sources.synthetic.options import Options, Path
from graphenv.envs.queries.sources.synthetic.plan import (
    Absent,
    Compare,
    Filter,
    Item,
    Pattern,
    Plan,
)

__all__ = ["FEATURES", "KINDS", "Kind"]

FEATURES = (
    "aggregation", "grouping", "negation", "nesting", "optional", "ordering", "set_operations",
    "variable_length",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of question.

    `hops` is the least and most number of joins. `parts` name lists of `Options`. `extras` says how
    many further filters it may take, on all but the last `closed` entities. `make` gives the plan,
    `None` where the picks do not fit.
    """

    name: str
    features: tuple[str, ...]
    hops: tuple[int, int]
    parts: tuple[str, ...]
    make: Callable[[Options, Pattern, list[Any]], Plan | None]
    extras: int = 2
    closed: int = 0
    path: Callable[[Options, int], list[Path]] = Options.paths


def _anchored(pattern: Pattern, anchor: Filter) -> Pattern:
    at = len(pattern.types) - 1
    return replace(pattern, filters=(replace(anchor, at=at), *pattern.filters))


def _title(options: Options, pattern: Pattern, at: int = 0) -> Item:
    return Item(at, options.world.things[pattern.types[at]].title)


def _key(options: Options, pattern: Pattern, at: int = 0) -> Item:
    return Item(at, options.world.things[pattern.types[at]].key)


def _repeats(options: Options, pattern: Pattern) -> bool:
    """Return whether an entity 0 may come up several times."""
    steps = list(pattern.steps)
    last = len(pattern.types) - 1
    title = options.world.things[pattern.types[last]].title
    named = any(f.at == last and f.op == "=" and f.property == title for f in pattern.filters)
    if steps and named:
        steps.pop()  # a name is one entity, and no two links join the same pair
    return any(options.several(step) for step in steps)


def _list(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    return _listed("list", options, _anchored(pattern, picks[0]))


def _listed(kind: str, options: Options, pattern: Pattern, **more: Any) -> Plan:
    select = (_title(options, pattern),)
    return Plan(kind, pattern, select, distinct=_repeats(options, pattern), **more)


def _values(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = _anchored(pattern, picks[0])
    if any(f.at == 0 and f.property == picks[1] and f.op == "=" for f in pattern.filters):
        return None
    select = (_title(options, pattern), Item(0, picks[1]))
    return Plan("values", pattern, select, distinct=_repeats(options, pattern))


def _pairs(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = replace(pattern, filters=(picks[0], *pattern.filters))
    last = len(pattern.types) - 1
    select = (_title(options, pattern), _title(options, pattern, last))
    doubled = any(options.several(step) for step in pattern.steps[:-1])
    return Plan("pairs", pattern, select, distinct=doubled)


def _counting(options: Options, pattern: Pattern, repeats: bool) -> Item:
    return (
        replace(_key(options, pattern), fn="count", distinct=True) if repeats else Item(fn="count")
    )


def _count(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = _anchored(pattern, picks[0])
    return Plan("count", pattern, (_counting(options, pattern, _repeats(options, pattern)),))


def _total(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = _anchored(pattern, picks[0])
    fn, column = picks[1]
    if fn in ("sum", "avg") and _repeats(options, pattern):
        return None
    return Plan("total", pattern, (Item(0, column, fn),))


def _sorted(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = _anchored(pattern, picks[0])
    if _repeats(options, pattern):
        return None
    title = _title(options, pattern)
    return Plan("sorted", pattern, (title,), order=((Item(0, picks[1]), picks[2]), (title, False)))


def _top(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = _anchored(pattern, picks[0])
    if _repeats(options, pattern):
        return None
    order = ((Item(0, picks[1]), picks[2]),)
    return Plan("top", pattern, (_title(options, pattern),), order=order, limit=picks[3])


def _by(options: Options, pattern: Pattern, column: str) -> tuple[Item, bool] | None:
    """Return what to group by, and whether an entity 0 comes up twice in a group."""
    if not pattern.steps:
        return Item(0, column), False
    if any(f.at == len(pattern.types) - 1 for f in pattern.filters):
        return None  # "each director" leaves no room for a condition
    doubled = any(options.several(step) for step in pattern.steps[:-1])
    return _title(options, pattern, len(pattern.types) - 1), doubled


def _per_group(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    found = _by(options, pattern, picks[0])
    if found is None:
        return None
    by, doubled = found
    if any(f.at == by.at and f.property == by.property for f in pattern.filters):
        return None
    return Plan("per_group", pattern, (by, _counting(options, pattern, doubled)), group=(by,))


def _group_measure(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    found = _by(options, pattern, picks[0])
    if found is None:
        return None
    by, doubled = found
    fn, column = picks[1]
    if fn in ("sum", "avg") and doubled:
        return None
    return Plan("group_measure", pattern, (by, Item(0, column, fn)), group=(by,))


def _having(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    found = _by(options, pattern, picks[0])
    if found is None:
        return None
    by, doubled = found
    having = (_counting(options, pattern, doubled), *picks[1])
    return Plan("having", pattern, (by,), group=(by,), having=having)


def _most(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    found = _by(options, pattern, picks[0])
    if found is None:
        return None
    by, doubled = found
    order = ((_counting(options, pattern, doubled), True),)
    return Plan("most", pattern, (by,), group=(by,), order=order, limit=picks[1])


def _without(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    """The last step of the path is the one that must not be."""
    *steps, last = pattern.steps
    if last.start != 0 and steps:
        return None
    filters = () if picks[0] is None else (picks[0],)
    absent = Absent(replace(last, start=0), pattern.types[-1], filters)
    kept = tuple(f for f in pattern.filters if f.at < len(pattern.types) - 1)
    rest = Pattern(pattern.types[:-1], tuple(steps), kept)
    if steps:
        if picks[1] is None:
            return None
        rest = _anchored(rest, picks[1])
    elif picks[1] is not None or (picks[0] is None and options.always(last)):
        return None
    return _listed("without", options, rest, absent=absent)


def _other_than(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = replace(pattern, filters=(picks[0], *pattern.filters))
    if len(pattern.types) > 1:
        pattern = _anchored(pattern, picks[1])
    elif picks[1] is not None:
        return None
    return _listed("other_than", options, pattern)


def _above_average(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    if len(pattern.types) > 1:
        pattern = _anchored(pattern, picks[0])
    elif picks[0] is not None:
        return None
    compare = Compare(0, picks[1], picks[2], "avg", Pattern(pattern.types[:1]))
    return _listed("above_average", options, pattern, compare=compare)


def _than_named(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    if len(pattern.types) > 1:
        pattern = _anchored(pattern, picks[0])
    elif picks[0] is not None:
        return None
    compare = Compare(0, picks[1], picks[2], "", Pattern(pattern.types[:1], (), (picks[3],)))
    return _listed("than_named", options, pattern, compare=compare)


def _extreme(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = _anchored(pattern, picks[0])
    compare = Compare(0, picks[1], "=", "max" if picks[2] else "min", pattern)
    return _listed("extreme", options, pattern, compare=compare)


def _optional_count(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    *steps, last = pattern.steps
    if options.always(last) or any(f.at == len(pattern.types) - 1 for f in pattern.filters):
        return None
    rest = Pattern(pattern.types[:-1], tuple(steps), pattern.filters)
    rest = _anchored(rest, picks[0])
    if _repeats(options, rest):
        return None
    steps.append(replace(last, start=0, optional=True))
    whole = Pattern(pattern.types, tuple(steps), rest.filters)
    title, end = _title(options, whole), len(whole.types) - 1
    counted = replace(_key(options, whole, end), fn="count")
    return Plan("optional_count", whole, (title, counted), group=(title,))


def _optional_list(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    made = _optional_count(options, pattern, picks)
    if made is None:
        return None
    end = _title(options, made.pattern, len(made.pattern.types) - 1)
    return Plan("optional_list", made.pattern, (made.select[0], end))


def _far(pattern: Pattern, picks: list[Any]) -> Pattern:
    """Let the last step, along a tree, be followed several times from or to a named entity."""
    *steps, last = pattern.steps
    steps.append(replace(last, hops=picks[1]))
    return _anchored(replace(pattern, steps=tuple(steps)), picks[0])


def _reach(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    return _listed("reach", options, _far(pattern, picks))


def _reach_count(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    pattern = _far(pattern, picks)
    counted = _counting(options, pattern, _repeats(options, pattern))
    return Plan("reach_count", pattern, (counted,))


def _both(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    """Two branches from entity 0: the path, and one step more."""
    anchor, (second, condition) = picks
    if second.relation in {step.relation for step in pattern.steps}:
        return None
    title = options.world.things[pattern.types[-1]].title
    if len(pattern.steps) == 1 and anchor.property != title:
        first = pattern.steps[0]  # two branches of one step: one order of them is enough
        if (first.relation, first.forward) >= (second.relation, second.forward):
            return None
    pattern = _anchored(pattern, anchor)
    at = len(pattern.types)
    filters = (*pattern.filters, replace(condition, at=at))
    types = (*pattern.types, options.end(pattern.types[0], second))
    return _listed("both", options, Pattern(types, (*pattern.steps, second), filters))


def _either(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    anchor, (second, condition) = picks
    first = pattern.steps[0]
    if len(pattern.steps) == 1 and (first.relation, first.forward) >= (
        second.relation,
        second.forward,
    ):
        return None
    types = (pattern.types[0], options.end(pattern.types[0], second))
    other = Pattern(types, (second,), (replace(condition, at=1),))
    pattern = _anchored(pattern, anchor)
    return Plan("either", pattern, (_title(options, pattern),), other=other)


def _siblings(options: Options, pattern: Pattern, picks: list[Any]) -> Plan | None:
    anchor = picks[0]
    others = (replace(anchor, at=2), replace(anchor, at=0, op="<>"), *pattern.filters)
    return _listed("siblings", options, replace(pattern, filters=others))


_A = ("aggregation",)
_G = ("aggregation", "grouping")
KINDS: tuple[Kind, ...] = (
    Kind("list", (), (0, 3), ("anchor",), _list),
    Kind("values", (), (0, 3), ("anchor", "column"), _values),
    Kind("pairs", (), (1, 3), ("own",), _pairs),
    Kind("siblings", (), (2, 2), ("name",), _siblings, closed=2, path=Options.there_and_back),
    Kind("both", (), (2, 3), ("anchor", "branch"), _both, extras=1, path=Options.shorter_paths),
    Kind("count", _A, (0, 3), ("anchor",), _count),
    Kind("total", _A, (0, 3), ("anchor", "total"), _total),
    Kind("sorted", ("ordering",), (0, 3), ("narrow_anchor", "measure", "down"), _sorted,
         path=Options.narrow_paths),
    Kind("top", ("ordering",), (0, 3), ("narrow_anchor", "measure", "down", "limit"), _top,
         extras=1, path=Options.narrow_paths),
    Kind("per_group", _G, (0, 3), ("by",), _per_group, closed=1),
    Kind("group_measure", _G, (0, 3), ("by", "total"), _group_measure, closed=1),
    Kind("having", _G, (0, 3), ("by", "number"), _having, closed=1),
    Kind("most", (*_G, "ordering"), (0, 3), ("by", "one"), _most, extras=1, closed=1),
    Kind("without", ("negation",), (1, 3), ("maybe_last", "maybe_before"), _without, closed=1,
         path=Options.forked_paths),
    Kind("other_than", ("negation",), (0, 3), ("unlike", "maybe_anchor"), _other_than),
    Kind("above_average", ("aggregation", "nesting"), (0, 3),
         ("maybe_anchor", "amount", "sign"), _above_average),
    Kind("than_named", ("nesting",), (0, 3),
         ("maybe_anchor", "measure", "sign", "own_name"), _than_named),
    Kind("extreme", ("aggregation", "nesting"), (0, 3), ("anchor", "measure", "down"), _extreme),
    Kind("optional_count", ("optional", *_G), (1, 3), ("before",), _optional_count, closed=1,
         path=Options.optional_paths),
    Kind("optional_list", ("optional",), (1, 3), ("before",), _optional_list, closed=1,
         path=Options.optional_paths),
    Kind("reach", ("variable_length",), (1, 3), ("tree_name", "hops"), _reach, closed=1,
         path=Options.tree_paths),
    Kind("reach_count", ("aggregation", "variable_length"), (1, 3), ("tree_name", "hops"),
         _reach_count, closed=1, path=Options.tree_paths),
    Kind("either", ("set_operations",), (1, 3), ("anchor", "branch"), _either, extras=0),
)  # fmt: skip
