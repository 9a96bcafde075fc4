"""`Credit`: the interface of everything that says which turn earned what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from graphenv.agents.credit.trajectory import Trajectory

__all__ = ["Credit", "Floats", "to_go"]

Floats = npt.NDArray[np.float64]


class Credit(ABC):
    """What every turn of a group of episodes is held responsible for.

    An own credit is a subclass with a `name` and `__call__`; it is given to the trainer as it is.
    The properties say what it reads and how its numbers are to be taken.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name in `CREDITS`."""

    @abstractmethod
    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        """Return C: for each episode of the group an array with one number per turn."""

    @property
    def sees_turns(self) -> bool:
        """Whether it reads what single turns earned, so that shaping has an effect.

        A credit that reads returns alone sees of a potential only the constant that it sums to.
        """
        return True

    @property
    def tells_turns(self) -> bool:
        """Whether turns of one episode can get different numbers."""
        return True

    @property
    def relative(self) -> bool:
        """Whether C compares already, so that `advantages` takes no mean from it."""
        return False

    @property
    def by_token(self) -> bool:
        """Whether it wants the model's tokens in the place of turns (`Trajectory.by_token`)."""
        return False

    @property
    def branch(self) -> int:
        """Ways in which rollouts branch at a turn; 1: they do not."""
        return 1


def to_go(rewards: Sequence[float] | Floats, lam: float) -> Floats:
    """Return the sum over u >= t of lam**(u - t) * rewards[u], for every t.

    >>> to_go([0.25, 0.5], 0.5)
    array([0.5, 0.5])
    """
    total = np.array(rewards, dtype=np.float64)
    for t in range(len(total) - 2, -1, -1):
        total[t] += lam * total[t + 1]
    return total
