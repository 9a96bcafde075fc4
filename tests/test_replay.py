"""Replay: the same turns give the recorded facts, or the difference is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import kgqa_fixture as fx
import pytest
from conformance import ENVIRONMENT_MODES

from graphenv import envs
from graphenv.envs import replay as module
from graphenv.envs.replay import EnvCache, replay, replay_all
from graphenv.episode import Episode, read_records, write_records
from graphenv.errors import ConfigError, ReplayMismatch
from graphenv.text import format_call


@pytest.fixture(autouse=True)
def known_source() -> Iterator[None]:
    with fx.fixture_source():
        yield


def episodes() -> list[Episode]:
    tools = fx.make_env(max_turns=4)
    program = fx.make_env(mode="program", reward="0.7*answer_f1 + 0.3*triple_f1")
    late = tools.begin(0)
    late.turn(fx.walk_to_gold(0)[0])
    late.time_out("the turn that took too long", "stopped after 1000 steps")
    return [
        tools.play(0, [*fx.walk_to_gold(0), fx.answer("Crime", "Drama")]),
        tools.play(1, ["oops", format_call("relations"), fx.answer("Know")]),
        tools.play(0, ["\ud800", "", "<answer>", "x" * 1000]),
        tools.play(2, fx.walk_to_gold(2)),  # still running
        program.play(0, ["^directed_by > has_genre"]),
        program.play(0, ["nonsense"]),
        late.episode(),
    ]


def test_every_kind_of_ending_replays(tmp_path: Any):
    played = episodes()
    assert {e.status for e in played} == {"ok", "truncated", None, "infeasible", "timeout"}
    write_records(tmp_path / "log.jsonl", [e.record() for e in played])
    again = list(replay_all(read_records(tmp_path / "log.jsonl")))
    assert again == played
    assert [e.digest() for e in again] == [e.digest() for e in played]


@pytest.mark.parametrize(("id", "kwargs"), ENVIRONMENT_MODES)
def test_every_registered_environment_replays(id: str, kwargs: dict[str, Any]):
    env = envs.make(id, **kwargs)
    for index in (0, len(env.tasks) - 1):
        episode = env.play(index, ["hello", "<answer>x</answer>"])
        assert replay(episode.record(), env) == episode
        assert replay(episode.record()).digest() == episode.digest()


def test_another_reward_sees_the_same_facts_and_gets_what_it_needs():
    episode = episodes()[0]
    again = replay(episode.record(), reward="triple_f1 + progress")
    assert again.digest() == episode.digest()
    assert again.outcome is not None and again.outcome.graph is not None
    assert EnvCache("triple_f1").env_for(episode.record()).reward([again])[0].value == 1.0


def test_ten_thousand_records_make_an_environment_once(monkeypatch: pytest.MonkeyPatch):
    made: list[str] = []
    real = envs.make

    def counted(name: str, **kwargs: Any) -> Any:
        made.append(name)
        return real(name, **kwargs)

    monkeypatch.setattr(module, "make", counted)
    records = [episode.record() for episode in episodes()[:5]]
    cache = EnvCache()
    for _ in range(2_000):
        for record in records:
            cache.env_for(record)
    assert len(made) == 2
    assert len(list(replay_all(records * 4, reward="exact"))) == 20
    assert len(made) == 4


def test_the_cache_is_bounded():
    cache = EnvCache(size=2)
    record = episodes()[0].record()
    for limit in (3, 4, 5, 6):
        cache.env_for(replace(record, kwargs={**record.kwargs, "max_turns": limit}))
    assert len(cache._envs) == 2


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"fingerprint": "0" * 64}, "fingerprint .* another version of the data"),
        ({"task_id": "fixture/4"}, "index 0 holds task fixture/0"),
        ({"index": 77}, "index 77 is outside the 5 tasks"),
        ({"digest": "0" * 32}, "digest of facts"),
        ({"success": 0.0}, r"success is 1\.0, recorded 0\.0"),
        ({"status": "infeasible"}, "ends as 'ok', recorded 'infeasible'"),
        ({"turn_digests": ("", "", "", ""), "digest": ""}, "before the first turn"),
    ],
)
def test_a_difference_is_named(change: dict[str, Any], match: str):
    record = replace(episodes()[0].record(), **change)
    with pytest.raises(ReplayMismatch, match=match) as raised:
        replay(record)
    assert "Likely cause" in str(raised.value) or "outside" in match


def test_the_first_turn_that_differs_is_named():
    record = episodes()[0].record()
    turns = (record.turns[0], fx.follow("release_year")[0], record.turns[2])
    with pytest.raises(ReplayMismatch, match="after turn 2 differ"):
        replay(replace(record, turns=turns))
    with pytest.raises(ReplayMismatch, match="ends after turn 3 of the 4"):
        replay(replace(record, turns=(*record.turns, "and on")))
    with pytest.raises(ReplayMismatch, match="ends as None, recorded 'ok'"):
        replay(replace(record, turns=record.turns[:1]))


def test_other_arguments_are_noticed_by_what_the_agent_saw():
    record = fx.make_env(page_size=1).play(0, [fx.walk_to_gold(0)[0]]).record()
    with pytest.raises(ReplayMismatch, match=r"after turn 1 differ.*page_size"):
        replay(record, fx.make_env(page_size=2))


def test_another_environment_or_two_rewards_are_refused():
    record = episodes()[0].record()
    with pytest.raises(ReplayMismatch, match="environment given"):
        replay(replace(record, env_id="graphenv/Other-v0"), fx.make_env())
    with pytest.raises(ConfigError, match="either an environment or a reward"):
        replay(record, fx.make_env(), reward="hits")
