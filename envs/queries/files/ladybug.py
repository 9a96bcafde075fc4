"""`write_ladybug`: the contents of a database as a ladybug file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.files.contents import Contents, link_key
from graphenv.envs.queries.files.sqlite import contents_digest
from graphenv.errors import ConfigError, DataError
from graphenv.query.schema import Property, RelationType

__all__ = ["write_ladybug"]

_TYPES = {
    "text": "STRING",
    "integer": "INT64",
    "real": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "list": "STRING[]",
    "other": "STRING",
}
_BATCH = 1_000


def write_ladybug(contents: Contents, path: Path) -> Database:
    """Write contents into a new ladybug file and take away everybody's right to write it.

    Every entity type becomes a node table with its first property as the key, every relation a
    relationship table; relations of one name become one table that connects several pairs of
    labels, which have the same properties then. Rows are loaded in bulk from temporary files beside
    `path`, in their order. The file appears under its name when it is whole, and replaces what was
    there.

    Parameters
    ----------
    contents
        Text, whole numbers, numbers, truth values, dates (`datetime.date` or ISO text), lists of
        text, and `None`, as the schema's property types say (`other` is written as text).
    path
        The file to write.

    Raises
    ------
    ConfigError
        Ladybug is not installed.
    DataError
        The schema cannot be written, or a row does not fit it: a key twice, an unknown key in a
        link, a value of another type.
    """
    try:
        import ladybug
    except ImportError as missing:
        raise ConfigError(
            'Writing a ladybug database needs ladybug: pip install "graphenv[query]"'
        ) from missing
    from graphenv.envs.queries.engines.ladybug import DATABASE_BYTES, POOL_BYTES

    _check(contents)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        fresh = Path(folder) / "database"
        try:
            database = ladybug.Database(
                fresh,
                max_num_threads=1,
                buffer_pool_size=2 * POOL_BYTES,
                max_db_size=4 * DATABASE_BYTES,
            )
            with database, ladybug.Connection(database, num_threads=1) as connection:
                _fill(connection, contents, Path(folder))
                connection.execute("CHECKPOINT")
        except RuntimeError as failed:
            raise DataError(
                f"Asked to write the database {contents.schema.name!r} for ladybug; the engine"
                f" says: {str(failed)[:500]} Do all rows fit the schema, and all links known keys?"
            ) from failed
        # Its read-only mode is the opener's choice; without this right nobody can choose.
        fresh.chmod(0o444)
        os.replace(fresh, path)
    return Database("ladybug", str(path), contents_digest(contents))


def _check(contents: Contents) -> None:
    schema = contents.schema
    names = [entity.name.lower() for entity in schema.entities]
    names += {relation.name.lower() for relation in schema.relations}
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                f"The schema {schema.name!r} has the name {name!r} twice (case is not told apart);"
                " in ladybug all entity types and relations have different names."
            )
    known = {entity.name for entity in schema.entities}
    keys = {link_key(schema, relation) for relation in schema.relations}
    for what, given, allowed in (
        ("entity types", contents.entities, known),
        ("relations", contents.links, keys),
    ):
        if stray := sorted(set(given) - allowed):
            raise DataError(f"There are rows of {what} {stray}; the schema has {sorted(allowed)}.")
    for entity in schema.entities:
        if not entity.properties:
            raise DataError(f"The entity type {entity.name!r} has no property, so no key.")
    for relation in schema.relations:
        if unknown := {relation.head, relation.tail} - known:
            raise DataError(f"The relation {relation.name!r} connects unknown {sorted(unknown)}.")


def _fill(connection: Any, contents: Contents, folder: Path) -> None:
    schema = contents.schema
    for entity in schema.entities:
        columns = _columns(entity.properties)
        key = _quoted(entity.properties[0].name)
        connection.execute(
            f"CREATE NODE TABLE {_quoted(entity.name)} ({columns}, PRIMARY KEY ({key}))"
        )
        rows = contents.entities.get(entity.name, ())
        if any(prop.type == "list" for prop in entity.properties):
            _create_nodes(connection, entity.name, entity.properties, rows)
        else:
            _copy(connection, folder, rows, _quoted(entity.name), "")
    keys = {entity.name: entity.properties[0] for entity in schema.entities}
    for name in dict.fromkeys(relation.name for relation in schema.relations):
        alike = [relation for relation in schema.relations if relation.name == name]
        if len({relation.properties for relation in alike}) > 1:
            raise DataError(f"Relations of the name {name!r} have different properties.")
        pairs = ", ".join(f"FROM {_quoted(r.head)} TO {_quoted(r.tail)}" for r in alike)
        more = f", {_columns(alike[0].properties)}" if alike[0].properties else ""
        connection.execute(f"CREATE REL TABLE {_quoted(name)} ({pairs}{more})")
        for relation in alike:
            rows = contents.links.get(link_key(schema, relation), ())
            if any(prop.type == "list" for prop in relation.properties):
                ends = (keys[relation.head], keys[relation.tail])
                _create_links(connection, relation, ends, rows)
            else:
                pair = f"from={_text(relation.head)}, to={_text(relation.tail)}"
                _copy(connection, folder, rows, _quoted(name), pair if len(alike) > 1 else "")


def _copy(
    connection: Any, folder: Path, rows: Sequence[tuple[Any, ...]], table: str, options: str
) -> None:
    if not rows:
        return
    file = folder / "rows.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        out.writelines(",".join(map(_cell, row)) + "\n" for row in rows)
    # Nothing is guessed from the first rows, and their order is kept.
    settings = ["header=false", "auto_detect=false", "parallel=false", "escape='\"'", options]
    connection.execute(
        f"COPY {table} FROM {_text(str(file))} ({', '.join(filter(None, settings))})"
    )
    file.unlink()


def _cell(value: Any) -> str:
    """Return a cell of a file: text always in quotes, so that nothing but `None` is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return repr(value) if isinstance(value, float) else str(value)


