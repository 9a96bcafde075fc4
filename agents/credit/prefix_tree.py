"""`prefix-tree`: episodes that begin alike estimate each other's values, as in TEMPO."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from graphenv.agents.credit.base import Credit, Floats
from graphenv.agents.credit.trajectory import Trajectory
from graphenv.checks import one_of

__all__ = ["PrefixTreeCredit"]


@dataclass(frozen=True)
class PrefixTreeCredit(Credit):
    """The advantage of the episode, plus what the turn changed in the value of the beginning.

        V(prefix) = mean of R over the episodes of the group that begin with it
        C[i, t]   = (R[i] - mean R) + (V(first t + 1 turns of i) - V(first t turns of i))

    Two episodes share a prefix while the model wrote the same. Where all that begin like i go on
    like i the second part is 0; where they part it is the estimated advantage of the choice. The
    published form divides both parts by the standard deviation of R (Tran et al., TEMPO, 2025);
    `advantages` divides by the spread of C, which is another factor for the whole group.

    Range: twice that of R - mean R. It reads returns alone, so a potential changes nothing. The
    difference of values telescopes: over the turns of i it sums to R[i] - mean R, once more.

    Parameters
    ----------
    by
        `turn`, or `token`: prefixes of the model's tokens, whatever turn they stand in. That is the
        published one, and the only one that says anything about episodes of one turn.

    Raises
    ------
    ConfigError
        If `by` is neither.

    >>> group = [
    ...     Trajectory((0.0, 1.0), said=("a", "b")),
    ...     Trajectory((0.0, 0.0), said=("a", "c")),
    ... ]
    >>> [c.tolist() for c in PrefixTreeCredit()(group)]
    [[0.5, 1.0], [-0.5, -1.0]]
    """

    name = "prefix-tree"
    sees_turns = False
    relative = True
    by: str = "turn"

    def __post_init__(self) -> None:
        one_of(f"credit {self.name!r}", "by", self.by, ("turn", "token"))

    @property
    def by_token(self) -> bool:
        return self.by == "token"

    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        if not group:
            return []
        # Prefixes are numbered as they appear; 0 is the empty one.
        numbers: dict[tuple[int, Hashable], int] = {}
        paths: list[list[int]] = []
        for one in group:
            path = [0]
            for said in one.keys("said"):
                path.append(numbers.setdefault((path[-1], said), len(numbers) + 1))
            paths.append(path)
        total, count = np.zeros(len(numbers) + 1), np.zeros(len(numbers) + 1)
        for one, path in zip(group, paths, strict=True):
            total[path] += one.value
            count[path] += 1
        value = total / count
        return [
            one.value - value[0] + np.diff(value[path])
            for one, path in zip(group, paths, strict=True)
        ]
