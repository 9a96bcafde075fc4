"""Queries per second through the cage, beside a fresh connection and a kept one in this process."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from graphenv.benchmarks.queries.databases import SHAPES, texts
from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.ladybug import DATABASE_BYTES, POOL_BYTES
from graphenv.envs.queries.engines.pool import close_all
from graphenv.envs.queries.engines.protocol import Database, EngineName
from graphenv.envs.queries.sources.synthetic.world import World
from graphenv.query.results import Rows

__all__ = ["queries_per_second"]

Answer = Callable[[Sequence[str]], object]


def queries_per_second(
    world: World, files: dict[EngineName, Database], *, quick: bool
) -> list[dict[str, Any]]:
    """Return, for every engine and shape, microseconds per query of every way to ask.

    All ways answer the same texts in turn, new ones in every round; ratios are medians over the
    rounds of (fresh connection) / (way).
    """
    rows = []
    for engine, database in files.items():
        for shape in SHAPES:
            count, rounds = (8, 2) if quick else (200 if engine == "sqlite" else 40, 5)
            found = _paired(world, database, shape, count, rounds)
            rows.append({"engine": engine, "shape": shape, "queries": count, **found})
            print(rows[-1], flush=True)
    close_all()
    return rows


def _paired(
    world: World, database: Database, shape: str, count: int, rounds: int
) -> dict[str, Any]:
    one = backend(database, workers=1)
    # Pools are kept by database: another digest is another pool, and no result of the other's.
    two = backend(replace(database, digest=f"{database.digest}-2"), workers=2)
    batch = backend(replace(database, digest=f"{database.digest}-1"), workers=1)
    kept, close = _kept(database)
    ways: dict[str, Answer] = {
        "fresh": partial(_each, partial(_fresh, database)),
        "kept": partial(_each, kept),
        "one": partial(_each, one.run),
        "batch_1": batch.run_many,
        "batch_2": two.run_many,
        "cached": partial(_each, one.run),  # right after `one`: the same texts again
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    try:
        for number in range(rounds + 1):
            queries = texts(world, database.engine, shape, count, number * count)
            if number == 0:
                _agree(kept, one.run, queries[0])
            for name, answer in ways.items():
                start = time.perf_counter()
                answer(queries)
                if number:
                    seconds[name].append((time.perf_counter() - start) / count)
    finally:
        close()
    close_all()
    return {
        "rounds": rounds,
        "us": {name: statistics.median(took) * 1e6 for name, took in seconds.items()},
        "fresh_over": {
            name: statistics.median(a / b for a, b in zip(seconds["fresh"], took, strict=True))
            for name, took in seconds.items()
        },
        "two_over_one": statistics.median(
            a / b for a, b in zip(seconds["batch_1"], seconds["batch_2"], strict=True)
        ),
    }


def _each(ask: Callable[[str], object], queries: Sequence[str]) -> None:
    for query in queries:
        ask(query)


def _agree(kept: Callable[[str], Any], caged: Callable[[str], Any], query: str) -> None:
    result = caged(query)
    if not isinstance(result, Rows) or sorted(map(tuple, kept(query))) != sorted(result.rows):
        raise AssertionError(f"the cage answers otherwise than the engine: {query}: {result}")


# -- the same work done the obvious way -----------------------------------------------------------


def _fresh(database: Database, query: str) -> Any:
    """Open the file, run one query, close it."""
    ask, close = _kept(database)
    try:
        return ask(query)
    finally:
        close()


def _kept(database: Database) -> tuple[Callable[[str], Any], Callable[[], None]]:
    """Return a function that asks an open connection of this process, and one that closes it."""
    if database.engine == "sqlite":
        uri = f"file:{Path(database.location)}?mode=ro"
        lite = sqlite3.connect(uri, uri=True, cached_statements=0)

        def ask(query: str) -> Any:
            with closing(lite.cursor()) as cursor:
                return cursor.execute(query).fetchall()

        return ask, lite.close
    if database.engine == "duckdb":
        import duckdb

        duck = duckdb.connect(database.location, read_only=True, config={"threads": "1"})
        return lambda query: duck.execute(query).fetchall(), duck.close
    import ladybug

    opened = ladybug.Database(  # as the worker opens it; by its defaults it takes twice as long
        database.location,
        read_only=True,
        max_num_threads=1,
        max_db_size=DATABASE_BYTES,
        buffer_pool_size=POOL_BYTES,
    )
    connection = ladybug.Connection(opened, num_threads=1)

    def close() -> None:
        connection.close()
        opened.close()

    return lambda query: connection.execute(query).get_all(), close
