"""Part 1: does the solver agree with everybody who knows the answer?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from graphenv.benchmarks.ged.data import published
from graphenv.benchmarks.ged.generate import Pair, edited, multigraph, random_graph
from graphenv.benchmarks.ged.peers import brute_force, networkx_ged, to_networkx
from graphenv.benchmarks.ged.stopwatch import ALWAYS
from graphenv.rewards.ged import EditCosts, GEDResult, ged, ged_batch
from graphenv.seeding import rng

__all__ = ["MODELS", "agreement"]

MODELS = (
    EditCosts(),
    EditCosts(1, 0.5, 2, 0.5, 1.5, 0.25),
    EditCosts(0.7, 0.4, 0.9, 0.1, 0.3, 0.35),
    EditCosts(1.5, 2, 0.75, 1, 0.5, 1.25),
)
TIE = EditCosts(2, 1, 1, 2, 1, 1)
"""Substitution costs what deletion and insertion do; networkx then misses optima (issue 8099)."""
WEIGHTED = EditCosts(1.2, 0.8, 1.1, 0.6, 0.4, 0.7, {"literal": 0.3})
BUDGETS = (1, 2, 5, 20)


def agreement(folder: Path | None, *, quick: bool) -> list[dict[str, Any]]:
    """Return, per peer, pairs compared, mismatches, and violated intervals of truncated runs."""
    dice = rng("ged benchmark", "correctness")
    made = [
        [multigraph(dice, 4, directed=k % 2 == 0) for _ in range(2)]
        for k in range(40 if quick else 400)
    ]
    models = (*MODELS, TIE, WEIGHTED)
    rows = [
        _count(
            "brute force, up to 4 nodes, with loops, parallel edges and kinds, six cost models",
            (
                ((a, b), costs, brute_force(a, b, costs))
                for k, (a, b) in enumerate(made)
                for costs in [models[k // 2 % len(models)]]
            ),
        ),
        _count(
            "networkx, 2 to 5 nodes, directed, four cost models, three of them asymmetric",
            _networkx_pairs(20 if quick else 400, MODELS),
        ),
    ]
    referee = list(_networkx_pairs(8 if quick else 80, (TIE,)))
    truths = [brute_force(*pair, TIE) for pair, _, _ in referee]
    judged = ((pair, TIE, truth) for (pair, _, _), truth in zip(referee, truths, strict=True))
    row = _count("brute force, 2 to 5 nodes, where substitution = deletion + insertion", judged)
    too_high = sum(theirs > t + 1e-6 for (_, _, theirs), t in zip(referee, truths, strict=True))
    rows.append({**row, "networkx_too_high": too_high})
    if folder is not None:
        counts = (100, 100) if quick else (1_000, 3_000)
        for data in published(folder, counts[0], imdb_count=counts[1]):
            if data.distances is None:
                continue
            known = zip(data.pairs, [EditCosts()] * len(data.pairs), data.distances, strict=True)
            source = "published" if data.name == "IMDB" else "certified"
            rows.append(_count(f"{source} values of {data.name}", known, batch=True))
    return rows


def _networkx_pairs(
    count: int, models: tuple[EditCosts, ...]
) -> Iterator[tuple[Pair, EditCosts, float]]:
    for k in range(count):
        dice = rng("ged benchmark", "networkx", k)
        a = random_graph(dice, int(dice.integers(2, 6)))
        b = edited(dice, a, 0.4) if k % 2 else random_graph(dice, int(dice.integers(2, 6)))
        if len(b) > 5:
            continue
        costs = models[k % len(models)]
        theirs = networkx_ged(to_networkx(a), to_networkx(b), costs)
        if not theirs.timed_out:
            yield (a, b), costs, theirs.value


def _count(
    peer: str, known: Iterator[tuple[Pair, EditCosts, float]], *, batch: bool = False
) -> dict[str, Any]:
    """Solve exactly and with small budgets; compare both with the truth."""
    rows = list(known)
    solve: Callable[[int], list[GEDResult]] = _one_by_one(rows)
    if batch:  # all have the same costs
        solve = lambda budget: ged_batch([row[0] for row in rows], budget=budget)  # noqa: E731
    exact = solve(ALWAYS)
    wrong = sum(
        not result.exact or abs(result.upper - truth) > 1e-6
        for result, (_, _, truth) in zip(exact, rows, strict=True)
    )
    violated = sum(
        not result.lower - 1e-6 <= truth <= result.upper + 1e-6
        for budget in BUDGETS
        for result, (_, _, truth) in zip(solve(budget), rows, strict=True)
    )
    return {
        "peer": peer,
        "pairs": len(rows),
        "mismatches": wrong,
        "truncated": len(rows) * len(BUDGETS),
        "violations": violated,
    }


def _one_by_one(
    rows: list[tuple[Pair, EditCosts, float]],
) -> Callable[[int], list[GEDResult]]:
    def solve(budget: int) -> list[GEDResult]:
        return [ged(*pair, costs=costs, budget=budget) for pair, costs, _ in rows]

    return solve
