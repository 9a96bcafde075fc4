"""`graphenv/Text2SQL-v0` and `graphenv/Text2Cypher-v0`: what is read, said and right."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
import query_env_fixture as fx
from query_env_fixture import block

from graphenv import envs
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.envs.arguments import offered
from graphenv.envs.queries import env as env_module
from graphenv.envs.queries.databases import Databases
from graphenv.envs.queries.engines import backend as backend_module
from graphenv.envs.queries.engines.backend import ENGINES
from graphenv.envs.queries.engines.cache import ResultCache
from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.reading import find_query
from graphenv.envs.replay import replay
from graphenv.envs.session import OVER
from graphenv.episode import Episode
from graphenv.errors import ConfigError, DataError, GraphEnvError, UnknownNameError
from graphenv.query.model import Language
from graphenv.query.results import Rows
from graphenv.text import format_answer, format_call, parse_turn

LANGUAGES: tuple[Language, ...] = ("sql", "cypher")
BOTH = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(autouse=True)
def known_source() -> Iterator[None]:
    with fx.cinema_source():
        yield


@lru_cache(maxsize=16)
def env_with(language: Language = "sql", **kwargs: Any) -> Any:
    return fx.make_env(language, **kwargs)


def gold(index: int, language: Language = "sql") -> str:
    return str(fx.QUESTIONS[index][language])


def asked(query: str, index: int = fx.FILMS, language: Language = "sql", **kwargs: Any) -> Episode:
    """Return the episode that answers with a query, and nothing before it."""
    episode: Episode = env_with(language, **kwargs).play(index, [block(query, language)])
    return episode


def said(*turns: str, language: Language = "sql", **kwargs: Any) -> str:
    """Return the last observation after some turns in tool mode."""
    episode: Episode = env_with(language, mode="tools", **kwargs).play(fx.AFTER, turns)
    return episode.steps[-1].observation


def run(query: str, **more: Any) -> str:
    return format_call("run", query=query, **more)


# -- what is read ---------------------------------------------------------------------------------

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


# -- statuses -------------------------------------------------------------------------------------

STATUSES: list[tuple[Language, str, str, str]] = [
    ("sql", gold(fx.FILMS), "ok", ""),
    ("sql", "SELECT nothin", "infeasible", "schema: no such column"),
    ("sql", "SELECT 1 FROM nowhere", "infeasible", "schema: no such table"),
    ("sql", "SELECT count(* FROM Film", "malformed", "syntax"),
    ("sql", "DROP TABLE Film", "infeasible", "refused"),
    ("sql", "SELECT 1; SELECT 2", "infeasible", "refused"),
    ("sql", "SELECT random()", "infeasible", "refused"),
    ("sql", "SELECT abs(-9223372036854775807 - 1)", "infeasible", "runtime"),
    ("sql", "SELECT * FROM Person a, Person b, Person c", "infeasible", "size"),
    ("cypher", gold(fx.FILMS, "cypher"), "ok", ""),
    ("cypher", "MATCH (f:Movie) RETURN count(f)", "infeasible", "schema"),
    ("cypher", "MATCH (f:Film) RETURN f.titel", "infeasible", "schema"),
    ("cypher", "MATCH (f:Film RETURN f", "malformed", "syntax"),
    ("cypher", "MATCH (f:Film) DELETE f", "infeasible", "refused"),
    ("cypher", "LOAD FROM 'x' RETURN *", "infeasible", "refused"),
    ("cypher", "MATCH (p:Person), (q:Person), (r:Person) RETURN p, q, r", "infeasible", "size"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "query", "status", "reason"), STATUSES)
def test_how_a_query_goes(language: Language, query: str, status: str, reason: str) -> None:
    episode = asked(query, language=language)
    assert episode.outcome is not None
    assert episode.status == status, episode.outcome.reason
    assert episode.outcome.reason.startswith(reason)
    assert (episode.outcome.program, episode.success) == (query, float(status == "ok"))
    assert episode.steps[-1].observation == "Query received."
    again = asked(query, language=language, mode="tools")
    assert (again.status, again.outcome) == (status, episode.outcome)
    assert replay(episode.record()) == episode


@BOTH
def test_a_turn_without_a_query_ends_single_mode_and_is_answered_in_tool_mode(
    language: Language,
) -> None:
    for text in ("Well.", block("SELECT 1", "python"), "", "<answer>"):
        single = env_with(language).play(fx.FILMS, [text])
        assert single.status == "malformed" and single.steps[0].observation == OVER
        assert single.outcome.program is None and single.success == 0.0
        tools = env_with(language, mode="tools").play(fx.FILMS, [text])
        assert not tools.ended and tools.steps[0].status == "malformed"
        assert f"final query in one ```{language} block" in tools.steps[0].observation
    called = env_with(language).play(fx.FILMS, [run(gold(fx.FILMS, language))])
    assert called.status == "malformed" and "no tools here" in called.outcome.reason


# -- truth ----------------------------------------------------------------------------------------

RIGHT: list[tuple[Language, int, str, float]] = [
    ("sql", fx.FILMS, "SELECT count(*) FROM Film", 1),
    ("sql", fx.FILMS, "SELECT 4", 0),
    ("sql", fx.PAIRS, "SELECT year, title FROM Film", 1),
    ("sql", fx.PAIRS, "SELECT title, year FROM Film ORDER BY year DESC", 1),
    ("sql", fx.PAIRS, "SELECT title, title FROM Film", 0),
    ("sql", fx.PAIRS, "SELECT title FROM Film", 0),
    ("sql", fx.PAIRS, "SELECT title, year, id FROM Film", 0),
    ("sql", fx.PAIRS, "SELECT title, year FROM Film UNION ALL SELECT title, year FROM Film", 0),
    ("sql", fx.AFTER, "SELECT title FROM Film WHERE year > 1991 ORDER BY title", 1),
    ("sql", fx.BY_YEAR, "SELECT title FROM Film ORDER BY year, title", 1),
    ("sql", fx.BY_YEAR, "SELECT title FROM Film ORDER BY year DESC, title", 0),
    ("sql", fx.BY_YEAR, "SELECT title FROM Film ORDER BY title", 0),
    ("sql", fx.OLDEST, "SELECT title FROM Film WHERE id = 1", 1),
    ("sql", fx.OLDEST, "SELECT title FROM Film ORDER BY year, id DESC LIMIT 1", 1),
    ("sql", fx.OLDEST, "SELECT title FROM Film WHERE id < 3", 0),
    ("sql", fx.OLDEST, "SELECT title FROM Film WHERE id = 3", 0),
    ("sql", fx.ELSEWHERE, "SELECT title FROM Film WHERE year > 2010", 1),
    ("sql", fx.ELSEWHERE, "SELECT title FROM Film WHERE 0", 0),
    ("sql", fx.NOWHERE, gold(fx.NOWHERE), 0),
    ("sql", fx.NOWHERE, "SELECT title FROM Film", 0),
    ("cypher", fx.FILMS, "RETURN 4", 0),
    ("cypher", fx.PAIRS, "MATCH (a:Film) RETURN a.year, a.title", 1),
    ("cypher", fx.BY_YEAR, "MATCH (a:Film) RETURN a.title ORDER BY a.title", 0),
    ("cypher", fx.OLDEST, "MATCH (a:Film) WHERE a.id = 2 RETURN a.title", 1),
    ("cypher", fx.ELSEWHERE, "MATCH (a:Film) WHERE a.year > 2010 RETURN a.title", 1),
    ("cypher", fx.ELSEWHERE, "MATCH (a:Film) WHERE a.year > 2021 RETURN a.title", 0),
    ("cypher", fx.NOWHERE, gold(fx.NOWHERE, "cypher"), 0),
]  # fmt: skip


@pytest.mark.parametrize(("language", "index", "query", "right"), RIGHT)
def test_what_is_right(language: Language, index: int, query: str, right: float) -> None:
    episode = asked(query, index, language)
    assert episode.status == "ok" and episode.success == right
    assert set(episode.metrics) >= {"row_f1", "first_database_match", "query_graph_match"}
    (score,) = env_with(language).reward([episode])
    assert score.value == (None if index == fx.NOWHERE else right)


@BOTH
def test_a_lucky_query_is_right_on_the_first_database_only(language: Language) -> None:
    lucky = asked("SELECT 4" if language == "sql" else "RETURN 4", fx.FILMS, language)
    assert lucky.success == 0.0
    assert lucky.metrics["first_database_match"] == 1.0 and lucky.metrics["row_f1"] < 1.0
    right = asked(gold(fx.FILMS, language), fx.FILMS, language)
    assert right.success == right.metrics["first_database_match"] == right.metrics["row_f1"] == 1.0


@BOTH
def test_published_metrics_stand_beside_the_truth(language: Language) -> None:
    queries = {
        "sql": ("SELECT f.title FROM Film f WHERE f.year > 1990", "SELECT title FROM Film"),
        "cypher": ("MATCH (x:Film) WHERE 1990 < x.year RETURN x.title", "MATCH (n:Film) RETURN n"),
    }
    same, other = (asked(query, fx.AFTER, language) for query in queries[language])
    assert (same.success, same.metrics["query_graph_match"]) == (1.0, 1.0)
    assert (other.success, other.metrics["query_graph_match"]) == (0.0, 0.0)
    assert ("exact_set_match" in same.metrics) == (language == "sql")
    # Another way to the same rows is right, and has another graph.
    way = {"sql": "SELECT title FROM Film WHERE NOT year < 1991",
           "cypher": "MATCH (f:Film) WHERE f.year >= 1991 RETURN f.title"}  # fmt: skip
    detour = asked(way[language], fx.AFTER, language)
    assert (detour.success, detour.metrics["query_graph_match"]) == (1.0, 0.0)


@BOTH
def test_no_reward_changes_the_truth(language: Language) -> None:
    for reward in ("execution", "1 - execution", "query_ged + 0.1*ngram", "0*row_f1"):
        episode = asked(gold(fx.AFTER, language), fx.AFTER, language, reward=reward)
        assert episode.success == 1.0 and episode.digest() == (
            asked(gold(fx.AFTER, language), fx.AFTER, language).digest()
        )


def test_gold_that_does_not_run_is_an_error_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {**fx.QUESTIONS[0], "sql": "SELECT nothin FROM Film"}
    monkeypatch.setitem(fx.QUESTIONS, 0, row)
    with pytest.raises(DataError, match=r"cinema/0: its gold does not run: .*no such column"):
        fx.make_env("sql").begin(0)
    monkeypatch.setitem(fx.QUESTIONS, 0, {**row, "sql": "SELECT ((("})
    with pytest.raises(DataError, match="its gold cannot be read"):
        fx.make_env("sql").begin(0)


# -- tools ----------------------------------------------------------------------------------------

SAID: list[tuple[Language, str, str]] = [
    ("sql", format_call("schema"), "Tables: Person, Film, made"),
    ("sql", format_call("schema", name="film"),
     "Film(id integer primary key, title text, year integer)"),
    ("sql", format_call("schema", name="made"),
     "made(share real, person_id references Person.id, film_id references Film.id)"),
    ("sql", format_call("schema", name="flim"),
     "There is nothing called 'flim'. Did you mean 'Film'?"),
    ("sql", format_call("schema", name="MADE_"),
     "There is nothing called 'MADE_'. Did you mean 'made'?"),
    ("sql", format_call("sample_values", table="FILM", column="Year"),
     "1979\n1995\n2001\nall 3 values"),
    ("sql", format_call("sample_values", table="made", column="film_id"),
     "1\n2\n3\n4\nall 4 values"),
    ("sql", format_call("sample_values", table="Film", column="titel"),
     "'Film' has no column 'titel'. Did you mean 'title'?"),
    ("sql", format_call("sample_values", table="Flm", column="title"),
     "There is nothing called 'Flm'. Did you mean 'Film'?"),
    ("sql", run("SELECT title, year FROM Film WHERE id > 2"),
     'title | year\nHeat | 1995\nThe "X" | 2001\n2 rows'),
    ("sql", run("SELECT NULL, 1.5"), "NULL | 1.5\nnull | 1.5\n1 row"),
    ("sql", run("SELECT title FROM Film WHERE 0"), "0 rows"),
    ("sql", run("SELECT nope FROM Film"), "Error (schema: no such column: nope)"),
    ("sql", run("SELECT 1; SELECT 2"), "Error (refused: *"),
    ("sql", run("SELECT FROM WHERE"), "Error (syntax: *"),
    ("sql", run(""), "Error (syntax: *"),
    ("sql", format_call("explain", query="SELECT nope FROM Film"),
     "Error (schema: no such column: nope)"),
    ("sql", format_call("explain", query="SELECT title FROM Film"), "SCAN Film"),
    ("sql", format_call("rum", query="x"), "There is no tool 'rum'. Did you mean 'run'?"),
    ("sql", format_call("run", sql="x"), "run has no argument sql. Use run(query, page?): *"),
    ("sql", format_call("run"), "run needs the argument 'query'. Use run(*"),
    ("sql", run("SELECT 1", page="two"), "run: argument 'page' is a str, but a integer*"),
    ("cypher", format_call("schema"), "Labels: Person, Film\nRelationship types: MADE"),
    ("cypher", format_call("schema", name="film"),
     "(:Film {id: integer, title: text, year: integer})\n"
     "(:Person)-[:MADE {share: real}]->(:Film)"),
    ("cypher", format_call("schema", name="made"), "(:Person)-[:MADE {share: real}]->(:Film)"),
    ("cypher", format_call("schema", name="mad"),
     "There is nothing called 'mad'. Did you mean 'MADE'?"),
    ("cypher", format_call("sample_values", table="film", column="year"),
     "1979\n1995\n2001\nall 3 values"),
    ("cypher", format_call("sample_values", table="MADE", column="share"),
     "0.25\n0.5\n0.75\nall 3 values"),
    ("cypher", format_call("sample_values", table="MADE", column="shares"),
     "'MADE' has no property 'shares'. Did you mean 'share'?"),
    ("cypher", format_call("sample_values", table="Film`) RETURN 1 //", column="id"),
     "There is nothing called*"),
    ("cypher", run("MATCH (f:Film) WHERE f.id > 2 RETURN f.title ORDER BY f.id"),
     'f.title\nHeat\nThe "X"\n2 rows'),
    ("cypher", run("MATCH (f:Film) WHERE f.id = 3 RETURN f"),
     "f\n(Film, (id, 3), (title, Heat), (year, 1995))\n1 row"),
    ("cypher", run("MATCH (f:Film) WHERE f.id > 99 RETURN f"), "0 rows"),
    ("cypher", run("MATCH (f:Movie) RETURN f"), "Error (schema: *"),
    ("cypher", run("MATCH (f:Film RETURN f"), "Error (syntax: *"),
    ("cypher", run("CREATE (f:Film)"), "Error (refused: *"),
    ("cypher", format_call("explain", query="MATCH (f:Movie) RETURN f"), "Error (schema: *"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "turn", "answer"), SAID)
def test_what_tools_say(language: Language, turn: str, answer: str) -> None:
    found = said(turn, language=language)
    assert found.startswith(answer[:-1]) if answer.endswith("*") else found == answer


def test_how_calls_go() -> None:
    turns = {
        "ok": run("SELECT 1"),
        "infeasible": run("SELECT nope"),
        "malformed": run("SELECT FROM"),
    }
    env = env_with(mode="tools")
    for status, turn in turns.items():
        step = env.play(0, [turn]).steps[0]
        assert (step.status, step.calls[0].status) == (status, status)
    both = env.play(0, ["".join(turns.values())]).steps[0]
    assert [call.status for call in both.calls] == list(turns) and both.status == "malformed"
    assert both.facts["queries"] == 3
    assert env.play(0, [turns["ok"], format_call("schema")]).steps[1].facts["queries"] == 1


def test_rows_come_by_the_page() -> None:
    everybody = "SELECT name FROM Person"
    first = said(run(everybody), page_size=10)
    assert first.splitlines() == [
        "name", *(f"Person {i:02}" for i in range(1, 11)), "25 rows; page 1 of 3",
    ]  # fmt: skip
    last = said(run(everybody, page=3), page_size=10)
    assert last.splitlines()[1:] == [
        *(f"Person {i}" for i in range(21, 26)),
        "25 rows; page 3 of 3",
    ]
    assert said(run(everybody, page=99), page_size=10) == last
    assert said(run(everybody, page=-1), page_size=10) == first
    assert said(run(everybody, page="3"), page_size=10) == last
    sampled = said(format_call("sample_values", table="Person", column="name"), page_size=3)
    assert len(sampled.splitlines()) == 21
    assert sampled.endswith("the first 20; there are more")


def test_observations_are_bounded() -> None:
    env = env_with(mode="tools", max_observation=200, page_size=100)
    wide = "SELECT name || hex(zeroblob(1)) || replace(hex(1000000000), '3', name) FROM Person"
    for turn in (run("SELECT name, name, name FROM Person"), run(wide), run("SELECT " + "9" * 3000),
                 format_call("schema", name="x" * 5000)):  # fmt: skip
        step = env.play(0, [turn]).steps[0]
        assert 0 < len(step.observation) <= 240
        assert sum(len(str(m["content"])) for m in step.messages[1:]) <= 240


@BOTH
def test_a_query_beside_tool_calls_waits(language: Language) -> None:
    query = gold(fx.AFTER, language)
    env = env_with(language, mode="tools")
    call = format_call("schema")
    for beside in (
        f"{block(query, language)}\n{call}",
        block(query, language) + call,
        f"{call}\n{block(query, language)}\n{call}",
        f"<program>{query}</program>{call}",
    ):
        episode = env.play(fx.AFTER, [beside, block(query, language)])
        assert "(The query beside it was not read" in episode.steps[0].observation
        assert episode.steps[0].observation.endswith(episode.steps[0].calls[-1].result)
        assert (len(episode), episode.success) == (2, 1.0)
    answered = env.play(fx.AFTER, [f"<answer>{query}</answer>{format_call('schema')}"])
    assert not answered.ended and "was not read" in answered.steps[0].observation
    broken = env.play(fx.AFTER, [f"<program>{format_call('schema')}"])
    assert not broken.ended and "<program>" in broken.steps[0].observation


@BOTH
def test_after_the_end_tools_answer_no_more(language: Language) -> None:
    env = env_with(language, mode="tools")
    session = env.begin(fx.AFTER)
    session.turn(block(gold(fx.AFTER, language), language))
    before = session.episode()
    for turn in (run(gold(fx.AFTER, language)), format_call("schema"), block("SELECT 1")):
        assert session.turn(turn).observation == OVER
    assert session.call(parse_turn(format_call("schema")).calls[0]).result == OVER
    assert session.episode() == before


def test_turns_run_out() -> None:
    env = env_with(mode="tools", max_turns=3)
    episode = env.play(0, [format_call("schema")] * 5)
    assert (episode.status, len(episode), episode.success) == ("truncated", 3, 0.0)
    assert env.play(0, [*[format_call("schema")] * 2, block(gold(0))]).success == 1.0


@BOTH
def test_prompts_say_what_there_is(language: Language) -> None:
    single, tools = env_with(language), env_with(language, mode="tools")
    system, user = (str(m["content"]) for m in single.tasks[fx.AFTER].messages)
    assert f"```{language}" in system and "tool" not in system
    assert user.endswith("Question: Which films were made after 1990?")
    assert ("(:Film {id: integer" if language == "cypher" else "Film(id integer") in user
    offered = str(tools.tasks[0].messages[0]["content"])
    for spec in tools.tools.values():
        assert f"- {spec.usage}" in offered
    assert set(tools.tools) == {"schema", "sample_values", "explain", "run"} and not single.tools
    bare = env_with(language, show_schema=False, instructions="none")
    assert [m["content"] for m in bare.tasks[0].messages] == ["Question: How many films are there?"]
    short = env_with(language, instructions="short").tasks[0].messages[0]["content"]
    assert len(short) < 40


# -- time -----------------------------------------------------------------------------------------

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


def test_a_limit_of_counted_work_is_a_result_like_others() -> None:
    env = env_with(mode="tools", work=20_000)
    episode = env.play(0, [run(ENDLESS), run(ENDLESS), block(gold(0))])
    assert [step.status for step in episode.steps] == ["timeout", "timeout", "ok"]
    assert episode.steps[0].observation.startswith("Error (timeout: stopped after 20,000 steps")
    assert episode.success == 1.0
    assert replay(episode.record()) == episode
    final = env.play(0, [block(ENDLESS)])
    assert final.status == "timeout" and final.outcome.reason.startswith("timeout: stopped after")
    assert (final.success, final.outcome.program) == (0.0, None)
    assert final.steps[0].observation == OVER
    assert replay(final.record()) == final
    with pytest.raises(
        DataError, match=r"its gold does not run: timeout: .* Raise the limits \(work=1,"
    ):
        fx.make_env("sql", work=1).begin(fx.PEOPLE)


@pytest.fixture
def obedient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return an environment in tool mode whose engine sleeps, dies and fills memory when told."""
    row = replace(ENGINES["sqlite"], engine="cage_engine:ObedientEngine", guard="builtins:_Nothing")
    monkeypatch.setitem(ENGINES, "sqlite", row)
    monkeypatch.setattr(backend_module, "load_row", lambda _: lambda query: None)
    monkeypatch.setattr(backend_module, "_cache", ResultCache())
    path = tmp_path / "db"
    path.touch()
    made = (Database("sqlite", str(path), str(path)),)
    monkeypatch.setattr(fx, "databases", lambda language: made)
    monkeypatch.setitem(fx.QUESTIONS, 0, {**fx.QUESTIONS[0], "sql": "select echo four"})
    env = fx.make_env("sql", mode="tools", seconds=0.3)
    env.limits = replace(env.limits, memory_mb=300)
    return env


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select sleep 60", "timeout: stopped after 0.3 seconds"),
        ("select die SIGSEGV", "crash: the engine died of this query (SIGSEGV)"),
        ("select fill 1000", "memory: "),
    ],
)
def test_an_engine_that_gives_up_ends_the_episode_and_the_log_replays(
    obedient: Any, query: str, reason: str
) -> None:
    for turns in (
        [run("select echo 1"), run(query)],
        [run("select echo 1"), run("select echo 2") + run(query) + run("select echo 3")],
        [run("select echo 1"), format_call("schema"), block(query)],
    ):
        episode = obedient.play(0, turns)
        assert episode.status == "timeout" and episode.outcome.reason.startswith(reason)
        last = episode.steps[-1]
        assert (last.status, last.observation, last.calls) == ("timeout", OVER, ())
        assert last.facts == {**episode.steps[-2].facts}
        assert (episode.success, episode.outcome.results) == (0.0, None)
        record = episode.record()
        assert replay(record, obedient) == episode
        # What the machine does today does not matter: the turn is not played again.
        fast = replace(record, turns=(*record.turns[:-1], block("select echo four")))
        assert replay(replace(fast, digest=record.digest), obedient).digest() == record.digest
    assert obedient.play(0, [block("select echo four")]).success == 1.0  # the cage goes on


