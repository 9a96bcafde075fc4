"""The multi-turn half of the TRL bridge, trained for real with a very small model.

`Scripted` replaces one thing, the sampler: what the model "says" is then known, while TRL's tool
loop, its parsing, masks, advantages and losses, and all of ours, run as they do in training.
"""

from __future__ import annotations

import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the train extra")

import torch
from datasets import Dataset
from transformers.utils import get_json_schema
from trl import GRPOConfig

from graphenv import envs
from graphenv.agents.bridge.adapter import (
    AdapterFactory,
    ToolAdapter,
    environment_factory,
    plays_tools,
    raise_failures,
    tool_schemas,
)
from graphenv.agents.bridge.chat_tokens import ChatTokens
from graphenv.agents.bridge.crediting import turn_of_token
from graphenv.agents.bridge.grading import (
    Graded,
    Grader,
    PartFunction,
    RewardFunction,
    TruthFunction,
    turns_of,
)
from graphenv.agents.bridge.rollout import EnvRollout
from graphenv.agents.bridge.trainer import CarefulParser, GraphGRPOTrainer
from graphenv.agents.credit import Trajectory, TurnCredit, advantages
from graphenv.agents.llm import load_model
from graphenv.agents.oracle import gold_turns
from graphenv.agents.tiny import environment_text, make_tiny
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa.session import KGQASession
from graphenv.errors import ConfigError, GraphEnvError
from graphenv.rewards.answers import Exact
from graphenv.score import Score
from graphenv.text import format_call

pytestmark = pytest.mark.train

BACKENDS = ["environment_factory", "rollout_func"]
GROUP = 4
SMALL: dict[str, Any] = {
    "source": "synthetic",
    "mode": "tools",
    "max_turns": 5,
    "entities": 300,
    "relations": 8,
    "instructions": "none",
    "max_observation": 160,
}


def make_env(**kwargs: Any) -> GraphEnv:
    return envs.make("kgqa", **{**SMALL, "reward": "exact + progress", **kwargs})


@pytest.fixture(scope="module")
def env() -> GraphEnv:
    return make_env()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, env: GraphEnv) -> Path:
    texts = environment_text([env], tasks=60)
    return make_tiny(texts, tmp_path_factory.mktemp("tiny"), size="nano", seed=0)


def rows_of(env: GraphEnv, indices: Sequence[int], name: str = "kgqa") -> list[dict[str, Any]]:
    return [
        {
            "prompt": [dict(m) for m in env.tasks[index].messages],
            "environment": name,
            "index": index,
        }
        for index in indices
    ]


def build(
    tiny: Path,
    tmp_path: Path,
    members: Mapping[str, GraphEnv],
    rows: list[dict[str, Any]],
    *,
    backend: str,
    credit: str = "turn(lam=0.5)",
    control: bool = False,
    offer_tools: bool = False,
    **grpo: Any,
) -> GraphGRPOTrainer:
    model, tokenizer = load_model(str(tiny))
    grader = Grader(members)
    parts = dict.fromkeys(part for env in members.values() for part in env.reward.terms)
    functions: list[Any] = [RewardFunction(grader, "reward", tokenizer)]
    functions += [PartFunction(grader, part, tokenizer) for part in parts]
    functions.append(TruthFunction(grader, "success", tokenizer))
    settings = {
        "output_dir": str(tmp_path / "trainer"),
        "max_steps": 1,
        "per_device_train_batch_size": GROUP * len(rows),
        "num_generations": GROUP,
        "max_completion_length": 600,
        "learning_rate": 1e-2,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "shuffle_dataset": False,
        "gradient_checkpointing": False,
        "reward_weights": [1.0] + [0.0] * (len(functions) - 1),
        **grpo,
    }
    extra: dict[str, Any] = {}
    if backend == "environment_factory":
        extra["environment_factory"] = environment_factory(members)
    elif backend == "rollout_func":
        extra["rollout_func"] = EnvRollout(members, offer_tools=offer_tools)
    return GraphGRPOTrainer(
        model=model,
        args=GRPOConfig(**settings),
        processing_class=tokenizer,
        reward_funcs=functions,
        train_dataset=Dataset.from_list(rows),
        grader=grader,
        credit=credit,
        control=control,
        offer_tools=offer_tools,
        **extra,
    )


