"""Run the learning experiments; write `results.json`, `results.md` and `learning.png`.

Each experiment trains three seeds from three weak warm starts, two runs at a time with one thread
each. A killed call continues where it stood.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from graphenv.agents.bridge.config import TrainConfig
from graphenv.benchmarks.comparison.analysis import finished_runs
from graphenv.benchmarks.comparison.plan import Plan, Variant
from graphenv.benchmarks.comparison.runner import run_plan
from graphenv.benchmarks.learning.experiments import EXPERIMENTS, Experiment
from graphenv.benchmarks.learning.summary import draw, markdown, summarise
from graphenv.benchmarks.machine import machine
from graphenv.benchmarks.suite import keep
from graphenv.errors import GraphEnvError

SEEDS = 3
PACKAGES = ("numpy", "torch", "transformers", "trl")


def run(experiment: Experiment, out: Path, jobs: int) -> Plan:
    """Train what is missing of one experiment, `jobs` runs at a time; return its plan."""
    config: TrainConfig = experiment.config().with_(out=str(out / experiment.name))
    variant = Variant(experiment.reward, experiment.reward, experiment.credit)
    plan = Plan(config, (variant,), SEEDS, start_per_seed=True)
    plan.save()
    run_plan(plan, parallel=jobs)
    return plan


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m graphenv.benchmarks.learning", description=__doc__
    )
    parser.add_argument("--out", default="runs/bench/learning", help="run folders and results")
    parser.add_argument("--only", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    parser.add_argument("--note", default="", help="what a reader of the results must know")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    arguments = parser.parse_args()
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "results.json"
    rows = json.loads(kept.read_text(encoding="utf-8"))["experiments"] if kept.is_file() else {}
    for name in arguments.only:
        try:
            plan = run(EXPERIMENTS[name], out, arguments.jobs)
            rows[name] = summarise(EXPERIMENTS[name], plan, finished_runs(plan))
        except GraphEnvError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        result = {"experiments": rows, "machine": machine(*PACKAGES), "note": arguments.note}
        text = markdown(result)
        keep(out, result, text)
        draw(result, out / "learning.png")
        print(text)
    return 0 if all(name in rows for name in arguments.only) else 1


if __name__ == "__main__":
    sys.exit(main())