def test_a_ladybug_query_ends_by_the_clock() -> None:
    env = fx.make_env("cypher", mode="tools", seconds=0.3)
    slow = "UNWIND range(1, 300000000) AS x RETURN sum(x)"
    episode = env.play(fx.FILMS, [run("RETURN 1"), run(slow)])
    assert (episode.status, len(episode)) == ("timeout", 2), episode.outcome
    assert replay(episode.record(), env) == episode


# -- without data ---------------------------------------------------------------------------------


@BOTH
def test_a_source_without_data(language: Language) -> None:
    for reward in ("execution", "row_f1", "query_ged + execution"):
        with pytest.raises(ConfigError, match=r"needs (target|outcome)\.results"):
            fx.make_env(language, data=False, reward=reward)
    reward = "query_ged + schema_linking + component_f1 + ngram + syntax"
    env = env_with(language, data=False, reward=reward, mode="tools")
    assert set(env.tools) == {"schema"}
    prompt = str(env.tasks[0].messages[0]["content"])
    assert '{"name": "schema"' in prompt and "run" not in prompt
    assert "There is no tool 'run'" in env.play(0, [run("x")]).steps[0].observation
    right = env.play(fx.AFTER, gold_turns(env, fx.AFTER))
    assert (right.status, right.success) == ("ok", 1.0)
    assert env.reward([right])[0].value == pytest.approx(5.0)
    assert right.outcome.results is None and "row_f1" not in right.metrics
    wrong = env.play(fx.AFTER, planted_turns(env, fx.AFTER, 1))
    assert wrong.success == 0.0 and 0 < env.reward([wrong])[0].value < 5
    unknown = {"sql": "SELECT a FROM nowhere", "cypher": "MATCH (n:Nowhere) RETURN n"}
    broken = {"sql": "SELECT (", "cypher": "MATCH (n RETURN"}
    assert env.play(0, [block(unknown[language], language)]).status == "infeasible"
    assert env.play(0, [block(broken[language], language)]).status == "malformed"
    assert replay(right.record()) == right


