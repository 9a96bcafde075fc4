"""Credit inside the trainer: every credit on tokens, branching rollouts, two processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the train extra")

import torch
from credit_processes import GATHERED, SCALES, batch
from test_bridge_tools import GROUP, Spy, build, make_env, rows_of, script

from graphenv import envs
from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.bridge.crediting import turn_of_token
from graphenv.agents.bridge.train import check_settings, pick_backend
from graphenv.agents.credit import Trajectory, advantages, make_credit, shares
from graphenv.agents.oracle import gold_turns
from graphenv.agents.tiny import environment_text, make_tiny
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa.session import KGQASession
from graphenv.errors import ConfigError, GraphEnvError
from graphenv.text import format_call

pytestmark = pytest.mark.train

OF_TURNS = ["turn(lam=1)|delta", "trajectory-graph", "prefix-tree(by=token)"]


@pytest.fixture(scope="module")
def env() -> GraphEnv:
    return make_env(reward="exact + 0.5*turn_cost")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, env: GraphEnv) -> Path:
    texts = environment_text([env], tasks=60)
    return make_tiny(texts, tmp_path_factory.mktemp("tiny"), size="nano", seed=0)


def scored(trainer: Any) -> dict[str, Any]:
    """Train one step and return what was scored."""
    spy = Spy(trainer, "_generate_and_score_completions")
    trainer.train()
    found: dict[str, Any] = spy.seen[0]
    return found


def trajectories(trainer: Any) -> list[Trajectory]:
    made = [Trajectory.of(g.episode, g.score) for g in trainer.grader.latest]
    assert all(one is not None for one in made)
    return [one for one in made if one is not None]


@pytest.mark.parametrize("text", OF_TURNS)
def test_tokens_get_what_the_credit_says_of_their_turn(
    tiny: Path, tmp_path: Path, env: GraphEnv, text: str
) -> None:
    rows = rows_of(env, [0, 4])
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows, backend="rollout_func", credit=text)
    script(trainer, env, [0, 4])
    out = scored(trainer)
    turn, _ = turn_of_token(out["completion_mask"] * out["tool_mask"])
    made = trajectories(trainer)
    credit = make_credit(text)
    if credit.by_token:
        ids = [
            row[kept].tolist() for row, kept in zip(out["completion_ids"], turn >= 0, strict=True)
        ]
        made = [one.by_token(tokens) for one, tokens in zip(made, ids, strict=True)]
    found = out["advantages"]
    assert found.any()
    assert not found[turn < 0].any()
    for row, expected in enumerate(advantages(credit, made, GROUP)):
        assert expected is not None
        told = (
            turn[row]
            if not credit.by_token
            else torch.where(turn[row] >= 0, (turn[row] >= 0).cumsum(0) - 1, -1)
        )
        for place, value in enumerate(expected):
            tokens = found[row][told == place]
            assert len(tokens)
            assert tokens.tolist() == pytest.approx([value] * len(tokens), abs=1e-5)


def test_tokens_of_one_turn_are_told_apart(tiny: Path, tmp_path: Path) -> None:
    """What all begin with is judged by all, the token at which they part by where it leads."""
    env = envs.make("kgqa", mode="program", entities=300, relations=8, reward="exact")
    trainer = build(
        tiny,
        tmp_path,
        {"kgqa": env},
        rows_of(env, [0]),
        backend="reward_funcs",
        credit="prefix-tree(by=token)",
    )
    tokenizer = trainer.processing_class
    [gold] = gold_turns(env, 0)
    said = [gold, f"{gold} > no_such_relation", gold, "no_such_relation"]

    def sample(contexts: list[Any], *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        return [[*tokenizer(text)["input_ids"], tokenizer.eos_token_id] for text in said], None

    trainer._generate_single_turn = sample
    out = scored(trainer)
    values = [one.value for one in trajectories(trainer)]
    assert values == [1.0, 0.0, 1.0, 0.0]
    right, longer = out["advantages"][0], out["advantages"][1]
    length = len(tokenizer(gold)["input_ids"])
    shared = int((out["completion_ids"][0] == out["completion_ids"][1]).cumprod(0).sum())
    assert shared >= length
    # Up to where they part both have the rise of the common beginning, less what each got.
    assert float(right[0] - longer[0]) == pytest.approx(float(right[1] - longer[1]), abs=1e-5)
    assert right[shared] > right[1] > 0 > longer[1] > longer[shared]


def test_a_credit_of_turns_is_refused_for_episodes_of_one() -> None:
    config = TrainConfig(credit="trajectory-graph")
    one_turn = {"kgqa": envs.make("kgqa", mode="program")}
    with pytest.raises(ConfigError, match="by=token"):
        check_settings(config, one_turn)
    check_settings(config.with_(credit="prefix-tree(by=token)"), one_turn)
    check_settings(config, {"kgqa": envs.make("kgqa", mode="tools")})


# -- branching -------------------------------------------------------------------------------------


class Drawn:
    """Stands in for sampling: the n-th turn that is drawn in a place is the n-th of its options."""

    def __init__(self, trainer: Any, options: Sequence[str]) -> None:
        self.tokenizer = trainer.processing_class
        self.options = options
        self.asked: list[int] = []
        self.seen: dict[str, int] = {}

    def __call__(
        self, contexts: list[list[int]], *_: Any, **__: Any
    ) -> tuple[list[list[int]], None]:
        self.asked.append(len(contexts))
        out = []
        for context in contexts:
            text = self.tokenizer.decode(context)
            place = self.seen[text] = self.seen.get(text, -1) + 1
            turn = self.options[place % len(self.options)]
            out.append([*self.tokenizer(turn)["input_ids"], self.tokenizer.eos_token_id])
        return out, None


def branching(
    tiny: Path, tmp_path: Path, env: GraphEnv, options: Sequence[str], **more: Any
) -> tuple[Any, Drawn]:
    trainer = build(
        tiny,
        tmp_path,
        {"kgqa": env},
        rows_of(env, [0, 4]),
        backend="rollout_func",
        credit="siblings(ways=2)",
        **more,
    )
    trainer._generate_single_turn = drawn = Drawn(trainer, options)
    return trainer, drawn


def test_rollouts_are_trees_and_every_turn_is_compared_with_its_siblings(
    tiny: Path, tmp_path: Path, env: GraphEnv
) -> None:
    look, answer = format_call("frontier"), '<answer>["nobody"]</answer>'
    relations = [format_call("follow", relation=r) for r in env.tasks[0].target.path or ()]
    options = [relations[0], look, answer, format_call("answer_frontier")]
    trainer, drawn = branching(tiny, tmp_path, env, options)
    spy = Spy(trainer, "rollout_func")
    out = scored(trainer)
    rolled = spy.seen[0]
    # Two groups of four rows: two beginnings each, then four leaves each.
    assert drawn.asked[:2] == [4, 8]
    assert [len(ids) for ids in rolled["completion_ids"]] == out["completion_mask"].sum(1).tolist()
    for begin in (0, GROUP):
        turns = rolled["turns"][begin : begin + GROUP]
        branches = rolled["branches"][begin : begin + GROUP]
        assert [len(t) for t in turns] == [len(b) for b in branches]
        assert turns[0][0] == turns[1][0] != turns[2][0] == turns[3][0]
        assert branches[0][0] == branches[1][0] != branches[2][0] == branches[3][0]
        assert len({b[-1] for b in branches}) == GROUP
        assert turns[0][1] != turns[1][1]  # the siblings went different ways
    assert not set(map(tuple, rolled["branches"][:GROUP])) & set(map(tuple, rolled["branches"][4:]))
    made = [
        Trajectory.of(g.episode, g.score, b)
        for g, b in zip(trainer.grader.latest, rolled["branches"], strict=True)
    ]
    turn, _ = turn_of_token(out["completion_mask"] * out["tool_mask"])
    for row, expected in enumerate(advantages(trainer.credit, made, GROUP)):
        assert expected is not None
        for place, value in enumerate(expected):
            tokens = out["advantages"][row][turn[row] == place]
            assert tokens.tolist() == pytest.approx([value] * len(tokens), abs=1e-5)


def test_what_a_branch_heard_is_what_its_turns_lead_to(
    tiny: Path, tmp_path: Path, env: GraphEnv
) -> None:
    """The completion of every leaf is the conversation that its turns make by themselves."""
    path = env.tasks[0].target.path
    assert path is not None
    relation = str(path[0])
    options = [format_call("follow", relation=relation), format_call("relations")]
    trainer, _ = branching(tiny, tmp_path, env, options)
    spy = Spy(trainer, "rollout_func")
    scored(trainer)
    tokenizer = trainer.processing_class
    for row, turns in enumerate(spy.seen[0]["turns"]):
        said = tokenizer.decode(spy.seen[0]["completion_ids"][row])
        episode = env.play(0 if row < GROUP else 4, turns)
        heard = [call.result for step in episode.steps[:-1] for call in step.calls]
        assert len(heard) == env.max_turns - 1
        for result in heard:
            assert result in said


def test_an_episode_that_ends_before_it_branches_fills_its_rows(
    tiny: Path, tmp_path: Path, env: GraphEnv
) -> None:
    options = ['<answer>["nobody"]</answer>', format_call("frontier")]
    trainer, drawn = branching(tiny, tmp_path, env, options)
    spy = Spy(trainer, "rollout_func")
    scored(trainer)
    turns, branches = spy.seen[0]["turns"], spy.seen[0]["branches"]
    assert turns[0] == turns[1] == [options[0]]
    assert branches[0] == branches[1]
    assert branches[2] != branches[3]
    assert drawn.asked[:2] == [4, 4]  # only the open halves of both groups go on


def test_nothing_branches_in_evaluation(tiny: Path, tmp_path: Path, env: GraphEnv) -> None:
    from datasets import Dataset

    trainer, drawn = branching(
        *(tiny, tmp_path, env, ['<answer>["nobody"]</answer>']),
        per_device_eval_batch_size=4,
        num_generations_eval=2,
    )
    trainer.evaluate(Dataset.from_list(rows_of(env, [0, 4])))
    assert drawn.asked == [4]


def test_a_world_that_cannot_be_played_again_is_said(
    tiny: Path, tmp_path: Path, env: GraphEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, _ = branching(tiny, tmp_path, env, [format_call("frontier")])
    calls = iter(range(1000))
    inner = KGQASession.frontier

    def forgetful(self: Any, page: int = 1) -> tuple[str, Any]:
        return f"{inner(self, page)[0]} {next(calls)}", "ok"

    monkeypatch.setattr(KGQASession, "frontier", forgetful)
    with pytest.raises(GraphEnvError, match="cannot be branched"):
        trainer.train()


def test_branching_elsewhere_is_refused(tiny: Path, tmp_path: Path, env: GraphEnv) -> None:
    with pytest.raises(ConfigError, match="backend='rollout_func'"):
        build(
            *(tiny, tmp_path, {"kgqa": env}, rows_of(env, [0])),
            backend="environment_factory",
            credit="siblings",
        )
    config = TrainConfig(credit="siblings", backend="environment_factory")
    with pytest.raises(ConfigError, match="branches episodes"):
        check_settings(config, {"kgqa": env})
    chosen = config.with_(backend="auto", model="some/model")
    assert pick_backend(chosen, {"kgqa": env}, None) == "rollout_func"
    assert shares(GROUP, 2) == [2, 2]


# -- two processes ---------------------------------------------------------------------------------


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = str(Path(__file__).parent)
    program = (
        f"import sys; sys.path.insert(0, {here!r})\n"
        f"import credit_processes; credit_processes.gather({str(tmp_path)!r})"
    )
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **address,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "OMP_NUM_THREADS": "1",
                "ACCELERATE_USE_CPU": "true",
            },
        )
        for rank in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    for text in GATHERED:
        for scale in SCALES:
            alone = advantages(make_credit(text), batch(), 4, scale=scale)
            told, other = first[f"{text} {scale}"], second[f"{text} {scale}"]
            assert told["flat"] == other["flat"]
            for one, both in zip(alone, told["rows"] + other["rows"], strict=True):
                assert (one is None) == (both is None)
                assert one is None or one.tolist() == both  # to the last digit
