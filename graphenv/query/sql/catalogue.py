"""`Catalogue`: a schema as SQL looks names up, in any case, with the columns that joins use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphenv.query.schema import RelationType, Schema

__all__ = ["Catalogue", "Link", "Table", "catalogue"]

Column = tuple[str, str]
"""(table, column), both in lower case."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the schema spells it; its columns (lower case -> spelling) and their types."""

    name: str
    columns: dict[str, str]
    types: dict[str, str]


@dataclass(frozen=True, slots=True)
class Link:
    """A link table: the relation it stores and its two key columns, in lower case."""

    relation: RelationType
    head: str
    tail: str


class Catalogue:
    """Tables, key pairs and link tables of a schema.

    Columns are the properties, the key, and whatever a join names: foreign key columns need not be
    among the properties of an entity type, and a link table need not be an entity type.
    """

    def __init__(self, schema: Schema) -> None:
        self.name = schema.name.lower()
        self.tables: dict[str, Table] = {}
        self.keys: dict[tuple[Column, Column], tuple[str, bool]] = {}
        self.links: dict[str, Link] = {}
        for entity in schema.entities:
            self._add(entity.name, [p.name for p in entity.properties])
            self._add(entity.name, entity.key)
            known = self.tables[entity.name.lower()].types
            known.update((p.name.lower(), p.type) for p in entity.properties)
        for relation in schema.relations:
            if relation.via and len(relation.joins) == 2:
                self._add_link(relation)
            else:
                for holder, target in relation.joins:
                    left = self._column(relation.head, holder)
                    right = self._column(relation.tail, target)
                    self._pair(left, right, relation.name)

    def _add(self, table: str, columns: Iterable[str]) -> None:
        known = self.tables.setdefault(table.lower(), Table(table, {}, {}))
        for column in columns:
            known.columns.setdefault(column.lower(), column)

    def _column(self, table: str, text: str) -> Column:
        """Return a side of a join, written `table.column`; either name may hold a dot."""
        column = text[len(table) + 1 :]
        self._add(table, [column])
        return table.lower(), column.lower()

    def _pair(self, left: Column, right: Column, name: str) -> None:
        self.keys.setdefault((left, right), (name, True))
        self.keys.setdefault((right, left), (name, False))

    def _add_link(self, relation: RelationType) -> None:
        (from_head, head), (from_tail, tail) = relation.joins
        self._add(relation.via, [p.name for p in relation.properties])
        first, last = (self._column(relation.via, text) for text in (from_head, from_tail))
        # Without a name of their own: half of a relation is named by its columns.
        self._pair(first, self._column(relation.head, head), "")
        self._pair(last, self._column(relation.tail, tail), "")
        self.links[relation.via.lower()] = Link(relation, first[1], last[1])


_KEPT: dict[int, tuple[Schema, Catalogue]] = {}
_MOST = 256


def catalogue(schema: Schema) -> Catalogue:
    """Return the catalogue of a schema, made once per schema object.

    Kept by identity: hashing a schema of 200 columns would cost as much as reading a query.
    """
    kept = _KEPT.get(id(schema))
    if kept is not None and kept[0] is schema:
        return kept[1]
    if len(_KEPT) >= _MOST:
        _KEPT.clear()
    made = Catalogue(schema)
    _KEPT[id(schema)] = (schema, made)
    return made
