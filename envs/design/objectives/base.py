"""What an objective is: a number in [0, 1] for a network, and for many of them at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from graphenv.envs.design.network import Network, Pair

__all__ = ["Objective"]

_ROOM = 2_000_000
"""Numbers held at once, so that a batch of networks fits in the cache of a machine."""


class Objective(ABC):
    """A function of networks with values in [0, 1]; more is better.

    `key` names the task: what is drawn at random (removal orders) is drawn from it, so that all
    networks of one task meet the same draws, and another task others.
    """

    words: ClassVar[str]
    """What it is, as a prompt tells it."""

    @abstractmethod
    def values(self, adjacency: np.ndarray, key: str) -> np.ndarray:
        """Return the values (B,) of networks given as (B, n, n) of bool."""

    def value(self, network: Network, key: str) -> float:
        """Return the value of one network."""
        return float(self.values(network.adjacency[None], key)[0])

    def work(self, size: int) -> int:
        """Return what one value costs, in operations on numbers; bounds a search."""
        return size**3

    def search_work(self, size: int, count: int) -> int:
        """Return what judging `count` missing edges of a network costs."""
        return count * self.work(size)

    def after_adding(self, network: Network, pairs: Sequence[Pair], key: str) -> np.ndarray:
        """Return the values (C,) with each of some missing edges added by itself."""
        return self._changed(network, pairs, key, present=True)

    def after_removing(self, network: Network, pairs: Sequence[Pair], key: str) -> np.ndarray:
        """Return the values (C,) with each of some edges removed by itself."""
        return self._changed(network, pairs, key, present=False)

    def promise(self, network: Network, pairs: Sequence[Pair], key: str) -> np.ndarray:
        """Return what a greedy search ranks missing edges by: their values, unless it is flat."""
        return self.after_adding(network, pairs, key)

    def _changed(
        self, network: Network, pairs: Sequence[Pair], key: str, *, present: bool
    ) -> np.ndarray:
        size = len(network)
        room = max(1, _ROOM // self.work(size))
        found = np.zeros(len(pairs))
        for at in range(0, len(pairs), room):
            batch = np.array(pairs[at : at + room], dtype=int).reshape(-1, 2)
            stack = np.repeat(network.adjacency[None], len(batch), axis=0)
            rows = np.arange(len(batch))
            stack[rows, batch[:, 0], batch[:, 1]] = present
            stack[rows, batch[:, 1], batch[:, 0]] = present
            found[at : at + room] = self.values(stack, key)
        return found
