"""`graphenv/SceneGraph-v0`: what is shown, what is asked, what is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scene_play import GOLD, asked, block, env_with, related

from graphenv.agents.families.scenes import scene_answer
from graphenv.agents.oracle import gold_turns
from graphenv.envs.arguments import offered
from graphenv.envs.scenes import SceneGraphEnv
from graphenv.envs.scenes.reading import find_scene
from graphenv.errors import ConfigError, DataError
from graphenv.scenes import Scene, SceneObject, SceneRelation
from graphenv.text import parse_turn

# -- what is shown --------------------------------------------------------------------------------


def test_prompts():
    full, short, none = (env_with(instructions=kind).tasks[0] for kind in ("full", "short", "none"))
    assert none.prompt == "a goat eats a red hat" and len(none.messages) == 1
    assert short.messages[0]["content"] == "Write the scene graph as JSON in one ```json block."
    assert short.messages[1]["content"] == "Caption: a goat eats a red hat"
    assert len(full.prompt) > len(short.prompt)
    text, reason = find_scene(parse_turn(full.messages[0]["content"]))
    assert text is not None, f"the example can be read: {reason}"
    assert env_with().play(0, [full.messages[0]["content"]]).status == "ok"
    steps = env_with(mode="steps").tasks[0].prompt
    assert all(f"- {spec.usage}" in steps for spec in env_with(mode="steps").tools.values())


@pytest.mark.parametrize("kwargs", [{}, {"mode": "steps"}, {"answer": "triples"}])
def test_instructions_are_the_same_for_every_task(kwargs: dict[str, str]):
    tasks = env_with("synthetic", **kwargs).tasks[:20]
    assert len({task.messages[0]["content"] for task in tasks}) == 1


def test_what_is_public_does_not_reach_the_target():
    for env in (env_with(), env_with("vrd")):
        world = env.begin(0).world
        assert world.caption == env.source[0].meta["caption"]
        assert world.given == env.scene_source.detections(0)
        assert all(isinstance(word, str) for words in world.vocabulary for word in words)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"mode": "step"}, "not one of single, steps"),
    ({"answer": "xml"}, "not one of json, triples"),
    ({"images": 1}, "images=1"),
    ({"boxes": "yes"}, "boxes='yes'"),
    ({"max_turns": 3}, "one turn"),
    ({"mode": "steps", "answer": "triples"}, "steps mode has json"),
    ({"images": True}, "has no images here"),
    ({"boxes": True}, "knows none"),
    ({"source": "vrd", "boxes": True}, "given with theirs"),
    ({"source": "synthetic", "boxes": True}, "set images=True"),
    ({"source": "synthetic", "boxes": True, "images": True, "answer": "triples"}, "no place"),
    ({"source": "vrd", "images": True}, "image_root="),
    ({"source": "vrd", "detected": False, "image_root": "/"}, "has no captions; set images=True"),
    ({"reward": "answer_f1"}, "needs outcome.answer"),
    ({"detected": False}, "'detected'"),
]


@pytest.mark.parametrize(("kwargs", "match"), WRONG, ids=lambda x: str(x)[:50])
def test_wrong_arguments_are_one_clear_error(kwargs: dict[str, Any], match: str):
    with pytest.raises(ConfigError) as error:
        env_with(**kwargs)
    assert match in str(error.value)


@pytest.mark.parametrize("argument", offered(SceneGraphEnv))
def test_every_argument_is_offered(argument: str):
    misspelt: dict[str, Any] = {f"{argument}_": 1}
    with pytest.raises(ConfigError, match=rf"'{argument}_'.*Did you mean.*'{argument}'"):
        env_with(**misspelt)


def test_an_image_that_is_missing_is_an_error_of_the_user(tmp_path: Path):
    env = env_with("vrd", detected=False, images=True, image_root=str(tmp_path))
    with pytest.raises(DataError, match="is not in"):
        env.reset(options={"index": 0})


# -- what is right --------------------------------------------------------------------------------


def test_gold_is_right():
    episode = asked(block(GOLD))
    assert (episode.status, episode.success) == ("ok", 1.0)
    assert episode.steps[0].observation == "Scene graph received."
    assert episode.metrics["relation_f1"] == episode.metrics["spice_f1"] == 1.0
    assert "recall@20" not in episode.metrics
    wrong = {**GOLD, "relationships": [related("hat.1", "eat", "goat.1")]}
    assert asked(block(wrong)).success == 0.5


def test_a_dangling_relation_is_infeasible_and_costs_what_a_wrong_one_costs():
    more = [*GOLD["relationships"], related("goat.1", "near", "tree.1")]
    dangling = asked(block({**GOLD, "relationships": more}))
    assert dangling.status == "infeasible"
    assert "not listed (1), such as 'goat.1' 'near' 'tree.1'" in dangling.steps[0].reason
    wrong = [*GOLD["relationships"], related("goat.1", "near", "hat.1")]
    listed = asked(block({**GOLD, "relationships": wrong}))
    assert dangling.success == listed.success == 0.8
    reward = env_with().reward
    assert reward([dangling])[0].value == reward([listed])[0].value == 0.8


def test_an_empty_graph_is_an_answer_that_earns_nothing():
    episode = asked('{"objects": [], "relationships": []}')
    assert (episode.status, episode.success) == ("ok", 0.0)
    assert env_with().reward([episode])[0].value == 0.0


def test_facts_are_digested():
    facts = asked(block(GOLD)).steps[0].facts
    assert {k: facts[k] for k in ("objects", "attributes", "relations", "dangling")} == {
        "objects": 2, "attributes": 1, "relations": 1, "dangling": 0
    }  # fmt: skip
    other = asked(block({**GOLD, "objects": [{"id": "goat.1"}, {"id": "hat.1"}]}))
    assert other.steps[0].facts["scene"] != facts["scene"]
    assert other.digest() != asked(block(GOLD)).digest()


def test_triples_are_facts_by_name():
    env = env_with(answer="triples")
    assert env.play(0, [block([["Goat", "eat", "hat"], ["hat", "is", "red"]])]).success == 1.0
    assert env.play(0, [block(GOLD)]).status == "malformed"
    assert "[[" in str(env.tasks[0].prompt) and '"objects"' not in str(env.tasks[0].prompt)


def test_in_triples_two_objects_of_a_name_are_one_in_the_gold_too():
    env = env_with("vrd", answer="triples")
    shown = env.scene_source.detections(1)
    text = block([["goat.1", "wear", "hat.1"], ["goat.2", "next to", "goat.1"]])
    assert len(shown) == 3 and env.play(1, [text]).success == 1.0
    two = Scene(
        (SceneObject("a", "goat", ("old",)), SceneObject("b", "goat"), SceneObject("c", "hat")),
        (SceneRelation(0, "eat", 2), SceneRelation(1, "eat", 2)),
    )
    assert scene_answer(two, "triples") == block(
        [["goat", "is", "old"], ["goat", "eat", "hat"], ["goat", "eat", "hat"]]
    )
    synthetic = env_with("synthetic", answer="triples", reward="ged + triple_f1")
    for index in range(20):
        episode = synthetic.play(index, gold_turns(synthetic, index))
        assert episode.success == 1.0 and synthetic.reward([episode])[0].value == 2.0
        names = [thing.label for thing in episode.task.target.scene.objects]
        assert len(set(names)) == len(names)


# -- objects that are given -----------------------------------------------------------------------


def test_given_objects_are_listed_and_named():
    env = env_with("vrd")
    prompt = env.tasks[1].prompt
    assert "goat.1 [5, 10, 80, 60]\nhat.1 [20, 2, 40, 12]\ngoat.2 [100, 10, 180, 60]" in prompt
    assert "Relations to choose from: wear, next to, do 0 to," in prompt
    right = [related("goat.1", "wear", "hat.1"), related("goat.2", "next to", "goat.1")]
    episode = env.play(1, [block({"relationships": right})])
    assert episode.success == 1.0 and episode.metrics["recall@20"] == 1.0
    # Labels alone do not tell the goats apart; boxes do.
    other = [related("goat.2", "wear", "hat.1"), related("goat.1", "next to", "goat.2")]
    episode = env.play(1, [block({"relationships": other})])
    assert episode.success == 1.0 and episode.metrics["recall@20"] == 0.0


def test_what_is_given_is_not_earned():
    env = env_with("vrd", reward="node_f1 + object_f1 + triple_f1")
    episode = env.play(1, [block({"relationships": []})])
    assert (episode.status, episode.success) == ("ok", 0.0)
    assert env.reward([episode])[0].value == 0.0


def test_a_relation_to_what_is_not_given_is_infeasible():
    episode = asked(block({"relationships": [related("goat.1", "wear", "cap.1")]}), source="vrd")
    assert episode.status == "infeasible" and episode.success == 0.0


# -- images and boxes -----------------------------------------------------------------------------


def test_an_image_is_a_part_of_the_users_message():
    env = env_with("synthetic", images=True)
    task = env.tasks[3]
    content = task.messages[-1]["content"]
    assert [part["type"] for part in content] == ["image", "text"]
    assert content[1]["text"] == f"Caption: {task.meta['caption']}"
    assert Path(content[0]["image"]).is_file()
    assert f"[image: {content[0]['image']}]" in task.prompt
    observation, info = env.reset(options={"index": 3})
    assert observation == task.prompt
    assert info["messages"][-1]["content"] == content
    before = json.dumps(info)
    info["messages"][-1]["content"].clear()
    assert json.dumps(env.info()) == before


def test_boxes_are_asked_for_and_graded():
    env = env_with("synthetic", images=True, boxes=True, reward="object_f1(boxes='iou')")
    assert '"bbox"' in str(env.tasks[0].messages[0]["content"])
    for index in range(5):
        episode = env.play(index, gold_turns(env, index))
        assert episode.success == 1.0 and env.reward([episode])[0].value == 1.0
        gold = episode.task.target.scene
        assert gold is not None and gold.has_boxes
        if gold.relations:
            assert episode.metrics["recall@20"] == 1.0
        assert all('"bbox"' in turn for turn in gold_turns(env, index))


def test_what_is_not_asked_for_is_not_in_the_gold():
    env = env_with("synthetic")
    episode = env.play(0, gold_turns(env, 0))
    gold = episode.task.target.scene
    assert gold is not None and not any(thing.box for thing in gold.objects)
    assert env.scene_source[0].target.scene.has_boxes
    assert "recall@20" not in episode.metrics
