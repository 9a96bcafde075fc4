"""Invented names: pronounceable, of one to four words, some with diacritics, all distinct."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from graphenv.seeding import rng
from graphenv.text import normalize

__all__ = ["NameMaker"]

_ONSETS = (
    *("b", "br", "c", "d", "dr", "f", "g", "gr", "h", "j", "k", "l", "l", "m", "m", "n", "n"),
    *("p", "r", "r", "s", "s", "st", "t", "t", "th", "tr", "v", "v", "w", "z", "sh", "ch"),
)
_VOWELS = (*"aaaaaaeeeeeeiiiiiooooouuu" * 3, *"éöáüøí", "ai", "ea", "ia", "ei", "ou")
_CODAS = ("", "", "", "", "n", "r", "l", "s", "m", "th", "nd", "rk", "x", "ñ", "lt")
_ADJECTIVES = (
    *("Silent", "Last", "Golden", "Broken", "Hidden", "Distant", "Crimson", "Second"),
    *("Quiet", "Burning", "Lost"),
)
_NOUNS = (
    *("River", "Winter", "Garden", "Mirror", "Harbour", "Letter", "Road", "Summer", "Voyage"),
    *("Shadow", "Island", "Clock"),
)
_GENRES = (
    *("adventure", "comedy", "drama", "western", "musical", "thriller", "horror", "romance"),
    *("fantasy", "mystery", "satire", "noir", "documentary", "biography", "war film", "farce"),
    *("family film", "crime", "history", "animation", "melodrama", "epic", "heist", "parody"),
)
_STYLES = (
    *("jazz", "blues", "folk", "rock", "soul", "funk", "disco", "techno", "ambient", "metal"),
    *("punk", "swing", "reggae", "opera", "gospel", "bluegrass", "polka", "samba", "flamenco"),
    "waltz",
)
_SPORTS = (
    *("rowing", "fencing", "handball", "cricket", "curling", "sailing", "archery", "hockey"),
    *("rugby", "squash", "judo", "polo", "lacrosse", "bowls"),
)


class NameMaker:
    """Gives out names of a type; no two are equal under `graphenv.text.normalize`.

    Examples
    --------
    >>> maker = NameMaker(seed=0)
    >>> names = maker.make("city", 50)
    >>> len(set(names)), names == NameMaker(seed=0).make("city", 50)
    (50, True)
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._taken: set[str] = set()

    def make(self, kind: str, count: int) -> list[str]:
        """Return `count` new names of a type of entity."""
        draw = _Draw("synthetic names", self._seed, kind)
        pattern = _PATTERNS[kind](draw, count)
        names: list[str] = []
        while len(names) < count:
            name = next(pattern)
            key = normalize(name)
            if key not in self._taken:
                self._taken.add(key)
                names.append(name)
        return names


class _Draw:
    """A stream of small random choices, drawn in blocks (one numpy call each is too slow)."""

    def __init__(self, *key: object) -> None:
        self._generator = rng(*key)
        self._block: list[int] = []

    def below(self, limit: int) -> int:
        if not self._block:
            self._block = self._generator.integers(1 << 30, size=4096).tolist()
        return self._block.pop() % limit

    def of(self, items: Sequence[str]) -> str:
        return items[self.below(len(items))]

    def word(self) -> str:
        syllables = 2 + (self.below(3) == 0)
        text = "".join(self.of(_ONSETS) + self.of(_VOWELS) for _ in range(syllables))
        return (text + self.of(_CODAS)).capitalize()


Pattern = Callable[[_Draw, int], Iterator[str]]


def _person(draw: _Draw, count: int) -> Iterator[str]:
    given = [draw.word() for _ in range(60 + count // 20)]
    family = [draw.word() for _ in range(120 + count // 8)]
    while True:
        first = draw.of(given)
        if draw.below(8) == 0:
            first += f"-{draw.of(given)}"
        elif draw.below(12) == 0:
            first += f" {chr(65 + draw.below(26))}."
        yield f"{first} {draw.of(family)}"


def _title(draw: _Draw, _: int) -> Iterator[str]:
    while True:
        yield (
            draw.word(),
            f"The {draw.of(_ADJECTIVES)} {draw.word()}",
            f"{draw.of(_NOUNS)} of {draw.word()}",
            f"{draw.word()} and {draw.word()}",
            f"{draw.of(_ADJECTIVES)} {draw.of(_NOUNS)} of {draw.word()}",
        )[draw.below(5)]


def _worded(*forms: str) -> Pattern:
    """Return a pattern that puts a new word into one of the forms."""

    def pattern(draw: _Draw, _: int) -> Iterator[str]:
        while True:
            yield draw.of(forms).format(draw.word())

    return pattern


def _listed(words: Sequence[str]) -> Pattern:
    """Return a pattern that gives the words, then compounds with invented first halves."""

    def pattern(draw: _Draw, _: int) -> Iterator[str]:
        yield from words
        while True:
            yield f"{draw.word().lower()} {draw.of(words)}"

    return pattern


_PATTERNS: dict[str, Pattern] = {
    "person": _person,
    "film": _title,
    "book": _worded(
        "A Letter to {}", "The Book of {}", "{} in Winter", "Children of {}", "{}'s Oath"
    ),
    "song": _worded("Song for {}", "{} Again", "Dancing with {}", "Goodbye {}", "{} at Dawn"),
    "band": _worded("The {}s", "{} Quartet", "Electric {}", "{} Brothers"),
    "company": _worded("{} Group", "{} Works", "{} Media", "{} Holdings", "{} and Sons", "{}"),
    "city": _worded("{}", "{}", "New {}", "Port {}", "{} Falls", "{}burg"),
    "country": _worded("{}ia", "{}land", "Republic of {}"),
    "university": _worded("University of {}", "{} College", "{} Institute"),
    "team": _worded("{} Rovers", "{} United", "{} Wanderers", "Sporting {}"),
    "painting": _worded("Portrait of {}", "{} by Night", "View from {}", "Still Life with {}"),
    "museum": _worded("{} Gallery", "{} Museum"),
    "award": _worded("{} Prize", "{} Medal", "Order of {}"),
    "language": _worded("{}ish", "{}ese", "Old {}"),
    "currency": _worded("{} crown", "{} mark"),
    "genre": _listed(_GENRES),
    "style": _listed(_STYLES),
    "sport": _listed(_SPORTS),
}
