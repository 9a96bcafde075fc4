"""The straightforward way: a Python loop over all pairs of objects, then scipy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphenv.rewards.similarity.labels import label_similarity
from graphenv.scenes.model import Box, Scene
from graphenv.text import normalize

__all__ = ["looped"]


def looped(similarity: str | None, boxes: bool) -> Callable[[Scene, Scene], tuple[float, float]]:
    """Return a function of two scenes that gives the F1 of objects and of relations.

    What published code does: a cost for every pair by calls in a double loop, one assignment, one
    loop over relations. It does not tell objects of one label apart, and knows no attributes.
    """
    alike = label_similarity(similarity)

    def grade(predicted: Scene, gold: Scene) -> tuple[float, float]:
        from scipy.optimize import linear_sum_assignment

        ours = [normalize(thing.label) for thing in predicted.objects]
        theirs = [normalize(thing.label) for thing in gold.objects]
        value = np.zeros((len(ours), len(theirs)))
        for i, first in enumerate(predicted.objects):
            for j, second in enumerate(gold.objects):
                value[i, j] = alike(ours[i], theirs[j])
                if boxes and first.box is not None and second.box is not None:
                    value[i, j] *= _iou(first.box, second.box)
        rows, columns = linear_sum_assignment(value, maximize=True)
        image = dict(zip(rows.tolist(), columns.tolist(), strict=True))
        objects = float(value[rows, columns].sum())
        between: dict[tuple[int, int], list[str]] = {}
        for r in gold.relations:
            between.setdefault((r.head, r.tail), []).append(normalize(r.relation))
        relations = 0.0
        for r in predicted.relations:
            ends = image.get(r.head, -1), image.get(r.tail, -1)
            names = between.get(ends)
            if names:
                best = max(names, key=lambda name: alike(normalize(r.relation), name))
                names.remove(best)
                worth = value[r.head, ends[0]] * value[r.tail, ends[1]]
                relations += float(worth) * alike(normalize(r.relation), best)
        return (
            2 * objects / max(1, len(ours) + len(theirs)),
            2 * relations / max(1, len(predicted.relations) + len(gold.relations)),
        )

    return grade


def _iou(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
