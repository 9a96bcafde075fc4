"""The value of a state by a learned scorer, as a potential."""

from __future__ import annotations

from typing import ClassVar

from graphenv.episode import State
from graphenv.rewards.process.opinions import Scored
from graphenv.rewards.terms import ShapingTerm
from graphenv.scorers import view_of
from graphenv.task import Task

__all__ = ["GnnValue"]


class GnnValue(Scored, ShapingTerm):
    """Potential: the probability that the graph so far leads to success, as a scorer estimates it.

    0 where no graph is kept. `None` if the scorer does not know the state before the first turn; a
    later state that it does not know has the potential 0. However wrong the scorer is, the best
    policies stay the best ones (`graphenv.rewards.operators.Potential` has the proof): it can only
    help or delay learning. It needs a credit that sees turns.

    Parameters
    ----------
    scorer
        Folder of a saved scorer (`graphenv train-scorer`).

    Raises
    ------
    DataError, ConfigError
        If there is no scorer, or one of an unknown kind.

    References
    ----------
    Ng, Harada, Russell, Policy invariance under reward transformations, ICML 1999.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"step.graph"})

    def potential(self, task: Task, state: State) -> float | None:
        """Return the estimate in [0, 1]."""
        return self.value(view_of(task, state))
