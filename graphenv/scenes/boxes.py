"""How near boxes are: IoU, GIoU and the distance of their corners, all pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphenv.scenes.model import Box, SceneObject

__all__ = ["Matrix", "box_array", "corner_distance", "giou", "iou"]

Matrix = NDArray[np.float64]


def box_array(objects: Sequence[SceneObject]) -> Matrix:
    """Return the boxes of objects as (n, 4); a row of NaN where there is none."""
    none = (np.nan,) * 4
    rows = [thing.box if thing.box is not None else none for thing in objects]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def iou(first: Matrix | Sequence[Box], second: Matrix | Sequence[Box]) -> Matrix:
    """Return intersection over union of boxes by boxes, (n, m) in [0, 1].

    A box that is missing (NaN) overlaps nothing. Coordinates are continuous: a box from 0 to 10 is
    10 wide (some published evaluations add a pixel).

    >>> iou([(0, 0, 10, 10)], [(0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30)]).round(3).tolist()
    [[1.0, 0.333, 0.0]]
    """
    return _overlap(*_sides(first, second))[0]


def giou(first: Matrix | Sequence[Box], second: Matrix | Sequence[Box]) -> Matrix:
    """Return the generalised IoU of boxes by boxes, (n, m) in (-1, 1]; -1 where one is missing.

    IoU minus the share of the smallest box around both that neither covers, so that boxes that do
    not meet are told apart by how far away they are. Source: Rezatofighi et al., CVPR 2019.

    >>> giou([(0, 0, 10, 10)], [(0, 0, 10, 10), (20, 0, 30, 10)]).round(3).tolist()
    [[1.0, -0.333]]
    """
    a, b = _sides(first, second)
    share, union = _overlap(a, b)
    width = np.maximum(a[2], b[2]) - np.minimum(a[0], b[0])
    hull = width * (np.maximum(a[3], b[3]) - np.minimum(a[1], b[1]))
    empty = np.divide(hull - union, hull, out=np.ones_like(hull), where=hull > 0)
    return np.asarray(share - empty)


def corner_distance(
    first: Matrix | Sequence[Box],
    second: Matrix | Sequence[Box],
    size: tuple[float, float] = (1.0, 1.0),
) -> Matrix:
    """Return the L1 distance of the four coordinates, (n, m); inf where a box is missing.

    `size` is the width and height that coordinates are divided by first: those of the picture, for
    a distance in [0, 4].

    >>> corner_distance([(0, 0, 10, 10)], [(10, 0, 20, 10)], (100, 50)).tolist()
    [[0.2]]
    """
    a, b = _sides(first, second)
    across, down = np.abs(a[0] - b[0]) + np.abs(a[2] - b[2]), np.abs(a[1] - b[1])
    found = across / size[0] + (down + np.abs(a[3] - b[3])) / size[1]
    return np.asarray(np.nan_to_num(found, nan=np.inf))


def _sides(first: Matrix | Sequence[Box], second: Matrix | Sequence[Box]) -> tuple[Matrix, Matrix]:
    """Return left, top, right, bottom as (4, n, 1) and (4, 1, m)."""
    a, b = (np.asarray(side, dtype=np.float64).reshape(-1, 4).T for side in (first, second))
    return a[:, :, None], b[:, None]


def _overlap(a: Matrix, b: Matrix) -> tuple[Matrix, Matrix]:
    """Return IoU and the area of the union, NaN where a box is missing."""
    width = np.maximum(np.minimum(a[2], b[2]) - np.maximum(a[0], b[0]), 0.0)
    both = width * np.maximum(np.minimum(a[3], b[3]) - np.maximum(a[1], b[1]), 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return np.divide(both, union, out=np.zeros_like(union), where=union > 0), union
