"""What all benchmarks share: what is measured, what is kept, and where it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graphenv.benchmarks import suite
from graphenv.benchmarks.suite import Picture, Suite, opening, tables

PAGE = "# Page\n<!-- sizes: written by python -m graphenv.benchmarks.made -->\n<!-- end -->\nrest"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A suite of two sections whose folder and page lie in a temporary folder."""
    monkeypatch.setattr(suite, "_HERE", tmp_path)
    monkeypatch.setattr(suite, "_DOCS", tmp_path)
    (tmp_path / "made.md").write_text(PAGE)

    def lines(results: dict[str, Any]) -> list[str]:
        return [f"| {results['sizes']} |"]

    return Suite(
        name="made",
        about="A suite.",
        sections={"sizes": lambda *, quick: [1] if quick else [1, 2], "never": lambda *, quick: 0},
        markdown=lambda results: "\n".join([*opening(results), *tables(results, {"sizes": lines})]),
        packages=("numpy",),
        setting={"scale": 3},
        picture=Picture("made.png", "Sizes", lambda results, path: path.write_text("drawn") > 0),
        fill_page=lambda page, results: suite.fill(page, "made", {"sizes": lines(results)}),
    )


def run(made: Suite, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["made", *arguments])
    made.main()


def test_a_whole_run_is_kept_and_shown(made: Suite, tmp_path: Path, monkeypatch) -> None:
    run(made, monkeypatch, "--note", "a note")
    results = json.loads((tmp_path / "made" / "results.json").read_text())
    kept = ["date", "machine", "notes", "scale", "sizes", "never", "minutes"]
    assert list(results) == kept and results["sizes"] == [1, 2] and results["scale"] == 3
    page = (tmp_path / "made" / "results.md").read_text()
    assert "Note: a note" in page and "numpy" in page and page.endswith("![Sizes](made.png)\n")
    shown = (tmp_path / "made.md").read_text()
    assert "-->\n| [1, 2] |\n<!-- end -->\nrest" in shown


@pytest.mark.parametrize("arguments", [("--quick",), ("--only", "sizes")])
def test_part_of_a_run_is_only_printed(
    made: Suite, tmp_path: Path, monkeypatch, capsys, arguments: tuple[str, ...]
) -> None:
    run(made, monkeypatch, *arguments)
    assert "| [1" in capsys.readouterr().out
    assert not (tmp_path / "made").exists() and (tmp_path / "made.md").read_text() == PAGE
    run(made, monkeypatch, *arguments, "--out", str(tmp_path / "elsewhere"))
    results = json.loads((tmp_path / "elsewhere" / "results.json").read_text())
    assert ("never" in results) is ("--quick" in arguments)
    assert (tmp_path / "made.md").read_text() == PAGE


def test_a_page_without_marks_is_an_error() -> None:
    assert suite.fill("no marks", "made", {}) == "no marks"
    for page in ("no marks", PAGE.replace("<!-- end -->", "")):
        with pytest.raises(ValueError, match="sizes: written by"):
            suite.fill(page, "made", {"sizes": ["| 1 |"]})