class Scripted:
    """Stands in for sampling: says, turn by turn, what a script for the question says.

    Each question has `GROUP` scripts with distinct first turns, one per member of its group.
    """

    def __init__(self, trainer: Any, scripts: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self.tokenizer = trainer.processing_class
        self.scripts = scripts

    def __call__(
        self, contexts: list[list[int]], *_: Any, **__: Any
    ) -> tuple[list[list[int]], list[list[float]] | None]:
        out = []
        for place, context in enumerate(contexts):
            text = self.tokenizer.decode(context)
            parts = text.split("<|im_start|>assistant\n")[1:-1]
            said = [part.partition("<|im_end|>")[0] for part in parts]
            known = next(s for question, s in self.scripts.items() if question in text)
            fits = [script for script in known if list(script[: len(said)]) == said]
            script = fits[place % len(fits)] if not said else (fits or [said])[0]
            turn = script[len(said)] if len(said) < len(script) else "done"
            out.append([*self.tokenizer(turn)["input_ids"], self.tokenizer.eos_token_id])
        return out, None


def scripts_for(env: GraphEnv, index: int) -> list[list[str]]:
    """Four ways to play a task: gold; lost; a good move, then a wrong answer; in two steps."""
    gold = gold_turns(env, index)
    return [
        gold,
        [format_call("relations"), format_call("answer_frontier")],
        [format_call("frontier"), gold[0], '<answer>["nobody at all"]</answer>'],
        [format_call("follow", relation="no_such_relation") + format_call("back"), *gold],
    ]


def script(trainer: Any, env: GraphEnv, indices: Sequence[int]) -> None:
    scripts = {str(env.tasks[i].messages[-1]["content"]): scripts_for(env, i) for i in indices}
    trainer._generate_single_turn = Scripted(trainer, scripts)


class Spy:
    """Keeps what a method of the trainer returned."""

    def __init__(self, trainer: Any, method: str) -> None:
        self.inner = getattr(trainer, method)
        self.seen: list[Any] = []
        setattr(trainer, method, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        out = self.inner(*args, **kwargs)
        self.seen.append(out)
        return out


def scores_of(graded: Sequence[Graded]) -> list[Score]:
    return [g.score for g in graded]


# -- the adapter -----------------------------------------------------------------------------------


def test_the_tools_are_exactly_the_environments_with_the_same_schema() -> None:
    env = make_env(constraints=0.2, intersections=0.2, counts=0.2, reward="exact")
    assert {"keep", "start_at", "answer_count"} <= set(env.tools)
    adapter = AdapterFactory(env)()
    public = {
        name
        for name, _ in inspect.getmembers(type(adapter), predicate=inspect.isfunction)
        if not name.startswith("_")
    }
    assert public == {*env.tools, "reset"}
    schemas = [get_json_schema(getattr(adapter, name)) for name in sorted(env.tools)]
    assert schemas == tool_schemas(env)


def test_factories_pickle_and_pooled_instances_start_afresh(env: GraphEnv) -> None:
    factory: AdapterFactory = pickle.loads(pickle.dumps(environment_factory({"kgqa": env})))["kgqa"]
    adapter: Any = factory()
    assert ToolAdapter in type(adapter).__mro__
    adapter.reset(index=3, prompt=[], environment="kgqa")
    fresh = adapter.frontier()
    moved = adapter.follow(relation=env.tasks[3].target.path[0])
    assert adapter.frontier() == moved != fresh
    with pytest.raises(TypeError):
        adapter.follow("positional")
    adapter.reset(index=3)
    assert adapter.frontier() == fresh
    assert "nothing to undo" in adapter.back()
    with pytest.raises(ConfigError, match="'index'"):
        adapter.reset(prompt=[])


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("follow", {}),
        ("follow", {"relation": "nowhere"}),
        ("follow", {"relation": ["a"]}),
        ("follow", {"relation": "x", "name": "y", "self": "z"}),
        ("neighbors", {"entity": "Nobody", "relation": "born_in"}),
        ("frontier", {"page": "two"}),
        ("frontier", {"page": "1"}),
    ],
)
def test_wrong_arguments_get_the_environments_answer(
    env: GraphEnv, tool: str, arguments: dict[str, Any]
) -> None:
    adapter = AdapterFactory(env)()
    adapter.reset(index=0)
    episode = env.play(0, [format_call(tool, **arguments)])
    assert getattr(adapter, tool)(**arguments) == episode.steps[0].calls[0].result
    raise_failures([adapter])  # a bad call of the model is no failure of ours


