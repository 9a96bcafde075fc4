"""`advantages`: what a turn is held responsible for, compared within its group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from graphenv.agents.credit.base import Credit, Floats
from graphenv.agents.credit.trajectory import Trajectory
from graphenv.errors import ConfigError

__all__ = ["EPSILON", "Scale", "advantages"]

Scale = Literal["group", "batch", "none"]

EPSILON = 1e-4
"""Added to the standard deviation that advantages are divided by; TRL's value."""


def advantages(
    credit: Credit,
    trajectories: Sequence[Trajectory | None],
    group_size: int,
    *,
    scale: Scale = "group",
) -> list[Floats | None]:
    """Return the advantage of every turn of a batch.

    A turn is compared with what the members of its group are held responsible for at the same
    turn; a member that has ended stands there with its last:

        D[i, t] = C[i, t] - mean over all j of C[j, min(t, T_j)]
        A[i, t] = D[i, t] / (sigma + eps)
        sigma^2 = sum over i of (mean over t of D[i, t]^2) / (G - 1)

    So episodes that are alike get nothing, every episode weighs the same however many turns it has,
    and where all turns of an episode share one number these are the advantages of GRPO. The share
    of i in its own mean scales D by 1 - 1/G; what is left of the mean does not depend on what i
    did, so the expected update (before the division) is that of C itself. A `relative` credit has
    compared already: D = C.

    Parameters
    ----------
    credit
        How scores become C.
    trajectories
        B episodes, groups one after another; `None`: nothing is known of this one (a verifier
        crashed). It is left out of its group, as TRL does.
    group_size
        Episodes per group; divides B.
    scale
        sigma of the `group`, of the whole `batch` around its mean, or `none` (no division); TRL's
        `scale_rewards`.

    Returns
    -------
    list
        For each episode an array of its turns' advantages, or `None` where its trajectory is. A
        group with a single known episode has nothing to compare with: zeros.

    Raises
    ------
    ConfigError
        If `group_size` does not divide B.

    >>> from graphenv.agents.credit.turn import TurnCredit
    >>> group = [Trajectory((0.0, 1.0)), Trajectory((0.0,))]
    >>> advantages(TurnCredit(lam=1), group, 2, scale="none")
    [array([0.5, 0.5]), array([-0.5])]
    """
    if group_size < 1 or len(trajectories) % group_size:
        raise ConfigError(f"{len(trajectories)} episodes do not make groups of {group_size}")
    found: list[Floats | None] = [None] * len(trajectories)
    credited: list[Floats] = []
    for begin in range(0, len(trajectories), group_size):
        places = range(begin, begin + group_size)
        known = [(place, one) for place in places if (one := trajectories[place]) is not None]
        group = credit([one for _, one in known])
        credited += group
        differences = group if credit.relative else _centred(group)
        divisor = 1.0 if scale != "group" else _spread(differences) + EPSILON
        for (place, _), difference in zip(known, differences, strict=True):
            found[place] = difference / divisor
    if scale == "batch":
        divisor = _spread(credited if credit.relative else _centred(credited)) + EPSILON
        found = [None if turns is None else turns / divisor for turns in found]
    return found


def _centred(group: Sequence[Floats]) -> list[Floats]:
    """Return D: each turn minus the mean of the group at that turn, ended ones at their last."""
    length = max((len(turns) for turns in group), default=0)
    held = [np.pad(turns, (0, length - len(turns)), mode="edge") for turns in group]
    mean = np.mean(held, axis=0) if held else np.zeros(0)
    return [turns - mean[: len(turns)] for turns in group]


def _spread(differences: Sequence[Floats]) -> float:
    """Return sigma: every difference weighs one over the turns of its episode."""
    if len(differences) < 2:
        return 0.0
    squares = sum(float(np.mean(turns**2)) for turns in differences)
    return float(np.sqrt(squares / (len(differences) - 1)))
