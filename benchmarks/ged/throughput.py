"""Part 4: pairs per second on a batch like that of a GRPO step, by budget and threads."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from graphenv.benchmarks.ged.generate import GROUP, grpo_batch
from graphenv.rewards.ged import GEDResult, ged_batch
from graphenv.rewards.ged.solver import BUDGET, Method
from graphenv.seeding import rng

__all__ = ["BUDGETS", "throughput"]

BUDGETS = (20, 50, 100, 300, 1_000)
THREADS = (1, 2)
BEST_OF = 5
SECONDS = 5.0


def throughput(*, quick: bool) -> list[dict[str, Any]]:
    """Return pairs/s (wall clock), exact share, mean gap.

    Times are the best of what fits into five seconds, and of five at least: the machine is shared,
    and a tenth of a second is easily disturbed.

    `excess` is how far the upper end, which a reward uses, lies above that of the default budget
    where that one is exact, relative to it.
    """
    made = grpo_batch(rng("ged benchmark", "grpo"), 16 if quick else 256)
    truth = ged_batch(made, budget=BUDGET)
    cases: list[tuple[Method, int]] = [("counts", 1), ("bipartite", 1)]
    cases += [("search", budget) for budget in BUDGETS]
    rows = []
    for method, budget in cases:
        row: dict[str, Any] = {"method": method, "budget": budget, "pairs": len(made)}
        for threads in THREADS:
            seconds: list[float] = []
            while len(seconds) < (1 if quick else BEST_OF) or (
                not quick and sum(seconds) < SECONDS
            ):
                start = time.perf_counter()
                results = ged_batch(made, budget=budget, method=method, threads=threads)
                seconds.append(time.perf_counter() - start)
            row[f"pairs_per_s_{threads}"] = len(made) / min(seconds)
        rows.append({**row, "group": GROUP, **_quality(results, truth)})
        print(rows[-1], flush=True)
    return rows


def _quality(results: list[GEDResult], truth: list[GEDResult]) -> dict[str, float]:
    gaps = [(r.upper - r.lower) / r.upper if r.upper else 0.0 for r in results]
    known = [(r, t) for r, t in zip(results, truth, strict=True) if t.exact and t.upper]
    return {
        "exact": sum(r.exact for r in results) / len(results),
        "mean_gap": float(np.mean(gaps)),
        "excess": float(np.mean([(r.upper - t.upper) / t.upper for r, t in known])),
        "similarity_lost": float(np.mean([t.similarity - r.similarity for r, t in known])),
    }
