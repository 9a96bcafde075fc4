"""Similarities of two graphs beside edit distance, usable alone; as terms in `graphenv.rewards`.

All are symmetric, lie in [0, 1], give 1 to a graph and a copy of it (as far as a bounded search
finds the copy), ignore ids and orders, and count what is too much as well as what is missing.
`docs/graph-similarity.md` says what each one is blind to. `soft_match` needs scipy and `mces` needs
numba: `pip install "graphenv[ged]"`.
"""

from __future__ import annotations

from graphenv.rewards.similarity.common import CommonEdges, mces
from graphenv.rewards.similarity.labels import label_similarity
from graphenv.rewards.similarity.matching import SoftMatch, soft_match
from graphenv.rewards.similarity.spectral import spectral_similarity
from graphenv.rewards.similarity.wl import wl_colors, wl_similarity

__all__ = [
    "CommonEdges",
    "SoftMatch",
    "label_similarity",
    "mces",
    "soft_match",
    "spectral_similarity",
    "wl_colors",
    "wl_similarity",
]
