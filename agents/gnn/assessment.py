"""How good is a scorer? Order, progress, calibration, on tasks, worlds and sizes it has not met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from graphenv.agents.gnn.calibration import calibration_error, reliability
from graphenv.agents.gnn.examples import Example
from graphenv.agents.gnn.measures import auc, auc_gain, spearman
from graphenv.errors import ConfigError

__all__ = ["AIM", "Rater", "assess", "measure", "verdict"]

Floats = NDArray[np.float64]
Rater = Callable[[Sequence[Example]], Floats]
"""Gives each state a number, NaN where it knows none."""

AIM = 0.8
"""AUC that a scorer should reach on worlds it has not met."""
OURS = "gnn"


class Gain(NamedTuple):
    """By how much the AUC exceeds that of the best other, with its 95 % interval over tasks."""

    over: str
    value: float
    low: float
    high: float


def assess(
    raters: Mapping[str, Rater],
    sets: Mapping[str, Sequence[Example]],
    *,
    threshold: float = 0.5,
    main: str | None = None,
) -> dict[str, Any]:
    """Return a JSON-able report of every rater on every set of states, and a verdict in words.

    Parameters
    ----------
    raters
        The scorer, named `gnn`, and what it must beat.
    sets
        Test states by name. Nothing may have been trained, stopped or tuned on them.
    threshold
        A state counts as a success for AUC if its outcome is at least this.
    main
        The set that the verdict is about; default: the last.

    Raises
    ------
    ConfigError
        If there is no rater `gnn` or no set.
    """
    if OURS not in raters or not sets:
        raise ConfigError(f"assess needs a rater named {OURS!r} and a set of states")
    told = {name: measure(raters, found, threshold) for name, found in sets.items() if found}
    main = main or list(told)[-1]
    return {
        "threshold": threshold,
        "main": main,
        "sets": told,
        "verdict": verdict(told[main], main),
    }


def measure(
    raters: Mapping[str, Rater], examples: Sequence[Example], threshold: float = 0.5
) -> dict[str, Any]:
    """Return the report of one set: its sizes, each rater's figures, the gain over the best."""
    outcomes = np.array([example.outcome for example in examples])
    positive = outcomes >= threshold
    rated = {name: rate(examples) for name, rate in raters.items()}
    groups = [example.group for example in examples]
    rows = {name: _figures(x, examples, outcomes, positive) for name, x in rated.items()}
    return {
        "states": len(examples),
        "tasks": len(set(groups)),
        "successes": float(positive.mean()),
        "raters": rows,
        "gain": _gain(rated, rows, positive, groups),
        "by_size": _by_size(rated, examples, positive),
        "reliability": [list(row) for row in _bins(rated[OURS], outcomes)],
    }


def _figures(
    x: Floats, examples: Sequence[Example], outcomes: Floats, positive: NDArray[np.bool_]
) -> dict[str, float | None]:
    known = ~np.isnan(x)
    near = np.array([np.nan if e.progress is None else e.progress for e in examples])
    both = known & ~np.isnan(near)
    probable = bool(known.any()) and bool((x[known] >= 0).all() and (x[known] <= 1).all())
    return {
        "auc": auc(x[known], positive[known]),
        "known": float(known.mean()),
        "progress": spearman(x[both], near[both]),
        "progress_within_tasks": _within(x, near, both, [e.group for e in examples]),
        "calibration_error": calibration_error(x[known], outcomes[known]) if probable else None,
    }


def _within(x: Floats, y: Floats, chosen: NDArray[np.bool_], groups: list[str]) -> float | None:
    """Return the mean of the rank correlations of each task that has three states or more."""
    places: dict[str, list[int]] = {}
    for i in np.flatnonzero(chosen).tolist():
        places.setdefault(groups[i], []).append(i)
    found = [spearman(x[rows], y[rows]) for rows in places.values() if len(rows) >= 3]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


def _gain(
    rated: Mapping[str, Floats],
    rows: Mapping[str, Mapping[str, float | None]],
    positive: NDArray[np.bool_],
    groups: list[str],
) -> dict[str, Any] | None:
    others = {n: row["auc"] for n, row in rows.items() if n != OURS and row["auc"] is not None}
    mine = rows[OURS]["auc"]
    if mine is None or not others:
        return None
    best = max(others, key=lambda name: others[name] or 0.0)
    both = ~np.isnan(rated[OURS]) & ~np.isnan(rated[best])
    chosen = [group for group, inside in zip(groups, both.tolist(), strict=True) if inside]
    interval = auc_gain(rated[OURS][both], rated[best][both], positive[both], chosen)
    if interval is None:
        return None
    return Gain(best, mine - (others[best] or 0.0), *interval)._asdict()


def _by_size(
    rated: Mapping[str, Floats], examples: Sequence[Example], positive: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Return AUCs in the quarters of the states by size."""
    sizes = np.array([example.size for example in examples])
    cuts = np.unique(np.quantile(sizes, [0.25, 0.5, 0.75]))
    quarter = np.searchsorted(cuts, sizes, side="left")
    rows = []
    for q in np.unique(quarter).tolist():
        inside = quarter == q
        aucs = {name: _known_auc(x[inside], positive[inside]) for name, x in rated.items()}
        low, high = int(sizes[inside].min()), int(sizes[inside].max())
        rows.append({"from": low, "to": high, "states": int(inside.sum()), "auc": aucs})
    return rows


def _known_auc(x: Floats, positive: NDArray[np.bool_]) -> float | None:
    known = ~np.isnan(x)
    return auc(x[known], positive[known])


def _bins(x: Floats, outcomes: Floats) -> list[Any]:
    known = ~np.isnan(x)
    return list(reliability(x[known], outcomes[known]))


def verdict(report: Mapping[str, Any], where: str) -> str:
    """Return in words what a set says about the scorer.

    >>> gain = {"over": "size", "value": 0.02, "low": -0.01, "high": 0.05}
    >>> aucs = {"gnn": {"auc": 0.85}, "size": {"auc": 0.83}}
    >>> verdict({"raters": aucs, "gain": gain}, "worlds")
    'worlds: AUC .850, size .830. The GNN adds nothing here that these states can show \
(gain +.020, 95% interval -.010 to +.050).'
    """
    mine, gain = report["raters"][OURS]["auc"], report["gain"]
    if mine is None:
        return f"{where}: all states are of one class; nothing can be said."
    if gain is None:
        return f"{where}: AUC {_short(mine)}; too few tasks to compare it with anything."
    other = report["raters"][gain["over"]]["auc"]
    head = f"{where}: AUC {_short(mine)}, {gain['over']} {_short(other)}."
    spread = (
        f"(gain {_signed(gain['value'])}, 95% interval {_signed(gain['low'])} to "
        f"{_signed(gain['high'])})"
    )
    if gain["high"] < 0:
        return f"{head} The GNN adds nothing here: {gain['over']} is better {spread}."
    if gain["low"] <= 0:
        return f"{head} The GNN adds nothing here that these states can show {spread}."
    short = "" if mine >= AIM else f" It stays below the aim of {_short(AIM)}."
    return f"{head} The GNN adds something here {spread}.{short}"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("0.", ".", 1)
