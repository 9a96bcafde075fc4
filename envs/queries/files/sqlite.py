"""Contents as a SQLite file."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.files.contents import Contents, Row
from graphenv.errors import DataError

__all__ = ["contents_digest", "write_sqlite"]

_TYPES = {
    "text": "TEXT",
    "integer": "INTEGER",
    "real": "REAL",
    "boolean": "BOOLEAN",
    "date": "TEXT",
}


def contents_digest(contents: Contents) -> str:
    """Return a digest of a schema and all its rows."""
    digest = hashlib.sha256(repr(contents.schema.to_json()).encode())
    for part in (contents.entities, contents.links):
        for name in sorted(part):
            digest.update(repr((name, part[name])).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def write_sqlite(contents: Contents, path: Path) -> Database:
    """Write contents as a read-only SQLite file and return the database.

    Every entity type is a table. A relation is a foreign key column of its head's table if its
    `joins` are one pair, and a link table (`via`) if they are two. The file appears at once
    (written beside `path`, then renamed), whole or not at all.

    Parameters
    ----------
    contents
        Rows and links; the schema's relations must say how they are stored (`joins`, `via`).
    path
        The file; one that exists is replaced.

    Raises
    ------
    DataError
        If a relation does not say how it is stored, or a head of a foreign key has two tails.

    Examples
    --------
    >>> from graphenv.query.schema import EntityType, Property, Schema
    >>> one = Schema("one", (EntityType("Film", (Property("id", "integer"), Property("title"))),))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     database = write_sqlite(Contents(one, {"Film": ((1, "Heat"),)}), Path(folder) / "a.db")
    ...     database.engine, database.path.name
    ('sqlite', 'a.db')
    """
    statements = list(_statements(contents))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        with closing(sqlite3.connect(temporary)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            for statement, rows in statements:
                if rows is None:
                    connection.execute(statement)
                else:
                    connection.executemany(statement, rows)
            connection.commit()
        os.chmod(temporary, 0o444)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return Database("sqlite", str(path), contents_digest(contents))


def _statements(contents: Contents) -> Iterator[tuple[str, list[Row] | None]]:
    schema = contents.schema
    extra: dict[str, list[tuple[str, str, dict[Any, Any]]]] = {e.name: [] for e in schema.entities}
    for relation in schema.relations:
        links = contents.links.get(relation.name, ())
        if len(relation.joins) == 2 and relation.via:
            continue
        if len(relation.joins) != 1:
            raise DataError(
                f"relation {relation.name!r} of schema {schema.name!r} does not say how tables "
                f"store it: joins={relation.joins!r}, via={relation.via!r}; give one pair of "
                "columns for a foreign key, or two and a link table"
            )
        (holder, target) = relation.joins[0]
        tails = {row[0]: row[1] for row in links}
        if len(tails) != len(links):
            raise DataError(
                f"relation {relation.name!r} of schema {schema.name!r} is a foreign key, but a "
                f"{relation.head} has two of it; store it in a link table (`via`)"
            )
        extra[relation.head].append((holder.split(".", 1)[1], target, tails))
    for entity in schema.entities:
        columns = [f"{_quoted(p.name)} {_TYPES.get(p.type, 'TEXT')}" for p in entity.properties]
        columns += [f"{_quoted(name)} INTEGER" for name, _, _ in extra[entity.name]]
        key = entity.key or (entity.properties[0].name,)
        columns.append(f"PRIMARY KEY ({', '.join(map(_quoted, key))})")
        columns += [_reference(name, target) for name, target, _ in extra[entity.name]]
        yield f"CREATE TABLE {_quoted(entity.name)} ({', '.join(columns)})", None
        rows = [
            (*row, *(tails.get(row[0]) for _, _, tails in extra[entity.name]))
            for row in contents.entities.get(entity.name, ())
        ]
        yield _insert(entity.name, len(entity.properties) + len(extra[entity.name])), rows
    for relation in schema.relations:
        if not relation.via:
            continue
        ends = [(join[0].split(".", 1)[1], join[1]) for join in relation.joins]
        columns = [f"{_quoted(name)} INTEGER NOT NULL" for name, _ in ends]
        columns += [f"{_quoted(p.name)} {_TYPES.get(p.type, 'TEXT')}" for p in relation.properties]
        columns += [_reference(name, target) for name, target in ends]
        yield f"CREATE TABLE {_quoted(relation.via)} ({', '.join(columns)})", None
        rows = list(contents.links.get(relation.name, ()))
        yield _insert(relation.via, 2 + len(relation.properties)), rows


def _insert(table: str, width: int) -> str:
    return f"INSERT INTO {_quoted(table)} VALUES ({', '.join('?' * width)})"


def _reference(column: str, target: str) -> str:
    table, key = target.split(".", 1)
    return f"FOREIGN KEY ({_quoted(column)}) REFERENCES {_quoted(table)} ({_quoted(key)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
