"""Measure steps, tasks, rewards and the import; write `results.json`, `.md` and a picture."""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphenv.benchmarks.machine import machine
from graphenv.benchmarks.speed.importing import measure_imports
from graphenv.benchmarks.speed.report import figure, markdown
from graphenv.benchmarks.speed.scoring import compare_generation, measure_rewards
from graphenv.benchmarks.speed.stepping import compare

CASES = [
    ("program", "exact", False),
    ("tools", "exact", False),
    ("program", "exact", True),
    ("tools", "exact", True),
    ("program", "0.5*answer_f1 + 0.5*triple_f1", False),
    ("program", "0.5*answer_f1 + 0.5*triple_f1", True),
    ("tools", "exact + progress", False),
    ("tools", "exact + progress", True),
]
PACKAGES = ("graphenv", "gymnasium", "numpy", "reasoning-gym")


def _sources() -> dict[str, dict[str, Any]]:
    """The embedded default, and MetaQA 2-hop where `GRAPHENV_DATA` has it."""
    sources: dict[str, dict[str, Any]] = {"synthetic": {}}
    root = Path(os.environ.get("GRAPHENV_DATA", "")) / "kgqa" / "metaqa"
    if "GRAPHENV_DATA" in os.environ and (root / "kb.txt").is_file():
        sources["metaqa"] = {"source": "metaqa", "root": str(root), "hops": 2}
    return sources


def main() -> None:
    parser = argparse.ArgumentParser(prog="graphenv.benchmarks.speed", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="output folder")
    parser.add_argument("--quick", action="store_true", help="a smoke run; figures mean nothing")
    parser.add_argument("--note", action="append", default=[], help="a remark to keep with them")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else 5
    size = {"num_envs": 8, "num_steps": 5} if arguments.quick else {"num_envs": 64, "num_steps": 40}
    steps = []
    for name, source in _sources().items():
        for mode, reward, groups in CASES[:2] if name == "metaqa" or arguments.quick else CASES:
            kwargs = {"mode": mode, "reward": reward, **source}
            row: dict[str, Any] = {
                "source": name, "mode": mode, "reward": reward, "groups": groups,
                "num_envs": size["num_envs"],
                **compare(kwargs, groups=groups, rounds=rounds, **size),
            }  # fmt: skip
            print(f"{name} {mode} {reward} groups={groups}: {row['ratio']:.2f}x", flush=True)
            steps.append(row)
    results = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(*PACKAGES),
        "notes": arguments.note,
        "steps": steps,
        "tasks": compare_generation({}, count=5 if arguments.quick else 300, rounds=rounds),
        "rewards": measure_rewards({}, count=64 if arguments.quick else 2_000, rounds=rounds),
        "import_seconds": measure_imports(rounds),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    page = markdown(results)
    if figure(results, arguments.out / "results.png"):
        page += "\n![Ratios](results.png)\n"
    (arguments.out / "results.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
