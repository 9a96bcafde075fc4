"""Rewards of scene graphs: the table, published formulas beside ours, matching, boxes, truths."""

from __future__ import annotations

import itertools
import json
import pickle
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import conformance
import numpy as np
import pytest
import scene_fixture as fx
from hypothesis import given, settings
from hypothesis import strategies as st
from scene_fixture import BOXES, GOLD, LABELS, SCENES, episode, scene

from graphenv import rewards
from graphenv.benchmarks.scenes.__main__ import SUITE
from graphenv.errors import ConfigError
from graphenv.rewards.scenes.encoding import encoded
from graphenv.rewards.scenes.matching import MAX_PAIRS, Matcher, SceneMatch, Settings
from graphenv.rewards.scenes.ties import told_apart
from graphenv.rewards.scenes.trying import tried
from graphenv.rewards.similarity.embedding import MAX_ENCODED, embedding
from graphenv.rewards.similarity.labels import label_likeness, label_similarity
from graphenv.rewards.similarity.table import LikenessTable
from graphenv.scenes import Scene, SceneObject, SceneRelation, read_scene, scene_json
from graphenv.scenes.boxes import box_array, corner_distance, giou, iou
from graphenv.scenes.truths import mean_recall, recall_at, scene_truth
from graphenv.seeding import rng

TABLE = conformance.read_table("scenes")
OURS = ("object_f1", "attribute_f1", "relation_f1")
PUBLISHED = ("r1_sgg_node", "r1_sgg_box", "r1_sgg_edge")
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"similarity": "string"},
    {"boxes": "iou"},
    {"boxes": "giou"},
    {"similarity": "string", "boxes": "published"},
    {"boxes": "iou", "hard": True},
)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def value(reward: str, predicted: Scene | None, gold: Scene | None) -> float | None:
    score = rewards.parse(reward)([episode(predicted, gold)])[0]
    assert score.status in ("ok", "not_applicable"), score.reason
    return score.value


def match(predicted: Scene, gold: Scene, **kind: Any) -> SceneMatch:
    return Matcher(Settings(**kind)).match(predicted, gold)


def scores(predicted: Scene, gold: Scene, **kind: Any) -> list[float]:
    found = match(predicted, gold, **kind)
    return [found.object_f1, found.attribute_f1, found.relation_f1]


# -- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SCENES)
def test_value(case: str):
    TABLE.check(case, episode(*SCENES[case]))


def test_every_case_and_every_term_of_scenes_has_its_value():
    TABLE.check_rows(SCENES)
    facts = {"outcome.scene", "target.scene"}
    by_scene = {t for t in rewards.TERMS if rewards.term_class(t).needs & facts}
    alone = {t for t in by_scene if rewards.term_class(t).needs <= facts}
    assert alone <= set(TABLE.terms)


@pytest.mark.parametrize("term", OURS)
def test_what_is_too_much_costs(term: str):
    names = ["gold", "over_1", "over_10", "over_1000"]
    values = [TABLE.values[name][term] or 0.0 for name in names]
    if term == "attribute_f1":  # nothing was said of what is too much
        assert values == [1.0] * 4
        return
    assert values == sorted(set(values), reverse=True)


@pytest.mark.parametrize("reward", [*conformance.PRESETS["scene-graph"], "relation_f1"])
def test_listing_everything_loses_with_ours(reward: str):
    """Every object, attribute and relation that there could be, against half of the truth."""
    honest = scene(LABELS[:2], fx.EDGES[:1], fx.ATTRIBUTES, BOXES)
    paid = [value(reward, s, GOLD) for s in (GOLD, honest, fx.everything())]
    assert paid == sorted(paid, key=lambda v: v or 0.0, reverse=True) and len(set(paid)) == 3


def test_listing_everything_wins_with_the_published_reward():
    """Recall alone cannot tell the gold from a list of all there could be."""
    honest = scene(LABELS[:2], fx.EDGES[:1], fx.ATTRIBUTES, BOXES)
    paid = [value("preset('r1-sgg')", s, GOLD) for s in (GOLD, honest, fx.everything())]
    best, some, all_of_it = paid
    assert best == all_of_it == 10.0
    assert some is not None and some < 6.0


@pytest.mark.parametrize("text", ["", "[", "{}", '{"objects": 3}', '[["a"], 3]', "[" * 50_000])
def test_text_that_is_no_scene_earns_nothing(text: str):
    read, reason = read_scene(text)
    assert read is None and reason
    score = rewards.parse("object_f1 + r1_sgg_node + r1_sgg_format")([episode(read, GOLD)])[0]
    assert score.value == 0.0


