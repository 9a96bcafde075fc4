"""From run folders to the result of a comparison: one JSON-able dict that tables and plots read.

S is the number of seeds, T the number of tasks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from graphenv.benchmarks.comparison.plan import ENOUGH_SEEDS, Plan, Variant
from graphenv.benchmarks.comparison.runs import Array, Evaluated, Run, load_run, task_table
from graphenv.benchmarks.comparison.stats import (
    paired_difference,
    probability_of_improvement,
    success_interval,
    verdict,
)
from graphenv.errors import DataError
from graphenv.rewards import parse
from graphenv.seeding import rng

__all__ = ["FORMAT", "analyse", "finished_runs", "normalized"]

FORMAT = 1
LEVEL = 0.95
CURVE_REPLICATES = 500

Runs = Mapping[str, Sequence[Run]]


def finished_runs(plan: Plan) -> dict[str, list[Run]]:
    """Return the complete runs of a plan by variant, in the order of the seeds.

    Raises
    ------
    DataError
        If no variant has one.
    """
    found: dict[str, list[Run]] = {variant.name: [] for variant in plan.variants}
    for spec in plan.runs():
        if spec.complete:
            found[spec.variant.name].append(load_run(spec.folder, spec.seed))
    if not any(found.values()):
        raise DataError(
            f"{plan.out}: no run has come to its end, so there is nothing to compare. The log of a "
            "run is runs/VARIANT/SEED/log.txt; the same `graphenv compare` continues."
        )
    return found


def normalized(rewards: Array, reward: str) -> Array:
    """Return rewards mapped to [0, 1] by the range of the expression, to stand beside the truth."""
    low, high = parse(reward).range
    return (rewards - low) / (high - low) if high > low else np.zeros_like(rewards)


def analyse(
    plan: Plan, runs: Runs, *, failures: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return the result of a comparison.

    Parameters
    ----------
    plan
        What was asked for.
    runs
        The complete runs by variant name.
    failures
        What is said about runs that failed.

    Returns
    -------
    dict
        `variants` (final truth, learning curve, gap, costs), `pairs` (difference, probability of
        improvement, verdict), `controls`, `environment`, `seeds`, `illustrative`, `versions`.
    """
    present = [variant for variant in plan.variants if runs.get(variant.name)]
    first = runs[present[0].name][0]
    pairs = [p for p in combinations(present, 2) if not (p[0].control_of or p[1].control_of)]
    seeds = min(len(runs[variant.name]) for variant in present)
    return {
        "format": FORMAT,
        "environment": plan.base.environments,
        "env_kwargs": dict(plan.base.env_kwargs),
        "seeds": plan.seed_values,
        "illustrative": seeds < ENOUGH_SEEDS,
        "heldout_tasks": len(first.final.indices),
        "validation_tasks": len(first.evals[0].indices) if first.evals else 0,
        "steps": plan.base.steps,
        "start_per_seed": plan.start_per_seed,
        "level": LEVEL,
        "pair_level": 1 - (1 - LEVEL) / max(len(pairs), 1),
        "variants": [_variant(variant, runs[variant.name]) for variant in present],
        "incomplete": [spec.name for spec in plan.runs() if not spec.complete],
        "pairs": [_pair(a, b, runs, len(pairs)) for a, b in pairs],
        "controls": [_control(v, runs) for v in present if v.control_of and runs.get(v.control_of)],
        "failures": [dict(failure) for failure in failures],
        "versions": dict(first.config.get("versions", {})),
        "config": {k: v for k, v in plan.base.to_json().items() if k not in ("out", "resume")},
    }


def _variant(variant: Variant, runs: Sequence[Run]) -> dict[str, Any]:
    table = task_table([run.final for run in runs])
    draw = rng("comparison", "final", variant.name)
    truth = success_interval(table, draw, level=LEVEL)
    statuses: Counter[str] = Counter()
    for run in runs:
        statuses.update(run.final.statuses)
    costs = {name: _over_runs(runs, name) for name in ("reward_seconds", "step_seconds")}
    return {
        **vars(variant),
        "range": list(parse(variant.reward).range),
        "seeds": [run.seed for run in runs],
        "final": {
            **truth.to_json(),
            "per_seed": [float(v) for v in table.mean(axis=1)],
            "mean": float(table.mean()),
            "reward": _average([normalized(r.final.rewards, variant.reward) for r in runs]),
            "statuses": dict(statuses.most_common()),
            "metrics": _metrics([run.final for run in runs]),
        },
        "curve": _curve(variant, runs),
        "gap": _gap(variant, runs),
        "moved": _moved(runs),
        "zero_variance": _over_runs(runs, "zero_variance"),
        "malformed": _over_runs(runs, "malformed"),
        **costs,
        "reward_share": _share(costs["reward_seconds"], costs["step_seconds"]),
        "training": _training(runs),
    }


def _metrics(evals: Sequence[Evaluated]) -> dict[str, float]:
    """Means over runs of the metrics that all of them have."""
    names = [name for name in evals[0].metrics if all(name in e.metrics for e in evals)]
    return {name: float(np.mean([e.metrics[name] for e in evals])) for name in names}


