"""An objective of the user's own, named as text so that an environment's arguments stay text."""

from __future__ import annotations

import math

import numpy as np

from graphenv.envs.design.network import Network
from graphenv.envs.design.objectives.base import Objective
from graphenv.errors import ConfigError
from graphenv.references import load_attribute

__all__ = ["UserObjective"]


class UserObjective(Objective):
    """A function `"module:attribute"` of a `Graph` that returns a number in [0, 1].

    The graph is undirected, its nodes are called by their numbers: "0", "1" ...
    It must return the same for the same graph. The first line of its docstring is what agents are
    told.

    Raises
    ------
    ConfigError
        If it cannot be loaded or is not callable; in use, if it returns anything else.
    """

    def __init__(self, function: str) -> None:
        self.function = function
        found = load_attribute(function)
        if not callable(found):
            raise ConfigError(f"objective={function!r}: not callable")
        told = (getattr(found, "__doc__", None) or "").strip().partition("\n")[0].rstrip(".")
        self.words = told or "a given objective"  # type: ignore[misc]

    def work(self, size: int) -> int:
        return 100 * size**3

    def values(self, adjacency: np.ndarray, key: str) -> np.ndarray:
        return np.array([self._value(tied) for tied in adjacency])

    def _value(self, tied: np.ndarray) -> float:
        rows, columns = np.nonzero(np.triu(tied, 1))
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        value = load_attribute(self.function)(Network.of(len(tied), pairs).graph)
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if not numeric or not math.isfinite(value) or not 0.0 <= value <= 1.0:
            raise ConfigError(
                f"objective={self.function!r} returned {value!r}; a number in [0, 1] is asked for. "
                "Divide by the largest value that it can have."
            )
        return float(value)
