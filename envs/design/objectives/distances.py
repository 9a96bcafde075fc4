"""Objectives of distances: efficiency and diameter."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from graphenv.envs.design.network import Network, Pair
from graphenv.envs.design.objectives.base import Objective

__all__ = ["Diameter", "Efficiency", "hops"]

_ROOM = 2_000_000


def hops(adjacency: np.ndarray) -> np.ndarray:
    """Return the distances (B, n, n) between nodes, `inf` where there is no way.

    >>> hops(Network.of(3, [(0, 1), (1, 2)]).adjacency[None])[0].tolist()
    [[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 0.0]]
    """
    size = adjacency.shape[1]
    step = adjacency.astype(np.float32)
    found = np.full(adjacency.shape, np.inf)
    reached = np.repeat(np.eye(size, dtype=bool)[None], len(adjacency), axis=0)
    found[reached] = 0.0
    for distance in range(1, size):
        fresh = (np.matmul(reached.astype(np.float32), step) > 0) & ~reached
        if not fresh.any():
            break
        found[fresh] = distance
        reached |= fresh
    return found


class _Distances(Objective):
    def search_work(self, size: int, count: int) -> int:
        return count * size**2

    def values(self, adjacency: np.ndarray, key: str) -> np.ndarray:
        return self.of_hops(hops(adjacency))

    def after_adding(self, network: Network, pairs: Sequence[Pair], key: str) -> np.ndarray:
        return self._added(network, pairs, self.of_hops)

    def _added(
        self,
        network: Network,
        pairs: Sequence[Pair],
        judge: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        """Judge the distances with each edge added: a way uses the new edge once or not at all."""
        size = len(network)
        now = hops(network.adjacency[None])[0]
        room = max(1, _ROOM // max(1, size * size))
        found = np.zeros(len(pairs))
        for at in range(0, len(pairs), room):
            batch = np.array(pairs[at : at + room], dtype=int).reshape(-1, 2)
            to, back = now[batch[:, 0]], now[batch[:, 1]]
            over = np.minimum(
                to[:, :, None] + 1 + back[:, None, :], back[:, :, None] + 1 + to[:, None, :]
            )
            found[at : at + room] = judge(np.minimum(now[None], over))
        return found

    @abstractmethod
    def of_hops(self, distances: np.ndarray) -> np.ndarray:
        """Return the values (B,) of networks with these distances (B, n, n)."""


class Efficiency(_Distances):
    """Global efficiency: the mean over pairs of nodes of 1 / distance; 1 for the complete graph.

    In [0, 1] as it is; pairs without a way count 0.

    References
    ----------
    Latora and Marchiori, Efficient behavior of small-world networks, Physical Review Letters 2001.

    >>> round(Efficiency().value(Network.of(3, [(0, 1), (1, 2)]), ""), 4)
    0.8333
    """

    words: ClassVar[str] = "efficiency: the mean over all pairs of nodes of 1 / distance"

    def of_hops(self, distances: np.ndarray) -> np.ndarray:
        size = distances.shape[1]
        if size < 2:
            return np.ones(len(distances))
        near = np.where(distances > 0, 1.0 / np.maximum(distances, 1.0), 0.0)
        means: np.ndarray = near.sum(axis=(1, 2)) / (size * (size - 1))
        # The last digits of a sum depend on the order in which a machine adds.
        return np.minimum(np.round(means, 12), 1.0)


class Diameter(_Distances):
    """(n - D) / (n - 1), D the longest distance: 1 for the complete graph, 1/(n-1) for a path.

    0 for a network in pieces. Most edges change no diameter, so a greedy search ranks those that
    are alike by efficiency.

    >>> Diameter().value(Network.of(3, [(0, 1), (1, 2)]), "")
    0.5
    """

    words: ClassVar[str] = "a small diameter: the longest distance between two nodes"

    def of_hops(self, distances: np.ndarray) -> np.ndarray:
        size = distances.shape[1]
        if size < 2:
            return np.ones(len(distances))
        longest = distances.max(axis=(1, 2))
        return np.where(np.isinf(longest), 0.0, (size - np.minimum(longest, size)) / (size - 1))

    def promise(self, network: Network, pairs: Sequence[Pair], key: str) -> np.ndarray:
        near = Efficiency()
        return self._added(network, pairs, lambda d: self.of_hops(d) + 1e-6 * near.of_hops(d))
