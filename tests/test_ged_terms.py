"""Graph edit distance as reward terms: values, details, defects of the publication, display."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import conformance
import kgqa_fixture as fx
import pytest
from conformance import GRAPHS, graph_episode
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv.benchmarks.comparison.examples import episode_json
from graphenv.cli.play_command import ending
from graphenv.cli.show_command import walk_through
from graphenv.details import MAX_LISTED, tell
from graphenv.envs.replay import replay
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.graph import Graph, Node
from graphenv.rewards import parse
from graphenv.rewards.ged import GEDResult, compare, ged_batch
from graphenv.score import Score
from graphenv.text import format_call

PAPER = "ged(paper='struct-llm')"


def score(predicted: Graph | None, gold: Graph, reward: str = "ged") -> Score:
    found: Score = parse(reward)([graph_episode(predicted, gold)])[0]
    assert found.status == "ok", found.reason
    return found


def value(predicted: Graph | None, gold: Graph, reward: str = "ged") -> float:
    found = score(predicted, gold, reward).value
    assert found is not None
    return found


labels = st.lists(st.sampled_from(["man", "horse", "hat", "Man"]), min_size=1, max_size=5)


@st.composite
def graphs(draw: Any, *, directed: bool | None = None) -> Graph:
    names = draw(labels)
    place = st.integers(0, len(names) - 1)
    edges = draw(st.lists(st.tuples(place, st.sampled_from("rs"), place), max_size=6))
    kinds = draw(st.lists(st.sampled_from(["", "x"]), min_size=len(names), max_size=len(names)))
    way = draw(st.booleans()) if directed is None else directed
    return Graph.from_edges(names, edges, kinds=kinds, directed=way)


# -- values ---------------------------------------------------------------------------------------


@given(graphs(), st.randoms(use_true_random=False))
def test_gold_under_other_ids_order_and_case_gives_one(gold: Graph, random: Any):
    order = list(range(len(gold)))
    random.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    edges = [(place[e.head], e.relation.upper(), place[e.tail]) for e in reversed(gold.edges)]
    nodes = [gold.nodes[i] for i in order]
    twin = Graph.from_edges(
        [f" {n.label.upper()}" for n in nodes],
        edges,
        kinds=[n.kind for n in nodes],
        directed=gold.directed,
    )
    for reward in ("ged", "ged(similarity='string')", "ged(kind_weights='X:0.5')"):
        found = score(twin, gold, reward)
        assert found.value == 1.0
        details = dict(found.info[reward])
        assert (details["interval"], details["exact"], details["edit_path"]) == ([0, 0], True, [])
    assert value(gold, gold, PAPER) == 1.0


@given(graphs(directed=True), graphs(directed=True), st.sampled_from(["ged", PAPER]))
def test_range_and_interval(predicted: Graph, gold: Graph, reward: str):
    found = score(predicted, gold, reward)
    low, high = parse(reward).range
    assert found.value is not None and low <= found.value <= high
    lower, upper = found.info[reward]["interval"]
    assert 0 <= lower <= upper
    n, m = max(len(predicted), len(gold)), max(predicted.num_edges, gold.num_edges)
    if reward == "ged":
        assert found.value == pytest.approx(max(0.0, 1.0 - upper / (n + m)))


@given(graphs(directed=True), st.integers(1, 6))
def test_over_generation_pays_strictly_less_the_more_there_is(gold: Graph, count: int):
    def over(k: int) -> Graph:
        edges = [(e.head, e.relation, e.tail) for e in gold.edges]
        more = [(0, "r", len(gold) + i) for i in range(k)]
        names, kinds = [*gold.labels, *["hat"] * k], [n.kind for n in gold.nodes] + [""] * k
        return Graph.from_edges(names, [*edges, *more], kinds=kinds)

    values = [value(over(k), gold) for k in (0, count, count + 1)]
    assert values[0] == 1.0 and values[0] > values[1] > values[2]


@given(st.lists(st.tuples(graphs(), graphs()), min_size=1, max_size=6))
def test_a_batch_grades_as_its_episodes_one_by_one(pairs: list[tuple[Graph, Graph]]):
    episodes = [graph_episode(*pair) for pair in [*pairs, *pairs]]
    reward = parse("ged(budget=3)")
    together = [found.to_json() for found in reward(episodes)]
    compare.comparer.cache_clear()
    assert together == [reward([episode])[0].to_json() for episode in episodes]


def test_no_gold_is_no_score_and_no_graph_is_nothing():
    episode = graph_episode(*GRAPHS["gold"])
    bare = replace(
        episode, task=replace(episode.task, target=replace(episode.task.target, graph=None))
    )
    assert parse("ged")([bare])[0].status == "not_applicable"
    nothing = score(*GRAPHS["nothing"])
    assert (nothing.value, nothing.info) == (0.0, {})


def test_giving_up_never_raises_the_value():
    gold = Graph.from_edges([f"n{i}" for i in range(9)], [(i, "r", (i * 2) % 9) for i in range(9)])
    predicted = Graph.from_edges(["n0"] * 9, [(i, "r", (i * 4 + 1) % 9) for i in range(9)])
    exact = value(predicted, gold, "ged(budget=100000)")
    for budget in (1, 2, 10, 100):
        assert value(predicted, gold, f"ged(budget={budget})") <= exact
    for method in ("bipartite", "counts"):
        assert value(predicted, gold, f"ged(method='{method}')") <= exact


def test_directedness_is_that_of_the_gold_graph():
    edges = [(0, "near", 1)]
    there = Graph.from_edges(["a", "b"], edges)
    back = Graph.from_edges(["a", "b"], [(1, "near", 0)])
    plain = Graph.from_edges(["a", "b"], edges, directed=False)
    assert value(there, plain) == value(back, plain) == 1.0  # no direction was asked for
    assert value(plain, there) == 1.0  # as it was written
    assert value(plain, back) < 1.0


def test_costs_and_weights_count():
    gold = Graph.from_edges(["Heat", "1995"], [(0, "year", 1)], kinds=["film", "literal"])
    year = Graph.from_edges(["Heat", "1996"], [(0, "year", 1)], kinds=["film", "Literal"])
    film = Graph.from_edges(["Thief", "1995"], [(0, "year", 1)], kinds=["film", "literal"])
    assert value(year, gold) == value(film, gold) == pytest.approx(2 / 3)
    weighted = "ged(kind_weights='literal: 0.5')"
    assert value(year, gold, weighted) == pytest.approx(1 - 0.5 / 2.5)
    assert value(film, gold, weighted) == pytest.approx(1 - 1 / 2.5)
    assert value(year, gold, "ged(similarity='string')") == pytest.approx(1 - 0.25 / 3)
    assert value(year, gold, "ged(similarity='test_ged_terms:nearly')") == pytest.approx(
        1 - 0.1 / 3
    )
    # Where a wrong part costs as much as a missing one and a surplus one, a guess buys nothing.
    strict = "ged(node_substitute=2, edge_substitute=2)"
    assert value(film, gold, strict) == pytest.approx(1 / 3)


def nearly(a: str, b: str) -> float:
    assert a == a.lower() and b == b.lower()
    return 0.9


def crash_on_thief(a: str, b: str) -> float:
    if "thief" in (a, b):
        raise LookupError("no such film")
    return 0.0


def test_a_crash_of_a_similarity_costs_no_other_episode_its_score():
    gold, film = Graph.from_edges(["Heat"]), Graph.from_edges(["Thief"])
    reward = parse("ged(similarity='test_ged_terms:crash_on_thief')")
    fine, crashed = reward([graph_episode(gold, gold), graph_episode(film, gold)])
    assert fine.value == 1.0
    assert crashed.status == "error" and "no such film" in crashed.reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ged(budget=0)", "budget=0"),
        ("ged(budget=1.5)", "budget=1.5"),
        ("ged(method='astar')", "astar"),
        ("ged(node_substitute=3)", "node_substitute"),
        ("ged(edge_delete=-1)", "edge_delete"),
        ("ged(similarity='levenshtein')", "levenshtein"),
        ("ged(similarity='math:no_such')", "no_such"),
        ("ged(kind_weights='literal')", "literal:0.5"),
        ("ged(kind_weights='literal:x')", "literal:0.5"),
        ("ged(kind_weights=3)", "literal:0.5"),
        ("ged(kind_weights='literal:-1')", "literal"),
        ("ged(paper='struct')", "struct-llm"),
        ("ged(paper='struct-llm', node_insert=2)", "costs of the publication"),
        ("ged(beam=3)", "beam"),
        ("ged_progress(paper='struct-llm')", "paper"),
        ("ged_progress(budget=0)", "budget=0"),
    ],
)
def test_impossible_arguments_are_refused_when_the_reward_is_made(text: str, says: str):
    with pytest.raises(ConfigError, match=says):
        parse(text)


@pytest.mark.parametrize("term", ["ged", "ged_progress"])
def test_without_the_compiled_core_the_term_cannot_be_made(
    term: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ConfigError, match=r'pip install "graphenv\[ged\]"'):
        parse(f"exact + {term}")
    with pytest.raises(ConfigError, match=term):
        fx.make_env(reward=term)


def test_a_huge_prediction_is_graded():
    gold = Graph.from_edges([f"n{i}" for i in range(10)], [(i, "r", i + 1) for i in range(9)])
    many = [f"{i} {'x' * 200}" for i in range(5_000)]
    huge = Graph.from_edges(many, [(i, "r", (7 * i) % 5_000) for i in range(5_000)])
    found = score(huge, gold)
    assert found.value is not None and found.value < 0.001  # relations agree, nothing else
    details = found.info["ged"]
    lower, upper = details["interval"]
    assert 4_990 <= lower <= upper <= 10_019
    assert len(details["edit_path"]) == MAX_LISTED + 1
    assert details["edit_path"][-1].endswith("more")
    long = Graph.from_edges(["y" * 1_000_000])
    shown = score(long, gold).info["ged"]["edit_path"]
    assert max(map(len, shown)) <= 400


# -- what the publication does, and ours ----------------------------------------------------------


def test_published_defect_two_empty_graphs():
    """STRuCT-LLM guards against dividing by zero with 0: the right answer earns nothing."""
    predicted, gold = GRAPHS["both_empty"]
    assert value(predicted, gold, PAPER) == 0.0
    assert value(predicted, gold) == 1.0


def test_published_defect_range_below_zero():
    """Its denominator is the larger graph, and edits can exceed it: -0.143 was seen."""
    gold = Graph.from_edges("ABC", [(0, "r", 1), (1, "r", 2), (0, "r", 2), (2, "r", 0)])
    wrong = Graph.from_edges("XYZ", [(0, "s", 0)])
    assert value(wrong, gold, PAPER) == pytest.approx(-1 / 7)
    assert value(wrong, gold) == 0.0
    assert parse(PAPER).range == (-1.0, 1.0)
    assert parse("ged").range == (0.0, 1.0)


def test_published_formula_comes_near_its_lower_end():
    """Nearly minus one: the range that is declared is no smaller than what can happen."""
    loops = Graph.from_edges("AB", [(0, "r", 0)] * 60 + [(1, "r", 1)] * 60)
    across = Graph.from_edges("XY", [(0, "r", 1)] * 120)
    assert -1.0 <= value(loops, across, PAPER) < -0.9


def test_published_formula_sees_no_kinds():
    gold = Graph((Node("0", "Heat", "film"),))
    other = Graph((Node("0", "Heat", "person"),))
    assert (value(other, gold, PAPER), value(other, gold)) == (1.0, 0.0)


# -- progress -------------------------------------------------------------------------------------


def walked(reward: str, *, finish: bool = True) -> tuple[Any, Episode]:
    env = fx.make_env(reward=reward, max_turns=6)
    end = [format_call("answer_frontier")] if finish else []
    return env, env.play(fx.GENRES, [*fx.walk_to_gold(fx.GENRES), *end])


def test_progress_pays_the_turn_that_comes_nearer_and_telescopes():
    env, episode = walked("ged_progress")
    found = env.reward([episode])[0]
    assert found.steps == pytest.approx((0.5, 0.5, -1.0))
    assert found.value == pytest.approx(0.0)
    back = env.play(fx.GENRES, [*fx.walk_to_gold(fx.GENRES)[:1], format_call("back"), fx.answer()])
    first, second, _ = env.reward([back])[0].steps
    assert first > 0 and second == -first
    for t in range(1, 3):
        assert env.reward([episode[:t]])[0].steps == found.steps[:t]
        assert env.reward.last_step(episode[:t]) == pytest.approx(found.steps[t - 1])


def test_progress_of_the_last_state_is_what_ged_says_of_it():
    env, running = walked("ged + ged_progress", finish=False)
    _, whole = walked("ged + ged_progress")
    level = sum(env.reward([running])[0].steps)
    assert level == env.reward([whole])[0].parts["ged"].value == 1.0


def test_a_state_is_solved_once(monkeypatch: pytest.MonkeyPatch):
    solved: list[tuple[Graph, Graph]] = []

    def counted(pairs: list[tuple[Graph, Graph]], **options: Any) -> list[GEDResult]:
        solved.extend(pairs)
        return ged_batch(pairs, **options)

    compare.comparer.cache_clear()
    monkeypatch.setattr(compare, "ged_batch", counted)
    env = fx.make_env(reward="ged + ged_progress", max_turns=6)
    for _ in range(3):  # a group of three
        env.reset(options={"index": fx.GENRES})
        for turn in [*fx.walk_to_gold(fx.GENRES), format_call("relations"), fx.answer("Crime")]:
            env.step(turn)
    assert len(solved) == len(set(solved)) == 3  # before, after one move, after two


def test_only_what_the_reward_reads_is_made():
    assert all(step.graph is None for step in walked("ged")[1].steps)
    _, episode = walked("ged_progress")
    assert episode.start_graph == Graph()
    assert [len(step.graph or ()) for step in episode.steps] == [3, 5, 5]
    assert episode.steps[2].graph is episode.steps[1].graph


@pytest.mark.parametrize("mode", ["tools", "program"])
def test_replay_gives_the_same_score(mode: str):
    env = fx.make_env(reward="ged + ged_progress", mode=mode)
    turns = ["^directed_by"] if mode == "program" else [*fx.walk_to_gold(0)[:1], fx.answer("Heat")]
    episode = env.play(fx.GENRES, turns)
    again = replay(episode.record(), env)
    first, second = env.reward([episode, again])
    assert first.to_json() == second.to_json()
    assert first.parts["ged"].value == 0.5


def test_kept_results_are_bounded():
    kept: compare.Recent[int, int] = compare.Recent(10)
    for i in range(100):
        kept.put(i, i, weight=3)
    assert [i for i in range(100) if kept.get(i) is not None] == [97, 98, 99]
    kept.put(97, 1, weight=11)
    assert kept.get(97) is None
    kept.get(98)
    kept.put(100, 100, weight=7)
    assert [kept.get(98), kept.get(99), kept.get(100)] == [98, None, 100]


def test_long_labels_weigh_more_among_the_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compare.Comparer, "KEPT", 100)
    solved: list[int] = []

    def counted(pairs: list[tuple[Graph, Graph]], **options: Any) -> list[GEDResult]:
        solved.append(len(pairs))
        return ged_batch(pairs, **options)

    monkeypatch.setattr(compare, "ged_batch", counted)
    comparer = compare.Comparer(compare.Settings())
    gold = Graph.from_edges(["y"])
    for label, times in (("x", 1), ("x" * 100_000, 2)):
        solved.clear()
        for _ in range(2):
            comparer.results([(Graph.from_edges([label]), gold)])
        assert len(solved) == times


# -- details --------------------------------------------------------------------------------------


def test_details_say_what_to_change():
    found = score(*GRAPHS["wrong_relation"]).info["ged"]
    assert (found["interval"], found["exact"]) == ([3.0, 3.0], True)
    assert len(found["edit_path"]) == 3 and all("is" in line for line in found["edit_path"])
    assert json.loads(json.dumps(dict(found))) == dict(found)
    assert pickle.loads(pickle.dumps(found)) == dict(found)


def test_the_edit_path_is_made_for_readers_only(monkeypatch: pytest.MonkeyPatch):
    def made(*_: Any) -> Any:
        raise AssertionError("an edit path was made")

    monkeypatch.setattr("graphenv.rewards.ged.result.edit_path", made)
    compare.comparer.cache_clear()
    found = score(*GRAPHS["missing_edge"])
    assert found.value == pytest.approx(5 / 6)
    env = fx.make_env(reward="ged")
    env.reset(options={"index": 0})
    info = env.step(fx.answer("Crime"))[4]["score_info"]["ged"]
    assert info == {"measure": "GED", "interval": [10.0, 10.0], "exact": True, "reason": ""}
    with pytest.raises(AssertionError, match="edit path"):
        found.to_json()


def test_play_and_show_tell_interval_and_edits():
    env = fx.make_env(reward="exact + ged", mode="program")
    episode = env.play(fx.GENRES, ["^directed_by"])
    found = env.reward([episode])[0]
    for text in (ending(episode, found), walk_through(episode, found)):
        assert "GED 5 (exact)" in text
        assert "    - add the node 'Crime'\n" in text
    unsure = replace(
        found, info={"ged": {"measure": "GED", "interval": [4.0, 6.0], "exact": False}}
    )
    assert "GED between 4 and 6" in ending(episode, unsure)


def test_the_report_keeps_them_as_json():
    env = fx.make_env(reward="ged", mode="program")
    episode = env.play(fx.GENRES, ["^directed_by"])
    example = json.loads(json.dumps(episode_json(episode, env.reward([episode])[0])))
    headline, edits = tell(example["info"]["ged"])
    assert headline == "GED 5 (exact)" and len(edits) == 5


# -- preparing ------------------------------------------------------------------------------------


def test_prepare_warms_up_the_core_and_asks_nothing_of_other_terms(
    monkeypatch: pytest.MonkeyPatch,
):
    calls: list[str] = []
    monkeypatch.setattr("graphenv.rewards.ged.terms.warmup", lambda: calls.append("warm"))
    parse("exact + format + progress").prepare()
    assert calls == []
    for text in ("0.7*exact + 0.3*ged", "exact + potential(ged_progress)", "gate(format, ged)"):
        calls.clear()
        parse(text).prepare()
        assert calls, text


@settings(max_examples=20)
@given(graphs(), graphs())
def test_settings_travel_with_a_pickled_reward(predicted: Graph, gold: Graph):
    reward = parse("ged(budget=50, similarity='string', kind_weights='x:0.5') + ged_progress")
    twin = pickle.loads(pickle.dumps(reward))
    episode = conformance.graph_episode(predicted, gold)
    assert twin([episode])[0].to_json() == reward([episode])[0].to_json()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_a_thread_grades_leaves_no_lock_behind() -> None:
    script = (
        "import os\n"
        "from graphenv.graph import Graph\n"
        "from graphenv.rewards.ged.compare import Settings, comparer\n"
        "pair = (Graph.from_triples([('a', 'r', 'b')]), Graph.from_triples([('a', 's', 'b')]))\n"
        "comparer(Settings()).results([pair])\n"
        "comparer(Settings())._solved._lock.acquire()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if comparer(Settings()).results([pair])[0].upper == 1 else 1)\n"
        "raise SystemExit(os.waitpid(child, 0)[1])\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
