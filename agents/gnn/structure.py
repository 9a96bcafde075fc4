"""What the edges of a batch say without any names: degrees, repetition, nearness to the seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FAR", "STRUCTURE", "distances", "repeats", "structure"]

STRUCTURE = 8
"""Columns of `structure`."""

FAR = 8
"""Nodes further from the seeds than so many steps count as not reached."""

_SMALL = 64

Array = NDArray[Any]


def structure(start: Array, end: Array, distance: Array) -> Array:
    """Return (N, 8): log degree out and in, isolated, self-loop, log of edges beside another one
    between the same two nodes, 1 / (1 + distance), distance / 8, not reached.

    >>> structure(np.array([0, 0]), np.array([1, 1]), np.array([0, 1, 9]))[:, [2, 5, 7]].tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.5, 0.0], [1.0, 0.0, 1.0]]
    """
    count = len(distance)
    found = np.zeros((count, STRUCTURE))
    out, into = np.bincount(start, minlength=count), np.bincount(end, minlength=count)
    pairs = np.minimum(start, end) * count + np.maximum(start, end)
    beside = repeats(pairs) - 1
    reached = distance <= FAR
    found[:, 0] = np.log1p(out)
    found[:, 1] = np.log1p(into)
    found[:, 2] = out + into == 0
    found[start[start == end], 3] = 1.0
    found[:, 4] = np.log1p(np.bincount(start, weights=beside, minlength=count))
    found[:, 5] = np.where(reached, 1.0 / (1.0 + distance), 0.0)
    found[:, 6] = np.where(reached, distance / FAR, 1.0)
    found[:, 7] = ~reached
    return found


def distances(start: Array, end: Array, seed: NDArray[np.bool_]) -> Array:
    """Return the steps from the nearest seed, whatever the direction; `FAR + 1` if more or none.

    >>> distances(np.array([0, 2]), np.array([1, 1]), np.array([True, False, False])).tolist()
    [0, 1, 2]
    """
    distance = np.where(seed, 0, FAR + 1)
    reached = seed.copy()
    for step in range(1, FAR + 1):
        new = np.zeros_like(reached)
        new[end[reached[start]]] = True
        new[start[reached[end]]] = True
        new &= ~reached
        if not new.any():
            break
        distance[new] = step
        reached |= new
    return distance


def repeats(keys: Array) -> Array:
    """Return for each key how often it stands there.

    >>> repeats(np.array([3, 5, 3])).tolist()
    [2, 1, 2]
    """
    if len(keys) <= _SMALL:  # sorting a few takes longer than comparing all
        return np.asarray((keys[:, None] == keys).sum(axis=0))
    _, place, count = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(count[place])
