"""The sentences of captions: what `wording` writes and `inverse` reads.

Slots: `{list}` new objects ("a red car, two dogs and a man"), `{one}` an object, new or known,
`{known}` a known object, `{words}` attributes ("red and small"), `{rest}` what the object stands in
("left of the car and near a dog"), `{phrase}` the words of a relation.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FRAMES", "NUMBERS", "ORDINALS", "Frame"]

NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight")
"""How several alike are introduced: from 2."""

ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth"),
)
"""How those of one label are told apart, in the order in which they were introduced: from 1."""


class Frame(NamedTuple):
    """A sentence with slots. `unseen` ones occur in held-out captions only."""

    kind: str
    pieces: tuple[str, ...]
    unseen: bool


def _frame(kind: str, text: str, unseen: bool) -> Frame:
    return Frame(kind, tuple(text.split()), unseen)


_TEXTS = {
    ("intro", False): (
        "the picture shows {list}",
        "the scene contains {list}",
        "one can see {list}",
        "here we see {list}",
        "{list} can be seen",
    ),
    ("intro", True): ("the view takes in {list}", "look out for {list}"),
    ("attribute", False): (
        "{known} is {words}",
        "{known} looks {words}",
        "{known} appears {words}",
        "{known} seems to be {words}",
        "notice that {known} is {words}",
    ),
    ("attribute", True): ("{known} can be described as {words}", "{words} is how {known} looks"),
    ("relation", False): (
        "{one} is {rest}",
        "one can see {one} {rest}",
        "the picture shows {one} {rest}",
        "notice that {one} is {rest}",
        "{phrase} {one} is {one}",
    ),
    ("relation", True): ("observe how {one} is {rest}", "the view has {one} {rest}"),
}

FRAMES = tuple(
    _frame(kind, text, unseen) for (kind, unseen), texts in _TEXTS.items() for text in texts
)
"""Every sentence: five of a kind that training uses, two that only held-out captions use."""
