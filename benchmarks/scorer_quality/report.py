"""The kept figures as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphenv.benchmarks.suite import opening, tables

__all__ = ["markdown"]

_HEAD = """\
# Graph scorers: quality, measured

Written by `python -m graphenv.benchmarks.scorer_quality`; do not edit. One training run each, with
the default settings of `graphenv train-scorer` (docs/scorers.md says what they mean). AUC: success
against failure of the state's outcome. Progress: rank correlation with the true nearness to the
gold, over all states and within tasks, which nothing was trained on. Held-out worlds share no
entity with the training worlds; nothing was tuned, stopped or calibrated on any test set.
Heuristics are binned: each gets the mean outcome of training states in its bin.
"""


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page."""
    written = {
        "kgqa": lambda found: _family("KGQA, two hops, tools mode", found["kgqa"]),
        "subgraph": lambda found: _family(
            "Subgraph motifs (training: path2, path3, triangle; larger: star3, cycle4, diamond)",
            found["subgraph"],
        ),
        "encoders": lambda found: _encoders(found["encoders"]),
    }
    return "\n".join([_HEAD, *opening(results), *tables(results, written)]) + "\n"


def _family(title: str, report: Mapping[str, Any]) -> list[str]:
    lines = [f"## {title}\n", f"**{report['verdict']}**\n"]
    for name, found in report["sets"].items():
        lines += [
            f"{name}: {found['states']} states of {found['tasks']} tasks; "
            f"{found['successes']:.0%} have an outcome of {report['threshold']:.2f} or more.\n",
            "| | AUC | progress | within tasks | calibration error |",
            "|---|---|---|---|---|",
        ]
        lines += [f"| {rater} | {_figures(row)} |" for rater, row in found["raters"].items()]
        lines.append("")
    return lines + _adversary(report)


def _adversary(report: Mapping[str, Any]) -> list[str]:
    before, after = report["adversary"]["before"], report["adversary"]["after"]
    rows = [
        ("failures rated as successes, as they are", "fooled_before", True),
        ("the same, after the search", "fooled_after", True),
        ("mean value of failures, as they are", "mean_before", False),
        ("the same, after the search", "mean_after", False),
    ]
    lines = [
        f"The adversary attacks {before['states']} failures of the held-out worlds "
        f"({before['scored']:,} states scored).\n",
        "| | before hard negatives | after |",
        "|---|---|---|",
    ]
    for text, key, percent in rows:
        a, b = before[key], after[key]
        lines.append(
            f"| {text} | {a:.0%} | {b:.0%} |" if percent else f"| {text} | {a:.3f} | {b:.3f} |"
        )
    lines += [
        f"| AUC, {name} | {_number(before['auc'][name])} | {_number(after['auc'][name])} |"
        for name in before["auc"]
    ]
    return [*lines, ""]


def _encoders(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "## Encoders, on the same states of KGQA, held-out worlds, without hard negatives\n",
        "| encoder | weights | AUC | progress | within tasks | calibration error |",
        "|---|---|---|---|---|---|",
    ]
    return lines + [f"| {row['encoder']} | {row['weights']:,} | {_figures(row)} |" for row in rows]


def _figures(row: Mapping[str, Any]) -> str:
    return " | ".join(
        [
            _number(row["auc"]),
            _number(row["progress"], "+"),
            _number(row["progress_within_tasks"], "+"),
            _number(row["calibration_error"]),
        ]
    )


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"
