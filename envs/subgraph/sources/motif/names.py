"""Invented names of a type: mostly plain words, some long and odd; all distinct. Or short codes."""

from __future__ import annotations

from collections.abc import Callable

from graphenv.choices import Choices, Permutation
from graphenv.seeding import stable_hash
from graphenv.task import SPLITS
from graphenv.text import normalize

__all__ = ["STYLES", "make_names"]

STYLES = ("invented", "short")
_ONSETS = ("b", "br", "c", "d", "f", "fl", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v")
_VOWELS = ("a", "e", "i", "o", "u", "y", "ae", "io", "é", "ö")
_CODAS = ("", "", "n", "r", "l", "x", "th", "s")


def _word(choose: Choices) -> str:
    pieces = (choose.of(_ONSETS) + choose.of(_VOWELS) for _ in range(2 + (choose(3) == 0)))
    return "".join(pieces) + choose.of(_CODAS)


_PLAIN: dict[str, Callable[[Choices], str]] = {
    "enzyme": lambda c: f"{_word(c)}ase {c(9) + 1}",
    "compound": lambda c: _word(c) + c.of(("ine", "ol", "amide", "ic acid")),
    "strain": lambda c: f"{_word(c).capitalize()} {_word(c)}",
    "tissue": lambda c: f"{_word(c)} {c.of(('cortex', 'gland', 'root', 'membrane'))}",
    "pathway": lambda c: f"{_word(c).capitalize()} {c.of(('cycle', 'cascade', 'route'))}",
    "lab": lambda c: f"{c.of(('', 'Institute of '))}{_word(c).capitalize()}",
}
_ODD: tuple[Callable[[Choices, str], str], ...] = (
    lambda c, name: f"2,{c(8) + 3}-{name} (form {'ABC'[c(3)]})",
    lambda c, name: f'"{name}", variant {c(90) + 10}/{"xyz"[c(3)]}',
    lambda c, name: f"{name} & {_word(c)}; formerly {_word(c)} {_word(c)} of {_word(c)}",
    lambda c, name: f"{name}_{c(9000) + 1000}-β",
)


def make_names(
    kind: str, count: int, style: str, taken: set[str], split: str, *key: object
) -> list[str]:
    """Return `count` names of a type that are new under `normalize`; `taken` grows by them.

    Short names of different splits differ: the rest of their number by three is the split's.

    >>> make_names("enzyme", 3, "short", set(), "train", 0)
    ['e72', 'e3', 'e60']
    """
    if style == "short":
        numbers = Permutation(max(66, 2 * count), "motif names", kind, *key)
        return [f"{kind[0]}{3 * numbers(i) + SPLITS.index(split)}" for i in range(count)]
    names: list[str] = []
    choose = Choices(stable_hash("motif names", kind, *key))
    while len(names) < count:
        name = _PLAIN[kind](choose)
        name = choose.of(_ODD)(choose, name) if choose(20) == 0 else name
        if normalize(name) not in taken:
            taken.add(normalize(name))
            names.append(name)
    return names
