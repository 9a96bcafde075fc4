"""Text that is no query of SQL: a reason in words, soon, and never an exception."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_sql_forms import CINEMA, SAME

from graphenv.query.model import Query, QueryIssue
from graphenv.query.sql import read_sql

pytest.importorskip("sqlglot")


ISSUES = {
    "": "empty",
    " ;; -- nothing": "empty",
    "SELEC name FROM person": "syntax",
    "SELECT FROM WHERE": "syntax",
    "SELECT 'open": "syntax",
    "SELECT name FROM person WHERE": "syntax",
    "how old is Ann?": "syntax",
    "DROP TABLE person": "unsupported",
    "INSERT INTO person VALUES (1)": "unsupported",
    "PRAGMA table_info(person)": "unsupported",
    "EXPLAIN SELECT 1": "unsupported",
    "ATTACH 'x' AS y": "unsupported",
    "VALUES (1)": "unsupported",
    "SELECT 1; SELECT 2": "unsupported",
    "SELECT a INTO b FROM c": "unsupported",
    "SELECT DISTINCT ON (a) a FROM b": "unsupported",
    "SELECT a FROM b GROUP BY ROLLUP (a)": "unsupported",
    "SELECT a FROM b SEMI JOIN c ON b.x = c.x": "unsupported",
    "WITH x AS (DELETE FROM y RETURNING z) SELECT z FROM x": "unsupported",
    "SELECT a FROM b TABLESAMPLE (3 ROWS)": "unsupported",
    "SELECT " + "(" * 51 + "1" + ")" * 51: "limit",
    "SELECT 1 -- " + "x" * 4_000: "limit",
}


@pytest.mark.parametrize("text", ISSUES)
def test_what_is_no_query_is_said_in_words(text: str) -> None:
    issue = read_sql(text)
    assert isinstance(issue, QueryIssue) and issue.kind == ISSUES[text], issue
    assert 10 < len(issue.reason) < 400 and "class" not in issue.reason
    assert "\x1b" not in issue.reason


def _nested(before: str, middle: str, after: str) -> Callable[[int], str]:
    return lambda n: before * n + middle + after * n


BOMBS = {
    "parentheses": _nested("SELECT * FROM (", "SELECT 1", ")"),
    "sum": lambda n: "SELECT " + "1+" * n + "1",
    "difference": lambda n: "SELECT " + "1-" * n + "1",
    "and": lambda n: "SELECT 1 WHERE " + "a AND " * n + "a",
    "not": lambda n: "SELECT " + "NOT " * n + "1",
    "case": lambda n: "SELECT " + "CASE WHEN " * n + "1" + " THEN 1 END" * n,
    "union": lambda n: "SELECT 1 " + "UNION SELECT 1 " * n,
    "exists": lambda n: "SELECT 1 WHERE " + "EXISTS (SELECT 1 WHERE " * n + "1" + ")" * n,
    "joins": lambda n: "SELECT 1 FROM a" + " JOIN a" * n,
    "equalities": lambda n: "SELECT 1 FROM a, b WHERE " + " AND ".join(
        f"a.c{i} = b.d{i // 2}" for i in range(n)
    ),
    "doubling tables": lambda n: "WITH t0 AS (SELECT 1 AS x)" + "".join(
        f", t{i + 1} AS (SELECT * FROM t{i} a, t{i} b)" for i in range(n)
    ) + f" SELECT * FROM t{n}",
    "doubling values": lambda n: "WITH t0 AS (SELECT x FROM y)" + "".join(
        f", t{i + 1} AS (SELECT x + x AS x FROM t{i})" for i in range(n)
    ) + f" SELECT x FROM t{n}",
    "doubling groups": lambda n: "WITH t0 AS (SELECT x FROM y)" + "".join(
        f", t{i + 1} AS (SELECT max(x || x) AS x FROM t{i})" for i in range(n)
    ) + f" SELECT x FROM t{n}",
    "doubling names": lambda n: "SELECT a AS b0" + "".join(
        f", b{i} + b{i} AS b{i + 1}" for i in range(n)
    ) + " FROM t",
    "brackets before UNION": lambda n: "SELECT 1" + " UNION SELECT (SELECT 1" * n + ")" * n,
    "open brackets": lambda n: "SELECT 1" if n < 9 else "SELECT " + "( UNION " * n,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_deep_and_long_text_ends_soon(name: str) -> None:
    for n in (3, 20, 48, 100, 1_000):
        start = time.perf_counter()
        found = read_sql(BOMBS[name](n)[:4_000])
        assert time.perf_counter() - start < 2.0, n
        if isinstance(found, QueryIssue):
            assert found.kind in ("limit", "syntax"), found
        else:  # shallow enough for whoever walks it
            hash(found)
            repr(found)
    assert isinstance(read_sql(BOMBS[name](3)), Query)


_WORDS = (
    *(
        "SELECT",
        "FROM",
        "WHERE",
        "JOIN",
        "LEFT",
        "NATURAL",
        "USING",
        "ON",
        "AND",
        "OR",
        "NOT",
        "IN",
    ),
    *(
        "EXISTS",
        "(",
        ")",
        ",",
        ".",
        "*",
        "+",
        "-",
        "||",
        "=",
        "<>",
        "<",
        "> =",
        "IS",
        "NULL",
        "LIKE",
    ),
    *("BETWEEN", "CASE", "WHEN", "THEN", "END", "GROUP BY", "HAVING", "ORDER BY", "DESC", "LIMIT"),
    *(
        "UNION",
        "EXCEPT",
        "WITH",
        "AS",
        "DISTINCT",
        "count",
        "OVER",
        "CAST",
        "1",
        "2.5",
        "'x'",
        '"x"',
    ),
    *("`x`", "[", "]", ";", "--", "/*", "?", ":x", "person", "Film", "p", "f", "name", "id", "ANY"),
    *(
        "INTERVAL",
        "DATE",
        "FILTER",
        "VALUES",
        "QUALIFY",
        "PIVOT",
        "{",
        "}",
        "::",
        "\0",
        "\ud800",
        "ß",
    ),
)


@given(
    st.one_of(st.text(max_size=60), st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join))
)
def test_no_text_raises(text: str) -> None:
    for query in (text, f"SELECT {text}", f"SELECT name FROM person p WHERE {text}"):
        found = read_sql(query, CINEMA)
        assert isinstance(found, Query | QueryIssue)


@given(st.data())
def test_no_broken_query_raises(data: st.DataObject) -> None:
    texts = [text for texts in SAME.values() for text in texts]
    words = data.draw(st.sampled_from(texts)).split()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(words)))
        words[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.lists(st.sampled_from(_WORDS), max_size=2)
        )
    for dialect in ("sqlite", "duckdb"):
        assert isinstance(read_sql(" ".join(words), CINEMA, dialect), Query | QueryIssue)
