"""The report: figures, one page that needs nothing beside it, the terminal table."""

from __future__ import annotations

import copy
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import fakes
import pytest

from graphenv.benchmarks.comparison.analysis import analyse, finished_runs
from graphenv.benchmarks.comparison.compare import rebuild, refresh, write_result
from graphenv.benchmarks.comparison.examples import pick_examples
from graphenv.benchmarks.comparison.hacking import hacked
from graphenv.benchmarks.comparison.plots import CAPTIONS, draw_plots
from graphenv.benchmarks.comparison.report import (
    headline,
    improvement_matrix,
    load_result,
    oriented,
    show_table,
    write_page,
)
from graphenv.errors import DataError

LEVELS = {fakes.REWARDS[0]: 0.3, fakes.REWARDS[1]: 0.7, "gate(format, exact)": 0.35}
FLOORS = [
    {"name": "random", "value": 0.02, "low": 0.0, "high": 0.06, "level": 0.95, "tasks": 40,
     "note": "random moves that exist"},
]  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the result of a comparison of three rewards and a control over three seeds."""
    folder = tmp_path_factory.mktemp("comparison")
    plan = fakes.fake_comparison(folder, LEVELS, seeds=3, tasks=40, control=True)
    runs = finished_runs(plan)
    made = analyse(plan, runs)
    made["floors"], made["examples"] = FLOORS, pick_examples(runs)
    return json.loads(json.dumps(made))


class Page(HTMLParser):
    """The tags, links and text of a page; fails on tags that are closed in another order."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag and what it points to."""
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that tags close in order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.words.append(data)


def _page(result: dict[str, Any], folder: Path, *, figures: bool = False) -> Page:
    plots = draw_plots(result, folder / "plots") if figures else {}
    return Page(write_page(result, plots, folder / "report.html").read_text(encoding="utf-8"))


def test_figures_are_drawn(result: dict[str, Any], tmp_path: Path) -> None:
    plots = draw_plots(result, tmp_path)
    assert set(plots) == set(CAPTIONS)
    for file in plots.values():
        head = file.read_bytes()
        assert head.startswith(b"\x89PNG")
        assert int.from_bytes(head[16:20], "big") > 800, "pixels across"


def test_figures_without_data_are_left_out(result: dict[str, Any], tmp_path: Path) -> None:
    bare = copy.deepcopy(result)
    for variant in bare["variants"]:
        variant["curve"], variant["training"] = [], []
    assert set(draw_plots(bare, tmp_path)) == {"final"}


def test_page_is_whole_and_needs_nothing_beside_it(result: dict[str, Any], tmp_path: Path) -> None:
    page = _page(result, tmp_path, figures=True)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.targets
    assert all(target.startswith("data:image/png;base64,") for target in page.targets)
    assert not re.search(r"https?://|@import|url\(", text)
    assert "script" not in page.tags
    assert 'name="viewport"' in text, "readable on a phone"
    assert page.tags.count("img") == 4
    for said in (*LEVELS, "Illustrative", "Trajectories", "random", "identical", "graphenv 0.1.0"):
        assert said in page.text, said


def test_page_of_enough_seeds_is_not_called_illustrative(
    result: dict[str, Any], tmp_path: Path
) -> None:
    assert "Illustrative" not in _page({**result, "illustrative": False}, tmp_path).text


def test_model_text_stays_text(result: dict[str, Any], tmp_path: Path) -> None:
    evil = copy.deepcopy(result)
    mark = "<script>alert('x')</script><img src='http://example.org/x.png'>"
    evil["examples"][0]["turns"][0]["text"] = mark
    evil["examples"][0]["question"] = mark
    evil["variants"][0]["name"] = mark
    page = _page(evil, tmp_path)
    assert "script" not in page.tags
    assert not any("example.org" in target for target in page.targets)
    assert "alert('x')" in page.text


def test_details_of_a_term_are_told(result: dict[str, Any], tmp_path: Path) -> None:
    told = copy.deepcopy(result)
    told["examples"][0]["info"] = {
        "ged": {
            "measure": "GED",
            "interval": [4.0, 6.0],
            "exact": False,
            "reason": "budget",
            "edit_path": ["remove the node <script>", "add the node 'Crime'"],
        }
    }
    page = _page(told, tmp_path)
    assert "GED between 4 and 6 (stopped by budget)" in page.text
    assert "remove the node <script> add the node 'Crime'" in page.text
    assert page.tags.count("li") == 2 and "script" not in page.tags


