"""Subgraphs under TRL: one transcript, one score, however it was played."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

pytest.importorskip("trl", reason="needs the train extra")

import subgraph_fixture as fx
from subgraph_fixture import GOLD, LOCK, PAIN, add
from test_bridge_tools import BACKENDS, Scripted, build, rows_of, scores_of
from transformers.utils import get_json_schema

from graphenv.agents.bridge.adapter import AdapterFactory, tool_schemas
from graphenv.agents.oracle import gold_turns
from graphenv.agents.tiny import environment_text, make_tiny
from graphenv.benchmarks.rescore import rescore
from graphenv.envs.base import GraphEnv
from graphenv.envs.subgraph.sources import SOURCES
from graphenv.episode import read_records, write_records
from graphenv.score import Score
from graphenv.text import format_call

pytestmark = pytest.mark.train

REWARD = "triple_f1 + progress + 0.1*turn_cost"
INDICES = (PAIN, LOCK)


@pytest.fixture(autouse=True)
def known_source() -> Iterator[None]:
    with patch.dict(SOURCES, fixture="subgraph_fixture:FixtureSource"):
        yield


def make_env() -> GraphEnv:
    return fx.make_env(
        max_turns=5, instructions="none", reward=REWARD, page_size=2, max_observation=200
    )


def scripts_for(env: GraphEnv, index: int) -> list[list[str]]:
    """Four ways to play a task: gold; at once; after a detour; written down in the end."""
    gold = env.subgraph_source[index].target.graph  # type: ignore[attr-defined]
    look = format_call("candidates") + format_call("inspect", node="asprin")
    return [
        gold_turns(env, index),
        [fx.SUBMIT],
        [look, add(GOLD[1], ("aspirin", "treats", "joy")), fx.SUBMIT],
        [format_call("candidates", page="x"), fx.answer(gold.triples)],
    ]


def test_the_tools_are_the_environments() -> None:
    env = make_env()
    adapter: Any = pickle.loads(pickle.dumps(AdapterFactory(env)))()
    assert tool_schemas(env) == [get_json_schema(getattr(adapter, n)) for n in sorted(env.tools)]
    adapter.reset(index=PAIN)
    for name, arguments in (
        ("candidates", {}),
        ("candidates", {"page": "x"}),
        ("inspect", {"node": "Aspirin"}),
        ("add_edge", {"head": "aspirin", "relation": "treats", "tail": "pain"}),
        ("expand", {}),
    ):
        call = env.play(PAIN, [format_call(name, **arguments)]).steps[0].calls[0]
        assert getattr(adapter, name)(**arguments) == call.result


def test_one_transcript_has_one_score_everywhere(tmp_path: Path) -> None:
    env = make_env()
    tiny = make_tiny(environment_text([env], tasks=7), tmp_path / "tiny", size="nano", seed=0)
    scores: dict[str, list[Score]] = {}
    digests: dict[str, list[str]] = {}
    for backend in BACKENDS:
        trainer = build(
            tiny, tmp_path, {"graph": env}, rows_of(env, INDICES, "graph"), backend=backend,
            max_completion_length=2_000,
        )  # fmt: skip
        scripts = {str(env.tasks[i].messages[-1]["content"]): scripts_for(env, i) for i in INDICES}
        trainer._generate_single_turn = Scripted(trainer, scripts)
        trainer.train()
        graded = trainer.grader.latest
        scores[backend] = scores_of(graded)
        digests[backend] = [g.episode.digest() for g in graded]
        assert [g.episode.success for g in graded] == [1, 0, 0.4, 1, 1, 0, 0, 1]
    write_records(tmp_path / "log.jsonl", [g.episode.record() for g in graded])
    rescored = rescore(list(read_records(tmp_path / "log.jsonl")), [REWARD])
    assert not rescored.mismatches
    scores["rescore"] = [score for score in rescored.columns[0].scores if score is not None]
    played = [env.play(i, turns) for i in INDICES for turns in scripts_for(env, i)]
    scores["gym"], digests["gym"] = env.reward(played), [e.digest() for e in played]
    for way, found in scores.items():
        assert found == scores["gym"], way
        assert digests.get(way, digests["gym"]) == digests["gym"], way
