"""The truth of a predicted scene, and the metrics that are published beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from graphenv.errors import ConfigError
from graphenv.scenes.boxes import box_array, iou
from graphenv.scenes.model import IS, Scene, SceneRelation
from graphenv.text import normalize

__all__ = ["RECALL_AT", "mean_recall", "recall_at", "scene_truth"]

RECALL_AT = (20, 50, 100)
"""How many predicted relations Recall@K looks at."""

_MIN_IOU = 0.5


def scene_truth(predicted: Scene | None, gold: Scene) -> tuple[float, dict[str, float]]:
    """Return (success, metrics) of a predicted scene; success is the F1 of the sets of facts.

    A fact is an attribute or a relation as a triple of labels, or the label of an object without
    either; labels are compared normalised. A dangling relation is a wrong fact. In [0, 1]: 1 if
    both scenes state the same, also if both are empty; 0 without a scene.

    Metrics, in [0, 1]: `spice_f1`, F1 of the sets of labels, (label, attribute) and relations taken
    together; `object_f1`, `attribute_f1`, `relation_f1`, each of these sets alone; `precision` and
    `recall` of the facts. Sets know no duplicates, so two objects of one label are one here
    (rewards count them). `size_ratio`, in [0, inf), does count them: objects, attributes and
    relations as written over those of the gold. Where the gold has boxes and relations also
    `recall@K` and `mean_recall@K` for K in `RECALL_AT`. A metric of something that the gold does
    not have is left out.

    Sources: Li et al., FACTUAL, Findings of ACL 2023 (sets of triples); Anderson et al., SPICE,
    ECCV 2016, here without synonyms; Lu et al., ECCV 2016 (Recall@K).

    >>> gold = Scene.from_triples([("man", "ride", "horse"), ("horse", "is", "brown")])
    >>> success, metrics = scene_truth(Scene.from_triples([("man", "ride", "horse")]), gold)
    >>> round(success, 3), metrics["precision"], metrics["recall"], metrics["size_ratio"]
    (0.667, 1.0, 0.5, 0.75)
    """
    theirs = _sets(gold)
    ours = _sets(predicted) if predicted is not None else None
    metrics: dict[str, float] = {}
    for name in ("spice", "object", "attribute", "relation"):
        wanted = theirs.parts(name)
        if wanted or name == "spice":
            metrics[f"{name}_f1"] = _f1(ours.parts(name), wanted) if ours is not None else 0.0
    if theirs.facts:
        both = len(ours.facts & theirs.facts) if ours is not None else 0
        metrics["precision"] = both / len(ours.facts) if ours is not None and ours.facts else 0.0
        metrics["recall"] = both / len(theirs.facts)
        metrics["size_ratio"] = (_size(predicted) if predicted is not None else 0) / _size(gold)
    found = _found(predicted, gold)
    if found is not None:
        for k in RECALL_AT:
            recalls = found.recalls(k)
            metrics[f"recall@{k}"] = found.recall(k)
            metrics[f"mean_recall@{k}"] = sum(recalls.values()) / len(recalls)
    return (_f1(ours.facts, theirs.facts) if ours is not None else 0.0), metrics


def recall_at(predicted: Scene | None, gold: Scene, k: int) -> float | None:
    """Return the share of gold relations found by the first `k` predicted ones; `None`: no boxes.

    A gold relation is found by one with the same labels and relation whose two boxes each overlap
    its own with IoU >= 0.5. As published: one prediction may find several gold relations whose
    boxes overlap, and what else is predicted costs nothing. Predictions count in the order in
    which they stand; dangling ones are skipped. `None` if the gold has no relation, or one without
    boxes. Source: Lu et al., Visual relationship detection with language priors, ECCV 2016.

    Raises
    ------
    ConfigError
        If `k` is less than 1.

    >>> from graphenv.scenes import SceneObject
    >>> man = SceneObject("a", "man", (), (0, 0, 9, 9))
    >>> hat = SceneObject("b", "hat", (), (2, 0, 5, 3))
    >>> gold = Scene((man, hat), (SceneRelation(0, "wears", 1), SceneRelation(1, "on", 0)))
    >>> recall_at(gold, gold, 1), recall_at(gold, gold, 20)
    (0.5, 1.0)
    """
    found = _found(predicted, gold, _whole(k))
    return None if found is None else found.recall(k)


def mean_recall(pairs: Iterable[tuple[Scene | None, Scene]], k: int) -> float | None:
    """Return mean Recall@K of a corpus of (predicted, gold) scenes.

    For each gold predicate the mean, over the scenes that have it, of the share that the first `k`
    predicted relations find; then the mean over predicates, so that rare ones weigh as much as
    "on". It is not the mean of the scenes' `mean_recall@K`. `None` if no scene has relations with
    boxes. Sources: Chen et al., CVPR 2019; Tang et al., CVPR 2019.

    Raises
    ------
    ConfigError
        If `k` is less than 1.
    """
    _whole(k)
    shares: dict[str, list[float]] = {}
    for predicted, gold in pairs:
        found = _found(predicted, gold, k)
        for predicate, share in (found.recalls(k) if found is not None else {}).items():
            shares.setdefault(predicate, []).append(share)
    means = [math.fsum(values) / len(values) for values in shares.values()]
    return math.fsum(means) / len(means) if means else None


def _whole(k: int) -> int:
    if k < 1:
        raise ConfigError(f"Recall@K: k={k!r} must be a whole number >= 1")
    return k


# -- sets -----------------------------------------------------------------------------------------

Fact = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sets:
    """What a scene states, normalised. A dangling relation has four parts: it equals no other."""

    objects: frozenset[Fact]
    attributes: frozenset[Fact]
    relations: frozenset[Fact]

    def parts(self, name: str) -> Set[Fact]:
        if name == "spice":
            return self.objects | self.attributes | self.relations
        return {"object": self.objects, "attribute": self.attributes}.get(name, self.relations)

    @property
    def facts(self) -> Set[Fact]:
        told = {end for fact in self.relations if len(fact) == 3 for end in (fact[0], fact[2])}
        told |= {label for label, _ in self.attributes}
        stated = {(label, IS, attribute) for label, attribute in self.attributes}
        return stated | self.relations | {fact for fact in self.objects if fact[0] not in told}


def _size(scene: Scene) -> int:
    attributes = sum(len(thing.attributes) for thing in scene.objects)
    return len(scene.objects) + attributes + len(scene.relations) + len(scene.dangling)


def _made(scene: Scene) -> _Sets:
    labels = [normalize(thing.label) for thing in scene.objects]
    relations: set[Fact] = {
        (labels[r.head], normalize(r.relation), labels[r.tail]) for r in scene.relations
    }
    relations |= {("", *map(normalize, triple)) for triple in scene.dangling}
    return _Sets(
        frozenset((label,) for label in labels),
        frozenset(
            (label, normalize(attribute))
            for label, thing in zip(labels, scene.objects, strict=True)
            for attribute in thing.attributes
        ),
        frozenset(relations),
    )


_sets = lru_cache(maxsize=256)(_made)  # a gold scene comes back with its group


def _f1(ours: Set[Fact], theirs: Set[Fact]) -> float:
    size = len(ours) + len(theirs)
    return 2.0 * len(ours & theirs) / size if size else 1.0


# -- recall ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """For each gold relation its predicate, and the rank of the first one that finds it."""

    predicates: list[str]
    ranks: list[int | None]

    def recall(self, k: int) -> float:
        hits = sum(rank is not None and rank < k for rank in self.ranks)
        return hits / len(self.ranks)

    def recalls(self, k: int) -> Mapping[str, float]:
        """Return the recall of each predicate."""
        hits: dict[str, list[bool]] = {}
        for predicate, rank in zip(self.predicates, self.ranks, strict=True):
            hits.setdefault(predicate, []).append(rank is not None and rank < k)
        return {predicate: sum(row) / len(row) for predicate, row in hits.items()}


def _found(predicted: Scene | None, gold: Scene, most: int = RECALL_AT[-1]) -> _Found | None:
    ends = {end for r in gold.relations for end in (r.head, r.tail)}
    if not ends or any(gold.objects[end].box is None for end in ends):
        return None
    triples = [_triple(gold, relation) for relation in gold.relations]
    ranks: list[int | None] = [None] * len(triples)
    if predicted is not None:
        same: dict[Fact, list[int]] = {}
        for at, triple in enumerate(triples):
            same.setdefault(triple, []).append(at)
        near = iou(box_array(predicted.objects), box_array(gold.objects)) >= _MIN_IOU
        heads = np.array([r.head for r in gold.relations], dtype=np.intp)
        tails = np.array([r.tail for r in gold.relations], dtype=np.intp)
        for rank, relation in enumerate(predicted.relations[:most]):
            rows = np.array(same.get(_triple(predicted, relation), ()), dtype=np.intp)
            hit = near[relation.head, heads[rows]] & near[relation.tail, tails[rows]]
            for at in rows[hit].tolist():
                ranks[at] = rank if ranks[at] is None else ranks[at]
    return _Found([predicate for _, predicate, _ in triples], ranks)


def _triple(scene: Scene, relation: SceneRelation) -> tuple[str, str, str]:
    return (
        normalize(scene.objects[relation.head].label),
        normalize(relation.relation),
        normalize(scene.objects[relation.tail].label),
    )
