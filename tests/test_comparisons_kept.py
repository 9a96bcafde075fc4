"""What is kept of a comparison: a page and figures, without folders of the machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fakes
import pytest

from graphenv.benchmarks.learning import comparisons
from graphenv.errors import DataError


def test_a_finished_comparison_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fakes.fake_comparison(tmp_path / "runs", {"exact": 0.4, "hits": 0.3}, seeds=2, tasks=30)
    words = ["x", "text2cypher", "--from", str(tmp_path / "runs"), "--out", str(tmp_path / "kept")]
    monkeypatch.setattr(sys, "argv", words)
    assert comparisons.main() == 0
    text = (tmp_path / "kept" / "text2cypher.md").read_text()
    assert "Illustrative" in text and "| `hits` |" in text and "being gamed" in text
    assert "| reward | size ratio |" in text
    data = json.loads((tmp_path / "kept" / "text2cypher.json").read_text())
    assert str(tmp_path) not in json.dumps(data) and "examples" not in data
    assert {file.name for file in (tmp_path / "kept").iterdir()} == {
        *("text2cypher.md", "text2cypher.json"),
        *("text2cypher-learning.png", "text2cypher-gap.png"),
    }


def test_every_row_makes_its_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "scene_graph" / "factual").mkdir(parents=True)
    monkeypatch.setenv("GRAPHENV_DATA", str(tmp_path))
    for row in comparisons.COMPARISONS.values():
        assert row.config().steps > 0 and len(row.rewards) > 1
    monkeypatch.setenv("GRAPHENV_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="scene_graph/factual"):
        comparisons.COMPARISONS["scene-graph-factual"].config()
