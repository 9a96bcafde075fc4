"""The kept figures as text."""

from __future__ import annotations

from typing import Any

from graphenv.benchmarks.suite import opening, tables

__all__ = ["markdown"]

_HEAD = """\
# Scenes and documents: measured

Written by `python -m graphenv.benchmarks.scenes`; do not edit.
"""

_MATCHING = """
## Matching

Pairs of scenes per second. CPU seconds on one core, medians; ratios are paired: both sides graded
the same pairs in turn in the same run.

Invented scenes with as many relations as objects, 150 labels of which some are frequent,
predictions with every fifth label and every third relation wrong, eight for each gold scene.
**Ours**: objects, attributes and relations in one match (`object_f1`, `attribute_f1`,
`relation_f1`). **Loop**: a call for each pair of objects in a double loop, one scipy assignment, a
loop over relations; no attributes, and objects of one label are not told apart. "Gained": how much
higher `relation_f1` is, on average, because ours tells them apart. A ratio above 1 means that ours
is faster.

| objects | compared | ours /s | loop /s | ratio | gained |
|---|---|---|---|---|---|"""

_FLOORS = """
## Floors

Mean truth on held-out tasks of players that were not trained, and F1 of parts. The truth of
`retrieval` is the recall of supporting passages times the grounded share; it has no gold to play.

| environment | source | tasks | player | truth | objects | attributes | relations | entities |
|---|---|---|---|---|---|---|---|---|"""

_RANKINGS = """
## How rewards order what is partly right

Spearman's rank correlation with the truth, on what the agent `rules` wrote for held-out tasks.
"No twins": no two objects of the gold scene have one label.
"""

_PARTS = ("object_f1", "attribute_f1", "relation_f1", "entity_f1")


def markdown(results: dict[str, Any]) -> str:
    """Return the results as a Markdown page; sections that were not run are left out."""
    written = {"matching": _matching, "floors": _floors, "rankings": _rankings}
    return "\n".join([_HEAD, *opening(results), *tables(results, written)]) + "\n"


def _matching(results: dict[str, Any]) -> list[str]:
    return [_MATCHING] + [
        f"| {row['objects']} | {row['way']} | {row['ours_per_s']:,.0f} | {row['loop_per_s']:,.0f} "
        f"| {row['ratio']:.1f} | {row['relation_f1_gained']:+.3f} |"
        for row in results["matching"]
    ]


def _floors(results: dict[str, Any]) -> list[str]:
    lines = [_FLOORS]
    for row in results["floors"]:
        parts = [row["parts"].get(name) for name in _PARTS]
        cells = " | ".join("" if value is None else f"{value:.3f}" for value in parts)
        tasks = f"{row['tasks']:,} of {row['of']:,}"
        lines.append(
            f"| {row['env']} | {row['source']} | {tasks} | {row['player']} | {row['truth']:.3f} "
            f"| {cells} |"
        )
    return lines


def _rankings(results: dict[str, Any]) -> list[str]:
    lines = [_RANKINGS]
    for env in dict.fromkeys(row["env"] for row in results["rankings"]):
        rows = [row for row in results["rankings"] if row["env"] == env]
        names = list(rows[0]["correlation"])
        lines.append(f"| source | tasks | {' | '.join(f'`{name}`' for name in names)} |")
        lines.append("|---" * (2 + len(names)) + "|")
        for row in rows:
            values = [row["correlation"][name] for name in names]
            cells = " | ".join("constant" if v is None else f"{v:.2f}" for v in values)
            lines.append(f"| {row['source']} | {row['tasks']} | {cells} |")
        lines.append("")
        lines += [
            f"{row['source']}: {row['grounded']:.0%} of what was written is grounded, and "
            f"{row['wrong']:.0%} is wrong.\n"
            for row in rows
            if "grounded" in row
        ]
    return lines
