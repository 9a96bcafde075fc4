"""Intervals for few runs: interquartile mean, paired differences, proportions, pass@k.

S is the number of runs (seeds), T the number of tasks; `scores` is (S, T): what run s got on
task t. One question is right or wrong, so the score of a run is its mean over tasks, and the
interquartile mean is taken over runs.

References
----------
Agarwal et al. (2021), Deep Reinforcement Learning at the Edge of the Statistical Precipice:
interquartile mean, stratified bootstrap, probability of improvement.
Hesterberg (2015), What Teachers Should Know About the Bootstrap: with few samples the bootstrap
percentile interval is too narrow. Rao and Wu (1988), Resampling Inference with Complex Survey
Data: rescaling that makes the bootstrap variance of few samples unbiased. Owen (2007), The
Pigeonhole Bootstrap: resampling rows and columns counts their interaction three times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Interval",
    "bootstrap",
    "interquartile_mean",
    "paired_difference",
    "pass_at_k",
    "probability_of_improvement",
    "rank_correlation",
    "student_quantile",
    "success_interval",
    "verdict",
    "wilson",
]

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def to_json(self) -> dict[str, float]:
        """Return a JSON-able form."""
        return {"value": self.value, "low": self.low, "high": self.high, "level": self.level}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interquartile_mean(values: npt.ArrayLike) -> Array:
    """Return the mean of the middle half of `values` (..., n) along the last axis.

    A value that straddles a quartile counts by the share of it that lies inside, so that every n
    has a middle half: of three runs the outer two count a quarter each.

    >>> float(interquartile_mean([0.0, 0.5, 0.6, 9.0]))
    0.55
    """
    ordered = np.sort(np.asarray(values, dtype=float), axis=-1)
    n = ordered.shape[-1]
    if n == 0:
        raise ValueError("the interquartile mean of no values is not defined")
    edges = np.clip(np.arange(n + 1), n / 4, 3 * n / 4)
    inside = np.diff(edges)
    return np.asarray(ordered @ inside / inside.sum())


def bootstrap(
    scores: npt.ArrayLike,
    generator: np.random.Generator,
    *,
    strata: Sequence[object] | None = None,
    statistic: Statistic = interquartile_mean,
    level: float = 0.95,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    replicates: int = 2_000,
) -> Interval:
    """Return `statistic` over runs with an interval from resampled runs and tasks.

    Runs are drawn with replacement, and independently of them tasks within each stratum; every
    drawn run is scored on the same drawn tasks. The interval is the estimate plus and minus the
    bootstrap standard error times a Student quantile, because three runs are not thirty:
    deviations between runs are stretched by sqrt(S / (S - 1)), the noise of single runs on single
    tasks, which this resampling counts three times, is counted once, and the degrees of freedom
    are Satterthwaite's. With one run the interval speaks of the tasks alone.

    Parameters
    ----------
    scores
        (S, T) or (T,) for one run.
    generator
        Where the resampling draws from.
    strata
        T labels (environment, hops): tasks are resampled within a label.
    statistic
        Maps run scores (..., S) to (...,).
    level
        Confidence, in (0, 1).
    bounds
        The range of a score; the interval is cut to it.
    replicates
        Number of bootstrap samples.

    >>> runs = np.array([[1, 0, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]])
    >>> print(bootstrap(runs, np.random.default_rng(0), bounds=(0, 1)))
    0.750 [0.260, 1.000]
    """
    table = np.atleast_2d(np.asarray(scores, dtype=float))
    return _resampled(
        [table],
        generator,
        strata=strata,
        statistic=statistic,
        level=level,
        bounds=bounds,
        replicates=replicates,
    )


def _resampled(
    tables: Sequence[Array],
    generator: np.random.Generator,
    *,
    strata: Sequence[object] | None = None,
    statistic: Statistic = interquartile_mean,
    level: float = 0.95,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    replicates: int = 2_000,
) -> Interval:
    """The interval of the statistic of one table, or of the first's minus the second's.

    Both tables (S, T) are resampled by the same runs and tasks.
    """
    runs, tasks = tables[0].shape
    if runs == 0 or tasks == 0:
        shape = tables[0].shape
        raise ValueError(f"scores of shape {shape}: at least one run and one task are needed")
    labels = _codes(strata, tasks)
    weights = _task_draws(labels, replicates, generator)
    picked = generator.integers(runs, size=(replicates, runs)) if runs > 1 else None
    values, draws = [], []
    for table in tables:
        of_run = table.mean(axis=1)
        values.append(float(statistic(of_run)))
        drawn = weights @ table.T
        if picked is not None:
            drawn = drawn + (math.sqrt(runs / (runs - 1)) - 1) * (of_run - of_run.mean())
            drawn = np.take_along_axis(drawn, picked, axis=1)
        draws.append(statistic(drawn))
    contrast = len(tables) == 2
    value = values[0] - values[1] if contrast else values[0]
    spread = draws[0] - draws[1] if contrast else draws[0]
    shrink, freedom = _two_way(tables[0] - tables[1] if contrast else tables[0], labels)
    error = shrink * float(np.std(spread, ddof=1))
    # Rounding noise of a weighted mean must not turn "no difference at all" into a decision.
    reach = max(student_quantile(level, freedom) * error, 1e-12)
    low, high = bounds
    return Interval(value, max(low, value - reach), min(high, value + reach), level)


def _codes(strata: Sequence[object] | None, tasks: int) -> npt.NDArray[np.int64]:
    if strata is None:
        return np.zeros(tasks, dtype=np.int64)
    order = {label: i for i, label in enumerate(dict.fromkeys(strata))}
    return np.array([order[label] for label in strata], dtype=np.int64)


def _task_draws(
    labels: npt.NDArray[np.int64], replicates: int, generator: np.random.Generator
) -> Array:
    """Return (replicates, T) weights that sum to 1: how often each task was drawn, over T."""
    weights = np.zeros((replicates, len(labels)))
    for label in np.unique(labels):
        [places] = np.nonzero(labels == label)
        share = np.full(len(places), 1 / len(places))
        weights[:, places] = generator.multinomial(len(places), share, size=replicates)
    return weights / len(labels)


def _two_way(table: Array, labels: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return the factor that counts the interaction once, and the degrees of freedom.

    From the mean squares of runs, tasks and residuals: the mean over both has the variance
    (runs + tasks - residual) / (S * T), and resampling both shows runs + tasks + residual.
    """
    runs, tasks = table.shape
    for label in np.unique(labels):  # what differs between strata is not resampled
        table = table - np.where(labels == label, table[:, labels == label].mean(), 0.0)
    of_run, of_task = table.mean(axis=1), table.mean(axis=0)
    by_run = tasks * float(of_run.var(ddof=1)) if runs > 1 else 0.0
    by_task = runs * float(of_task.var(ddof=1)) if tasks > 1 else 0.0
    below = 0.0
    if runs > 1:
        below += by_run**2 / (runs - 1)
    if tasks > 1:
        below += by_task**2 / (tasks - 1)
    freedom = (by_run + by_task) ** 2 / below if below > 1e-300 else math.inf
    if runs < 2 or tasks < 2:
        return 1.0, freedom
    rest = table - of_run[:, None] - of_task[None, :] + table.mean()
    residual = float((rest**2).sum()) / ((runs - 1) * (tasks - 1))
    shown = by_run + by_task + residual
    if shown < 1e-300:
        return 1.0, freedom
    return math.sqrt(max(by_run + by_task - residual, by_run, by_task) / shown), freedom


