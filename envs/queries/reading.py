"""From an assistant turn to a query text, and from a query text to a `Query`."""

from __future__ import annotations

import re

from graphenv.query.limits import too_large
from graphenv.query.model import Language, Query, QueryIssue
from graphenv.query.schema import Schema
from graphenv.text import NO_BLOCK, ParsedTurn

__all__ = ["find_query", "read_query"]

# A fence opens at the start of a line and names a language or nothing.
_FENCE = re.compile(r"^[ \t]*```[ \t]*(\w*)[ \t]*\n(.*?)^[ \t]*```[ \t]*$", re.M | re.S)
_INLINE = re.compile(r"^```(\w*)\s+(.*?)```$", re.S)
_OPENING = {
    "sql": re.compile(r"(select|with|values)\b|\(\s*select\b", re.I),
    "cypher": re.compile(r"(match|optional\s+match|with|unwind|return|call)\b", re.I),
}


def find_query(turn: ParsedTurn, language: Language) -> tuple[str | None, str]:
    """Return the query text that a turn gives, or `None` and the reason why there is none.

    A query stands in one fenced block, or in `<program>` or `<answer>` tags, or is all that the
    turn holds. More than one block is a hedge, which is malformed.

    >>> from graphenv.text import parse_turn
    >>> find_query(parse_turn("So:\\n```sql\\nSELECT 1\\n```"), "sql")
    ('SELECT 1', '')
    >>> find_query(parse_turn("SELECT 1"), "sql")
    ('SELECT 1', '')
    """
    if turn.reason and turn.reason != NO_BLOCK:
        return None, turn.reason
    tagged = [*turn.programs]
    if turn.answer is not None:
        if not turn.answer.text:
            return None, turn.answer.reason or "the answer is empty"
        tagged.append(turn.answer.text)
    if len(tagged) > 1:
        return None, "more than one block with a query"
    body = tagged[0] if tagged else turn.bare
    fenced = _FENCE.findall(body) or _INLINE.findall(body.strip())
    if len(fenced) > 1:
        return None, f"{len(fenced)} fenced blocks; write exactly one"
    if fenced:
        named, text = fenced[0]
        if named and named.lower() not in (language, "sqlite", "duckdb", "neo4j"):
            return None, f"the block is marked as {named[:20]!r}; {language} is asked for"
    else:
        text = body
        if not tagged and not _OPENING[language].match(text.strip()):
            return None, f"no ```{language} block"
    text = text.strip()
    return (text, "") if text else (None, "the block is empty")


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
