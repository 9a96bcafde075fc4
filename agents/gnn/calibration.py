"""Do values mean what they say? Temperature and shift, expected calibration error, a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphenv.errors import ConfigError

__all__ = ["Bin", "calibration_error", "draw_calibration", "fit_calibration", "reliability"]

Floats = NDArray[np.float64]
LOWEST, HIGHEST = 0.05, 20.0
START = np.array([1.0, 0.0])
PULL = 0.01
"""Weight of a pull to (1, 0), which keeps both numbers finite where classes come apart."""


class Bin(NamedTuple):
    """Predictions of one interval: how many, what they say on average, what came true."""

    states: int
    predicted: float
    observed: float


def fit_calibration(logits: ArrayLike, outcomes: ArrayLike) -> tuple[float, float]:
    """Return (temperature, shift): sigmoid(logit / temperature + shift) has least cross-entropy.

    Two numbers and not isotonic regression: they keep the order of states (and so every AUC), add
    no ties, and cannot overfit the few hundred states of held-out tasks. Outcomes are
    probabilities, not classes. The temperature lies in [0.05, 20]: a scorer that orders states the
    wrong way around gets the highest, not a negative one. Fit on tasks that the model was not
    trained on. Newton's method; the loss is convex in 1 / temperature and shift.

    Source: Platt, Probabilistic outputs for support vector machines, 1999; Guo et al., On
    Calibration of Modern Neural Networks, ICML 2017.

    >>> temperature, _ = fit_calibration([4, 4, -4, -4], [1.0, 0.5, 0.0, 0.5])  # too sure
    >>> round(temperature, 1)
    3.6
    """
    x, y = np.asarray(logits, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    if not len(x):
        return 1.0, 0.0
    design = np.stack([x, np.ones_like(x)], axis=1)

    def loss(at: Floats) -> float:
        z = design @ at
        pull = PULL * float(((at - START) ** 2).sum()) / 2
        return float((np.logaddexp(0.0, z) - y * z).sum()) + pull

    at = START.copy()
    for _ in range(100):
        p = 0.5 * (1.0 + np.tanh(design @ at / 2))
        gradient = design.T @ (p - y) + PULL * (at - START)
        curve = (design * (p * (1 - p))[:, None]).T @ design + PULL * np.eye(2)
        step = np.linalg.solve(curve, gradient)
        size, here = 1.0, loss(at)
        while size > 1e-6 and loss(at - size * step) > here:
            size /= 2  # far from the minimum a whole step can overshoot
        at = at - size * step
        if float(np.abs(size * step).max()) < 1e-9:
            break
    slope = min(max(float(at[0]), 1.0 / HIGHEST), 1.0 / LOWEST)
    return 1.0 / slope, float(at[1])


def reliability(values: ArrayLike, outcomes: ArrayLike, bins: int = 10) -> list[Bin]:
    """Return the bins of equal width over [0, 1] that hold any predictions.

    >>> reliability([0.05, 0.95, 0.99], [0.0, 1.0, 0.5])
    [Bin(states=1, predicted=0.05, observed=0.0), Bin(states=2, predicted=0.97, observed=0.75)]
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
    total = sum(row.states for row in found)
    return sum(row.states * abs(row.predicted - row.observed) for row in found) / max(1, total)


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
        total = max(1, sum(row.states for row in bins))
        x, y = [row.predicted for row in bins], [row.observed for row in bins]
        axes.plot(x, y, marker="", label=name)
        axes.scatter(x, y, s=[10 + 200 * row.states / total for row in bins])
    axes.set_xlabel("predicted probability of success")
    axes.set_ylabel("share that succeeded")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    return Path(path)
