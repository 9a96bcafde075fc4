"""`spider_schema`: one entry of Spider's `tables.json` as a `Schema`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphenv.errors import DataError
from graphenv.query.schema import EntityType, Property, RelationType, Schema

__all__ = ["spider_schema"]

# "number" covers integers and fractions alike: real is the type that holds both.
_TYPES = {"text": "text", "number": "real", "time": "date", "boolean": "boolean"}


def spider_schema(entry: Mapping[str, Any]) -> Schema:
    """Return the schema in one entry of Spider's `tables.json`.

    Names are the original ones, which the queries use. Every table is an entity type, link tables
    too: the file does not say what a link table is (of the key of `singer_in_concert` only one of
    two columns is given), and questions of this set count and list the rows of such tables
    themselves. A foreign key is a relation named after the column that holds it,
    `concert.Stadium_ID`; where one column refers to two tables, the second relation is named
    `Invoices.Order_ID=Customer_Orders.Order_ID`. Repeated foreign keys and ones that point to no
    column are left out.

    Parameters
    ----------
    entry
        `db_id`, `table_names_original`, `column_names_original` (with `*` first), `column_types`,
        `primary_keys` (a composite key may be a list of its own) and `foreign_keys`.

    Raises
    ------
    DataError
        If one of these is missing or has another form.

    References
    ----------
    Yu et al., Spider: a large-scale human-labeled dataset for complex and cross-domain semantic
    parsing and text-to-SQL task, EMNLP 2018.

    Examples
    --------
    >>> schema = spider_schema(
    ...     {
    ...         "db_id": "cinema",
    ...         "table_names_original": ["film", "person"],
    ...         "column_names_original": [[-1, "*"], [0, "title"], [0, "made_by"], [1, "id"]],
    ...         "column_types": ["text", "text", "number", "number"],
    ...         "primary_keys": [3],
    ...         "foreign_keys": [[2, 3]],
    ...     }
    ... )
    >>> schema.relations[0].name, schema.relations[0].joins
    ('film.made_by', (('film.made_by', 'person.id'),))
    """
    try:
        name = str(entry["db_id"])
        tables = [str(table) for table in entry["table_names_original"]]
        columns = [(int(table), str(column)) for table, column in entry["column_names_original"]]
        types = [str(kind) for kind in entry["column_types"]]
        keys = _flat(entry["primary_keys"])
        pairs = [(int(holder), int(target)) for holder, target in entry["foreign_keys"]]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"an entry of tables.json was asked for, with db_id, table_names_original, "
            f"column_names_original, column_types, primary_keys and foreign_keys; found one where "
            f"{type(error).__name__} {error} stands in the way. Is this Spider's tables.json?"
        ) from None
    types += ["text"] * (len(columns) - len(types))
    entities = []
    for index, table in enumerate(tables):
        own = [i for i, (holder, _) in enumerate(columns) if holder == index]
        properties = tuple(Property(columns[i][1], _TYPES.get(types[i], "other")) for i in own)
        key = tuple(columns[i][1] for i in own if i in keys)
        entities.append(EntityType(table, properties, key))
    return Schema(name, tuple(entities), _relations(tables, columns, pairs))


def _flat(keys: Sequence[Any]) -> frozenset[int]:
    """Return column numbers, of which a composite key's may stand in a list of their own."""
    lists = [key if isinstance(key, list) else [key] for key in keys]
    return frozenset(int(key) for group in lists for key in group)


def _relations(
    tables: list[str], columns: list[tuple[int, str]], pairs: list[tuple[int, int]]
) -> tuple[RelationType, ...]:
    relations: dict[str, RelationType] = {}
    for holder, target in dict.fromkeys(pairs):
        places = [columns[i][0] for i in (holder, target) if 0 <= i < len(columns)]
        if len(places) < 2 or not all(0 <= table < len(tables) for table in places):
            continue
        head, tail = (tables[table] for table in places)
        join = (f"{head}.{columns[holder][1]}", f"{tail}.{columns[target][1]}")
        name = join[0] if join[0] not in relations else "=".join(join)
        relations[name] = RelationType(name, head, tail, joins=(join,))
    return tuple(relations.values())
