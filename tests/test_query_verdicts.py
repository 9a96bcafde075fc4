"""How a query to an environment goes, and what is right."""

from __future__ import annotations

import pytest
import query_env_fixture as fx
from query_env_fixture import BOTH, asked, block, env_with, gold, run

from graphenv.envs.replay import replay
from graphenv.envs.session import OVER
from graphenv.errors import DataError
from graphenv.query.model import Language

known_source = fx.known_source


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
