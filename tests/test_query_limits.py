"""Work, seconds and memory: what stops a query of an episode, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import query_env_fixture as fx
from query_env_fixture import block, env_with, gold, run

from graphenv.envs.queries.engines import backend as backend_module
from graphenv.envs.queries.engines.backend import ENGINES
from graphenv.envs.queries.engines.cache import ResultCache
from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.replay import replay
from graphenv.envs.session import OVER
from graphenv.errors import DataError
from graphenv.text import format_call

known_source = fx.known_source


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
