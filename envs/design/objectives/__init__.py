"""What a network is designed for: one row an objective, each with values in [0, 1]."""

from __future__ import annotations

from graphenv.envs.design.objectives.base import Objective
from graphenv.envs.design.objectives.user import UserObjective
from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.references import load_row

__all__ = ["OBJECTIVES", "Objective", "make_objective"]

OBJECTIVES: dict[str, str] = {
    "robustness_random": "graphenv.envs.design.objectives.robustness:RandomRemoval",
    "robustness_targeted": "graphenv.envs.design.objectives.robustness:TargetedRemoval",
    "efficiency": "graphenv.envs.design.objectives.distances:Efficiency",
    "diameter": "graphenv.envs.design.objectives.distances:Diameter",
    "spectral_gap": "graphenv.envs.design.objectives.spectrum:SpectralGap",
}

_DRAWN = ("robustness_random", "robustness_targeted")


def make_objective(name: str, *, orders: int = 2) -> Objective:
    """Return an objective of the table, or the user's own by `"module:attribute"`.

    `orders` is the number of removal orders for each node, where there are any (published: 2).

    Raises
    ------
    UnknownNameError
        If there is none of that name; the nearest ones are offered.
    ConfigError
        If a function of the user's cannot be loaded.

    >>> type(make_objective("efficiency")).__name__
    'Efficiency'
    """
    if isinstance(name, str) and ":" in name:
        return UserObjective(name)
    if name not in OBJECTIVES:
        hint = did_you_mean(str(name), OBJECTIVES)
        raise UnknownNameError(
            f"objective {name!r} is unknown.{hint} One of your own is written 'module:attribute'."
        )
    cls = load_row(OBJECTIVES[name])
    found: Objective = cls(orders=orders) if name in _DRAWN else cls()
    return found
