"""Episodes: prefixes, the chat, digests, and logs that survive any text."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import kgqa_fixture as fx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv.episode import Episode, EpisodeRecord, Outcome, read_records, write_records
from graphenv.errors import DataError
from graphenv.text import format_call


def played() -> Episode:
    return fx.make_env().play(0, [*fx.walk_to_gold(0), fx.answer("Crime", "Drama")])


def test_prefixes():
    episode = played()
    assert len(episode) == 3 and episode.ended and episode.success == 1.0
    assert episode[:3] is episode
    for t in range(3):
        prefix = episode[:t]
        assert prefix.steps == episode.steps[:t]
        assert (prefix.ended, prefix.status, prefix.success, prefix.metrics) == (
            False,
            None,
            None,
            {},
        )
        assert prefix.task is episode.task and prefix.start == episode.start
    for wrong in (0, slice(1, None), slice(None, None, 2)):
        with pytest.raises(TypeError, match="prefix"):
            episode[wrong]  # type: ignore[index]


def test_the_chat_alternates_and_grows():
    episode = played()
    chats = [episode[:t].messages for t in range(4)]
    for shorter, longer in pairwise(chats):
        assert longer[: len(shorter)] == shorter
        assert longer[len(shorter)]["role"] == "assistant"
    assert [m["role"] for m in episode.messages[-2:]] == ["assistant", "user"]
    json.dumps(episode.messages)


def test_several_calls_in_one_turn_answer_one_by_one():
    episode = fx.make_env().play(0, [format_call("relations") + format_call("frontier")])
    said, first, second = episode.steps[0].messages
    assert (said["role"], first["name"], second["name"]) == ("assistant", "relations", "frontier")
    assert episode.steps[0].observation == f"{first['content']}\n{second['content']}"


def test_digests_cover_facts_and_outcome_but_not_what_the_reward_asks_for():
    episode = played()
    other = fx.make_env(reward="progress + node_f1 + ged_progress")
    richer = other.play(0, [s.text for s in episode.steps])
    assert richer.steps[0].values and richer.steps[0].graph is not None
    assert (richer.digest(), richer.turn_digests()) == (episode.digest(), episode.turn_digests())
    assert episode.outcome is not None
    other_end = replace(episode, outcome=replace(episode.outcome, answer=("Crime",)))
    step = replace(episode.steps[1], facts={**episode.steps[1].facts, "frontier_size": 99})
    other_fact = replace(episode, steps=(episode.steps[0], step, episode.steps[2]))
    assert (
        len({episode.digest(), other_end.digest(), other_fact.digest(), episode[:2].digest()}) == 4
    )
    differing = [
        t
        for t, (a, b) in enumerate(
            zip(episode.turn_digests(), other_fact.turn_digests(), strict=True)
        )
        if a != b
    ]
    assert differing == [2]
    assert len(episode.turn_digests()) == len(episode) + 1


any_text = st.text(alphabet=st.characters(), max_size=30)  # lone surrogates and controls too


@given(st.lists(any_text, max_size=4), any_text, st.sampled_from([None, "ok", "timeout"]))
def test_logs_round_trip_whatever_the_text(
    tmp_path_factory: pytest.TempPathFactory, turns, reason, status
):
    record = EpisodeRecord(
        *(
            "env",
            {"source": "x", "hops": [1, 2]},
            "print",
            "task",
            3,
            tuple(turns),
            "digest",
            status,
        ),
        reason=reason,
        success=None if status is None else 0.5,
        turn_digests=("a", "b"),
        extra={"model": reason},
    )
    log = tmp_path_factory.mktemp("log") / "episodes.jsonl"
    write_records(log, [record])
    write_records(log, [record], append=True)
    assert list(read_records(log)) == [record, record]
    assert len(log.read_bytes().splitlines()) == 2


def test_a_record_says_how_to_play_again():
    record = played().record()
    assert (record.task_id, record.index, record.status, record.success) == (
        "fixture/0",
        0,
        "ok",
        1.0,
    )
    assert record.kwargs["source"] == "fixture" and len(record.turns) == 3
    assert EpisodeRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "3", '{"turns": []}', '{"turns": "abc"}', '{"turns": [1]}', '{"unknown": 1}'],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str):
    log = tmp_path / "episodes.jsonl"
    write_records(log, [played().record()])
    with log.open("a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(DataError, match=r"episodes\.jsonl, line 3: not an episode record"):
        list(read_records(log))


def test_a_missing_log_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="does not exist"):
        next(read_records(tmp_path / "none.jsonl"))


def test_an_old_log_without_turn_digests_is_read():
    data = played().record().to_json()
    del data["turn_digests"]
    assert EpisodeRecord.from_json(data).turn_digests == ()


def test_outcomes_compare_by_value():
    assert Outcome("ok", answer=("a",)) == Outcome("ok", answer=("a",))
