"""The kept figures as text."""

from __future__ import annotations

from typing import Any

from graphenv.benchmarks.suite import opening, tables

__all__ = ["markdown"]

_HEAD = """\
# Published subgraph tasks: floors

Written by `python -m graphenv.benchmarks.subgraph`; do not edit. The data are read from the folder
that `GRAPHENV_DATA` names; without it only trees are measured.
"""

_TARGETS = """\
## Targets: precision at 10

Cell lines of the source `targets`. "all": every screened gene that is not pan-essential, as the
warning of the data set has it; "specific": those on which at most 20 % of training lines depend;
"specific, network": those of them that the network has, which is what a task asks for. Counts are
of training lines; a line is never counted for itself. Context: lines of the same type of cancer,
else tissue, else kind of cancer. Walks: personalised PageRank of networkx over scores, alpha 0.5.

| split | lines | genes | ranking | P@10 |
|---|---|---|---|---|"""

_FORESTS = """\
## Prizes: value of a forest

Held-out tasks of the source `prizes`, eight prizes each. "share": value over that of the best known
forest, from 0 to 1, the success of the environment.

| file | tasks | heuristic | value | share |
|---|---|---|---|---|"""

_TREES = """\
## Steiner trees: made networks

Validation tasks of the source `steiner`; the gold is exact. "cost ratio": least cost over that of
the tree.

| nodes | terminals | tasks | heuristic | F1 | cost ratio |
|---|---|---|---|---|---|"""


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page."""
    written = {"targets": _targets, "forests": _forests, "trees": _trees}
    return "\n".join([_HEAD, *opening(results), *tables(results, written)]) + "\n"


def _targets(results: dict[str, Any]) -> list[str]:
    rows = results["targets"]
    lines = [
        f"| {row['split']} | {row['lines']} | {row['genes']} | {row['ranking']} | {row['p']:.3f} |"
        for row in rows
    ]
    return [_TARGETS, *lines, "", rows[0]["note"], ""]


def _forests(results: dict[str, Any]) -> list[str]:
    lines = [
        f"| {row['file']} | {row['tasks']} | {row['heuristic']} | {row['value']:.2f} "
        f"| {row['share']:.2f} |"
        for row in results["forests"]
    ]
    return [_FORESTS, *lines, ""]


def _trees(results: dict[str, Any]) -> list[str]:
    lines = [
        f"| {row['nodes']} | {row['terminals']} | {row['tasks']} | {row['heuristic']} "
        f"| {row['success']:.3f} | {row['cost_ratio']:.3f} |"
        for row in results["trees"]
    ]
    return [_TREES, *lines]
