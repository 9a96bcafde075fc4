"""Rewards of scene graphs: the table, published formulas beside ours, gold of real captions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import conformance
import numpy as np
import pytest
import scene_fixture as fx
from scene_fixture import BOXES, GOLD, LABELS, SCENES, episode, scene, value

from graphenv import rewards
from graphenv.benchmarks.scenes.__main__ import SUITE
from graphenv.scenes import Scene, read_scene, scene_json
from graphenv.scenes.truths import scene_truth

TABLE = conformance.read_table("scenes")
OURS = ("object_f1", "attribute_f1", "relation_f1")
PUBLISHED = ("r1_sgg_node", "r1_sgg_box", "r1_sgg_edge")


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
    assert "Floors" not in page


def test_floors_and_rankings_need_no_data(monkeypatch: pytest.MonkeyPatch, capsys: Any):
    pytest.importorskip("textblob")  # the agent `rules`
    monkeypatch.delenv("GRAPHENV_DATA", raising=False)
    results = SUITE.measure(["floors", "rankings"], quick=True)
    truth = {(r["env"], r["player"]): r["truth"] for r in results["floors"]}
    assert {row["source"] for row in results["floors"]} == {"synthetic"}
    for env in ("scene-graph", "kg-construction"):
        assert truth[env, "random"] < 0.05 < truth[env, "rules"] < truth[env, "oracle"] == 1.0
    for row in results["rankings"]:
        first = next(iter(row["correlation"].values()))
        assert first == pytest.approx(1.0) and row["tasks"] > 0
    page = SUITE.markdown(results)
    assert "| scene-graph | synthetic | 10 of 5,000 | oracle | 1.000 |" in page
    assert "synthetic, no twins" in page and "of what was written is grounded" in page
    assert "GRAPHENV_DATA/kg_construction/webnlg_v1.6_en is not there" in capsys.readouterr().err
