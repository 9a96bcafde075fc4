"""`outcome`: every turn answers for the whole episode, as in GRPO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphenv.agents.credit.base import Credit, Floats
from graphenv.agents.credit.trajectory import Trajectory

__all__ = ["OutcomeCredit"]


@dataclass(frozen=True)
class OutcomeCredit(Credit):
    """Every turn answers for the whole episode: C[i, t] = R[i].

    With `advantages` this is the group normalisation of GRPO (Shao et al., DeepSeekMath, 2024),
    the same numbers that TRL computes by itself. Range: that of the reward. Its expected update is
    the policy gradient; it cannot tell a good turn from a bad one of the same episode.

    >>> [c.tolist() for c in OutcomeCredit()([Trajectory((0.0, 1.0)), Trajectory((0.5,))])]
    [[1.0, 1.0], [0.5]]
    """

    name = "outcome"
    sees_turns = False
    tells_turns = False

    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        return [np.full(len(one.rewards), one.value) for one in group]
