"""What an engine is, on both sides of the process border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from graphenv.query.results import Result

__all__ = ["Database", "Engine", "EngineName", "Limits", "QueryBackend"]

EngineName = Literal["sqlite", "duckdb", "ladybug", "neo4j"]


@dataclass(frozen=True, slots=True)
class Database:
    """A database that an engine opens read-only.

    `location` is a file, or the URL of a server. `digest` changes when the contents do: results
    are cached by it.
    """

    engine: EngineName
    location: str
    digest: str

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.location)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may cost. `work` is counted by the engine; `seconds` is the outer guard."""

    rows: int = 2_000
    chars: int = 1_000_000
    work: int = 20_000_000
    seconds: float = 5.0
    memory_mb: int = 3_072


class Engine(Protocol):
    """An engine inside a worker process. It never sees a query that the guard refused.

    Opened and warmed before the process gives up its rights (files, processes, memory).
    """

    def open(self, location: str, limits: Limits) -> None:
        """Open the database read-only and run a query, so that everything lazy is loaded."""
        ...

    def run(self, query: str, limits: Limits) -> Result:
        """Run a query in fresh connection state and return its rows, or why there are none."""
        ...

    def explain(self, query: str) -> Result:
        """Return the plan as rows without running the query: the strict check of a query."""
        ...


class QueryBackend(Protocol):
    """A database in its cage, as environments use it. Picklable: workers are not part of it."""

    @property
    def database(self) -> Database:
        """The database behind it."""
        ...

    @property
    def counts_work(self) -> bool:
        """Whether results carry the engine's own count of work."""
        ...

    def check(self, query: str) -> Result:
        """Return the plan of a query, or why it would not run."""
        ...

    def run(self, query: str, limits: Limits | None = None) -> Result:
        """Run a query; never raises on any text."""
        ...

    def run_many(self, queries: Sequence[str], limits: Limits | None = None) -> list[Result]:
        """Run queries, in order, on all free workers."""
        ...
