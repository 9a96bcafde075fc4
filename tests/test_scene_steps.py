"""Scene graphs built step by step, with tools."""

from __future__ import annotations

from typing import Any

import pytest
from scene_play import GOLD, block, env_with

from graphenv.agents.bridge.adapter import AdapterFactory
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.envs.replay import replay
from graphenv.envs.session import OVER
from graphenv.episode import Episode
from graphenv.scenes import MAX_OBJECTS
from graphenv.text import format_call


def said(*turns: str, **kwargs: Any) -> Episode:
    return env_with(mode="steps", **kwargs).play(0, turns)


def added(label: str, **more: str) -> str:
    return format_call("add_object", label=label, **more)


def linked(subject: str, relation: str, object: str) -> str:
    return format_call("add_relation", subject=subject, relation=relation, object=object)


SUBMIT = format_call("submit")


def test_a_graph_is_built_step_by_step():
    env = env_with(mode="steps", reward="triple_f1 + potential(ged_progress)")
    turns = [
        added("goat"),
        added("hat", attributes="red"),
        linked("goat.1", "eat", "hat.1"),
        SUBMIT,
    ]
    episode = env.play(0, turns)
    assert [s.observation for s in episode.steps] == [
        "Added goat.1.",
        "Added hat.1.",
        "Added r1: goat.1 eat hat.1.",
        "Scene graph received.",
    ]
    assert (episode.status, episode.success) == ("ok", 1.0)
    graphs = [episode.start_graph, *(step.graph for step in episode.steps)]
    assert [len(g.nodes) for g in graphs if g is not None] == [0, 1, 3, 3, 3]
    assert [len(g.edges) for g in graphs if g is not None] == [0, 0, 1, 2, 2]
    steps = env.reward([episode])[0].steps
    assert len(steps) == 4 and all(value > 0 for value in steps[:3])
    assert env_with(mode="steps").play(0, turns).steps[0].graph is None  # made only if asked for


def test_ids_count_objects_of_a_name_and_never_come_back():
    turns = [
        added("goat") + added("Goat", attributes=" old, , brown ,old"),
        format_call("remove", id="goat.1"),
        added("goat"),
    ]
    episode = said(*turns)
    assert episode.steps[0].observation == "Added goat.1.\nAdded Goat.2."
    assert episode.steps[2].observation == "Added goat.3."
    assert episode.steps[2].facts["objects"] == 2
    assert episode.steps[2].facts["attributes"] == 2


def test_removing_an_object_removes_its_relations():
    build = added("goat") + added("hat") + linked("goat.1", "eat", "hat.1")
    again = linked("goat.1", "wear", "hat.1")
    episode = said(build + again, format_call("remove", id="r1"), format_call("remove", id="hat.1"))
    assert [step.facts["relations"] for step in episode.steps] == [2, 1, 0]
    assert episode.steps[1].observation == "Removed r1."
    assert episode.steps[2].observation == "Removed hat.1 and 1 relations."


@pytest.mark.parametrize(
    ("turn", "hint"),
    [
        (linked("goat.1", "eat", "hta.1"), "no object 'hta.1'. Did you mean 'hat.1'?"),
        (linked("goat", "eat", "hat.1"), "no object 'goat'. Did you mean 'goat.1'"),
        (linked("goat.1", " ", "hat.1"), "the relation is an empty string"),
        (linked("goat.1", "EAT", "hat.1"), "there already, as r1"),
        (added(""), "an empty string"),
        (added("x" * 500), "500 characters"),
        (added("x", attributes="," * 10), ""),
        (added("x", attributes=", ".join(map(str, range(60)))), "60 attributes; at most 50"),
        (format_call("remove", id="goat.2"), "nothing called 'goat.2'"),
        (format_call("remove", id="x" * 10_000), "more characters"),
        (format_call("add_object"), "needs the argument 'label'"),
        (format_call("add_box", label="x"), "no tool 'add_box'"),
        (format_call("add_object", label=["goat"]), "is a list, but a string"),
    ],
)
def test_what_cannot_be_done_is_told(turn: str, hint: str):
    build = added("goat") + added("hat") + linked("goat.1", "eat", "hat.1")
    episode = said(build, turn)
    step = episode.steps[1]
    assert hint in step.observation and len(step.observation) < 500
    if hint:
        unread = any(word in hint for word in ("no tool", "needs the argument", "is a list"))
        assert step.status == ("malformed" if unread else "infeasible")
        assert step.facts == episode.steps[0].facts
    assert not episode.ended


