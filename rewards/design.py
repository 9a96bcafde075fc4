"""Terms about the objective that a network is designed for; the environment computes its values."""

from __future__ import annotations

from typing import ClassVar

from graphenv.episode import Episode, State
from graphenv.rewards.terms import EndTerm, Grade, ShapingTerm, published
from graphenv.task import Task

__all__ = ["Objective", "ObjectiveValue"]

_PAPERS = ("rnet-dqn",)


class Objective(EndTerm):
    """(F(end) - F(start)) / (F(best) - F(start)), cut to [0, 1]: the share of the best known gain.

    F is the objective of the environment in [0, 1], `best` the best design that is known of the
    task. 0 without a design, and for one that is no better than the start; where no better design
    than the start is known, 1 for one that is no worse. Blind to how many edges were used.

    Parameters
    ----------
    paper
        `"rnet-dqn"`: the published F(end) - F(start) in [-1, 1], for comparison; 0 without a
        design. Its scale differs from task to task, and small gains are small numbers (they are
        multiplied by 100 in the published training).

    References
    ----------
    `paper`: Darvariu, Hailes and Musolesi, Goal-directed graph construction using reinforcement
    learning, Proceedings of the Royal Society A 477, 2021.

    Examples
    --------
    >>> from graphenv.rewards import parse
    >>> parse("objective").range, parse("objective(paper='rnet-dqn')").range
    ((0.0, 1.0), (-1.0, 1.0))
    """

    needs: ClassVar[frozenset[str]] = frozenset({"step.objective", "target.objective"})

    def __init__(self, *, paper: str | None = None) -> None:
        self.paper = published("objective", paper, _PAPERS)
        if self.paper:
            self.range = (-1.0, 1.0)

    def score(self, episode: Episode) -> Grade | float:
        """Return the share of the gain, or the gain as published."""
        outcome = episode.outcome
        if outcome is None or outcome.status != "ok" or not episode.steps:
            return 0.0
        last = episode.steps[-1].values
        start, end, best = episode.start_values["objective"], last["objective"], last["best"]
        gain = end - start
        told = {"start": start, "end": end, "best": best}
        if self.paper:
            return Grade(gain, told)
        share = gain / (best - start) if best > start else float(gain >= 0.0)
        return Grade(min(max(share, 0.0), 1.0), told)


class ObjectiveValue(ShapingTerm):
    """Potential: the objective F of the network so far, in [0, 1].

    Differences of it pay each edge by what it gains at once, so an edge that pays only together
    with the next one is paid late; the sum over an episode does not depend on the way.

    >>> from graphenv.rewards import parse
    >>> parse("objective + potential(objective_value)").has_shaping
    True
    """

    needs: ClassVar[frozenset[str]] = frozenset({"step.objective"})

    def potential(self, task: Task, state: State) -> float | None:
        """Return the value in [0, 1]."""
        return state.values.get("objective")
