"""A schema in words: what a prompt shows, and what the tool `schema` answers."""

from __future__ import annotations

from collections.abc import Iterable

from graphenv.query.model import Language
from graphenv.query.schema import EntityType, Property, RelationType, Schema

__all__ = ["describe", "schema_text"]

MAX_TYPES = 80
"""Tables or labels that a prompt lists in full; of larger schemas only the names."""


def schema_text(schema: Schema, language: Language) -> str:
    """Return a schema as a few lines: one a table, or one a label and one a relationship.

    >>> from graphenv.query.schema import EntityType, Property, RelationType, Schema
    >>> film = EntityType("Film", (Property("title"), Property("year", "integer")))
    >>> directed = RelationType("DIRECTED", "Person", "Film")
    >>> print(schema_text(Schema("cinema", (film, EntityType("Person")), (directed,)), "cypher"))
    (:Film {title: text, year: integer})
    (:Person)
    (:Person)-[:DIRECTED]->(:Film)
    """
    if len(schema.entities) > MAX_TYPES:
        names = ", ".join(entity.name for entity in schema.entities)
        return f"{len(schema.entities)} {'tables' if language == 'sql' else 'labels'}: {names}"
    if language == "sql":
        return "\n".join(_table(schema, entity) for entity in schema.entities)
    nodes = [f"(:{_name(e.name)}{_map(e.properties)})" for e in schema.entities]
    return "\n".join([*nodes, *map(_arrow, schema.relations)])


def describe(schema: Schema, name: str, language: Language) -> str | None:
    """Return all about one table, label or relationship; `None` if there is none of that name."""
    entity = schema.entity(name)
    relations = [r for r in schema.relations if r.name.lower() == name.lower()]
    if entity is None and (language == "sql" or not relations):
        return None
    if language == "sql":
        assert entity is not None
        return _table(schema, entity)
    if entity is None:
        return "\n".join(map(_arrow, relations))
    touching = [r for r in schema.relations if entity.name in (r.head, r.tail)]
    return "\n".join([f"(:{_name(entity.name)}{_map(entity.properties)})", *map(_arrow, touching)])


def _table(schema: Schema, entity: EntityType) -> str:
    columns = {p.name: f"{_quoted(p.name)} {p.type}" for p in entity.properties}
    references = {}
    for relation in schema.relations:
        for holder, target in relation.joins:
            table, _, column = holder.partition(".")
            if table.lower() == entity.name.lower():
                references[column] = target
    for column in (*entity.key, *references):
        columns.setdefault(column, _quoted(column))
    lines = []
    for column, text in columns.items():
        notes = "".join(
            [
                " primary key" if entity.key == (column,) else "",
                f" references {references[column]}" if column in references else "",
            ]
        )
        lines.append(text + notes)
    return f"{_quoted(entity.name)}({', '.join(lines)})"


def _arrow(relation: RelationType) -> str:
    head, tail = f"(:{_name(relation.head)})", f"(:{_name(relation.tail)})"
    return f"{head}-[:{_name(relation.name)}{_map(relation.properties)}]->{tail}"


def _map(properties: Iterable[Property]) -> str:
    inner = ", ".join(f"{_name(p.name)}: {p.type}" for p in properties)
    return f" {{{inner}}}" if inner else ""


def _quoted(name: str) -> str:
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'


def _name(name: str) -> str:
    return name if name.isidentifier() else "`" + name.replace("`", "``") + "`"
