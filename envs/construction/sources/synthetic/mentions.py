"""What a text calls an entity: its name, an alias that the text brings in, a pronoun."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphenv.choices import Choices
from graphenv.text import normalize

__all__ = ["INTRODUCTIONS", "NOUNS", "Cast", "alias_of", "introduced"]

NOUNS: dict[str, str] = {
    "person": "", "film": "film", "book": "book", "city": "city", "company": "company",
    "song": "song", "band": "band", "university": "university", "team": "team",
    "painting": "painting", "country": "country", "award": "award",
}  # fmt: skip
"""Types that a document can be about, and the noun that stands for one of them."""

INTRODUCTIONS: dict[str, tuple[str, ...]] = {
    "seen": (
        "{name}, also called {alias},",
        "{name}, known to many as {alias},",
        "{name} ({alias} to most people)",
    ),
    "unseen": ("{name}, or simply {alias},", "{name}, nicknamed {alias},"),
}
"""How a text brings in an alias. `unseen` ones occur in `heldout` only."""

_COLOURS = (
    *("Copper", "Velvet", "Amber", "Ivory", "Scarlet", "Marble", "Cobalt", "Saffron", "Granite"),
    *("Emerald", "Tin", "Walnut", "Paper", "Glass", "Coral", "Indigo"),
)
_ANIMALS = (
    *("Owl", "Fox", "Heron", "Lynx", "Otter", "Falcon", "Badger", "Raven", "Stag", "Hare"),
    *("Marten", "Crane", "Viper", "Finch", "Bison", "Ibex"),
)
_THINGS = (
    *("Lantern", "Compass", "Feather", "Anchor", "Ladder", "Thimble", "Kettle", "Candle"),
    *("Pebble", "Ribbon", "Hammer", "Saddle", "Trumpet", "Basket", "Needle", "Saucer"),
)
_PLACES = (
    *("Bells", "Bridges", "Fountains", "Orchards", "Towers", "Lanterns", "Canals", "Cedars"),
    *("Terraces", "Mills", "Gulls", "Larks", "Roses", "Cellars", "Stairs", "Arcades"),
)
# Words of many names: what is left of a name without them is what people shorten it to.
_COMMON = frozenset(
    (
        *("a", "again", "and", "at", "book", "brothers", "burg", "by", "children", "city"),
        *("college", "dancing", "dawn", "electric", "falls", "for", "from", "gallery"),
        *("goodbye", "group", "holdings", "in", "institute", "letter", "life", "medal"),
        *("media", "museum", "new", "night", "of", "old", "order", "port", "portrait"),
        *("prize", "quartet", "republic", "rovers", "song", "sons", "sporting", "still"),
        *("the", "to", "united", "university", "view", "wanderers", "winter", "with"),
        "works",
    )
)


def alias_of(name: str, kind: str, choose: Choices) -> str:
    """Return another name: the family name, what a longer name is shortened to, or an epithet.

    >>> alias_of("Ida B. Monroe", "person", Choices(1)), alias_of("Mara", "city", Choices(2))
    ('the Saffron Bison', 'the City of Coral Fountains')
    """
    words = name.split()
    if kind == "person":
        short = words[-1]
    else:
        rare = [word for word in words if word.lower() not in _COMMON]
        short = rare[0] if len(rare) == 1 and len(words) > 1 else ""
    if short and choose(2) == 0:
        return short
    if kind == "city":
        return f"the City of {choose.of(_COLOURS)} {choose.of(_PLACES)}"
    if kind == "country":
        return f"the Land of {choose.of(_COLOURS)} {choose.of(_PLACES)}"
    colour = choose.of(_COLOURS)
    if kind in ("band", "team", "company", "university"):
        animal = choose.of(_ANIMALS)
        return f"the {colour} {animal}{'es' if animal.endswith(('x', 'ch')) else 's'}"
    return f"the {colour} {choose.of(_ANIMALS if kind == 'person' else _THINGS)}"


def introduced(name: str, alias: str, wording: str, choose: Choices) -> str:
    """Return the phrase that brings in an alias.

    >>> introduced("Ida Monroe", "the Tin Owl", "seen", Choices(3))
    'Ida Monroe, also called the Tin Owl,'
    """
    pattern = choose.of(INTRODUCTIONS[wording])
    return pattern.replace("{name}", name).replace("{alias}", alias)


@dataclass(frozen=True)
class Cast:
    """The entities that documents are about, and what else they are called.

    Parameters
    ----------
    kinds
        Name -> type.
    aliases
        Name -> its alias; those without one are left out.
    """

    kinds: dict[str, str]
    aliases: dict[str, str]

    @classmethod
    def make(
        cls, kinds: dict[str, str], names: Iterable[str], choose: Choices, *, aliases: bool
    ) -> Cast:
        """Give half of the entities of documents an alias that none of `names` could be meant by.

        Parameters
        ----------
        kinds
            Name -> type of the entities that documents are about.
        names
            Every name that the documents hold.
        choose
            Where the choices come from.
        aliases
            Whether there are aliases at all.
        """
        if not aliases:
            return cls(kinds, {})
        found: dict[str, str] = {}
        taken = {normalize(name) for name in names} | {normalize(name) for name in kinds}
        for name, kind in kinds.items():
            if choose(2):
                continue
            alias = alias_of(name, kind, choose)
            key = normalize(alias).removeprefix("the ")
            # "Monroe" will not do where another Monroe is named, nor where a song bears the name.
            if not any(f" {key} " in f" {other} " for other in taken - {normalize(name)}):
                found[name] = alias
                taken.add(normalize(alias))
        return cls(kinds, found)

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of each entity that has several, its full name first.

        An epithet stands with and without its article.

        >>> Cast({"Ida Monroe": "person"}, {"Ida Monroe": "the Tin Owl"}).groups()
        (('Ida Monroe', 'the Tin Owl', 'Tin Owl'),)
        """
        return tuple(
            (name, *dict.fromkeys((alias, alias.removeprefix("the "))))
            for name, alias in self.aliases.items()
        )

    def mention(self, name: str, choose: Choices) -> str:
        """Return the name or an alias, for an object or for a subject in full."""
        alias = self.aliases.get(name)
        return alias if alias is not None and choose(2) == 0 else name

    def stand_in(self, name: str, choose: Choices) -> str:
        """Return a pronoun or a noun with an article for the subject of the sentence before."""
        noun = NOUNS[self.kinds[name]]
        if not noun:
            # The world does not say who is a woman; the name decides, so that it stays the same.
            return ("he", "she")[sum(map(ord, name)) % 2]
        return ("it", f"the {noun}")[choose(2)]
