"""Scene graphs with planted mistakes, nested: those of fewer errors are among those of more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from graphenv.envs.scenes.sources.base import SceneVocabulary
from graphenv.scenes import Scene, SceneObject, SceneRelation
from graphenv.seeding import rng
from graphenv.text import normalize

__all__ = ["with_mistakes"]

DANGLING_AT = 3
"""Which mistake is a relation between objects that are not there."""


@dataclass
class _Wrong:
    """Wrong words of each kind, none of them twice and none in the gold."""

    vocabulary: SceneVocabulary
    barred: set[str]
    name: str
    taken: dict[str, int] = field(default_factory=dict)

    def word(self, kind: str) -> str:
        known: tuple[str, ...] = getattr(self.vocabulary, kind)
        start = int(rng("planted words", self.name, kind).integers(max(1, len(known))))
        while (at := self.taken.get(kind, 0)) < len(known):
            self.taken[kind] = at + 1
            word = known[(start + at) % len(known)]
            if normalize(word) not in self.barred:
                self.barred.add(normalize(word))
                return word
        self.taken[kind] = at + 1
        return f"no such {kind[:-1]} {at}"


def with_mistakes(
    scene: Scene,
    vocabulary: SceneVocabulary,
    errors: int,
    name: str,
    *,
    given: bool = False,
    dangling: bool = True,
) -> Scene:
    """Return `scene` with that many mistakes; those of fewer errors are among them.

    An attribute, a relation or the label of a lone object is replaced by another word of the
    vocabulary, in an order that the task's `name` draws; the third mistake is a relation between
    objects that are not there (`dangling`); where no fact is left, mistakes are surplus objects, or
    surplus relations where objects are `given`.

    >>> gold = Scene.from_triples([("man", "ride", "horse")])
    >>> with_mistakes(gold, SceneVocabulary((), (), ("wash",)), 1, "t").facts
    (('man', 'wash', 'horse'),)
    """
    words = {normalize(word) for fact in scene.facts for word in fact}
    wrong = _Wrong(vocabulary, words, name)
    slots = _slots(scene)
    draw = rng("planted scenes", name).permutation(len(slots)).tolist()
    order = [slots[i] for i in draw]
    for number in range(1, errors + 1):
        if dangling and number == DANGLING_AT:
            ends = (f"{wrong.word('labels')}.7", f"{wrong.word('labels')}.8")
            lost = (ends[0], wrong.word("relations"), ends[1])
            scene = replace(scene, dangling=(*scene.dangling, lost))
        elif order:
            scene = _replaced(scene, order.pop(0), wrong)
        elif given:
            more = SceneRelation(0, wrong.word("relations"), len(scene.objects) - 1)
            scene = replace(scene, relations=(*scene.relations, more))
        else:
            label = wrong.word("labels")
            surplus = SceneObject(f"{label}.9", label, (wrong.word("attributes"),))
            scene = replace(scene, objects=(*scene.objects, surplus))
    return scene


def _slots(scene: Scene) -> list[tuple[str, int, int]]:
    """Return what can be replaced: (kind, place of the object or relation, of the attribute)."""
    related = {end for r in scene.relations for end in (r.head, r.tail)}
    slots = [("relations", at, 0) for at in range(len(scene.relations))]
    for at, thing in enumerate(scene.objects):
        slots += [("attributes", at, which) for which in range(len(thing.attributes))]
        if at not in related and not thing.attributes:
            slots.append(("labels", at, 0))
    return slots


def _replaced(scene: Scene, slot: tuple[str, int, int], wrong: _Wrong) -> Scene:
    kind, at, which = slot
    word = wrong.word(kind)
    if kind == "relations":
        relations = list(scene.relations)
        relations[at] = replace(relations[at], relation=word)
        return replace(scene, relations=tuple(relations))
    objects = list(scene.objects)
    thing = objects[at]
    if kind == "attributes":
        attributes = list(thing.attributes)
        attributes[which] = word
        objects[at] = replace(thing, attributes=tuple(attributes))
    else:
        objects[at] = replace(thing, id=f"{word}.9", label=word)
    return replace(scene, objects=tuple(objects))
