"""Objects of scenes matched one to one: what all kinds of matching keep, and what decides."""

from __future__ import annotations

import itertools
import json
import pickle
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scene_fixture as fx
from hypothesis import given, settings
from hypothesis import strategies as st
from scene_fixture import BOXES, GOLD, LABELS, SCENES, episode, match, scene, scores

from graphenv import rewards
from graphenv.errors import ConfigError
from graphenv.rewards.scenes.encoding import encoded
from graphenv.rewards.scenes.matching import MAX_PAIRS
from graphenv.rewards.scenes.ties import told_apart
from graphenv.rewards.scenes.trying import tried
from graphenv.rewards.similarity.labels import label_similarity
from graphenv.rewards.similarity.table import LikenessTable
from graphenv.scenes import Scene, SceneRelation
from graphenv.scenes.boxes import box_array, iou

KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"similarity": "string"},
    {"boxes": "iou"},
    {"boxes": "giou"},
    {"similarity": "string", "boxes": "published"},
    {"boxes": "iou", "hard": True},
)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


# -- what all kinds of matching keep ---------------------------------------------------------------

randoms = st.randoms(use_true_random=False)


@every_kind
@given(pair=st.tuples(fx.scenes(), fx.scenes()), random=randoms)
@settings(max_examples=25)
def test_range_and_order(kind: dict[str, Any], pair: tuple[Scene, Scene], random: Any):
    predicted, gold = pair
    found = scores(predicted, gold, **kind)
    assert all(0.0 <= v <= 1.0 for v in found)
    order = list(range(len(predicted.objects)))
    random.shuffle(order)
    again = scores(fx.reordered(predicted, order), gold, **kind)
    assert again == pytest.approx(found, abs=1e-9)
    renamed = replace(
        predicted,
        objects=tuple(replace(o, id=f"other {i}") for i, o in enumerate(predicted.objects)),
    )
    assert scores(renamed, gold, **kind) == found


@every_kind
@given(gold=fx.scenes(), random=randoms)
@settings(max_examples=25)
def test_a_copy_is_worth_exactly_one(kind: dict[str, Any], gold: Scene, random: Any):
    order = list(range(len(gold.objects)))
    random.shuffle(order)
    assert scores(fx.reordered(gold, order), gold, **kind) == [1.0, 1.0, 1.0]


@every_kind
@given(gold=fx.scenes(), extra=fx.scenes(most=3))
@settings(max_examples=25)
def test_gold_and_more_is_worth_less(kind: dict[str, Any], gold: Scene, extra: Scene):
    shift = len(gold.objects)
    objects = (*gold.objects, *(replace(o, id=f"more {o.id}") for o in extra.objects))
    relations = [SceneRelation(r.head + shift, r.relation, r.tail + shift) for r in extra.relations]
    more = Scene(objects, (*gold.relations, *relations))
    found = scores(more, gold, **kind)
    assert (found[0] < 1.0) is bool(extra.objects)
    if extra.relations:
        assert found[2] < 1.0


@every_kind
@given(pair=st.tuples(fx.scenes(), fx.scenes()), data=st.data())
@settings(max_examples=25)
def test_saying_it_again_never_pays(
    kind: dict[str, Any], pair: tuple[Scene, Scene], data: st.DataObject
):
    predicted, gold = pair
    gold = replace(gold, relations=tuple(dict.fromkeys(gold.relations)))
    found = scores(predicted, gold, **kind)
    if predicted.relations:
        again = data.draw(st.sampled_from(predicted.relations))
        twice = replace(predicted, relations=(*predicted.relations, again))
        other = {r.relation for r in gold.relations} - {again.relation}
        if not other:  # a relation of another name may stand between the same two
            assert scores(twice, gold, **kind)[2] <= found[2] + 1e-9
    dangling = replace(predicted, dangling=(("a", "on", "b"),))
    assert scores(dangling, gold, **kind)[:2] == found[:2]
    assert scores(dangling, gold, **kind)[2] <= found[2]


def _best(predicted: Scene, gold: Scene, worth: Any) -> float:
    """Return the best sum over all ways to match objects one to one."""
    a, b = range(len(predicted.objects)), range(len(gold.objects))
    if len(a) > len(b):
        return max(sum(worth(i, j) for i, j in zip(p, b, strict=False)) for p in _orders(a, b))
    return max(sum(worth(i, j) for i, j in zip(a, p, strict=False)) for p in _orders(b, a))


def _orders(longer: range, shorter: range) -> Any:
    return itertools.permutations(longer, len(shorter))


