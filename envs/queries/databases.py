"""The databases of a task behind one call: dialect, cage, and which results may be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.protocol import Database, Limits, QueryBackend
from graphenv.query.model import Language, QueryIssue
from graphenv.query.results import ErrorKind, QueryError, Result
from graphenv.query.schema import Schema

__all__ = ["Databases", "gave_up"]

_KINDS: dict[str, ErrorKind] = {
    "empty": "syntax",
    "syntax": "syntax",
    "unsupported": "unsupported",
    "limit": "refused",
}


class Databases:
    """The database that a task asks about, and its variations.

    Parameters
    ----------
    language
        What queries are written in; Cypher for ladybug is rewritten to its dialect first.
    schema
        Of all of them.
    databases
        The one that the agent sees first.
    workers
        Worker processes per database.
    limits
        What a query may cost.
    """

    def __init__(
        self,
        language: Language,
        schema: Schema,
        databases: Sequence[Database],
        *,
        workers: int = 1,
        limits: Limits | None = None,
    ) -> None:
        self._language = language
        self._schema = schema
        self._limits = limits or Limits()
        self._backends: list[QueryBackend] = [
            backend(database, workers=workers, limits=self._limits) for database in databases
        ]
        self._rewrites = language == "cypher" and any(
            database.engine == "ladybug" for database in databases
        )

    def __len__(self) -> int:
        return len(self._backends)

    @property
    def counts_work(self) -> bool:
        """Whether every result carries the engine's own count of work."""
        return all(item.counts_work for item in self._backends)

    @property
    def engine(self) -> str:
        """The name of the engine that the agent meets."""
        return self._backends[0].database.engine

    def run(self, query: str) -> tuple[Result, ...]:
        """Return what a query gives on every database, up to the first that gives up on it."""
        text = self._translated(query)
        if isinstance(text, QueryError):
            return tuple(text for _ in self._backends)
        results: list[Result] = []
        for item in self._backends:
            results.append(item.run(text))
            if gave_up(results[-1], counts_work=self.counts_work):
                break
        return tuple(results)

    def run_first(self, query: str) -> Result:
        """Return what a query gives on the database that the agent sees."""
        text = self._translated(query)
        return text if isinstance(text, QueryError) else self._backends[0].run(text)

    def explain(self, query: str) -> Result:
        """Return the engine's plan of a query, or why it would not run."""
        text = self._translated(query)
        return text if isinstance(text, QueryError) else self._backends[0].check(text)

    def _translated(self, query: str) -> str | QueryError:
        if not self._rewrites:
            return query
        from graphenv.envs.queries.engines.guard_cypher import refuse_cypher
        from graphenv.query.cypher import to_ladybug

        text = to_ladybug(query, self._schema)
        if not isinstance(text, QueryIssue):
            return text
        # What no engine would be given either is called so, whatever the rewriter made of it.
        return refuse_cypher(query) or QueryError(_KINDS[text.kind], text.reason)


def gave_up(result: Result, *, counts_work: bool) -> str:
    """Return why an engine gave up on a query in a way that can differ between two runs, else `""`.

    A crash, want of memory, and the clock. A timeout by counted work is the same in every run and
    is a result like others.
    """
    if not isinstance(result, QueryError):
        return ""
    late = result.kind == "timeout" and (result.by_clock or not counts_work)
    return f"{result.kind}: {result.reason}" if late or result.kind in ("crash", "memory") else ""
