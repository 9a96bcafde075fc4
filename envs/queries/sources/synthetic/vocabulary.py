"""What a domain is: kinds of things, their properties, the relations between them, and the words.

Domains are written as short lines of text (see `domain`), so that their files are data.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Domain", "EntityKind", "PropertyKind", "RelationKind", "domain"]

COLUMN_TYPES = {
    "year": "integer",
    "amount": "integer",
    "score": "real",
    "choice": "text",
    "flag": "boolean",
}


@dataclass(frozen=True, slots=True)
class PropertyKind:
    """A property: `names` to choose from, what its values are, how a condition on it is said.

    `kind`: `year` (with the verb that goes before "in 1990"), `amount` (whole numbers over orders
    of magnitude), `score` (one decimal), `choice` (of `words`), `flag` (`words`: how true and false
    are said). Of one that is `missing` some values are unknown.
    """

    names: tuple[str, ...]
    kind: str
    span: tuple[int, int] = (0, 0)
    words: tuple[str, ...] = ()
    missing: bool = False

    @property
    def type(self) -> str:
        """The type of its column."""
        return COLUMN_TYPES[self.kind]

    @property
    def measurable(self) -> bool:
        """Whether it makes sense to order by it."""
        return self.kind in ("year", "amount", "score") and not self.missing


@dataclass(frozen=True, slots=True)
class EntityKind:
    """A kind of thing: labels to choose from with their plurals; what its names look like.

    `names` is a pattern of `graphenv.envs.kgqa.sources.synthetic.names`, perhaps with forms to put
    the name into. `share` is how many rows it has relative to others.
    """

    labels: tuple[tuple[str, str], ...]
    title: tuple[str, ...]
    names: str
    forms: tuple[str, ...]
    share: int
    properties: tuple[PropertyKind, ...]

    @property
    def id(self) -> str:
        """The label by which relations refer to it."""
        return self.labels[0][0]


@dataclass(frozen=True, slots=True)
class RelationKind:
    """A relation; `forth` goes behind a noun for its head ("directed by"), `back` for its tail.

    `many`: `one` (every head has one tail: a foreign key), `maybe` (some have none), `many` (a link
    table), `tree` (as `maybe`, between things of one kind and without cycles).
    """

    names: tuple[str, ...]
    head: str
    tail: str
    many: str
    forth: tuple[str, str]
    back: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain: what its worlds are made of."""

    name: str
    entities: tuple[EntityKind, ...]
    relations: tuple[RelationKind, ...]


def domain(name: str, entities: tuple[str, ...], relations: tuple[str, ...]) -> Domain:
    """Return a domain from its lines.

    An entity's line is `Label plural|Other others / title / names / share / property; property`,
    a property `kind name argument ...` (`kind?` if it may be missing), a relation's line
    `NAME|OTHER / Head Tail many / forth|forth / back|back`.

    Examples
    --------
    >>> cinema = domain("cinema", ("Film films / title / film / 1 / amount runtime 60 200",), ())
    >>> cinema.entities[0].properties[0].span
    (60, 200)
    """
    return Domain(name, tuple(map(_entity, entities)), tuple(map(_relation, relations)))


def _parts(line: str, separator: str) -> list[str]:
    return [part.strip() for part in line.split(separator)]


def _entity(line: str) -> EntityKind:
    labels, title, names, share, properties = _parts(line, " / ")
    pairs = [part.split(" ", 1) for part in labels.split("|")]
    pattern, _, forms = names.partition(":")
    return EntityKind(
        tuple((label, plural) for label, plural in pairs),
        tuple(title.split("|")),
        pattern,
        tuple(_parts(forms, ",")) if forms else ("{}",),
        int(share),
        tuple(_property(part) for part in _parts(properties, ";")),
    )


def _property(text: str) -> PropertyKind:
    kind, names, rest = text.split(" ", 2)
    missing = kind.endswith("?")
    kind = kind.removesuffix("?")
    span = (0, 0)
    words: tuple[str, ...] = ()
    if kind == "year":
        verb, low, high = rest.rsplit(" ", 2)
        span, words = (int(low), int(high)), (verb,)
    elif kind in ("amount", "score"):
        low, high = rest.split(" ")
        span = (int(low), int(high))
    else:
        words = tuple(_parts(rest, "," if kind == "choice" else "|"))
    return PropertyKind(tuple(names.split("|")), kind, span, words, missing)


def _relation(line: str) -> RelationKind:
    names, ends, forth, back = _parts(line, " / ")
    head, tail, many = ends.split(" ")
    a, b = forth.split("|")
    c, d = back.split("|")
    return RelationKind(tuple(names.split("|")), head, tail, many, (a, b), (c, d))
