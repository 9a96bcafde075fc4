"""`graphenv/Text2SQL-v0` and `graphenv/Text2Cypher-v0`: the same everywhere, and no leaks."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
import query_env_fixture as fx
from query_env_fixture import BOTH, asked, block, env_with, gold, run

from graphenv import envs
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.envs.arguments import offered
from graphenv.envs.queries import env as env_module
from graphenv.envs.queries.databases import Databases
from graphenv.envs.replay import replay
from graphenv.errors import ConfigError, DataError, GraphEnvError, UnknownNameError
from graphenv.query.model import Language
from graphenv.query.results import Rows
from graphenv.text import format_call

known_source = fx.known_source


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
    """What one process makes of some episodes; another one has to make the same of them."""
    told = []
    for name in ("text2sql", "text2cypher"):
        env = envs.make(name, mode="tools", worlds=1, size=200, tasks=50, hops=1)
        for turns in (gold_turns(env, 7), planted_turns(env, 7, 1), ["?"] * 8):
            episode = env.play(7, turns)
            told.append(f"{episode.status} {episode.digest()} {episode.fingerprint}")
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
    assert done.stdout.count("ok ") >= 2


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
        found = [
            env_with(language).begin(index).task.target.results for language in ("sql", "cypher")
        ]
        counts = [[len(r.rows) for r in results if isinstance(r, Rows)] for results in found]
        assert counts[0] == counts[1] and len(counts[0]) == 3
