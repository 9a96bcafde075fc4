"""The kept figures as text."""

from __future__ import annotations

from typing import Any

from graphenv.benchmarks.suite import opening

__all__ = ["markdown"]

_HEAD = """\
# Graph scorers: measured

Written by `python -m graphenv.benchmarks.scorer`; do not edit. CPU seconds on one thread, medians;
ratios are paired: all ways scored the same states in turn in the same run.

States per second of an untrained scorer (hidden 64, 3 layers), by encoder, nodes of a state and
states in a call. **Fresh**: `GNNScorer.values` on states that it sees for the first time.
**Remembered**: the same states again. **Naive**: a loop that makes a PyTorch Geometric batch of one
state and calls the same network, in single precision; ours computes in double precision, so that a
value depends on nothing but the state. A ratio above 1 means that ours, fresh, is faster.
"""

_TABLE = """\
| encoder | nodes | states in a call | fresh /s | remembered /s | naive /s | fresh over naive |
|---|---|---|---|---|---|---|"""


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page."""
    rows = [
        f"| {row['encoder']} | {row['nodes']} | {row['batch']:,} | {row['fresh_per_s']:,.0f} "
        f"| {row['remembered_per_s']:,.0f} | {row['naive_per_s']:,.0f} | {row['ratio']:.1f} |"
        for row in results["values"]
    ]
    return "\n".join([_HEAD, *opening(results), _TABLE, *rows]) + "\n"
