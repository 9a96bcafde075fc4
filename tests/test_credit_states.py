"""What credits are told of an episode: state keys, what turns did, and what the end settled."""

from __future__ import annotations

import subprocess
import sys

import pytest

from graphenv import envs
from graphenv.agents.credit import Trajectory
from graphenv.agents.oracle import gold_turns
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.text import format_call

SMALL = {"source": "synthetic", "mode": "tools", "max_turns": 6, "entities": 300, "relations": 8}
WALK = """
from graphenv import envs
env = envs.make("kgqa", source="synthetic", mode="tools", entities=300, relations=8)
print(*env.play(0, ['<answer>["x"]</answer>']).state_keys())
"""


def kgqa(reward: str = "exact + progress") -> GraphEnv:
    return envs.make("kgqa", **SMALL, reward=reward)


def follow(relation: str) -> str:
    return format_call("follow", relation=relation)


def test_a_state_is_where_an_episode_stands_and_not_what_was_tried() -> None:
    env = kgqa()
    path = env.tasks[0].target.path
    assert path is not None
    relation = str(path[0])
    straight = env.play(0, [follow(relation), follow("no_such_relation")])
    around = env.play(
        0,
        [format_call("frontier"), follow(relation), format_call("back"), follow(relation)],
    )
    one, other = straight.state_keys(), around.state_keys()
    assert (len(one), len(other)) == (3, 5)
    start, moved = one[0], one[1]
    assert start != moved == one[2]  # a move that failed led nowhere
    assert other == (start, start, moved, start, moved)
    # The digests of turns do not say so, because they cover attempts.
    assert straight.turn_digests()[1] != straight.turn_digests()[2]


def test_the_end_is_told_by_its_outcome() -> None:
    env = kgqa()
    keys = {env.play(0, [turn]).state_keys()[-1] for turn in ANSWERS}
    assert len(keys) == len(ANSWERS)
    assert env.play(0, [ANSWERS[0]]).state_keys() == env.play(0, [ANSWERS[0]]).state_keys()
    running = env.play(0, [format_call("frontier")])
    assert running.state_keys()[0] == running.state_keys()[1] not in keys


ANSWERS = ['<answer>["x"]</answer>', '<answer>["y"]</answer>', format_call("answer_frontier")]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_keys_are_the_same_in_every_process(hash_seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": hash_seed},
    )
    env = envs.make("kgqa", source="synthetic", mode="tools", entities=300, relations=8)
    assert tuple(done.stdout.split()) == env.play(0, [ANSWERS[0]]).state_keys()


@pytest.mark.parametrize(
    ("family", "kwargs"),
    [
        ("kgqa", {"mode": "program"}),
        ("scene-graph", {"mode": "steps"}),
        ("kg-construction", {"mode": "turns"}),
        ("caption-correction", {}),
        ("subgraph", {}),
    ],
)
def test_every_family_has_a_key_for_every_turn(family: str, kwargs: dict[str, str]) -> None:
    env = envs.make(family, **kwargs)
    turns = gold_turns(env, 0)
    first, again = env.play(0, turns), env.play(0, turns)
    assert len(first.state_keys()) == len(first) + 1
    assert first.state_keys() == again.state_keys()
    if len(first) > 1:  # gold turns lead somewhere
        assert len(set(first.state_keys())) > 2


def graded(env: GraphEnv, episode: Episode) -> Trajectory:
    [score] = env.reward([episode])
    made = Trajectory.of(episode, score)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("reward", "process"),
    [
        ("exact", None),
        ("2*exact + 0.5*answer_f1 + 0.25", None),
        ("gate(format, exact)", None),
        ("exact + progress", "progress"),
        ("exact + 0.5*progress + 0.1*turn_cost", "0.5*progress + 0.1*turn_cost"),
        ("cap(exact + answer_f1, 1.5) + 0.1*turn_cost", "0.1*turn_cost"),
    ],
)
def test_what_the_end_settled_is_told_from_what_turns_earned(
    reward: str, process: str | None
) -> None:
    env = kgqa(reward)
    gold = gold_turns(env, 0)
    for turns in (gold, [gold[0], gold[0], *gold], [gold[0], ANSWERS[0]], gold[:1]):
        episode = env.play(0, turns)
        made = graded(env, episode)
        own = [0.0] * len(episode)
        if process is not None:
            own = list(graded(kgqa(process), kgqa(process).play(0, turns)).rewards)
        assert made.process == pytest.approx(own)
        assert sum(made.process) + made.verdict == pytest.approx(made.value)


def test_what_a_turn_did_leaves_out_the_words_beside_it() -> None:
    env = kgqa()
    call = follow("no_such_relation")
    plain, wordy, other, broken = (
        graded(env, env.play(0, [turn, ANSWERS[0]]))
        for turn in (call, f"Let me see. {call}", format_call("frontier"), "<tool_call>{")
    )
    assert plain.actions == wordy.actions
    assert plain.said != wordy.said
    assert len({plain.actions[0], other.actions[0], broken.actions[0]}) == 3


def test_a_crash_is_no_trajectory() -> None:
    env = kgqa()
    episode = env.play(0, [ANSWERS[0]])
    [score] = env.reward([episode])
    unknown = type(score)(None, status="error", reason="crashed")
    assert Trajectory.of(episode, unknown) is None
