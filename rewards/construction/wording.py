"""Names in text: words without spelling, numbers and dates in one form, where a name stands.

Case, accents, underscores, punctuation, possessives, the plural s, thousands separators, the words
for small numbers and the form of dates do not matter; the order of words does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from graphenv.corpus import Corpus
from graphenv.rewards.construction.keys import name_key
from graphenv.text import normalize

__all__ = [
    "MAX_NAME_WORDS",
    "Places",
    "dates",
    "places",
    "words",
]

MAX_NAME_CHARS = 200
MAX_NAME_WORDS = 12
"""A name of more words is a copied text and stands nowhere. Of the gold triples of WebNLG three in
a thousand have a longer one, of Re-DocRED and CoNLL04 one of all."""

_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"}
)
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            *("january jan", "february feb", "march mar", "april apr", "may", "june jun"),
            *("july jul", "august aug", "september sep sept", "october oct", "november nov"),
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
_COUNTS = {
    name: str(number)
    for number, name in enumerate(
        (
            *("one", "two", "three", "four", "five", "six"),
            *("seven", "eight", "nine", "ten", "eleven", "twelve"),
        ),
        1,
    )
}
_EMPTY_WORDS = frozenset(
    (
        *("a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "had", "has", "have"),
        *("he", "her", "him", "his", "i", "in", "is", "it", "its", "me", "my", "of", "on", "or"),
        *("our", "she", "that", "the", "their", "them", "they", "this", "those", "to", "was"),
        *("we", "were", "which", "who", "whom", "whose", "with", "you", "your"),
    )
)
"""Words that name nothing by themselves: a node `the` would stand in every passage."""

_COUNTRIES = re.compile(r"\bunited (?:(state)(?: of america)?|kingdom)\b")
"""As `_word` leaves them; texts and names of every data set write US and UK for them at will."""

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_TOKEN = re.compile(rf"(?:{_NUMBER})(?:(?:st|nd|rd|th)\b)?|[^\W\d_]+")
_INITIALS = re.compile(r"(?<![^\W_])([A-Z])(?:\.\s?|\s)(?=[A-Z](?![^\W_]))")
_POSSESSIVE = re.compile(r"(?<=\w)\s?['’`´]\s?s\b")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_SLASH_DATE = re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b")
_PARTS = re.compile(r",|;|&|\band\b")
_ASIDE = re.compile(r"\s*\([^()]*\)\s*$")


def _plain(text: str) -> str:
    """Return text without case and accents."""
    text = normalize(text).replace("_", " ").replace("&", " and ")
    if text.isascii():
        return text
    marked = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(char for char in marked if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Return the words of a text, each in the form in which spellings of it are equal.

    >>> words("Aarhus_Airport's runways: 2,702.0 m"), words("Aarhus airport, runway 2702 m")
    (['aarhu', 'airport', 'runway', '2702', 'm'], ['aarhu', 'airport', 'runway', '2702', 'm'])
    >>> words("the U.S. and O'Brien") == words("The US and O 'Brien")
    True
    """
    found = [_word(token) for token in _tokens(text)]
    return _COUNTRIES.sub(_country, " ".join(found)).split() if "united" in found else found


@lru_cache(maxsize=1 << 14)
def _told(name: str) -> tuple[str, ...]:
    """Return the words of a name: the same names are looked for in every question."""
    return tuple(words(name))


def _country(match: re.Match[str]) -> str:
    return "us" if match[1] else "uk"


def _tokens(text: str) -> list[str]:
    joined = _INITIALS.sub(r"\1", text)  # "J. R. R." and "J.R.R", "U.S." and "US"
    return _TOKEN.findall(_POSSESSIVE.sub(" ", _plain(joined)))


@lru_cache(maxsize=1 << 15)
def _word(token: str) -> str:
    if token[0].isdecimal():
        ordinal = _ORDINAL.fullmatch(token)
        if ordinal:
            return ordinal[1]
        token = token.replace(",", "")
        return token.rstrip("0").rstrip(".") if "." in token else token
    if token in _COUNTS:
        return _COUNTS[token]
    if token == "usa":
        return "us"
    return token[:-1] if len(token) > 3 and token.endswith("s") and token[-2] != "s" else token


