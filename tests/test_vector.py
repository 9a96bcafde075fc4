"""The vector environment is the stock synchronous one, sooner; text in, text out, nothing lost."""

from __future__ import annotations

import json
import pickle
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from conformance import ENVIRONMENT_MODES as CASES
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from kgqa_fixture import AMELIE, GENRES, fixture_source

from graphenv.agents.oracle import gold_turns
from graphenv.envs.registry import ENVIRONMENTS
from graphenv.envs.spaces import UnicodeText
from graphenv.envs.vector import GraphVectorEnv, _batched
from graphenv.errors import ConfigError, GraphEnvError, RewardError
from graphenv.rewards.expression import ExpressionReward
from graphenv.seeding import rng
from graphenv.text import MAX_COMPLETION_CHARS, format_answer, format_call

KGQA = "graphenv/KGQA-v0"
N = 5
GARBAGE = (
    "",
    "žluťoučký kůň <think>",
    "<answer>[",
    "<tool_call>{}</tool_call>",
    format_call("fly", to="the moon"),
    format_call("follow", relation="nowhere") + format_answer(["\u202e\ud800"]),
    "\N{GREEK SMALL LETTER ALPHA}" * (MAX_COMPLETION_CHARS + 1),
    format_answer([]),
    "count nowhere & {x}",
)

every = pytest.mark.parametrize(
    ("id", "kwargs"),
    CASES,
    ids=["-".join([i.split("/")[1], *map(str, k.values())]) for i, k in CASES],
)


def stock(id: str, n: int, **kwargs: Any) -> SyncVectorEnv:
    how = {"autoreset_mode": AutoresetMode.SAME_STEP}
    made = gym.make_vec(id, num_envs=n, vectorization_mode="sync", vector_kwargs=how, **kwargs)
    assert isinstance(made, SyncVectorEnv)
    return made


def ours(id: str = KGQA, n: int = N, **kwargs: Any) -> GraphVectorEnv:
    made = gym.make_vec(id, num_envs=n, vectorization_mode="vector_entry_point", **kwargs)
    assert isinstance(made, GraphVectorEnv)
    return made


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """Equal in value, type, dtype and shape, all the way down."""
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}[{i}]")
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), where
        assert_same(a.tolist(), b.tolist(), where)
    else:
        assert a == b, where


def turns_of(envs: GraphVectorEnv, dice: np.random.Generator) -> tuple[str, ...]:
    """Return a turn per episode: mostly the next one of the gold, else one of the garbage."""
    turns = []
    for session in envs.sessions:
        gold = gold_turns(envs.env, session.task.index)
        at = len(session.steps)
        if dice.random() < 0.75 and at < len(gold):
            turns.append(gold[at])
        else:
            turns.append(GARBAGE[int(dice.integers(len(GARBAGE)))])
    return tuple(turns)


def plain(envs: GraphVectorEnv) -> list[tuple[int, int]]:
    return [(session.task.index, len(session.steps)) for session in envs.sessions]


REWARDS = {
    "kgqa": ("exact", "0.5*answer_f1 + 0.5*triple_f1 + progress"),
    "text2sql": ("graphenv-query",),
    "text2cypher": ("0.5*execution + 0.5*schema_linking + 0.1*turn_cost",),
    "scene-graph": ("0.5*triple_f1 + 0.5*object_f1 + ged_progress",),
    "caption-correction": ("0.5*correction + 0.5*triple_f1",),
    "kg-construction": ("0.5*triple_f1 + 0.5*node_f1 + ged_progress",),
    "subgraph": ("0.5*triple_f1 + 0.5*node_f1 + progress",),
    "graph-design": ("objective + 0.5*objective_value",),
}
FAMILY = {row.id: row.name for row in ENVIRONMENTS}


@pytest.mark.runs("vector")
@pytest.mark.parametrize(
    ("id", "kwargs", "reward"),
    [(id, kwargs, reward) for id, kwargs in CASES for reward in REWARDS[FAMILY[id]]],
)
def test_equal_to_the_stock_sync_environment(id: str, kwargs: dict[str, Any], reward: str):
    rounds = 2 if "Text2" in id else 30  # every episode begins with the gold on real engines
    dice = rng("test_vector", id, reward, str(kwargs))
    mine, theirs = ours(id, reward=reward, **kwargs), stock(id, N, reward=reward, **kwargs)
    assert mine.single_observation_space == theirs.single_observation_space
    assert mine.observation_space == theirs.observation_space
    assert mine.action_space == theirs.action_space
    assert mine.metadata == theirs.metadata
    ends = 0
    seeds: list[Any] = [7, None, [3, 1, 4, 1, 5], [None, 2, None, 2, None]]
    for seed in seeds:
        assert_same(mine.reset(seed=seed), theirs.reset(seed=seed))
        assert mine.np_random_seed == theirs.np_random_seed
        for _ in range(rounds):
            turns = turns_of(mine, dice)
            left, right = mine.step(turns), theirs.step(turns)
            assert_same(left, right)
            ends += int((left[2] | left[3]).sum())
    assert ends > 1.5 * rounds
    chosen = np.array([False, True, False, True, False])
    assert_same(
        mine.reset(seed=11, options={"index": 3, "reset_mask": chosen}),
        theirs.reset(seed=11, options={"index": 3, "reset_mask": chosen}),
    )
    assert_same(mine.step(("x",) * N), theirs.step(("x",) * N))
    mine.close()
    theirs.close()


