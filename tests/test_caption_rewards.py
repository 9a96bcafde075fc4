"""Corrections and reasons: every case of the table, published defects, an adversary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import caption_fixture as fx
import conformance
import pytest
from caption_fixture import CORRECTIONS, GOLD, REASONS, Case, episode_of, scene, stated
from conformance import PRESETS
from hypothesis import given
from hypothesis import strategies as st

from graphenv import rewards
from graphenv.errors import ConfigError
from graphenv.graph import Edge, Graph, Node
from graphenv.rewards.scenes.correction import Correction
from graphenv.rewards.terms import Grade
from graphenv.scenes import Scene, SceneObject, SceneRelation
from graphenv.scenes.edits import SceneEdit, fact_level, fact_set
from graphenv.scenes.rationale import MAX_STEPS, rationale_text, read_rationale
from graphenv.scenes.truths import scene_truth
from graphenv.seeding import rng

TABLE = conformance.read_table("captions")
ALL = {**CORRECTIONS, **REASONS}
CORRECTION = [p for p in PRESETS["caption-correction"] if "correction" in p]


def graded(reward: str, case: Case) -> float | None:
    """Return the value of a case; its graphs are made, as an environment makes them."""
    episode = episode_of(case)
    if case.gold is not None:
        target = replace(episode.task.target, graph=case.gold.graph)
        final = None if case.final is None else case.final.graph
        assert episode.outcome is not None
        episode = replace(
            episode,
            task=replace(episode.task, target=target),
            outcome=replace(episode.outcome, graph=final),
        )
    value: float | None = rewards.parse(reward)([episode])[0].value
    return value


def correction(draft: Scene, final: Scene | None, gold: Scene = GOLD) -> float:
    found = Correction().score(episode_of(Case(final, draft, gold)))
    value = found.value if isinstance(found, Grade) else found
    assert value is not None
    return value


# -- the table ------------------------------------------------------------------------------------


def test_the_table_has_every_case_and_reason():
    TABLE.check_rows(ALL)


@pytest.mark.parametrize("name", ALL)
def test_value(name: str):
    TABLE.check(name, episode_of(ALL[name]))


@pytest.mark.parametrize("reward", CORRECTION)
def test_gold_is_the_maximum_and_too_much_pays_less(reward: str):
    planted = {n: c for n, c in CORRECTIONS.items() if not c.own and c.draft == fx.DRAFT}
    values = {name: graded(reward, case) for name, case in planted.items()}
    best = values["gold"]
    assert best is not None
    assert {values[n] for n in ("renamed", "reordered", "case", "whitespace")} == {best}
    assert all(value is not None and value <= best for value in values.values())
    assert values["malformed"] == min(v for v in values.values() if v is not None)
    more = [values[n] for n in ("gold", "over_1", "over_10", "over_1000")]
    assert more == sorted(set(more), reverse=True), "strictly falling"  # type: ignore[type-var]
    for worse in ("duplicates", "duplicate_object", "same_edge_twice", "list_everything", "empty"):
        assert values[worse] < best  # type: ignore[operator]


@pytest.mark.parametrize("reward", ["rationale_f1", "0.5*exact + 0.5*rationale_f1"])
def test_reasons_are_best_right_and_worse_the_longer_they_grow(reward: str):
    values = [graded(reward, REASONS[n]) for n in ("why", "why_over_1", "why_over_10")]
    assert values == sorted(set(values), reverse=True) and values[0] == 1.0  # type: ignore[type-var]


# -- published defects: the same input, their formula and ours ------------------------------------


def _identical_is_penalised(case: Case) -> float:
    """SC-Captioner: only an output that is the draft, letter by letter, has the bonus -1."""
    value = graded("sc_captioner", case)
    assert value is not None
    return value


def _with_the_length_penalty(case: Case) -> float:
    """SC-Captioner as it reads: twice the length has the bonus -3. A misspelt name undoes it."""
    soft = 0.6 + (0.45 - 0.55 * 1000) / 1000
    return 1 / (1 + math.exp(-(2 * soft - 3))) - 0.5


def _jaccard_of_both(case: Case) -> float:
    """CheXPO-v2: the mean of two Jaccard indices, each 1 where both sets are empty."""
    value = graded("chexpo", case)
    assert value is not None
    return value


def _any_overlap(case: Case) -> float:
    """CheXPO-v2: the answer is paid if it shares anything with the gold."""
    return float(bool(set(case.answer or ()) & set(case.right or ())))


DEFECTS: dict[str, tuple[str, Any, float, str, float]] = {
    # name: case, their formula, its value, our term, its value
    "one_letter_avoids_the_penalty": (
        *("one_letter", _identical_is_penalised, 1 / (1 + math.exp(-0.1)) - 0.5),
        *("correction", 0.0),
    ),
    "a_perfect_draft_must_be_changed": (
        *("kept", _identical_is_penalised, 1 / (1 + math.exp(1)) - 0.5),
        *("correction", 1.0),
    ),
    "relations_are_never_scored": (
        *("relation_mended", _identical_is_penalised, 0.0),
        *("correction", 1.0),
    ),
    "spoilt_relations_are_free": (
        *("relation_spoilt", _identical_is_penalised, 0.0),
        *("correction", -1 / 3),
    ),
    "wrong_attributes_carry_no_signal": (
        *("wrong_attribute", _identical_is_penalised, 0.0),
        *("correction", -1 / 8),
    ),
    "a_typo_disables_the_length_penalty": (
        *("over_1000", _identical_is_penalised, -0.062176501),
        *("correction", -1991 / 2012),
    ),
    "a_bad_first_try_pays_best": (
        *("own_bad_on_purpose", _identical_is_penalised, 0.4568927451),
        *("correction", 0.0),
    ),
    "a_contentless_rationale_earns_half": (
        *("why_contentless", _jaccard_of_both, 0.5),
        *("rationale_f1", 0.0),
    ),
    "reasons_against_the_answer": (
        *("why_answer_wrong", _jaccard_of_both, 1.0),
        *("rationale_f1", 0.0),
    ),
    "any_overlap_is_right": (
        *("why_answer_everything", _any_overlap, 1.0),
        *("exact", 0.0),
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_published_defect(name: str):
    case, formula, theirs, term, ours = DEFECTS[name]
    assert formula(ALL[case]) == pytest.approx(theirs), formula.__doc__
    assert TABLE.values[case][term] == pytest.approx(ours)


def test_published_defect_nothing_for_nothing():
    """CheXPO-v2: no rationale where none is asked for earns 1; ours does not apply."""
    assert graded("chexpo", REASONS["why_nothing_for_nothing"]) == 1.0
    assert graded("rationale_f1", REASONS["why_nothing_for_nothing"]) is None


def test_published_defect_the_length_penalty_as_written_would_cost():
    as_run = graded("sc_captioner", CORRECTIONS["over_1000"])
    assert as_run is not None and _with_the_length_penalty(CORRECTIONS["over_1000"]) < as_run - 0.3


def test_published_defect_the_gold_of_the_first_row_for_the_batch():
    """CheXPO-v2 compares every rationale of a batch with the gold of its first row."""
    first, second = REASONS["why"], REASONS["why_count"]
    as_theirs = replace(second, rationale=first.rationale)
    assert graded("chexpo", as_theirs) == 0.0
    batch = [episode_of(first), episode_of(second)]
    for text in ("chexpo", "rationale_f1"):
        reward = rewards.parse(text)
        assert [score.value for score in reward(batch)] == [1.0, 1.0]
        assert [score.value for score in reward(batch[::-1])] == [1.0, 1.0]


def test_sc_captioner_pays_and_charges_objects_as_published():
    """By hand: a wrong object gone is soft .6, bonus .25; a right one soft -.4, bonus -.25."""
    assert graded("sc_captioner", CORRECTIONS["right_removal"]) == pytest.approx(
        1 / (1 + math.exp(-(1.2 + 0.25))) - 0.5
    )
    assert graded("sc_captioner", CORRECTIONS["wrong_removal"]) == pytest.approx(
        1 / (1 + math.exp(0.8 + 0.25)) - 0.5
    )
    reworded = Case(scene("puppies"), scene("puppie"), GOLD)
    assert graded("sc_captioner(similarity='string')", reworded) == 0.0
    with pytest.raises(ConfigError, match="similarity"):
        rewards.parse("sc_captioner(similarity='strin')")


# -- whoever searches for edits that pay without being true ----------------------------------------

_NAMES = ("man", "horse", "hat", "dog", "tree", "Man ", "hats")
_WORDS = ("ride", "wear", "feed", "is")
_TRAITS = ("brown", "black", "red", "Brown")


@st.composite
def scenes(draw: st.DrawFn, most: int = 5) -> Scene:
    labels = draw(st.lists(st.sampled_from(_NAMES), max_size=most))
    objects = tuple(
        SceneObject(f"o{at}", label, tuple(draw(st.lists(st.sampled_from(_TRAITS), max_size=2))))
        for at, label in enumerate(labels)
    )
    ends = st.integers(0, len(labels) - 1) if labels else st.nothing()
    made = st.builds(SceneRelation, ends, st.sampled_from(_WORDS), ends)
    relations = tuple(draw(st.lists(made, max_size=4))) if labels else ()
    names = st.tuples(*(st.sampled_from(_NAMES),) * 3)
    return Scene(objects, relations, dangling=tuple(draw(st.lists(names, max_size=1))))


@given(scenes(), scenes(), scenes())
def test_facts_and_levels_agree_with_the_truth(draft: Scene, final: Scene, gold: Scene):
    truth = scene_truth(final, gold)[0]
    level = fact_level(final, gold)
    assert 0.0 <= level <= truth + 1e-12
    if len(fact_set(final)) == sum(_counts(final)):
        assert level == pytest.approx(truth)
    assert fact_level(gold, gold) == 1.0
    edit = SceneEdit(draft, final, gold)
    counts = edit.counts()
    now, was, true = fact_set(final), fact_set(draft), fact_set(gold)
    assert len(now & true) == len(was & true) + counts["right_additions"] - counts["wrong_removals"]
    assert len(now) - len(was) == (
        counts["right_additions"]
        + counts["wrong_additions"]
        - counts["right_removals"]
        - counts["wrong_removals"]
    )
    by_kind = edit.by_kind().values()
    assert counts == {name: sum(kind[name] for kind in by_kind) for name in counts}


def _counts(scene: Scene) -> Sequence[int]:
    """Return how much a scene says, lone objects of a label that is told of included."""
    ends = {end for r in scene.relations for end in (r.head, r.tail)}
    lone = [o for at, o in enumerate(scene.objects) if at not in ends and not o.attributes]
    told = sum(len(o.attributes) for o in scene.objects) + len(scene.relations)
    return [told, len(lone), len(scene.dangling)]


@given(scenes(), scenes(), scenes())
def test_no_edit_is_paid_that_leaves_the_truth_where_it_was(
    draft: Scene, final: Scene, gold: Scene
):
    value = correction(draft, final, gold)
    assert -1.0 <= value <= 1.0
    before, after = scene_truth(draft, gold)[0], scene_truth(final, gold)[0]
    if fact_level(draft, gold) < before - 1e-12:
        return  # a draft that says things twice is mended by saying them once
    if value > 0 and before < 1.0:
        assert after > before
    if after > before + 1e-12 and len(fact_set(final)) == sum(_counts(final)):
        assert value > 0


def test_an_adversary_gains_nothing_but_truth():
    """Hill climbing on the reward, by every edit of one fact; the truth has to climb with it."""
    gold = GOLD
    pool = [
        *((a, r, b) for a in ("man", "horse", "hat", "dog") for r in _WORDS for b in _TRAITS[:2]),
        *((a, r, b) for a in ("man", "horse") for r in _WORDS for b in ("horse", "hat", "dog")),
        *((a,) for a in ("man", "horse", "hat", "dog", "tree")),
    ]
    dice = rng("tests.captions.adversary")
    for _ in range(12):
        chosen = dice.choice(len(pool), size=int(dice.integers(1, 6)), replace=False).tolist()
        draft = scene(*(pool[i] for i in chosen))
        now = set(draft.facts)
        value = truth = -1.0
        for _step in range(10):
            tried = [now ^ {fact} for fact in pool]
            tried += [(now ^ {a}) ^ {pool[int(dice.integers(len(pool)))]} for a in pool]
            graded_now = [(correction(draft, scene(*sorted(t)), gold), sorted(t)) for t in tried]
            best, facts = max(graded_now, key=lambda pair: (pair[0], pair[1]))
            if best <= value + 1e-12:
                break
            rose = scene_truth(scene(*facts), gold)[0]
            assert value == -1.0 or rose > truth, (draft.facts, facts)
            value, truth, now = best, rose, {tuple(fact) for fact in facts}
        assert scene_truth(scene(*sorted(now)), gold)[0] == pytest.approx(truth)


@pytest.mark.parametrize("honest", [scene("man, ride, horse"), GOLD, fx.DRAFT])
def test_a_bad_first_try_never_pays(honest: Scene):
    """Whatever the correction comes to, an own draft is best as good as one can make it."""
    for final in (honest, GOLD, fx.DRAFT):
        level = fact_level(final, GOLD)
        values = {
            draft.facts: graded("correction", Case(final, draft, GOLD, own=True))
            for draft in (Scene(), scene("dog"), fx.DRAFT, final)
        }
        best = max(values.values())  # type: ignore[type-var]
        assert values[final.facts] == best or level < fact_level(fx.DRAFT, GOLD)


# -- reading reasons ------------------------------------------------------------------------------

_PLAIN = st.text(st.sampled_from("ab ,:()\"\\'é-1"), min_size=1, max_size=6)
_LABELS = _PLAIN.filter(lambda text: text.strip() == text)


@given(st.lists(st.tuples(_LABELS, st.sampled_from(["object", "attribute"])), max_size=4))
def test_reasons_are_read_back_as_they_were_written(entities: list[tuple[str, str]]):
    nodes = tuple(Node(f"n{i}", label, kind) for i, (label, kind) in enumerate(entities))
    edges = tuple(Edge(0, "is (not)", i) for i in range(len(nodes)))
    graph, reason = read_rationale(rationale_text(Graph(nodes, edges)))
    assert graph is not None, reason
    assert [(n.label, n.kind) for n in graph.nodes] == entities
    assert graph.triples == Graph(nodes, edges).triples


@given(st.text(st.sampled_from('(ab): ,"\\\n-1.x'), max_size=60))
def test_any_text_is_reasons_or_has_a_reason_why_not(text: str):
    graph, reason = read_rationale(text)
    assert (graph is None) == bool(reason)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("The man holds a mug.", "line 1 is neither"),
        ("(man: object)\n(man, holds)", "line 2 is neither"),
        ("(man, holds, a, mug)", "line 1 is neither"),
        ("(man: object) (mug: object)", "line 1 is neither"),
        ("(man: )", "line 1 is neither"),
        ('("": object)', "empty name"),
        (f"({'x' * 201}: object)", "more than 200 characters"),
        ("(a: b)\n" * (MAX_STEPS + 1), f"at most {MAX_STEPS}"),
        ("(" + " " * 150_000 + "a", "line 1 is neither"),
        ("(" * 100_000, "line 1 is neither"),
        ('("' + "\\" * 100_000, "line 1 is neither"),
    ],
)
def test_reasons_that_cannot_be_read(text: str, why: str):
    graph, reason = read_rationale(text)
    assert graph is None and why in reason and len(reason) < 300


def test_bullets_and_quotes():
    graph = stated('- (dog: object)\n2. ("a, b": object)\n\n  (dog, "is", "a, b")')
    assert graph.triples == (("dog", "is", "a, b"),)
    assert [node.kind for node in graph.nodes] == ["object", "object"]


def test_what_is_hallucinated_is_told():
    case = replace(REASONS["why_invented"], gold=scene("man, see, mug", "man, hold, mug"))
    episode = episode_of(case)
    info = rewards.parse("rationale_f1")([episode])[0].info
    assert info["rationale_f1"]["hallucinated"] == 0.5  # "mug is red" is in no scene
    alone = rewards.parse("rationale_f1")([episode_of(REASONS["why_invented"])])[0].info
    assert alone["rationale_f1"]["hallucinated"] == 0.5  # "man see mug" is in no rationale
    told = rewards.parse("rationale_f1")([episode_of(REASONS["why_answer_unnamed"])])[0].info
    assert told["rationale_f1"]["contradiction"] == 1.0
