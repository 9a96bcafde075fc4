"""How near the boxes of two scenes are, as a factor in [0, 1]."""

from __future__ import annotations

from typing import Literal

import numpy as np

from graphenv.rewards.scenes.encoding import Encoded
from graphenv.scenes.boxes import Matrix, corner_distance, giou, iou

__all__ = ["MIN_IOU", "Boxes", "box_likeness", "nearness"]

Boxes = Literal["iou", "giou", "published"]

MIN_IOU = 0.5
"""From here on two boxes are of one object, where that is asked."""


def nearness(ours: Encoded, theirs: Encoded, how: Boxes, hard: bool) -> Matrix:
    """Return `box_likeness` of objects by objects; 1 where the gold has no box.

    `hard`: IoU where it is at least `MIN_IOU`, else 0.
    """
    if hard:
        overlap = iou(ours.boxes, theirs.boxes)
        near = np.where(overlap >= MIN_IOU, overlap, 0.0)
    else:
        near = box_likeness(ours.boxes, theirs.boxes, how, theirs.extent)
    near[:, np.isnan(theirs.boxes[:, 0])] = 1.0
    return near


def box_likeness(first: Matrix, second: Matrix, how: Boxes, extent: tuple[float, float]) -> Matrix:
    """Return how near boxes are, (n, m) in [0, 1]; 0 where one is missing.

    `iou`: IoU. `giou`: (1 + GIoU) / 2, which tells apart boxes that do not meet. `published`:
    (2 IoU + 5 exp(-L1)) / 7 with L1 on coordinates divided by `extent` (R1-SGG, arXiv 2504.13617).

    >>> cat, dog = np.array([[0.0, 0, 10, 10]]), np.array([[0.0, 0, 10, 20]])
    >>> [float(box_likeness(cat, dog, how, (10, 20))[0, 0].round(3)) for how in ("iou", "giou")]
    [0.5, 0.75]
    """
    if how == "giou":
        return np.asarray((1.0 + giou(first, second)) / 2.0)
    overlap = iou(first, second)
    if how == "iou":
        return overlap
    return np.asarray((2.0 * overlap + 5.0 * np.exp(-corner_distance(first, second, extent))) / 7.0)
