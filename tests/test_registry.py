"""What every registered environment must do, in every mode it has."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from conformance import ENVIRONMENT_MODES as CASES
from conformance import MODES, PRESETS, VERDICTS
from gymnasium.utils.env_checker import check_env

import graphenv
from graphenv import envs
from graphenv.agents.oracle import gold_turns
from graphenv.envs.base import GraphEnv
from graphenv.envs.registry import ENVIRONMENTS, register_all
from graphenv.errors import ConfigError, GraphEnvError, UnknownNameError

every = pytest.mark.parametrize(
    ("id", "kwargs"),
    CASES,
    ids=["-".join([i.split("/")[1], *map(str, k.values())]) for i, k in CASES],
)


@lru_cache(maxsize=8)
def _made(id: str, kwargs: str) -> GraphEnv:
    return envs.make(id, **json.loads(kwargs))


def made(id: str, kwargs: dict[str, Any], **more: Any) -> GraphEnv:
    """Return the bare environment; made once, because tasks and worlds are frozen."""
    return _made(id, json.dumps({**kwargs, **more}))


def verdict(id: str) -> str:
    """Return the default reward of an id's family."""
    return VERDICTS[next(row.name for row in ENVIRONMENTS if row.id == id)]


def test_every_id_has_its_modes_and_is_registered():
    assert {row.id for row in ENVIRONMENTS} == set(MODES)
    register_all()  # a second time changes nothing
    for row in ENVIRONMENTS:
        assert gym.spec(row.id).kwargs == {"env_id": row.id}
        assert envs.make(row.name).env_id == row.id
    assert graphenv.envs.ENVIRONMENTS is ENVIRONMENTS


@every
def test_check_env(id: str, kwargs: dict[str, Any]):
    env = gym.make(id, render_mode="ansi", **kwargs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
        check_env(env.unwrapped)  # leaves nothing behind


@every
def test_same_seed_same_episode_another_seed_another(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs)
    starts = {}
    for seed in range(20):
        first, again = env.reset(seed=seed), env.reset(seed=seed)
        assert first == again
        starts[seed] = first[1]["task_id"]
    assert len(set(starts.values())) > 15
    env.reset(seed=3)
    unseeded = [env.reset()[1]["task_id"] for _ in range(10)]
    env.reset(seed=3)
    assert unseeded == [env.reset()[1]["task_id"] for _ in range(10)]
    assert len(set(unseeded)) > 5


def played() -> list[str]:
    """What one process makes of some episodes; another one has to make the same of them."""
    told = []
    for id, kwargs in CASES:
        env = envs.make(id, **kwargs)
        digest = hashlib.sha256()
        for seed in range(5):
            digest.update(json.dumps(env.reset(seed=seed), sort_keys=True).encode())
            for text in ("", "relations", "<answer>x</answer>"):
                digest.update(json.dumps(env.step(text), sort_keys=True).encode())
        for index in (0, 1, len(env.tasks) - 1):
            digest.update(repr(env.tasks[index]).encode())
        told.append(f"{id} {digest.hexdigest()} {env.source.fingerprint}")
    return told


def test_episodes_are_the_same_in_every_process_and_hash_seed():
    script = "import test_registry; print(*test_registry.played(), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": str(Path(__file__).parent)},
    )
    here = played()
    assert done.stdout.splitlines() == here and len(here) == len(CASES)


@every
def test_nothing_works_before_reset(id: str, kwargs: dict[str, Any]):
    env = envs.make(id, render_mode="ansi", **kwargs)
    for call in (lambda: env.step("x"), env.render, lambda: env.episode, lambda: env.success):
        with pytest.raises(GraphEnvError, match="reset"):
            call()


@every
def test_options(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs)
    assert env.reset(options={"index": 5})[1]["index"] == 5
    assert env.reset(seed=1, options={"index": 5})[1]["task_id"] == env.tasks[5].id
    for wrong in (-1, len(env.tasks), "3", 1.0, True):
        with pytest.raises(ConfigError, match="not a task index"):
            env.reset(options={"index": wrong})
    with pytest.raises(ConfigError, match="unknown options"):
        env.reset(options={"indx": 5})


@every
def test_actions_are_text(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs)
    env.reset(seed=0)
    for wrong in (None, 3, b"x", ["x"]):
        with pytest.raises(ConfigError, match="an action is text"):
            env.step(wrong)  # type: ignore[arg-type]


@every
def test_pickles_mid_episode(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs, reward=f"{verdict(id)} + 0.1*format")
    turns = gold_turns(env, 4)
    env.reset(options={"index": 4})
    for text in turns[:-1]:
        env.step(text)
    twin = pickle.loads(pickle.dumps(env))
    assert twin.info() == env.info() and twin.reward == env.reward
    assert twin.step(turns[-1]) == env.step(turns[-1])
    assert twin.episode == env.episode and twin.score == env.score


