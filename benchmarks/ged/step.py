"""Part 9: the share of a GRPO step that edit distance takes.

Twice. `walks`: tool mode, trained for real under `exact + ged`, the graph being the walked one.
`written`: a policy that writes 64 tokens a completion (untrained, so that it writes that many), and
the reward over as many graphs as a step has completions, from the batch of the throughput table.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from graphenv.benchmarks.ged.generate import GROUP, grpo_batch
from graphenv.episode import Episode, Outcome
from graphenv.rewards import parse
from graphenv.seeding import rng
from graphenv.task import Target, Task

__all__ = ["step_share"]

COMPLETIONS = 64
TOKENS = 64
REPEATS = 20


def step_share(*, quick: bool) -> dict[str, Any]:
    """Return seconds of a step, seconds of the reward in it, and tokens a completion."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"walks": _walks(Path(folder), quick), "written": _written(Path(folder), quick)}
    print(found, flush=True)
    return found


def _walks(folder: Path, quick: bool) -> dict[str, Any]:
    rows = _train(
        folder / "walks",
        {"hops": 2, "relations": 12, "mode": "tools", "max_turns": 4, "page_size": 2},
        "exact + ged",
        steps=3 if quick else 12,
        warmup=16 if quick else 220,
        length=150,
    )
    step, reward = (statistics.median(row[k] for row in rows) for k in _TIMES)
    tokens = statistics.median(row["completion_length"] for row in rows)
    return {"step_s": step, "reward_s": reward, "share": reward / step, "tokens": tokens}


def _written(folder: Path, quick: bool) -> dict[str, Any]:
    rows = _train(
        folder / "written", {"mode": "program"}, "exact", steps=3 if quick else 8, warmup=0,
        length=TOKENS,
    )  # fmt: skip
    step = statistics.median(row["step_seconds"] for row in rows)
    tokens = statistics.median(row["completion_length"] for row in rows)
    reward = parse("ged")
    seconds = []
    for repeat in range(2 if quick else REPEATS):
        dice = rng("ged benchmark", "step", repeat)
        episodes = [
            Episode(
                "benchmark",
                {},
                "",
                Task(id="", index=0, messages=(), target=Target(graph=gold)),
                1,
                outcome=Outcome("ok", graph=graph),
                success=0.0,
            )
            for graph, gold in grpo_batch(dice, COMPLETIONS // GROUP)
        ]
        start = time.perf_counter()
        scores = reward(episodes)
        seconds.append(time.perf_counter() - start)
        assert all(score.status == "ok" for score in scores)
    took = statistics.median(seconds)
    share = took / (step + took)
    return {"step_s": step + took, "reward_s": took, "share": share, "tokens": tokens}


_TIMES = ("step_seconds", "reward_seconds")


def _train(
    out: Path, kwargs: dict[str, Any], reward: str, *, steps: int, warmup: int, length: int
) -> list[dict[str, Any]]:
    """Return the log rows of a short run of the tiny policy, the first one left out."""
    from graphenv.agents.bridge.config import TrainConfig
    from graphenv.agents.bridge.train import train

    config = TrainConfig(
        env_kwargs={"source": "synthetic", "instructions": "none", **kwargs},
        reward=reward,
        warmup=warmup,
        warmup_epochs=30,
        steps=steps,
        eval_every=0,
        heldout_tasks=8,
        out=str(out),
        grpo={
            "num_generations": GROUP,
            "per_device_train_batch_size": COMPLETIONS,
            "max_completion_length": length,
            "temperature": 1.0,
            "logging_steps": 1,
        },
    )
    train(config, progress=False)
    lines = (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines][1:]
