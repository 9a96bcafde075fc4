"""Robustness: how many nodes have to be removed before a network falls apart."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np

from graphenv.envs.design.network import Network, Pair
from graphenv.envs.design.objectives.base import Objective
from graphenv.seeding import rng

__all__ = ["RandomRemoval", "TargetedRemoval", "falls_apart"]


def falls_apart(adjacency: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Return how many nodes are gone when networks first fall apart.

    Parameters
    ----------
    adjacency
        (B, n, n) of bool.
    orders
        (B, R, n): the orders in which nodes are removed.

    Returns
    -------
    numpy.ndarray
        (B, R): from 0 (was in pieces already) to n (never: what was left held together).

    >>> path = Network.of(3, [(0, 1), (1, 2)]).adjacency[None]
    >>> falls_apart(path, np.array([[[1, 0, 2], [0, 1, 2]]])).tolist()
    [[1, 3]]
    """
    batch, rounds, size = orders.shape
    rows = np.arange(batch * rounds)
    which = np.repeat(np.arange(batch), rounds)
    flat = orders.reshape(batch * rounds, size)
    labels = np.full((batch * rounds, size), -1, dtype=np.int16)
    parts = np.zeros(batch * rounds, dtype=np.int16)
    first = np.full(batch * rounds, size)
    for gone in range(size - 1, -1, -1):
        _add(adjacency, which, rows, flat[:, gone], labels, parts)
        first[parts > 1] = gone
    return first.reshape(batch, rounds)


def _add(
    adjacency: np.ndarray,
    which: np.ndarray,
    rows: np.ndarray,
    nodes: np.ndarray,
    labels: np.ndarray,
    parts: np.ndarray,
) -> None:
    """Put one node back into each network: its component takes in those that it touches.

    `labels` (P, n) names the component of each node, -1 for nodes that are gone; `parts` (P,)
    counts components. Both are changed in place.
    """
    beside = adjacency[which, nodes] & (labels >= 0)
    at, node = np.nonzero(beside)
    touched = np.zeros(labels.shape, dtype=bool)
    touched[at, labels[at, node]] = True
    joined = touched[rows[:, None], labels] & (labels >= 0)
    parts += (1 - touched.sum(axis=1)).astype(parts.dtype)
    np.copyto(labels, nodes[:, None].astype(labels.dtype), where=joined)
    labels[rows, nodes] = nodes


class _Robustness(Objective):
    """Mean over removal orders of the share of nodes gone when a network first falls apart.

    Nodes are removed one by one until what is left is in more than one component; 1 if that never
    happens, as in a complete graph. In [0, 1] as it is, so no scale is needed; a network that is
    in pieces to begin with has 0, a star about 1/2 under random removal and 1/n under targeted.

    Parameters
    ----------
    orders
        Removal orders for each node (published: 2).

    References
    ----------
    Darvariu, Hailes and Musolesi, Goal-directed graph construction using reinforcement learning,
    Proceedings of the Royal Society A 477, 2021 (RNet-DQN).
    """

    def __init__(self, orders: int = 2) -> None:
        self._rounds = orders

    def work(self, size: int) -> int:
        return self._rounds * size**3

    def values(self, adjacency: np.ndarray, key: str) -> np.ndarray:
        size = adjacency.shape[1]
        if size == 0:
            return np.ones(len(adjacency))
        gone = falls_apart(adjacency, self.orders(adjacency, key))
        shares: np.ndarray = gone.mean(axis=1) / size
        return shares

    @abstractmethod
    def orders(self, adjacency: np.ndarray, key: str) -> np.ndarray:
        """Return the removal orders (B, R, n) of networks (B, n, n)."""


class TargetedRemoval(_Robustness):
    """Robustness when nodes of high degree are removed first, ties in random order.

    Degrees are those of the whole network, before any removal.

    >>> star = Network.of(4, [(0, 1), (0, 2), (0, 3)])
    >>> TargetedRemoval().value(star, "star")
    0.25
    """

    words: ClassVar[str] = (
        "robustness to attacks: nodes are removed one by one, those with most edges first, and the "
        "longer what is left hangs together, the better"
    )

    def orders(self, adjacency: np.ndarray, key: str) -> np.ndarray:
        size = adjacency.shape[1]
        degrees = adjacency.sum(axis=2)[:, None, :]
        return np.argsort(-(degrees + _ties(size, self._rounds, key)), axis=2, kind="stable")


class RandomRemoval(_Robustness):
    """Robustness when nodes are removed in random order.

    >>> RandomRemoval().value(Network.of(3, [(0, 1), (0, 2), (1, 2)]), "triangle")
    1.0
    """

    words: ClassVar[str] = (
        "robustness to failures: nodes are removed one by one in random order, and the longer what "
        "is left hangs together, the better"
    )

    def orders(self, adjacency: np.ndarray, key: str) -> np.ndarray:
        size = adjacency.shape[1]
        drawn = _orders(size, self._rounds, key)
        return np.broadcast_to(drawn, (len(adjacency), *drawn.shape))

    def search_work(self, size: int, count: int) -> int:
        return min(count, 8) * self.work(size)  # one pass, as measured

    def after_adding(self, network: Network, pairs: Sequence[Pair], key: str) -> np.ndarray:
        """Return the values (C,) with each edge added, by one pass over the removal orders.

        An edge keeps what is left together exactly if there are two components and it ties them,
        so all edges are judged by the components of one network.
        """
        size = len(network)
        orders = _orders(size, self._rounds, key)
        rounds = len(orders)
        rows = np.arange(rounds)
        labels = np.full((rounds, size), -1, dtype=np.int16)
        parts = np.zeros(rounds, dtype=np.int16)
        kept = []
        stack = network.adjacency[None]
        for gone in range(size - 1, -1, -1):
            _add(stack, np.zeros(rounds, dtype=int), rows, orders[:, gone], labels, parts)
            kept.append((labels.copy(), parts.copy()))
        ends = np.array(pairs, dtype=int).reshape(-1, 2)
        whole = np.ones((rounds, len(ends)), dtype=bool)
        first = np.full((rounds, len(ends)), size)
        for gone in range(size):
            labels, parts = kept[size - 1 - gone]
            one, other = labels[:, ends[:, 0]], labels[:, ends[:, 1]]
            tied = (one >= 0) & (other >= 0) & (one != other) & (parts == 2)[:, None]
            stopped = whole & (parts > 1)[:, None] & ~tied
            first[stopped] = gone
            whole &= ~stopped
            if not whole.any():
                break
        values: np.ndarray = first.mean(axis=0) / size
        return values


@lru_cache(maxsize=64)
def _orders(size: int, rounds: int, key: str) -> np.ndarray:
    draw = rng("removal orders", key, size)
    return draw.permuted(np.tile(np.arange(size), (rounds * size, 1)), axis=1)


@lru_cache(maxsize=64)
def _ties(size: int, rounds: int, key: str) -> np.ndarray:
    return rng("removal ties", key, size).random((rounds * size, size))
