"""How long the compiled core takes inside a call, graph by graph and pair by pair."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from graphenv.graph import Graph
from graphenv.rewards.ged import GEDResult, ged_batch
from graphenv.rewards.ged.solver import require_core

__all__ = ["ALWAYS", "Measured", "measure"]

ALWAYS = 10**9
"""A budget at which every pair of these benchmarks is solved exactly."""


@dataclass(frozen=True)
class Measured:
    """Results of a batch on one thread and its CPU seconds.

    `whole` is the call, from graphs to results; `solver` its compiled search alone, for every pair
    that was asked for; `core` the same with the encoding of both graphs in it, as if every pair
    came alone; `rest` is what the call spends otherwise, shared out equally.

    A batch solves equal pairs once. Here they count as often as they were asked for, or a mean
    over pairs would be that of another distribution; `distinct` says how many were solved.
    """

    results: list[GEDResult]
    distinct: int
    whole: float
    solver: npt.NDArray[np.float64]
    core: npt.NDArray[np.float64]
    rest: float

    @property
    def mean_us(self) -> float:
        """Mean microseconds of a pair: search, and an equal share of all else, encoding too."""
        return float(self.solver.mean() + self.rest) * 1e6

    @property
    def median_us(self) -> float:
        """The same with the median of the search."""
        return float(np.median(self.solver) + self.rest) * 1e6

    @property
    def core_median_us(self) -> float:
        """Median microseconds of encoding and search."""
        return float(np.median(self.core)) * 1e6


def measure(
    pairs: Sequence[tuple[Graph, Graph]], *, rounds: int = 3, budget: int = ALWAYS
) -> Measured:
    """Solve the pairs in one batch, `rounds` times; keep medians.

    The whole call is timed undisturbed; then the core's entry points are called once per graph and
    per pair with a clock around each, which adds some microseconds to every one.
    """
    whole, solving, encoding = [], [], []
    for _ in range(rounds):
        start = time.process_time()
        results = ged_batch(pairs, budget=budget, threads=1)
        whole.append(time.process_time() - start)
    core = require_core()
    encode, solve = core.encode_run, core.solve_run
    ends: list[tuple[int, int]] = []

    def timed_encode(which: npt.NDArray[np.int64], words: Any, at: Any, *rest: Any) -> None:
        took = np.zeros(len(at) - 1)
        for g in which:
            start = time.thread_time()
            encode(np.array([g]), words, at, *rest)
            took[g] = time.thread_time() - start
        encoding.append(took)

    def timed_solve(which: npt.NDArray[np.int64], *rest: Any) -> None:
        took = np.zeros(len(which))
        for p in which:
            start = time.thread_time()
            solve(np.array([p]), *rest)
            took[p] = time.thread_time() - start
        solving.append(took)
        ends[:] = zip(rest[4].tolist(), rest[5].tolist(), strict=True)

    try:
        core.encode_run, core.solve_run = timed_encode, timed_solve
        for _ in range(rounds):
            ged_batch(pairs, budget=budget, threads=1)
    finally:
        core.encode_run, core.solve_run = encode, solve
    solver, graphs = np.median(solving, axis=0), np.median(encoding, axis=0)
    first, second = np.array(ends).T
    compiled = solver + graphs[first] + graphs[second]
    # Equal pairs share what was found; they are solved in order of appearance.
    numbers: dict[int, int] = {}
    which = [numbers.setdefault(id(result._image), len(numbers)) for result in results]
    seconds = float(np.median(whole))
    return Measured(
        results,
        len(solver),
        seconds,
        solver[which],
        compiled[which],
        max(0.0, seconds - float(solver.sum())) / len(solver),
    )
