"""DuckDB in the worker.

- Opened read-only, without access to files, with locked configuration, one thread, a memory limit
  and no place to swap to.
- Its own parser gives the syntax tree of a query, and `_Inspector` walks over it: only SELECT and
  set operations (a WITH may hold an INSERT here), only functions that the engine itself calls
  consistent, no sampling, no table function that reads files, settings or queries.
- A connection of its own for every query, so that nothing is left behind even if something got
  through.
- Its own clock first; some functions do not look at it, and the parent's ends those.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from typing import Any

from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.engines.values import Budget, canonical, say
from graphenv.query.results import ErrorKind, QueryError, Result, Rows

__all__ = ["DuckDB"]

_SETTINGS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # variables of this program as tables
    "allow_community_extensions": "false",
    "threads": "1",
    "temp_directory": "",
}
_NODES = frozenset(("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"))
_TABLES = {
    "SHOW_REF": "DESCRIBE, SHOW and SUMMARIZE are",
    "PIVOT": "PIVOT is",
}
_TABLE_FUNCTIONS = frozenset(("range", "generate_series", "unnest", "json_each", "json_tree"))
_MACROS = """
array_append array_pop_back array_pop_front array_prepend array_push_back array_push_front
array_reverse array_to_string count_if date_add days_in_month fdiv fmod generate_subscripts
geomean geometric_mean if json json_group_array json_group_object json_group_structure
list_any_value list_append list_avg list_bit_and list_bit_or list_bit_xor list_bool_and
list_bool_or list_count list_entropy list_first list_histogram list_kurtosis list_kurtosis_pop
list_last list_mad list_max list_median list_min list_mode list_prepend list_product list_reverse
list_sem list_skewness list_stddev_pop list_stddev_samp list_string_agg list_sum list_var_pop
list_var_samp map_contains_entry map_contains_value md5_number_lower md5_number_upper nullif
regexp_split_to_table round_even roundbankers split_part wavg weighted_avg
"""
# Called consistent by the engine, and not so; or meant for its own use, with blobs that it trusts.
_EXCEPT = """
age current_localtime current_localtimestamp reservoir_quantile version json_serialize_sql
json_serialize_plan json_deserialize_sql combine combine_aggr finalize to_aggregate_state
create_sort_key variant_bytes_to_variant remap_struct index_key vertex_extract
"""
_NOISE = re.compile(r' Did you mean "(?:pg_|duckdb_|pragma_|sqlite_|information_)\w*"\?')
_CLOCKS = frozenset(
    ("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp")
)
_SYSTEM = frozenset(("information_schema", "pg_catalog", "system", "temp"))


class DuckDB:
    """See `graphenv.envs.queries.engines.protocol.Engine`."""

    def open(self, location: str, limits: Limits) -> None:
        # By name: in this folder a module is called duckdb too.
        self._duckdb = importlib.import_module("duckdb")
        for module in ("pytz", "uuid", "decimal"):  # imported by the engine when a value is fetched
            if importlib.util.find_spec(module):
                importlib.import_module(module)
        self._location = location
        known = self._known_settings()
        settings = {name: value for name, value in _SETTINGS.items() if name in known}
        settings["memory_limit"] = f"{limits.memory_mb // 4}MiB"
        if "max_execution_time" in known:
            settings["max_execution_time"] = str(int(1000 * limits.seconds))
        self._database = self._duckdb.connect(location, read_only=True, config=settings)
        self._database.execute("SET lock_configuration = true")
        self._inspector = _Inspector(self._database)
        warm = self.run(
            "SELECT sum(x), avg(x), string_agg(x::text), list(x), 1.5::decimal(5, 2), "
            "timestamp '2000-01-01' FROM range(10) r(x) WHERE x > 1 GROUP BY x % 2 ORDER BY 1",
            limits,
        )
        if isinstance(warm, QueryError):
            raise RuntimeError(warm.reason)

    def _known_settings(self) -> set[str]:
        """Return what this version can set; an older one has no clock of its own, for example."""
        with self._duckdb.connect(":memory:", config={"threads": "1"}) as memory:
            rows = memory.execute("SELECT name FROM duckdb_settings()").fetchall()
        return {name for (name,) in rows}

    def run(self, query: str, limits: Limits) -> Result:
        return self._run("", query, limits)

    def explain(self, query: str) -> Result:
        result = self._run("EXPLAIN ", query, Limits())
        if isinstance(result, QueryError):
            return result
        lines = "\n".join(str(row[-1]) for row in result.rows).splitlines()
        return Rows(("plan",), tuple((line,) for line in lines))

    def _run(self, prefix: str, query: str, limits: Limits) -> Result:
        budget = Budget(limits.rows, limits.chars)
        rows = []
        cursor = self._database.cursor()
        try:
            if (refused := self._inspector.check(cursor, query)) is not None:
                return refused
            cursor.execute(prefix + query)
            columns = tuple(str(column[0]) for column in cursor.description)
            if (problem := budget.head(columns)) is not None:
                return problem
            while found := cursor.fetchmany(256):
                for cells in found:
                    row = tuple(map(canonical, cells))
                    if (problem := budget.add(row)) is not None:
                        return problem
                    rows.append(row)
        except self._duckdb.FatalException:
            raise  # the database is unusable from here on: die, and be replaced
        except (self._duckdb.Error, OverflowError, UnicodeDecodeError) as error:
            return self._problem(error, limits)
        finally:
            cursor.close()
        return Rows(columns, tuple(rows))

    def _problem(self, error: Exception, limits: Limits) -> QueryError:
        name = type(error).__name__
        text = str(error).split("\n\nLINE ")[0].split("\nPossible solutions")[0]
        if name == "InterruptException":
            return QueryError("timeout", f"stopped after {limits.seconds:g} seconds")
        if "pytz" in text:
            return QueryError("unsupported", "times with a zone cannot be returned; cast them")
        return QueryError(_kind(name, text), _NOISE.sub("", say(text, self._location)))


def _kind(name: str, text: str) -> ErrorKind:
    """Return what kind of error an exception of DuckDB is."""
    if name in ("ParserException", "SyntaxException"):
        return "syntax"
    if name == "CatalogException":
        return "schema"
    if name == "BinderException":
        unknown = ("not found", "does not exist", "does not have", "Ambiguous reference")
        return "schema" if any(sign in text for sign in unknown) else "runtime"
    if name == "OutOfMemoryException":
        return "memory"
    if name in ("PermissionException", "IOException") or "locked" in text:
        return "refused"
    return "runtime"


class _Inspector:
    """Reads the engine's own syntax tree of a query and says what is not allowed in it."""

    def __init__(self, database: Any) -> None:
        rows = database.execute(
            "SELECT function_name FROM duckdb_functions() "
            "WHERE function_type IN ('scalar', 'aggregate', 'window') GROUP BY 1 "
            "HAVING bool_and(stability = 'CONSISTENT')"
        ).fetchall()
        consistent = {name for (name,) in rows if not name.startswith("__internal")}
        self._functions = consistent.union(_MACROS.split()).difference(_EXCEPT.split())
        rows = database.execute(
            "SELECT lower(view_name) FROM duckdb_views() "
            "WHERE internal AND schema_name IN ('main', 'pg_catalog')"
        ).fetchall()
        self._views = {name for (name,) in rows} - {"sqlite_master", "sqlite_schema"}
        rows = database.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
        self._known = {name for (name,) in rows}

    def check(self, cursor: Any, query: str) -> QueryError | None:
        """Return why a query is not allowed, `None` if it is.

        A text that the engine cannot parse passes: the engine says it better.
        """
        text = cursor.execute("SELECT json_serialize_sql(?)", [query]).fetchone()[0]
        try:
            tree = json.loads(text)
        except RecursionError:
            return QueryError("refused", "the query is nested too deeply")
        if tree["error"]:
            if tree["error_type"] != "not implemented":
                return None
            return QueryError(
                "refused", "only SELECT queries (perhaps after WITH) are allowed here"
            )
        if len(tree["statements"]) != 1:
            return QueryError("refused", "one query at a time")
        for part in _parts(tree):
            if (problem := self._problem(part)) is not None:
                return QueryError("refused", f"{problem} not allowed here")
        return None

    def _problem(self, part: dict[str, Any]) -> str | None:
        if part.get("sample"):
            return "a sample changes from run to run and is"
        kind = part.get("type")
        if isinstance(kind, str):
            if kind.endswith("_NODE") and kind not in _NODES:
                return f"{kind.split('_')[0]} is"
            if kind in _TABLES:
                return _TABLES[kind]
            if kind == "BASE_TABLE":
                return self._table(part)
            if kind == "TABLE_FUNCTION":
                name = part["function"]["function_name"].lower()
                return None if name in _TABLE_FUNCTIONS else f"the table function {name}() is"
            if kind == "COLUMN_REF":
                names = part["column_names"]
                if len(names) == 1 and names[0].lower() in _CLOCKS:
                    return f"{names[0]} changes from run to run and is"
        if "function_name" in part:
            name = str(part["function_name"]).lower()
            # What is no function at all is the engine's to say.
            if name not in self._functions and name in self._known - _TABLE_FUNCTIONS:
                return f"the function {name}() (it changes from run to run, or is not safe) is"
        return None

    def _table(self, part: dict[str, Any]) -> str | None:
        path = part.get("qualified_name", {}).get("path") or [
            part.get("catalog_name", ""),
            part.get("schema_name", ""),
            part["table_name"],
        ]
        *places, name = (str(piece).lower() for piece in path)
        if _SYSTEM.intersection(places) or name in self._views:
            return "the system's own tables are"
        return None


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON tree."""
    left = [tree]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            yield part
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