@every
def test_specs_are_json(id: str, kwargs: dict[str, Any]):
    reward = f"0.5*{verdict(id)} + 0.5*format"
    spec = gym.make(id, reward=reward, **kwargs).spec
    assert spec is not None
    twin = gym.make(gym.envs.registration.EnvSpec.from_json(spec.to_json()))
    assert twin.reset(seed=1) == gym.make(id, reward=reward, **kwargs).reset(seed=1)


@every
def test_recorded_arguments_make_the_environment_again(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs)
    twin = envs.make(env.env_id, **json.loads(json.dumps(env.kwargs)))
    assert twin.kwargs == env.kwargs and twin.source.fingerprint == env.source.fingerprint
    assert twin.reset(seed=9) == env.reset(seed=9)


@every
def test_render(id: str, kwargs: dict[str, Any]):
    env = envs.make(id, render_mode="ansi", **kwargs)
    env.reset(options={"index": 0})
    question = env.source[0].prompt.partition("\n\n")[0]  # of documents, the first
    assert question in str(env.render())
    for _ in range(env.max_turns):  # some ask again for what they cannot read
        env.step("<answer>nothing like it</answer>")
    shown = env.render()
    assert isinstance(shown, str)
    assert "nothing like it" in shown and "success 0" in shown and "[1/" in shown
    assert made(id, kwargs).render_mode is None
    quiet = envs.make(id, **kwargs)
    quiet.reset(seed=0)
    assert quiet.render() is None


@every
def test_infos_are_json_and_not_shared(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs)
    _, first = env.reset(options={"index": 2})
    kept = json.dumps(first, sort_keys=True)
    first["messages"].clear()
    first["score"]["x"] = 1
    assert json.dumps(env.reset(options={"index": 2})[1], sort_keys=True) == kept
    _, _, _, _, info = env.step("what?")
    before = json.dumps(info, sort_keys=True)
    info["messages"][-1]["content"] = "changed"
    info["metrics"]["x"] = 1.0
    assert json.dumps(env.info(), sort_keys=True) == before
    assert set(info) >= {"messages", "turn", "status", "success", "score", "task_id", "index"}


@every
def test_after_the_end_nothing_changes(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs)
    env.reset(options={"index": 1})
    for text in gold_turns(env, 1):
        *_, terminated, truncated, info = env.step(text)
    assert (terminated, truncated, info["success"]) == (True, False, 1.0)
    digest = env.episode.digest()
    for text in ("", "<answer>x</answer>", *gold_turns(env, 1)):
        observation, reward, terminated, truncated, after = env.step(text)
        assert "over" in observation and reward == 0.0 and (terminated, truncated) == (True, False)
        assert after == info
    assert env.episode.digest() == digest


@every
@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.999])
def test_gold_scores_the_maximum_and_garbage_the_minimum(
    id: str, kwargs: dict[str, Any], place: float
):
    family = made(id, kwargs).family
    for expression in PRESETS[family]:
        env = made(id, kwargs, reward=expression)
        index = int(place * len(env.tasks))
        returns = []
        for turns in (gold_turns(env, index), [""] * env.max_turns, ["?!"] * env.max_turns):
            env.reset(options={"index": index})
            total, ended = 0.0, False
            for text in turns:
                _, reward, terminated, truncated, info = env.step(text)
                total += float(reward)
                ended = terminated or truncated
            assert ended and info["return"] == pytest.approx(total)
            returns.append(total)
            assert info["success"] == float(turns == gold_turns(env, index))
        best, *worst = returns
        assert all(value < best for value in worst), expression
        low, high = env.reward.range
        if not env.reward.has_shaping and "turn_cost" not in expression:
            assert best == pytest.approx(high)
            assert worst == pytest.approx([low, low])


@every
def test_running_out_of_turns_truncates(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs)
    env.reset(options={"index": 0})
    endings = [env.step("hm")[2:4] for _ in range(env.max_turns)]
    assert endings[:-1] == [(False, False)] * (env.max_turns - 1)
    assert endings[-1] == ((False, True) if env.max_turns > 1 else (True, False))


@every
def test_spaces_hold_every_text(id: str, kwargs: dict[str, Any]):
    env = made(id, kwargs)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    for text in ("", "žluť 🐎", "x" * 1_000_000):
        assert text in env.action_space
    assert 3 not in env.action_space
    assert env.action_space.sample() in env.action_space


@every
def test_tasks_are_a_sequence(id: str, kwargs: dict[str, Any]):
    tasks = made(id, kwargs).tasks
    assert tasks[-1] == tasks[len(tasks) - 1]
    assert tasks[1:3] == [tasks[1], tasks[2]]
    assert [task.index for _, task in zip(range(3), tasks, strict=False)] == [0, 1, 2]
    with pytest.raises(IndexError, match="outside"):
        tasks[len(tasks)]


def test_an_unknown_environment_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'kgqa'"):
        envs.make("kgaq")
