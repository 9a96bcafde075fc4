"""What a database of ours holds, before an engine has it: rows per table, links per relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphenv.query.schema import Schema

__all__ = ["Contents"]

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Contents:
    """Data under a schema that both kinds of database can be written from.

    `entities[name]` holds rows in the order of the entity type's properties; the first property is
    the key. `links[relation]` holds (head key, tail key, property ...) rows. Foreign key columns
    and link tables are made from `links` when a relational database is written; they are not among
    the properties.
    """

    schema: Schema
    entities: Mapping[str, tuple[Row, ...]]
    links: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
