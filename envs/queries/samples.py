"""The query behind `sample_values`: names come from the schema, never from model text."""

from __future__ import annotations

from graphenv.errors import did_you_mean
from graphenv.query.model import Language
from graphenv.query.schema import Schema
from graphenv.text import bounded

__all__ = ["sample_query"]

SAMPLED = 20
"""Distinct values that are looked up."""


def sample_query(
    schema: Schema, language: Language, table: str, column: str
) -> tuple[str | None, str]:
    """Return a query for the first distinct values of a column, or `None` and what is wrong.

    One value more than `SAMPLED`, which tells whether there are more.

    >>> from graphenv.query.schema import EntityType, Property, Schema
    >>> cinema = Schema("cinema", (EntityType("Film", (Property("title"),)),))
    >>> sample_query(cinema, "sql", "film", "TITLE")[0]
    'SELECT DISTINCT "title" FROM "Film" WHERE "title" IS NOT NULL ORDER BY 1 LIMIT 21'
    >>> sample_query(cinema, "sql", "film", "titel")[1]
    "'Film' has no column 'titel'. Did you mean 'title'?"
    """
    found = _columns(schema, language, table)
    if found is None:
        names = [e.name for e in schema.entities]
        names += [] if language == "sql" else [r.name for r in schema.relations]
        hint = did_you_mean(table, names)
        return None, f"There is nothing called {bounded(table, 60)!r}.{hint}"
    name, columns, is_relation = found
    spelled = {known.lower(): known for known in columns}.get(column.lower())
    if spelled is None:
        what = "column" if language == "sql" else "property"
        hint = did_you_mean(column, columns)
        return None, f"{name!r} has no {what} {bounded(column, 60)!r}.{hint}"
    if language == "sql":
        value, source = _marked(spelled, '"'), _marked(name, '"')
        return (
            f"SELECT DISTINCT {value} FROM {source} WHERE {value} IS NOT NULL "
            f"ORDER BY 1 LIMIT {SAMPLED + 1}"
        ), ""
    value, label = f"x.{_marked(spelled, '`')}", _marked(name, "`")
    pattern = f"()-[x:{label}]->()" if is_relation else f"(x:{label})"
    return (
        f"MATCH {pattern} WHERE {value} IS NOT NULL "
        f"RETURN DISTINCT {value} AS value ORDER BY value LIMIT {SAMPLED + 1}"
    ), ""


def _columns(schema: Schema, language: Language, name: str) -> tuple[str, list[str], bool] | None:
    """Return what is called so, its columns, and whether it is a type of relationships."""
    entity = schema.entity(name)
    if entity is not None:
        columns = [p.name for p in entity.properties] + list(entity.key)
        if language == "sql":  # keys of other tables may stand nowhere else
            holders = (holder for relation in schema.relations for holder, _ in relation.joins)
            pairs = (holder.rpartition(".") for holder in holders)
            columns += [column for table, _, column in pairs if table == entity.name]
        return entity.name, list(dict.fromkeys(columns)), False
    if language == "cypher":
        alike = [r for r in schema.relations if r.name.lower() == name.lower()]
        if alike:
            names = dict.fromkeys(p.name for relation in alike for p in relation.properties)
            return alike[0].name, list(names), True
    return None


def _marked(name: str, mark: str) -> str:
    return mark + name.replace(mark, mark * 2) + mark
