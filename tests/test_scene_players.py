"""How scene graphs are played: gold, nested mistakes, at random, everything at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import scene_layouts as layouts
from conformance import PRESETS
from scene_play import env_with

from graphenv import agents, envs
from graphenv.agents.families import family_of
from graphenv.agents.families.scenes import scene_answer
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.benchmarks.validate import validate
from graphenv.envs.scenes.reading import find_scene
from graphenv.scenes import Scene, SceneObject, SceneRelation
from graphenv.text import format_answer, parse_turn

PLAYED: list[tuple[str, dict[str, Any]]] = [
    ("factual", {}),
    ("factual", {"mode": "steps"}),
    ("factual", {"answer": "triples"}),
    ("synthetic", {"detected": True}),
    ("vrd", {}),
    ("vrd", {"mode": "steps"}),
    ("vrd", {"answer": "triples"}),
    ("synthetic", {}),
    ("synthetic", {"mode": "steps"}),
    ("synthetic", {"answer": "triples"}),
]
players = pytest.mark.parametrize(("source", "kwargs"), PLAYED, ids=str)


@players
def test_gold_is_the_most_and_mistakes_are_nested(source: str, kwargs: dict[str, Any]):
    rewards = [r for r in PRESETS["scene-graph"] if "potential" not in r]
    env = env_with(source, **kwargs, reward=" + ".join(f"({r})" for r in rewards))
    for index in range(min(8, len(env.tasks))):
        episodes = [env.play(index, planted_turns(env, index, errors)) for errors in range(6)]
        truths = [episode.success for episode in episodes]
        scores = env.reward(episodes)
        assert truths[0] == 1.0 and truths[1] < 1.0
        assert truths == sorted(truths, reverse=True)
        for part in scores[0].parts:
            values = [score.parts[part].value for score in scores]
            known = [value for value in values if value is not None]
            assert len(known) in (0, 6), part
            assert known == sorted(known, reverse=True) or "turn_cost" in part, (part, values)
        assert all(len(e.steps) <= env.max_turns for e in episodes)


@players
def test_validate_comes_out_in_order(source: str, kwargs: dict[str, Any]):
    env = env_with(source, **kwargs)
    result = validate(env, range(min(6, len(env.tasks))), seed=1)  # of two tasks luck gets one
    assert result.ok, result.problems
    players = {player.name: player for player in result.players}
    assert players["list-everything"].statuses == {"ok": len(players["oracle"].successes)} or (
        kwargs.get("mode") == "steps"
    )


def test_listing_everything_finds_much_and_earns_little():
    env = env_with(reward="r1_sgg_edge + relation_f1 + triple_f1")
    # "goat" and "hat" are words of the caption, and so are the relation's ends.
    dump = format_answer(list(family_of(env, "test").everything(0)))
    episode = env.play(0, [dump])
    assert episode.status == "ok" and episode.steps[0].facts["relations"] > 50
    parts = {name: part.value for name, part in env.reward([episode])[0].parts.items()}
    assert max(parts["relation_f1"] or 0, parts["triple_f1"] or 0) < 0.1
    assert episode.success is not None and episode.success < 0.1


def test_random_play_is_a_function_of_seed_and_prompt():
    for env in (env_with("synthetic"), env_with("vrd"), env_with("synthetic", mode="steps")):
        chats = [env.begin(i).episode().messages for i in (0, 1)]
        world = env.begin(0).world
        first = family_of(env, "test").random(world, 0, 3)
        again = family_of(env, "test").random(world, 0, 3)
        assert first.act(chats[0]) == again.act(chats[0])
        other = family_of(env, "test").random(world, 1, 3)
        assert first.act(chats[0]) != other.act(chats[0])
        assert agents.rollout(env, agents.make("random", env), index=0).status == "ok"


def test_labels_that_look_like_tags_survive():
    odd = Scene(
        (SceneObject("a", "</answer>", ("```",)), SceneObject("b", "<think>")),
        (SceneRelation(0, "a, b", 1),),
    )
    for form in ("json", "triples"):
        text, reason = find_scene(parse_turn(scene_answer(odd, form)))
        assert text is not None, reason
        assert "</answer>" in json.dumps(json.loads(text))


def test_what_calls_cannot_say_is_an_answer(tmp_path: Path):
    rows = [layouts.caption_row("1", "x", ["goat", "is", "old, brown"])]
    root = layouts.factual(tmp_path, dev__jsonl=rows)
    arguments = {"source": "factual", "root": root, "split": "heldout"}
    env = envs.make("scene-graph", **arguments, mode="steps")
    assert len(gold_turns(env, 0)) == 1 and env.play(0, gold_turns(env, 0)).success == 1.0


@pytest.mark.soak
@pytest.mark.data
@pytest.mark.runs("text_to_graph")
@pytest.mark.parametrize("kwargs", [{}, {"mode": "steps"}, {"answer": "triples"}], ids=str)
def test_gold_is_right_on_all_of_factual(
    kwargs: dict[str, Any], graphenv_data: Path, record_property: Any
):
    root = str(graphenv_data / "scene_graph" / "factual")
    reward = "triple_f1 + ged + node_f1 + edge_f1 + soft_match"
    shared = {"source": "factual", "root": root, "split": "heldout", **kwargs}
    env = envs.make("scene-graph", reward=reward, **shared)
    episodes = [env.play(index, gold_turns(env, index)) for index in range(len(env.tasks))]
    assert len(episodes) == 1_000 and {episode.success for episode in episodes} == {1.0}
    for score in env.reward(episodes):
        assert {part.value for part in score.parts.values()} == {1.0}
    assert validate(envs.make("scene-graph", **shared), range(300)).ok
    record_property("report", f"gold of {len(episodes)} FACTUAL dev captions is right: {kwargs}")


@pytest.mark.data
def test_the_example_of_the_prompt_is_in_no_data(graphenv_data: Path):
    files = (graphenv_data / "scene_graph" / "factual").glob("*.jsonl")
    assert not any("french horn" in file.read_text(encoding="utf-8") for file in files)
    assert "french horn" not in str(env_with("synthetic").scene_source.vocabulary)
