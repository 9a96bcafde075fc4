"""The kept figures as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphenv.benchmarks.suite import opening, tables

__all__ = ["markdown"]

_HEAD = """\
# Designs of networks: measured

Written by `python -m graphenv.benchmarks.design`; do not edit.

Mean gain F(end) - F(start) over held-out networks of 20 nodes, times 100, with its standard error;
every designer plays the same tasks through the environment. In brackets: the gain on fresh removal
orders, which no designer saw: what greedy search has above it is luck with the 40 orders of a task.
Settings as published (Darvariu, Hailes and Musolesi 2021): ER with 38 edges, BA with 2 edges a
node, 2n removal orders, budgets of 1, 2.5 and 5 % of all pairs of nodes. The networks and orders
are our own draws, so compare designers, not digits.
"""


def _cell(row: dict[str, Any]) -> str:
    return f"{100 * row['gain']:.1f} ± {100 * row['error']:.1f} ({100 * row['fresh']:.1f})"


def _wide(rows: Iterable[dict[str, Any]], about: tuple[str, ...]) -> list[str]:
    found: dict[tuple[Any, ...], dict[str, str]] = {}
    names: dict[str, None] = {}
    for row in rows:
        names[row["designer"]] = None
        found.setdefault(tuple(row[key] for key in about), {})[row["designer"]] = _cell(row)
    heads = [*about, *names]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for key, cells in found.items():
        told = [*map(str, key), *(cells.get(name, "-") for name in names)]
        lines.append(f"| {' | '.join(told)} |")
    return [*lines, ""]


def _baselines(results: dict[str, Any]) -> list[str]:
    about = ("source", "objective", "budget", "tasks")
    return ["## Baselines\n", *_wide(results["baselines"], about)]


def _learned(results: dict[str, Any]) -> list[str]:
    rows = results["learned"]
    told = (
        "## A network that learned\n\n"
        f"`gnn`: double Q-learning on the train split of 20 nodes, {rows[0]['rounds']} rounds, "
        "one seed for each source and objective; networks of 40 nodes were never seen in training."
        "\n"
    )
    return [told, *_wide(rows, ("source", "objective", "nodes", "budget", "tasks"))]


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page."""
    written = {"baselines": _baselines, "learned": _learned}
    return "\n".join([_HEAD, *opening(results), *tables(results, written)])