@given(pair=st.tuples(fx.scenes(4), fx.scenes(4)))
@settings(max_examples=40)
def test_objects_are_matched_best(pair: tuple[Scene, Scene]):
    predicted, gold = pair
    alike = label_similarity("string")
    near = iou(box_array(predicted.objects), box_array(gold.objects))

    def labels(i: int, j: int) -> float:
        return alike(predicted.objects[i].label, gold.objects[j].label)

    def both(i: int, j: int) -> float:
        return labels(i, j) * (near[i, j] if gold.objects[j].box is not None else 1.0)

    def equal(i: int, j: int) -> float:
        same = predicted.objects[i].label == gold.objects[j].label
        return float(same and (gold.objects[j].box is None or near[i, j] >= 0.5))

    for kind, worth in (
        ({"similarity": "string"}, labels),
        ({"similarity": "string", "boxes": "iou"}, both),
        ({"boxes": "iou", "hard": True}, equal),
    ):
        found = match(predicted, gold, **kind)
        assert found.objects == pytest.approx(_best(predicted, gold, worth))
        images = [j for j in found.images if j >= 0]
        assert len(images) == len(set(images))


def test_batches_do_not_matter():
    pairs = [case for case in SCENES.values() if case[0] is not None]
    terms = "object_f1 + attribute_f1 + relation_f1(similarity='string') + preset('r1-sgg')"
    reward = rewards.parse(terms)
    alone = [reward([episode(*pair)])[0].value for pair in pairs]
    together = [score.value for score in reward([episode(*pair) for pair in pairs])]
    backwards = [score.value for score in reward([episode(*pair) for pair in pairs[::-1]])]
    assert alone == together == backwards[::-1]


# -- decisions -------------------------------------------------------------------------------------


def test_who_is_who_is_told_by_what_they_do():
    """A ring of men, one of whom wears a hat: each has his place."""
    ring = [(i, "follows", (i + 1) % 6) for i in range(6)]
    gold = scene(["man"] * 6 + ["hat"], [*ring, (2, "wears", 6)])
    assert scores(fx.reordered(gold, (3, 6, 1, 5, 0, 2, 4)), gold) == [1.0, 1.0, 1.0]
    broken = scene(["man"] * 6 + ["hat"], [*ring[:5], (2, "wears", 6)])
    assert scores(fx.reordered(broken, (3, 6, 1, 5, 0, 2, 4)), gold)[2] == pytest.approx(12 / 13)


@given(pair=st.tuples(fx.scenes(4, boxes=False), fx.scenes(4, boxes=False)))
@settings(max_examples=60)
def test_few_ways_are_all_tried(pair: tuple[Scene, Scene]):
    """No way to match equal labels keeps more of what is said; the general search keeps no more."""
    ours, theirs = map(encoded, pair)
    images = tried(ours, theirs)
    assert images is not None or max(len(ours), len(theirs)) > 3 or not len(ours)
    if images is None or not len(ours) or not len(theirs):
        return
    equal = LikenessTable().likeness(ours.labels, theirs.labels)
    found = told_apart(ours, theirs, equal, False)
    assert sum(j >= 0 for j in images) == sum(j >= 0 for j in found)
    kept = [_kept(pair[0], pair[1], way) for way in (images, found)]
    assert kept[0] >= kept[1]


def _kept(predicted: Scene, gold: Scene, images: list[int]) -> int:
    """Return how many relations and attributes are the same on both sides."""
    moved: Counter[Any] = Counter(
        (images[r.head], r.relation, images[r.tail]) for r in predicted.relations
    )
    moved += Counter(
        (images[i], "is", a) for i, o in enumerate(predicted.objects) for a in o.attributes
    )
    there: Counter[Any] = Counter((r.head, r.relation, r.tail) for r in gold.relations)
    there += Counter((j, "is", a) for j, o in enumerate(gold.objects) for a in o.attributes)
    return (moved & there).total()


def test_many_of_a_label_against_one():
    crowd = scene(["man"] * 24 + ["hat"], [(17, "wears", 24)])
    assert scores(crowd, scene(["man", "hat"], [(0, "wears", 1)]))[2] == 1.0
    assert scores(scene(["man", "hat"], [(0, "wears", 1)]), crowd)[2] == 1.0


def test_boxes_that_are_missing():
    bare = scene(LABELS, fx.EDGES, fx.ATTRIBUTES)
    some = scene(LABELS, fx.EDGES, fx.ATTRIBUTES, [BOXES[0], None, None])
    for boxes in ("iou", "giou", "published"):
        assert scores(bare, GOLD, boxes=boxes) == [0.0, 0.0, 0.0], "the gold has them"
        assert scores(GOLD, bare, boxes=boxes) == [1.0, 1.0, 1.0], "the gold has none"
        assert scores(some, GOLD, boxes=boxes)[0] == pytest.approx(1 / 3)
        assert scores(GOLD, some, boxes=boxes) == [1.0, 1.0, 1.0]


