"""Design in play: rules, tools, answers, what is shown and what is not."""

from __future__ import annotations

import json
import time
from itertools import combinations
from typing import Any

import design_fixture as fx
import pytest
from design_fixture import PATH, RING, STAR, block

from graphenv import agents, envs
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.benchmarks.validate import validate
from graphenv.envs.design.editing import Editor
from graphenv.envs.design.network import Network
from graphenv.envs.design.reading import read_edits
from graphenv.envs.replay import replay
from graphenv.errors import ConfigError
from graphenv.text import format_call


def add(a: object, b: object) -> str:
    return format_call("add_edge", a=str(a), b=str(b))


def remove(a: object, b: object) -> str:
    return format_call("remove_edge", a=str(a), b=str(b))


# -- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edge", "reason"),
    [
        (("0", "9"), "no node '9'"),
        (("", "1"), "no node ''"),
        (("2", "2"), "both ends are '2'"),
        (("1", "0"), "an edge between 1 and 0 already"),
    ],
)
def test_edges_that_are_not_added(edge: tuple[str, str], reason: str):
    editor = Editor(fx.NETWORKS[PATH], 1, "build")
    assert reason in editor.add(*edge)
    assert editor.network == fx.NETWORKS[PATH] and editor.left == 1


def test_the_budget_of_a_building():
    editor = Editor(fx.NETWORKS[PATH], 2, "build")
    assert editor.add("0", "2") == editor.add("0", "3") == ""
    assert "budget of 2 edges is used up" in editor.add("0", "4")
    assert editor.remove("0", "2") == "edges are only added here"
    assert editor.added == ((0, 2), (0, 3)) and editor.removed == ()


def test_the_rules_of_a_repair():
    editor = Editor(fx.NETWORKS[RING], 1, "repair")
    assert "remove one first" in editor.add("0", "5")
    assert editor.remove("0", "2") == "" and editor.add("0", "5") == ""
    assert (editor.added, editor.removed, editor.left) == (((0, 5),), ((0, 2),), 0)
    assert "so many are removed" in editor.remove("1", "2")
    assert editor.add("0", "2").startswith("there may not be more edges")
    assert editor.remove("0", "5") == "" and editor.left == 1
    assert editor.add("0", "2") == "" and editor.removed == ()  # it may always come back
    assert editor.remove("1", "2") == "" and editor.add("1", "3") == ""
    assert editor.remove("1", "3") == ""
    assert "no edge between" in editor.remove("0", "5")


def test_edits_all_at_once_happen_all_or_not():
    editor = Editor(fx.NETWORKS[RING], 1, "repair")
    assert "budget" in editor.all_at_once([("0", "2"), ("1", "2")], [("0", "5"), ("0", "4")])
    assert editor.network == fx.NETWORKS[RING]
    assert editor.all_at_once([("0", "2"), ("2", "0")], [("0", "5"), ("5", "0")]) == ""
    assert len(editor.network.edges) == 6


def test_many_edits_are_quick():
    complete = list(combinations(range(100), 2))
    edits = [(str(a), str(b)) for a, b in complete[:-1]]
    editor = Editor(Network.of(100, complete[:-1]), 5_000, "repair")
    began = time.process_time()
    assert editor.all_at_once(edits, edits) == "" and editor.network == editor.start
    assert editor.all_at_once(edits, []) == "" and editor.network.edges == ()
    assert time.process_time() - began < 1.0  # 0.05 s; 20 s if each edit made a network


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", ""),
        ('{"add": [["a", 1]], "remove": []}', ""),
        ("[[1, 2], [3]]", "add, item 2: an edge is a list of two nodes"),
        ("[[1, null]]", "add, item 1: a node is a text"),
        ("[[true, 1]]", "add, item 1: a node is a text"),
        ("[[1.5, 1]]", "add, item 1: a node is a text"),
        ('{"edges": []}', "the key 'edges' is unknown"),
        ('{"add": {"0": 1}}', "add: a list of edges is asked for"),
        ("3", "a list of edges is asked for"),
        (json.dumps([[0, 1]] * 5_001), "5001 edges; at most 5000"),
        ("[[0, 1]", "JSON"),
    ],
)
def test_answers_that_are_read(text: str, reason: str):
    edits, said = read_edits(text)
    assert (edits is not None) == (reason == "") and reason in said


# -- play -----------------------------------------------------------------------------------------


def test_tools_tell_what_they_did():
    session = fx.make_env(budget=2).begin(PATH)
    said = [
        session.turn(text).observation
        for text in (
            format_call("candidates"),
            format_call("inspect", node="2"),
            format_call("inspect", node="x"),
            add(0, 4),
            add(4, 0),
            format_call("submit"),
        )
    ]
    assert said[0].startswith("Nodes (degrees): 0 (1), 5 (1), 1 (2)") and "2 edges left" in said[0]
    assert said[1] == "2 is tied to 1, 3. Not tied to 0, 4, 5."
    assert "Not found: there is no node 'x'" in said[2]
    assert said[3] == "Added 0 - 4. 1 edge left to add."
    assert "Not added: there is an edge" in said[4]
    assert said[5] == "Design received."
    assert [step.status for step in session.steps] == [
        *("ok", "ok", "infeasible", "ok", "infeasible", "ok")
    ]
    assert [step.facts["added"] for step in session.steps] == [0, 0, 0, 1, 1, 1]


def test_repair_offers_to_remove_and_build_does_not():
    build, repair = fx.make_env(), fx.make_env(goal="repair")
    assert set(repair.tools) - set(build.tools) == {"remove_edge"}
    assert build.begin(PATH).turn(remove(0, 1)).status == "malformed"
    episode = repair.play(RING, [remove(0, 2) + add(0, 5), format_call("submit")])
    assert episode.status == "ok"
    assert episode.metrics["objective"] == pytest.approx(2 / 3)
    assert episode.steps[0].observation == (
        "Removed 0 - 2. 1 edge left to add.\nAdded 0 - 5. 0 edges left to add."
    )