@lru_cache(maxsize=512)
def student_quantile(level: float, freedom: float) -> float:
    """Return t with P(|T| < t) = `level` for Student's distribution.

    By T = sqrt(freedom) * tan(angle), whose density is proportional to cos(angle)^(freedom - 1).

    >>> round(student_quantile(0.95, 4), 3), round(student_quantile(0.95, math.inf), 3)
    (2.776, 1.96)
    """
    if freedom > 2_000:
        return NormalDist().inv_cdf((1 + level) / 2)
    angle = np.linspace(0, math.pi / 2, 40_001)
    density = np.cos(angle) ** (freedom - 1)
    mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return math.sqrt(freedom) * math.tan(float(np.interp(level * mass[-1], mass, angle)))


def paired_difference(
    a: npt.ArrayLike, b: npt.ArrayLike, generator: np.random.Generator, **options: Any
) -> Interval:
    """Return the interquartile mean over seeds of a's score minus that of b's, with its interval.

    `a` and `b` are (S, T), row s of both trained with the same seed, column t the same task: what
    a seed or a task adds to both cancels, because both are resampled by the same seeds and tasks.
    `options` as for `bootstrap`.

    >>> a, b = np.array([[1, 1, 0, 1]] * 3), np.array([[1, 0, 0, 0]] * 3)
    >>> paired_difference(a, b, np.random.default_rng(0)).value
    0.5
    """
    left = np.atleast_2d(np.asarray(a, dtype=float))
    right = np.atleast_2d(np.asarray(b, dtype=float))
    if left.shape != right.shape:
        raise ValueError(f"not paired: scores of shape {left.shape} and {right.shape}")
    return _resampled([left, right], generator, **options)


