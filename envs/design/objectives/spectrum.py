"""The spectral gap of a network: its algebraic connectivity."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from graphenv.envs.design.objectives.base import Objective

__all__ = ["SpectralGap", "laplacians"]


def laplacians(adjacency: np.ndarray) -> np.ndarray:
    """Return the Laplacians D - A, (B, n, n), of networks (B, n, n)."""
    ties = adjacency.astype(float)
    size = ties.shape[1]
    found: np.ndarray = np.eye(size)[None] * ties.sum(axis=2)[:, None, :] - ties
    return found


class SpectralGap(Objective):
    """lambda_2 / n: the second smallest eigenvalue of the Laplacian over the largest it can have.

    1 for the complete graph, 0 for a network in pieces.

    References
    ----------
    Fiedler, Algebraic connectivity of graphs, Czechoslovak Mathematical Journal 23, 1973.

    >>> from graphenv.envs.design.network import Network
    >>> round(SpectralGap().value(Network.of(3, [(0, 1), (1, 2)]), ""), 4)
    0.3333
    """

    words: ClassVar[str] = (
        "algebraic connectivity: the second smallest eigenvalue of the Laplacian matrix"
    )

    def work(self, size: int) -> int:
        return 10 * size**3

    def values(self, adjacency: np.ndarray, key: str) -> np.ndarray:
        size = adjacency.shape[1]
        if size < 2:
            return np.ones(len(adjacency))
        second = np.linalg.eigvalsh(laplacians(adjacency))[:, 1]
        # The last digits of an eigenvalue depend on the library that solves it.
        found: np.ndarray = np.clip(np.round(second / size, 9), 0.0, 1.0)
        return found
