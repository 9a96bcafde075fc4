"""From a caption back to its scene: the exact inverse of `wording`, in linear time."""

from __future__ import annotations

from graphenv.envs.scenes.sources.synthetic.frames import ORDINALS
from graphenv.envs.scenes.sources.synthetic.relations import Phrase
from graphenv.envs.scenes.sources.synthetic.syntax import Mention, Sentence, parse
from graphenv.scenes import Scene, SceneObject, SceneRelation
from graphenv.text import bounded

__all__ = ["MAX_CAPTION", "inverse"]

MAX_CAPTION = 20_000
"""Characters of the longest caption that is read."""


def inverse(caption: str) -> tuple[Scene | None, str]:
    """Return `(scene, "")`, or `(None, reason)`; never raises, whatever the text.

    Reads every caption that `write_caption` writes, and gives exactly the scene that it returns
    beside it (without boxes). Read is what consists of its sentences, in any order in which names
    name what was introduced before; those of training and held-out ones may be mixed. Everything
    else is refused: other words, a name that fits no known object or two, a fact that is told
    twice. Case and runs of white space do not count.

    >>> scene, _ = inverse("A man is holding a red mug. The mug is above another mug.")
    >>> scene.facts
    (('mug', 'is', 'red'), ('man', 'hold', 'mug'), ('mug', 'above', 'mug'))
    >>> inverse("A man is holding it.")[1]
    "sentence 1 has no form that is known: 'a man is holding it'"
    """
    if len(caption) > MAX_CAPTION:
        return None, f"the caption has {len(caption)} characters; at most {MAX_CAPTION} are read"
    text = " ".join(caption.lower().replace(",", " , ").split())
    if not text.endswith("."):
        return None, "the caption does not end with a full stop" if text else "the caption is empty"
    reader = _Reader()
    for number, sentence in enumerate(text[:-1].split("."), start=1):
        parsed = parse(sentence.split())
        if parsed is None:
            shown = bounded(sentence.strip().replace(" ,", ","), 120)
            return None, f"sentence {number} has no form that is known: {shown!r}"
        reason = reader.take(parsed)
        if reason:
            return None, f"sentence {number}: {reason}"
    return reader.scene(), ""


class _Reader:
    """Objects and relations as told so far."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.told: list[list[str]] = []
        self.alike: dict[str, list[int]] = {}
        self.relations: dict[SceneRelation, None] = {}

    def take(self, sentence: Sentence) -> str:
        """Add what a sentence says; return why it says nothing that can be true, "" if it does."""
        for mention in sentence.listed:
            reason = self._introduce(mention)
            if reason:
                return reason
        places = []
        for mention in sentence.ones:
            place, reason = self._place(mention)
            if reason:
                return reason
            places.append(place)
        if sentence.words:
            return self._describe(places[0], sentence.words)
        if sentence.frame.pieces[0] == "{phrase}":
            places.reverse()
        for phrase, other in zip(sentence.phrases, places[1:], strict=True):
            reason = self._relate(places[0], phrase, other)
            if reason:
                return reason
        return ""

    def scene(self) -> Scene:
        """Return the scene that was told."""
        objects = []
        for at, (label, told) in enumerate(zip(self.labels, self.told, strict=True)):
            number = self.alike[label].index(at) + 1
            objects.append(SceneObject(f"{label}.{number}", label, tuple(told)))
        return Scene(tuple(objects), tuple(self.relations))

    def _introduce(self, mention: Mention) -> str:
        alike = self.alike.setdefault(mention.label, [])
        if mention.again and not alike:
            return f"another {mention.label}, but none was named before"
        if len(alike) + mention.many > len(ORDINALS):
            return f"more than {len(ORDINALS)} of the label {mention.label!r}"
        for _ in range(mention.many):
            alike.append(len(self.labels))
            self.labels.append(mention.label)
            self.told.append(list(mention.words))
        return ""

    def _place(self, mention: Mention) -> tuple[int, str]:
        if mention.new:
            reason = self._introduce(mention)
            return len(self.labels) - 1, reason
        alike = self.alike.get(mention.label, [])
        if mention.nth:
            if len(alike) < max(mention.nth, 2):
                return 0, f"{len(alike)} of the label {mention.label!r} are known"
            return alike[mention.nth - 1], ""
        found = [at for at in alike if set(mention.words) <= set(self.told[at])]
        if len(found) != 1:
            name = " ".join(("the", *mention.words, mention.label))
            several = f"{len(found)} of the objects told so far" if found else "nothing told so far"
            return 0, f"{name!r} is {several}"
        return found[0], ""

    def _describe(self, place: int, words: list[str]) -> str:
        for word in words:
            if word in self.told[place]:
                return f"that the {self.labels[place]} is {word} is told twice"
            self.told[place].append(word)
        return ""

    def _relate(self, subject: int, phrase: Phrase, other: int) -> str:
        head, tail = (other, subject) if phrase.passive else (subject, other)
        relation = SceneRelation(head, phrase.relation, tail)
        names = f"{self.labels[head]} {phrase.relation} {self.labels[tail]}"
        if head == tail:
            return f"one object stands in a relation to itself: {names}"
        if relation in self.relations:
            return f"told twice: {names}"
        self.relations[relation] = None
        return ""