def _create_nodes(
    connection: Any, name: str, properties: Sequence[Property], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Create rows with lists by parameters: no way of quoting items of lists in files is safe."""
    _by_parameters(connection, f"CREATE (:{_quoted(name)} {_map(properties, 0)})", rows)


def _create_links(
    connection: Any,
    relation: RelationType,
    keys: tuple[Property, Property],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    _by_parameters(
        connection,
        f"MATCH (a:{_quoted(relation.head)}), (b:{_quoted(relation.tail)})"
        f" WHERE a.{_quoted(keys[0].name)} = r.c0 AND b.{_quoted(keys[1].name)} = r.c1"
        f" CREATE (a)-[:{_quoted(relation.name)} {_map(relation.properties, 2)}]->(b)",
        rows,
    )


def _map(properties: Sequence[Property], first: int) -> str:
    """Return a map of properties from the cells of a row `r`, beginning with cell `first`."""
    pairs = (
        f"{_quoted(prop.name)}: CAST(r.c{at} AS {_TYPES[prop.type]})"
        for at, prop in enumerate(properties, start=first)
    )
    return f"{{{', '.join(pairs)}}}"


def _by_parameters(connection: Any, create: str, rows: Sequence[tuple[Any, ...]]) -> None:
    for start in range(0, len(rows), _BATCH):
        batch = [
            {
                f"c{at}": list(cell) if isinstance(cell, tuple) else cell
                for at, cell in enumerate(row)
            }
            for row in rows[start : start + _BATCH]
        ]
        made = connection.execute(f"UNWIND $rows AS r {create} RETURN count(*)", {"rows": batch})
        if (count := made.get_next()[0]) != len(batch):
            raise RuntimeError(f"{len(batch) - count} links have a key that no row has.")


def _columns(properties: Iterable[Property]) -> str:
    return ", ".join(f"{_quoted(prop.name)} {_TYPES[prop.type]}" for prop in properties)


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
