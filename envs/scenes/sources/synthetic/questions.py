"""Questions about a scene that what it tells answers, each with the facts that it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphenv.envs.scenes.sources.synthetic.frames import NUMBERS, ORDINALS
from graphenv.envs.scenes.sources.synthetic.relations import OPPOSITE, PHRASES, SPATIAL, holds
from graphenv.envs.scenes.sources.synthetic.vocabulary import ATTRIBUTES, CATEGORY, LABELS
from graphenv.graph import Graph
from graphenv.scenes import Scene, SceneObject, SceneRelation

__all__ = ["SceneQuestion", "scene_questions"]


@dataclass(frozen=True, slots=True)
class SceneQuestion:
    """A question with its answer and its reasons.

    Attributes
    ----------
    text
        The question.
    answer
        Its items: an attribute, labels of objects, a number in digits, or "yes" or "no".
    rationale
        The objects that it is about, with no more of their attributes and relations than the answer
        follows from, in the form of `Scene.graph`.
    """

    text: str
    answer: tuple[str, ...]
    rationale: Graph


_PLAIN = {phrase.relation: phrase.words for phrase in reversed(PHRASES)}
"""How a relation is worded in questions: by its first phrase."""

_ASKED = {
    "colour": "What colour is {}?",
    "size": "How big is {}?",
    "material": "What is {} made of?",
    "pattern": "What pattern does {} have?",
    "state": "In what state is {}?",
    "mood": "What is {} like?",
}


_CONTRARY = {
    one: other
    for pair in (
        *(("tiny", "large"), ("small", "huge"), ("dirty", "clean")),
        *(("young", "elderly"), ("rusty", "shiny")),
    )
    for one, other in (pair, pair[::-1])
}
_EXCLUSIVE = ("colour", "material", "pattern")
"""Categories of which an object has one: another one is wrong."""


def _contrary(word: str, turn: int) -> str:
    """Return an attribute that is wrong of what is `word`, "" if none is for certain."""
    if CATEGORY[word] not in _EXCLUSIVE:
        return _CONTRARY.get(word, "")
    others = [other for other in ATTRIBUTES[CATEGORY[word]] if other != word]
    return others[(len(word) + turn) % len(others)]


def scene_questions(scene: Scene, width: float) -> tuple[SceneQuestion, ...]:
    """Return the questions that a scene answers: attributes, relations, counts, yes and no.

    Names of objects are those of captions: `the second dog` counts in the scene's order. Each
    question has one right answer, by what the scene tells and by its boxes: which objects stand in
    a relation that boxes decide is asked only if no other one does. An answer "no" contradicts a
    fact that is told (another colour, the relation the other way round).

    Parameters
    ----------
    scene
        A scene of the synthetic source; without boxes only what is told counts.
    width
        Of the picture, in pixels.

    Examples
    --------
    >>> scene = Scene.from_triples([("man", "hold", "mug"), ("mug", "is", "red")])
    >>> for question in scene_questions(scene, 100)[:2]:
    ...     print(question.text, question.answer, question.rationale.triples)
    What colour is the mug? ('red',) (('mug', 'is', 'red'),)
    Is the mug red? ('yes',) (('mug', 'is', 'red'),)
    """
    asker = _Asker(scene, width)
    return (*asker.attributes(), *asker.relations(), *asker.counts())


class _Asker:
    def __init__(self, scene: Scene, width: float) -> None:
        self.scene = scene
        self.width = width
        self.alike: dict[str, list[int]] = {}
        for at, thing in enumerate(scene.objects):
            self.alike.setdefault(thing.label, []).append(at)

    def attributes(self) -> Iterable[SceneQuestion]:
        for at, thing in enumerate(self.scene.objects):
            name = self._name(at)
            for word in thing.attributes:
                category = CATEGORY.get(word, "")
                if sum(CATEGORY.get(other) == category for other in thing.attributes) != 1:
                    continue  # two colours: "what colour" has no one answer
                graph = self._part([at], {at: (word,)})
                yield SceneQuestion(_ASKED[category].format(name), (word,), graph)
                yield SceneQuestion(f"Is {name} {word}?", ("yes",), graph)
                other = _contrary(word, at)
                if other:
                    yield SceneQuestion(f"Is {name} {other}?", ("no",), graph)

    def relations(self) -> Iterable[SceneQuestion]:
        told = {(r.head, r.relation, r.tail) for r in self.scene.relations}
        for r in self.scene.relations:
            head, tail = self._name(r.head), self._name(r.tail)
            graph = self._part([r.head, r.tail], {}, [r])
            words = _PLAIN[r.relation]
            yield SceneQuestion(f"Is {head} {words} {tail}?", ("yes",), graph)
            reverse = (r.tail, r.relation, r.head)
            if r.relation in OPPOSITE and reverse not in told:
                yield SceneQuestion(f"Is {tail} {words} {head}?", ("no",), graph)
            for asks_head in (True, False):
                found = self._answers(r, asks_head)
                if found is None:
                    continue
                places = [x.head if asks_head else x.tail for x in found]
                labels = tuple(dict.fromkeys(self.scene.objects[p].label for p in places))
                known = r.tail if asks_head else r.head
                graph = self._part([*places, known], {}, found)
                text = f"What is {words} {tail}?"
                if not asks_head:
                    text = f"What is {head} {words}?"
                yield SceneQuestion(text, labels, graph)

    def counts(self) -> Iterable[SceneQuestion]:
        for label, places in self.alike.items():
            graph = self._part(places, {})
            plural = LABELS[label].plural if label in LABELS else f"{label}s"
            number = str(len(places))
            yield SceneQuestion(f"How many {plural} are there?", (number,), graph)
            for asked, answer in ((len(places), "yes"), (len(places) + 1, "no")):
                if 0 <= asked - 2 < len(NUMBERS):
                    text = f"Are there {NUMBERS[asked - 2]} {plural}?"
                    yield SceneQuestion(text, (answer,), graph)

    def _answers(self, wanted: SceneRelation, asks_head: bool) -> list[SceneRelation] | None:
        """Return the told relations that answer, `None` if boxes would add to them."""
        objects = self.scene.objects
        known = wanted.tail if asks_head else wanted.head
        found = [
            r
            for r in self.scene.relations
            if r.relation == wanted.relation and (r.tail if asks_head else r.head) == known
        ]
        if found[0] != wanted:
            return None  # asked already
        told = {r.head if asks_head else r.tail for r in found}
        for at, thing in enumerate(objects):
            if at == known or at in told or wanted.relation not in SPATIAL:
                continue
            other = objects[known]
            if thing.box is None or other.box is None:
                continue
            pair = (thing.box, other.box) if asks_head else (other.box, thing.box)
            if holds(wanted.relation, *pair, self.width):
                return None
        return found

    def _name(self, at: int) -> str:
        label = self.scene.objects[at].label
        alike = self.alike[label]
        if len(alike) == 1:
            return f"the {label}"
        return f"the {ORDINALS[alike.index(at)]} {label}"

    def _part(
        self,
        places: Iterable[int],
        words: dict[int, tuple[str, ...]],
        relations: Iterable[SceneRelation] = (),
    ) -> Graph:
        kept = sorted(set(places))
        index = {at: new for new, at in enumerate(kept)}
        things = (self.scene.objects[at] for at in kept)
        objects = [
            SceneObject(thing.id, thing.label, words.get(at, ()))
            for at, thing in zip(kept, things, strict=True)
        ]
        edges = [SceneRelation(index[r.head], r.relation, index[r.tail]) for r in relations]
        return Scene(tuple(objects), tuple(edges)).graph
