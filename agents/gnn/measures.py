"""How well do scores order states? AUC, rank correlation, and intervals of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphenv.seeding import rng

__all__ = ["auc", "auc_gain", "ranks", "spearman"]

Floats = NDArray[np.float64]


def ranks(values: ArrayLike) -> Floats:
    """Return ranks from 1; equal values share the mean of theirs.

    >>> ranks([0.3, 0.1, 0.3]).tolist()
    [2.5, 1.0, 2.5]
    """
    x = np.asarray(values, dtype=np.float64)
    _, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: Floats = (last - (counts - 1) / 2)[place]
    return mean


def auc(scores: ArrayLike, positive: ArrayLike) -> float | None:
    """Return the share of (positive, negative) pairs in the right order; a tie is half a pair.

    `None` if all are of one class. By ranks: Hanley and McNeil, Radiology 1982.

    >>> auc([0.9, 0.4, 0.4, 0.1], [True, True, False, False])
    0.875
    """
    chosen = np.asarray(positive, dtype=bool)
    n, m = int(chosen.sum()), int((~chosen).sum())
    if not n or not m:
        return None
    return float((ranks(scores)[chosen].sum() - n * (n + 1) / 2) / (n * m))


def spearman(a: ArrayLike, b: ArrayLike) -> float | None:
    """Return the correlation of ranks in [-1, 1], `None` if one side is constant.

    >>> spearman([1, 2, 3], [10, 100, 30])
    0.5
    """
    x, y = ranks(a), ranks(b)
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def auc_gain(
    ours: ArrayLike,
    others: ArrayLike,
    positive: ArrayLike,
    groups: Sequence[str],
    *,
    draws: int = 300,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Return an interval of AUC(ours) - AUC(others): bootstrap over groups, which are tasks.

    States of one task are not independent, so whole tasks are drawn. `None` if too few tasks hold
    both classes. Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993.

    >>> auc_gain([3, 1, 4, 2], [1, 1, 1, 1], [True, False, True, False], ["a", "a", "b", "b"])
    (0.5, 0.5)
    """
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(place == i) for i in range(len(names))]
    x, y = np.asarray(ours, dtype=np.float64), np.asarray(others, dtype=np.float64)
    chosen = np.asarray(positive, dtype=bool)
    draw = rng("auc gain", len(names), draws)
    gains = []
    for _ in range(draws):
        rows = np.concatenate([members[i] for i in draw.integers(len(names), size=len(names))])
        mine, theirs = auc(x[rows], chosen[rows]), auc(y[rows], chosen[rows])
        if mine is not None and theirs is not None:
            gains.append(mine - theirs)
    if len(gains) < draws // 2:
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(gains, [tail, 1 - tail])
    return float(low), float(high)
