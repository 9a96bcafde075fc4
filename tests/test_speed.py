"""The speed benchmark runs and writes what it says; no second is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphenv.benchmarks.speed.report import figure, markdown
from graphenv.benchmarks.speed.scoring import compare_generation, measure_rewards
from graphenv.benchmarks.speed.stepping import compare


def test_everything_is_measured_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("graphenv.benchmarks.speed.scoring.GRAPH_TASKS", ("shortest_path",))
    kwargs = {"mode": "tools", "reward": "exact + progress"}
    row = compare(kwargs, groups=True, num_envs=8, num_steps=2, rounds=1)
    results = {
        "date": "today",
        "machine": {"cpu": "cpu", "cores": 1, "versions": {"graphenv": "0"}},
        "notes": ["a note"],
        "steps": [{"source": "synthetic", "groups": True, "num_envs": 8, **kwargs, **row}],
        "tasks": compare_generation({}, count=2, rounds=1),
        "rewards": measure_rewards({}, count=4, rounds=1),
        "import_seconds": {"graphenv": 0.1},
    }
    page = markdown(results)
    for told in (
        "exact + progress",
        "answers only",
        "a note",
        "import graphenv",
        f"{row['ratio']:.2f}",
    ):
        assert told in page
    drawn = figure(results, tmp_path / "results.png")
    assert (tmp_path / "results.png").is_file() is drawn