def test_efficiency_is_refused_where_the_engine_counts_no_work() -> None:
    with pytest.raises(ConfigError, match=r"'efficiency' needs outcome\.work"):
        fx.make_env("cypher", reward="execution + efficiency")
    env = env_with(reward="efficiency")
    lean = env.play(fx.AFTER, gold_turns(env, fx.AFTER))
    wasteful = (
        "SELECT title FROM Film WHERE year > 1990 AND (SELECT count(*) FROM Person a, Person b)"
    )
    slow = env.play(fx.AFTER, [block(wasteful)])
    wrong = env.play(fx.AFTER, [block("SELECT 1")])
    values = [score.value for score in env.reward([lean, slow, wrong])]
    assert values[0] == 1.0 and 0 < values[1] < 0.5 and values[2] == 0.0
    assert slow.success == 1.0


# -- one episode, everywhere ----------------------------------------------------------------------


@BOTH
def test_pickles_in_the_middle(language: Language) -> None:
    env = fx.make_env(language, mode="tools", reward="execution + 0.3*query_ged")
    env.reset(options={"index": fx.AFTER})
    env.step(run(gold(fx.AFTER, language)))
    twin = pickle.loads(pickle.dumps(env))
    assert twin.info() == env.info()
    for turn in (format_call("schema"), block(gold(fx.AFTER, language), language)):
        assert twin.step(turn) == env.step(turn)
    assert twin.episode == env.episode and twin.score == env.score and env.success == 1.0