def test_names_that_trl_keeps_are_refused(env: GraphEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = next(iter(env.tools.values()))
    monkeypatch.setattr(type(env), "tools", property(lambda self: {"reset": spec}))
    with pytest.raises(ConfigError, match="'reset'"):
        AdapterFactory(env)
    monkeypatch.setattr(type(env), "tools", property(lambda self: {}))
    with pytest.raises(ConfigError, match="reward functions only"):
        environment_factory({"kgqa": env})


def test_whether_trl_can_run_the_tool_loop_is_told_by_the_template(tiny: Path) -> None:
    _, tokenizer = load_model(str(tiny))
    assert plays_tools(tokenizer)
    tokenizer.response_template = None
    assert not plays_tools(tokenizer)  # TRL cannot read calls back
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    assert not plays_tools(tokenizer)


# -- training --------------------------------------------------------------------------------------


@pytest.mark.runs("environment_factory", "rollout_func")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_few_steps_train_and_log_every_part(
    tiny: Path, tmp_path: Path, env: GraphEnv, backend: str
) -> None:
    rows = rows_of(env, [0, 1, 2, 3, 4, 5])
    trainer = build(
        tiny,
        tmp_path,
        {"kgqa": env},
        rows,
        backend=backend,
        max_steps=3,
        per_device_train_batch_size=2 * GROUP,
        max_completion_length=48,
    )
    script(trainer, env, range(6))
    trainer.max_completion_length = 600
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    trainer.train()
    assert any(not torch.equal(p, before[name]) for name, p in trainer.model.named_parameters())
    steps = [line for line in trainer.state.log_history if "loss" in line]
    assert len(steps) == 3
    for line in steps:
        for name in ("reward", "part/exact", "part/progress", "success"):
            assert line[f"rewards/{name}/mean"] is not None, name
        assert line["rewards/success/mean"] == pytest.approx(0.5)  # gold and the long way round
        assert line["rewards/part/exact/mean"] == pytest.approx(0.5)
        assert line["reward"] == pytest.approx(
            line["rewards/part/exact/mean"] + line["rewards/part/progress/mean"]
        )
        assert line["credit/frac_zero_groups"] == 0.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_untrained_model_samples_and_trains(
    tiny: Path, tmp_path: Path, env: GraphEnv, backend: str
) -> None:
    """The real sampler: nothing scripted, whatever comes out."""
    trainer = build(
        tiny,
        tmp_path,
        {"kgqa": env},
        rows_of(env, [0, 1]),
        backend=backend,
        max_completion_length=100,
        generation_kwargs={"max_new_tokens": 24},
    )
    trainer.train()
    assert len(trainer.grader.latest) == 2 * GROUP
    assert {g.episode.status for g in trainer.grader.latest} <= {"truncated", "ok", "malformed"}
    assert trainer.state.log_history[0]["rewards/success/mean"] is not None


@pytest.mark.parametrize("backend", BACKENDS)
def test_group_members_play_the_same_task(
    tiny: Path, tmp_path: Path, env: GraphEnv, backend: str
) -> None:
    indices = [7, 2, 9]
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows_of(env, indices), backend=backend)
    script(trainer, env, indices)
    trainer.train()
    played = [g.episode.task.index for g in trainer.grader.latest]
    assert played == [index for index in indices for _ in range(GROUP)]
    if backend == "environment_factory":
        assert [adapter._index for adapter in trainer.environments] == played
    with pytest.raises(GraphEnvError, match="different tasks"):
        trainer._check_groups(rows_of(env, [0, 0, 0, 1]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_tasks_with_the_same_prompt_are_told_apart(
    tiny: Path, tmp_path: Path, env: GraphEnv, backend: str
) -> None:
    rows = rows_of(env, [0, 1])
    rows[1]["prompt"] = rows[0]["prompt"]
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows, backend=backend)
    question = str(rows[0]["prompt"][-1]["content"])
    trainer._generate_single_turn = Scripted(trainer, {question: scripts_for(env, 0)})
    trainer.train()
    played = [g.episode.task.index for g in trainer.grader.latest]
    assert played == [0] * GROUP + [1] * GROUP
    # The same words solve one task and not the other.
    assert [g.episode.success for g in trainer.grader.latest] == [1, 0, 0, 1, 0, 0, 0, 0]


def test_rollout_needs_the_rows_of_the_prompts(env: GraphEnv, tiny: Path, tmp_path: Path) -> None:
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows_of(env, [0]), backend="rollout_func")
    with pytest.raises(ConfigError, match="not those of the 0 rows"):
        trainer.rollout_func([[{"role": "user", "content": "x"}]], trainer)
    with pytest.raises(ConfigError, match="at least 1"):
        EnvRollout({"kgqa": env}, max_turn_tokens=0)
    assert pickle.loads(pickle.dumps(EnvRollout({"kgqa": env}))).max_turn_tokens is None


