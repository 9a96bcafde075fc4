"""An SQLite file as tables in memory, and tables in memory as a new file of the same schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import numpy as np

from graphenv.envs.queries.gold.columns import Cell
from graphenv.errors import DataError

__all__ = ["Reference", "Table", "quoted", "read_only", "read_tables", "write_tables"]


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns (by position) whose values are those of columns of another table."""

    own: tuple[int, ...]
    table: str
    theirs: tuple[int, ...]


@dataclass
class Table:
    """A table with its rows. `planted` are rows that win where a key allows only one."""

    name: str
    columns: list[str]
    types: list[str]
    key: list[int]
    rows: list[list[Cell]]
    refers: list[Reference] = field(default_factory=list)
    planted: list[list[Cell]] = field(default_factory=list)

    def at(self, column: str) -> int | None:
        """Return the position of a column by its name in any case."""
        lowered = column.lower()
        return next((i for i, c in enumerate(self.columns) if c.lower() == lowered), None)


Statements = list[str]


def read_only(path: Path) -> sqlite3.Connection:
    """Open an SQLite file that nobody writes; text that is not UTF-8 is read with replacements."""
    uri = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def read_tables(
    path: Path, random: np.random.Generator, most: int
) -> tuple[dict[str, Table], Statements]:
    """Return the tables by lower-case name, and the statements that make an empty file like it.

    Of a table with more than `most` rows a seeded stretch is read.

    Raises
    ------
    DataError
        If the file is missing or no SQLite database.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing: an SQLite database file was expected there")
    try:
        with closing(read_only(path)) as source:
            made = source.execute(
                "select type, name, sql from sqlite_master where sql is not null "
                "and name not like 'sqlite\\_%' escape '\\' order by rowid"
            ).fetchall()
            # A trigger would run on what is inserted; a virtual table needs its extension.
            made = [
                row for row in made if row[0] != "trigger" and "virtual" not in row[2][:20].lower()
            ]
            tables = {
                name.lower(): _read_table(source, name, random, most)
                for kind, name, _ in made
                if kind == "table"
            }
            for table in tables.values():
                table.refers = _references(source, table, tables)
    except sqlite3.Error as error:
        raise DataError(f"{path} cannot be read as an SQLite database: {error}") from error
    return tables, [text for _, _, text in made]


def _read_table(
    source: sqlite3.Connection, name: str, random: np.random.Generator, most: int
) -> Table:
    info = source.execute(f"pragma table_xinfo({quoted(name)})").fetchall()
    info = [row for row in info if row[6] == 0]  # neither hidden nor computed
    listed = ", ".join(quoted(row[1]) for row in info)
    (count,) = source.execute(f"select count(*) from {quoted(name)}").fetchone()
    start = int(random.integers(count - most + 1)) if count > most else 0
    rows = source.execute(
        f"select {listed} from {quoted(name)} limit {most:d} offset {start:d}"
    ).fetchall()
    key = [at for _, at in sorted((row[5], at) for at, row in enumerate(info) if row[5])]
    return Table(name, [r[1] for r in info], [r[2] for r in info], key, [list(r) for r in rows])


def _references(
    source: sqlite3.Connection, table: Table, tables: Mapping[str, Table]
) -> list[Reference]:
    grouped: dict[int, tuple[str, list[tuple[str, str | None]]]] = {}
    listed = source.execute(f"pragma foreign_key_list({quoted(table.name)})").fetchall()
    for number, _, other, own, theirs, *_ in listed:
        grouped.setdefault(number, (other, []))[1].append((own, theirs))
    found = []
    for other, pairs in grouped.values():
        parent = tables.get(other.lower())
        if parent is None:
            continue
        key = [parent.columns[at] for at in parent.key]
        if any(theirs is None for _, theirs in pairs):  # the parent's key is meant
            if len(key) != len(pairs):
                continue
            pairs = [(own, name) for (own, _), name in zip(pairs, key, strict=True)]
        own = [table.at(name) for name, _ in pairs]
        theirs_at = [parent.at(name or "") for _, name in pairs]
        if None not in own and None not in theirs_at:
            mine = tuple(at for at in own if at is not None)
            parents = tuple(at for at in theirs_at if at is not None)
            found.append(Reference(mine, other.lower(), parents))
    return found


def write_tables(out: Path, tables: Mapping[str, Table], statements: Sequence[str]) -> None:
    """Write a new file. Rows that a key does not allow a second time are left out.

    Raises
    ------
    DataError
        If SQLite refuses a statement or a value.
    """
    try:
        with closing(sqlite3.connect(out)) as target:
            target.execute("pragma journal_mode = off")
            target.execute("pragma synchronous = off")
            for statement in statements:
                target.execute(statement)
            for table in tables.values():
                listed = ", ".join(map(quoted, table.columns))
                marks = ", ".join("?" * len(table.columns))
                first = {id(row) for row in table.planted}
                rest = [row for row in table.rows if id(row) not in first]
                target.executemany(
                    f"insert or ignore into {quoted(table.name)} ({listed}) values ({marks})",
                    [*reversed(table.planted), *rest],
                )
            for table in tables.values():
                _drop_dangling(target, table)
            target.commit()
    except sqlite3.Error as error:
        raise DataError(f"a copy of the database cannot be written to {out}: {error}") from error


def _drop_dangling(target: sqlite3.Connection, table: Table) -> None:
    """Drop rows whose parent was left out because a key allows it only once."""
    # A reference to columns without a unique index cannot be checked, and is none for SQLite.
    with suppress(sqlite3.OperationalError):
        found = target.execute(f"pragma foreign_key_check({quoted(table.name)})").fetchall()
        gone = {(row[1],) for row in found if row[1] is not None}
        target.executemany(f"delete from {quoted(table.name)} where rowid = ?", sorted(gone))


def quoted(name: str) -> str:
    """Return a name of a schema as SQL writes it.

    >>> quoted('Home "Town')
    '"Home ""Town"'
    """
    return '"' + name.replace('"', '""') + '"'