def test_every_environment_has_it_and_it_is_the_default():
    for row in ENVIRONMENTS:
        made = gym.make_vec(row.id, num_envs=1)
        assert isinstance(made, GraphVectorEnv)
        assert made.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
        assert made.spec is not None
        assert made.observation_space.contains(made.reset(seed=0)[0])


def test_no_action_is_lost():
    envs = ours(mode="program")
    envs.reset(seed=0)
    played = 0
    for _ in range(20):
        _, rewards, terminated, _, _ = envs.step(
            [gold_turns(envs.env, s.task.index)[0] for s in envs.sessions]
        )
        played += int(rewards.sum())
        assert terminated.all()
    assert played == 20 * N  # NEXT_STEP would have dropped every second one


def test_episodes_that_end_in_a_step_are_graded_in_one_call(monkeypatch: pytest.MonkeyPatch):
    sizes = []
    grade = ExpressionReward.__call__

    def counted(self: ExpressionReward, episodes: Any) -> Any:
        sizes.append(len(episodes))
        return grade(self, episodes)

    monkeypatch.setattr(ExpressionReward, "__call__", counted)
    envs = ours(mode="tools", reward="exact + progress")
    envs.reset(seed=0)
    envs.step([format_answer(["x"])] * 3 + [format_call("frontier")] * 2)
    envs.step([format_call("frontier")] * N)
    assert sizes == [3]


def test_text_comes_back_as_it_is():
    with fixture_source():
        envs = ours(source="fixture", n=2, mode="tools")
        observations, infos = envs.reset(options={"index": [AMELIE, GENRES]})
        assert infos["index"].tolist() == [AMELIE, GENRES]
        long = "é" * (MAX_COMPLETION_CHARS + 1)
        observations, *_, infos = envs.step((format_call("follow", relation="^directed_by"), long))
        assert "Amélie" in observations[0]
        assert envs.observation_space.contains(observations)
        assert infos["messages"][1][-2]["content"] == long
        assert infos["turn_status"].tolist() == ["ok", "malformed"]


def test_infos_are_json_and_shared_with_nobody():
    envs = ours(mode="program")
    _, first = envs.reset(seed=0)
    turns = [gold_turns(envs.env, s.task.index)[0] for s in envs.sessions]
    *_, infos = envs.step(turns)
    told = infos["final_info"]
    as_lists = {k: v.tolist() for k, v in told.items() if isinstance(v, np.ndarray)}
    assert json.loads(json.dumps(as_lists)) == as_lists
    first["messages"][0][0]["content"] = "changed"
    told["messages"][0].clear()
    assert envs.reset(seed=0)[1]["messages"][0][0]["content"] != "changed"
    assert envs.step(turns)[-1]["final_info"]["messages"][0]


def test_columns_are_those_of_gymnasium():
    """Mixed, missing and odd values, which single environments of ours do not give (yet)."""
    rows: list[dict[str, Any]] = [
        {"a": 1, "b": "x", "c": {"d": 0.5, "e": [1]}, "f": np.float32(2.0), "g": True},
        {"a": 2, "b": "yy", "c": {"d": None}, "h": np.array([1, 2])},
        {"a": 3, "b": "z", "c": {}, "g": False, "i": (1, 2), "c2": {}},
    ]
    for places in ([0, 1, 2], [0, 2, 3], [1, 2, 4]):
        batches: list[list[dict[str, Any]]] = [rows, [rows[0]] * 3, [{}] * 3]
        for chosen in batches:
            expected: dict[str, Any] = {}
            for place, row in zip(places, chosen, strict=True):
                expected = VectorEnv._add_info(_Holder(5), expected, row, place)  # type: ignore[arg-type]
            if len(chosen[0]) == 5 and chosen is rows:
                assert np.isnan(expected["c"]["d"][places[1]])
                expected["c"]["d"][places[1]] = 0.0
                found = _batched(chosen, places, 5)
                assert np.isnan(found["c"]["d"][places[1]])
                found["c"]["d"][places[1]] = 0.0
            else:
                found = _batched(chosen, places, 5)
            assert_same(found, expected)


class _Holder:
    """What `_add_info` reads of a vector environment."""

    _add_info = VectorEnv._add_info

    def __init__(self, n: int) -> None:
        self.num_envs = n


