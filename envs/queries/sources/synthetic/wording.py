"""From a plan to its question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphenv.envs.queries.sources.synthetic.frames import FRAMES
from graphenv.envs.queries.sources.synthetic.plan import (
    Absent,
    Compare,
    Filter,
    Item,
    Pattern,
    Plan,
    Step,
)
from graphenv.envs.queries.sources.synthetic.vocabulary import PropertyKind
from graphenv.envs.queries.sources.synthetic.world import World

__all__ = ["Choose", "frames_of", "word"]

Choose = Callable[[int], int]
"""Returns a number below the one given: the only source of chance in a wording."""

_FRAME = {
    "other_than": "list", "without": "list", "above_average": "list", "than_named": "list",
    "reach": "list", "reach_count": "count", "both": "list", "siblings": "list", "either": "list",
}  # fmt: skip
_MORE = {">": "more than", ">=": "at least", "=": "exactly", "<": "fewer than"}
_RATHER = {">": "above", "<": "below", ">=": "at least", "<=": "at most", "=": "", "<>": "not"}
_WHEN = {
    "=": "in {}", "<": "before {}", ">": "after {}", "<=": "in {} or before",
    ">=": "in {} or later",
}  # fmt: skip
_NUMBERS = ("zero", "one", "two", "three", "four", "five")


def frames_of(kind: str, wording: str) -> tuple[str, ...]:
    """Return the frames of a kind of question, `seen` or `unseen`."""
    return FRAMES[_FRAME.get(kind, kind)][wording]


def word(plan: Plan, world: World, wording: str, choose: Choose) -> str:
    """Return the question of a plan.

    Parameters
    ----------
    plan, world
        What is asked, and where.
    wording
        `seen` or `unseen`: which frames to use.
    choose
        Where the choices come from.

    Examples
    --------
    >>> from graphenv.envs.queries.sources.synthetic.world import make_world
    >>> world = make_world("train", 0, 0, 200)
    >>> label = world.schema.entities[0].name
    >>> plan = Plan("count", Pattern((label,)), (Item(fn="count"),))
    >>> text = word(plan, world, "seen", lambda n: 0)
    >>> text == f"How many {world.things[label].plural} are there?"
    True
    """
    frames = frames_of(plan.kind, wording)
    frame = frames[choose(len(frames))]
    text = frame.format_map(_Slots(plan, world, choose))
    return text[0].upper() + text[1:]


class _Slots(dict[str, str]):
    """The slots of a frame, each filled when asked for."""

    def __init__(self, plan: Plan, world: World, choose: Choose) -> None:
        super().__init__()
        self._plan, self._world, self._choose = plan, world, choose
        self._types = plan.pattern.types

    def __missing__(self, slot: str) -> str:
        text: str = getattr(self, f"_slot_{slot}")()
        self[slot] = text
        return text

    # -- the things asked about ---------------------------------------------------------------

    def _slot_T(self) -> str:
        plan = self._plan
        if plan.kind in ("optional_count", "optional_list"):
            kept = tuple(step for step in plan.pattern.steps if not step.optional)
            return self._things(Pattern(plan.pattern.types, kept, plan.pattern.filters), 0)
        if plan.kind == "pairs":
            return self._things(Pattern(plan.pattern.types, (), plan.pattern.filters), 0)
        if plan.kind == "siblings":
            return self._siblings()
        text = self._things(plan.pattern, 0, extra=self._extra())
        if plan.other is not None:
            other = self._things(plan.other, 0)
            return f"{text}, or else {other[len(self._world.things[self._types[0]].plural) + 1 :]}"
        return text

    def _things(
        self, pattern: Pattern, at: int, *, end: str = "", extra: tuple[str, ...] = ()
    ) -> str:
        """Return the phrase for entity `at`; with `end` it stands for the last entity."""
        if end and at == len(pattern.types) - 1:
            return end
        thing = self._world.things[pattern.types[at]]
        parts = []
        for condition in pattern.filters:
            if condition.at == at:
                if condition.property == thing.title and condition.op == "=":
                    return f'"{condition.value}"'
                parts.append(self._condition(condition, pattern.types[at]))
        branches = list(extra)
        for number, step in enumerate(pattern.steps, start=1):
            if step.start == at:
                there = self._things(pattern, number, end=end)
                phrase = self._phrase(step.relation, step.forward)
                branches.append(f"{phrase} {there}{_often(step)}")
        # What follows a branch must not be read as a part of its last phrase.
        text = " and ".join([*parts, *branches[:1]])
        return f"{thing.plural} {', and also '.join([text, *branches[1:]])}".strip()

    def _siblings(self) -> str:
        pattern = self._plan.pattern
        first, name = pattern.steps[0], pattern.filters[0].value
        shared = self._world.things[pattern.types[1]].singular
        rest = tuple(c for c in pattern.filters[2:] if c.at == 0)
        things = self._things(Pattern(pattern.types, (), rest), 0)
        link = self._phrase(first.relation, first.forward)
        joint = " and" if rest else ""
        return f'other {things}{joint} {link} the same {shared} as "{name}"'

    def _back(self, pattern: Pattern, at: int) -> str:
        """Return the phrase for entity `at`, said from entity 0 ("directors who made them")."""
        if at == 0:
            return "them"
        step = pattern.steps[at - 1]
        filters = tuple(f for f in pattern.filters if f.at == at)
        things = self._things(Pattern(pattern.types, (), filters), at)
        joint = " and" if filters else ""
        phrase = self._phrase(step.relation, not step.forward)
        return f"{things}{joint} {phrase} {self._back(pattern, step.start)}"

    def _phrase(self, relation: str, forward: bool) -> str:
        return self._world.links[relation].phrases(forward)[self._choose(2)]

    # -- conditions ---------------------------------------------------------------------------

    def _extra(self) -> tuple[str, ...]:
        plan = self._plan
        if plan.absent is not None:
            return (self._without(plan.absent),)
        if plan.compare is not None and plan.kind != "extreme":
            return (self._compared(plan.compare),)
        return ()

    def _without(self, absent: Absent) -> str:
        things = self._things(Pattern((absent.type,), (), absent.filters), 0)
        return f"{self._phrase(absent.step.relation, absent.step.forward)} no {things}"

    def _compared(self, compare: Compare) -> str:
        property_name = _words(compare.property)
        inner = self._things(compare.inner, 0)
        bound = f"that of {inner}" if not compare.fn else f"the average of all {inner}"
        return f"whose {property_name} is {_RATHER[compare.op]} {bound}"

    def _condition(self, condition: Filter, label: str) -> str:
        thing = self._world.things[label]
        name, op, value = _words(condition.property), condition.op, condition.value
        if op == "starts":
            return f'whose {name} starts with "{value}"'
        kind = thing.properties[condition.property]
        if op == "missing":
            return f"whose {name} is not known"
        if kind.kind == "flag":
            return kind.words[0 if value else 1]
        if kind.kind == "year":
            verb = kind.words[0]
            if op == "between":
                return f"{verb} between {_pair(value)}"
            return f"{verb} {_WHEN[op].format(value)}"
        if op == "between":
            return f"whose {name} is between {_pair(value)}"
        if op == "in":
            return f"whose {name} is {value[0]} or {value[1]}"
        return f"whose {name} is {_RATHER[op]} {value}".replace("  ", " ")

    # -- names and properties -----------------------------------------------------------------

    def _slot_n(self) -> str:
        return _words(self._world.things[self._types[0]].title)

    def _slot_ns(self) -> str:
        return _plural(self["n"])

    def _measure(self) -> tuple[str, PropertyKind]:
        plan = self._plan
        if plan.compare is not None:
            item = Item(plan.compare.at, plan.compare.property)
        elif plan.order:
            item = plan.order[0][0]
        else:
            item = plan.select[-1]
        kind = self._world.things[self._types[item.at]].properties[item.property]
        return item.property, kind

    def _slot_p(self) -> str:
        return _words(self._measure()[0])

    def _slot_most(self) -> str:
        plan = self._plan
        if plan.compare is not None:
            down = plan.compare.fn == "max"
        else:
            down = plan.order[0][1]
        if self._measure()[1].kind == "year":
            return "latest" if down else "earliest"
        return "highest" if down else "lowest"

    def _slot_fn(self) -> str:
        fn = self._plan.select[-1].fn
        year = self._measure()[1].kind == "year"
        return {
            "sum": "total", "avg": "average",
            "min": "earliest" if year else "lowest", "max": "latest" if year else "highest",
        }[fn]  # fmt: skip

    def _slot_have(self) -> str:
        limit = self._plan.limit or 1
        return "one has" if limit == 1 else f"{_NUMBERS[limit]} have, in that order,"

    def _slot_first(self) -> str:
        limit = self._plan.limit or 1
        return "first" if limit == 1 else f"first {_NUMBERS[limit]}"

    # -- groups -------------------------------------------------------------------------------

    def _group(self) -> tuple[str, str, str]:
        """Return the noun of what is grouped by, its plural, and the name of its name."""
        item = self._plan.group[0]
        thing = self._world.things[self._types[item.at]]
        if item.property != thing.title:
            noun = _words(item.property)
            return noun, _plural(noun), noun
        return thing.singular, thing.plural, f"{thing.singular} {_words(thing.title)}"

    def _grouped(self, end: str) -> str:
        if len(self._types) == 1:
            text = self._things(self._plan.pattern, 0)
            return text if end == "them" else f"{text} of {end}"
        return self._things(self._plan.pattern, 0, end=end)

    def _slot_g(self) -> str:
        return self._group()[0]

    def _slot_gs(self) -> str:
        return self._group()[1]

    def _slot_gn(self) -> str:
        return self._group()[2]

    def _slot_each(self) -> str:
        return self._grouped(f"each {self['g']}")

    def _slot_that(self) -> str:
        return self._grouped(f"that {self['g']}")

    def _slot_them(self) -> str:
        return self._grouped("them")

    def _slot_number(self) -> str:
        assert self._plan.having is not None
        _, op, number = self._plan.having
        return f"{_MORE[op]} {number}"

    def _slot_have_g(self) -> str:
        limit = self._plan.limit or 1
        if limit == 1:
            return f"{self['g']} has"
        return f"{_NUMBERS[limit]} {self['gs']} have, in that order,"

    def _slot_first_g(self) -> str:
        limit = self._plan.limit or 1
        return self["g"] if limit == 1 else f"{_NUMBERS[limit]} {self['gs']}"

    # -- what belongs to them -----------------------------------------------------------------

    def _slot_C(self) -> str:
        return self._back(self._plan.pattern, len(self._types) - 1)

    def _slot_cn(self) -> str:
        return _words(self._world.things[self._types[-1]].title)


def _often(step: Step) -> str:
    if step.hops is None:
        return ""
    least, most = step.hops
    if most is None:
        return " directly or indirectly"
    if least == most:
        return f" in exactly {_NUMBERS[least]} steps"
    return f" in {_NUMBERS[least]} to {_NUMBERS[most]} steps"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _pair(value: tuple[Any, Any]) -> str:
    return f"{value[0]} and {value[1]}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
