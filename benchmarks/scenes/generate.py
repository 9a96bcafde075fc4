"""Scenes of a given size, and predictions that are mostly right."""

from __future__ import annotations

import numpy as np

from graphenv.scenes.model import Box, Scene, SceneObject, SceneRelation
from graphenv.seeding import rng

__all__ = ["GROUP", "pairs"]

GROUP = 8
"""Predictions of one gold scene, as in a GRPO step."""

_LABELS, _RELATIONS = 150, 50  # as in VG150
_WIDTH, _HEIGHT = 1_000, 600


def pairs(objects: int, count: int, *, boxes: bool) -> list[tuple[Scene, Scene]]:
    """Return `count` (predicted, gold) pairs, `GROUP` predictions for each gold scene.

    A gold scene has as many relations as objects and an attribute for each third object. In a
    prediction every fifth label and every third relation is another one, boxes are up to nine
    pixels off, and the objects stand in another order. Labels are drawn with weights 1 / rank, so
    that large scenes hold many objects of one label, as pictures do.
    """
    draw = rng("scenes benchmark", objects, boxes)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(draw.choice(letters, size=draw.integers(3, 10))) for _ in range(_LABELS)]
    weights = 1.0 / np.arange(1, _LABELS + 1)
    weights /= weights.sum()
    made: list[tuple[Scene, Scene]] = []
    while len(made) < count:
        gold = _gold(draw, objects, words, weights, boxes)
        made += [(_prediction(draw, gold, words, weights), gold) for _ in range(GROUP)]
    return made[:count]


def _gold(
    draw: np.random.Generator, n: int, words: list[str], weights: np.ndarray, boxes: bool
) -> Scene:
    objects = []
    for at, label in enumerate(draw.choice(words, size=n, p=weights)):
        attributes = (str(draw.choice(words)),) if at % 3 == 0 else ()
        left, top = int(draw.integers(0, _WIDTH - 200)), int(draw.integers(0, _HEIGHT - 200))
        wide, high = (int(x) for x in draw.integers(20, 200, 2))
        box: Box | None = (left, top, left + wide, top + high) if boxes else None
        objects.append(SceneObject(f"{label}.{at}", str(label), attributes, box))
    ends = draw.integers(0, n, (n, 2))
    names = draw.choice(words[:_RELATIONS], size=n)
    relations = (
        SceneRelation(int(h), str(name), int(t)) for (h, t), name in zip(ends, names, strict=True)
    )
    return Scene(tuple(objects), tuple(relations))


def _prediction(
    draw: np.random.Generator, gold: Scene, words: list[str], weights: np.ndarray
) -> Scene:
    n = len(gold.objects)
    order = [int(i) for i in draw.permutation(n)]
    place = {old: new for new, old in enumerate(order)}
    objects = []
    for at in order:
        thing = gold.objects[at]
        label = str(draw.choice(words, p=weights)) if draw.random() < 0.2 else thing.label
        box = thing.box
        if box is not None:
            left, top, right, bottom = (
                v + int(d) for v, d in zip(box, draw.integers(-9, 10, 4), strict=True)
            )
            box = (left, top, max(right, left + 1), max(bottom, top + 1))
        objects.append(SceneObject(f"p.{at}", label, thing.attributes, box))
    relations = []
    for r in gold.relations:
        name = str(draw.choice(words[:_RELATIONS])) if draw.random() < 0.34 else r.relation
        relations.append(SceneRelation(place[r.head], name, place[r.tail]))
    return Scene(tuple(objects), tuple(relations))