def _moved(runs: Sequence[Run]) -> dict[str, list[float]]:
    """Return each metric on validation at the first and at the last evaluation."""
    steps = _common_steps(runs)
    if len(steps) < 2:
        return {}
    first, last = (_metrics(evals) for _, evals in (steps[0], steps[-1]))
    return {name: [first[name], last[name]] for name in first if name in last}


def _over_runs(runs: Sequence[Run], name: str) -> float | None:
    values = [value for run in runs if (value := run.mean_of(name)) is not None]
    return float(np.mean(values)) if values else None


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def _average(arrays: Sequence[Array]) -> float | None:
    """Mean over what is not NaN, `None` if nothing is left: tasks without a reward do not count."""
    values = np.concatenate(arrays)
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else None


def _common_steps(runs: Sequence[Run]) -> list[tuple[int, list[Evaluated]]]:
    by_step = [{e.step: e for e in run.evals} for run in runs]
    shared = sorted(set.intersection(*(set(steps) for steps in by_step)))
    return [(step, [steps[step] for steps in by_step]) for step in shared]


def _curve(variant: Variant, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Truth on validation over training steps, with the interval of each point by itself."""
    points = []
    for step, evals in _common_steps(runs):
        table = task_table(evals)
        draw = rng("comparison", "curve", variant.name, step)
        band = success_interval(table, draw, level=LEVEL, replicates=CURVE_REPLICATES)
        points.append(
            {
                "step": step,
                **band.to_json(),
                "per_seed": [float(v) for v in table.mean(axis=1)],
                "mean": float(table.mean()),
                "reward": _average([normalized(e.rewards, variant.reward) for e in evals]),
            }
        )
    return points


def _gap(variant: Variant, runs: Sequence[Run]) -> dict[str, float | None]:
    """Reward (mapped to [0, 1]) minus truth on held-out tasks, and its growth on validation.

    What counts is growth: a reward that gives partial credit starts above the truth, but only one
    that is being gamed pulls away from it.
    """

    if variant.control_of:
        # Its potential shifts the reward by a constant per task, which has no truth to stand by.
        return {"heldout": None, "growth": None}

    def gap(evals: Sequence[Evaluated]) -> float | None:
        return _average([normalized(e.rewards, variant.reward) - e.successes for e in evals])

    steps = _common_steps(runs)
    ends = [gap(evals) for _, evals in (steps[:1] + steps[-1:] if len(steps) > 1 else [])]
    growth = None
    if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
        growth = ends[1] - ends[0]
    return {"heldout": gap([run.final for run in runs]), "growth": growth}


def _training(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """What training logged, as means over the runs: one row per step that all runs logged."""
    by_step = [{row["step"]: row for row in run.metrics} for run in runs]
    shared = sorted(set.intersection(*(set(rows) for rows in by_step)))
    names = ("reward", "success", "zero_variance", "malformed")
    rows = []
    for step in shared:
        at = [rows_of[step] for rows_of in by_step]
        row: dict[str, Any] = {"step": step}
        for name in names:
            values = [r[name] for r in at if r.get(name) is not None]
            row[name] = float(np.mean(values)) if values else None
        parts = dict.fromkeys(part for r in at for part in r.get("parts", {}))
        row["parts"] = {
            part: float(np.mean(values))
            for part in parts
            if (values := [v for r in at if (v := r["parts"].get(part)) is not None])
        }
        rows.append(row)
    return rows


def _shared_seeds(a: Sequence[Run], b: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    left, right = {run.seed: run for run in a}, {run.seed: run for run in b}
    seeds = [seed for seed in left if seed in right]
    return [left[seed] for seed in seeds], [right[seed] for seed in seeds]


def _pair(a: Variant, b: Variant, runs: Runs, pairs: int) -> dict[str, Any]:
    """Compare two variants on the seeds that both have.

    The level is raised (Bonferroni) so that all verdicts of a comparison hold together.
    """
    left, right = _shared_seeds(runs[a.name], runs[b.name])
    base = {"a": a.name, "b": b.name, "seeds": len(left)}
    if not left:
        return {**base, "verdict": "undecided", "reason": "no seed was run under both"}
    table = task_table([run.final for run in (*left, *right)])
    x, y = table[: len(left)], table[len(left) :]
    level = 1 - (1 - LEVEL) / pairs
    draw = rng("comparison", "pair", a.name, b.name)
    difference = paired_difference(x, y, draw, level=level, bounds=(-1.0, 1.0))
    said = verdict(difference, a.name, b.name)
    reason = ""
    if len(left) < 2:
        # One run each says nothing about the spread between runs.
        said, reason = "undecided", "one seed shows no spread between runs"
    return {
        **base,
        "difference": difference.to_json(),
        "probability_of_improvement": probability_of_improvement(x, y, draw).to_json(),
        "verdict": said,
        "reason": reason,
    }


def _control(variant: Variant, runs: Runs) -> dict[str, Any]:
    """Compare a control with the variant that it must repeat, task by task."""
    left, right = _shared_seeds(runs[variant.name], runs[variant.control_of])
    if not left:
        return {"control": variant.name, "of": variant.control_of, "identical": None}
    table = task_table([run.final for run in (*left, *right)])
    differing = float((table[: len(left)] != table[len(left) :]).mean())
    return {
        "control": variant.name,
        "of": variant.control_of,
        "identical": differing == 0.0,
        "differing_share": differing,
    }
