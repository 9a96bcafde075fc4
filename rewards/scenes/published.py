"""The reward of R1-SGG as published, for comparison: recall only, so what is too much is free.

Objects are matched one to one at the least cost (1 - sim) + 2 (1 - GIoU) + 5 L1, boxes left out
where the gold has none; the preset `r1-sgg` adds the terms with the published weights. A policy
that lists every object and every relation it can think of maximises all of them: use `object_f1`
and `relation_f1` to train. Source: R1-SGG, arXiv 2504.13617, 2025. Labels are compared there by
word vectors of a spaCy model; `similarity="embedding:NAME"` is the nearest to it here.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from graphenv.episode import Episode
from graphenv.rewards.scenes.boxes import MIN_IOU, box_likeness
from graphenv.rewards.scenes.encoding import Encoded, encoded
from graphenv.rewards.scenes.matching import MAX_PAIRS, Settings, in_turn
from graphenv.rewards.similarity.labels import prepare_similarity
from graphenv.rewards.similarity.table import LikenessTable, likeness_table
from graphenv.rewards.terms import EndTerm
from graphenv.scenes.boxes import corner_distance, giou, iou
from graphenv.score import Kind

__all__ = ["R1SggBox", "R1SggEdge", "R1SggFormat", "R1SggNode"]

NEEDS = frozenset({"outcome.scene", "target.scene"})


class R1SggFormat(EndTerm):
    """1 if the answer is a scene of which no relation points to an object that is not listed.

    The formula of the paper. The published code at its head tests the answer in a way that gives 0
    to every graph but the empty one; that is not reproduced here.

    >>> from graphenv.rewards import parse
    >>> parse("r1_sgg_format").range
    (0.0, 1.0)
    """

    kind: ClassVar[Kind] = "validity"
    needs: ClassVar[frozenset[str]] = frozenset({"outcome.scene"})

    def score(self, episode: Episode) -> float:
        """Return 0 or 1."""
        scene = episode.outcome.scene if episode.outcome is not None else None
        return float(scene is not None and not scene.dangling)


class _Recall(EndTerm):
    needs: ClassVar[frozenset[str]] = NEEDS

    def __init__(self, *, similarity: str | None = "string") -> None:
        Settings(similarity=similarity)
        self.similarity = similarity

    def prepare(self) -> None:
        """Load the embedding model, if there is one."""
        prepare_similarity(self.similarity)

    def score(self, episode: Episode) -> float | None:
        """Return the mean over the gold in [0, 1]; `None` if the gold has nothing of the kind."""
        gold = episode.task.target.scene
        if gold is None:
            return None
        theirs = encoded(gold)
        if not self.applies(theirs):
            return None
        predicted = episode.outcome.scene if episode.outcome is not None else None
        if predicted is None or not predicted.objects:
            return 0.0
        ours, table = encoded(predicted), likeness_table(self.similarity)
        return self.recall(ours, theirs, _least_cost(ours, theirs, table), table)

    @abstractmethod
    def applies(self, gold: Encoded) -> bool:
        """Return whether the gold has what is to be found."""

    @abstractmethod
    def recall(
        self, ours: Encoded, theirs: Encoded, images: list[int], table: LikenessTable
    ) -> float:
        """Return the mean over the gold; `images` has an object of ours, or -1, for each gold."""


class R1SggNode(_Recall):
    """Mean over gold objects of sim(label, label of the matched object); recall only.

    >>> from graphenv.rewards import parse
    >>> parse("r1_sgg_node(similarity='string')").range
    (0.0, 1.0)
    """

    def applies(self, gold: Encoded) -> bool:
        return len(gold) > 0

    def recall(
        self, ours: Encoded, theirs: Encoded, images: list[int], table: LikenessTable
    ) -> float:
        found = (
            table.one(ours.labels[i], theirs.labels[j]) for j, i in enumerate(images) if i >= 0
        )
        return sum(found) / len(theirs)


class R1SggBox(_Recall):
    """Mean over gold objects of (2 IoU + 5 exp(-L1)) / 7 with the matched object; recall only.

    `None` if the gold has no boxes. L1 is on coordinates divided by the furthest edges of gold
    boxes; it is on those of the picture there.

    >>> from graphenv.rewards import parse
    >>> parse("r1_sgg_box").range
    (0.0, 1.0)
    """

    def applies(self, gold: Encoded) -> bool:
        return gold.has_boxes

    def recall(
        self, ours: Encoded, theirs: Encoded, images: list[int], table: LikenessTable
    ) -> float:
        gold = [j for j, box in enumerate(theirs.boxed) if box is not None]
        pairs = [(images[j], j) for j in gold if images[j] >= 0]
        near = [
            box_likeness(
                ours.boxes[i : i + 1], theirs.boxes[j : j + 1], "published", theirs.extent
            )[0, 0]
            for i, j in pairs
        ]
        return float(sum(near)) / len(gold)


class R1SggEdge(_Recall):
    """Mean over gold relations of sim(subject) sim(object) sim(predicate) between the matched.

    The best predicate that was written between the two objects counts; recall only. With
    `hard=True` a relation counts if all three names are equal and both boxes overlap with IoU >=
    0.5: the published sparse form.

    >>> from graphenv.rewards import parse
    >>> parse("r1_sgg_edge(hard=True)").range
    (0.0, 1.0)
    """

    def __init__(self, *, similarity: str | None = "string", hard: bool = False) -> None:
        super().__init__(similarity=None if hard else similarity)
        self.hard = Settings(hard=hard).hard

    def applies(self, gold: Encoded) -> bool:
        return bool(gold.relations)

    def recall(
        self, ours: Encoded, theirs: Encoded, images: list[int], table: LikenessTable
    ) -> float:
        worth = [self._worth(ours, theirs, i, j, table) for j, i in enumerate(images)]
        total = 0.0
        for (head, tail), relations in theirs.ends.items():
            written = ours.ends.get((images[head], images[tail]), ())
            if not written or not worth[head] or not worth[tail]:
                continue
            if len(written) * len(relations) > MAX_PAIRS:
                said = set(written)
                best = float(sum(relation in said for relation in relations))
            else:
                best = float(table.likeness(written, relations).max(axis=0).sum())
            total += worth[head] * worth[tail] * best
        return total / len(theirs.relations)

    def _worth(self, ours: Encoded, theirs: Encoded, i: int, j: int, table: LikenessTable) -> float:
        if i < 0:
            return 0.0
        if self.hard and theirs.boxed[j] is not None:
            overlap = iou(ours.boxes[i : i + 1], theirs.boxes[j : j + 1])[0, 0]
            if overlap < MIN_IOU:
                return 0.0
        return table.one(ours.labels[i], theirs.labels[j])


def _least_cost(ours: Encoded, theirs: Encoded, table: LikenessTable) -> list[int]:
    """Return the object of ours for each gold object, -1 where there are too few."""
    from scipy.optimize import linear_sum_assignment

    images = [-1] * len(theirs)
    if len(ours) * len(theirs) > MAX_PAIRS:
        for i, j in enumerate(in_turn(ours, theirs)):
            if j >= 0:
                images[j] = i
        return images
    cost = 1.0 - table.likeness(ours.labels, theirs.labels)
    if theirs.has_boxes:
        # A box that is missing is as far away as can be; there the answer is not read at all.
        away = np.minimum(corner_distance(ours.boxes, theirs.boxes, theirs.extent), 4.0)
        known = ~np.isnan(theirs.boxes[:, 0])
        cost += np.where(known, 2.0 * (1.0 - giou(ours.boxes, theirs.boxes)) + 5.0 * away, 0.0)
    for i, j in zip(*(side.tolist() for side in linear_sum_assignment(cost)), strict=True):
        images[j] = i
    return images
