"""Transforms of what turns earned, put before a credit: `turn(lam=0.9)|delta`.

They change p, what turns earned by themselves, and never the verdict. They exist because a sum of
step scores can be raised by repeating what pays (Gao et al., "On designing effective RL reward at
training time for LLM reasoning", 2024).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphenv.agents.credit.base import Credit, Floats
from graphenv.agents.credit.trajectory import Trajectory
from graphenv.errors import ConfigError

__all__ = ["Clip", "Delta", "Par", "Transform", "Transformed"]


class Transform(ABC):
    """Changes what the turns of a group earned."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name in `TRANSFORMS`."""

    @abstractmethod
    def __call__(self, group: Sequence[Trajectory]) -> list[Trajectory]:
        """Return the group with other earnings."""


@dataclass(frozen=True)
class Delta(Transform):
    """A turn earns its score less that of the next: p'[t] = p[t] - p[t+1].

    The last but one earns p[t], the last 0. The sum from any turn on telescopes to p of that turn,
    so under `turn(lam=1)` a turn gets its own score and the verdict, and more turns cannot add up
    to more (Gao et al., 2024). Range: that of a difference of two scores. An episode of one turn
    earns nothing of its own.

    >>> Delta()([Trajectory((0.5, 0.25, 1.0), settled=1.0)])[0].rewards
    (0.25, 0.25, 1.0)
    """

    name = "delta"

    def __call__(self, group: Sequence[Trajectory]) -> list[Trajectory]:
        found = []
        for one in group:
            p = [*one.process[:-1], 0.0]
            changed = [here - after for here, after in zip(p, [*p[1:], 0.0], strict=True)]
            found.append(one.with_process(changed))
        return found


@dataclass(frozen=True)
class Clip(Transform):
    """A turn can only lose: p'[t] = min(p[t] - eta, 0).

    Good enough turns earn 0, so no number of them is worth anything (Gao et al., 2024). Range: at
    most 0.

    Parameters
    ----------
    eta
        What a turn must earn to be good enough.

    >>> Clip(eta=0.25)([Trajectory((0.5, 0.0, 1.0), settled=1.0)])[0].rewards
    (0.0, -0.25, 0.75)
    """

    name = "clip"
    eta: float = 0.0

    def __call__(self, group: Sequence[Trajectory]) -> list[Trajectory]:
        return [one.with_process([min(p - self.eta, 0.0) for p in one.process]) for one in group]


@dataclass(frozen=True)
class Par(Transform):
    """A turn earns how often it beats the others: p'[i, t] = mean over j of sigmoid(d/T) - 1/2.

    d = p[i, t] - p[j, t], j the other episodes of the group; one that has ended stands there with
    its last. Preference as reward (PAR, Fu et al., 2025) takes the mean sigmoid of a score less
    those of references; here the references are the group, and the half that equals would get is
    taken away, or every further turn would pay. Range: (-1/2, 1/2) a turn, and the group sums to 0
    where all play on.

    Parameters
    ----------
    temperature
        T, above 0: the difference of scores that is worth noticing.

    Raises
    ------
    ConfigError
        If `temperature` is not above 0.

    >>> one, other = Par()([Trajectory((8.0, 1.0)), Trajectory((-8.0, 0.0))])
    >>> round(one.rewards[0], 3), round(other.rewards[0], 3)
    (0.5, -0.5)
    """

    name = "par"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ConfigError(f"credit '|par': temperature={self.temperature!r} must be above 0")

    def __call__(self, group: Sequence[Trajectory]) -> list[Trajectory]:
        if len(group) < 2:
            return [one.with_process([0.0] * len(one.rewards)) for one in group]
        length = max(len(one.rewards) for one in group)
        p = np.array([np.pad(o.process, (0, length - len(o.rewards)), mode="edge") for o in group])
        # tanh(x / 2) / 2 = sigmoid(x) - 1/2, without overflow; an episode beside itself gives 0.
        better = np.tanh((p[:, None] - p[None, :]) / (2 * self.temperature)) / 2
        mean = better.sum(axis=1) / (len(group) - 1)
        return [
            one.with_process(mean[i, : len(one.rewards)].tolist()) for i, one in enumerate(group)
        ]


@dataclass(frozen=True)
class Transformed(Credit):
    """A credit behind a transform.

    >>> group = [Trajectory((0.5, 0.25, 1.0), settled=1.0)]
    >>> from graphenv.agents.credit.turn import TurnCredit
    >>> [c.tolist() for c in Transformed(TurnCredit(lam=1.0), Delta())(group)]
    [[1.5, 1.25, 1.0]]
    """

    credit: Credit
    transform: Transform

    @property
    def name(self) -> str:
        return f"{self.credit.name}|{self.transform.name}"

    @property
    def sees_turns(self) -> bool:
        return True  # the sum of transformed earnings depends on the turns

    @property
    def tells_turns(self) -> bool:
        return self.credit.tells_turns

    @property
    def relative(self) -> bool:
        return self.credit.relative

    @property
    def by_token(self) -> bool:
        return self.credit.by_token

    @property
    def branch(self) -> int:
        return self.credit.branch

    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        return self.credit(self.transform(group))
