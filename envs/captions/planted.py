"""Mistakes in a scene, each of which makes it less true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from graphenv.envs.scenes.sources.base import SceneVocabulary
from graphenv.scenes import Scene, SceneObject, SceneRelation
from graphenv.scenes.edits import fact_level
from graphenv.seeding import rng
from graphenv.text import normalize

__all__ = ["MAX_MISTAKES", "MISTAKES", "planted_scene"]

MAX_MISTAKES = 20

MISTAKES = tuple(
    f"{verb} {what}"
    for verb in ("change", "add", "remove")
    for what in ("object", "attribute", "relation")
)
"""What can be planted; an object that is removed takes what is told of it along."""

Generator = np.random.Generator
T = TypeVar("T")


def planted_scene(
    gold: Scene,
    errors: int,
    name: str,
    words: SceneVocabulary,
    *,
    mistakes: Sequence[str] = MISTAKES,
) -> tuple[Scene, tuple[str, ...]]:
    """Return `gold` with that many mistakes, and what they are; a function of the arguments.

    Mistakes are nested: those of `errors - 1` and one more. Each lowers the F1 of the facts and
    touches nothing that another one touched. Wrong words come from `words` and occur nowhere in
    the gold. Where a scene has no room for so many, there are fewer. Boxes are left out.

    >>> gold = Scene.from_triples([("man", "ride", "horse"), ("horse", "is", "brown")])
    >>> words = SceneVocabulary(("cat", "horse", "man"), ("brown", "red"), ("feed", "ride"))
    >>> draft, made = planted_scene(gold, 1, "example", words)
    >>> made, draft.facts
    (('change relation: ride, feed',), (('horse', 'is', 'brown'), ('man', 'feed', 'horse')))
    """
    draw = rng("planted scene", name)
    state = _State.of(gold, words)
    made: list[str] = []
    level = fact_level(state.scene(), gold)
    for _ in range(errors):
        for at in draw.permutation(len(MISTAKES)).tolist():
            if MISTAKES[at] not in mistakes:
                continue
            tried = state.copy()
            said = _MAKERS[MISTAKES[at]](tried, draw)
            after = fact_level(tried.scene(), gold) if said and tried.things else level
            if after < level:
                state, level = tried, after
                made.append(f"{MISTAKES[at]}: {said}")
                break
        else:
            break
    return state.scene(), tuple(made)


@dataclass
class _Thing:
    label: str
    attributes: list[str]
    fresh: bool = True
    worn: set[str] = field(default_factory=set)
    """Attributes that are a mistake."""


@dataclass
class _Link:
    head: int
    relation: str
    tail: int
    fresh: bool = True


@dataclass
class _State:
    """A scene that is being spoilt, and the words that are wrong in it."""

    things: dict[int, _Thing]
    links: list[_Link]
    words: SceneVocabulary

    @classmethod
    def of(cls, gold: Scene, words: SceneVocabulary) -> _State:
        labels = {normalize(thing.label) for thing in gold.objects}
        attributes = {normalize(a) for thing in gold.objects for a in thing.attributes}
        relations = {normalize(r.relation) for r in gold.relations}
        wrong = (
            tuple(word for word in known if normalize(word) not in {*taken, ""})
            for known, taken in zip(words, (labels, attributes, relations), strict=True)
        )
        things = {at: _Thing(o.label, list(o.attributes)) for at, o in enumerate(gold.objects)}
        links = [_Link(r.head, r.relation, r.tail) for r in gold.relations]
        return cls(things, links, SceneVocabulary(*wrong))

    def copy(self) -> _State:
        things = {
            at: _Thing(t.label, list(t.attributes), t.fresh, set(t.worn))
            for at, t in self.things.items()
        }
        links = [_Link(x.head, x.relation, x.tail, x.fresh) for x in self.links]
        return _State(things, links, self.words)

    def scene(self) -> Scene:
        place = {at: n for n, at in enumerate(self.things)}
        counts: dict[str, int] = {}
        objects = []
        for thing in self.things.values():
            counts[thing.label] = counts.get(thing.label, 0) + 1
            name = f"{thing.label}.{counts[thing.label]}"
            objects.append(SceneObject(name, thing.label, tuple(thing.attributes)))
        return Scene(
            tuple(objects),
            tuple(SceneRelation(place[x.head], x.relation, place[x.tail]) for x in self.links),
        )

    def of_thing(self, at: int) -> list[_Link]:
        return [link for link in self.links if at in (link.head, link.tail)]

    def whole(self) -> list[int]:
        """Return the objects that nothing has touched, with all that is told of them."""
        return [
            at
            for at, thing in self.things.items()
            if thing.fresh and not thing.worn and all(link.fresh for link in self.of_thing(at))
        ]

    def traits(self) -> list[tuple[_Thing, str]]:
        """Return the attributes that nothing has touched."""
        return [
            (thing, attribute)
            for thing in self.things.values()
            if thing.fresh
            for attribute in thing.attributes
            if attribute not in thing.worn
        ]


def _pick(draw: Generator, options: Sequence[T]) -> T | None:
    return options[int(draw.integers(len(options)))] if options else None


def _change_object(state: _State, draw: Generator) -> str:
    at, word = _pick(draw, state.whole()), _pick(draw, state.words.labels)
    if at is None or word is None:
        return ""
    thing = state.things[at]
    said, thing.label, thing.fresh = f"{thing.label}, {word}", word, False
    for link in state.of_thing(at):
        link.fresh = False
    return said


def _add_object(state: _State, draw: Generator) -> str:
    """Add an object, of two with something told between it and one that is there."""
    word, relation = _pick(draw, state.words.labels), _pick(draw, state.words.relations)
    end, told, turned = _pick(draw, state.whole()), draw.random() < 0.5, draw.random() < 0.5
    if word is None or any(thing.label == word for thing in state.things.values()):
        return ""
    new = max(state.things, default=-1) + 1
    state.things[new] = _Thing(word, [], fresh=False)
    if told and end is not None and relation is not None:
        head, tail = (end, new) if turned else (new, end)
        state.links.append(_Link(head, relation, tail, fresh=False))
    return word


def _remove_object(state: _State, draw: Generator) -> str:
    at = _pick(draw, state.whole())
    if at is None:
        return ""
    links = state.of_thing(at)
    for link in links:  # what stands alone now is part of this mistake
        for end in {link.head, link.tail} - {at}:
            state.things[end].fresh = False
    state.links = [link for link in state.links if link not in links]
    return state.things.pop(at).label


def _change_attribute(state: _State, draw: Generator) -> str:
    trait, word = _pick(draw, state.traits()), _pick(draw, state.words.attributes)
    if trait is None or word is None:
        return ""
    thing, attribute = trait
    thing.attributes[thing.attributes.index(attribute)] = word
    thing.worn.add(word)
    return f"{attribute}, {word}"


def _add_attribute(state: _State, draw: Generator) -> str:
    at, word = _pick(draw, state.whole()), _pick(draw, state.words.attributes)
    if at is None or word is None:
        return ""
    thing = state.things[at]
    thing.attributes.append(word)
    thing.worn.add(word)
    return f"{thing.label}, {word}"


def _remove_attribute(state: _State, draw: Generator) -> str:
    trait = _pick(draw, state.traits())
    if trait is None:
        return ""
    thing, attribute = trait
    thing.attributes.remove(attribute)
    thing.fresh = False
    return f"{thing.label}, {attribute}"


def _change_relation(state: _State, draw: Generator) -> str:
    link = _pick(draw, [link for link in state.links if link.fresh])
    word = _pick(draw, state.words.relations)
    if link is None or word is None:
        return ""
    said, link.relation, link.fresh = f"{link.relation}, {word}", word, False
    return said


def _add_relation(state: _State, draw: Generator) -> str:
    ends, word = state.whole(), _pick(draw, state.words.relations)
    if len(ends) < 2 or word is None:
        return ""
    head, tail = draw.choice(np.array(ends), size=2, replace=False).tolist()
    state.links.append(_Link(head, word, tail, fresh=False))
    return f"{state.things[head].label}, {word}, {state.things[tail].label}"


def _remove_relation(state: _State, draw: Generator) -> str:
    link = _pick(draw, [link for link in state.links if link.fresh])
    if link is None:
        return ""
    state.links.remove(link)
    for end in (link.head, link.tail):
        state.things[end].fresh = False
    return f"{state.things[link.head].label}, {link.relation}, {state.things[link.tail].label}"


_MAKERS: dict[str, Callable[[_State, Generator], str]] = {
    "change object": _change_object,
    "add object": _add_object,
    "remove object": _remove_object,
    "change attribute": _change_attribute,
    "add attribute": _add_attribute,
    "remove attribute": _remove_attribute,
    "change relation": _change_relation,
    "add relation": _add_relation,
    "remove relation": _remove_relation,
}