def played() -> list[str]:
    """What one process makes of twelve episodes; another one has to make the same of them."""
    told = []
    for name in ("text2sql", "text2cypher"):
        env = envs.make(name, mode="tools", worlds=1, size=200, tasks=50, hops=1)
        for index in (0, 7):
            for turns in (gold_turns(env, index), planted_turns(env, index, 1), ["?"] * 8):
                episode = env.play(index, turns)
                told.append(f"{index} {episode.status} {episode.digest()} {episode.fingerprint}")
    return told


def test_episodes_are_the_same_in_another_process() -> None:
    script = "import test_query_env; print(*test_query_env.played(), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert done.stdout.splitlines() == played()
    assert done.stdout.count(" ok ") >= 4


def test_members_of_a_group_share_their_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    inner = Databases.run

    def counted(self: Databases, query: str) -> Any:
        ran.append(query)
        return inner(self, query)

    monkeypatch.setattr(Databases, "run", counted)
    env = fx.make_env("sql")
    sessions = [env.begin(fx.OLDEST) for _ in range(8)]
    assert ran == [gold(fx.OLDEST), *fx.QUESTIONS[fx.OLDEST]["accept"]["sql"]]
    assert len({id(session.task) for session in sessions}) == 1
    sessions[0].turn(block("SELECT 1"))
    assert sessions[1].outcome is None


