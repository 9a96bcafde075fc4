"""Boxes, published truths of scene graphs, and their values by hand."""

from __future__ import annotations

import itertools
import pickle
from dataclasses import replace

import numpy as np
import pytest
import scene_fixture as fx
from hypothesis import given
from scene_fixture import GOLD, scene

from graphenv.errors import ConfigError
from graphenv.rewards.scenes.encoding import encoded
from graphenv.scenes import Scene, SceneObject
from graphenv.scenes.boxes import box_array, corner_distance, giou, iou
from graphenv.scenes.truths import mean_recall, recall_at, scene_truth
from graphenv.seeding import rng

# -- boxes -----------------------------------------------------------------------------------------


def test_boxes_of_pixels_by_counting():
    """IoU, GIoU and L1 of whole boxes against counted pixels."""
    generator = rng("tests.boxes")
    made = []
    for _ in range(12):
        left, top, right, bottom = (*generator.integers(0, 6, 2), *generator.integers(7, 12, 2))
        made.append((float(left), float(top), float(right), float(bottom)))
    shares, general, steps = iou(made, made), giou(made, made), corner_distance(made, made)
    for (i, a), (j, b) in itertools.product(enumerate(made), repeat=2):
        first, second = _pixels(a), _pixels(b)
        union = len(first | second)
        assert shares[i, j] == pytest.approx(len(first & second) / union)
        hull = _pixels((min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])))
        assert general[i, j] == pytest.approx(shares[i, j] - (len(hull) - union) / len(hull))
        assert steps[i, j] == sum(abs(x - y) for x, y in zip(a, b, strict=True))


def _pixels(box: tuple[float, ...]) -> set[tuple[int, int]]:
    left, top, right, bottom = map(int, box)
    return {(x, y) for x in range(left, right) for y in range(top, bottom)}


def test_boxes_without_area_or_missing():
    flat, none = (1.0, 1.0, 1.0, 5.0), (np.nan,) * 4
    whole = (0.0, 0.0, 9.0, 9.0)
    assert iou([flat, none], [flat, none, whole]).tolist() == [[0.0] * 3] * 2
    assert giou([none], [whole]).tolist() == [[-1.0]] and np.isinf(corner_distance([none], [whole]))
    assert box_array(()).shape == (0, 4) and iou([], [whole]).shape == (0, 1)


# -- truths ----------------------------------------------------------------------------------------


def test_truth_by_hand():
    gold = Scene.from_triples(
        [("man", "ride", "horse"), ("horse", "is", "brown"), ("tree",), ("man", "is", "tall")]
    )
    assert scene_truth(gold, gold)[0] == 1.0
    assert set(scene_truth(gold, gold)[1].values()) == {1.0}
    predicted = Scene.from_triples([("MAN", "ride", "horse"), ("horse", "is", "red"), ("tree",)])
    success, metrics = scene_truth(predicted, gold)
    assert success == pytest.approx(2 * 2 / (3 + 4))
    assert metrics == {
        "spice_f1": pytest.approx(2 * 4 / (5 + 6)),
        "object_f1": 1.0,
        "attribute_f1": 0.0,
        "relation_f1": 1.0,
        "precision": pytest.approx(2 / 3),
        "recall": 2 / 4,
        "size_ratio": pytest.approx((3 + 1 + 1) / (3 + 2 + 1)),
    }
    wrong = replace(predicted, dangling=(("man", "ride", "horse"), ("man", "ride", "dog")))
    assert scene_truth(wrong, gold)[0] == pytest.approx(2 * 2 / (5 + 4))
    assert scene_truth(wrong, gold)[1]["relation_f1"] == pytest.approx(2 / 4)


def test_truth_of_nothing():
    assert scene_truth(Scene(), Scene())[0] == 1.0
    assert scene_truth(None, Scene()) == (0.0, {"spice_f1": 0.0})
    assert scene_truth(Scene(), GOLD)[0] == 0.0 and scene_truth(None, GOLD)[0] == 0.0
    assert scene_truth(GOLD, Scene())[0] == 0.0


@given(fx.scenes(), fx.scenes())
def test_truth_is_bounded_and_knows_no_order(predicted: Scene, gold: Scene):
    success, metrics = scene_truth(predicted, gold)
    assert metrics.pop("size_ratio", 0.0) >= 0.0
    assert all(0.0 <= v <= 1.0 for v in (success, *metrics.values()))
    turned = fx.reordered(predicted, range(len(predicted.objects))[::-1])
    assert scene_truth(turned, gold)[0] == success
    told = scene_truth(Scene.from_triples(predicted.facts), predicted)
    assert told[0] == 1.0


def test_recall_by_hand():
    labels, edges = ["man", "man", "hat"], [(0, "has", 2), (1, "has", 2), (0, "near", 1)]
    boxes = [(0.0, 0.0, 10.0, 10.0), (50.0, 0.0, 60.0, 10.0), (0.0, 0.0, 5.0, 5.0)]
    gold = scene(labels, edges, (), boxes)
    assert [recall_at(gold, gold, k) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1.0]
    assert recall_at(scene(labels, edges, (), boxes[:2]), gold, 20) == 1 / 3
    assert recall_at(None, gold, 20) == 0.0
    assert recall_at(gold, scene(labels, edges), 20) is None
    assert recall_at(gold, scene(labels, (), (), boxes), 20) is None
    # As published, one prediction finds all gold relations that its boxes overlap with.
    close = scene(labels, edges, (), [boxes[0], (0.0, 0.0, 10.0, 9.0), boxes[2]])
    assert recall_at(
        scene(["man", "hat"], [(0, "has", 1)], (), [boxes[0], boxes[2]]), close, 1
    ) == (2 / 3)
    with pytest.raises(ConfigError, match="k=0"):
        recall_at(gold, gold, 0)


def test_mean_recall_weighs_predicates_alike():
    """Over a corpus: nine "on" found of ten and no "rides" found of one is 0.45."""
    boxes = [(0.0, 0.0, 10.0, 10.0), (20.0, 0.0, 30.0, 10.0)]
    on = scene(["cat", "mat"], [(0, "on", 1)], (), boxes)
    rides = scene(["cat", "dog"], [(0, "rides", 1)], (), boxes)
    pairs: list[tuple[Scene | None, Scene]] = [*[(on, on)] * 9, (None, on), (on, rides)]
    assert mean_recall(pairs, 20) == pytest.approx(0.45)
    assert mean_recall([(on, scene(["cat"], ()))], 20) is None
    both = scene_truth(on, scene(["cat", "mat"], [(0, "on", 1), (0, "in", 1)], (), boxes))[1]
    assert both["recall@20"] == both["mean_recall@100"] == 0.5


def test_a_scene_has_one_hash_that_is_not_pickled():
    copy = pickle.loads(pickle.dumps(GOLD))
    assert copy == GOLD and hash(copy) == hash(GOLD)
    assert "_hash" not in pickle.loads(pickle.dumps(GOLD)).__dict__
    assert encoded(copy) is encoded(GOLD)
    assert hash(SceneObject("a", "b")) == hash(SceneObject("a", "b"))
