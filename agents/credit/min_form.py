"""`min-form`: an episode is worth its worst turn, as in PURE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphenv.agents.credit.base import Credit, Floats, to_go
from graphenv.agents.credit.trajectory import Trajectory
from graphenv.errors import ConfigError

__all__ = ["MinFormCredit"]


@dataclass(frozen=True)
class MinFormCredit(Credit):
    """The turns up to the worst one answer for it: C[i, t] = verdict[i] + sum over u >= t of r*[u].

        r*[t] = softmax over turns of (-p / T) at t, times p[t]

    p[t] is what turn t earned by itself (the verdict is no turn's own). As T falls the sum of r*
    tends to the smallest p. So turns before and at the worst one are paid by it, those behind it
    only by the verdict, and a mistake cannot be made up for by many good turns: padding an episode
    with paid turns does not raise its return (Cheng et al., PURE, "Stop summation", 2025).

    Range: that of the verdict plus that of one turn. It wants scores that judge a turn. A potential
    is the wrong reward for it: its last difference, -phi(s_{T-1}), is large where all went well,
    and is taken for the worst turn.

    Parameters
    ----------
    temperature
        T, above 0; the published 0.1 by default.

    Raises
    ------
    ConfigError
        If `temperature` is not above 0.

    >>> [c.round(3).tolist() for c in MinFormCredit()([Trajectory((1.0, -1.0, 2.5), settled=1.5)])]
    [[0.5, 0.5, 1.5]]
    """

    name = "min-form"
    temperature: float = 0.1

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ConfigError(
                f"credit {self.name!r}: temperature={self.temperature!r} must be above 0"
            )

    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        return [one.verdict + to_go(self.weighed(one.process), 1.0) for one in group]

    def weighed(self, process: Sequence[float]) -> Floats:
        """Return r* of the earnings p of an episode's turns."""
        p = np.asarray(process, dtype=np.float64)
        weights = np.exp((p.min() - p) / self.temperature)  # the largest exponent is 0
        found: Floats = weights / weights.sum() * p
        return found
