"""One invented world as a file for every engine, and queries that all of them answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from graphenv.envs.queries.engines.protocol import Database, EngineName
from graphenv.envs.queries.files.contents import Contents
from graphenv.envs.queries.files.ladybug import write_ladybug
from graphenv.envs.queries.files.sqlite import write_sqlite
from graphenv.envs.queries.sources.synthetic.cypher import write_cypher
from graphenv.envs.queries.sources.synthetic.options import Options
from graphenv.envs.queries.sources.synthetic.plan import Filter, Item, Pattern, Plan
from graphenv.envs.queries.sources.synthetic.sql import write_sql
from graphenv.envs.queries.sources.synthetic.world import World, make_world

__all__ = ["SHAPES", "databases", "texts", "the_world"]

SHAPES = ("point", "join")
"""A row by its key; a path over three tables, grouped and counted."""
_BEYOND = 100_000  # rows that no result has: as a LIMIT it makes texts distinct, and nothing else


def the_world(size: int) -> World:
    """Return the first world of training with that many rows in its tables of entities."""
    return make_world("train", 0, 0, size)


def databases(world: World, folder: Path) -> dict[EngineName, Database]:
    """Write a world for SQLite, DuckDB and ladybug."""
    contents = world.contents[0]
    lite = write_sqlite(contents, folder / "world.sqlite")
    duck = folder / "world.duckdb"
    _copy(lite.path, duck)
    graph = Contents(world.graph_schema, contents.entities, contents.links)
    return {
        "sqlite": lite,
        "duckdb": replace(lite, engine="duckdb", location=str(duck)),
        "ladybug": write_ladybug(graph, folder / "world.ladybug"),
    }


def _copy(source: Path, target: Path) -> None:
    """Copy every table of an SQLite file, without foreign keys, into a new DuckDB file."""
    import duckdb

    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(duckdb.connect(str(target))) as new,
    ):
        listed = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid"
        for (name,) in old.execute(listed).fetchall():
            columns = [
                f'"{column}" {kind}{" PRIMARY KEY" if key else ""}'
                for _, column, kind, _, _, key in old.execute(f'PRAGMA table_info("{name}")')
            ]
            new.execute(f'CREATE TABLE "{name}" ({", ".join(columns)})')
            _insert(new, name, old.execute(f'SELECT * FROM "{name}"').fetchall())


def _insert(connection: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    for start in range(0, len(rows), 500):
        batch = rows[start : start + 500]
        marks = ", ".join([f"({', '.join('?' * len(batch[0]))})"] * len(batch))
        cells = [cell for row in batch for cell in row]
        connection.execute(f'INSERT INTO "{table}" VALUES {marks}', cells)


def texts(world: World, engine: EngineName, shape: str, count: int, start: int) -> list[str]:
    """Return that many distinct queries of a shape, in the language of an engine.

    They differ in a constant (`start`, `start + 1` ...) and cost the same.
    """
    write = write_cypher if engine == "ladybug" else partial(write_sql, world=world)
    numbers = range(start, start + count)
    return [write(plan) for plan in _plans(world, shape, numbers)]


def _plans(world: World, shape: str, numbers: Iterable[int]) -> Iterator[Plan]:
    if shape == "point":
        label = next(iter(world.things))
        thing = world.things[label]
        keys = [row[0] for row in world.contents[0].entities[label]]
        for number in numbers:
            one = Filter(0, thing.key, "=", keys[number % len(keys)])
            select = (Item(0, thing.title),)
            yield Plan(shape, Pattern((label,), (), (one,)), select, limit=_BEYOND + number)
        return
    path = next(p for p in Options(world).paths(2) if len(set(p.types)) == 3)
    end = Item(2, world.things[path.types[2]].title)
    plan = Plan(shape, path, (end, Item(fn="count")), group=(end,))
    for number in numbers:
        yield replace(plan, limit=_BEYOND + number)
