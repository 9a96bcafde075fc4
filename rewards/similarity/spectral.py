"""Spectra of graphs: a similarity that sees shape alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphenv.graph import Graph

__all__ = ["MAX_NODES", "laplacian_spectrum", "spectral_similarity"]

MAX_NODES = 512
"""Eigenvalues cost the cube of the nodes: this many take about a tenth of a second."""


def spectral_similarity(g1: Graph, g2: Graph) -> float | None:
    """Return (1 - W1 / 2) times the agreement of sizes, W1 the distance of Laplacian spectra.

    W1 is the Wasserstein distance of the eigenvalues of the two normalised Laplacians, each a
    distribution on [0, 2], of the undirected graphs with edge multiplicities. A spectrum as a
    distribution ignores size (two copies have that of one), so the value is multiplied by
    (min n + min m) / (max n + max m) over nodes n and edges m: any node or edge too many costs.

    In [0, 1], symmetric; 1.0 for isomorphic graphs and two empty ones, 0.0 if one is empty or only
    one has more than `MAX_NODES` nodes; `None` if both have. Blind to labels, kinds, relations and
    directions, and to graphs that share a spectrum: never use it alone.

    References: Chung, Spectral graph theory, 1997; Gu, Hua and Liu, Spectral distances on graphs,
    Discrete Applied Mathematics 2015.

    >>> path = Graph.from_edges("abc", [(0, "r", 1), (1, "r", 2)])
    >>> spectral_similarity(path, Graph.from_edges("xyz", [(0, "s", 2), (1, "s", 0)]))
    1.0
    >>> ring = Graph.from_edges("abc", [(0, "r", 1), (1, "r", 2), (2, "r", 0)])
    >>> round(spectral_similarity(path, ring), 12)  # 5/6 of 5/6
    0.694444444444
    """
    if not len(g1) or not len(g2):
        return 1.0 if len(g1) == len(g2) else 0.0
    large = (len(g1) > MAX_NODES) + (len(g2) > MAX_NODES)
    if large:
        return 0.0 if large == 1 else None
    nodes, edges = sorted((len(g1), len(g2))), sorted((g1.num_edges, g2.num_edges))
    size = (nodes[0] + edges[0]) / (nodes[1] + edges[1])
    distance = _wasserstein(laplacian_spectrum(g1), laplacian_spectrum(g2))
    # Eigenvalues of a graph and its copy differ in the last bits; the gold must score exactly 1.
    return size * max(0.0, 1.0 - round(distance / 2.0, 12))


def laplacian_spectrum(graph: Graph) -> NDArray[Any]:
    """Return the ascending eigenvalues of the normalised Laplacian, (n,), in [0, 2].

    A self-loop adds its multiplicity to the diagonal of the adjacency matrix and to the degree. A
    node without edges has eigenvalue 0.

    >>> laplacian_spectrum(Graph.from_edges("ab", [(0, "r", 1)])).round(6).tolist()
    [0.0, 2.0]
    """
    n = len(graph)
    adjacency = np.zeros((n, n))
    ends = np.array([(e.head, e.tail) for e in graph.edges], dtype=np.intp).reshape(-1, 2)
    np.add.at(adjacency, (ends[:, 0], ends[:, 1]), 1.0)
    apart = ends[ends[:, 0] != ends[:, 1]]
    np.add.at(adjacency, (apart[:, 1], apart[:, 0]), 1.0)
    degree = adjacency.sum(axis=1)
    scale = np.divide(1.0, np.sqrt(degree), out=np.zeros(n), where=degree > 0)
    laplacian = np.diag((degree > 0).astype(float)) - scale[:, None] * adjacency * scale
    return np.clip(np.linalg.eigvalsh(laplacian), 0.0, 2.0)


def _wasserstein(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return W1 of two samples, ascending: the area between their quantile functions, exact."""
    n, m = a.size, b.size
    # Quantiles change at multiples of 1/n and 1/m: count in units of 1/(n m), without rounding.
    cuts = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    left = cuts[:-1]
    return float(np.abs(a[left // m] - b[left // n]) @ np.diff(cuts)) / (n * m)