def test_rewards_prepare_before_the_first_step(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that starts inside a step would count as the reward's time."""
    warm: list[str] = []
    monkeypatch.setattr("graphenv.rewards.ged.terms.warmup", lambda: warm.append("ged"))
    env = make_env(reward="exact + 0.2*ged")
    build(tiny, tmp_path, {"kgqa": env}, rows_of(env, [0]), backend="rollout_func")
    assert warm == ["ged"]


# -- one transcript, one score, one sequence of tokens ---------------------------------------------


def test_one_transcript_has_one_score_everywhere(tiny: Path, tmp_path: Path, env: GraphEnv) -> None:
    indices = [0, 4]
    everywhere: dict[str, list[Score]] = {}
    digests: dict[str, list[str]] = {}
    for backend in BACKENDS:
        trainer = build(tiny, tmp_path, {"kgqa": env}, rows_of(env, indices), backend=backend)
        script(trainer, env, indices)
        trainer.train()
        everywhere[backend] = scores_of(trainer.grader.latest)
        digests[backend] = [g.episode.digest() for g in trainer.grader.latest]
        records = [g.episode.record() for g in trainer.grader.latest]
    replayed = [env.play(record.index, record.turns) for record in records]
    everywhere["replay"] = env.reward(replayed)
    digests["replay"] = [episode.digest() for episode in replayed]
    everywhere["gym"], digests["gym"] = [], []
    for index in indices:
        for turns in scripts_for(env, index):
            env.reset(options={"index": index})
            for turn in turns:
                _, _, terminated, truncated, _ = env.step(turn)
            assert terminated or truncated
            assert env.score is not None
            everywhere["gym"].append(env.score)
            digests["gym"].append(env.episode.digest())
    reference = everywhere["gym"]
    assert len({score.value for score in reference}) > 1
    assert any(len(set(score.steps)) > 1 for score in reference)
    for way, scores in everywhere.items():
        assert scores == reference, way
        assert digests[way] == digests["gym"], way


@pytest.mark.parametrize("offer_tools", [False, True])
def test_one_chat_has_one_sequence_of_tokens(
    tiny: Path, tmp_path: Path, env: GraphEnv, offer_tools: bool
) -> None:
    index = 4
    sequences: dict[str, list[list[int]]] = {}
    masks: dict[str, list[list[int]]] = {}
    for backend in BACKENDS:
        rows = rows_of(env, [index])
        trainer = build(
            tiny, tmp_path, {"kgqa": env}, rows, backend=backend, offer_tools=offer_tools
        )
        script(trainer, env, [index])
        spy = Spy(trainer, "_generate")
        trainer.train()
        prompts, completions, mask, *_ = spy.seen[0]
        sequences[backend] = [list(p) + list(c) for p, c in zip(prompts, completions, strict=True)]
        masks[backend] = [[-1] * len(p) + list(m) for p, m in zip(prompts, mask, strict=True)]
        tokenizer = trainer.processing_class
    for member, turns in enumerate(scripts_for(env, index)):
        episode = env.play(index, turns)
        chat = [dict(message) for message in episode.messages]
        while chat[-1]["role"] != "assistant":
            chat.pop()
        tools = tool_schemas(env) if offer_tools else None
        whole = tokenizer.apply_chat_template(chat, tools=tools, return_dict=True)
        ours = sequences["rollout_func"][member]
        rendered = whole["input_ids"]
        assert ours == rendered[: len(ours)]
        assert tokenizer.decode(rendered[len(ours) :]) == "\n"  # behind the end of the last turn
        # TRL's loop is not told the end: after answer_frontier it lets the model speak once more.
        theirs = sequences["environment_factory"][member]
        assert tokenizer.decode(theirs[: len(ours)]) == tokenizer.decode(ours)
        assert theirs[: len(ours)] == ours
        assert masks["environment_factory"][member][: len(ours)] == masks["rollout_func"][member]
        if turns[-1].startswith("<answer>"):
            assert theirs == ours


def test_a_template_without_tools_is_played_too(env: GraphEnv, tiny: Path) -> None:
    """Observations then come as user turns, and the pieces still make up the whole."""
    _, tokenizer = load_model(str(tiny))
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    chat = ChatTokens(tokenizer, [tokenizer.eos_token_id], {})
    turns = [format_call("follow", relation="nowhere") + format_call("back"), "hm", "<answer>"]
    episode = env.play(0, turns)
    pieces = chat.prompt(episode.task.messages)
    for step in episode.steps:
        turn = [*tokenizer(step.text)["input_ids"], tokenizer.eos_token_id]
        pieces += turn + chat.between(turn, step.messages[1:])
    assert pieces == chat.prompt(episode.messages)
    # A turn that was cut is closed.
    cut = tokenizer("hm")["input_ids"]
    closed = chat.between(cut, [{"role": "user", "content": "?"}])
    assert closed[0] == tokenizer.eos_token_id
    assert closed[1:] == chat.between([*cut, closed[0]], [{"role": "user", "content": "?"}])


# -- where the two ways differ ---------------------------------------------------------------------


def test_a_malformed_turn_is_answered_in_a_rollout_and_ends_trls_loop(
    tiny: Path, tmp_path: Path, env: GraphEnv
) -> None:
    gold = gold_turns(env, 0)
    question = str(env.tasks[0].messages[-1]["content"])
    found = {}
    for backend in BACKENDS:
        trainer = build(tiny, tmp_path, {"kgqa": env}, rows_of(env, [0]), backend=backend)
        trainer._generate_single_turn = Scripted(trainer, {question: [["well ...", *gold]]})
        trainer.train()
        found[backend] = trainer.grader.latest[0].episode
    assert (found["rollout_func"].status, found["rollout_func"].success) == ("ok", 1.0)
    assert found["rollout_func"].steps[0].status == "malformed"
    assert (found["environment_factory"].status, len(found["environment_factory"])) == (
        "truncated",
        1,
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_episodes_end_with_the_turn_limit_and_the_token_limit(
    tiny: Path, tmp_path: Path, env: GraphEnv, backend: str
) -> None:
    question = str(env.tasks[0].messages[-1]["content"])
    lost = [[format_call("frontier")] * 20]
    for limit, turns in ((2000, env.max_turns), (120, None)):
        trainer = build(
            tiny,
            tmp_path,
            {"kgqa": env},
            rows_of(env, [0]),
            backend=backend,
            max_completion_length=limit,
        )
        trainer._generate_single_turn = Scripted(trainer, {question: lost})
        spy = Spy(trainer, "_generate")
        trainer.train()
        episodes = [g.episode for g in trainer.grader.latest]
        assert {episode.status for episode in episodes} == {"truncated"}
        assert all(0 < len(ids) <= limit for ids in spy.seen[0][1])
        if turns is None:
            assert all(1 <= len(episode) < env.max_turns for episode in episodes)
        else:
            assert {len(episode) for episode in episodes} == {turns}


def test_members_of_a_mixture_may_differ_in_tools(tiny: Path, tmp_path: Path) -> None:
    members = {
        "walk": make_env(reward="exact"),
        "filter": make_env(reward="answer_f1", counts=1.0, seed=1),
    }
    assert set(members["walk"].tools) != set(members["filter"].tools)
    rows = rows_of(members["walk"], [0], "walk") + rows_of(members["filter"], [0], "filter")
    scripts = {
        str(env.tasks[0].messages[-1]["content"]): [gold_turns(env, 0)] for env in members.values()
    }
    for backend in BACKENDS:
        trainer = build(tiny, tmp_path, members, rows, backend=backend, offer_tools=True)
        trainer._generate_single_turn = Scripted(trainer, scripts)
        spy = Spy(trainer, "_generate")
        trainer.train()
        graded = trainer.grader.latest
        assert [g.episode.success for g in graded] == [1.0] * 2 * GROUP
        assert [list(g.score.parts) for g in graded[::GROUP]] == [["exact"], ["answer_f1"]]
        shown = ["answer_count" in trainer.processing_class.decode(ids) for ids in spy.seen[0][0]]
        assert shown == [False] * GROUP + [True] * GROUP
        line = trainer.state.log_history[0]
        assert line["rewards/part/exact/mean"] == line["rewards/part/answer_f1/mean"] == 1.0


# -- failures of ours ------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_crashing_tool_stops_training(
    tiny: Path, tmp_path: Path, env: GraphEnv, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows_of(env, [0]), backend=backend)
    script(trainer, env, [0])

    def crash(self: KGQASession, relation: str) -> tuple[str, str]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(KGQASession, "follow", crash)
    with pytest.raises((GraphEnvError, ZeroDivisionError), match="a bug") as caught:
        trainer.train()
    if backend == "environment_factory":
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert "'follow'" in str(caught.value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_crashing_verifier_is_left_out_and_counted_never_zero(
    tiny: Path, tmp_path: Path, env: GraphEnv, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    indices = [0, 4]
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows_of(env, indices), backend=backend)
    script(trainer, env, indices)
    score = Exact.score

    def crash_on_one(self: Exact, episode: Any) -> float | None:
        if episode.task.index == 4 and episode.success == 1.0:
            raise ZeroDivisionError("a bug of the verifier")
        return score(self, episode)

    monkeypatch.setattr(Exact, "score", crash_on_one)
    spy = Spy(trainer, "_generate_and_score_completions")
    trainer.train()
    values = [g.score.value for g in trainer.grader.latest]
    crashed = [place for place, value in enumerate(values) if value is None]
    assert crashed == [4, 7]  # gold and the long way round of the second task
    assert trainer.grader.stats.errors == 2
    assert any("a bug of the verifier" in reason for reason in trainer.grader.stats.reasons)
    line = trainer.state.log_history[0]
    known = [value for value in values if value is not None]
    assert line["reward"] == pytest.approx(sum(known) / len(known))
    assert line["rewards/success/mean"] == pytest.approx(2 / 6)  # not 4/8, not 2/8
    replaced = spy.seen[0]["advantages"]
    assert not replaced[crashed].any()
    assert replaced[[0, 1, 2, 3]].any()


def test_model_text_of_a_thousand_brackets_does_not_end_training(
    tiny: Path, tmp_path: Path, env: GraphEnv
) -> None:
    question = str(env.tasks[0].messages[-1]["content"])
    deep = "<tool_call>" + "[" * 1100 + "</tool_call>"
    for backend in BACKENDS:
        trainer = build(
            tiny,
            tmp_path,
            {"kgqa": env},
            rows_of(env, [0]),
            backend=backend,
            max_completion_length=1500,
            num_generations=2,
            per_device_train_batch_size=2,
        )
        trainer._generate_single_turn = Scripted(trainer, {question: [[deep]]})
        trainer.train()
        assert {g.episode.status for g in trainer.grader.latest} == {"truncated"}


def _call(body: str) -> str:
    return f"<tool_call>{body}</tool_call>"


BACK = format_call("back")
ODD_TURNS = {
    "plain": BACK,
    "two": BACK + format_call("follow", relation="nowhere"),
    "no_arguments": _call('{"name": "back"}'),
    "text_number": _call('{"name": "frontier", "arguments": {"page": "2"}}'),
    "nan": _call('{"name": "follow", "arguments": {"relation": NaN}}'),
    "infinity": _call('{"name": "follow", "arguments": {"relation": 1e999}}'),
    "arguments_are_text": _call('{"name": "follow", "arguments": "{}"}'),
    "arguments_are_a_list": _call('{"name": "back", "arguments": []}'),
    "arguments_are_null": _call('{"name": "back", "arguments": null}'),
    "no_object": _call('["back"]'),
    "surrogate": _call('{"name": "follow", "arguments": {"relation": "\\ud800"}}'),
    "too_many": BACK * 65,
    "behind_half_a_tag": "<program>" + BACK,
    "in_a_thought": f"<think>{BACK}</think>",
    "before_the_end_of_a_thought": f'{BACK}</think><answer>["a"]</answer>',
    "special_token_in_an_answer": '<answer>["a<|im_start|>"]</answer>',
    "answer": '<think>hm</think><answer>["a"]</answer>',
}


@pytest.mark.parametrize("kind", ODD_TURNS)
def test_trl_runs_the_calls_that_the_environment_reads_or_none(
    env: GraphEnv, tiny: Path, kind: str
) -> None:
    """Else the model would see results of calls that its graded episode does not hold."""
    from trl.chat_template_utils import parse_response

    _, tokenizer = load_model(str(tiny))
    assert plays_tools(tokenizer)
    tokenizer.parse_response = CarefulParser(tokenizer)
    prompt = tokenizer.apply_chat_template(
        [dict(m) for m in env.tasks[0].messages], add_generation_prompt=True, return_dict=True
    )["input_ids"]
    ids = [*tokenizer(ODD_TURNS[kind])["input_ids"], tokenizer.eos_token_id]
    message = parse_response(tokenizer, ids, prefix=prompt)
    graded = env.play(0, turns_of([message]))
    stepped = env.play(0, [tokenizer.decode(ids, skip_special_tokens=True)])
    assert graded.digest() == stepped.digest()
    adapter = AdapterFactory(env)()
    adapter.reset(index=0)
    shown = [
        getattr(adapter, call["function"]["name"])(**call["function"]["arguments"])
        for call in message.get("tool_calls", ())
    ]
    assert shown in ([], [call.result for call in stepped.steps[0].calls])
    assert bool(shown) == (kind in ("plain", "two", "no_arguments", "text_number"))


# -- credit ----------------------------------------------------------------------------------------


@pytest.mark.runs("turn_credit")
@pytest.mark.parametrize("loss", ["grpo", "dapo", "bnpo", "dr_grpo"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_turns_get_their_own_advantages(
    tiny: Path, tmp_path: Path, env: GraphEnv, backend: str, loss: str
) -> None:
    indices = [0, 4]
    rows = rows_of(env, indices)
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows, backend=backend, loss_type=loss)
    script(trainer, env, indices)
    spy = Spy(trainer, "_generate_and_score_completions")
    trainer.train()
    out = spy.seen[0]
    replaced = out["advantages"]
    assert replaced.shape == out["completion_ids"].shape
    turn, counts = turn_of_token(out["completion_mask"] * out["tool_mask"])
    assert not replaced[turn < 0].any()
    several = 0
    for row, graded in enumerate(trainer.grader.latest):
        length = len(graded.episode)
        assert length <= counts[row]
        per_turn = [replaced[row][turn[row] == t].unique() for t in range(int(counts[row]))]
        assert all(len(values) == 1 for values in per_turn)  # one number per turn
        several += len({round(float(v), 5) for v in per_turn[:length]}) > 1
        assert not any(values.any() for values in per_turn[length:])  # after the end: nothing
    assert several >= GROUP
    line = trainer.state.log_history[0]
    assert line["grad_norm"] > 0
    assert line["loss"] == line["loss"]  # not NaN


def test_outcome_credit_refuses_shaping_and_as_a_control_sees_nothing_of_it(
    tiny: Path, tmp_path: Path, env: GraphEnv
) -> None:
    plain = make_env(reward="exact")
    indices = [0, 4]
    with pytest.raises(ConfigError, match="telescopes"):
        build(
            tiny,
            tmp_path,
            {"kgqa": env},
            rows_of(env, [0]),
            backend="rollout_func",
            credit="outcome",
        )
    found = []
    for member, control in ((plain, False), (env, True)):
        trainer = build(
            tiny,
            tmp_path,
            {"kgqa": member},
            rows_of(member, indices),
            backend="rollout_func",
            credit="outcome",
            control=control,
        )
        script(trainer, member, indices)
        spy = Spy(trainer, "_generate_and_score_completions")
        trainer.train()
        found.append(spy.seen[0]["advantages"])
    assert found[0].dim() == 1
    torch.testing.assert_close(found[0], found[1])


def test_the_return_to_go_of_a_verdict_is_what_trl_computes(tiny: Path, tmp_path: Path) -> None:
    """The two paths meet: (B, T) from us, (B,) from TRL, the same numbers on model tokens."""
    plain = make_env(reward="exact")
    indices = [0, 4]
    found: dict[str, Any] = {}
    for credit in ("outcome", "turn(lam=1)"):
        trainer = build(
            tiny,
            tmp_path,
            {"kgqa": plain},
            rows_of(plain, indices),
            backend="rollout_func",
            credit=credit,
        )
        script(trainer, plain, indices)
        spy = Spy(trainer, "_generate_and_score_completions")
        trainer.train()
        found[credit] = spy.seen[0]
    mask = found["turn(lam=1)"]["completion_mask"] * found["turn(lam=1)"]["tool_mask"]
    expected = found["outcome"]["advantages"].unsqueeze(1) * mask
    torch.testing.assert_close(found["turn(lam=1)"]["advantages"], expected, atol=1e-5, rtol=1e-5)


def test_evaluation_plays_the_same_way(tiny: Path, tmp_path: Path, env: GraphEnv) -> None:
    for backend in BACKENDS:
        trainer = build(
            tiny,
            tmp_path,
            {"kgqa": env},
            rows_of(env, [0]),
            backend=backend,
            per_device_eval_batch_size=4,
            num_generations_eval=2,
        )
        script(trainer, env, [0, 4])
        metrics = trainer.evaluate(Dataset.from_list(rows_of(env, [0, 4])))
        assert {g.episode.task.index for g in trainer.grader.latest} == {0, 4}
        assert metrics["eval_rewards/success/mean"] == pytest.approx(0.5)


def test_runs_of_tokens_must_be_turns(tiny: Path, tmp_path: Path, env: GraphEnv) -> None:
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows_of(env, [0]), backend="rollout_func")
    script(trainer, env, [0])
    inner = trainer.rollout_func

    def forgets_the_mask(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        out = inner(prompts, trainer)
        return {**out, "env_mask": [[1] * len(ids) for ids in out["completion_ids"]]}

    trainer.rollout_func = forgets_the_mask
    with pytest.raises(GraphEnvError, match="1 runs of model tokens"):
        trainer.train()


def test_the_grader_must_be_the_one_of_the_rewards(
    tiny: Path, tmp_path: Path, env: GraphEnv
) -> None:
    trainer = build(tiny, tmp_path, {"kgqa": env}, rows_of(env, [0]), backend="rollout_func")
    script(trainer, env, [0])
    trainer.grader = Grader({"kgqa": env})
    with pytest.raises(GraphEnvError, match="reward functions hold"):
        trainer.train()


# -- several processes -----------------------------------------------------------------------------


def one_of_two(tiny: str, folder: str) -> None:
    """What each of two processes runs: half of one group, with another number of turns."""
    env = make_env()
    for backend in BACKENDS:
        trainer = build(
            Path(tiny),
            Path(folder),
            {"kgqa": env},
            rows_of(env, [0, 4]),
            backend=backend,
            per_device_train_batch_size=GROUP // 2,
        )
        rank = trainer.accelerator.process_index
        scripts = {
            str(env.tasks[i].messages[-1]["content"]): scripts_for(env, i)[2 * rank : 2 * rank + 2]
            for i in (0, 4)
        }
        trainer._generate_single_turn = Scripted(trainer, scripts)
        spy = Spy(trainer, "_generate_and_score_completions")
        trainer.train()
        out = spy.seen[0]
        turn, _ = turn_of_token(out["completion_mask"] * out["tool_mask"])
        torch.save(
            {
                "task": trainer.grader.latest[0].episode.task.index,
                "steps": [list(g.score.steps) for g in trainer.grader.latest],
                "advantages": [
                    [float(row[t == k][0]) for k in range(int(t.max()) + 1)]
                    for row, t in zip(out["advantages"], turn, strict=True)
                ],
            },
            Path(folder) / f"{backend}-{rank}.pt",
        )


def test_a_group_that_straddles_processes_is_compared_as_a_whole(
    tiny: Path, tmp_path: Path, env: GraphEnv
) -> None:
    script_file = tmp_path / "worker.py"
    script_file.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"import test_bridge_tools\n"
        f"test_bridge_tools.one_of_two({str(tiny)!r}, {str(tmp_path)!r})\n"
    )
    # `--cpu --num_processes 2` would start a single process; this is torchrun, and the trainer's
    # use_cpu makes it gloo.
    launch = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", *launch, str(script_file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for backend in BACKENDS:
        first, second = (torch.load(tmp_path / f"{backend}-{rank}.pt") for rank in range(2))
        assert first["task"] == second["task"]
        steps = first["steps"] + second["steps"]
        assert len(steps) == GROUP
        expected = advantages(TurnCredit(lam=0.5), [Trajectory(tuple(s)) for s in steps], GROUP)
        for found, turns in zip(first["advantages"] + second["advantages"], expected, strict=True):
            assert turns is not None
            assert found[: len(turns)] == pytest.approx(turns.tolist(), abs=1e-5)
