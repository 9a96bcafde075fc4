"""Do values mean what they say? Temperature, expected calibration error, a picture of both."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphenv.errors import ConfigError

__all__ = ["Bin", "calibration_error", "draw_calibration", "fit_temperature", "reliability"]

Floats = NDArray[np.float64]
LOWEST, HIGHEST = 0.05, 20.0


class Bin(NamedTuple):
    """Predictions of one interval: how many, what they say on average, what came true."""

    count: int
    predicted: float
    observed: float


def fit_temperature(logits: ArrayLike, outcomes: ArrayLike) -> float:
    """Return the T in [0.05, 20] for which sigmoid(logit / T) has the least cross-entropy.

    Temperature and not isotonic regression: it is one number, keeps the order of states (and so
    every AUC), adds no ties, and cannot overfit the few hundred states of held-out tasks. Outcomes
    are probabilities, not classes. Fit on tasks that the model was not trained on.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017.

    >>> round(fit_temperature([4.0, 4.0, -4.0, -4.0], [1.0, 0.5, 0.0, 0.5]), 1)  # too sure
    3.6
    """
    x, y = np.asarray(logits, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    if not len(x):
        return 1.0

    def loss(log_t: float) -> float:
        z = x / math.exp(log_t)
        return float(np.mean(np.logaddexp(0.0, z) - y * z))

    return math.exp(_minimum(loss, math.log(LOWEST), math.log(HIGHEST)))


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one minimum has it, by golden section."""
    ratio = (math.sqrt(5) - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    at_a, at_b = function(a), function(b)
    for _ in range(60):
        if at_a <= at_b:
            high, b, at_b = b, a, at_a
            a = high - ratio * (high - low)
            at_a = function(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + ratio * (high - low)
            at_b = function(b)
    return (low + high) / 2


def reliability(values: ArrayLike, outcomes: ArrayLike, bins: int = 10) -> list[Bin]:
    """Return the bins of equal width over [0, 1] that hold any predictions.

    >>> reliability([0.05, 0.95, 0.99], [0.0, 1.0, 0.5])
    [Bin(count=1, predicted=0.05, observed=0.0), Bin(count=2, predicted=0.97, observed=0.75)]
    """
    x, y = np.asarray(values, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    place = np.minimum((x * bins).astype(int), bins - 1)
    found = []
    for i in range(bins):
        inside = place == i
        if inside.any():
            found.append(Bin(int(inside.sum()), float(x[inside].mean()), float(y[inside].mean())))
    return found


def calibration_error(values: ArrayLike, outcomes: ArrayLike, bins: int = 10) -> float:
    """Return the expected calibration error in [0, 1]: mean |predicted - observed| over states.

    >>> round(calibration_error([0.05, 0.95, 0.99], [0.0, 1.0, 0.5]), 3)
    0.163
    """
    found = reliability(values, outcomes, bins)
    total = sum(row.count for row in found)
    return sum(row.count * abs(row.predicted - row.observed) for row in found) / max(1, total)


def draw_calibration(shown: Sequence[tuple[str, Sequence[Bin]]], path: str | Path) -> Path:
    """Draw predicted against observed of several sets of states; return the file.

    Raises
    ------
    ConfigError
        If matplotlib is not installed (extra `plot`).
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError(
            'a calibration plot needs matplotlib: pip install "graphenv[plot]"'
        ) from error
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle="--")
    for name, bins in shown:
        total = max(1, sum(row.count for row in bins))
        x, y = [row.predicted for row in bins], [row.observed for row in bins]
        axes.plot(x, y, marker="", label=name)
        axes.scatter(x, y, s=[10 + 200 * row.count / total for row in bins])
    axes.set_xlabel("predicted probability of success")
    axes.set_ylabel("share that succeeded")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    return Path(path)
