"""From a caption to facts: noun phrases, and the verbs and prepositions between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from graphenv.agents.rules.tags import base_form, sentences

__all__ = ["caption_facts"]

_PREPOSITIONS = (
    *(
        "right next to",
        "on top of",
        "in front of",
        "next to",
        "on the side of",
        "to the left of",
        "to the right of",
    ),
    *("on the left side of", "on the right side of", "on the left of", "on the right of"),
    *("in the middle of", "on the back of", "close to", "far from", "left of", "right of"),
    "along with",
)
_AROUND = re.compile("|".join(rf"\b{words}\b" for words in _PREPOSITIONS), re.IGNORECASE)
_PARTICLES = {"up", "down", "off", "away", "out", "over", "along", "through", "near", "by"}
_NUMBERS = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10",
}  # fmt: skip
_SHOWN = {"picture", "image", "photo", "photograph", "view", "scene", "notice"}
_SEEMING = {"be", "look", "appear", "seem"}
_COUNTING = {"first", "second", "third", "much", "several", "many", "one"}
_SHOWING = {"show", "see", "notice", "depict", "can"}


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A noun phrase: its noun, and the attributes before it."""

    label: str
    attributes: tuple[str, ...]


_Item = _Phrase | tuple[str, str]
Fact = tuple[str, ...]


def caption_facts(text: str) -> list[Fact]:
    """Return the facts of a caption: (subject, relation, object), (object, `is`, attribute) and
    lone objects, each once. A name is one object: two men become one.

    >>> caption_facts("a tall man in a red shirt is riding a horse")
    [('man', 'is', 'tall'), ('shirt', 'is', 'red'), ('man', 'in', 'shirt'), ('man', 'ride', \
'horse')]
    """
    joined = _AROUND.sub(lambda found: found[0].replace(" ", "_"), text)
    attributes: dict[Fact, None] = {}
    relations: dict[Fact, None] = {}
    labels: dict[str, None] = {}
    for sentence in sentences(joined):
        items = _phrases(sentence)
        for item in items:
            if isinstance(item, _Phrase) and item.label not in _SHOWN:
                labels[item.label] = None
                for attribute in item.attributes:
                    attributes[item.label, "is", attribute] = None
        for fact in _Clause(items).facts():
            (attributes if fact[1] == "is" else relations)[fact] = None
    found = [*attributes, *relations]
    named = {name for fact in found for name in (fact[0], *(fact[2:] if fact[1] != "is" else ()))}
    return [*found, *((label,) for label in labels if label not in named)]


def _phrases(sentence: Sequence[tuple[str, str]]) -> list[_Item]:
    """Put noun phrases together; other words stay as they are."""
    items: list[_Item] = []
    before: list[tuple[str, str]] = []
    at = 0
    while at < len(sentence):
        word, tag = sentence[at]
        if "_" in word:
            items += [*before, (word.replace("_", " ").lower(), "IN")]
            before = []
        elif _noun(sentence, at):
            end = at + 1
            while end < len(sentence) and _noun(sentence, end) and "_" not in sentence[end][0]:
                end += 1
            label = " ".join(w.lower() for w, _ in sentence[at:end])
            words = [word.lower() for word, _ in before if word.lower() not in _COUNTING]
            items.append(_Phrase(label, tuple(_NUMBERS.get(word, word) for word in words)))
            before = []
            at = end
            continue
        elif tag in ("JJ", "JJS", "CD") or (tag in ("VBG", "VBN") and _opens(sentence, at)):
            before.append((word, tag))
        elif tag == "CC" and before and sentence[at + 1 : at + 2] and sentence[at + 1][1] == "JJ":
            pass  # green and white
        elif tag not in ("DT", "PRP$", "PDT"):
            items += [*before, (word, tag)]
            before = []
        at += 1
    return [*items, *before]


def _noun(sentence: Sequence[tuple[str, str]], at: int) -> bool:
    """Return whether a word is a noun: so it is where a verb would stand behind an article."""
    tag = sentence[at][1]
    verb = tag in ("VB", "VBP") and at > 0 and sentence[at - 1][1] in ("DT", "PRP$")
    return tag.startswith("NN") or verb


