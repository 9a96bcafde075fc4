"""Objects of two scenes matched one to one, then the attributes and relations of the matched."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from graphenv.errors import ConfigError, did_you_mean
from graphenv.rewards.ged.compare import Recent
from graphenv.rewards.scenes.boxes import MIN_IOU, Boxes, box_likeness, nearness
from graphenv.rewards.scenes.encoding import Encoded, encoded
from graphenv.rewards.scenes.ties import told_apart
from graphenv.rewards.scenes.trying import tried
from graphenv.rewards.similarity.isomorphism import isomorphism
from graphenv.rewards.similarity.labels import label_similarity, prepare_similarity
from graphenv.rewards.similarity.matching import check_scipy
from graphenv.rewards.similarity.table import LikenessTable, likeness_table
from graphenv.scenes.boxes import Matrix, iou
from graphenv.scenes.model import Scene
from graphenv.text import bounded

__all__ = [
    "MAX_PAIRS",
    "Matcher",
    "SceneMatch",
    "Settings",
    "in_turn",
    "matcher",
]

MAX_PAIRS = 250_000
"""Above this many pairs of objects only equal labels are matched, in linear time."""

Images = list[int]
Pair = tuple[Scene, Scene]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How objects are compared; see `graphenv.rewards.scenes.terms`.

    Raises
    ------
    ConfigError
        If a value is unknown, `hard` stands beside `similarity`, or a package is missing.
    """

    similarity: str | None = None
    boxes: Boxes | None = None
    hard: bool = False

    def __post_init__(self) -> None:
        known = get_args(Boxes)
        if self.boxes is not None and self.boxes not in known:
            hint = did_you_mean(str(self.boxes), known)
            raise ConfigError(f"boxes={bounded(repr(self.boxes), 60)} is unknown.{hint}")
        if not isinstance(self.hard, bool):
            raise ConfigError(f"hard={bounded(repr(self.hard), 60)}: give True or False")
        if self.hard and self.similarity is not None:
            raise ConfigError(
                f"hard=True counts equal labels only; leave out similarity={self.similarity!r}"
            )
        if self.similarity is not None and not isinstance(self.similarity, str):
            raise ConfigError(f"similarity={bounded(repr(self.similarity), 60)} is no text")
        check_scipy("matching scenes", self.similarity)
        label_similarity(self.similarity)


@dataclass(frozen=True, slots=True)
class SceneMatch:
    """Which object of the first scene is which of the second, and what that is worth.

    Parameters
    ----------
    images, values
        For each object of the first scene its counterpart (-1: none), and how alike they are.
    objects, attributes, relations
        Sums over what is matched.
    sizes
        Objects, attributes and relations of both scenes together; dangling relations count.
    """

    images: Images
    values: list[float]
    objects: float
    attributes: float
    relations: float
    sizes: tuple[int, int, int]

    @property
    def object_f1(self) -> float:
        """2 * sum / (n1 + n2); 1.0 if there are none."""
        return _f1(self.objects, self.sizes[0])

    @property
    def attribute_f1(self) -> float:
        """The same of attributes; that of objects if there are none."""
        return _f1(self.attributes, self.sizes[1]) if self.sizes[1] else self.object_f1

    @property
    def relation_f1(self) -> float:
        """The same of relations; that of objects if there are none."""
        return _f1(self.relations, self.sizes[2]) if self.sizes[2] else self.object_f1


def _f1(total: float, size: int) -> float:
    return min(1.0, 2.0 * total / size) if size else 1.0


class Matcher:
    """Matches of scenes under one setting; solved pairs are kept for a while.

    So `object_f1 + attribute_f1 + relation_f1` pays for one matching, and a group for its gold
    scene once. Keeping changes no value.
    """

    KEPT = 100_000  # objects, attributes and relations of the scenes that are held

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._table = likeness_table(settings.similarity)
        self._solved: Recent[Pair, SceneMatch] = Recent(self.KEPT)

    def prepare(self) -> None:
        """Load what the first match would load."""
        prepare_similarity(self.settings.similarity)
        import scipy.optimize  # noqa: F401 - half a second

    def match(self, predicted: Scene, gold: Scene) -> SceneMatch:
        """Return the match of a scene with the gold."""
        known = self._solved.get((predicted, gold))
        if known is None:
            known = self._made(encoded(predicted), encoded(gold))
            self._solved.put((predicted, gold), known, weight=sum(known.sizes) + 1)
        return known

    def _made(self, ours: Encoded, theirs: Encoded) -> SceneMatch:
        images, values = _images(ours, theirs, self.settings, self._table)
        return SceneMatch(
            images,
            values,
            sum(values),
            _attributes(ours, theirs, images, values, self._table),
            _relations(ours, theirs, images, values, self._table),
            (
                len(ours) + len(theirs),
                ours.num_attributes + theirs.num_attributes,
                ours.num_relations + theirs.num_relations,
            ),
        )


@lru_cache(maxsize=16)
def matcher(settings: Settings) -> Matcher:
    """Return the matcher of some settings, the same for every term that has them."""
    return Matcher(settings)


if hasattr(os, "register_at_fork"):
    # A lock that another thread holds at the moment of the fork stays locked in the child for ever.
    os.register_at_fork(after_in_child=matcher.cache_clear)


# -- objects --------------------------------------------------------------------------------------


