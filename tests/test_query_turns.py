"""What a turn of the query environments says: the query in it, or why there is none."""

from __future__ import annotations

import time

import pytest
import query_env_fixture as fx
from query_env_fixture import block

from graphenv.envs.queries.reading import find_query
from graphenv.text import format_answer, parse_turn

known_source = fx.known_source


ONE = "SELECT 1"
READ: dict[str, tuple[str, str | None, str]] = {
    "block": (block(ONE), ONE, ""),
    "between prose": (f"I count.\n\n{block(ONE)}\n\nThat is all.", ONE, ""),
    "no mark": (f"```\n{ONE}\n```", ONE, ""),
    "mark in capitals": (f"```SQL\n{ONE}\n```", ONE, ""),
    "mark of the engine": (f"```sqlite\n{ONE}\n```", ONE, ""),
    "words behind the mark": (f'```sql title="x"\n{ONE}\n```', ONE, ""),
    "indented": (f"1. So:\n   ```sql\n   {ONE}\n   ```", ONE, ""),
    "four ticks": (f"````sql\n{ONE}\n````", ONE, ""),
    "blanks behind": (f"``` sql \n{ONE}\n```  ", ONE, ""),
    "windows": (f"So:\r\n```sql\r\n{ONE}\r\n```\r\n", ONE, ""),
    "several lines": (block("SELECT a\n\nFROM b"), "SELECT a\n\nFROM b", ""),
    "closed on the last line": (f"So:\n```sql\n{ONE}```", ONE, ""),
    "one line": (f"So:\n```sql {ONE}```", ONE, ""),
    "one line without a mark": (f"```{ONE}```", ONE, ""),
    "bare": (f"  {ONE}\n", ONE, ""),
    "bare in capitals": ("wItH a AS (SELECT 1) TABLE a", "wItH a AS (SELECT 1) TABLE a", ""),
    "bare in brackets": (f"({ONE}) UNION ({ONE})", f"({ONE}) UNION ({ONE})", ""),
    "thought before": (f"<think>or {block('SELECT 2')}</think>{ONE}", ONE, ""),
    "thought opened by the template": (f"{block('SELECT 2')}\n</think>\n{block(ONE)}", ONE, ""),
    "program": (f"<program>{ONE}</program>", ONE, ""),
    "program with a block": (f"<program>\n{block(ONE)}\n</program>", ONE, ""),
    "answer": (f"<answer>{ONE}</answer>", ONE, ""),
    "answer as a list": (format_answer([ONE]), ONE, ""),
    "answer beside a draft": (f"{block('SELECT 2')}\n<answer>{ONE}</answer>", ONE, ""),
    "less than": (block("SELECT 1 FROM t WHERE a<b AND c<answer"), None, "sql"),
    "unicode": (block("SELECT 'žluť 🐎'"), "SELECT 'žluť 🐎'", ""),
    "surrogate": (block("SELECT '\ud800'"), "SELECT '?'", ""),
    "ticks inside": (block("SELECT '``'"), "SELECT '``'", ""),
    "block in a block": (f"````\n{block(ONE)}\n````", block(ONE), ""),
    "another mark around it": (f"```markdown\n{block(ONE)}", None, "marked as 'markdown'"),
    "two blocks": (f"{block(ONE)}\n{block(ONE)}", None, "2 fenced blocks"),
    "two blocks, one open": (f"{block(ONE)}\n```sql\n{ONE}", None, "2 fenced blocks"),
    "two programs": (f"<program>{ONE}</program>" * 2, None, "more than one block"),
    "program and answer": (f"<program>{ONE}</program><answer>{ONE}</answer>", None, "more than"),
    "two answers": (f"<answer>{ONE}</answer>" * 2, None, "more than one <answer>"),
    "open block": (f"So:\n```sql\n{ONE}\n", None, "never closed"),
    "open tag": (f"<program>{ONE}", None, "<program> is never closed"),
    "open answer": (f"<answer>{ONE}", None, "<answer> is never closed"),
    "open thought": (f"<think>{block(ONE)}", None, "<think> is never closed"),
    "a tag in a text": (block("SELECT '<answer>'"), None, "<answer> is never closed"),
    "another language": (f"```python\n{ONE}\n```", None, "marked as 'python'"),
    "the other language": (f"```cypher\n{ONE}\n```", None, "sql is asked for"),
    "empty block": (block("  "), None, "the block is empty"),
    "empty program": ("<program></program>", None, "the block is empty"),
    "empty answer": ("<answer> </answer>", None, "the answer is empty"),
    "nothing": ("", None, "no ```sql block"),
    "blank": (" \n\t", None, "no ```sql block"),
    "prose": ("I would count the films.", None, "no ```sql block"),
    "prose with a query in it": (f"Use {ONE}.", None, "no ```sql block"),
    "single ticks": (f"`{ONE}`", None, "no ```sql block"),
    "a megabyte": (block("x" * 1_000_000), None, "longer than"),
    "long": (block("x" * 150_000), "x" * 150_000, ""),
}
READ["less than"] = (READ["less than"][0], "SELECT 1 FROM t WHERE a<b AND c<answer", "")


@pytest.mark.parametrize("kind", READ)
def test_what_a_turn_says(kind: str) -> None:
    text, query, reason = READ[kind]
    found, why = find_query(parse_turn(text), "sql")
    assert found == query
    assert reason in why and bool(why) == (query is None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MATCH (n) RETURN n", True),
        ("optional  match (n) RETURN n", True),
        ("UNWIND [1] AS x RETURN x", True),
        (block("RETURN 1", "cypher"), True),
        (block("RETURN 1", "neo4j"), True),
        (block("RETURN 1", "sql"), False),
        ("SELECT 1", False),
        ("matching is easy", False),
        (block("MATCH (n:`a b`) RETURN n.`x``y`", "cypher"), True),
    ],
)
def test_cypher_is_read_alike(text: str, found: bool) -> None:
    query, reason = find_query(parse_turn(text), "cypher")
    assert (query is not None) == found and bool(reason) != found


@pytest.mark.parametrize(
    "piece", ["```a\n", "```\n", "`", "\n", " ", "```sql x```\n", "````", " ```", "x```\n", "\r\n"]
)
def test_reading_blocks_takes_linear_time(piece: str) -> None:
    turn = parse_turn("So\n" + piece * (150_000 // len(piece)))
    began = time.perf_counter()
    find_query(turn, "sql")
    assert time.perf_counter() - began < 2  # a few hundredths; quadratic would be minutes
