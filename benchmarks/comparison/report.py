"""The report of a comparison: one HTML page that needs nothing beside it, and a terminal table."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphenv.benchmarks.comparison.analysis import FORMAT
from graphenv.benchmarks.comparison.hacking import hacked
from graphenv.benchmarks.comparison.plots import CAPTIONS
from graphenv.details import tell
from graphenv.errors import DataError

__all__ = [
    "RESULT_FILE",
    "headline",
    "improvement_matrix",
    "load_result",
    "oriented",
    "percent",
    "show_table",
    "write_page",
]

RESULT_FILE = "comparison.json"
TEMPLATES = Path(__file__).parent / "templates"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as text; a dash where there is none.

    >>> percent(0.1234), percent(None)
    ('12.3%', '–')
    """
    return "–" if value is None else f"{100 * value:.{digits}f}%"


def _span(row: Mapping[str, float], digits: int = 1) -> str:
    return f"{100 * row['low']:.{digits}f} to {100 * row['high']:.{digits}f}%"


def _points(value: float | None) -> str:
    """A difference of shares, in percentage points with its sign."""
    # Adding 0.0 turns the -0.0 that rounding can leave into 0.0.
    return "–" if value is None else f"{round(100 * value, 1) + 0.0:+.1f}"


def load_result(folder: Path) -> dict[str, Any]:
    """Return the `comparison.json` of a folder.

    Raises
    ------
    DataError
        If there is none, or it is of another format.
    """
    file = folder / RESULT_FILE
    if not file.is_file():
        raise DataError(f"{folder} holds no {RESULT_FILE}; give the --out of `graphenv compare`")
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if result.get("format") != FORMAT:
        raise DataError(
            f"{file} is of format {result.get('format')!r}; this version reads {FORMAT}"
        )
    return result


def oriented(pair: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pair the way round in which the difference is not negative."""
    if "difference" not in pair or pair["difference"]["value"] >= 0:
        return dict(pair)
    d, p = pair["difference"], pair["probability_of_improvement"]
    turned = {"value": -d["value"], "low": -d["high"], "high": -d["low"], "level": d["level"]}
    chance = {"value": 1 - p["value"], "low": 1 - p["high"], "high": 1 - p["low"]}
    return {
        **pair,
        "a": pair["b"],
        "b": pair["a"],
        "difference": turned,
        "probability_of_improvement": {**chance, "level": p["level"]},
    }


def headline(result: Mapping[str, Any]) -> list[str]:
    """Return what the comparison found: a sentence a pair, decided ones first; what was gamed."""
    lines = []
    for pair in sorted(result["pairs"], key=lambda p: p["verdict"] == "undecided"):
        pair = oriented(pair)
        a, b = f"“{pair['a']}”", f"“{pair['b']}”"
        if "difference" not in pair:
            lines.append(f"{a} and {b}: {pair['reason']}.")
            continue
        d = pair["difference"]
        told = f"{_points(d['value'])} points [{_points(d['low'])}, {_points(d['high'])}]"
        if pair["verdict"] == "undecided":
            why = pair.get("reason") or "the interval covers zero"
            lines.append(f"Undecided: {a} minus {b} is {told}; {why}.")
        else:
            lines.append(f"{a} taught more than {b}: {told}.")
    return [*lines, *hacked(result)]


def improvement_matrix(result: Mapping[str, Any]) -> list[tuple[str, list[float | None]]]:
    """Return rows (name, P(name beats each column)) over the variants that have pairs."""
    names = list(dict.fromkeys(n for p in result["pairs"] for n in (p["a"], p["b"])))
    chance: dict[tuple[str, str], float] = {}
    for pair in result["pairs"]:
        if "probability_of_improvement" in pair:
            value = pair["probability_of_improvement"]["value"]
            chance[pair["a"], pair["b"]], chance[pair["b"], pair["a"]] = value, 1 - value
    return [(a, [chance.get((a, b)) for b in names]) for a in names]


def write_page(result: Mapping[str, Any], plots: Mapping[str, Path], file: Path) -> Path:
    """Write the page of a comparison and return its path."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATES)
    env = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(percent=percent, span=_span, points=_points, pretty=_pretty, tell=tell)
    images = {
        name: base64.b64encode(path.read_bytes()).decode("ascii") for name, path in plots.items()
    }
    page = env.get_template("report.html.j2").render(
        r=result,
        images=images,
        captions=CAPTIONS,
        headline=headline(result),
        pairs=[oriented(pair) for pair in result["pairs"]],
        matrix=improvement_matrix(result),
    )
    file.write_text(page, encoding="utf-8")
    return file


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


LEGEND = (
    "  IQM: interquartile mean over seeds. reward-truth: points by which the reward (mapped to its "
    "range) exceeds the truth,\n  growth: how much that gap grew in training (hacking). no signal: "
    "groups in which all episodes earned the same.\n  In brackets: floors, what is reached without "
    "reinforcement learning."
)


def show_table(result: Mapping[str, Any], console: Any) -> None:
    """Print the tables of a comparison to a `rich.console.Console`."""
    from rich.table import Table

    note = ", illustrative: fewer than 5 seeds" if result["illustrative"] else ""
    seeds = len(result["variants"][0]["seeds"])
    title = (
        f"{result['environment']}: truth on {result['heldout_tasks']:,} held-out tasks, "
        f"{seeds} seed{'s' if seeds > 1 else ''}{note}"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("reward")
    for name in (
        "IQM",
        "95% interval",
        "reward-truth",
        "growth",
        "no signal",
        "malformed",
        "reward time",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for v in result["variants"]:
        table.add_row(
            v["name"],
            percent(v["final"]["value"]),
            _span(v["final"]),
            _points(v["gap"]["heldout"]),
            _points(v["gap"]["growth"]),
            percent(v["zero_variance"]),
            percent(v["malformed"]),
            percent(v["reward_share"]),
        )
    if result.get("floors"):
        table.add_section()
        for floor in result["floors"]:
            table.add_row(f"({floor['name']})", percent(floor["value"]), _span(floor))
    console.print(table)
    console.print(LEGEND, markup=False, highlight=False, style="dim")
    for line in headline(result):
        console.print(f"  {line}", markup=False, highlight=False)
    for control in result["controls"]:
        told = {True: "identical, as it must be", False: "NOT identical", None: "not run"}
        console.print(
            f"  control {control['control']!r}: {told[control['identical']]}", markup=False
        )
    for failure in result["failures"]:
        console.print(f"  failed: {failure['name']} (exit {failure['code']})", markup=False)
    for name in result["incomplete"]:
        console.print(f"  not complete: {name}", markup=False)