def _opens(sentence: Sequence[tuple[str, str]], at: int) -> bool:
    """Return whether a participle stands before a noun like an adjective: a smiling man."""
    behind = sentence[at + 1][1] if at + 1 < len(sentence) else ""
    return behind.startswith("NN") and (at == 0 or sentence[at - 1][1] in ("DT", "PRP$", "JJ"))


class _Clause:
    """Reads the items of one sentence from left to right."""

    def __init__(self, items: Sequence[_Item]) -> None:
        self._items = items
        self._found: list[Fact] = []
        self._subject = ""  # of the clause
        self._last = ""  # the phrase before
        self._loose = False  # whether that one hangs on a preposition
        self._tail: tuple[str, str] | None = None  # what a phrase behind "and" joins

    def facts(self) -> list[Fact]:
        """Return relations, and attributes that stand behind their noun."""
        between: list[tuple[str, str]] = []
        for item in self._items:
            if isinstance(item, _Phrase):
                self._phrase(item.label, between)
                between = []
            else:
                between.append(item)
        self._attributes(between)
        return self._found

    def _phrase(self, label: str, between: list[tuple[str, str]]) -> None:
        words = [(word.lower(), tag) for word, tag in between]
        verbs = [base_form(word) for word, tag in words if tag.startswith("VB")]
        if label in _SHOWN or not self._last or set(verbs) & _SHOWING:
            self._subject = self._last = "" if label in _SHOWN else label
            self._loose, self._tail = False, None
            return
        if any(word in ("that", "which", "who") for word, _ in words):
            self._subject, self._loose = self._last, False
        self._attributes(between)
        acting = [
            at
            for at, (word, tag) in enumerate(words)
            if tag.startswith("VB") and base_form(word) not in _SEEMING
        ]
        if acting:
            self._verb(label, words, acting[-1])
        elif any(tag == "POS" or word in ("'s", "`") for word, tag in words):
            self._add(self._last, "have", label)
            self._subject = label if self._subject == self._last else self._subject
        elif any(tag in ("IN", "TO") for _, tag in words):
            name = " ".join(w for w, tag in words if tag in ("IN", "TO", "JJR") and w != "that")
            head = self._subject if verbs or "JJR" in dict(words).values() else self._last
            if name == "of" and not verbs:  # the leg of a table: the table has it
                self._add(label, "have", head)
            else:
                self._add(head, name, label)
            self._loose = True
        elif self._tail and words and all(tag in ("CC", ",") for _, tag in words):
            self._add(*self._tail, label)
        elif not verbs:
            self._subject, self._loose, self._tail = label, False, None
        self._last = label

    def _verb(self, label: str, words: list[tuple[str, str]], at: int) -> None:
        verb, tag = words[at]
        finite = tag not in ("VBG", "VBN") or any(base_form(w) == "be" for w, _ in words[:at])
        head = self._subject if finite or self._loose or not self._last else self._last
        rest = [w for w, t in words[at + 1 :] if t in ("IN", "TO", "RP") or w in _PARTICLES]
        if rest[-1:] == ["by"] and tag in ("VBN", "VBD"):
            self._add(label, " ".join([base_form(verb), *rest[:-1]]), head)
            self._tail = None
        else:
            self._add(head, " ".join([base_form(verb), *rest]), label)
        self._loose = bool(rest)

    def _attributes(self, words: list[tuple[str, str]]) -> None:
        """Take the adjective behind "is"; "is smaller than" goes on with an object."""
        be = [at for at, (word, _) in enumerate(words) if base_form(word) in _SEEMING]
        if be and self._subject:
            for word, tag in words[be[-1] + 1 :]:
                if tag in ("IN", "TO"):
                    return
                if tag == "JJ":
                    self._found.append((self._subject, "is", word.lower()))

    def _add(self, head: str, relation: str, tail: str) -> None:
        if head and relation:
            self._found.append((head, relation, tail))
            self._tail = head, relation
