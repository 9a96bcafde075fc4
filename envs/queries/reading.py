"""From an assistant turn to a query text, and from a query text to a `Query`."""

from __future__ import annotations

import re
from dataclasses import replace

from graphenv.fences import fenced_blocks
from graphenv.query.limits import too_large
from graphenv.query.model import Language, Query, QueryIssue
from graphenv.query.schema import Schema
from graphenv.text import NO_BLOCK, ParsedAnswer, ParsedTurn

__all__ = ["find_query", "holds_query", "read_query"]

_OPENING = {
    "sql": re.compile(r"(select|with|values)\b|\(\s*select\b", re.I),
    "cypher": re.compile(r"(match|optional\s+match|with|unwind|return|call)\b", re.I),
}
_MARKS = {
    "sql": ("sql", "sqlite", "sqlite3", "duckdb"),
    "cypher": ("cypher", "opencypher", "neo4j", "ladybug"),
}
_CALL = re.compile(r"</?tool_call>", re.I)


def find_query(turn: ParsedTurn, language: Language) -> tuple[str | None, str]:
    """Return the query text that a turn gives, or `None` and the reason why there is none.

    A query stands in one fenced block, or in `<program>` or `<answer>` tags, or is all that the
    turn holds. Tags go before blocks beside them. More than one block is a hedge, which is
    malformed.

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
        tagged.append(_answered(turn.answer))
    if len(tagged) > 1:
        return None, "more than one block with a query"
    body = tagged[0] if tagged else turn.bare
    blocks = fenced_blocks(body, _MARKS[language], _OPENING[language].match)
    if len(blocks) > 1:
        return None, f"{len(blocks)} fenced blocks; write exactly one"
    if blocks:
        mark, found = blocks[0]
        if found is None:
            return None, "the block is never closed"
        if mark and mark.lower() not in _MARKS[language]:
            return None, f"the block is marked as {mark[:20]!r}; {language} is asked for"
        text = found.strip()
    else:
        text = body.strip()
        if not tagged and not _OPENING[language].match(text):
            return None, f"no ```{language} block"
    return (text, "") if text else (None, "the block is empty")


def holds_query(turn: ParsedTurn, language: Language) -> bool:
    """Return whether a turn with tool calls gives a query beside them."""
    outside = _CALL.split(turn.bare)[::2]
    return find_query(replace(turn, bare="\n".join(outside)), language)[0] is not None


def _answered(answer: ParsedAnswer) -> str:
    """Return the text of an answer; of a JSON list with one item, the item."""
    items = answer.items or ()
    return items[0] if len(items) == 1 and answer.text[0] in '["' else answer.text


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
