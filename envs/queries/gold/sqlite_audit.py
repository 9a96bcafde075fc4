"""What gold queries return on an SQLite file, and whether it is the only right result.

A result is unique if it does not depend on the order in which the engine happens to read rows, nor
on which of several equal rows a LIMIT keeps. That is tried out: the query runs again with scans
reversed, with every ORDER BY before a LIMIT continued by all columns, upwards and downwards, and
with the least and the greatest value of columns that are neither grouped by nor aggregated.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.files.tables import read_only
from graphenv.envs.queries.gold.findings import Finding, Looked, content_of
from graphenv.errors import ConfigError
from graphenv.query.matching import same_rows
from graphenv.query.results import Rows, Value

__all__ = [
    "VERSION",
    "audit_sqlite",
    "bare_columns",
    "is_ordered",
    "parsed",
    "tie_breaks",
    "unlimited",
]

VERSION = 2
"""Goes up when a query may be judged otherwise: findings are cached by it."""

_EACH = 1_000  # instructions between two looks at the clock
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_DENIED = {"load_extension", "printf", "format", "zeroblob", "randomblob", "fts3_tokenizer"}


class _TooLong(Exception):
    pass


def audit_sqlite(path: Path, queries: Sequence[str], limits: Limits | None = None) -> list[Looked]:
    """Return what every query does on a database.

    The queries come from a published file that a user named. They run read-only, without access to
    files, within a count of instructions and rows.
    """
    limits = limits or Limits()
    with closing(read_only(path)) as connection:
        connection.set_authorizer(_authorize)
        return [_looked(connection, query, limits) for query in queries]


def _authorize(action: int, _first: str | None, second: str | None, *_: str | None) -> int:
    denied = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _DENIED
    return sqlite3.SQLITE_OK if action in _ALLOWED and not denied else sqlite3.SQLITE_DENY


def _looked(connection: sqlite3.Connection, query: str, limits: Limits) -> Looked:
    try:
        rows = _run(connection, query, limits)
        others = [_run(connection, query, limits, reverse=True)]
        with suppress(sqlite3.Error):  # a form that SQLite does not take tells nothing
            forms = [*tie_breaks(query, len(rows.columns)), *bare_columns(query)]
            others += [_run(connection, text, limits) for text in forms]
    except _TooLong:
        return Looked("too long")
    except (sqlite3.Error, sqlite3.Warning, ValueError):  # several statements, characters
        return Looked("fails")
    return Looked(_finding(query, rows, others), len(rows.rows), content_of(rows))


def _finding(query: str, rows: Rows, others: Sequence[Rows]) -> Finding:
    if not all(same_rows(other, rows) for other in others):
        return "not unique"
    if not rows.rows:
        return "empty"
    if any(other.rows != rows.rows for other in others) and is_ordered(query):
        return "order not unique"
    return "rows"


def _run(
    connection: sqlite3.Connection, query: str, limits: Limits, *, reverse: bool = False
) -> Rows:
    calls = 0

    def stop() -> int:
        nonlocal calls
        calls += 1
        return int(calls * _EACH > limits.work)

    connection.set_authorizer(None)
    connection.execute(f"pragma reverse_unordered_selects = {int(reverse)}")
    connection.set_authorizer(_authorize)
    connection.set_progress_handler(stop, _EACH)
    try:
        cursor = connection.execute(query)
        rows = cursor.fetchmany(limits.rows + 1)
    except sqlite3.OperationalError as error:
        if calls * _EACH > limits.work:
            raise _TooLong from error
        raise
    finally:
        connection.set_progress_handler(None, 0)
    if len(rows) > limits.rows:
        raise _TooLong
    names = tuple(column[0] for column in cursor.description or ())
    return Rows(names, tuple(tuple(map(_cell, row)) for row in rows))


def _cell(value: object) -> Value:
    return value.hex() if isinstance(value, bytes) else value  # type: ignore[return-value]


def is_ordered(query: str) -> bool:
    """Return whether an SQL query orders its rows: ORDER BY at the top.

    >>> is_ordered("select a from t order by a"), is_ordered("select (select 1 order by 1) from t")
    (True, False)
    """
    tree = parsed(query)
    return tree is not None and tree.args.get("order") is not None


def unlimited(query: str) -> str:
    """Return a query without the LIMIT and OFFSET at its top.

    >>> unlimited("SELECT name FROM t ORDER BY age LIMIT 1")
    'SELECT name FROM t ORDER BY age'
    """
    tree = parsed(query)
    if tree is None:
        return query
    tree.set("limit", None)
    tree.set("offset", None)
    return str(tree.sql(dialect="sqlite"))


def tie_breaks(query: str, width: int) -> Iterator[str]:
    """Yield a query twice, every sort before a LIMIT continued by all columns, up and down.

    The sort at the top is continued even where it has no LIMIT; where there is neither, nothing is
    yielded. `width` is the number of columns of the result.

    >>> list(tie_breaks("SELECT name FROM t ORDER BY age LIMIT 1", 1))[1]
    'SELECT name FROM t ORDER BY age, 1 DESC LIMIT 1'
    """
    exp = _sqlglot().exp
    for down in (False, True):
        tree = parsed(query)
        if tree is None:
            return
        changed = False
        for part in tree.find_all(exp.Select, exp.SetOperation):
            top = part is tree and part.args.get("order") is not None
            if part.args.get("limit") is None and not top:
                continue
            columns = width if part is tree else _width(part)
            order = part.args.get("order")
            keys = list(order.expressions) if order is not None else []
            for at in range(columns):
                # Nulls are smallest in SQLite: said so that it need not be written.
                number = exp.Literal.number(at + 1)
                keys.append(exp.Ordered(this=number, desc=down, nulls_first=not down))
            if columns:
                part.set("order", exp.Order(expressions=keys))
                changed = True
        if changed:
            yield str(tree.sql(dialect="sqlite"))


def bare_columns(query: str) -> Iterator[str]:
    """Yield a query twice if it groups, columns that are not grouped by replaced by min and max.

    Which row of a group such a column is taken from is SQLite's choice, except beside a single min
    or max, where it is the row that has it: there nothing is yielded.

    >>> list(bare_columns("SELECT a, b, COUNT(*) FROM t GROUP BY a"))[0]
    'SELECT a, MIN(b), COUNT(*) FROM t GROUP BY a'
    """
    exp = _sqlglot().exp
    for wrap in (exp.Min, exp.Max):
        tree = parsed(query)
        if tree is None:
            return
        changed = False
        for part in list(tree.find_all(exp.Select)):
            group = part.args.get("group")
            grouped = {key.sql().lower() for key in group.expressions} if group is not None else ()
            whole = [item.unalias() for item in part.expressions]
            kinds = [_aggregates(item) for item in whole]
            if not (grouped or any(kinds)) or any(k & {"min", "max"} for k in kinds):
                continue
            for item, kind in zip(whole, kinds, strict=True):
                constant = not any(item.find_all(exp.Column))
                bare = not (kind or constant or item.is_star)
                if bare and item.sql().lower() not in grouped:
                    item.replace(wrap(this=item.copy()))
                    changed = True
        if changed:
            yield str(tree.sql(dialect="sqlite"))


def _aggregates(item: Any) -> set[str]:
    return {found.key for found in item.find_all(_sqlglot().exp.AggFunc)}


def _width(part: Any) -> int:
    """Return how many columns a part of a query has, 0 if that takes a look at the schema."""
    while part.args.get("expressions") is None and part.this is not None:
        part = part.this  # the first of the two sides of a UNION
    items = part.expressions
    return 0 if any(item.is_star for item in items) else len(items)


def parsed(query: str) -> Any:
    """Return the syntax tree of an SQL query, `None` if it is none."""
    sqlglot = _sqlglot()
    try:
        return sqlglot.parse_one(query, dialect="sqlite")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None


def _sqlglot() -> Any:
    try:
        import sqlglot
    except ImportError as error:
        raise ConfigError(
            'SQL questions need sqlglot, which is not installed: pip install "graphenv[query]"'
        ) from error
    return sqlglot
