"""The kept figures as text."""

from __future__ import annotations

from typing import Any

from graphenv.benchmarks.suite import opening

__all__ = ["markdown"]

_HEAD = """\
# Matching of scenes: measured

Written by `python -m graphenv.benchmarks.scenes`; do not edit. CPU seconds on one core, medians;
ratios are paired: both sides graded the same pairs in turn in the same run.

Pairs of scenes per second. Invented scenes with as many relations as objects, 150 labels of which
some are frequent, predictions with every fifth label and every third relation wrong, eight for each
gold scene. **Ours**: objects, attributes and relations in one match (`object_f1`, `attribute_f1`,
`relation_f1`). **Loop**: a call for each pair of objects in a double loop, one scipy assignment, a
loop over relations; no attributes, and objects of one label are not told apart. "Gained": how much
higher `relation_f1` is, on average, because ours tells them apart. A ratio above 1 means that ours
is faster.
"""

_TABLE = """\
| objects | compared | ours /s | loop /s | ratio | gained |
|---|---|---|---|---|---|"""


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page."""
    rows = [
        f"| {row['objects']} | {row['way']} | {row['ours_per_s']:,.0f} | {row['loop_per_s']:,.0f} "
        f"| {row['ratio']:.1f} | {row['relation_f1_gained']:+.3f} |"
        for row in results["matching"]
    ]
    return "\n".join([_HEAD, *opening(results), _TABLE, *rows]) + "\n"
