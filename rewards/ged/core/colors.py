"""Weisfeiler-Leman colours as 64-bit numbers: equal for nodes that look alike from outside."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["colors", "mix"]

ROUNDS = 3


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def mix(x):
    """Scramble 64 bits (the finaliser of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def colors(classes, heads, rels, tails, directed, class_hash, rel_hash, rounds):
    """Return a colour per node after so many rounds.

    Colours depend on labels and structure alone, not on how nodes are numbered.
    """
    n = classes.size
    color = np.empty(n, np.uint64)
    for i in range(n):
        color[i] = mix(class_hash[classes[i]] + np.uint64(1))
    fresh = np.empty(n, np.uint64)
    for _ in range(rounds):
        for i in range(n):
            fresh[i] = mix(color[i])
        for e in range(heads.size):
            h, t, r = heads[e], tails[e], rel_hash[rels[e]]
            back = r + np.uint64(0x632BE59BD9B4E019) if directed else r
            fresh[h] += mix(color[t] * np.uint64(3) + r)
            fresh[t] += mix(color[h] * np.uint64(3) + back)
        for i in range(n):
            color[i] = mix(fresh[i])
    return color
