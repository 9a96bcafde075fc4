"""The kept figures as text."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphenv.benchmarks.credit.made import MADE
from graphenv.benchmarks.credit.measure import GROUP
from graphenv.benchmarks.suite import fill, opening

__all__ = ["fill_page", "markdown", "summary"]

_HEAD = f"""\
# Credit beside exact advantages: measured

Written by `python -m graphenv.benchmarks.credit`; do not edit. Groups of {GROUP} episodes are drawn
from a softmax policy on tasks whose episodes can all be listed, so that the exact advantage of
every turn is known by dynamic programming. All is judged by the verdict alone: what a potential or
a process reward adds to the return is no aim of its own. The advantages are those of `advantages`
before the division by sigma.

- **bias**: the mean credit of a choice, less what all choices of a state have in common, beside the
  multiple of the exact advantage that fits it best: root mean square of what is left, over that of
  the fitted part. 0: right on average.
- **noise**: root mean square of the credit around its mean for the same choice, over the same.
- **cosine**: of the mean update with the exact policy gradient; **of one group**: of the update
  that a single group gives, on average.
- **groups**: how many groups are averaged until the noise of the update is as long as its part
  along the exact gradient. **turns**: turns sampled for a group (branches share theirs).

**away**: the mean credit or update points away from the exact one. A credit of returns (outcome,
trajectory-graph, prefix-tree, siblings) gives the same with a potential as without one, to the last
digit.
"""

_COLUMNS = ("bias", "noise", "cosine", "one_cosine", "groups", "sampled")
_TITLES = ("bias", "noise", "cosine", "of one group", "groups", "turns")


def markdown(results: dict[str, Any]) -> str:
    """Return the page of a run."""
    lines = [_HEAD, *opening(results)]
    rows = results.get("credits", [])
    if rows:
        lines += ["\n## All tasks\n", *summary(results)]
    for task in dict.fromkeys(row["task"] for row in rows):
        mine = [row for row in rows if row["task"] == task]
        first = mine[0]
        about = MADE[task].about if task in MADE else "a question of two moves, in KGQA-v0 itself"
        lines.append(
            f"\n## {task}\n\n{about[0].upper()}{about[1:]}. {first['episodes']:.0f} episodes, "
            f"{first['choices']:.0f} choices, {first['turns']:.1f} turns on average; the policy "
            f"succeeds in {first['success']:.0%}.\n"
        )
        lines += _table([(row["reward"], row["credit"], row) for row in mine])
    return "\n".join(lines) + "\n"


def summary(results: dict[str, Any]) -> list[str]:
    """Return the table of means over tasks."""
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in results["credits"]:
        pairs.setdefault((row["reward"], row["credit"]), []).append(row)
    return _table([(reward, credit, _mean(rows)) for (reward, credit), rows in pairs.items()])


def _mean(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return means over tasks; of `groups` the geometric one."""
    found: dict[str, float | None] = {}
    for name in _COLUMNS:
        values = [row[name] for row in rows]
        if None in values:
            found[name] = None
        elif name == "groups":
            found[name] = float(np.exp(np.mean(np.log(values))))
        else:
            found[name] = float(np.mean(values))
    return found


def _table(rows: list[tuple[str, str, dict[str, Any]]]) -> list[str]:
    lines = [
        f"| reward | credit | {' | '.join(_TITLES)} |",
        "|---|---|" + "---|" * len(_TITLES),
    ]
    for reward, credit, row in rows:
        told = " | ".join(_told(row[name], name) for name in _COLUMNS)
        lines.append(f"| {reward} | `{credit.replace('|', chr(92) + '|')}` | {told} |")
    return lines


def _told(value: float | None, name: str) -> str:
    if value is None:
        return "away"
    return f"{value:.1f}" if name in ("groups", "sampled") else f"{value:.2f}"


def fill_page(page: str, results: dict[str, Any]) -> str:
    """Return the page of the documentation with the table of means in it."""
    return fill(page, "credit", {"credits": summary(results)})