def test_nothing_to_link_yet():
    assert "Add it with add_object first" in said(linked("a", "b", "c")).steps[0].observation
    assert "The graph is empty" in said(format_call("remove", id="a")).steps[0].observation


def test_an_answer_ends_steps_too_and_what_was_built_is_left():
    episode = said(added("kite"), block(GOLD))
    assert (episode.status, episode.success) == ("ok", 1.0)
    assert episode.steps[-1].facts["objects"] == 2
    beside = said(added("kite") + "\n" + block(GOLD))
    assert not beside.ended and beside.steps[0].facts["objects"] == 1


def test_submit_ends_at_once():
    episode = said(added("kite") + SUBMIT + added("goat"))
    assert episode.ended and episode.steps[0].facts["objects"] == 1
    assert OVER in episode.steps[0].observation
    assert said(SUBMIT).success == 0.0


def test_out_of_turns_nothing_is_graded():
    env = env_with(mode="steps", max_turns=2)
    episode = env.play(0, [added("goat"), added("hat")])
    assert (episode.status, episode.success) == ("truncated", 0.0)
    assert env.reward([episode])[0].value == 0.0
    assert len(gold_turns(env, 0)) == 2, "calls share turns where there are few"
    assert env.play(0, gold_turns(env, 0)).success == 1.0


def test_objects_are_at_most_so_many():
    env = env_with(mode="steps", max_turns=30)
    episode = env.play(0, [added("goat") * 50] * 21)
    assert episode.steps[-1].facts["objects"] == MAX_OBJECTS
    assert (
        episode.steps[-1].status == "infeasible" and "no more are read" in episode.steps[-1].reason
    )


def test_given_objects_in_steps():
    env = env_with("vrd", mode="steps")
    assert list(env.tools) == ["add_relation", "remove", "submit"]
    system = env.tasks[1].messages[0]["content"]
    assert "add_object" not in system and "remove(id): Remove a relation." in system
    turns = [linked("goat.1", "wear", "hat.1"), added("goat"), format_call("remove", id="goat.1")]
    episode = env.play(1, [*turns, format_call("remove", id="r1"), SUBMIT])
    assert [step.status for step in episode.steps[1:4]] == ["malformed", "infeasible", "ok"]
    assert "no tool 'add_object'" in episode.steps[1].reason
    assert [step.facts["objects"] for step in episode.steps] == [2, 2, 2, 0, 0]
    assert env.play(1, gold_turns(env, 1)).metrics["recall@20"] == 1.0


@pytest.mark.parametrize("kwargs", [{}, {"mode": "steps"}], ids=str)
def test_a_log_replays_to_the_same_facts(kwargs: dict[str, str]):
    env = env_with("synthetic", **kwargs)
    for index, errors in ((0, 0), (1, 3)):
        episode = env.play(index, planted_turns(env, index, errors))
        assert replay(episode.record()) == episode


def test_tools_under_trl_are_the_same_tools():
    env = env_with("synthetic", mode="steps")
    adapter: Any = AdapterFactory(env)()
    adapter.reset(index=0)
    calls = [({"label": "goat", "attributes": "red"}, "add_object"), ({"id": "goat.7"}, "remove")]
    heard = [getattr(adapter, name)(**arguments) for arguments, name in calls]
    played = env.play(0, [format_call(name, **arguments) for arguments, name in calls])
    assert heard == [step.observation for step in played.steps]


def test_boxes_in_steps():
    env = env_with("synthetic", images=True, boxes=True, mode="steps")
    assert list(env.tools["add_object"].parameters) == ["label", "attributes", "box"]
    assert env.play(0, gold_turns(env, 0)).metrics["recall@20"] == 1.0
    turns = [
        added("goat", box="1, 2, 30, 40"),
        added("goat", box="[1, 2, 30.5, 40]"),
        added("goat", box="30, 2, 1, 40"),
        added("goat", box="1, 2, NaN, 40"),
        added("goat", box="here"),
    ]
    episode = env.play(0, turns)
    assert [step.status for step in episode.steps] == ["ok", "ok", *["infeasible"] * 3]
    assert "left < right" in episode.steps[2].observation
    assert episode.steps[-1].facts["objects"] == 2
