"""The first layer for SQL: reads the text before any engine does. No parser, and no opinion on SQL.

What kind of statement it is and which functions it calls is decided behind the process border by
the engine's own parser (sqlite's authorizer, duckdb's syntax tree): a second parser here would
disagree with it in both directions, refusing valid queries and, worse, accepting what the engine
reads differently. This layer keeps away what a parser should not even see: too long, too deep,
several statements, characters that hide something; and it says in words what is allowed.
"""

from __future__ import annotations

import re

from graphenv.query.results import QueryError

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "check_duckdb", "check_sqlite"]

MAX_LENGTH = 4_000
MAX_DEPTH = 50

_COMMON = r"""
    (?P<text>'(?:[^']|'')*'?)
  | (?P<name>"(?:[^"]|"")*"? {names})
  | (?P<comment>--[^\n]* | /\*{block})
  | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$]*)
  | (?P<open>[(\[{{])
  | (?P<close>[)\]}}])
  | (?P<end>;)
  | (?P<space>\s+)
  | (?P<other>.)
"""
_SQLITE = re.compile(
    _COMMON.format(names=r"| `(?:[^`]|``)*`? | \[[^\]]*\]?", block=r"(?s:.)*?(?:\*/|\Z)"), re.X
)
_DUCKDB = re.compile(
    r"(?P<escaped>[eE]'(?:[^'\\]|\\(?s:.)|'')*'?)"
    r"| (?P<dollar>\$(?P<tag>\w*)\$(?s:.)*?(?:\$(?P=tag)\$|\Z)) |"
    + _COMMON.format(names="", block=r"(?s:.)*?(?:\*/|\Z)"),
    re.X,
)
_STATEMENTS = """
alter analyze attach begin call checkpoint comment commit copy create deallocate delete describe
detach drop end execute explain export from force import insert install load merge pivot pragma
prepare reindex release replace reset rollback savepoint set show start summarize table truncate
unpivot update use vacuum values
"""


def check_sqlite(query: str) -> QueryError | None:
    """Return why a text is kept from sqlite, `None` if it is not.

    Examples
    --------
    >>> check_sqlite("select 1;")
    >>> check_sqlite("drop table film").reason
    'only SELECT queries (perhaps after WITH) are allowed here; this is DROP'
    """
    return _check(query, _SQLITE)


def check_duckdb(query: str) -> QueryError | None:
    """Return why a text is kept from duckdb, `None` if it is not.

    Examples
    --------
    >>> check_duckdb("select $$;$$, e'\\\\';'")
    >>> check_duckdb("select 1; select 2").reason
    'one query at a time: there is something after the semicolon'
    """
    return _check(query, _DUCKDB)


def _check(query: str, pattern: re.Pattern[str]) -> QueryError | None:
    if len(query) > MAX_LENGTH:
        return QueryError(
            "refused", f"the query has {len(query):,} characters, {MAX_LENGTH:,} are allowed"
        )
    if "\0" in query:
        return QueryError("syntax", "the query contains a NUL character")
    try:
        query.encode()
    except UnicodeEncodeError:
        return QueryError("syntax", "the query contains half a character (a lone surrogate)")
    first, depth, ended = "", 0, False
    for token in pattern.finditer(query):
        kind = token.lastgroup
        if kind in ("space", "comment"):
            continue
        if ended and kind != "end":
            return QueryError(
                "refused", "one query at a time: there is something after the semicolon"
            )
        if kind == "open":
            depth += 1
            if depth > MAX_DEPTH:
                return QueryError("refused", f"more than {MAX_DEPTH} brackets inside each other")
        elif kind == "close":
            depth -= 1
        elif kind == "end":
            ended = True
        elif not first:
            first = token[0]
    word = first.lower()
    if word in ("select", "with"):
        return None
    if not word:
        return QueryError("syntax", "there is no query")
    if word in _STATEMENTS.split():
        return QueryError(
            "refused",
            f"only SELECT queries (perhaps after WITH) are allowed here; this is {word.upper()}",
        )
    return QueryError("syntax", f"a query starts with SELECT or WITH, not with {first[:40]!r}")