def dates(text: str) -> set[str]:
    """Return the days and months that a text names, as `1963-03-13` and `1963-03`.

    >>> sorted(dates("born on 13th of March, 1963; 1963-03-14; May 2, 1964; 13/04/1963"))
    ['1963-03', '1963-03-13', '1963-03-14', '1963-04-13', '1964-05', '1964-05-02']
    """
    plain = _plain(text)
    found = {_day(year, month, day) for year, month, day in _ISO_DATE.findall(plain)}
    for first, second, year in _SLASH_DATE.findall(plain):  # either order is in use
        found |= {_day(year, second, first), _day(year, first, second)}
    tokens = [token for token in _tokens(text) if token not in ("of", "the", "in")]
    for i, token in enumerate(tokens):
        month = _MONTHS.get(token)
        if month is None:
            continue
        before = _number(tokens[i - 1]) if i else ""
        after = [_number(token) for token in tokens[i + 1 : i + 3]] + ["", ""]
        if len(after[0]) == 4:
            found |= {f"{after[0]}-{month:02}", _day(after[0], str(month), before)}
        elif len(after[1]) == 4:
            found |= {f"{after[1]}-{month:02}", _day(after[1], str(month), after[0])}
    return found - {""}


@lru_cache(maxsize=1 << 14)
def _day_in(name: str) -> str:
    """Return the most exact date of a name, "" if it has none."""
    return max(sorted(dates(name)), key=len, default="")


def _number(token: str) -> str:
    match = re.fullmatch(r"(\d{1,4})(?:st|nd|rd|th)?", token)
    return match[1] if match else ""


def _day(year: str, month: str, day: str) -> str:
    if not day or not 1 <= int(day) <= 31 or not 1 <= int(month) <= 12:
        return ""
    return f"{year}-{int(month):02}-{int(day):02}"


class Places:
    """In which passages names stand: by the title or the text of a passage.

    Sets of passages are bits of an int: bit i is the passage i.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._groups = {name_key(name): group for group in corpus.aliases for name in group}
        whole = [f"{passage.title}\n{passage.text}" for passage in corpus.passages]
        split = [words(text) for text in whole]
        self._texts = [f" {' '.join(found)} " for found in split]
        self._dates = [dates(text) for text in whole]
        self._with: dict[str, int] = {}
        for i, found in enumerate(split):
            for word in set(found):
                self._with[word] = self._with.get(word, 0) | 1 << i
        self.num_words = sum(map(len, split))
        self._known: dict[str, int] = {}

    def of(self, names: Iterable[str]) -> int:
        """Return the passages in which one of the names of an entity, or an alias of one, stands.

        >>> from graphenv.corpus import Passage
        >>> text = "On 13 March 1963 she moved to the City of New York."
        >>> here = Places(Corpus((Passage("", text),), aliases=(("NYC", "city of New York"),)))
        >>> [here.of([name]) for name in ("1963-03-13", "NYC", "she moved", "York New", "the")]
        [1, 1, 1, 0, 0]
        """
        found = 0
        for name in dict.fromkeys(names):
            group = self._groups.get(name_key(name), ()) if len(name) <= MAX_NAME_CHARS else ()
            for form in (name, *group):
                found |= self._of_form(form)
        return found

    def _of_form(self, name: str) -> int:
        if len(name) > MAX_NAME_CHARS:
            return 0
        if name not in self._known:
            if len(self._known) > 1 << 16:
                self._known.clear()
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> int:
        told = _told(name)
        found = 0
        if any(word in self._with for word in told):
            found = self._standing(told)
            bare = _ASIDE.sub("", name)  # "Heat (film)"
            if bare != name:
                found |= self._standing(_told(bare))
            if len(told) <= MAX_NAME_WORDS:  # "Greenville, Wisconsin"
                found |= self._together([part for part in _PARTS.split(name) if part.strip()])
        if len(told) <= 4 and any(self._dates) and any(map(str.isdigit, name)):
            day = _day_in(name)
            held = (1 << i for i, known in enumerate(self._dates) if day in known)
            found |= sum(held)
        return found

    def _together(self, parts: list[str]) -> int:
        """Return the passages that hold each of several parts of a name."""
        if len(parts) < 2:
            return 0
        mask = -1
        for part in parts:
            mask &= self._standing(_told(part))
        return mask

    def _standing(self, name: tuple[str, ...]) -> int:
        if len(name) > 1 and name[0] == "the":
            name = name[1:]
        if not 0 < len(name) <= MAX_NAME_WORDS or _EMPTY_WORDS.issuperset(name):
            return 0
        mask = -1
        for word in name:
            mask &= self._with.get(word, 0)
        if len(name) > 1 and mask:
            searched = f" {' '.join(name)} "
            mask &= sum(1 << i for i, text in enumerate(self._texts) if searched in text)
        return mask


@lru_cache(maxsize=128)
def places(corpus: Corpus) -> Places:
    """Return where names stand in the documents; a corpus comes back with its group."""
    return Places(corpus)