@BOTH
def test_many_at_once(language: Language) -> None:
    found = gym.make_vec(
        f"graphenv/Text2{'SQL' if language == 'sql' else 'Cypher'}-v0",
        num_envs=3, source="cinema",
    )  # fmt: skip
    found.reset(seed=0, options={"index": [fx.FILMS, fx.AFTER, fx.PEOPLE]})
    turns = [block(gold(i, language), language) for i in (fx.FILMS, fx.FILMS, fx.PEOPLE)]
    _, rewards, terminations, truncations, infos = found.step(turns)
    assert rewards.tolist() == infos["final_info"]["success"].tolist() == [1.0, 0.0, 1.0]
    assert terminations.all() and not truncations.any()
    found.close()


# -- leaks ----------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("mode", ["single", "tools"])
def test_gold_never_reaches_the_agent(language: Language, mode: str) -> None:
    """Gold and `meta` hold a word that stands nowhere else: wherever it shows up, it leaked."""
    reward = "execution + row_f1 + query_ged + schema_linking + component_f1 + ngram"
    env = fx.make_env(language, mode=mode, reward=reward, render_mode="ansi")
    wrong = "SELECT count(*), 1 FROM Film" if language == "sql" else "MATCH (f:Film) RETURN f"
    turns = [
        "oops",
        format_call("schema"),
        run("SELECT canar"),
        run("MATCH (canar:Movie) RETURN canar"),
        format_call("explain", query=wrong),
        block(wrong, language),
    ]
    for turn in turns:
        observation, info = env.reset(options={"index": fx.FILMS})
        seen = [observation, info, env.render()]
        assert info["success"] is None and info["score"] == {} and info["metrics"] == {}
        seen += [*env.step(turn), env.render()]
        seen += [repr(env.session.world), pickle.dumps(env.session.world).decode("latin-1")]
        assert "canary" not in json.dumps(seen, ensure_ascii=False)
    closed = {
        asked(q, fx.FILMS, language).steps[-1].observation for q in (wrong, gold(0, language))
    }
    assert closed == {"Query received."}


