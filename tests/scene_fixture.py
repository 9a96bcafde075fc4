"""Hand-made scenes, episodes that answer with them, and the cases of the scene table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from graphenv import rewards
from graphenv.episode import Episode, Outcome, Status, Step
from graphenv.graph import Graph
from graphenv.rewards.scenes.matching import Matcher, SceneMatch, Settings
from graphenv.scenes import Box, Scene, SceneObject, SceneRelation
from graphenv.task import Target, Task

Edges = Sequence[tuple[int, str, int]]

LABELS = ("man", "horse", "hat")
ATTRIBUTES = ((), ("brown", "big"), ("black",))
BOXES: tuple[Box, ...] = ((0, 0, 40, 100), (30, 40, 100, 100), (10, 0, 30, 10))
EDGES: Edges = ((0, "rides", 1), (0, "wears", 2), (1, "near", 2))


def scene(
    labels: Sequence[str] = LABELS,
    edges: Edges = EDGES,
    attributes: Sequence[Sequence[str]] = (),
    boxes: Sequence[Box | None] = (),
    ids: Sequence[str] = (),
) -> Scene:
    """Return a scene; attributes and boxes of the first objects, none of the others."""
    objects = tuple(
        SceneObject(
            ids[at] if ids else f"{label}.{at}",
            label,
            tuple(attributes[at]) if at < len(attributes) else (),
            boxes[at] if at < len(boxes) else None,
        )
        for at, label in enumerate(labels)
    )
    return Scene(objects, tuple(SceneRelation(*edge) for edge in edges))


def reordered(given: Scene, order: Sequence[int]) -> Scene:
    """Return the scene with its objects in another order, relations the other way round."""
    place = {old: new for new, old in enumerate(order)}
    relations = [replace(r, head=place[r.head], tail=place[r.tail]) for r in given.relations]
    objects = tuple(given.objects[old] for old in order)
    return replace(given, objects=objects, relations=tuple(relations[::-1]))


def episode(predicted: Scene | None, gold: Scene | None, status: Status | None = None) -> Episode:
    """Return a finished episode that predicts one scene where another is gold."""
    target = Target(scene=gold, graph=gold.graph if gold is not None else None)
    task = Task("scene", 0, ({"role": "user", "content": "?"},), target)
    if status is None:
        status = "malformed" if predicted is None else "ok"
    outcome = Outcome(
        status, scene=predicted, graph=predicted.graph if predicted is not None else None
    )
    step = Step("x", (), "", {}, status=status, graph=outcome.graph)
    start = Graph()
    return Episode("any", {}, "", task, 1, start_graph=start, steps=(step,), outcome=outcome)


GOLD = scene(LABELS, EDGES, ATTRIBUTES, BOXES)


def over(count: int) -> Scene:
    """Return the gold and as many objects and relations that are wrong."""
    labels = [*LABELS, *(f"thing {i}" for i in range(count))]
    edges = [*EDGES, *((0, "near", 3 + i) for i in range(count))]
    return scene(labels, edges, ATTRIBUTES, BOXES)


def everything() -> Scene:
    """Return every object, attribute, relation and box that there could be."""
    labels = ["man", "horse", "hat", "dog", "tree", "woman", "house", "boat"]
    relations = ("rides", "wears", "near", "on", "holds")
    pairs = [(i, r, j) for i in range(8) for j in range(8) if i != j for r in relations]
    boxes = [*BOXES, *((10.0 * i, 10.0, 10.0 * i + 9, 60.0) for i in range(5))]
    return scene(labels, pairs, [("brown", "big", "black", "red")] * 8, boxes)


_TWO_MEN = scene(["man", "man", "hat"], [(0, "wears", 2), (1, "near", 2)], [("tall",), ("old",)])
_LOOP = scene(["snake"], [(0, "bites", 0)])
_BOTH = scene(LABELS, [(0, "rides", 1), (0, "feeds", 1)])
_DANGLING = (("man", "holds", "rope"),)

SCENES: dict[str, tuple[Scene | None, Scene]] = {
    "gold": (GOLD, GOLD),
    "renamed": (scene(LABELS, EDGES, ATTRIBUTES, BOXES, ids=["x", "y", "z"]), GOLD),
    "reordered": (reordered(GOLD, (2, 0, 1)), GOLD),
    "case": (scene(["MAN", "Horse", "hat"], EDGES, ATTRIBUTES, BOXES), GOLD),
    "whitespace": (scene([" man", "horse\n", "hat"], EDGES, ATTRIBUTES, BOXES), GOLD),
    "unicode": (scene(["cafe\u0301"], ()), scene(["caf\u00e9"], ())),
    "nothing": (None, GOLD),
    "empty": (Scene(), GOLD),
    "both_empty": (Scene(), Scene()),
    "nothing_for_empty": (None, Scene()),
    "something_for_empty": (GOLD, Scene()),
    "objects_alone": (scene(LABELS, (), (), BOXES), GOLD),
    "missing_relation": (scene(LABELS, EDGES[:2], ATTRIBUTES, BOXES), GOLD),
    "missing_object": (scene(LABELS[:2], EDGES[:1], ATTRIBUTES, BOXES), GOLD),
    "duplicate_relation": (scene(LABELS, [*EDGES, EDGES[0]], ATTRIBUTES, BOXES), GOLD),
    "duplicate_object": (
        scene([*LABELS, "man"], EDGES, ATTRIBUTES, [*BOXES, BOXES[0]]),
        GOLD,
    ),
    "duplicate_attribute": (
        scene(LABELS, EDGES, ((), ("brown", "brown"), ("black",)), BOXES),
        scene(LABELS, EDGES, ((), ("brown",), ("black",)), BOXES),
    ),
    "over_1": (over(1), GOLD),
    "over_10": (over(10), GOLD),
    "over_1000": (over(1000), GOLD),
    "list_everything": (everything(), GOLD),
    "dangling": (replace(GOLD, dangling=_DANGLING), GOLD),
    "dangling_alone": (Scene(dangling=_DANGLING * 3), GOLD),
    "wrong_direction": (scene(LABELS, [(t, r, h) for h, r, t in EDGES], ATTRIBUTES, BOXES), GOLD),
    "wrong_relation": (scene(LABELS, [(h, "xx", t) for h, _, t in EDGES], ATTRIBUTES, BOXES), GOLD),
    "wrong_attribute": (scene(LABELS, EDGES, ((), ("xx", "big"), ("black",)), BOXES), GOLD),
    "attribute_moved": (scene(LABELS, EDGES, ((), ("big",), ("black", "brown")), BOXES), GOLD),
    "attribute_as_object": (
        scene([*LABELS, "brown"], [*EDGES, (1, "is", 3)], ((), ("big",), ("black",)), BOXES),
        GOLD,
    ),
    "one_of_two_parallel": (scene(LABELS, [(0, "rides", 1)]), _BOTH),
    "both_parallel": (scene(LABELS, [(0, "feeds", 1), (0, "rides", 1)]), _BOTH),
    "self_loop": (_LOOP, _LOOP),
    "self_loop_missed": (scene(["snake"], ()), _LOOP),
    "two_of_a_label": (reordered(_TWO_MEN, (1, 2, 0)), _TWO_MEN),
    "one_of_two_of_a_label": (
        scene(["man", "hat"], [(0, "near", 1)], [("old",)]),
        _TWO_MEN,
    ),
    "attributes_swapped": (
        scene(["man", "man", "hat"], [(0, "wears", 2), (1, "near", 2)], [("old",), ("tall",)]),
        _TWO_MEN,
    ),
    "substring_of_gold": (scene(["m", "hors", "ha"], EDGES, ATTRIBUTES, BOXES), GOLD),
    "gold_is_substring": (scene(["manxx", "horses", "chat"], EDGES, ATTRIBUTES, BOXES), GOLD),
    "without_boxes": (scene(LABELS, EDGES, ATTRIBUTES), GOLD),
    "boxes_not_asked": (GOLD, scene(LABELS, EDGES, ATTRIBUTES)),
    "caption_as_label": (scene(["a man on a brown horse"], ()), GOLD),
}
"""What was predicted and what is gold, by case."""


# -- random scenes --------------------------------------------------------------------------------

_boxes = st.tuples(
    st.integers(0, 30), st.integers(0, 30), st.integers(1, 30), st.integers(1, 30)
).map(lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3])))


@st.composite
def scenes(draw: st.DrawFn, most: int = 5, boxes: bool = True) -> Scene:
    """Small scenes with few labels, so that ties, parallel relations and loops are common."""
    n = draw(st.integers(0, most))
    words = st.sampled_from(["man", "men", "hat"])
    labels = draw(st.lists(words, min_size=n, max_size=n))
    attributes = [draw(st.lists(st.sampled_from(["red", "old"]), max_size=2)) for _ in range(n)]
    where = [draw(st.none() | _boxes) if boxes else None for _ in range(n)]
    ends = st.integers(0, n - 1)
    edges = st.lists(st.tuples(ends, st.sampled_from(["on", "in"]), ends), max_size=5)
    return scene(labels, draw(edges) if n else (), attributes, where)


def value(reward: str, predicted: Scene | None, gold: Scene | None) -> float | None:
    """Return the value of a prediction under a reward."""
    score = rewards.parse(reward)([episode(predicted, gold)])[0]
    assert score.status in ("ok", "not_applicable"), score.reason
    return score.value


def match(predicted: Scene, gold: Scene, **kind: Any) -> SceneMatch:
    """Return the match of two scenes under some settings."""
    return Matcher(Settings(**kind)).match(predicted, gold)


def scores(predicted: Scene, gold: Scene, **kind: Any) -> list[float]:
    """Return the F1 of objects, attributes and relations."""
    found = match(predicted, gold, **kind)
    return [found.object_f1, found.attribute_f1, found.relation_f1]
