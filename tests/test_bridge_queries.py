"""The query environments under TRL: one transcript, one score, however it was played."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the train extra")

import query_env_fixture as fx
from test_bridge_tools import BACKENDS, Scripted, Spy, build, rows_of, scores_of
from transformers.utils import get_json_schema

from graphenv.agents.bridge.adapter import AdapterFactory, tool_schemas
from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.bridge.train import train
from graphenv.agents.oracle import gold_turns
from graphenv.agents.tiny import environment_text, make_tiny
from graphenv.benchmarks.rescore import rescore
from graphenv.envs.base import GraphEnv
from graphenv.episode import read_records, write_records
from graphenv.query.model import Language
from graphenv.score import Score
from graphenv.text import format_call

pytestmark = pytest.mark.train

LANGUAGES: tuple[Language, ...] = ("sql", "cypher")
BOTH = pytest.mark.parametrize("language", LANGUAGES)
REWARD = "execution + 0.3*query_ged + 0.2*format + 0.1*turn_cost"
INDICES = (fx.AFTER, fx.PAIRS)


@pytest.fixture(autouse=True)
def known_source() -> Iterator[None]:
    with fx.cinema_source():
        yield


def make_env(language: Language, **kwargs: Any) -> GraphEnv:
    settings = {"mode": "tools", "max_turns": 4, "instructions": "none", "reward": REWARD}
    env: GraphEnv = fx.make_env(language, **{**settings, "max_observation": 200, **kwargs})
    return env


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with fx.cinema_source():
        texts = environment_text([make_env(language) for language in LANGUAGES], tasks=8)
        return make_tiny(texts, tmp_path_factory.mktemp("tiny"), size="nano", seed=0)


def scripts_for(env: GraphEnv, index: int) -> list[list[str]]:
    """Four ways to play a task: gold; wrong; after two looks; with mistakes on the way."""
    language: Language = env.language  # type: ignore[attr-defined]
    gold = str(fx.QUESTIONS[index][language])
    wrong = {"sql": "SELECT id FROM Film", "cypher": "MATCH (f:Film) RETURN f.id"}[language]
    look = format_call("sample_values", table="Film", column="title")
    beside = format_call("schema", name="flim") + format_call("rum", query='a "b" < `c`')
    return [
        gold_turns(env, index),
        [format_call("explain", query=wrong), fx.block(wrong, language)],
        [format_call("schema"), look, f"<program>{gold}</program>"],
        [f"{fx.block(wrong, language)}\n{beside}", f"So:\n{fx.block(gold, language)}"],
    ]


def scripted(trainer: Any, env: GraphEnv, indices: Sequence[int] = INDICES) -> None:
    scripts = {str(env.tasks[i].messages[-1]["content"]): scripts_for(env, i) for i in indices}
    trainer._generate_single_turn = Scripted(trainer, scripts)


@BOTH
def test_the_tools_are_the_environments(language: Language) -> None:
    env = make_env(language)
    adapter: Any = pickle.loads(pickle.dumps(AdapterFactory(env)))()
    schemas = [get_json_schema(getattr(adapter, name)) for name in sorted(env.tools)]
    assert schemas == tool_schemas(env)
    adapter.reset(index=fx.AFTER)
    gold = str(fx.QUESTIONS[fx.AFTER][language])
    for name, arguments in (
        ("run", {"query": gold}),
        ("run", {"query": gold, "page": "x"}),
        ("run", {}),
        ("schema", {}),
        ("sample_values", {"table": "Film", "column": "yaer"}),
        ("explain", {"query": "SELECT ("}),
    ):
        call = env.play(fx.AFTER, [format_call(name, **arguments)]).steps[0].calls[0]
        assert getattr(adapter, name)(**arguments) == call.result


@BOTH
def test_one_transcript_has_one_score_everywhere(
    tiny: Path, tmp_path: Path, language: Language
) -> None:
    env = make_env(language)
    scores: dict[str, list[Score]] = {}
    digests: dict[str, list[str]] = {}
    for backend in BACKENDS:
        trainer = build(
            tiny,
            tmp_path,
            {"query": env},
            rows_of(env, INDICES, "query"),
            backend=backend,
            credit="outcome",
            max_completion_length=2_000,
        )
        scripted(trainer, env)
        spy = Spy(trainer, "_generate")
        trainer.train()
        graded = trainer.grader.latest
        scores[backend] = scores_of(graded)
        digests[backend] = [g.episode.digest() for g in graded]
        assert [g.episode.success for g in graded] == [1, 0, 1, 1] * 2
        assert all(len(ids) < 2_000 for ids in spy.seen[0][1])
        line = trainer.state.log_history[0]
        assert line["rewards/success/mean"] == line["rewards/part/execution/mean"] == 0.75
        assert line["grad_norm"] > 0
    write_records(tmp_path / "log.jsonl", [g.episode.record() for g in graded])
    rescored = rescore(list(read_records(tmp_path / "log.jsonl")), [REWARD])
    assert not rescored.mismatches
    scores["rescore"] = [score for score in rescored.columns[0].scores if score is not None]
    scores["gym"], digests["gym"] = [], []
    for index in INDICES:
        for turns in scripts_for(env, index):
            env.reset(options={"index": index})
            for turn in turns:
                _, _, terminated, _, _ = env.step(turn)
            assert terminated and env.score is not None
            scores["gym"].append(env.score)
            digests["gym"].append(env.episode.digest())
    assert len({score.value for score in scores["gym"]}) >= 4
    for way, found in scores.items():
        assert found == scores["gym"], way
        assert digests.get(way, digests["gym"]) == digests["gym"], way


def test_a_mixture_of_both_languages_trains(tmp_path: Path) -> None:
    kwargs = {"worlds": 1, "tasks": 24, "hops": 0, "features": [], "instructions": "none",
              "show_schema": False}  # fmt: skip
    result = train(
        TrainConfig(
            environments="text2sql:1,text2cypher:1",
            env_kwargs={"text2sql": kwargs, "text2cypher": kwargs},
            reward="execution + 0.2*ngram",
            size="nano",
            warmup=8,
            warmup_epochs=1,
            steps=2,
            eval_every=0,
            heldout_tasks=4,
            max_new_tokens=12,
            out=str(tmp_path / "run"),
            grpo={
                "per_device_train_batch_size": 16,
                "num_generations": 4,
                "logging_steps": 1,
                "max_completion_length": 16,
            },
        ),
        progress=False,
    )
    lines = [json.loads(x) for x in (result.folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    for line in lines:
        assert set(line["parts"]) == {"execution", "ngram"} and line["errors"] == 0
        assert line["episodes"] == sum(line["statuses"].values()) == 16
    played = {record.env_id for record in read_records(result.folder / "episodes.jsonl")}
    assert played == {"graphenv/Text2SQL-v0", "graphenv/Text2Cypher-v0"}
