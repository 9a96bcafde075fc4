"""Boxes for objects, in whole pixels, and the relations that a scene tells of them."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.envs.scenes.sources.synthetic.relations import DRAWN, SPATIAL, SYMMETRIC, fits, holds
from graphenv.envs.scenes.sources.synthetic.space import Kind
from graphenv.envs.scenes.sources.synthetic.vocabulary import LABELS, SCALE
from graphenv.envs.scenes.sources.synthetic.wording import Choose
from graphenv.scenes import Box, Scene, SceneObject, SceneRelation

__all__ = ["compose", "height_of"]

_CLOSE = frozenset({"inside", "around", "overlapping", "near", "far from"})
"""What few pairs stand in: told more often than it holds."""


def height_of(width: int) -> int:
    """Return the height of a picture of a width: three quarters of it."""
    return width * 3 // 4


def compose(kinds: Sequence[Kind], relations: int, width: int, choose: Choose) -> Scene:
    """Return a scene of objects with boxes, and of at most so many relations.

    The relations keep the rule of `relations`: what boxes decide holds, classes fit, and a pair of
    objects is told at most one.

    >>> scene = compose([("dog", ("red",)), ("tree", ())], 1, 320, lambda n: 0)
    >>> [thing.id for thing in scene.objects], len(scene.relations), scene.has_boxes
    (['dog.1', 'tree.1'], 1, True)
    """
    objects: list[SceneObject] = []
    counts: dict[str, int] = {}
    for label, words in kinds:
        counts[label] = counts.get(label, 0) + 1
        box = _box(label, words, [o.box for o in objects if o.box is not None], width, choose)
        objects.append(SceneObject(f"{label}.{counts[label]}", label, words, box))
    pairs = [(a, b) for b in range(len(objects)) for a in range(b)]
    found: list[SceneRelation] = []
    while pairs and len(found) < relations:
        a, b = pairs.pop(choose(len(pairs)))
        found.append(_relation(objects, a, b, width, choose))
    return Scene(tuple(objects), tuple(found))


def _relation(
    objects: Sequence[SceneObject], a: int, b: int, width: int, choose: Choose
) -> SceneRelation:
    drawn: list[SceneRelation] = []
    close: list[SceneRelation] = []
    other: list[SceneRelation] = []
    for head, tail in ((a, b), (b, a)):
        first, second = objects[head], objects[tail]
        assert first.box is not None and second.box is not None
        drawn += [
            SceneRelation(head, name, tail)
            for name in DRAWN
            if fits(name, first.label, second.label)
        ]
        for name in SPATIAL:
            if holds(name, first.box, second.box, width):
                # What holds both ways is told one way; either will do.
                if name in SYMMETRIC and head > tail and choose(2):
                    continue
                (close if name in _CLOSE else other).append(SceneRelation(head, name, tail))
    pool = [*close, *other]
    if drawn and choose(5) < 2:
        pool = drawn
    elif close and choose(2):
        pool = close
    # Two boxes share area or stand apart on an axis: something always holds.
    return pool[choose(len(pool))]


def _box(
    label: str, words: Sequence[str], placed: Sequence[Box], width: int, choose: Choose
) -> Box:
    kind = LABELS[label]
    height = height_of(width)
    scale = 1.0
    for word in words:
        scale *= SCALE.get(word, 1.0)
    scale *= (90 + choose(21)) / 100
    wide = max(2, min(round(kind.width * scale * width), width - 4))
    high = max(2, min(round(kind.height * scale * width), height - 4))
    left, top = 2 + choose(width - 3 - wide), 2 + choose(height - 3 - high)
    if placed and choose(2):  # by chance alone hardly anything would touch
        other = placed[choose(len(placed))]
        wish = choose(3)
        if wish == 0:  # within it, where it fits
            left = round(other[0]) + choose(max(1, round(other[2] - other[0]) - wide + 1))
            top = round(other[1]) + choose(max(1, round(other[3] - other[1]) - high + 1))
        elif wish == 1:  # beside it
            gap = choose(width // 16 + 1)
            left = round(other[2]) + gap if choose(2) else round(other[0]) - gap - wide
            top = round(other[3]) - high
        else:  # across its edge
            left = round(other[2]) - wide // 2 - 1
            top = round(other[1]) - high // 2 - 1
        left = min(max(left, 2), width - 2 - wide)
        top = min(max(top, 2), height - 2 - high)
    return (float(left), float(top), float(left + wide), float(top + high))
