"""A schema where only files or only queries are there: read from SQLite, or gathered from gold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from graphenv.envs.queries.files.tables import Table, read_tables
from graphenv.envs.queries.gold.sqlite_audit import parsed
from graphenv.query.schema import EntityType, Property, RelationType, Schema
from graphenv.seeding import rng

__all__ = ["schema_of_file", "schema_of_queries"]


def schema_of_file(path: Path) -> Schema:
    """Return the schema that an SQLite file declares, named after the file.

    Raises
    ------
    DataError
        If it is missing or no SQLite database.
    """
    tables, _ = read_tables(path, rng("schema"), 0)
    entities = tuple(
        EntityType(
            table.name,
            tuple(
                Property(column, _kind(kind))
                for column, kind in zip(table.columns, table.types, strict=True)
            ),
            tuple(table.columns[at] for at in table.key),
        )
        for table in tables.values()
    )
    return Schema(path.stem, entities, tuple(_relations(tables.values(), tables)))


def _relations(tables: Iterable[Table], known: dict[str, Table]) -> Iterable[RelationType]:
    names: set[str] = set()
    for table in tables:
        for reference in table.refers:
            if len(reference.own) != 1:
                continue  # a relation is one pair of columns
            parent = known[reference.table]
            own = f"{table.name}.{table.columns[reference.own[0]]}"
            theirs = f"{parent.name}.{parent.columns[reference.theirs[0]]}"
            name = own if own not in names else f"{own}={theirs}"
            if name not in names:
                names.add(name)
                yield RelationType(name, table.name, parent.name, joins=((own, theirs),))


def _kind(declared: str) -> str:
    kind = declared.upper()
    for name, parts in (
        ("integer", ("INT",)),
        ("boolean", ("BOOL", "BIT")),
        ("date", ("DATE", "TIME")),
        ("real", ("REAL", "FLOA", "DOUB", "NUM", "DEC")),
    ):
        if any(part in kind for part in parts):
            return name
    return "text"


def schema_of_queries(name: str, queries: Iterable[str]) -> Schema:
    """Return the tables and columns that SQL queries name, without types, keys and relations.

    Only what is sure is taken: columns behind a table or its alias, and all columns of a query of
    one table.

    >>> schema = schema_of_queries("x", ["select t.a, b from t", "select T.a from t join u"])
    >>> [(e.name, [p.name for p in e.properties]) for e in schema.entities]
    [('t', ['a', 'b']), ('u', [])]
    """
    tables: dict[str, tuple[str, dict[str, str]]] = {}
    for query in queries:
        tree = parsed(query)
        if tree is None:
            continue
        aliases: dict[str, str] = {}
        defined = {cte.alias_or_name.lower() for cte in tree.find_all(_exp().CTE)}
        for table in tree.find_all(_exp().Table):
            lowered = table.name.lower()
            if lowered not in defined:
                tables.setdefault(lowered, (table.name, {}))
                aliases[table.alias_or_name.lower()] = lowered
                aliases.setdefault(lowered, lowered)
        only = next(iter(set(aliases.values()))) if len(set(aliases.values())) == 1 else ""
        made = {alias.alias.lower() for alias in tree.find_all(_exp().Alias)}
        for column in tree.find_all(_exp().Column):
            owner = aliases.get(column.table.lower(), "") if column.table else only
            if owner and (column.table or column.name.lower() not in made):
                tables[owner][1].setdefault(column.name.lower(), column.name)
    return Schema(
        name,
        tuple(
            EntityType(table, tuple(Property(column) for column in sorted(columns.values())))
            for table, columns in sorted(tables.values(), key=lambda pair: pair[0].lower())
        ),
    )


def _exp() -> Any:
    from sqlglot import exp

    return exp
