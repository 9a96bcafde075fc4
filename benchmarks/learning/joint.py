"""Does training on one query language help the other?

Run by `python -m graphenv.benchmarks.learning.joint`.

One warm start knows a little of both languages. From it GRPO trains on SQL alone, on Cypher alone,
and on both by turns, with as many steps each and paired seeds. Every model is then asked the same
held-out questions in both languages. (The claim is that of STRuCT-LLM, arXiv 2506.21575.)
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from graphenv.agents.bridge.config import TrainConfig
from graphenv.benchmarks.comparison.runner import Job, run_jobs
from graphenv.benchmarks.comparison.stats import success_interval
from graphenv.benchmarks.machine import machine
from graphenv.seeding import rng

LANGUAGES = ("text2sql", "text2cypher")
ARMS = {"SQL alone": "text2sql", "Cypher alone": "text2cypher", "both": "text2sql:1,text2cypher:1"}
SEEDS = 3
HELDOUT = 300
PACKAGES = ("numpy", "torch", "transformers", "trl")

# One invented database, one table a question, no schema in the prompt: what so small a model can
# learn in minutes. The one line of instructions says which language is asked for.
ENVIRONMENT: dict[str, Any] = {
    "worlds": 1,
    "tasks": 1500,
    "hops": 0,
    "features": [],
    "schemas": "seen",
    "paraphrases": "seen",
    "show_schema": False,
    "instructions": "short",
}
TRAINING: dict[str, Any] = {
    "reward": "execution",
    "max_new_tokens": 64,
    "eval_every": 0,
    "heldout_tasks": 2,  # asked in both languages afterwards
    # At a temperature above 1 answers of forty tokens fall apart.
    "grpo": {
        "max_completion_length": 64,
        "num_generations": 8,
        "per_device_train_batch_size": 64,
        "temperature": 1.0,
        "learning_rate": 4e-4,
    },
}


def _config(environments: str, **settings: Any) -> TrainConfig:
    several = len(environments.split(",")) > 1
    kwargs = dict.fromkeys(LANGUAGES, ENVIRONMENT) if several else ENVIRONMENT
    return TrainConfig(environments=environments, env_kwargs=kwargs, **{**TRAINING, **settings})


def _job(name: str, config: TrainConfig, *extra: str) -> Job:
    folder = Path(config.out)
    file = folder.with_name(f"{folder.name}.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(config.to_json(), indent=2) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "graphenv.cli", "train", "--config", str(file), *extra]
    return Job(name, command, folder.with_name(f"{folder.name} log"), max(1, config.steps))


def _evaluation(name: str, model: Path, language: str) -> Job:
    """Return the job that asks a model the held-out questions in one language."""
    out = model.with_name(f"{model.name} in {language}")
    # `--env`, as some of these are also options of the command (`tasks`).
    settings = [f"--env={key}={_plain(value)}" for key, value in ENVIRONMENT.items()]
    command = [
        *(sys.executable, "-m", "graphenv.cli", "eval", language, "--agent", str(model)),
        *("--split", "heldout", "--tasks", str(HELDOUT)),
        *("--max_new_tokens", str(TRAINING["max_new_tokens"])),
        *("--out", str(out), *settings),
    ]
    return Job(f"{name}, {language}", command, out.with_name(f"{out.name} log"), 1)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _asked(model: Path, language: str) -> list[float]:
    """Return the truth of every held-out question, read from the evaluation's file."""
    file = model.with_name(f"{model.name} in {language}") / "episodes.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    return [float(json.loads(line)["success"]) for line in lines if line.strip()]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m graphenv.benchmarks.learning.joint", description=__doc__
    )
    parser.add_argument("--out", default="runs/bench/joint", help="run folders and results")
    parser.add_argument("--steps", type=int, default=60, help="GRPO steps of a run")
    parser.add_argument("--warmup", type=int, default=900, help="oracle episodes, half of each")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="paired seeds")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    arguments = parser.parse_args()
    out = Path(arguments.out)
    start = out / "start"
    if not (start / "warmup.json").is_file():
        both = _config(ARMS["both"], warmup=arguments.warmup, warmup_epochs=8, out=str(start))
        failed = run_jobs(
            [_job("warm start", both, "--warm_start_only")],
            parallel=1,
            progress=True,
            label="warm start",
        )
        if failed:
            return 1
    models = {("warm start", 0): start}
    jobs = []
    for seed in range(arguments.seeds):
        for name, environments in ARMS.items():
            folder = out / f"{environments.split(':')[0] if name != 'both' else 'both'} {seed}"
            models[name, seed] = folder / "checkpoint"
            if not (folder / "final.json").is_file():
                config = _config(
                    environments,
                    start=str(start),
                    steps=arguments.steps,
                    seed=seed,
                    out=str(folder),
                )
                jobs.append(_job(f"{name}, seed {seed}", config))
    failed = run_jobs(jobs, parallel=arguments.jobs, progress=True, label="training")
    asked = [
        _evaluation(name, model, language)
        for (name, _), model in models.items()
        for language in LANGUAGES
    ]
    failed += run_jobs(asked, parallel=arguments.jobs, progress=True, label="held-out questions")
    if failed:
        return 1
    result = {"rows": _rows(models), "steps": arguments.steps, "machine": machine(*PACKAGES)}
    (out / "joint.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text = _markdown(result)
    (out / "joint.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def _rows(models: dict[tuple[str, int], Path]) -> list[dict[str, Any]]:
    """Return success by arm and language: per seed, the mean, and an interval over both."""
    rows = []
    for name in dict.fromkeys(name for name, _ in models):
        row: dict[str, Any] = {"arm": name}
        for language in LANGUAGES:
            runs = [_asked(model, language) for (arm, _), model in models.items() if arm == name]
            interval = success_interval(runs, rng("joint", name, language))
            row[language] = {
                "seeds": [float(np.mean(run)) for run in runs],
                **interval.to_json(),
            }
        rows.append(row)
    return rows


def _markdown(result: dict[str, Any]) -> str:
    lines = [
        "# One query language or both\n",
        f"{(__doc__ or '').partition('learning.joint`.')[2].strip()}\n",
        f"{result['steps']} GRPO steps a run, {HELDOUT} held-out questions, greedy.\n",
        "| trained on | SQL | seeds | Cypher | seeds |",
        "|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        cells = []
        for language in LANGUAGES:
            found = row[language]
            cells.append(f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]")
            cells.append(", ".join(f"{value:.3f}" for value in found["seeds"]))
        lines.append(f"| {row['arm']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
