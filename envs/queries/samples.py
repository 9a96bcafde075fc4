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

    >>> from graphenv.query.schema import EntityType, Property, Schema
    >>> cinema = Schema("cinema", (EntityType("Film", (Property("title"),)),))
    >>> sample_query(cinema, "sql", "film", "TITLE")[0]
    'SELECT DISTINCT "title" FROM "Film" WHERE "title" IS NOT NULL ORDER BY 1 LIMIT 20'
    >>> sample_query(cinema, "sql", "film", "titel")[1]
    "'Film' has no column 'titel'. Did you mean 'title'?"
    """
    entity = schema.entity(table)
    if entity is None:
        names = [e.name for e in schema.entities]
        hint = did_you_mean(table, names)
        return None, f"There is nothing called {bounded(table, 60)!r}.{hint}"
    columns = {p.name.lower(): p.name for p in entity.properties}
    columns.update({name.lower(): name for name in entity.key})
    found = columns.get(column.lower())
    if found is None:
        what = "column" if language == "sql" else "property"
        hint = did_you_mean(column, columns.values())
        return None, f"{entity.name!r} has no {what} {bounded(column, 60)!r}.{hint}"
    if language == "sql":
        name = '"' + found.replace('"', '""') + '"'
        source = '"' + entity.name.replace('"', '""') + '"'
        return (
            f"SELECT DISTINCT {name} FROM {source} WHERE {name} IS NOT NULL "
            f"ORDER BY 1 LIMIT {SAMPLED}"
        ), ""
    value = "n.`" + found.replace("`", "``") + "`"
    label = "`" + entity.name.replace("`", "``") + "`"
    return (
        f"MATCH (n:{label}) WHERE {value} IS NOT NULL "
        f"RETURN DISTINCT {value} AS value ORDER BY value LIMIT {SAMPLED}"
    ), ""
