"""The comparisons of rewards that are kept: one row each, and what of it is kept.

Run by `python -m graphenv.benchmarks.learning.comparisons NAME`; it continues where it stood. The
same can be done with `graphenv compare` and the settings that the kept page names. Settings were
chosen on validation tasks.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphenv.agents.bridge.config import TrainConfig
from graphenv.benchmarks.comparison.compare import compare, refresh
from graphenv.benchmarks.comparison.report import headline, percent
from graphenv.benchmarks.machine import machine
from graphenv.benchmarks.suite import keep
from graphenv.errors import DataError

__all__ = ["COMPARISONS", "Comparison", "kept", "markdown"]

HERE = Path(__file__).parent / "compared"
PACKAGES = ("numpy", "torch", "transformers", "trl")
_FIGURES = ("learning", "gap")


@dataclass(frozen=True)
class Comparison:
    """One comparison: what is asked, the settings that all runs share, the rewards."""

    title: str
    config: Callable[[], TrainConfig]
    rewards: tuple[str, ...]
    seeds: int = 5


def _data(*folder: str) -> str:
    """Return a folder below `GRAPHENV_DATA`."""
    path = Path(os.environ.get("GRAPHENV_DATA", ""), *folder)
    if not os.environ.get("GRAPHENV_DATA") or not path.is_dir():
        raise DataError(
            f"this comparison reads $GRAPHENV_DATA/{'/'.join(folder)}; set GRAPHENV_DATA to the "
            "folder that holds it"
        )
    return str(path)


def _text2cypher() -> TrainConfig:
    # One invented database, one table a question, no schema in the prompt: what so small a model
    # can learn in minutes. At a temperature above 1 answers of forty tokens fall apart.
    return TrainConfig(
        environments="text2cypher",
        env_kwargs={
            "worlds": 1,
            "tasks": 1500,
            "hops": 0,
            "features": [],
            "schemas": "seen",
            "paraphrases": "seen",
            "show_schema": False,
            "instructions": "none",
        },
        warmup=700,
        warmup_epochs=10,
        steps=60,
        eval_every=20,
        eval_tasks=200,
        heldout_tasks=600,
        max_new_tokens=56,
        grpo={
            "max_completion_length": 56,
            "per_device_train_batch_size": 64,
            "temperature": 1.0,
            "learning_rate": 4e-4,
        },
    )


_SCENE_TRAINING: dict[str, Any] = {
    "warmup": 2000,
    "warmup_epochs": 6,
    "steps": 60,
    "eval_every": 20,
    "eval_tasks": 200,
    "heldout_tasks": 600,
    "max_new_tokens": 80,
    "grpo": {
        "max_completion_length": 80,
        "per_device_train_batch_size": 64,
        "temperature": 1.0,
        "learning_rate": 4e-4,
    },
}
_SCENE = {"answer": "triples", "instructions": "none"}
_SCENE_REWARDS = ("preset('r1-sgg')", "triple_f1", "ged", "ged + 0.3*edge_f1")


def _factual() -> TrainConfig:
    kwargs = {**_SCENE, "source": "factual", "root": _data("scene_graph", "factual")}
    return TrainConfig(
        environments="scene-graph", env_kwargs=kwargs, **{**_SCENE_TRAINING, "steps": 120}
    )


def _scenes() -> TrainConfig:
    kwargs = {**_SCENE, "source": "synthetic", "objects": [2, 3], "paraphrases": "seen"}
    return TrainConfig(environments="scene-graph", env_kwargs=kwargs, **_SCENE_TRAINING)


COMPARISONS: dict[str, Comparison] = {
    "text2cypher": Comparison(
        "Questions to one table as Cypher: execution alone, or with partial credit",
        _text2cypher,
        (
            "execution",
            "execution + 0.3*query_ged",
            "execution + 0.2*schema_linking + 0.2*component_f1",
            "preset('struct-llm')",
        ),
    ),
    "scene-graph-factual": Comparison(
        "Captions of FACTUAL to scene graphs: recall alone, F1, edit distance",
        _factual,
        _SCENE_REWARDS,
    ),
    "scene-graph-synthetic": Comparison(
        "Captions of invented scenes to scene graphs: recall alone, F1, edit distance",
        _scenes,
        _SCENE_REWARDS,
    ),
}


def kept(name: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a result: no trajectories, no folders of this machine."""
    config = {k: v for k, v in result["config"].items() if k not in ("out", "start", "resume")}
    config["env_kwargs"] = {k: v for k, v in config["env_kwargs"].items() if k != "root"}
    own = COMPARISONS[name].config
    if result["config"].get("start"):  # a start that was made beforehand, by these settings
        config |= {key: getattr(own(), key) for key in ("warmup", "warmup_epochs", "warmup_lr")}
    left = ("examples", "config", "env_kwargs", "failures")
    rows = {k: v for k, v in result.items() if k not in left}
    variants = [{k: v for k, v in row.items() if k != "training"} for row in result["variants"]]
    title = COMPARISONS[name].title
    return {**rows, "title": title, "variants": variants, "config": config}