# -- what users get wrong -------------------------------------------------------------------------

WRONG: list[tuple[str, dict[str, Any], type[GraphEnvError], str]] = [
    ("sql", {"mode": "program"}, ConfigError, "not one of single, tools"),
    ("sql", {"max_turns": 3}, ConfigError, "single mode has one turn"),
    ("sql", {"mode": "tools", "max_turns": 0}, ConfigError, "max_turns=0"),
    ("sql", {"page_size": 0}, ConfigError, "page_size=0"),
    ("sql", {"work": 1.5}, ConfigError, "work=1.5"),
    ("sql", {"workers": True}, ConfigError, "workers=True"),
    ("sql", {"seconds": 0}, ConfigError, "seconds=0"),
    ("sql", {"seconds": True}, ConfigError, "seconds=True"),
    ("sql", {"seconds": float("nan")}, ConfigError, "seconds=nan"),
    ("sql", {"seconds": "5"}, ConfigError, "seconds='5'"),
    ("sql", {"show_schema": 1}, ConfigError, "show_schema=1"),
    ("sql", {"instructions": "long"}, ConfigError, "full, short, none"),
    ("sql", {"max_observation": 10}, ConfigError, "max_observation=10"),
    ("sql", {"split": "test"}, ConfigError, "train, validation, heldout"),
    ("sql", {"source": "spidr"}, UnknownNameError, "Did you mean 'spider'"),
    ("sql", {"source": "zograscope"}, ConfigError, "gold in cypher, not in sql"),
    ("sql", {"source": "spider"}, ConfigError, "needs root="),
    ("sql", {"source": "spider", "root": "/no/such"}, DataError, "Expected layout"),
    ("sql", {"hop": 2}, ConfigError, "Did you mean 'hops'"),
    ("sql", {"pagesize": 2}, ConfigError, "Did you mean 'page_size'"),
    ("sql", {"hops": 9}, ConfigError, "hops=9"),
    ("sql", {"language": "cypher"}, ConfigError, "language"),
    ("sql", {"reward": "exact"}, ConfigError, "'exact' needs outcome.answer"),
    ("sql", {"reward": "executoin"}, UnknownNameError, "Did you mean 'execution'"),
    ("cypher", {"source": "bird"}, ConfigError, "gold in sql, not in cypher"),
    ("cypher", {"reward": "efficiency"}, ConfigError, "outcome.work"),
    ("cypher", {"mode": "chat"}, ConfigError, "Text2Cypher"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "kwargs", "error", "match"), WRONG, ids=lambda x: str(x)[:40])