def test_boxes_by_hand():
    gold = scene(["cat"], (), (), [(0, 0, 10, 10)])
    half = scene(["cat"], (), (), [(0, 0, 10, 20)])
    third = scene(["cat"], (), (), [(5, 0, 15, 10)])
    away = scene(["cat"], (), (), [(20, 0, 30, 10)])
    assert match(half, gold, boxes="iou").object_f1 == 0.5
    assert match(half, gold, boxes="giou").object_f1 == 0.75
    assert match(half, gold, boxes="published").object_f1 == pytest.approx((1 + 5 / np.e) / 7)
    assert match(away, gold, boxes="iou").object_f1 == 0.0
    assert match(away, gold, boxes="giou").object_f1 == pytest.approx(1 / 3)
    hard = [match(s, gold, boxes="iou", hard=True).object_f1 for s in (gold, half, third, away)]
    assert hard == [1.0, 1.0, 0.0, 0.0]


def test_boxes_tell_two_of_a_label_apart():
    gold = scene(["cat", "cat"], [(0, "near", 1)], (), [(0, 0, 9, 9), (50, 0, 59, 9)])
    turned = scene(["cat", "cat"], [(0, "near", 1)], (), [(50, 0, 59, 9), (0, 0, 9, 9)])
    assert scores(turned, gold) == [1.0, 1.0, 1.0], "labels alone"
    assert scores(turned, gold, boxes="iou") == [1.0, 1.0, 0.0]


def test_hard_prefers_the_nearest_of_many():
    gold = scene(["cat"], (), (), [(0, 0, 10, 10)])
    two = scene(["cat", "cat"], (), (), [(0, 0, 10, 12), (0, 0, 10, 10)])
    found = match(two, gold, boxes="iou", hard=True)
    assert found.images == [-1, 0] and found.values == [0.0, 1.0]


BAD = {
    "object_f1(boxes='box')": "boxes='box' is unknown",
    "object_f1(similarity='strings')": "'embedding:NAME'",
    "object_f1(similarity=3)": "no text",
    "object_f1(hard=2)": "True or False",
    "object_f1(hard=True, similarity='string')": "leave out similarity",
    "object_f1(similarity='embedding:')": "names no model",
    "r1_sgg_edge(hard=1)": "True or False",
    "r1_sgg_node(similarity='no_such_module:f')": "cannot be loaded",
}


@pytest.mark.parametrize("reward", BAD)
def test_bad_arguments(reward: str):
    with pytest.raises(ConfigError, match=BAD[reward].replace("(", r"\(")):
        rewards.parse(reward)


def test_terms_pickle_and_details_are_told():
    reward = pickle.loads(pickle.dumps(rewards.parse("object_f1(similarity='string')")))
    predicted = scene(["men", "horse", "cat"], [(0, "rides", 1), (2, "near", 1)])
    predicted = replace(predicted, dangling=(("man", "holds", "rope"),))
    info = reward([episode(predicted, GOLD)])[0].info["object_f1(similarity='string')"]
    assert info["objects alike"] == ["men for man: 0.67", "cat for hat: 0.67"]
    assert info["dangling"] == ["man holds rope"]
    assert info["pairs without a relation"] == ["man -[wears]-> hat", "horse -[near]-> hat"]
    assert info["pairs with one too many"] == ["cat -[near]-> horse"]
    assert json.loads(json.dumps(dict(info))) == pickle.loads(pickle.dumps(info))


def test_no_prediction_takes_long():
    """A thousand objects each, all alike, all different, or with boxes: linear work."""
    count = 1_000
    boxes = [(float(i), 0.0, float(i + 5), 5.0) for i in range(count)]
    ring = [(i, "on", (i + 1) % count) for i in range(count)]
    alike = scene(["man"] * count, ring, (), boxes)
    others = scene([f"thing {i}" for i in range(count)], ring, (), boxes)
    assert count * count > MAX_PAIRS
    start = time.process_time()
    for kind in KINDS:
        assert match(alike, alike, **kind).object_f1 == 1.0
        assert match(others, others, **kind).object_f1 == 1.0
        assert match(others, alike, **kind).object_f1 == 0.0
        match(alike, GOLD, **kind), match(others, GOLD, **kind)
    rewards.parse("preset('r1-sgg')")([episode(others, alike), episode(alike, GOLD)])
    assert time.process_time() - start < 60  # an outer guard