def test_failures_are_shown(result: dict[str, Any], tmp_path: Path) -> None:
    failure = {"name": "exact, seed 2", "folder": "x", "code": 1, "log_tail": "out of paper"}
    page = _page({**result, "failures": [failure], "incomplete": ["exact, seed 2"]}, tmp_path)
    assert "out of paper" in page.text
    assert "exact, seed 2" in page.text


def test_headline_names_the_better_one_first(result: dict[str, Any]) -> None:
    exact, shaped = fakes.REWARDS
    assert f"“{shaped}” taught more than “{exact}”" in " ".join(headline(result))
    lost = {"value": -0.2, "low": -0.3, "high": -0.1, "level": 0.95}
    chance = {"value": 0.0, "low": 0.0, "high": 0.2, "level": 0.95}
    pair = {"a": "x", "b": "y", "difference": lost, "probability_of_improvement": chance,
            "verdict": "y better"}  # fmt: skip
    turned = oriented(pair)
    assert (turned["a"], turned["difference"]["low"], turned["difference"]["high"]) == (
        "y", 0.1, 0.3
    )  # fmt: skip
    assert turned["probability_of_improvement"]["value"] == 1.0


def test_an_undecided_pair_says_why(result: dict[str, Any]) -> None:
    open_pair = copy.deepcopy(result["pairs"][0])
    open_pair["verdict"] = "undecided"
    open_pair["difference"] = {"value": 0.01, "low": -0.1, "high": 0.1, "level": 0.95}
    [line] = headline({**result, "pairs": [open_pair]})
    assert line.startswith("Undecided")
    assert "covers zero" in line


def test_a_gamed_reward_is_named_with_how(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, {"exact": 0.4, "hits": 0.3}, seeds=2, tasks=40)
    made = analyse(plan, finished_runs(plan))
    made["floors"], made["examples"] = [], []
    assert hacked(made) == [line for line in headline(made) if "gamed" in line]
    [line] = hacked(made)
    assert line.startswith("“hits” is being gamed") and "from 1.00 to 3.00 times the size" in line
    text = _page(made, tmp_path).text
    assert line in text and "size ratio" in text and "3.000 (+2.000)" in text
    for variant in made["variants"]:
        variant["gap"]["growth"] = 0.049
    assert hacked(made) == []


def test_improvement_matrix_is_complementary(result: dict[str, Any]) -> None:
    rows = improvement_matrix(result)
    assert len(rows) == 3
    for i, (_, row) in enumerate(rows):
        assert row[i] is None
        for j, value in enumerate(row):
            other = rows[j][1][i]
            if value is not None:
                assert other is not None
                assert value + other == pytest.approx(1.0)


def test_terminal_table(result: dict[str, Any]) -> None:
    console_module = pytest.importorskip("rich.console")
    out = io.StringIO()
    show_table(result, console_module.Console(file=out, width=160))
    text = out.getvalue()
    for said in (*LEVELS, "illustrative", "(random)", "95% interval", "identical, as it must be"):
        assert said in text, said
    assert "\x1b" not in text, "no colours where there is no terminal"


def test_refresh_from_runs_and_from_json_alone(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, dict.fromkeys(fakes.REWARDS, 0.5), seeds=2, tasks=15)
    made = rebuild(plan, floors=False, progress=False)
    assert load_result(tmp_path) == json.loads(json.dumps(made))
    (tmp_path / "report.html").unlink()
    assert refresh(tmp_path) == made
    assert (tmp_path / "report.html").is_file()
    (tmp_path / "plan.json").unlink()
    (tmp_path / "report.html").unlink()
    assert refresh(tmp_path)["pairs"] == json.loads(json.dumps(made))["pairs"]
    assert (tmp_path / "report.html").is_file()


def test_failures_outlive_a_refresh_until_the_run_is_done(tmp_path: Path) -> None:
    plan = fakes.fake_comparison(tmp_path, dict.fromkeys(fakes.REWARDS, 0.5), seeds=2, tasks=15)
    [first, second, *_] = plan.runs()
    (first.folder / "final.json").rename(first.folder / "kept.json")
    made = rebuild(plan, floors=False, progress=False)
    told = [{"name": s.name, "folder": "", "code": 1, "log_tail": ""} for s in (first, second)]
    write_result({**made, "failures": told}, tmp_path)
    assert [f["name"] for f in refresh(tmp_path)["failures"]] == [first.name]
    (first.folder / "kept.json").rename(first.folder / "final.json")
    assert refresh(tmp_path)["failures"] == []


@pytest.mark.parametrize("content", [None, '{"format": 99}'])
def test_no_result_is_said(content: str | None, tmp_path: Path) -> None:
    if content:
        (tmp_path / "comparison.json").write_text(content)
    with pytest.raises(DataError, match=r"comparison\.json"):
        load_result(tmp_path)
