"""From an assistant turn to a query text, and from a query text to a `Query`."""

from __future__ import annotations

import re
from dataclasses import replace

from graphenv.fences import Asked, find_block
from graphenv.query.limits import too_large
from graphenv.query.model import Language, Query, QueryIssue
from graphenv.query.schema import Schema
from graphenv.text import ParsedTurn

__all__ = ["find_query", "holds_query", "read_query"]

_ASKED: dict[Language, Asked] = {
    "sql": Asked(
        "a query",
        ("sql", "sqlite", "sqlite3", "duckdb"),
        re.compile(r"(select|with|values)\b|\(\s*select\b", re.I),
        programs=True,
    ),
    "cypher": Asked(
        "a query",
        ("cypher", "opencypher", "neo4j", "ladybug"),
        re.compile(r"(match|optional\s+match|with|unwind|return|call)\b", re.I),
        programs=True,
    ),
}
_CALL = re.compile(r"</?tool_call>", re.I)


def find_query(turn: ParsedTurn, language: Language) -> tuple[str | None, str]:
    """Return the query text that a turn gives, or `None` and the reason why there is none.

    >>> from graphenv.text import parse_turn
    >>> find_query(parse_turn("So:\\n```sql\\nSELECT 1\\n```"), "sql")
    ('SELECT 1', '')
    >>> find_query(parse_turn("SELECT 1"), "sql")
    ('SELECT 1', '')
    """
    return find_block(turn, _ASKED[language])


def holds_query(turn: ParsedTurn, language: Language) -> bool:
    """Return whether a turn with tool calls gives a query beside them."""
    outside = "\n".join(_CALL.split(turn.bare)[::2])
    return find_query(replace(turn, calls=(), bare=outside), language)[0] is not None


def read_query(text: str, language: Language, schema: Schema | None) -> Query | QueryIssue:
    """Return the query as read, or why it cannot be read."""
    if language == "sql":
        from graphenv.query.sql import read_sql

        read = read_sql(text, schema)
    else:
        from graphenv.query.cypher import read_cypher

        read = read_cypher(text, schema)
    # A query of 4,000 characters can stand for an expression of astronomic size.
    return (isinstance(read, Query) and too_large(read)) or read
