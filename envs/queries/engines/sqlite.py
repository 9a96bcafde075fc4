"""SQLite in the worker, by the standard library.

What makes it safe, and the same every time:

- read-only and immutable; sorts stay in memory; the heap has a hard limit;
- an authorizer lets SELECT, reads of tables that are data, and a list of functions through: nothing
  else (ATTACH, PRAGMA, transactions, temporary objects, virtual tables) gets compiled, so no query
  can leave state behind, and one connection can serve all of them;
- functions whose result changes are not on the list; those of dates are, but not for 'now';
- the progress handler counts instructions of SQLite's virtual machine: a limit of work ends a query
  at the same instruction everywhere;
- a text is at most 1 MB long, a pattern short, an expression flat, so that no single instruction
  takes long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import chain, repeat
from operator import length_hint
from typing import Any
from urllib.parse import quote

from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.engines.values import Budget, canonical, say
from graphenv.query.results import ErrorKind, QueryError, Result, Rows

__all__ = ["FUNCTIONS", "STEP", "SQLite"]

STEP = 10
"""Instructions between two looks at the count; `Rows.work` is rounded up to a multiple of it.

Costs 18 % of the time of a short query in the engine (at 50 it is 6 %, at 1 it is 140 %).
"""

_TEXT = """
abs char coalesce concat concat_ws glob hex if ifnull iif instr length like likelihood likely lower
ltrim max min nullif octet_length quote replace round rtrim sign soundex substr substring trim
typeof unhex unicode unlikely upper
"""
_MATHEMATICS = """
acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod
pi pow power radians sin sinh sqrt tan tanh trunc
"""
_AGGREGATES = """
avg count group_concat string_agg sum total cume_dist dense_rank first_value lag last_value lead
nth_value ntile percent_rank rank row_number
"""
_JSON = """
-> ->> json json_array json_array_length json_each json_extract json_group_array json_group_object
json_insert json_object json_patch json_quote json_remove json_replace json_set json_tree json_type
json_valid
"""
_CLOCKS = ("date", "datetime", "julianday", "strftime", "time", "unixepoch")
FUNCTIONS = frozenset(" ".join((_TEXT, _MATHEMATICS, _AGGREGATES, _JSON)).split()).union(_CLOCKS)
_CHANGING = """
random randomblob current_date current_time current_timestamp changes total_changes
last_insert_rowid
"""
_VIRTUAL = ("json_each", "json_tree")
_NO_CODE = "tables that are code (pragma_..., dbstat, full text ...) are not allowed here"
_WORDS = {
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA, also as a table,",
    sqlite3.SQLITE_TRANSACTION: "a transaction",
    sqlite3.SQLITE_SAVEPOINT: "a savepoint",
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_DELETE: "DELETE",
}
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 10_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 300,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


class SQLite:
    """See `graphenv.envs.queries.engines.protocol.Engine`."""

    def open(self, location: str, limits: Limits) -> None:
        # Without a statement cache no query is answered from what another one left.
        self._connection = sqlite3.connect(
            f"file:{quote(location)}?mode=ro&immutable=1",
            uri=True,
            isolation_level=None,
            cached_statements=0,
        )
        connection = self._connection
        # Invalid UTF-8 (there is some in Spider) stays visible, and different bytes different.
        connection.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
        # Half of the process's, so that SQLite says so before malloc fails.
        heap = limits.memory_mb * 2**19
        for setting in ("temp_store=2", "cache_size=-16384", f"hard_heap_limit={heap}"):
            connection.execute(f"PRAGMA {setting}").fetchall()
        for name, most in _LIMITS.items():
            connection.setlimit(name, most)
        for table in _VIRTUAL:  # their declaration would not pass the authorizer
            connection.execute(f"SELECT 1 FROM {table}('[]')").fetchall()
        self._forbidden = self._code_tables()
        self._denied = ""
        self._dates = _Dates(self._deny)
        self._dates.replace_in(connection)
        connection.set_authorizer(self._authorize)
        warm = self.run("SELECT count(*), strftime('%Y', '2000-01-01') FROM sqlite_master", limits)
        if isinstance(warm, QueryError):
            raise sqlite3.DatabaseError(warm.reason)

    def run(self, query: str, limits: Limits) -> Result:
        return self._run(query, limits)

    def explain(self, query: str) -> Result:
        result = self._run(f"EXPLAIN QUERY PLAN {query}", Limits())
        if isinstance(result, QueryError):
            return result
        return Rows(("plan",), tuple((_indented(row),) for row in _with_depth(result.rows)))

    def _code_tables(self) -> set[str]:
        """Return the names of tables that are code: modules, and what the database made of them."""
        modules = "SELECT lower(name) FROM pragma_module_list"
        made = "SELECT lower(name) FROM sqlite_master WHERE sql LIKE 'create virtual%'"
        rows = self._connection.execute(f"{modules} UNION {made}").fetchall()
        return {name for (name,) in rows}.difference(_VIRTUAL)

    def _run(self, query: str, limits: Limits) -> Result:
        self._denied = ""
        # Counted by iterators, which are asked thousands of times a query without running Python
        # code: `limits.work` times nothing happens, then anything but 0 interrupts.
        left = repeat(0, limits.work // STEP)
        self._connection.set_progress_handler(chain(left, repeat(1)).__next__, STEP)
        budget = Budget(limits.rows, limits.chars)
        rows = []
        cursor = self._connection.cursor()
        try:
            cursor.execute(query)
            if cursor.description is None:
                return QueryError("syntax", "there is no query")
            columns = tuple(str(column[0]) for column in cursor.description)
            if (problem := budget.head(columns)) is not None:
                return problem
            for found in cursor:
                row = tuple(map(canonical, found))
                if (problem := budget.add(row)) is not None:
                    return problem
                rows.append(row)
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            return self._problem(error, limits)
        finally:
            cursor.close()
        looks = limits.work // STEP - length_hint(left)
        return Rows(columns, tuple(rows), STEP * (looks + 1))

    def _problem(self, error: Exception, limits: Limits) -> QueryError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return QueryError("timeout", f"stopped after {limits.work:,} steps of the engine")
        if self._denied:
            return QueryError("refused", self._denied)
        text = say(str(error))
        return QueryError(_kind(text), text)

    def _deny(self, reason: str) -> None:
        # The first reason is the right one.
        self._denied = self._denied or reason

    def _authorize(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            name = (first or "").lower()
            if name not in self._forbidden and not name.startswith("pragma_"):
                return sqlite3.SQLITE_OK  # a table, or a recursive query's own name
            self._deny(_NO_CODE)
        elif action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            if name in FUNCTIONS:
                return sqlite3.SQLITE_OK
            why = (
                "its result changes from run to run"
                if name in _CHANGING.split()
                else "it is not safe"
            )
            self._deny(f"the function {name}() is not allowed here: {why}")
        elif first in ("sqlite_master", "sqlite_temp_master"):
            self._deny(_NO_CODE)  # declares itself when it is first named
        else:
            what = _WORDS.get(action, "this statement")
            self._deny(f"{what} is not allowed here: only SELECT queries")
        return sqlite3.SQLITE_DENY


class _Dates:
    """SQLite's own functions of dates, asked through a second connection; 'now' is refused.

    No authorizer sees arguments, and `date('n' || 'ow')` makes its own.
    """

    def __init__(self, deny: Callable[[str], None]) -> None:
        self._deny = deny
        self._helper = sqlite3.connect(":memory:", isolation_level=None)

    def replace_in(self, connection: sqlite3.Connection) -> None:
        """Take the place of the built-in functions."""
        for name in _CLOCKS:
            connection.create_function(name, -1, self._function(name), deterministic=True)

    def _function(self, name: str) -> Callable[..., Any]:
        least = 1 if name == "strftime" else 0
        texts = [f"SELECT {name}({', '.join('?' * count)})" for count in range(20)]

        def call(*arguments: object) -> Any:
            if len(arguments) <= least or _is_present(arguments[least]):
                self._deny(
                    f"{name}() of the current time is not allowed here: "
                    "its result changes from run to run"
                )
                raise ValueError("now")
            if len(arguments) >= len(texts):
                raise ValueError("too many arguments")
            return self._helper.execute(texts[len(arguments)], arguments).fetchone()[0]

        return call


def _is_present(argument: object) -> bool:
    if isinstance(argument, bytes):
        argument = argument.decode("latin-1")
    # SQLite reads it as a C string.
    # The latter two are modifiers; where a time is expected they are the present (SQLite 3.42).
    present = ("now", "subsec", "subsecond")
    return isinstance(argument, str) and argument.split("\0")[0].lower() in present


def _kind(text: str) -> ErrorKind:
    """Return what kind of error a message of SQLite is."""
    lowered = text.lower()
    table: tuple[tuple[ErrorKind, tuple[str, ...]], ...] = (
        ("unsupported", ("sql variables", "variable number")),
        ("memory", ("out of memory",)),
        ("size", ("too big", "too large", "too many", "stack overflow", "too complex", "at most")),
        ("schema", ("no such", "ambiguous column", "no tables specified")),
        ("refused", ("authoriz", "prohibited", "one statement", "readonly", "be modified")),
        ("syntax", ("syntax error", "incomplete input", "unrecognized token", "unterminated")),
    )
    for kind, signs in table:
        if any(sign in lowered for sign in signs):
            return kind
    return "runtime"


def _with_depth(rows: tuple[tuple[object, ...], ...]) -> list[tuple[int, str]]:
    """Return (depth, text) of the steps of a plan, which SQLite gives as (id, parent, _, text)."""
    depth: dict[object, int] = {0: -1}
    steps = []
    for step, parent, _, text in rows:
        depth[step] = depth.get(parent, -1) + 1
        steps.append((depth[step], str(text)))
    return steps


def _indented(step: tuple[int, str]) -> str:
    return "  " * step[0] + step[1]
