"""Ladybug inside a worker process: read-only, one thread, a fresh connection per query.

It counts no work, so its results carry `work=None`. What was seen to escape its own limits, and is
left to the other layers of the cage: scalar functions ignore the timeout and interrupts, the buffer
pool does not cap memory, and some queries end the process: `NULL` itself as the argument of
`properties`, `nodes`, `rels`, `rowid`, `map_values`, `map_extract` or `list_any_value`, a lambda
where none belongs (`size(x -> x)`), a negative length in `substring`, a date after the year 9999 in
a result, lists nested 1,000 deep.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphenv.envs.queries.engines.ladybug_casts import with_casts
from graphenv.envs.queries.engines.ladybug_values import error, plan, value
from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.engines.values import Budget, too_nested
from graphenv.errors import ConfigError, DataError
from graphenv.query.results import QueryError, Result, Rows, Value

__all__ = ["DATABASE_BYTES", "POOL_BYTES", "LadybugEngine"]

# Address space that a database reserves. The engine's default is terabytes, and every query fails
# once the process may not have that much.
DATABASE_BYTES = 2**30
# Pages and intermediate results. A join of a few million rows fits; a bomb ends here early.
POOL_BYTES = 2**28


class LadybugEngine:
    """A ladybug database, opened read-only.

    Queries are those that the guard let pass. Operands of `=~` are cast to text (`with_casts`);
    the Neo4j dialect is not rewritten here.
    """

    def __init__(self) -> None:
        self._database: Any = None
        self._connect: Any = None
        self._types: Mapping[str, Mapping[str, str]] = {}

    def open(self, location: str, limits: Limits) -> None:
        """Open the file, read the types of all properties and run a query.

        Raises
        ------
        ConfigError
            Ladybug is not installed.
        DataError
            The file is missing, damaged, or of another version of the engine.
        """
        try:
            import ladybug
        except ImportError as missing:
            raise ConfigError(
                'The engine "ladybug" is not installed: pip install "graphenv[query]"'
            ) from missing
        try:
            self._database = ladybug.Database(
                location,
                read_only=True,
                buffer_pool_size=POOL_BYTES,
                max_num_threads=1,
                max_db_size=DATABASE_BYTES,
            )
        except RuntimeError as failed:
            raise DataError(
                f"Asked to open the ladybug database {location}; the engine says: {failed}. Is"
                f" it missing, or written by another version than {ladybug.__version__}? Build it"
                " anew."
            ) from failed
        self._connect = ladybug.Connection
        self._types = self._read_types()
        warm = self.run("MATCH (n) RETURN label(n) AS l, count(*) AS n ORDER BY l LIMIT 1", limits)
        if isinstance(warm, QueryError) and warm.kind != "schema":  # an empty database has no label
            raise DataError(f"The database {location} cannot be read: {warm.reason}")

    def run(self, query: str, limits: Limits) -> Result:
        """Return the rows of a query; see `Engine.run`."""
        return self._guarded(with_casts(query), limits)

    def explain(self, query: str) -> Result:
        """Return the plan as rows (operator, details), last step first."""
        result = self._guarded(f"EXPLAIN {with_casts(query)}", Limits())
        if isinstance(result, QueryError):
            return result
        return Rows(("operator", "details"), plan(str(result.rows[0][0])))

    def _guarded(self, query: str, limits: Limits) -> Result:
        connection = self._connect(self._database, num_threads=1)
        try:
            connection.set_query_timeout(max(1, int(limits.seconds * 1000)))
            return self._fetch(connection.execute(query), limits)
        except RecursionError:
            return too_nested()
        except MemoryError:
            return QueryError("memory", "The result needs too much memory; ask for less.")
        except (RuntimeError, IndexError, ValueError, OverflowError) as failed:
            # All that the binding raises: the engine's exceptions, and dates that Python has not.
            return error(str(failed))
        finally:
            connection.close()

    def _fetch(self, result: Any, limits: Limits) -> Result:
        if isinstance(result, list):
            return QueryError("refused", "Write one query, not several.")
        columns = tuple(result.get_column_names())
        rows: list[tuple[Value, ...]] = []
        budget = Budget(limits.rows, limits.chars)
        if issue := budget.head(columns):
            return issue
        while result.has_next():
            row = tuple([value(cell, self._types) for cell in result.get_next()])
            if issue := budget.add(row):
                return issue
            rows.append(row)
        return Rows(columns, tuple(rows))

    def _read_types(self) -> dict[str, dict[str, str]]:
        connection = self._connect(self._database, num_threads=1)
        try:
            names = [row[1] for row in connection.execute("CALL show_tables() RETURN *")]
            types = {}
            for name in names:
                # The name stands in the file, so it is quoted like any other text.
                quoted = name.replace("\\", "\\\\").replace("'", "\\'")
                found = connection.execute(f"CALL table_info('{quoted}') RETURN *")
                types[name] = {row[1]: row[2] for row in found}
            return types
        finally:
            connection.close()