def test_a_timeout_earns_nothing_and_no_gold_is_none():
    late = episode(None, GOLD, "timeout")
    assert [s.value for s in rewards.parse("object_f1")([late])] == [0.0]
    for term in (*OURS, *PUBLISHED):
        assert value(term, GOLD, None) is None


def _broken(a: str, b: str) -> float:
    raise RuntimeError("no")


def test_a_crash_is_no_wrong_answer():
    reward = rewards.parse("object_f1(similarity='test_scene_rewards:_broken') + format")
    good, bad = reward([episode(Scene(), GOLD), episode(scene(["xx"], ()), GOLD)])
    assert good.status == "ok" and good.value == 1.0
    assert (bad.value, bad.status) == (None, "error") and "no" in bad.reason


# -- published defects: the same input, their formula and ours ------------------------------------

Triples = set[tuple[str, str, str]]


def _triples(given: Scene) -> list[tuple[str, str, str]]:
    names = [thing.label for thing in given.objects]
    return [(names[r.head], r.relation, names[r.tail]) for r in given.relations]


def _format_at_head(predicted: Scene, gold: Scene) -> float:
    """R1-SGG's code at its head: 1 for the empty graph, 0 for any with an object."""
    return float(not predicted.objects)


def _node_recall(predicted: Scene, gold: Scene) -> float:
    """R1-SGG: the share of gold objects that are found."""
    theirs = [thing.label for thing in gold.objects]
    return sum(label in {o.label for o in predicted.objects} for label in theirs) / len(theirs)


def _edge_recall(predicted: Scene, gold: Scene) -> float:
    """R1-SGG: the share of gold relations that are found."""
    theirs = _triples(gold)
    return sum(triple in _triples(predicted) for triple in theirs) / len(theirs)


def _one_predicate_a_pair(predicted: Scene, gold: Scene) -> float:
    """R1-SGG: a dictionary from a pair of objects to its predicate, so the last one stays."""
    kept = {(r.head, r.tail): r.relation for r in predicted.relations}
    found = sum(kept.get((r.head, r.tail)) == r.relation for r in gold.relations)
    return found / len(gold.relations)


def _veto_for_a_dangling_id(predicted: Scene, gold: Scene) -> float:
    """R1-SGG: one relation to an id that is not listed, and nothing is paid."""
    return 0.0 if predicted.dangling else _edge_recall(predicted, gold)


