"""Comparison folders as training leaves them, without training: made-up truth, real episodes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphenv import envs
from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.oracle import gold_turns
from graphenv.benchmarks.comparison.plan import Plan, RunSpec, make_variants
from graphenv.episode import write_records
from graphenv.seeding import rng

REWARDS = ("exact", "exact + 0.3*path_similarity")
KWARGS = {"mode": "program", "hops": 1, "entities": 2000}


def make_plan(
    out: Path, *, rewards: Sequence[str] = REWARDS, seeds: int = 5, control: bool = False
) -> Plan:
    """Return a plan of runs of 100 steps on 1-hop questions."""
    base = TrainConfig(env_kwargs=KWARGS, steps=100, eval_every=25, warmup=8, out=str(out))
    return Plan(base, tuple(make_variants(rewards, control=control)), seeds)


def fake_comparison(
    out: Path,
    levels: Mapping[str, float],
    *,
    seeds: int = 5,
    tasks: int = 60,
    spread: float = 0.02,
    control: bool = False,
) -> Plan:
    """Write the runs of a comparison whose variants end at the success rates `levels`."""
    plan = make_plan(out, rewards=tuple(levels), seeds=seeds, control=control)
    plan.save()
    played = _played(tasks)
    for spec in plan.runs():
        name = spec.variant.control_of or spec.variant.name
        _write_run(spec, levels[name], tasks, spread, played)
    return plan


def _played(tasks: int) -> list[tuple[Any, Any]]:
    """Return (a right, a wrong) record of each held-out task."""
    env = envs.make("kgqa", **KWARGS, split="heldout")
    wrong = [env.play(i, ["no_such_relation"]).record() for i in range(tasks)]
    right = [env.play(i, gold_turns(env, i)).record() for i in range(tasks)]
    return list(zip(right, wrong, strict=True))


def _write_run(
    spec: RunSpec, level: float, tasks: int, spread: float, played: list[tuple[Any, Any]]
) -> None:
    folder, seed = spec.folder, spec.seed
    folder.mkdir(parents=True)
    config = {**spec.config.to_json(), "versions": {"graphenv": "0.1.0", "python": "3.11"}}
    (folder / "config.json").write_text(json.dumps(config))
    # The same draws for every variant: paired seeds and tasks, as in training.
    ease = rng("fake", "tasks").random(tasks)
    luck = rng("fake", "run", seed).normal(0, spread)
    partial = "path_similarity" in spec.variant.reward
    gamed = "hits" in spec.variant.reward

    def evaluation(step: int, split: str) -> dict[str, Any]:
        share = 0.1 + (level - 0.1) * (1 - np.exp(-step / 30)) / (1 - np.exp(-100 / 30)) + luck
        noise = rng("fake", "noise", seed, step).normal(0, 0.05, size=tasks)
        right = ((ease + noise) < share).astype(float)
        rewards = right * 1.3 + (1 - right) * 0.2 if partial else right
        if gamed:
            rewards = np.minimum(1.0, right + step / 100)
        return {
            "step": step,
            "split": split,
            "success": float(right.mean()),
            "indices": list(range(tasks)),
            "successes": right.tolist(),
            "rewards": rewards.tolist(),
            "statuses": {"ok": int(right.sum()), "malformed": int(tasks - right.sum())},
            "metrics": {"size_ratio": 1.0 + step / 50 if gamed else 1.0},
            "seconds": 1.0,
        }

    evals = [evaluation(step, "validation") for step in range(0, 101, 25)]
    metrics = [
        {
            "step": step,
            "reward": 0.5,
            "success": 0.4,
            "parts": {"exact": 0.4},
            "zero_variance": 0.6 - 0.004 * step if partial else 0.8 - 0.005 * step,
            "malformed": 0.3 * np.exp(-step / 40),
            "reward_seconds": 0.01,
            "step_seconds": 0.5,
            "epoch": step / 100,
        }
        for step in range(10, 101, 10)
    ]
    for name, rows in (("eval", evals), ("metrics", metrics)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
    final = evaluation(100, "heldout")
    chosen = zip(final["successes"], played, strict=True)
    write_records(folder / "episodes.jsonl", [r if s else w for s, (r, w) in chosen])
    (folder / "final.json").write_text(json.dumps(final))