def markdown(name: str, result: Mapping[str, Any]) -> str:
    """Return the page of a kept comparison."""
    seeds = len(result["variants"][0]["seeds"])
    steps, tasks = result["steps"], result["heldout_tasks"]
    lines = [
        f"# {result['title']}\n",
        f"`python -m graphenv.benchmarks.learning.comparisons {name}`; {seeds} paired seeds, "
        f"{steps} GRPO steps, truth on {tasks:,} held-out tasks (interquartile mean over seeds, 95 "
        "% interval over seeds and tasks).\n",
    ]
    if result["illustrative"]:
        lines.append("Illustrative: fewer than 5 seeds.\n")
    if result.get("note"):
        lines.append(f"Note: {result['note']}\n")
    lines += [
        "| reward | truth | 95 % interval | seeds | reward - truth, growth in points | malformed |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["variants"]:
        final, growth = row["final"], row["gap"]["growth"]
        cells = (
            f"`{row['name']}`",
            percent(final["value"]),
            f"{percent(final['low'])} to {percent(final['high'])}",
            ", ".join(percent(v) for v in sorted(final["per_seed"])),
            "-" if growth is None else f"{100 * growth:+.1f}",
            percent(row["malformed"]),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        f"| {f['name']} | {percent(f['value'])} | {percent(f['low'])} to {percent(f['high'])} | "
        f"{f['note']} | | |"
        for f in result["floors"]
    ]
    names = list(result["variants"][0]["final"].get("metrics", {}))
    if names:
        lines += [
            "\nMetrics on held-out tasks; in brackets the change on validation.\n",
            f"| reward | {' | '.join(n.replace('_', ' ') for n in names)} |",
            "|---" * (len(names) + 1) + "|",
        ]
        lines += [_measured(row, names) for row in result["variants"]]
    lines += ["", *(f"- {line}" for line in headline(result)), ""]
    lines += [f"![{figure}]({name}-{figure}.png)" for figure in _FIGURES]
    settings = {**result["config"]["env_kwargs"], **result["config"]["grpo"]}
    told = ", ".join(f"{key}={value!r}" for key, value in settings.items())
    versions = ", ".join(f"{k} {v}" for k, v in result["versions"].items())
    warm = f"warm start {result['config']['warmup']} x {result['config']['warmup_epochs']} epochs"
    lines.append(f"\nSettings: {warm}; {told}. Versions: {versions}.")
    return "\n".join(lines) + "\n"


def _measured(row: Mapping[str, Any], names: list[str]) -> str:
    cells = []
    for name in names:
        value, moved = row["final"]["metrics"].get(name), row["moved"].get(name)
        change = f" ({moved[1] - moved[0]:+.2f})" if moved else ""
        cells.append("-" if value is None else f"{value:.2f}{change}")
    return f"| `{row['name']}` | {' | '.join(cells)} |"


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m graphenv.benchmarks.learning.comparisons", description=__doc__
    )
    parser.add_argument("name", choices=list(COMPARISONS))
    parser.add_argument("--runs", default="runs/bench/compared", help="where the runs go")
    parser.add_argument("--start", help="folder of a warm start made before, with these settings")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--from", dest="folder", help="keep what this comparison folder holds")
    parser.add_argument("--note", default="", help="what a reader of the results must know")
    parser.add_argument("--out", default=str(HERE), help="where page, JSON and figures are kept")
    arguments = parser.parse_args()
    name, row = arguments.name, COMPARISONS[arguments.name]
    folder = Path(arguments.folder or Path(arguments.runs) / name)
    if arguments.folder:
        result = refresh(folder)
    else:
        base = row.config().with_(out=str(folder), start=arguments.start)
        result = compare(base, row.rewards, seeds=row.seeds, parallel=arguments.jobs)
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    found = {**kept(name, result), "machine": machine(*PACKAGES)}
    found["note"] = arguments.note
    text = markdown(name, found)
    keep(out, found, text, stem=name)
    for figure in _FIGURES:
        if (folder / "plots" / f"{figure}.png").is_file():
            shutil.copyfile(folder / "plots" / f"{figure}.png", out / f"{name}-{figure}.png")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
