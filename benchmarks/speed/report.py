"""The kept figures as text and as a picture."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from graphenv.benchmarks.suite import opening, tables

__all__ = ["figure", "markdown"]

_HEAD = """\
# Speed: measured

Written by `python -m graphenv.benchmarks.speed`; do not edit.

All rates are per second of CPU time of one thread: what else the machine does then counts less.
Medians; ratios are medians of the ratios of paired rounds, above 1 where graphenv is faster.
"""
_STEPS = """
## Environment steps per second, {n} environments, grading on

The same turns (right three times in four) in `GraphVectorEnv` and in Gymnasium's `SyncVectorEnv`
with `AutoresetMode.SAME_STEP`, each in its own process, in turns, fresh tasks in every round.
`groups`: 8 environments at a time play the same task, as in GRPO. Aim: 3x.
"""
_TASKS = """
## Tasks made and scored per second

Make a task with its prompt, score its gold answer and a wrong one; default settings of all.
"program" and "answer list" are the whole way, twice: parse the turn, run it in the graph, truth,
reward. "answers only" compares answer texts with the gold, as reasoning-gym does. Aim: 5x.
"""


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page."""
    lines = [_HEAD, *opening(results)]
    lines += tables(
        results,
        {
            "steps": _stepping,
            "tasks": _generation,
            "rewards": _grading,
            "import_seconds": _importing,
        },
    )
    return "\n".join(lines) + "\n"


def _stepping(results: dict[str, Any]) -> list[str]:
    lines = [_STEPS.format(n=results["steps"][0]["num_envs"])]
    lines += ["| source | mode | reward | tasks | stock | graphenv | ratio |", "|---" * 7 + "|"]
    for row in results["steps"]:
        lines.append(
            f"| {row['source']} | {row['mode']} | `{row['reward']}` "
            f"| {'groups' if row['groups'] else 'all different'} | {row['stock_steps_per_s']:,.0f} "
            f"| {row['graphenv_steps_per_s']:,.0f} | {row['ratio']:.2f} |"
        )
    return lines


def _generation(results: dict[str, Any]) -> list[str]:
    lines = [_TASKS, "| | tasks/s | graphenv (program) is faster by | answers only |"]
    lines.append("|---|---|---|---|")
    tasks = results["tasks"]
    for name, rate in tasks["tasks_per_s"].items():
        ratios = [
            tasks[k].get(name) for k in ("graphenv_is_faster_by", "answers_only_is_faster_by")
        ]
        shown = " | ".join(f"{ratio:.2f}" if ratio else "" for ratio in ratios)
        lines.append(f"| {name} | {rate:,.0f} | {shown} |")
    return lines


def _grading(results: dict[str, Any]) -> list[str]:
    lines = ["\n## Episodes graded per second, in batches of 64\n"]
    lines += ["| mode | reward | episodes/s |", "|---|---|---|"]
    for row in results["rewards"]:
        lines.append(f"| {row['mode']} | `{row['reward']}` | {row['episodes_per_s']:,.0f} |")
    return lines


def _importing(results: dict[str, Any]) -> list[str]:
    lines = ["\n## Import, seconds (least of several fresh processes)\n", "| | s |", "|---|---|"]
    lines += [f"| `import {name}` | {s:.3f} |" for name, s in results["import_seconds"].items()]
    return lines


def figure(results: dict[str, Any], path: Path) -> bool:
    """Draw the ratios of the first two tables; `False` without them or without matplotlib."""
    measured = "steps" in results and "tasks" in results
    if not measured or importlib.util.find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure

    steps = {
        f"{r['source']} {r['mode']} {r['reward']}{' (groups)' if r['groups'] else ''}": r["ratio"]
        for r in results["steps"]
    }
    tasks = results["tasks"]["graphenv_is_faster_by"]
    picture = Figure(figsize=(11, 4), layout="constrained")
    left, right = picture.subplots(1, 2)
    right.set_xscale("log")
    for axes, bars, title, aim in (
        (left, steps, "steps/s over the stock sync vector environment", 3),
        (right, tasks, "tasks/s over reasoning-gym's graph tasks", 5),
    ):
        axes.barh(list(bars)[::-1], list(bars.values())[::-1], color="#4878a8")
        axes.axvline(1, color="black", linewidth=0.8)
        axes.axvline(aim, color="#b04040", linestyle="--", linewidth=1, label=f"aim {aim}x")
        axes.set_title(title, fontsize=10)
        axes.tick_params(labelsize=8)
        axes.legend(fontsize=8)
    picture.savefig(path, dpi=120)
    return True