def verdict(difference: Interval, a: str = "A", b: str = "B") -> str:
    """Return who is better, or "undecided" when the interval of a minus b holds zero.

    >>> verdict(Interval(0.2, 0.1, 0.3)), verdict(Interval(0.2, -0.1, 0.5))
    ('A better', 'undecided')
    """
    if difference.low > 0:
        return f"{a} better"
    if difference.high < 0:
        return f"{b} better"
    return "undecided"


def probability_of_improvement(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    generator: np.random.Generator,
    *,
    strata: Sequence[object] | None = None,
    level: float = 0.95,
    replicates: int = 2_000,
) -> Interval:
    """Return the share of seeds on which a's score beats b's (a tie counts half).

    `a`, `b` are (S, T), paired by row and column. The interval is the bootstrap percentile
    interval over seeds and tasks; it is coarse by nature when S is small.
    """
    gap = np.atleast_2d(np.asarray(a, dtype=float) - np.asarray(b, dtype=float))
    runs, tasks = gap.shape
    drawn = _task_draws(_codes(strata, tasks), replicates, generator) @ gap.T
    picked = generator.integers(runs, size=(replicates, runs))
    wins = _wins(np.take_along_axis(drawn, picked, axis=1))
    low, high = np.quantile(wins, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(_wins(gap.mean(axis=1))), float(low), float(high), level)


def _wins(gap: Array) -> Array:
    signs = np.where(np.abs(gap) < 1e-12, 0.0, np.sign(gap))
    return np.asarray((signs.mean(axis=-1) + 1) / 2)


def wilson(successes: float, total: int, *, level: float = 0.95) -> Interval:
    """Return a proportion with its Wilson score interval (Wilson, 1927).

    >>> print(wilson(8, 10))
    0.800 [0.490, 0.943]
    """
    if total < 1 or not 0 <= successes <= total:
        raise ValueError(f"{successes} successes of {total} is no proportion")
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = successes / total
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    reach = math.sqrt(z2 * (share * (1 - share) / total + z2 / (4 * total**2))) / (1 + z2 / total)
    # Rounding must not leave the share itself outside.
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    return Interval(share, min(low, share), max(high, share), level)


def success_interval(
    scores: npt.ArrayLike, generator: np.random.Generator, **options: Any
) -> Interval:
    """Return the interquartile mean over runs of a truth in [0, 1] with its interval.

    As `bootstrap`; but where every run is wrong (or right) on every task, resampling shows no
    spread at all, and Wilson's interval over the T tasks stands in, as if there were one run.

    >>> print(success_interval(np.zeros((3, 10)), np.random.default_rng(0)))
    0.000 [0.000, 0.278]
    """
    table = np.atleast_2d(np.asarray(scores, dtype=float))
    if bool((table == 0.0).all()) or bool((table == 1.0).all()):
        level = float(options.get("level", 0.95))
        return wilson(float(table[0].sum()), table.shape[1], level=level)
    return bootstrap(table, generator, bounds=(0.0, 1.0), **options)


def pass_at_k(samples: int, right: int, k: int) -> float:
    """Return the unbiased estimate of P(at least one of k samples is right).

    Parameters
    ----------
    samples, right
        Samples drawn of one task, and how many of them are right.
    k
        At most `samples`.

    References
    ----------
    Chen et al. (2021), Evaluating Large Language Models Trained on Code.

    >>> pass_at_k(4, 1, 2)
    0.5
    """
    if not 1 <= k <= samples or not 0 <= right <= samples:
        raise ValueError(f"pass@{k} of {right} right in {samples} samples is not defined")
    return 1.0 - math.comb(samples - right, k) / math.comb(samples, k)


def rank_correlation(x: npt.ArrayLike, y: npt.ArrayLike) -> float | None:
    """Return Spearman's rank correlation; `None` if either side is constant.

    >>> rank_correlation([1, 2, 3], [10, 20, 90])
    1.0
    """
    left, right = _ranks(np.asarray(x, dtype=float)), _ranks(np.asarray(y, dtype=float))
    if len(left) < 2 or left.std() == 0 or right.std() == 0:
        return None
    return round(float(np.corrcoef(left, right)[0, 1]), 12)


def _ranks(values: Array) -> Array:
    """Ranks from 0; tied values share their mean rank."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    return np.asarray((first + (size - 1) / 2)[group], dtype=float)
