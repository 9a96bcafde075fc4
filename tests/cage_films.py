"""A small database of films for each engine in the cage, and what to look at in it."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from graphenv.envs.queries.engines.protocol import Database, EngineName
from graphenv.query.results import QueryError, Result

SECRET = "the secret of the canary"
FILMS = [(number, f"film {number}", 1900 + number % 120) for number in range(200)]


def kind(result: Result) -> str:
    """Return the kind of an error, or `rows`."""
    return result.kind if isinstance(result, QueryError) else "rows"


def digest(path: Path) -> str:
    """Return a digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fill(engine: str, path: Path) -> Database:
    """Write the films into a new database."""
    if engine == "duckdb":
        connection = pytest.importorskip("duckdb").connect(str(path))
    else:
        connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE film (id INTEGER, title VARCHAR, year INTEGER)")
    connection.executemany("INSERT INTO film VALUES (?, ?, ?)", FILMS)
    connection.commit()
    connection.close()
    name: EngineName = "duckdb" if engine == "duckdb" else "sqlite"
    return Database(name, str(path), digest(path))
