"""From a scene to a caption: several sentences, no pronouns, every fact told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from graphenv.envs.scenes.sources.synthetic.frames import FRAMES, NUMBERS, ORDINALS, Frame
from graphenv.envs.scenes.sources.synthetic.relations import PHRASES, Phrase
from graphenv.envs.scenes.sources.synthetic.vocabulary import CATEGORY, LABELS, article
from graphenv.errors import ConfigError
from graphenv.scenes import Scene, SceneObject, SceneRelation

__all__ = ["Caption", "Choose", "reason_against", "write_caption"]

Choose = Callable[[int], int]
"""Returns a number below the one given: the only source of chance in a wording."""

_RELATIONS = frozenset(phrase.relation for phrase in PHRASES)


class Caption(NamedTuple):
    """A caption, and its scene in the order in which it is told; ids are `label.number`."""

    text: str
    scene: Scene


def reason_against(scene: Scene) -> str:
    """Return why a scene cannot be put into words, "" if it can.

    >>> reason_against(Scene.from_triples([("dog", "near", "unicorn")]))
    "no word for the object 'unicorn'"
    """
    if not scene.objects:
        return "there is nothing to tell"
    if scene.dangling:
        return "a relation has an end that is no object"
    counts: dict[str, int] = {}
    for thing in scene.objects:
        if thing.label not in LABELS:
            return f"no word for the object {thing.label!r}"
        counts[thing.label] = counts.get(thing.label, 0) + 1
        for attribute in thing.attributes:
            if attribute not in CATEGORY:
                return f"no word for the attribute {attribute!r}"
        if len(set(thing.attributes)) < len(thing.attributes):
            return f"an attribute stands twice on {thing.label!r}"
    if max(counts.values()) > len(ORDINALS):
        return f"more than {len(ORDINALS)} objects have one label"
    for relation in scene.relations:
        if relation.relation not in _RELATIONS:
            return f"no word for the relation {relation.relation!r}"
        if relation.head == relation.tail:
            return "an object stands in a relation to itself"
    if len(set(scene.relations)) < len(scene.relations):
        return "a relation is there twice"
    return ""


def write_caption(scene: Scene, choose: Choose, *, unseen: bool = False) -> Caption:
    """Return a caption that tells a scene; `inverse` reads it back.

    Parameters
    ----------
    scene
        Any scene over the vocabulary, also one that no source makes.
    choose
        Where order, forms and words come from.
    unseen
        Whether to use the held-out sentences and phrases instead of those of training.

    Raises
    ------
    ConfigError
        If `reason_against` knows a reason.

    Examples
    --------
    >>> scene = Scene.from_triples([("man", "hold", "mug"), ("mug", "is", "red")])
    >>> write_caption(scene, lambda n: 0).text
    'A man is holding a red mug.'
    """
    reason = reason_against(scene)
    if reason:
        raise ConfigError(f"caption: the scene cannot be put into words: {reason}")
    return _Writer(scene, choose, unseen).write()


class _Writer:
    def __init__(self, scene: Scene, choose: Choose, unseen: bool) -> None:
        self.scene = scene
        self.choose = choose
        self.unseen = unseen
        self.known: dict[int, list[str]] = {}  # attributes told, in the order of introduction
        self.relations: list[SceneRelation] = []
        self.sentences: list[str] = []
        # Which attributes an object is introduced with; the others get a sentence of their own.
        self.first = [[a for a in thing.attributes if choose(4) != 3] for thing in scene.objects]

    def write(self) -> Caption:
        lone = set(range(len(self.scene.objects)))
        for relation in self.scene.relations:
            lone -= {relation.head, relation.tail}
        waiting = list(self.scene.relations)
        early = [at for at in range(len(self.scene.objects)) if at in lone or self.choose(3) == 2]
        late = [at for at in early if at in lone and self.choose(4) == 3]
        self._introduce([at for at in early if at not in late])
        while waiting or late or self._open():
            describable = self._open()
            turn = self.choose(len(waiting) + len(describable) + (1 if late else 0))
            if turn < len(waiting):
                self._relate(waiting, turn)
            elif turn < len(waiting) + len(describable):
                self._describe(describable[turn - len(waiting)])
            else:
                self._introduce(late)
                late = []
        text = " ".join(f"{s[0].upper()}{s[1:]}." for s in self.sentences)
        return Caption(text, self._told())

    def _told(self) -> Scene:
        place = {at: new for new, at in enumerate(self.known)}
        counts: dict[str, int] = {}
        objects = []
        for at, known in self.known.items():
            old = self.scene.objects[at]
            counts[old.label] = counts.get(old.label, 0) + 1
            name = f"{old.label}.{counts[old.label]}"
            objects.append(SceneObject(name, old.label, tuple(known), old.box))
        relations = (
            SceneRelation(place[r.head], r.relation, place[r.tail]) for r in self.relations
        )
        return Scene(tuple(objects), tuple(relations))

    def _open(self) -> list[int]:
        """Return the known objects of which attributes are untold."""
        things = self.scene.objects
        return [at for at, known in self.known.items() if len(known) < len(things[at].attributes)]

    # -- sentences ----------------------------------------------------------------------------

    def _introduce(self, items: list[int]) -> None:
        if not items:
            return
        self._shuffle(items)
        phrases: list[str] = []
        while items:
            at = items.pop(0)
            label = self.scene.objects[at].label
            alike = [
                other
                for other in items
                if self.scene.objects[other].label == label and self.first[other] == self.first[at]
            ][: len(NUMBERS)]
            if alike and self.choose(3) != 2:
                words = [NUMBERS[len(alike) - 1], *self.first[at], LABELS[label].plural]
                phrases.append(" ".join(words))
                for other in (at, *alike):
                    self.known[other] = list(self.first[other])
                items[:] = [other for other in items if other not in alike]
            else:
                phrases.append(self._new(at))
        self._say("intro", {"list": _listed(phrases)})

    def _describe(self, at: int) -> None:
        known = self.known[at]
        words = [a for a in self.scene.objects[at].attributes if a not in known]
        if self.choose(2):
            words = words[:1]
        name = self._definite(at)
        known += words
        self._say("attribute", {"known": name, "words": _listed(words)})

    def _relate(self, waiting: list[SceneRelation], turn: int) -> None:
        first = waiting.pop(turn)
        phrase = self._phrase(first.relation)
        subject = first.tail if phrase.passive else first.head
        told = [(first, phrase)]
        while len(told) < 3 and self.choose(2):
            # Active words of a further relation with the same subject.
            more = [r for r in waiting if r.head == subject]
            if not more:
                break
            relation = more[self.choose(len(more))]
            active = self._phrase(relation.relation, active=True)
            waiting.remove(relation)
            told.append((relation, active))
        frame = self._frame("relation", inverted=None if len(told) == 1 else False)
        slots: dict[str, str] = {}
        if "{phrase}" in frame.pieces:
            other = first.head if phrase.passive else first.tail
            slots = {"phrase": phrase.words}
            self._fill(frame, slots, [self._mention(other), self._mention(subject)])
        else:
            one = self._mention(subject)
            rest = []
            for relation, words in told:
                other = relation.head if words.passive else relation.tail
                rest.append(f"{words.words} {self._mention(other)}")
            self._fill(frame, {"rest": " and ".join(rest)}, [one])
        self.relations += [relation for relation, _ in told]

    def _say(self, kind: str, slots: dict[str, str]) -> None:
        self._fill(self._frame(kind), slots, [])

    def _fill(self, frame: Frame, slots: dict[str, str], ones: list[str]) -> None:
        words = []
        for piece in frame.pieces:
            if piece == "{one}":
                words.append(ones.pop(0))
            else:
                words.append(slots[piece[1:-1]] if piece[0] == "{" else piece)
        self.sentences.append(" ".join(words))

    def _frame(self, kind: str, inverted: bool | None = None) -> Frame:
        pool = _frames(kind, self.unseen, inverted is None)
        return pool[self.choose(len(pool))]

    def _phrase(self, relation: str, active: bool = False) -> Phrase:
        pool = _phrases(relation, self.unseen, active)
        return pool[self.choose(len(pool))]

    # -- names of objects ---------------------------------------------------------------------

    def _mention(self, at: int) -> str:
        return self._definite(at) if at in self.known else self._new(at)

    def _new(self, at: int) -> str:
        label = self.scene.objects[at].label
        words = [*self.first[at], label]
        again = any(self.scene.objects[other].label == label for other in self.known)
        self.known[at] = list(self.first[at])
        if again and self.choose(3) != 2:
            return " ".join(["another", *words])
        return " ".join([article(words[0]), *words])

    def _definite(self, at: int) -> str:
        label = self.scene.objects[at].label
        alike = [other for other in self.known if self.scene.objects[other].label == label]
        told = self.known[at]
        alone = [a for a in told if sum(a in self.known[other] for other in alike) == 1]
        plain = [f"the {label}"] if len(alike) == 1 else []
        if len(alike) > 1:
            plain = [f"the {ORDINALS[alike.index(at)]} {label}"]
        named = [f"the {word} {label}" for word in alone]
        if len(alike) > 1 and named:
            plain, named = named, plain
        # The usual name most of the time.
        pool = plain if not named or self.choose(4) != 3 else named
        return pool[self.choose(len(pool))]

    def _shuffle(self, items: list[int]) -> None:
        for at in range(len(items) - 1, 0, -1):
            other = self.choose(at + 1)
            items[at], items[other] = items[other], items[at]


@lru_cache(maxsize=64)
def _frames(kind: str, unseen: bool, inverted: bool) -> tuple[Frame, ...]:
    return tuple(
        frame
        for frame in FRAMES
        if frame.kind == kind
        and frame.unseen == unseen
        and (inverted or "{phrase}" not in frame.pieces)
    )


@lru_cache(maxsize=256)
def _phrases(relation: str, unseen: bool, active: bool) -> tuple[Phrase, ...]:
    found = [p for p in PHRASES if p.relation == relation and not (active and p.passive)]
    # A relation whose held-out words are all passive keeps its others where active ones are needed.
    return tuple([p for p in found if p.unseen == unseen] or found)


def _listed(words: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c".

    >>> _listed(["a car", "a dog", "a man"])
    'a car, a dog and a man'
    """
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
