"""What a database of ours holds, before an engine has it: rows per table, links per relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphenv.query.schema import RelationType, Schema

__all__ = ["Contents", "link_key"]

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Contents:
    """Data under a schema that both kinds of database can be written from.

    `entities[name]` holds rows in the order of the entity type's properties; the first property is
    the key. `links[relation]` holds (head key, tail key, property ...) rows. Foreign key columns
    and link tables are made from `links` when a relational database is written; they are not among
    the properties. Where several relations of a schema share a name, `link_key` tells them apart.
    """

    schema: Schema
    entities: Mapping[str, tuple[Row, ...]]
    links: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)


def link_key(schema: Schema, relation: RelationType) -> str:
    """Return the key of a relation in `Contents.links`.

    That is its name, or `"name (head, tail)"` if the schema has several relations of that name,
    between other entity types.
    """
    alike = sum(other.name == relation.name for other in schema.relations)
    return relation.name if alike == 1 else f"{relation.name} ({relation.head}, {relation.tail})"
