"""SQL text to sqlglot's tree, or why not: what is too long or too deep is never parsed."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any, NamedTuple

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import Token, TokenType

from graphenv.errors import ConfigError
from graphenv.query.model import QueryIssue
from graphenv.query.sql.limits import MAX_DEPTH
from graphenv.text import bounded

__all__ = ["MAX_CHARS", "Parsed", "is_query", "parse"]

MAX_CHARS = 4_000
MAX_MOVES = 20_000

# `> =` and the like stand in some published gold.
_APART = re.compile(r"[<>!]\s+[=>]")
_TOGETHER = {
    (TokenType.GT, TokenType.EQ): (TokenType.GTE, ">="),
    (TokenType.LT, TokenType.EQ): (TokenType.LTE, "<="),
    (TokenType.LT, TokenType.GT): (TokenType.NEQ, "<>"),
    (TokenType.NOT, TokenType.EQ): (TokenType.NEQ, "<>"),
}
# What the parser of a library trips over in odd text; it promises no more than ParseError.
_PARSER_BUGS = (AttributeError, IndexError, KeyError, TypeError, ValueError)

# It warns of statements that it does not know; they are refused below.
logging.getLogger("sqlglot").addFilter(lambda record: record.levelno > logging.WARNING)


class Parsed(NamedTuple):
    """A statement, and the names that were written in double quotes and in no other way."""

    root: Any
    double: frozenset[str]


class _TooMuchWork(Exception):
    """Raised by the parser when it has gone back and forth too often."""


class _Reader(NamedTuple):
    """A dialect, and its parser with a budget."""

    dialect: Any
    parser: Any


@lru_cache(maxsize=16)
def _reader(name: str) -> _Reader:
    try:
        dialect = Dialect.get_or_raise(name)
    except ValueError as error:
        raise ConfigError(f"dialect={name!r} is none that sqlglot knows: {error}") from None
    return _Reader(dialect, _bounded(type(dialect.parser())))


def _bounded(parser: Any) -> Any:
    """Return a parser class that counts its moves over the tokens.

    sqlglot tries one reading after the other: 30 joins without ON would take it hours, and so
    would 30 brackets that open on UNION.
    """
    advance = parser._advance

    def counted(self: Any, times: int = 1) -> None:
        self.moves += 1
        if self.moves > MAX_MOVES:
            raise _TooMuchWork
        advance(self, times)

    try:
        return type(parser)(
            "BoundedParser", (parser,), {"__slots__": ("moves",), "_advance": counted}
        )
    except TypeError as error:
        raise ConfigError(
            f"the parser of this sqlglot cannot be given a budget ({error}), and without one a "
            "short text can keep it busy for hours. If sqlglotc is installed, uninstall it."
        ) from None


def parse(text: str, dialect: str) -> Parsed | QueryIssue:
    """Return the tree of the one statement in a text.

    Raises
    ------
    ConfigError
        If sqlglot has no such dialect.
    """
    reader = _reader(dialect)
    if not text.strip():
        return QueryIssue("empty", "there is no query in the text")
    if len(text) > MAX_CHARS:
        reason = f"the query has {len(text)} characters; at most {MAX_CHARS} are read"
        return QueryIssue("limit", reason)
    try:
        tokens = reader.dialect.tokenize(text)
        issue = _refused(tokens)
        if issue is not None:
            return issue
        if _APART.search(text):
            tokens = _joined(tokens, text)
        parser = reader.parser(dialect=reader.dialect)
        parser.moves = 0
        statements = parser.parse(tokens, text)
    except _TooMuchWork:
        reason = "the query could be read in too many ways; write ON after every JOIN"
        return QueryIssue("limit", reason)
    except ParseError as error:
        return QueryIssue("syntax", _words(error))
    except RecursionError:
        return QueryIssue("limit", f"nested more than {MAX_DEPTH} levels deep")
    except SqlglotError as error:
        return QueryIssue("syntax", f"cannot be read: {bounded(str(error), 200)}")
    except _PARSER_BUGS as error:
        return QueryIssue("syntax", f"cannot be read ({type(error).__name__} in the parser)")
    found = [part for part in statements if part is not None and type(part) is not exp.Semicolon]
    if not found:
        return QueryIssue("empty", "there is no query in the text")
    if len(found) > 1:
        reason = f"{len(found)} statements stand in the text; write one query"
        return QueryIssue("unsupported", reason)
    return Parsed(found[0], _double(tokens, text))


def _refused(tokens: list[Any]) -> QueryIssue | None:
    depth = deepest = 0
    for token in tokens:
        kind = token.token_type
        if kind is TokenType.L_PAREN:
            depth += 1
            deepest = max(depth, deepest)
        elif kind is TokenType.R_PAREN:
            depth -= 1
    if deepest > MAX_DEPTH:
        reason = f"nested {deepest} levels deep; at most {MAX_DEPTH} are read"
        return QueryIssue("limit", reason)
    return None


def _joined(tokens: list[Any], text: str) -> list[Any]:
    """Return tokens with `> =`, `< =`, `! =` and `< >` as one token each."""
    found: list[Any] = []
    for token in tokens:
        last = found[-1] if found else None
        pair = None
        # NOT is one of these only where it is written as a sign.
        if last is not None and (last.token_type is not TokenType.NOT or text[last.start] == "!"):
            pair = _TOGETHER.get((last.token_type, token.token_type))
        if pair is None or last is None:
            found.append(token)
        else:
            place = {"line": last.line, "col": last.col, "start": last.start, "end": token.end}
            found[-1] = Token(pair[0], pair[1], **place)
    return found


def _double(tokens: list[Any], text: str) -> frozenset[str]:
    """Return names that stand in double quotes everywhere: in SQLite they may be texts."""
    if '"' not in text:
        return frozenset()
    double: set[str] = set()
    other: set[str] = set()
    for token in tokens:
        quoted = token.token_type is TokenType.IDENTIFIER and text[token.start] == '"'
        (double if quoted else other).add(token.text)
    return frozenset(double - other)


def _words(error: ParseError) -> str:
    """Return what the parser says, with the place, without its colours."""
    if not error.errors:
        return bounded(str(error), 200)
    first = error.errors[0]
    what = re.sub(r"<class '[\w.]*?(\w+)'>", r"\1", str(first.get("description", "")))
    near = str(first.get("highlight", ""))
    place = f"line {first.get('line')}, column {first.get('col')}"
    return bounded(f"{what.rstrip('.')} at {place}, near {near!r}", 300)


def is_query(root: Any) -> bool:
    """Return whether a statement is a SELECT, a set operation, or one of them in parentheses."""
    while type(root) is exp.Subquery:
        root = root.this
    return isinstance(root, exp.Select | exp.SetOperation)
