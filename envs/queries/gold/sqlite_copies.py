"""`vary_sqlite`: seeded copies of an SQLite file with other contents under the same schema.

A query that is right by luck (a missing condition that no row violates, a column that happens to
hold the same values, a constant) is right on one database. On a copy where columns are shuffled,
numbers moved, rows dropped and added it mostly is not, while joins still match and the constants
that gold queries ask for still occur.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graphenv.envs.cache import cached
from graphenv.envs.queries.files.tables import Reference, Table, read_tables, write_tables
from graphenv.envs.queries.gold.columns import Cell, fresh_values, made_up, shuffled
from graphenv.errors import DataError
from graphenv.seeding import rng

__all__ = ["Witness", "file_digest", "file_name", "vary_sqlite", "write_variation"]

VERSION = 1
"""Part of the name of cached files: goes up when the same seed gives another copy."""

_CHANGED = 0.25  # at most this share of a table's rows is dropped, or added
_FEWEST = 6  # a table with fewer rows is filled up: two rows tell hardly any two queries apart


@dataclass(frozen=True, slots=True)
class Witness:
    """Rows that make the conditions of a query true, to be planted into a copy.

    `rows` are (table, ((column, value), ...)); `joins` are ((row, column), (row, column)): the cell
    on the left gets the value of the cell on the right. In a graph, `links` are (relation, row,
    row). With `near_miss` the rows fail the query by one value: it is planted first, so that it
    never takes the place of rows that the query finds.
    """

    rows: tuple[tuple[str, tuple[tuple[str, Cell], ...]], ...]
    joins: tuple[tuple[tuple[int, str], tuple[int, str]], ...] = ()
    links: tuple[tuple[str, int, int], ...] = ()
    near_miss: bool = False


def vary_sqlite(
    path: Path,
    seed: int,
    *,
    witnesses: Sequence[Witness] = (),
    joins: Sequence[tuple[str, str]] = (),
    max_rows: int = 20_000,
) -> Path:
    """Return the cached file of a seeded copy of `path`; it is written on first use.

    Parameters
    ----------
    witnesses
        Rows that must be found in the copy, so that what gold queries ask for still occurs. They
        are planted in a seeded order; where two want the same row, the later one has it.
    joins
        Pairs `("table.column", "table.column")`, the one that refers first, beside the foreign keys
        that the file declares.
    max_rows
        Of a table with more rows, a seeded stretch of this many is taken.

    Raises
    ------
    DataError
        If the file is missing or no SQLite database.
    """
    arguments = (VERSION, path.stem, seed, tuple(witnesses), tuple(joins), max_rows)
    digest = hashlib.sha256(f"{file_digest(path)}{arguments!r}".encode("utf-8", "surrogatepass"))

    def make(out: Path) -> None:
        write_variation(path, out, seed, witnesses=witnesses, joins=joins, max_rows=max_rows)

    return cached(f"{file_name(path)}-{seed}.sqlite", digest.hexdigest(), make)


def file_name(path: Path) -> str:
    """Return the name of a file in characters that the cache takes.

    >>> file_name(Path("a/Film & TV.sqlite"))
    'db-Film_TV'
    """
    return "db-" + re.sub(r"[^A-Za-z0-9._-]+", "_", path.stem)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def write_variation(
    path: Path,
    out: Path,
    seed: int,
    *,
    witnesses: Sequence[Witness] = (),
    joins: Sequence[tuple[str, str]] = (),
    max_rows: int = 20_000,
) -> None:
    """Write the copy that `vary_sqlite` returns to `out`, a file that does not exist yet."""
    random = rng("variation", VERSION, path.stem, seed)
    tables, statements = read_tables(path, random, max_rows)
    _add_joins(tables, joins)
    for table in tables.values():
        _vary_own(table, random)
    for table in _parents_first(tables):
        for reference in table.refers:
            _refer(table, reference, tables[reference.table], random)
    room = {name: 3 * len(table.rows) + 30 for name, table in tables.items()}
    for witness in in_order(witnesses, random):
        _plant(tables, room, witness, random)
    for table in _parents_first(tables):
        for reference in table.refers:
            _repair(table, reference, tables[reference.table], random)
    write_tables(out, tables, statements)


def in_order(witnesses: Sequence[Witness], random: np.random.Generator) -> list[Witness]:
    """Return near misses in a random order, then the others in a random order."""
    order = [witnesses[int(at)] for at in random.permutation(len(witnesses))]
    return sorted(order, key=lambda witness: not witness.near_miss)


def _add_joins(tables: dict[str, Table], joins: Sequence[tuple[str, str]]) -> None:
    for own, theirs in joins:
        (table, column), (other, target) = own.split(".", 1), theirs.split(".", 1)
        child, parent = tables.get(table.lower()), tables.get(other.lower())
        if child is None or parent is None:
            continue
        at, to = child.at(column), parent.at(target)
        known = at is None or to is None or any(at in r.own for r in child.refers)
        if not known and (child, at) != (parent, to):
            assert at is not None and to is not None
            child.refers.append(Reference((at,), parent.name.lower(), (to,)))


def _vary_own(table: Table, random: np.random.Generator) -> None:
    """Give a table another number of rows, and its columns other values."""
    before = len(table.rows)
    count = max(_FEWEST, round(before * (1 + float(random.uniform(-_CHANGED, _CHANGED)))))
    if count == before:
        count += 1
    kept = np.sort(random.permutation(before)[:count]).tolist()
    columns: list[list[Cell]] = []
    for at, (name, kind) in enumerate(zip(table.columns, table.types, strict=True)):
        values = [row[at] for row in table.rows]
        if table.key == [at]:
            # Keys stay with the rows that stay: they are what the other tables refer to.
            survivors = [values[row] for row in kept]
            if not values:
                whole = "INT" in kind.upper() or not kind
                values = [0 if whole else name]
            columns.append(survivors + fresh_values(values, count - len(survivors), random))
        elif values:
            columns.append(shuffled(values, count, random))
        else:
            columns.append(made_up(name, kind, count, random))
    table.rows = [list(row) for row in zip(*columns, strict=True)]


def _parents_first(tables: dict[str, Table]) -> list[Table]:
    order: list[Table] = []
    waiting = dict(tables)
    while waiting:
        ready = [
            name
            for name, table in waiting.items()
            if not any(r.table in waiting and r.table != name for r in table.refers)
        ]
        # Tables that refer to each other in a circle: any of them may be first.
        order += [waiting.pop(name) for name in ready or [next(iter(waiting))]]
    return order


def _refer(table: Table, reference: Reference, parent: Table, random: np.random.Generator) -> None:
    """Make columns hold values that the table they refer to has; NULL stays NULL."""
    known: dict[tuple[str, ...], tuple[Cell, ...]] = {}
    for row in parent.rows:
        value = tuple(row[at] for at in reference.theirs)
        if None not in value:
            known.setdefault(tuple(map(str, value)), value)
    values = list(known.values())
    if not values:
        return
    if set(table.key) == set(reference.own):  # one row each: a table that extends another
        chosen = random.permutation(len(values))[: len(table.rows)].tolist()
        del table.rows[len(chosen) :]
    else:
        chosen = random.integers(len(values), size=len(table.rows)).tolist()
    single = len(reference.own) == 1
    for row, at in zip(table.rows, chosen, strict=True):
        now = tuple(row[own] for own in reference.own)
        if None in now and set(table.key).isdisjoint(reference.own):
            continue
        # How often each value is referred to stays as it was, where the value still exists.
        fixed = single and set(table.key) != set(reference.own) and tuple(map(str, now)) in known
        for own, value in zip(reference.own, values[at], strict=True):
            row[own] = row[own] if fixed else value


def _repair(table: Table, reference: Reference, parent: Table, random: np.random.Generator) -> None:
    """Lead rows elsewhere whose parent got another key when a witness was planted."""
    known = {str(row[reference.theirs[0]]) for row in parent.rows}
    values = [row[reference.theirs[0]] for row in parent.rows]
    for row in table.rows if len(reference.own) == 1 else ():
        value = row[reference.own[0]]
        if value is not None and str(value) not in known:
            row[reference.own[0]] = values[int(random.integers(len(values)))]


def _plant(
    tables: dict[str, Table], room: dict[str, int], witness: Witness, random: np.random.Generator
) -> None:
    chosen: list[tuple[Table, list[Cell]]] = []
    fixed: set[tuple[int, int]] = set()
    for number, (name, cells) in enumerate(witness.rows):
        table = tables.get(name.lower())
        if table is None or not table.rows:
            return
        row = _row_for(table, room[name.lower()], [row for _, row in chosen], random)
        chosen.append((table, row))
        for column, value in cells:
            at = table.at(column)
            if at is not None:
                row[at] = value
                fixed.add((number, at))
    for (holder, column), (other, target) in witness.joins:
        (table, row), (parent, theirs) = chosen[holder], chosen[other]
        at, to = table.at(column), parent.at(target)
        if at is None or to is None:
            continue
        if (holder, at) in fixed and (other, to) not in fixed:
            theirs[to] = row[at]
            fixed.add((other, to))
        else:
            row[at] = theirs[to]
            fixed.add((holder, at))
    for table, row in chosen:
        table.planted = [r for r in table.planted if r is not row]
        table.planted.append(row)


def _row_for(
    table: Table, room: int, taken: Sequence[list[Cell]], random: np.random.Generator
) -> list[Cell]:
    """Return a row to plant in: a new one half of the time, as long as there is room."""
    free = [row for row in table.rows if not any(row is other for other in taken)]
    if free and (len(table.rows) >= room or random.random() < 0.5):
        return free[int(random.integers(len(free)))]
    row = list(table.rows[int(random.integers(len(table.rows)))])
    if len(table.key) == 1:
        at = table.key[0]
        row[at] = fresh_values([r[at] for r in table.rows], 1, random)[0]
    table.rows.append(row)
    return row