@every
def test_pickles_in_the_middle_of_episodes(id: str, kwargs: dict[str, Any]):
    dice = rng("pickle", str(kwargs))
    envs = ours(id, **kwargs)
    envs.reset(seed=1)
    envs.step(turns_of(envs, dice))
    again = pickle.loads(pickle.dumps(envs))
    for _ in range(10):
        turns = turns_of(envs, dice)
        assert_same(again.step(turns), envs.step(turns))


def test_indices_seeds_and_masks():
    envs = ours(mode="program")
    with pytest.raises(GraphEnvError, match="reset"):
        envs.step(("x",) * N)
    with pytest.raises(GraphEnvError, match="reset_mask"):
        envs.reset(options={"reset_mask": np.eye(N, dtype=bool)[0]})
    assert envs.reset(options={"index": 4})[1]["index"].tolist() == [4] * N
    assert envs.reset(options={"index": np.arange(N)})[1]["index"].tolist() == list(range(N))
    options = {"index": [9] * N, "reset_mask": np.eye(N, dtype=bool)[2]}
    before = plain(envs)
    _, infos = envs.reset(options=options)
    assert infos["_index"].tolist() == [False, False, True, False, False]
    assert [i for i, (a, b) in enumerate(zip(before, plain(envs), strict=True)) if a != b] == [2]
    assert set(options) == {"index", "reset_mask"}  # the caller's own


def test_errors_are_those_of_one_environment_and_play_no_turn():
    envs = ours(mode="tools")
    envs.reset(seed=0)
    for turns in (("x",) * (N - 1), ("x",) * N + ("x",), "x" * N, ("x",) * (N - 1) + (3,)):
        with pytest.raises(ConfigError):
            envs.step(turns)  # type: ignore[arg-type]
    for options in (
        {"index": -1},
        {"index": [1] * (N + 1)},
        {"index": [1, 2, 3, 4, 10**9]},
        {"index": "3"},
        {"task": 3},
        {"reset_mask": [True] * N},
        {"reset_mask": np.zeros(N, dtype=bool)},
    ):
        with pytest.raises(ConfigError):
            envs.reset(options=options)
    with pytest.raises(ConfigError):
        envs.reset(seed=[1, 2])
    assert [turn for _, turn in plain(envs)] == [0] * N
    for n in (0, -1, 1.5, True):
        with pytest.raises(ConfigError, match="num_envs"):
            GraphVectorEnv(n, env_id=KGQA)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown argument"):
        ours(no_such_thing=1)


def test_a_crash_of_the_reward_is_no_score():
    with fixture_source():
        envs = ours(
            source="fixture", mode="program", reward="user(function='kgqa_fixture:crashing')"
        )
    envs.reset(seed=0)
    with pytest.raises(RewardError, match="broken"):
        envs.step(("nowhere",) * N)
    # As in a single environment the episodes are over; the next step moves on.
    observations, rewards, terminated, _, infos = envs.step(("nowhere",) * N)
    assert terminated.all() and not rewards.any()
    assert set(infos["final_info"]["turn"].tolist()) == {1}
    assert not infos["turn"].any() and all(observations)


def test_render_and_close():
    envs = ours(mode="program", render_mode="ansi")
    envs.reset(seed=0)
    pictures = envs.render()
    assert pictures is not None and len(pictures) == N
    assert all(isinstance(picture, str) and "task" in picture for picture in pictures)
    assert ours(mode="program").render() is None
    envs.close()
    assert envs.closed


class Saying(gym.Env[str, str]):
    """Says one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.observation_space = self.action_space = UnicodeText(20)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        return self.text, {}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_stock_async_needs_shared_memory_off():
    """Why the docstring warns. If the last part fails, Gymnasium has learnt text: say so there."""
    kwargs: dict[str, Any] = {"mode": "program", "instructions": "none"}
    mine = ours(n=2, **kwargs)
    expected = mine.reset(seed=0)
    how = {"shared_memory": False, "autoreset_mode": AutoresetMode.SAME_STEP, "context": "fork"}
    apart = gym.make_vec(KGQA, num_envs=2, vectorization_mode="async", vector_kwargs=how, **kwargs)
    assert_same(apart.reset(seed=0), expected)
    assert_same(apart.step(("nowhere", "x")), mine.step(("nowhere", "x")))
    apart.close()
    for text in ("héllo", "more than twenty characters"):
        vector = gym.vector.AsyncVectorEnv([partial(Saying, text)] * 2, context="fork")
        with pytest.raises((KeyError, IndexError)):
            vector.reset()
        vector.close(terminate=True)
    vector = gym.vector.AsyncVectorEnv([partial(Saying, "hello")] * 2, context="fork")
    observations, _ = vector.reset()
    vector.close(terminate=True)
    assert list(observations) != ["hello"] * 2
