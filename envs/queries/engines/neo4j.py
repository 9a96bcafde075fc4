"""A Neo4j server behind the protocol, by the official driver.

It runs in a worker process like the others, though the engine that meets hostile text is the
server: so that the parent's clock can end a driver that waits, and a result too large for memory
ends a worker and not the trainer. Its sockets need file descriptors, so that right is kept; the
others are given up. What a query may do on the server is the server's business: use an account with
the role `reader`. Here it runs in read mode, in a transaction with a timeout that is rolled back.

The location is the server's URL, `bolt://host:7687` or `neo4j+s://...`, without credentials:
those are read from `GRAPHENV_NEO4J_USER`, `GRAPHENV_NEO4J_PASSWORD` and, for another database than
the account's own, `GRAPHENV_NEO4J_DATABASE`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.engines.values import Budget, canonical, say
from graphenv.errors import ConfigError, DataError
from graphenv.query.results import ErrorKind, QueryError, Result, Rows, Value

__all__ = ["ENVIRONMENT", "Neo4jEngine", "error", "value"]

ENVIRONMENT = ("GRAPHENV_NEO4J_USER", "GRAPHENV_NEO4J_PASSWORD", "GRAPHENV_NEO4J_DATABASE")
CONNECT_SECONDS = 5.0


class Neo4jEngine:
    """A connection to a server. It counts no work: only PROFILE does, at another price.

    `broken` is set when the server is gone. The worker ends then, and the next one says so when it
    cannot be opened, instead of every query from now on counting as a wrong one.
    """

    def __init__(self) -> None:
        self.broken = False
        self._driver: Any = None

    def open(self, location: str, limits: Limits) -> None:
        """Connect and run a query.

        Raises
        ------
        ConfigError
            The driver is not installed.
        DataError
            Nothing answers, or it does not let us in.
        """
        try:
            import neo4j
        except ImportError as missing:
            raise ConfigError(
                'The engine "neo4j" needs the driver: pip install "graphenv[query]"'
            ) from missing
        user = os.environ.get(ENVIRONMENT[0])
        try:
            self._driver = neo4j.GraphDatabase.driver(
                location,
                auth=(user, os.environ.get(ENVIRONMENT[1], "")) if user else None,
                connection_timeout=CONNECT_SECONDS,
                connection_acquisition_timeout=2 * CONNECT_SECONDS,
                max_connection_pool_size=1,
                user_agent="graphenv",
            )
            self._driver.verify_connectivity()
        except (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError, ValueError) as failed:
            raise DataError(
                f"Asked to connect to the Neo4j server {location}: {say(str(failed))} Is it running"
                f" there, and are {' and '.join(ENVIRONMENT[:2])} right?"
            ) from failed
        first = self.run("RETURN 1", limits)
        if isinstance(first, QueryError):
            raise DataError(f"The Neo4j server {location} does not run queries: {first.reason}")

    def run(self, query: str, limits: Limits) -> Result:
        """Return the rows of a query; see `Engine.run`."""
        return self._read(query, limits)[0]

    def explain(self, query: str) -> Result:
        """Return the plan as rows (operator, details), last step first.

        A label, type or property that the database does not have is an error of kind `schema`
        here; running such a query gives no rows, as Cypher has it.
        """
        result, summary = self._read(f"EXPLAIN {query}", Limits())
        if isinstance(result, QueryError):
            return result
        for note in summary.gql_status_objects:
            if note.gql_status in ("01N50", "01N51", "01N52"):
                return QueryError("schema", say(note.status_description))
        return Rows(("operator", "details"), tuple(_steps(summary.plan)))

    def _read(self, query: str, limits: Limits) -> tuple[Result, Any]:
        import neo4j

        rows: list[tuple[Value, ...]] = []
        budget = Budget(limits.rows, limits.chars)
        try:
            with (
                self._driver.session(
                    database=os.environ.get(ENVIRONMENT[2]),
                    default_access_mode=neo4j.READ_ACCESS,
                    # One piece of the result is held at a time.
                    fetch_size=min(1_000, limits.rows + 1),
                ) as session,
                # Never committed: leaving the block rolls it back.
                session.begin_transaction(timeout=limits.seconds) as transaction,
            ):
                result = transaction.run(query)
                columns = tuple(result.keys())
                if issue := budget.head(columns):
                    return issue, None
                for record in result:
                    row = tuple([value(cell) for cell in record.values()])
                    if issue := budget.add(row):
                        return issue, None
                    rows.append(row)
                return Rows(columns, tuple(rows)), result.consume()
        except neo4j.exceptions.Neo4jError as failed:
            return error(failed.code or "", failed.message or ""), None
        except neo4j.exceptions.DriverError as failed:
            self.broken = True
            return QueryError("timeout", f"The server does not answer: {say(str(failed))}"), None


def _steps(plan: Any) -> Iterable[tuple[Value, ...]]:
    if plan:
        details = plan.get("args", {}).get("Details", "")
        yield str(plan.get("operatorType", "")).partition("@")[0], say(str(details))
        for child in plan.get("children", ()):
            yield from _steps(child)


def value(cell: Any) -> Value:
    """Return a cell of the driver as a value that can be compared and hashed.

    A node is (labels joined by `&`, (property, value), ...), a relationship (type, (property,
    value), ...), both in the order of names; a path is ("path", node, relationship, node, ...), a
    point ("point", reference system, coordinates ...). Times are ISO text, spans of time too.
    """
    from neo4j import graph, spatial, time

    if isinstance(cell, graph.Node):
        return ("&".join(sorted(cell.labels)), *_pairs(cell.items()))
    if isinstance(cell, graph.Relationship):
        return (cell.type, *_pairs(cell.items()))
    if isinstance(cell, graph.Path):
        steps = zip(cell.relationships, cell.nodes[1:], strict=True)
        return ("path", value(cell.start_node), *(value(part) for step in steps for part in step))
    if isinstance(cell, spatial.Point):
        return ("point", int(cell.srid or 0), *map(float, cell))
    if isinstance(cell, time.Duration):
        months, days, seconds, nanoseconds = cell
        return f"P{f'{months}M' if months else ''}{days}DT{seconds + nanoseconds / 1e9:g}S"
    if isinstance(cell, time.Date | time.DateTime | time.Time):
        return _instant(cell)
    if isinstance(cell, dict):
        return _pairs(cell.items())
    if isinstance(cell, list | tuple):
        return tuple([value(item) for item in cell])
    return canonical(cell)


def _pairs(items: Iterable[tuple[str, Any]]) -> tuple[Value, ...]:
    return tuple((key, value(item)) for key, item in sorted(items, key=lambda pair: pair[0]))


def _instant(cell: Any) -> str:
    """Return a time as Python writes it, unless it is finer or larger than Python's."""
    if getattr(cell, "nanosecond", 0) % 1_000:
        return str(cell.iso_format())
    try:
        return str(cell.to_native().isoformat())
    except (ValueError, OverflowError):
        return str(cell.iso_format())


_KINDS: tuple[tuple[str, ErrorKind], ...] = (
    ("TransactionTimedOut", "timeout"),
    ("Terminated", "timeout"),
    ("OutOfMemory", "memory"),
    ("MemoryLimit", "memory"),
    ("AccessMode", "refused"),
    ("Forbidden", "refused"),
    ("NotALeader", "refused"),
    ("ReadOnly", "refused"),
    ("ProcedureNotFound", "unsupported"),
    ("SyntaxError", "syntax"),
)


def error(code: str, message: str) -> QueryError:
    """Return a server's error as a kind and a short reason.

    >>> error("Neo.ClientError.Statement.SyntaxError", "Unknown function 'foo' (line 1, column 8)")
    QueryError(kind='unsupported', reason="Unknown function 'foo' (line 1, column 8)")
    """
    kind: ErrorKind = next((kind for part, kind in _KINDS if part in code), "runtime")
    if kind == "syntax" and message.startswith("Unknown function"):
        kind = "unsupported"
    # Behind the first line stands the query again.
    return QueryError(kind, say(message.split("\n", 1)[0]))
