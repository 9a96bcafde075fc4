"""Part 3: how often the interval closes, and what time and work grow with."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphenv.benchmarks.ged.generate import Pair, Shape, pairs
from graphenv.benchmarks.ged.stopwatch import measure
from graphenv.rewards.ged.solver import BUDGET
from graphenv.seeding import rng

__all__ = ["CURVES", "curves", "exactness"]

SIMILAR = (5, 8, 12, 20, 30, 50)
UNRELATED = (8, 12, 16, 20)
SHARE = 0.25

# What is varied -> its values; everything else stays at 12 nodes, 6 labels, density 1.5.
CURVES: dict[str, tuple[float, ...]] = {
    "nodes": (5, 8, 12, 16, 20, 30, 50),
    "edges per node": (1, 1.5, 2, 3, 4, 6),
    "node labels": (1, 2, 4, 6, 8, 16, 32),
    "share of edits": (0.05, 0.1, 0.25, 0.5, 0.75, 1.0),
}
NODES = 12


def exactness(*, quick: bool) -> list[dict[str, Any]]:
    """Return the exact share and the mean relative gap within the default budget."""
    rows = []
    cases: list[tuple[int, float | None]] = [(n, SHARE) for n in SIMILAR]
    cases += [(n, None) for n in UNRELATED]
    for nodes, share in cases:
        dice = rng("ged benchmark", "exact", nodes, str(share))
        made = pairs(dice, nodes, 10 if quick else 200, share)
        rows.append({"nodes": nodes, "unrelated": share is None, **_figures(made)})
        print(rows[-1], flush=True)
    return rows


def curves(*, quick: bool) -> dict[str, list[dict[str, Any]]]:
    """Return time, work and exact share as one thing grows, for similar and unrelated pairs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, values in CURVES.items():
        rows = found.setdefault(name, [])
        for value in values[::3] if quick else values:
            for related in (True,) if name == "share of edits" else (True, False):
                made = _varied(name, value, related, 5 if quick else 60)
                rows.append({"value": value, "unrelated": not related, **_figures(made)})
        if name == "share of edits":  # the far end of the axis
            made = _varied(name, 0, False, 5 if quick else 60)
            rows.append({"value": None, "unrelated": True, **_figures(made)})
        print(name, rows[-1], flush=True)
    return found


def _varied(name: str, value: float, related: bool, count: int) -> list[Pair]:
    dice = rng("ged benchmark", "curve", name, str(value), related)
    shape = Shape(
        labels=int(value) if name == "node labels" else Shape.labels,
        density=value if name == "edges per node" else Shape.density,
    )
    nodes = int(value) if name == "nodes" else NODES
    share = value if name == "share of edits" else SHARE
    return pairs(dice, nodes, count, share if related else None, shape)


def _figures(made: list[Pair]) -> dict[str, Any]:
    ours = measure(made, rounds=1, budget=BUDGET)
    lower = np.array([result.lower for result in ours.results])
    upper = np.array([result.upper for result in ours.results])
    work = [result.expansions for result in ours.results]
    gap = (upper - lower) / np.maximum(upper, 1e-9)
    return {
        "pairs": len(made),
        "budget": BUDGET,
        "exact": float(np.mean(lower == upper)),
        "mean_gap": float(gap.mean()),
        "similarity": float(np.mean([result.similarity for result in ours.results])),
        "median_us": ours.core_median_us,
        "p90_us": float(np.percentile(ours.core, 90)) * 1e6,
        "work_median": float(np.median(work)),
        "work_p90": float(np.percentile(work, 90)),
    }
