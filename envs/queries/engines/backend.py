"""A database in its cage: `backend(database)` runs queries of a model on a real engine.

    >>> from graphenv.envs.queries.engines.backend import ENGINES, backend
    >>> ENGINES["sqlite"].counts_work
    True

Layers, from outside in: a guard that reads the text (`guard`), a cache of results, a worker process
without rights (`worker.py`), the engine's own settings (`engine`), the parent's clock (`pool.py`).
Another engine is one row of `ENGINES`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from graphenv.envs.queries.engines.cache import ResultCache, query_hash
from graphenv.envs.queries.engines.pool import Pool, pool_for
from graphenv.envs.queries.engines.process import setup_message
from graphenv.envs.queries.engines.protocol import Database, EngineName, Limits, QueryBackend
from graphenv.errors import ConfigError, DataError, did_you_mean
from graphenv.query.results import QueryError, Result
from graphenv.references import load_row

__all__ = ["ENGINES", "EngineRow", "backend"]

Guard = Callable[[str], QueryError | None]


@dataclass(frozen=True, slots=True)
class EngineRow:
    """An engine and how it is kept.

    Parameters
    ----------
    engine
        `"module:Class"` of an `Engine`; imported in the worker only.
    guard
        `"module:function"`, text to the reason for which it never reaches the engine, or `None`.
    counts_work
        Whether `Rows.work` is there, and a timeout means that `Limits.work` was reached.
    package
        What has to be installed, for a message.
    protected
        How the file is kept from being written, in words.
    seal
        Whether the file is set read-only first, for an engine whose read-only mode is not enough.
    files
        Whether the worker may open files and sockets later (a server's driver needs to).
    environment
        Variables that the worker gets from the trainer's environment (credentials of a server).
    most
        Workers of this engine kept in one process; idle ones beyond are ended. Those that are
        there take about 9 MB (sqlite), 45 MB (ladybug) each; one that is not takes .1 to .2 s. The
        synthetic source trains on 48 databases.
    """

    engine: str
    guard: str
    counts_work: bool
    package: str
    protected: str
    seal: bool = False
    files: bool = False
    environment: tuple[str, ...] = ()
    most: int = 8


_HERE = "graphenv.envs.queries.engines"
ENGINES: dict[EngineName, EngineRow] = {
    "sqlite": EngineRow(
        engine=f"{_HERE}.sqlite:SQLite",
        guard=f"{_HERE}.guard_sql:check_sqlite",
        counts_work=True,
        package="sqlite3",
        protected="opened read-only and immutable; an authorizer lets only reads through",
        most=96,
    ),
    "duckdb": EngineRow(
        engine=f"{_HERE}.duckdb:DuckDB",
        guard=f"{_HERE}.guard_sql:check_duckdb",
        counts_work=False,
        package="duckdb",
        protected="opened read-only; external access off, configuration locked",
    ),
    "ladybug": EngineRow(
        engine=f"{_HERE}.ladybug:LadybugEngine",
        guard=f"{_HERE}.guard_cypher:refuse_cypher",
        counts_work=False,
        package="ladybug",
        protected="opened read-only by a process without rights; nobody may write the file",
        seal=True,
        most=48,
    ),
    "neo4j": EngineRow(
        engine=f"{_HERE}.neo4j:Neo4jEngine",
        guard=f"{_HERE}.guard_cypher:refuse_cypher",
        counts_work=False,
        package="neo4j",
        protected="read transactions that are rolled back; the account's rights on the server",
        files=True,
        environment=("GRAPHENV_NEO4J_USER", "GRAPHENV_NEO4J_PASSWORD", "GRAPHENV_NEO4J_DATABASE"),
    ),
}

_cache = ResultCache()
os.register_at_fork(after_in_child=_cache.renew)


def backend(database: Database, *, workers: int = 1, limits: Limits | None = None) -> QueryBackend:
    """Return a database in its cage.

    Nothing is started yet: workers come with the first query, stay warm, and are shared by all
    backends of this process for the same database.

    Parameters
    ----------
    database
        What to open.
    workers
        Processes that may work on it at once; the most of all its backends counts.
    limits
        What a query may cost unless `run` says otherwise; default `Limits()`.

    Raises
    ------
    ConfigError
        If the engine is unknown or not installed, or the URL of a server holds a password.
    DataError
        If there is no such file.
    """
    if database.engine not in ENGINES:
        raise ConfigError(
            f"engine {database.engine!r} is unknown.{did_you_mean(database.engine, ENGINES)}"
        )
    row = ENGINES[database.engine]
    if importlib.util.find_spec(row.package) is None:
        raise ConfigError(
            f"engine {database.engine!r} needs the package {row.package!r}, which is not "
            'installed: pip install "graphenv[query]"'
        )
    if workers < 1:
        raise ConfigError(f"workers={workers}: at least one is needed.")
    if "@" in urlsplit(database.location).netloc:
        raise ConfigError(
            f"The URL of the {database.engine} server holds a user or password, which would end up"
            f" in logs; put them into the environment: {', '.join(row.environment)}."
        )
    if "://" not in database.location:
        if not database.path.exists():
            raise DataError(f"{database.location!r} is not there: no database for {row.package}.")
        if row.seal:
            _seal(database.path)
    return _Caged(database, workers, limits or Limits())


def _seal(path: Path) -> None:
    """Take away everybody's right to write."""
    mode = path.stat().st_mode
    if path.is_file() and mode & 0o222:
        path.chmod(mode & ~0o222)


class _Caged:
    """See `QueryBackend`. Holds no process: it finds the pool each time, so it can be pickled."""

    def __init__(self, database: Database, workers: int, limits: Limits) -> None:
        self._database, self._workers, self._limits = database, workers, limits

    @property
    def database(self) -> Database:
        return self._database

    @property
    def counts_work(self) -> bool:
        return ENGINES[self._database.engine].counts_work

    def check(self, query: str) -> Result:
        return self._many("explain", [query], self._limits)[0]

    def run(self, query: str, limits: Limits | None = None) -> Result:
        return self._many("run", [query], limits or self._limits)[0]

    def run_many(self, queries: Sequence[str], limits: Limits | None = None) -> list[Result]:
        return self._many("run", queries, limits or self._limits)

    def _many(self, op: str, queries: Sequence[str], limits: Limits) -> list[Result]:
        row = ENGINES[self._database.engine]
        guard: Guard = load_row(row.guard)
        key = (op, row.engine, limits)
        known: dict[str, Result] = {}
        fresh: list[str] = []
        for query in dict.fromkeys(queries):
            found = guard(query) or _cache.get(self._database.digest, key, query_hash(query))
            if found is None:
                fresh.append(query)
            else:
                known[query] = found
        if fresh:
            results = self._pool(limits).run(op, fresh, limits)
            for query, (result, by_clock) in zip(fresh, results, strict=True):
                known[query] = result
                sure = row.counts_work and not by_clock
                _cache.put(self._database.digest, key, query_hash(query), result, sure=sure)
        return [known[query] for query in queries]

    def _pool(self, limits: Limits) -> Pool:
        """Return the pool whose workers were started with these limits of time and memory."""
        database = self._database
        row = ENGINES[database.engine]

        def make() -> Pool:
            name = f"{database.engine} database {database.location!r}"
            setup = setup_message(
                *(row.engine, database.location, limits),
                files=row.files,
                environment=row.environment,
            )
            return Pool(name, setup, family=database.engine, most=row.most)

        key = (database, limits.seconds, limits.memory_mb)
        return pool_for(key, self._workers, make)
