"""The share of a GRPO step that executing and grading queries takes.

The tiny policy generates 64 completions of 64 tokens and is updated on them: untrained, so that it
writes that many, and what it writes is hardly ever a query. So grading is timed apart, over 64
episodes that no cache has seen: eight questions, eight predictions each, the gold and seven of it
with mistakes, in single mode. Twice: all questions about one world, whose workers are warm, and
about sixteen, whose workers are started when they are first needed.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from graphenv import envs
from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.families import MAX_ERRORS
from graphenv.agents.families.queries import with_mistakes
from graphenv.envs.queries.engines.pool import close_all
from graphenv.envs.queries.env import Text2CypherEnv, Text2SQLEnv
from graphenv.envs.queries.sources.synthetic.source import WORLDS
from graphenv.fences import fenced

__all__ = ["step_share"]

COMPLETIONS, GROUP, TOKENS = 64, 8, 64
REWARD = "execution + query_ged + schema_linking + component_f1"


def step_share(*, quick: bool) -> dict[str, Any]:
    """Return seconds of a step without grading, of playing and of grading 64 episodes."""
    found: dict[str, Any] = {}
    for name in ("text2sql", "text2cypher"):
        with tempfile.TemporaryDirectory() as folder:
            policy, tokens = _policy(name, Path(folder), quick)
        found[name] = {"policy_s": policy, "tokens": tokens, "worlds": {}}
        for worlds in (1, WORLDS["train"]):
            play, grade = _grading(name, 2 if quick else 6, worlds)
            share = (play + grade) / (policy + play + grade)
            found[name]["worlds"][worlds] = {"play_s": play, "grade_s": grade, "share": share}
    print(found, flush=True)
    return found


def _policy(name: str, folder: Path, quick: bool) -> tuple[float, float]:
    """Return median seconds of a step, grading taken out, and tokens a completion."""
    from graphenv.agents.bridge.train import train

    config = TrainConfig(
        environments=name,
        env_kwargs={"worlds": 1, "instructions": "none", "show_schema": False},
        reward="syntax",
        warmup=0,
        steps=3 if quick else 6,
        eval_every=0,
        heldout_tasks=8,
        out=str(folder / "run"),
        grpo={
            "num_generations": GROUP,
            "per_device_train_batch_size": COMPLETIONS,
            "max_completion_length": TOKENS,
            "temperature": 1.0,
            "logging_steps": 1,
        },
    )
    train(config, progress=False)
    lines = (folder / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines][1:]
    seconds = statistics.median(row["step_seconds"] - row["reward_seconds"] for row in rows)
    return seconds, statistics.median(row["completion_length"] for row in rows)


def _grading(name: str, rounds: int, worlds: int) -> tuple[float, float]:
    """Return median seconds of playing 64 episodes (gold and predictions run) and of their reward.

    Both the questions and the predictions of a round are new.
    """
    env = envs.make(name, reward=REWARD, worlds=worlds)
    assert isinstance(env, Text2SQLEnv | Text2CypherEnv)
    env.reward.prepare()
    playing, grading = [], []
    for number in range(rounds + 1):
        indices = range(number * COMPLETIONS // GROUP, (number + 1) * COMPLETIONS // GROUP)
        said = [(index, text) for index in indices for text in _predictions(env, index)]
        start = time.perf_counter()
        episodes = [env.play(index, [fenced(text, env.language)]) for index, text in said]
        middle = time.perf_counter()
        scores = env.reward(episodes)
        end = time.perf_counter()
        assert all(score.status == "ok" for score in scores)
        if number:
            playing.append(middle - start)
            grading.append(end - middle)
    close_all()
    return statistics.median(playing), statistics.median(grading)


def _predictions(env: Text2SQLEnv | Text2CypherEnv, index: int) -> list[str]:
    """Return a group: the gold and seven wrong queries."""
    task, schema = env.tasks[index], env.query_source.schema(index)
    gold = str(task.target.program)
    errors = (*range(MAX_ERRORS + 1), 1, 2)
    return [with_mistakes(gold, schema, n, f"{task.id} {at}") for at, n in enumerate(errors)]
