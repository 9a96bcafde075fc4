"""What a database holds: entity types with properties, and relations between them.

One form for relational and graph databases: a table is an entity type, a foreign key or a link
table is a relation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["EntityType", "Property", "RelationType", "Schema"]


@dataclass(frozen=True, slots=True)
class Property:
    """A column or property. `type`: text, integer, real, boolean, date, list or other."""

    name: str
    type: str = "text"


@dataclass(frozen=True, slots=True)
class EntityType:
    """A table or node label. `key` names the identifying columns, where known."""

    name: str
    properties: tuple[Property, ...] = ()
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RelationType:
    """A relation from entity type `head` to `tail`.

    In a relational database it is stored as `joins`, pairs of `"table.column"` that are equal: one
    pair for a foreign key (the holder's column first; head holds it), two for a link table `via`
    (link column to head's key, link column to tail's key). Both are empty in a graph database.
    """

    name: str
    head: str
    tail: str
    properties: tuple[Property, ...] = ()
    joins: tuple[tuple[str, str], ...] = ()
    via: str = ""


@dataclass(frozen=True)
class Schema:
    """A database's schema.

    Examples
    --------
    >>> film = EntityType("film", (Property("title"), Property("director_id", "integer")))
    >>> person = EntityType("person", (Property("id", "integer"), Property("name")), ("id",))
    >>> made = RelationType(
    ...     "directed_by", "film", "person", joins=(("film.director_id", "person.id"),)
    ... )
    >>> schema = Schema("cinema", (film, person), (made,))
    >>> Schema.from_json(schema.to_json()) == schema
    True
    """

    name: str
    entities: tuple[EntityType, ...]
    relations: tuple[RelationType, ...] = ()

    def entity(self, name: str) -> EntityType | None:
        """Return the entity type of that name in any case, `None` if there is none."""
        lowered = name.lower()
        return next((e for e in self.entities if e.name.lower() == lowered), None)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form; `from_json` is its inverse."""
        return {
            "name": self.name,
            "entities": [
                [e.name, [[p.name, p.type] for p in e.properties], list(e.key)]
                for e in self.entities
            ],
            "relations": [
                [
                    *(r.name, r.head, r.tail, [[p.name, p.type] for p in r.properties]),
                    *([list(join) for join in r.joins], r.via),
                ]
                for r in self.relations
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        """Return the schema that `to_json` wrote."""
        entities = tuple(
            EntityType(name, _properties(properties), tuple(key))
            for name, properties, key in data["entities"]
        )
        relations = tuple(
            RelationType(
                *(name, head, tail, _properties(properties)),
                tuple((left, right) for left, right in joins),
                via,
            )
            for name, head, tail, properties, joins, via in data["relations"]
        )
        return cls(data["name"], entities, relations)


def _properties(pairs: Any) -> tuple[Property, ...]:
    return tuple(Property(name, kind) for name, kind in pairs)
