"""`trajectory-graph`: a step that several episodes took answers for all of them, as in SALT."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from graphenv.agents.credit.base import Credit, Floats
from graphenv.agents.credit.trajectory import Trajectory

__all__ = ["TrajectoryGraphCredit"]

StepKey = tuple[Hashable, Hashable, Hashable]


@dataclass(frozen=True)
class TrajectoryGraphCredit(Credit):
    """A shared step gets the mean advantage of the episodes that took it.

        A[i]    = R[i] - mean over the group of R
        C[i, t] = mean of A[j] over the episodes j that hold step (i, t)

    A step is (state, what was done, next state), with states by `Episode.state_keys`: the episodes
    of the group are paths in one graph, and a step is an edge of it. Where an episode goes a way
    of its own, its turns keep A[i]; on the way that good and bad episodes share, their advantages
    cancel, so common turns are neither rewarded nor punished for what came later. Follows SALT (Li
    et al., Findings of EACL 2026), with the states of the environment in the place of its
    comparison of texts. An episode counts once for a step that it takes twice.

    Range: within that of A. It reads returns alone, so a potential changes nothing. It averages
    over few episodes and its own is among them: a bias towards 0 that falls with the group.

    >>> group = [
    ...     Trajectory((0.0, 1.0), states=("s", "a", "won"), actions=("go", "take")),
    ...     Trajectory((0.0, 0.0), states=("s", "a", "lost"), actions=("go", "drop")),
    ... ]
    >>> [c.tolist() for c in TrajectoryGraphCredit()(group)]
    [[0.0, 0.5], [0.0, -0.5]]
    """

    name = "trajectory-graph"
    sees_turns = False
    relative = True

    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        if not group:
            return []
        values = np.array([one.value for one in group])
        advantage = values - values.mean()
        steps = [_steps(one) for one in group]
        through: dict[StepKey, list[float]] = {}
        for own, mine in zip(steps, advantage, strict=True):
            for step in dict.fromkeys(own):
                through.setdefault(step, []).append(float(mine))
        mean = {step: float(np.mean(found)) for step, found in through.items()}
        return [np.array([mean[step] for step in own]) for own in steps]


def _steps(one: Trajectory) -> list[StepKey]:
    states, actions = one.keys("states"), one.keys("actions")
    return list(zip(states[:-1], actions, states[1:], strict=True))
