"""What the sentences of captions say, each by itself: noun phrases, attributes, relations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from graphenv.envs.scenes.sources.synthetic.frames import FRAMES, NUMBERS, ORDINALS, Frame
from graphenv.envs.scenes.sources.synthetic.relations import PHRASES, Phrase
from graphenv.envs.scenes.sources.synthetic.vocabulary import CATEGORY, LABELS, article

__all__ = ["Mention", "Sentence", "matches", "parse"]

_MOST_RELATIONS = 3
"""Relations of a sentence."""


class Mention(NamedTuple):
    """A noun phrase: `new` ones introduce `many` objects, others name one (by `nth` if not 0)."""

    label: str
    words: tuple[str, ...]
    new: bool
    many: int = 1
    nth: int = 0
    again: bool = False


@dataclass
class Sentence:
    """What the slots of a frame hold."""

    frame: Frame
    ones: list[Mention] = field(default_factory=list)
    listed: list[Mention] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)


class _Trie:
    """Words -> value; finds the longest entry that a list of words begins with."""

    def __init__(self, entries: dict[str, object]) -> None:
        self._values = {tuple(name.split()): value for name, value in entries.items()}
        self._most = max(map(len, self._values))

    def find(self, words: list[str], at: int) -> tuple[object, int] | None:
        for length in range(min(self._most, len(words) - at), 0, -1):
            value = self._values.get(tuple(words[at : at + length]))
            if value is not None:
                return value, at + length
        return None


_SINGULAR = _Trie({label.name: label.name for label in LABELS.values()})
_PLURAL = _Trie({label.plural: label.name for label in LABELS.values()})
_SAID = _Trie({phrase.words: phrase for phrase in PHRASES})


def parse(words: list[str]) -> Sentence | None:
    """Return what a sentence says, given as words in lower case, `None` if it has no form of ours.

    >>> parse("the dog is red and small".split()).words
    ['red', 'small']
    """
    for frame in FRAMES:
        sentence = _match(frame, words)
        if sentence is not None:
            return sentence
    return None


def matches(words: list[str]) -> list[Frame]:
    """Return the frames that a sentence fits: one, or none (tested)."""
    return [frame for frame in FRAMES if _match(frame, words) is not None]


def _match(frame: Frame, words: list[str]) -> Sentence | None:
    sentence = Sentence(frame)
    at = 0
    for piece in frame.pieces:
        if piece[0] == "{":
            end = _SLOTS[piece](sentence, words, at)
            if end is None:
                return None
            at = end
        elif at < len(words) and words[at] == piece:
            at += 1
        else:
            return None
    return sentence if at == len(words) else None


def _mention(words: list[str], at: int) -> tuple[Mention, int] | None:
    if at >= len(words):
        return None
    first = words[at]
    start = at = at + 1
    many, nth = 1, 0
    if first in NUMBERS:
        many = NUMBERS.index(first) + 2
    elif first == "the" and at < len(words) and words[at] in ORDINALS:
        nth = ORDINALS.index(words[at]) + 1
        at += 1
    elif first not in ("the", "a", "an", "another"):
        return None
    attributes: list[str] = []
    while not nth and at < len(words) and words[at] in CATEGORY:
        attributes.append(words[at])
        at += 1
    found = (_PLURAL if many > 1 else _SINGULAR).find(words, at)
    if found is None or len(set(attributes)) < len(attributes):
        return None
    if first == "the" and len(attributes) > 1:
        return None
    if first in ("a", "an") and first != article(words[start]):
        return None
    label, at = str(found[0]), found[1]
    new = first != "the"
    return Mention(label, tuple(attributes), new, many, nth, first == "another"), at


def _one(sentence: Sentence, words: list[str], at: int) -> int | None:
    found = _mention(words, at)
    if found is None or found[0].many > 1:
        return None
    sentence.ones.append(found[0])
    return found[1]


def _known(sentence: Sentence, words: list[str], at: int) -> int | None:
    end = _one(sentence, words, at)
    return None if end is None or sentence.ones[-1].new else end


def _list(sentence: Sentence, words: list[str], at: int) -> int | None:
    def item(place: int) -> int | None:
        found = _mention(words, place)
        if found is None or not found[0].new:
            return None
        sentence.listed.append(found[0])
        return found[1]

    return _series(words, at, item)


def _words(sentence: Sentence, words: list[str], at: int) -> int | None:
    def item(place: int) -> int | None:
        if place >= len(words) or words[place] not in CATEGORY:
            return None
        sentence.words.append(words[place])
        return place + 1

    return _series(words, at, item)


def _series(words: list[str], at: int, item: Callable[[int], int | None]) -> int | None:
    """Read "x", "x and x", "x, x and x"; return where it ends."""
    end = item(at)
    commas = False
    while end is not None and end < len(words) and words[end] == ",":
        commas = True
        end = item(end + 1)
    if end is not None and end < len(words) and words[end] == "and":
        return item(end + 1)
    return None if commas else end


def _phrase(sentence: Sentence, words: list[str], at: int) -> int | None:
    found = _SAID.find(words, at)
    if found is None:
        return None
    assert isinstance(found[0], Phrase)
    sentence.phrases.append(found[0])
    return found[1]


def _rest(sentence: Sentence, words: list[str], at: int) -> int | None:
    for number in range(_MOST_RELATIONS):
        place = _phrase(sentence, words, at)
        if place is None or (number and sentence.phrases[-1].passive):
            return None
        end = _one(sentence, words, place)
        if end is None or end >= len(words) or words[end] != "and":
            return end
        at = end + 1
    return None


_SLOTS = {
    "{list}": _list,
    "{one}": _one,
    "{known}": _known,
    "{words}": _words,
    "{rest}": _rest,
    "{phrase}": _phrase,
}
