"""Every reward term over every corner case; published formulas beside ours on the same input."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import conformance
import kgqa_fixture as fx
import pytest
from conformance import GRAPHS, PRESETS, close
from kgqa_cases import CASES, MALFORMED, MAX_TURNS, Case

from graphenv import envs, rewards
from graphenv.envs.registry import ENVIRONMENTS
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.facts import FAMILIES
from graphenv.graph import Edge, Graph, Node, Triple
from graphenv.score import Score

KGQA = conformance.read_table("kgqa")
GRAPH_TABLE = conformance.read_table("graphs")
GRAPH_FACTS = {"outcome.graph", "target.graph"}
ANSWER_TERMS = [
    t for t in rewards.names(family="kgqa") if "outcome.answer" in rewards.term_class(t).needs
]


@lru_cache(maxsize=4)
def env_for(mode: str, reward: str | None = None) -> Any:
    """Return the environment of a mode, under a reward that holds every term by default."""
    limit = {"max_turns": MAX_TURNS} if mode == "tools" else {}
    return fx.make_env(mode=mode, reward=reward or KGQA.reward.name, **limit)


def play(case: Case, reward: str | None = None) -> Episode:
    env = env_for(case.mode, reward)
    return case.play(env) if case.play is not None else env.play(case.index, case.turns)


def grade(case: Case, reward: str | None = None) -> Score:
    score: Score = env_for(case.mode, reward).reward([play(case, reward)])[0]
    return score


# -- the tables are complete ----------------------------------------------------------------------


def test_every_family_has_a_table_with_every_term():
    """A new family, or a new term of an old one, fails here until it has its values."""
    assert set(FAMILIES) == set(conformance.TABLES) == set(PRESETS)
    for family, table in conformance.TABLES.items():
        known, listed = set(rewards.names(family=family)), conformance.read_table(table).terms
        assert known - set(GRAPH_TABLE.terms) <= set(listed) <= known


def test_every_graph_term_has_its_column():
    by_graph = {
        term
        for term in rewards.TERMS
        if rewards.term_class(term).needs and rewards.term_class(term).needs <= GRAPH_FACTS
    }
    assert by_graph == set(GRAPH_TABLE.terms)


def test_tables_have_every_case_and_reason():
    KGQA.check_rows(CASES, conformance.SECTION_0)
    GRAPH_TABLE.check_rows(GRAPHS, conformance.GRAPH_SECTION_0)
    assert len(MALFORMED) >= 20


def test_default_rewards_are_presets():
    for row in ENVIRONMENTS:
        env = envs.make(row.id)
        assert env.kwargs["reward"] in PRESETS[env.family]


# -- the values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_kgqa_value(case: str):
    KGQA.check(case, play(CASES[case]))


@pytest.mark.parametrize("case", GRAPHS)
def test_graph_value(case: str):
    GRAPH_TABLE.check(case, conformance.graph_episode(*GRAPHS[case]))


@pytest.mark.parametrize("mode", ["tools", "program"])
@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_text_earns_nothing_but_its_turns(kind: str, mode: str):
    """Most of these hold the right answer; a reader that digs it out could be hedged with."""
    episode = play(Case(fx.GENRES, (MALFORMED[kind],) * MAX_TURNS, mode))
    score = env_for(mode).reward([episode])[0]
    assert all(step.status == "malformed" and step.reason for step in episode.steps)
    assert episode.status == ("malformed" if mode == "program" else "truncated")
    floor = dict.fromkeys(KGQA.terms, 0.0) | {"progress": -0.5, "turn_cost": -1.0, "user": 0.5}
    assert KGQA.found(score) == {t: close(v) for t, v in floor.items()}
    assert episode.success == 0.0


@pytest.mark.parametrize("reward", PRESETS["kgqa"])
def test_gold_is_the_maximum_and_garbage_the_minimum(reward: str):
    values = {name: grade(case, reward).value for name, case in CASES.items() if case.index == 0}
    for name in ("gold", "gold_frontier", "renamed", "reordered", "duplicates", "whitespace"):
        assert values[name] == values["gold"]
    best, worst = values["gold"], grade(Case(0, ("",) * MAX_TURNS), reward).value
    assert best is not None and worst is not None
    for name, value in values.items():
        assert value is not None and worst <= value, name
        # Fewer turns cost less, and the program mode has one only: no more than that is allowed.
        assert value <= best + ("turn_cost" in reward), name


@pytest.mark.parametrize("reward", [*ANSWER_TERMS, *PRESETS["kgqa"]])
def test_over_generation_pays_strictly_less_the_more_there_is(reward: str):
    names = ["gold", "over_1", "over_10", "over_1000", "list_everything"]
    values = [grade(CASES[name], reward).value or 0.0 for name in names]
    assert all(values[0] > value for value in values[1:])
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("surplus", [1, 10, 1000])
def test_over_generated_moves_pay_less(surplus: int):
    there_and_back = " > ".join(["^has_genre", "has_genre"] * surplus)
    score = grade(Case(0, (f"^directed_by > has_genre > {there_and_back}",), "program"))
    assert score.parts["path_similarity"].value == (
        close(2 / (2 + 2 * surplus)) if surplus == 1 else 0.0
    )


@pytest.mark.parametrize("term", GRAPH_TABLE.terms)
def test_over_generated_graphs_pay_less(term: str):
    values = [GRAPH_TABLE.values[c][term] for c in ("gold", "over_1", "over_10", "over_1000")]
    assert values == sorted(set(values), reverse=True)


def test_the_topic_of_a_question_is_no_find() -> None:
    """Any move at all puts the topic into the walked graph, where it is in the gold graph too."""

    def node_f1(predicted: list[Triple], gold: list[Triple], topic: str) -> float | None:
        episode = conformance.graph_episode(Graph.from_triples(predicted), Graph.from_triples(gold))
        task = replace(episode.task, meta={"topics": [topic]})
        return rewards.parse("node_f1")([replace(episode, task=task)])[0].value

    gold = [("Heat", "directed_by", "Michael Mann")]
    assert node_f1([("Heat", "has_genre", "Crime")], gold, "heat") == 0.0
    assert node_f1(gold, gold, "Heat") == 1.0
    loop = [("Ouroboros", "remake_of", "Ouroboros")]
    assert node_f1(loop, loop, "Ouroboros") == 1.0
    assert node_f1([], loop, "Ouroboros") == 0.0


def test_a_dangling_id_is_refused_before_it_is_graded():
    with pytest.raises(ConfigError, match="points outside"):
        Graph((Node("a", "a"),), (Edge(0, "r", 7),))


@pytest.mark.parametrize("broken", ["crashing", "out_of_range"])
def test_a_verifier_exception_is_no_wrong_answer(broken: str):
    reward = f"exact + user(function='kgqa_fixture:{broken}')"
    score = grade(CASES["gold"], reward)
    assert (score.value, score.steps, score.status) == (None, (), "error")
    assert "user(" in score.reason
    assert score.parts["exact"].value == 1.0


# -- published defects: the same input, their formula and ours ------------------------------------


def _format_by_turn(episode: Episode) -> float:
    """Graph-R1 (agentic): half a point for every well-formed turn, at most one."""
    return min(1.0, 0.5 * sum(step.status != "malformed" for step in episode.steps))


def _gated_f1(episode: Episode) -> float:
    """Graph-R1 (agentic): -1 + format + F1, the F1 only if the format is full."""
    form, score = _format_by_turn(episode), rewards.parse("answer_f1")([episode])[0].value
    return -1.0 + form + (score or 0.0) * (form >= 1.0)


def _sets(episode: Episode) -> tuple[list[str], list[str]]:
    predicted = (episode.outcome.answer if episode.outcome else None) or ()
    return list(predicted), list(episode.task.target.answer or ())


def _any_overlap(episode: Episode) -> float:
    """CheXPO-v2: the answer is paid if it shares anything with the gold."""
    predicted, gold = _sets(episode)
    return float(bool(set(predicted) & set(gold)))


def _jaccard(episode: Episode) -> float:
    """CheXPO-v2: Jaccard of sets, 1 if both are empty, whether or not anything was said."""
    predicted, gold = map(set, _sets(episode))
    return len(predicted & gold) / len(predicted | gold) if predicted | gold else 1.0


def _recall(episode: Episode) -> float:
    """R1-SGG: every term is a recall."""
    predicted, gold = map(set, _sets(episode))
    return len(predicted & gold) / len(gold)


def _hit_at_1(episode: Episode) -> float:
    """Hits@1: only the first item is looked at."""
    predicted, gold = _sets(episode)
    return float(predicted[0] in gold)


def _substring(episode: Episode) -> float:
    """Graph-R1 (zero-shot): right if the gold stands anywhere in the answer text."""
    predicted, gold = _sets(episode)
    return float(all(g.lower() in " ".join(predicted).lower() for g in gold))


def _known_only(episode: Episode) -> float:
    """Graph-R1 (NP-hard): unknown names are skipped, then the rest is compared."""
    predicted, gold = _sets(episode)
    known = {name for name in predicted if fx.world().find_entity(name) is not None}
    return float(known == set(gold))


def _list_f1(episode: Episode) -> float:
    """GNN4TaskPlan: lists, not sets, so that a duplicate counts as another hit."""
    text = episode.steps[-1].text
    predicted = [part for part in text.split('"') if part in ("Crime", "Drama", "crime")]
    hits = sum(p.lower() in ("crime", "drama") for p in predicted)
    return 2 * hits / (len(predicted) + 2)


DEFECTS: dict[str, tuple[str, Any, float, str, float]] = {
    # name: case, their formula, its value, our term, its value
    "format_paid_for_a_malformed_end": ("good_turns_bad_end", _format_by_turn, 1.0, "format", 0.0),
    "right_answer_without_a_query_punished": ("gold_unwalked", _gated_f1, -0.5, "exact", 1.0),
    "any_overlap_is_right": ("list_everything", _any_overlap, 1.0, "answer_f1", 2 / 561),
    "both_empty_without_an_answer": ("both_empty_unanswered", _jaccard, 1.0, "answer_f1", 0.0),
    "both_empty_by_a_broken_program": ("both_empty_infeasible", _jaccard, 1.0, "exact", 0.0),
    "recall_only": ("over_1000", _recall, 1.0, "answer_f1", 1 / 251),
    "hits_keeps_a_hit_whatever_follows": ("list_everything", _hit_at_1, 1.0, "hits", 1 / 560),
    "gold_as_substring": ("gold_is_substring", _substring, 1.0, "exact", 0.0),
    "unknown_names_skipped": ("dangling", _known_only, 1.0, "exact", 0.0),
    "duplicates_count_as_hits": ("duplicates", _list_f1, 8 / 6, "answer_f1", 1.0),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_published_defect(name: str):
    case, formula, theirs, term, ours = DEFECTS[name]
    episode = play(CASES[case])
    assert formula(episode) == pytest.approx(theirs), formula.__doc__
    assert KGQA.values[case][term] == pytest.approx(ours)
    assert grade(CASES[case]).parts[term].value == pytest.approx(ours)


def test_published_defect_parallel_edges_overwrite_each_other():
    """R1-SGG keeps one predicate per pair in a dictionary, so leaving one out costs nothing."""
    predicted, gold = GRAPHS["one_of_two_parallel"]
    assert predicted is not None
    theirs = {(h, t) for h, _, t in predicted.triples} == {(h, t) for h, _, t in gold.triples}
    assert theirs
    assert GRAPH_TABLE.values["one_of_two_parallel"]["mces"] == pytest.approx(2 / 3)


def test_published_defect_two_empty_graphs():
    """STRuCT-LLM scores two empty graphs 0 by a guard against dividing by zero; equal is right."""
    assert GRAPH_TABLE.values["both_empty"]["triple_f1"] == 1.0
    assert GRAPH_TABLE.values["nothing_for_empty"]["triple_f1"] == 0.0


def test_published_defect_model_text_is_evaluated(monkeypatch: pytest.MonkeyPatch):
    """Graphia calls eval() on what the model wrote; ours reads it as one wrong name."""
    seen: list[str] = []
    monkeypatch.setattr("os.getcwd", lambda: seen.append("ran"))
    assert grade(CASES["code"]).parts["exact"].value == 0.0
    assert not seen
