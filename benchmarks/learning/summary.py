"""What the learning experiments say: held-out truth per seed, beside warm start and floors."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphenv import agents
from graphenv.benchmarks.comparison.floors import bag_of_words_episodes, floor
from graphenv.benchmarks.comparison.plan import Plan
from graphenv.benchmarks.comparison.runs import Run
from graphenv.benchmarks.comparison.stats import bootstrap, wilson
from graphenv.benchmarks.learning.experiments import Experiment
from graphenv.seeding import rng

__all__ = ["draw", "markdown", "summarise"]

MANY_QUESTIONS = 5_000


def summarise(
    experiment: Experiment, plan: Plan, runs: Mapping[str, Sequence[Run]]
) -> dict[str, Any]:
    """Return one experiment's row: seeds, medians, floors, curves."""
    [(_, own)] = runs.items()
    seeds = [_seed(plan, run) for run in own]
    indices = list(own[0].final.indices)
    [family] = plan.base.mixture
    kwargs = {k: v for k, v in plan.base.env_kwargs.items() if k != "split"}
    floors = []
    for count, note in (
        (plan.base.warmup, "as many gold paths as the warm start"),
        (MANY_QUESTIONS, "gold paths that the policy was never shown"),
    ):
        episodes = bag_of_words_episodes(
            family, kwargs, indices, train_tasks=count, seed=plan.base.seed
        )
        floors.append(floor(f"bag of words, {count:,} questions", episodes, note))
    return {
        "title": experiment.title,
        "reward": experiment.reward,
        "credit": experiment.credit,
        "config": plan.base.to_json() | {"out": "", "env_kwargs": _without_paths(kwargs)},
        "heldout_tasks": len(indices),
        "start": statistics.median(s["start"]["value"] for s in seeds),
        "success": statistics.median(s["success"]["value"] for s in seeds),
        "gain": statistics.median(s["gain"]["value"] for s in seeds),
        "minutes": statistics.median(s["minutes"] for s in seeds),
        "seeds": seeds,
        "floors": floors,
        "curves": [[[e.step, float(e.successes.mean())] for e in run.evals] for run in own],
        "reward_share": statistics.median(_reward_share(run) for run in own),
    }


def _without_paths(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in kwargs.items() if k != "root"}


def _reward_share(run: Run) -> float:
    """Share of a training step that is spent in playing transcripts and grading them."""
    reward, step = run.mean_of("reward_seconds"), run.mean_of("step_seconds")
    return float("nan") if reward is None or step is None else reward / step


def _seed(plan: Plan, run: Run) -> dict[str, Any]:
    """One seed: warm start and trained policy on the same held-out tasks, and their difference."""
    file = run.folder / "start_on_heldout.json"
    if file.is_file():
        before = np.array(json.loads(file.read_text(encoding="utf-8")))
    else:
        [env] = plan.base.make_envs("heldout").values()
        start = plan.start_config(run.seed).out
        agent = agents.make(
            "llm",
            env,
            model=start,
            max_new_tokens=plan.base.max_new_tokens,
            batch_size=plan.base.batch,
        )
        episodes = agents.rollout_batch(env, agent, run.final.indices, batch_size=plan.base.batch)
        before = np.array([episode.success for episode in episodes], dtype=float)
        file.write_text(json.dumps(before.tolist()), encoding="utf-8")
    after = run.final.successes
    gain = bootstrap((after - before)[None, :], rng("gain", run.seed))
    final = json.loads((run.folder / "final.json").read_text(encoding="utf-8"))
    return {
        "seed": run.seed,
        "start": wilson(before.sum(), len(before)).to_json(),
        "success": wilson(after.sum(), len(after)).to_json(),
        "gain": gain.to_json(),
        "minutes": final["training_seconds"] / 60,
    }


def _range(interval: Mapping[str, float]) -> str:
    return f"{interval['value']:.3f} [{interval['low']:.3f}, {interval['high']:.3f}]"


def markdown(result: Mapping[str, Any]) -> str:
    """Return the results as text."""
    lines = [
        "# Learning experiments",
        "",
        "Success (exact answer set) on held-out questions, greedy decoding, tiny policy; median of "
        "three seeds. One thread a run. Intervals are 95 %: Wilson for a success rate, bootstrap "
        "over the same tasks for a gain.",
        "",
        *([f"Note: {result['note']}", ""] if result.get("note") else []),
        "| experiment | warm start | after GRPO | gain | bag of words, few / many gold paths | "
        "minutes a run | held-out tasks |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["experiments"].values():
        few, many = row["floors"]
        lines.append(
            f"| {row['title']} | {row['start']:.3f} | **{row['success']:.3f}** | "
            f"{row['gain']:+.3f} | {few['value']:.3f} / {many['value']:.3f} | "
            f"{row['minutes']:.1f} | {row['heldout_tasks']} |"
        )
    for row in result["experiments"].values():
        lines += [
            "",
            f"## {row['title']}",
            "",
            f"Reward `{row['reward']}`, credit `{row['credit']}`; grading takes "
            f"{100 * row['reward_share']:.1f} % of a training step.",
            "",
            "| seed | warm start | after GRPO | gain | minutes |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {s['seed']} | {_range(s['start'])} | {_range(s['success'])} | "
            f"{_range(s['gain'])} | {s['minutes']:.1f} |"
            for s in row["seeds"]
        ]
        lines += [""] + [f"- {f['name']}: {_range(f)} ({f['note']})" for f in row["floors"]]
    found = ", ".join(f"{name} {number}" for name, number in result["machine"]["versions"].items())
    lines += ["", f"{result['machine']['cpu']}, {result['machine']['cores']} cores; {found}.", ""]
    return "\n".join(lines)


def draw(result: Mapping[str, Any], file: Path) -> None:
    """Draw the learning curves: truth on validation, a thin line per seed, the floor dashed."""
    from matplotlib.figure import Figure

    rows = list(result["experiments"].values())
    figure = Figure(figsize=(3.6 * len(rows), 3.4), layout="tight")
    axes = figure.subplots(1, len(rows), sharey=True, squeeze=False)
    for place, row in zip(axes[0], rows, strict=True):
        for curve in row["curves"]:
            steps, truth = zip(*curve, strict=True)
            place.plot(steps, truth, color="#0072b2", linewidth=1.3, alpha=0.8)
        many = row["floors"][1]
        place.axhline(many["value"], color="#555555", linestyle="--", linewidth=1)
        place.annotate(
            "bag of words, many gold paths (held-out)",
            (0.02, many["value"]),
            xycoords=("axes fraction", "data"),
            fontsize=7,
            color="#555555",
            va="bottom",
        )
        place.set_title(row["title"], fontsize=8, wrap=True)
        place.set_xlabel("GRPO step")
        place.set_ylim(0, 1.02)
        place.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel("success on validation")
    figure.savefig(file, dpi=130)
