"""`siblings`: rollouts that branch, each turn compared with its alternatives, as in TreeRPO."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from graphenv.agents.credit.base import Credit, Floats
from graphenv.agents.credit.trajectory import Trajectory
from graphenv.checks import whole

__all__ = ["SiblingsCredit", "shares"]

Path = tuple[Hashable, ...]


@dataclass(frozen=True)
class SiblingsCredit(Credit):
    """A branch is compared with the branches that were sampled beside it, in the same place.

        V(leaf)   = R of the episode that ends there
        V(parent) = mean of V over its children
        C[i, t]   = V(branch of turn t) - mean of V over its siblings

    The G episodes of a group are the leaves of one tree: at a turn an open episode goes on in
    `ways` ways, as long as there are leaves to share out (`shares`), and the turns behind the last
    branching belong to the branch that they are in. Follows TreeRPO (Yang et al., 2025).

    Range: that of differences of R; 0 for a branch without siblings. It reads returns alone, so a
    potential changes nothing. The siblings are drawn in the same state and do not depend on what
    was done in this branch, so they are a baseline: the expected update is the policy gradient.
    (With the branch itself in the mean, as published, a turn with n ways would count 1 - 1/n, and
    turns with few ways less than those with many.) The price: fewer first turns are tried, and only
    training by `rollout_func` can branch. Episodes without branches are leaves below the root, as
    under `outcome`.

    Parameters
    ----------
    ways
        How many ways lead on from a branching point, at least 2.

    Raises
    ------
    ConfigError
        If `ways` is below 2.

    >>> group = [
    ...     Trajectory((0.0, 1.0), branches=("a", "aa")),
    ...     Trajectory((0.0, 0.0), branches=("a", "ab")),
    ...     Trajectory((0.0, 0.0), branches=("b", "b")),
    ... ]
    >>> [c.tolist() for c in SiblingsCredit()(group)]
    [[0.5, 1.0], [0.5, -1.0], [-0.5, -0.5]]
    """

    name = "siblings"
    sees_turns = False
    relative = True
    ways: int = 2

    def __post_init__(self) -> None:
        whole(f"credit {self.name!r}", "ways", self.ways, 2)

    @property
    def branch(self) -> int:
        return self.ways

    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        # A branch is known by the way to it: the distinct branches of an episode, in order.
        ways: list[Path] = []
        children: dict[Path, dict[Path, None]] = {}
        ends: dict[Path, list[float]] = {}
        for place, one in enumerate(group):
            branches = one.branches or (("alone", place),) * len(one.rewards)
            way = tuple(branch for branch, _ in groupby(branches))
            ways.append(way)
            ends.setdefault(way, []).append(one.value)
            for depth in range(len(way)):
                children.setdefault(way[:depth], {})[way[: depth + 1]] = None
        value = {way: float(np.mean(found)) for way, found in ends.items()}
        for way in sorted(children, key=len, reverse=True):
            below = [value[child] for child in children[way]]
            value[way] = float(np.mean(below + ([value[way]] if way in ends else [])))
        found = []
        for way, one in zip(ways, group, strict=True):
            gains: list[float] = []
            for depth in range(len(way)):
                number = len(children[way[:depth]])
                among = value[way[: depth + 1]] - value[way[:depth]]  # itself among them
                gains.append(among * number / (number - 1) if number > 1 else 0.0)
            lengths = [len(list(run)) for _, run in groupby(one.branches)] or [len(one.rewards)]
            found.append(np.repeat(gains, lengths))
        return found


def shares(leaves: int, ways: int) -> list[int]:
    """Return how many leaves each of the next branches stands for.

    They depend on the numbers alone and never on what was played, so that no way of playing gets
    more of the group than another.

    >>> shares(8, 2), shares(3, 2), shares(1, 2)
    ([4, 4], [2, 1], [1])
    """
    count = min(leaves, ways)
    return [leaves // count + (place < leaves % count) for place in range(count)]
