"""Which of several objects with one label is which, where there are few ways: all are tried."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import permutations, product

from graphenv.rewards.scenes.encoding import Encoded

__all__ = ["tried"]

_TRIED = 600  # objects and relations looked at over all ways that are tried

Pairs = tuple[tuple[int, int], ...]


def tried(ours: Encoded, theirs: Encoded) -> list[int] | None:
    """Return the image of each object where equal labels match, by trying all ways to do it.

    The way that keeps most attributes and relations together, of equals most relations; `None`
    where there are so many ways that the general search is faster.
    """
    images = [-1] * len(ours)
    twins: list[int] = []
    ways: list[list[Pairs]] = []
    count, most = 1, max(1, _TRIED // (1 + len(ours) + ours.num_relations))
    for label, here in ours.places.items():
        there = theirs.places.get(label)
        if there is None:
            continue
        few, many = sorted((len(here), len(there)))
        count *= math.perm(many, few)
        if count > most:
            return None
        twins += here
        if len(here) <= len(there):
            ways.append([tuple(zip(here, p, strict=True)) for p in permutations(there, few)])
        else:
            ways.append([tuple(zip(p, there, strict=True)) for p in permutations(here, few)])
    best: tuple[int, int] | None = None
    chosen = images
    for way in product(*ways):
        for i in twins:
            images[i] = -1
        for pairs in way:
            for i, j in pairs:
                images[i] = j
        kept = _kept(ours, theirs, images)
        if best is None or kept > best:
            best, chosen = kept, list(images)
    return chosen


def _kept(ours: Encoded, theirs: Encoded, images: list[int]) -> tuple[int, int]:
    """Return how many attributes and relations are on both sides, and how many relations."""
    relations = 0
    for (head, tail), names in ours.ends.items():
        others = theirs.ends.get((images[head], images[tail]))
        if others is not None:
            relations += _common(names, others)
    attributes = sum(
        _common(said, theirs.attributes[images[i]])
        for i, said in enumerate(ours.attributes)
        if said and images[i] >= 0
    )
    return attributes + relations, relations


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    if len(first) == 1 == len(second):
        return int(first[0] == second[0])
    return (Counter(first) & Counter(second)).total()
