"""Measure steps, tasks, rewards and the import; write `results.json`, `.md` and a picture."""

from __future__ import annotations

from typing import Any

from graphenv.benchmarks.speed.importing import measure_imports
from graphenv.benchmarks.speed.report import figure, markdown
from graphenv.benchmarks.speed.scoring import compare_generation, measure_rewards
from graphenv.benchmarks.speed.stepping import compare
from graphenv.benchmarks.suite import Picture, Suite, data_folder

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


def _sources() -> dict[str, dict[str, Any]]:
    """The embedded default, and MetaQA 2-hop where `GRAPHENV_DATA` has it."""
    sources: dict[str, dict[str, Any]] = {"synthetic": {}}
    root = data_folder("kgqa/metaqa")
    if root is not None and (root / "kb.txt").is_file():
        sources["metaqa"] = {"source": "metaqa", "root": str(root), "hops": 2}
    return sources


def _steps(*, quick: bool) -> list[dict[str, Any]]:
    size = {"num_envs": 8, "num_steps": 5} if quick else {"num_envs": 64, "num_steps": 40}
    rows = []
    for name, source in _sources().items():
        for mode, reward, groups in CASES[:2] if name == "metaqa" or quick else CASES:
            kwargs = {"mode": mode, "reward": reward, **source}
            row: dict[str, Any] = {
                "source": name, "mode": mode, "reward": reward, "groups": groups,
                "num_envs": size["num_envs"],
                **compare(kwargs, groups=groups, rounds=_rounds(quick), **size),
            }  # fmt: skip
            print(f"{name} {mode} {reward} groups={groups}: {row['ratio']:.2f}x", flush=True)
            rows.append(row)
    return rows


def _tasks(*, quick: bool) -> dict[str, Any]:
    return compare_generation({}, count=5 if quick else 300, rounds=_rounds(quick))


def _rewards(*, quick: bool) -> list[dict[str, Any]]:
    return measure_rewards({}, count=64 if quick else 2_000, rounds=_rounds(quick))


def _rounds(quick: bool) -> int:
    return 1 if quick else 5


SUITE = Suite(
    name="speed",
    about=__doc__,
    sections={
        "steps": _steps,
        "tasks": _tasks,
        "rewards": _rewards,
        "import_seconds": lambda *, quick: measure_imports(_rounds(quick)),
    },
    markdown=markdown,
    packages=("graphenv", "gymnasium", "numpy", "reasoning-gym"),
    picture=Picture("results.png", "Ratios", figure),
)

if __name__ == "__main__":
    SUITE.main()