def _images(
    ours: Encoded, theirs: Encoded, settings: Settings, table: LikenessTable
) -> tuple[Images, list[float]]:
    """Return the image of each object, and how alike the two are."""
    if not len(ours) or not len(theirs):
        return [-1] * len(ours), [0.0] * len(ours)
    boxes = settings.boxes is not None and theirs.has_boxes
    far = len(ours) * len(theirs) > MAX_PAIRS
    if not boxes:
        decided = _by_label(ours, theirs, table.exact or far)
        if decided is None and table.exact and not far:
            decided = tried(ours, theirs)
        if decided is not None:
            return decided, [float(j >= 0) for j in decided]
    if far:
        images = in_turn(ours, theirs)
        return images, _one_by_one(ours, theirs, images, settings)
    score = value = table.likeness(ours.labels, theirs.labels)
    if boxes:
        near = nearness(ours, theirs, settings.boxes or "iou", settings.hard)
        score = value = value * near
        if settings.hard:
            # As many pairs as there can be, then those that overlap most.
            value = (value > 0).astype(np.float64)
            score = value * (1.0 - 1e-3 * (1.0 - near))
    order1, order2 = ours.order(boxes), theirs.order(boxes)
    if order1 is not None and order2 is not None:
        images = _assigned(score, order1, order2)
    else:  # two are alike: what stands around them tells which is which
        images = _copied(ours, theirs, boxes) or told_apart(
            ours, theirs, score, boxes, names_alike=not table.exact
        )
    worth = [float(value[i, j]) if j >= 0 else 0.0 for i, j in enumerate(images)]
    return [j if worth[i] > 0 else -1 for i, j in enumerate(images)], worth


def _one_by_one(ours: Encoded, theirs: Encoded, images: Images, settings: Settings) -> list[float]:
    """Return what pairs of equal labels are worth, where a matrix would be too large."""
    values = []
    for i, j in enumerate(images):
        if j < 0 or settings.boxes is None or theirs.boxed[j] is None:
            values.append(float(j >= 0))
            continue
        boxes = ours.boxes[i : i + 1], theirs.boxes[j : j + 1]
        if settings.hard:
            values.append(float(iou(*boxes)[0, 0] >= MIN_IOU))
        else:
            values.append(float(box_likeness(*boxes, settings.boxes, theirs.extent)[0, 0]))
    return values


def _by_label(ours: Encoded, theirs: Encoded, exact: bool) -> Images | None:
    """Return the images where equal labels decide them, `None` where there is a choice.

    Labels that are alike do not matter if each object of the smaller scene has its equal.
    """
    images = [-1] * len(ours)
    found = 0
    for label, here in ours.places.items():
        there = theirs.places.get(label)
        if there is None:
            continue
        if len(here) > 1 or len(there) > 1:
            return None
        images[here[0]] = there[0]
        found += 1
    return images if exact or found == min(len(ours), len(theirs)) else None


def in_turn(ours: Encoded, theirs: Encoded) -> Images:
    """Return images by equal labels, the first with the first: linear time."""
    images = [-1] * len(ours)
    for label, here in ours.places.items():
        for i, j in zip(here, theirs.places.get(label, ()), strict=False):
            images[i] = j
    return images


def _copied(ours: Encoded, theirs: Encoded, boxes: bool) -> Images | None:
    """Return the images if one scene is a copy of the other, as far as a bounded search finds."""
    sizes1, sizes2 = (
        (len(s), s.num_relations, s.num_attributes, sorted(s.places)) for s in (ours, theirs)
    )
    if sizes1 != sizes2:
        return None
    return isomorphism(ours.graph(boxes), theirs.graph(boxes))


def _assigned(score: Matrix, order1: NDArray[np.intp], order2: NDArray[np.intp]) -> Images:
    """Return the images that maximise the summed score; ties do not depend on the given order."""
    from scipy.optimize import linear_sum_assignment

    images = [-1] * len(order1)
    some1 = order1[np.asarray(score.any(axis=1))[order1]]
    some2 = order2[np.asarray(score.any(axis=0))[order2]]
    rest = score[some1[:, None], some2]
    rows, columns = linear_sum_assignment(rest, maximize=True)
    for i, j in zip(some1[rows].tolist(), some2[columns].tolist(), strict=True):
        images[i] = j
    return images


# -- attributes and relations ---------------------------------------------------------------------


def _attributes(
    ours: Encoded, theirs: Encoded, images: Images, values: list[float], table: LikenessTable
) -> float:
    if not ours.num_attributes or not theirs.num_attributes:
        return 0.0
    return sum(
        values[i] * _alike(ours.attributes[i], theirs.attributes[j], table)
        for i, j in enumerate(images)
        if j >= 0 and ours.attributes[i] and theirs.attributes[j]
    )


def _relations(
    ours: Encoded, theirs: Encoded, images: Images, values: list[float], table: LikenessTable
) -> float:
    total = 0.0
    gold = theirs.ends
    for (head, tail), names in ours.ends.items():
        others = gold.get((images[head], images[tail]))  # -1: no end of any
        if others is not None:
            total += values[head] * values[tail] * _alike(names, others, table)
    return total


def _alike(first: Sequence[str], second: Sequence[str], table: LikenessTable) -> float:
    """Return the summed similarity of names matched one to one."""
    if len(first) == 1 == len(second):
        return table.one(first[0], second[0])
    if table.exact or len(first) * len(second) > MAX_PAIRS:
        return float((Counter(first) & Counter(second)).total())
    from scipy.optimize import linear_sum_assignment

    alike = table.likeness(first, second)
    return float(alike[linear_sum_assignment(alike, maximize=True)].sum())