def test_an_answer_comes_on_top_of_what_was_added():
    env = fx.make_env(budget=2)
    episode = env.play(PATH, [add(0, 4), block([[1, 5]])])
    assert json.loads(episode.outcome.program)["add"] == [["0", "4"], ["1", "5"]]
    over = env.play(PATH, [add(0, 4) + add(1, 5), block([[0, 2]])])
    assert over.status == "infeasible" and over.success == 0.0


def test_names_of_all_kinds_are_played():
    env = fx.make_env(mode="single", objective="robustness_targeted", reward="objective")
    episode = env.play(STAR, gold_turns(env, STAR))
    assert episode.status == "ok" and episode.success == 1.0
    near = fx.make_env(mode="single")
    odd = near.play(STAR, ['[["Žluť", " a b"]]'])
    assert odd.status == "ok" and odd.metrics["gain"] > 0


def test_graphs_are_made_where_a_reward_reads_them():
    env = fx.make_env(reward="user(function='kgqa_fixture:constant_half')")
    assert env.begin(PATH).graph() is None
    session = fx.make_env(reward="objective").begin(PATH)
    assert session._template.start_graph is None
    whole = fx.NETWORKS[PATH].graph
    assert len(whole) == 6 and not whole.directed
    assert whole.triples[0] == ("0", "linked", "1")
    assert "step.graph" in env.provides and "target.graph" not in env.provides


def test_the_prompt_tells_the_rules_and_never_the_value():
    for goal, words in (("build", "You add edges"), ("repair", "remove one first")):
        env = fx.make_env(goal=goal)
        text = env.tasks[RING].prompt
        assert words in text and "mean over all pairs of nodes of 1 / distance" in text
        assert "2: 0, 1, 3" in text and ("remove_edge" in text) == (goal == "repair")
        assert "0.63" not in text and "0.677" not in text
    bare = fx.make_env(instructions="none", mode="single").tasks[PATH].prompt
    assert bare.startswith("Add 1 edge to raise") and "```" not in bare
    short = fx.make_env(instructions="short", mode="single").tasks[PATH].prompt
    assert short.startswith("Write the edges to add as JSON")


def test_copying_the_prompt_builds_nothing():
    for mode in ("tools", "single"):
        env = envs.make("graph-design", mode=mode, nodes=8, density=40)
        for index in range(5):
            copied = env.play(index, [env.tasks[index].prompt] * env.max_turns)
            assert copied.success == 0.0 and all(s.facts["added"] == 0 for s in copied.steps)


def test_a_user_objective_is_played():
    env = fx.make_env(objective="design_fixture:density", mode="single")
    assert "The share of pairs of nodes that have an edge" in env.tasks[PATH].prompt
    episode = env.play(PATH, ["[[0, 2]]"])
    assert episode.success == 1.0 and episode.metrics["gain"] == pytest.approx(1 / 15)


def test_mistakes_are_nested():
    env = envs.make("graph-design", percent=2.5, reward="objective")
    for index in range(3):
        played = [env.play(index, planted_turns(env, index, errors)) for errors in range(6)]
        successes = [episode.success or 0.0 for episode in played]
        assert successes[0] == 1.0 > successes[1]
        assert successes == sorted(successes, reverse=True) and successes[5] == 0.0


@pytest.mark.parametrize("kwargs", [{}, {"mode": "single"}, {"goal": "repair"}])
def test_the_environment_is_in_order(kwargs: dict[str, Any]):
    env = envs.make("graph-design", nodes=9, density=30, budget=3, **kwargs)
    found = validate(env, range(10))
    assert found.ok, found


def test_replays_are_the_same():
    env = envs.make("graph-design", nodes=10, density=30, reward="objective + objective_value")
    episode = agents.rollout(env, agents.make("random", env, seed=3), index=2)
    again = replay(episode.record())
    assert again.digest() == episode.digest() and again.success == episode.success


def test_random_agents_keep_to_the_rules():
    for goal in ("build", "repair"):
        env = envs.make("graph-design", nodes=10, density=40, budget=2, goal=goal)
        agent = agents.make("random", env, seed=1)
        for index in range(8):
            episode = agents.rollout(env, agent, index=index)
            assert episode.status == "ok"
            assert all(step.status == "ok" for step in episode.steps)
            end = episode.steps[-1].facts
            assert 1 <= end["added"] <= 2 and (end["removed"] > 0) <= (goal == "repair")


def test_long_designs_fit_into_the_turns():
    env = envs.make("graph-design", nodes=12, density=20, percent=30, max_turns=4)
    turns = gold_turns(env, 0)
    assert len(turns) <= 4 and env.play(0, turns).success == 1.0
    tight = envs.make("graph-design", nodes=12, density=20, percent=30, max_turns=1)
    assert tight.play(0, gold_turns(tight, 0)).success == 1.0


def test_wrong_arguments_are_named():
    with pytest.raises(ConfigError, match="mode='tool'"):
        envs.make("graph-design", mode="tool")
    with pytest.raises(ConfigError, match="unknown argument 'objectiv'"):
        envs.make("graph-design", objectiv="efficiency")
    with pytest.raises(ConfigError, match="triple_f1"):
        envs.make("graph-design", reward="triple_f1")


def test_networks_are_shared_by_the_members_of_a_group():
    env = envs.make("graph-design")
    assert isinstance(env.begin(3).world.network, Network)
    assert env.begin(3).world.network is env.begin(3).world.network