def test_wrong_arguments_are_one_clear_error(
    language: str, kwargs: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=f"(?s){match}"):
        envs.make(f"text2{language}", **kwargs)


@pytest.mark.parametrize("argument", offered(env_module._QueryEnv))
def test_every_argument_of_the_environments_is_offered(argument: str) -> None:
    with pytest.raises(ConfigError, match=f"'{argument}_'.*Did you mean.*'{argument}'"):
        envs.make("text2sql", **{f"{argument}_": 1})


@pytest.mark.parametrize("name", ["text2sql", "text2cypher"])
def test_every_argument_is_on_record(name: str) -> None:
    kwargs = envs.make(name, hops=1, split="heldout").kwargs
    assert [*kwargs, "render_mode"] == [*offered(env_module._QueryEnv)[:-1], "hops", "render_mode"]


def test_rows_are_what_the_fixture_says() -> None:
    """The three databases hold the same cinema in both languages."""
    for index in (fx.AFTER, fx.PAIRS, fx.ELSEWHERE, fx.PEOPLE):
        found = [env_with(language).begin(index).task.target.results for language in LANGUAGES]
        counts = [[len(r.rows) for r in results if isinstance(r, Rows)] for results in found]
        assert counts[0] == counts[1] and len(counts[0]) == 3