DEFECTS: dict[str, tuple[str, Any, float, str, float]] = {
    # name: case, their formula, its value, our term, its value
    "format_pays_for_the_empty_graph": ("empty", _format_at_head, 1.0, "object_f1", 0.0),
    "format_pays_for_no_other": ("gold", _format_at_head, 0.0, "r1_sgg_format", 1.0),
    "extra_objects_are_free": ("over_1000", _node_recall, 1.0, "object_f1", 3 / 503),
    "extra_relations_are_free": ("over_1000", _edge_recall, 1.0, "relation_f1", 3 / 503),
    "all_pairs_are_free": ("list_everything", _edge_recall, 1.0, "relation_f1", 6 / 283),
    "copies_are_free": ("duplicate_object", _node_recall, 1.0, "object_f1", 6 / 7),
    "repetition_is_free": ("duplicate_relation", _edge_recall, 1.0, "relation_f1", 6 / 7),
    "predicates_overwrite": ("both_parallel", _one_predicate_a_pair, 0.5, "relation_f1", 1.0),
    "one_dangling_id_zeroes": ("dangling", _veto_for_a_dangling_id, 0.0, "relation_f1", 6 / 7),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_published_defect(name: str):
    case, formula, theirs, term, ours = DEFECTS[name]
    predicted, gold = SCENES[case]
    assert predicted is not None
    assert formula(predicted, gold) == pytest.approx(theirs), formula.__doc__
    assert value(term, predicted, gold) == pytest.approx(ours)


def test_published_values_by_hand():
    """Boxes of 10 by 10 in a picture of 100 by 50; one object is moved by its own width."""
    gold = scene(["cat", "dog"], [(0, "on", 1)], (), [(0, 0, 10, 10), (90, 40, 100, 50)])
    moved = scene(["cat", "dog"], [(0, "in", 1)], (), [(10, 0, 20, 10), (90, 40, 100, 50)])
    assert value("r1_sgg_node", moved, gold) == 1.0
    box = (5 * np.exp(-0.2) / 7 + 1.0) / 2
    assert value("r1_sgg_box", moved, gold) == pytest.approx(box)
    assert value("r1_sgg_edge", moved, gold) == pytest.approx(0.5)  # on, in
    assert value("r1_sgg_edge(hard=True)", moved, gold) == 0.0
    same = scene(["cat", "dog"], [(0, "on", 1)], (), [(1, 0, 10, 10), (90, 40, 100, 50)])
    assert value("r1_sgg_edge(hard=True)", same, gold) == 1.0
    assert value("r1_sgg_edge(hard=True)", moved, scene(["cat", "dog"], [(0, "in", 1)])) == 1.0


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


# -- labels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [None, "string", "kgqa_fixture:letters"])
def test_a_table_says_what_was_asked(spec: str | None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kgqa_fixture.letters", _letters, raising=False)
    monkeypatch.setattr("graphenv.rewards.similarity.table._ROWS", 12)
    table, generator = LikenessTable(spec), rng("tests.table")
    words = ["".join(w) for w in itertools.product("abc", repeat=3)] + ["x" * 300]
    for _ in range(30):
        a, b = (list(generator.choice(words, size=generator.integers(1, 6))) for _ in range(2))
        first, second = [str(x) for x in a], [str(x) for x in b]
        ask = np.ones((len(first), len(second)), bool)
        assert np.array_equal(
            table.likeness(first, second), label_likeness(spec, first, second, ask)
        )
        assert table.one(first[0], second[0]) == label_similarity(spec)(first[0], second[0])


def _letters(a: str, b: str) -> float:
    return len(set(a) & set(b)) / len(set(a) | set(b))


def test_an_embedding_model_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = _tiny_encoder(tmp_path)
    spec = f"embedding:{folder}"
    term = rewards.parse(f"object_f1(similarity={spec!r})")
    model = embedding(str(folder))
    assert model._loaded is None
    term.prepare()
    assert model._loaded is not None
    alike = label_similarity(spec)
    assert alike("man", "man") == 1.0 and 0.0 <= alike("man", "horse") < 1.0
    assert alike("man", "horse") == alike("horse", "man")
    labels = ["man", "horse", "hat", "a man on a horse", "\u2603"]
    found = label_likeness(spec, labels, labels, np.ones((5, 5), bool))
    assert np.array_equal(found, found.T) and (np.diag(found) == 1.0).all()
    assert found[0, 1] == alike("man", "horse"), "whatever stands beside it"
    assert (found[~np.eye(5, dtype=bool)] < 1.0).all()
    got = term([episode(scene(["horse"], ()), scene(["man"], ()))])[0].value
    assert got == alike("man", "horse")
    calls: list[str] = []
    monkeypatch.setattr(model, "_vector", lambda label: calls.append(label) or np.ones(2))
    many = [f"thing {i}" for i in range(1_000)]
    label_likeness(spec, many, ["thing"], np.ones((1_000, 1), bool))
    assert len(calls) == MAX_ENCODED + 1, "a flood of labels is not encoded"
    with pytest.raises(ConfigError, match="cannot be loaded"):
        label_similarity(f"embedding:{tmp_path / 'nothing'}")("a", "b")


def _tiny_encoder(folder: Path) -> Path:
    """Write a random encoder with two layers and a tokenizer of words and letters."""
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "man", "horse", "hat", "on", "a"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.BertModel(
            transformers.BertConfig(
                vocab_size=len(words),
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
    model.save_pretrained(folder)
    transformers.BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


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


# -- gold of real captions, and the benchmark ------------------------------------------------------


@pytest.mark.data
def test_gold_of_factual_is_worth_one(graphenv_data: Path):
    """All of the dev file, read back from the JSON form that a model writes."""
    lines = (graphenv_data / "scene_graph" / "factual" / "dev.jsonl").read_text("utf-8")
    golds = [Scene.from_triples(json.loads(line)["triples"]) for line in lines.splitlines()]
    assert len(golds) == 1_000
    reward = rewards.parse("object_f1 + attribute_f1 + relation_f1 + relation_f1(boxes='iou')")
    read = [read_scene(scene_json(gold))[0] for gold in golds]
    assert {scene_truth(s, g)[0] for s, g in zip(read, golds, strict=True)} == {1.0}
    graded = reward([episode(s, g) for s, g in zip(read, golds, strict=True)])
    assert {score.value for score in graded} == {4.0}


def test_the_benchmark_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("graphenv.benchmarks.scenes.speed.SIZES", (6,))
    results = SUITE.measure(["matching"], quick=True, notes=["a note"])
    assert [row["objects"] for row in results["matching"]] == [6] * 4
    assert all(row["relation_f1_gained"] >= -1e-9 for row in results["matching"])
    page = SUITE.markdown(results)
    assert "a note" in page and "| 6 | labels alike, IoU |" in page
