"""The benchmark of the query families: it runs, and its figures reach the documentation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from graphenv.benchmarks.queries.pages import fill_page

PAGE = Path(__file__).parent.parent / "docs" / "queries.md"
RESULTS = {
    "truth": [
        {"source": "set", "mistake": "constant", "tried": 3, "alone": 3, "varied": 0},
        {"source": "set", "mistake": "all", "tried": 8, "alone": 4, "varied": 1},
    ],
    "agreement": [
        {"kind": "list", "questions": 7, "same": 7, "likeness": 1.0},
        {"kind": "reach", "questions": 5, "same": 1, "likeness": 0.25},
    ],
    "speed": [
        {
            "engine": "sqlite",
            "shape": "point",
            "us": {"fresh": 100.0, "one": 200.0, "batch_2": 50.0, "cached": 10.0},
        }
    ],
}


def test_figures_reach_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    filled = fill_page(page, RESULTS)
    assert "| set | 8 | 50.0% | 12.5% |" in filled
    assert "| 1 of 2 kinds | 7 | 100% | 1.000 |\n| `reach` | 5 | 20% | 0.250 |" in filled
    assert "| sqlite | point | 10,000 | 5,000 | 20,000 | 100,000 |" in filled
    assert fill_page(filled, RESULTS) == filled
    assert fill_page(page, {}) == page
    with pytest.raises(ValueError, match="truth: written by"):
        fill_page("another page", RESULTS)


@pytest.mark.soak
@pytest.mark.train
def test_it_runs_and_reports(tmp_path: Path) -> None:
    pytest.importorskip("ladybug")
    command = [sys.executable, "-m", "graphenv.benchmarks.queries", "--quick", "--note", "a note"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert all(row["ours_too_high"] == 0 for row in results["distance"])
    for row in results["gold"]:
        assert row["tasks"] == row["right"] == row["full"] > 0, row["source"]
        assert all(counts["above"] == counts["gold"] for counts in row["blind"].values())
        assert row["blind"]["no text"]["above"] == row["blind"]["a constant"]["above"] == 0
    page = (tmp_path / "results.md").read_text()
    for told in ("a note", "## Queries per second", "Wrong queries", "GRPO step", "two languages"):
        assert told in page
    assert fill_page(PAGE.read_text(encoding="utf-8"), results)
