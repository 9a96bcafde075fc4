"""`graphenv/SceneGraph-v0`: what is shown, what is read, how graphs are built, what is right."""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import scene_layouts as layouts
from conformance import PRESETS
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import agents, envs
from graphenv.agents.bridge.adapter import AdapterFactory
from graphenv.agents.families import family_of
from graphenv.agents.families.scenes import scene_answer
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.benchmarks.validate import validate
from graphenv.envs.arguments import offered
from graphenv.envs.replay import replay
from graphenv.envs.scenes import SceneGraphEnv
from graphenv.envs.scenes.reading import find_scene
from graphenv.envs.session import OVER
from graphenv.episode import STATUSES, Episode
from graphenv.errors import ConfigError, DataError
from graphenv.scenes import MAX_OBJECTS, Scene, SceneObject, SceneRelation
from graphenv.text import MAX_JSON_DEPTH, format_answer, format_call, parse_turn

ROOT: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def layouts_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Write the layouts once: rows about goats (task 0: a goat eats a red hat)."""
    folder = tmp_path_factory.mktemp("scenes")
    two = layouts.caption_row(
        "d1", "a goat eats a red hat", ["goat", "eat", "hat"], ["hat", "is", "red"]
    )
    lone = layouts.caption_row("d2", "a kite", ["kite"])
    ROOT["factual"] = layouts.factual(folder / "factual", dev__jsonl=[two, lone])
    ROOT["vrd"] = layouts.vrd(folder / "vrd")


def env_with(source: str = "factual", **kwargs: Any) -> SceneGraphEnv:
    root = {"root": ROOT[source]} if source in ROOT else {}
    return _env(json.dumps({"split": "heldout", "source": source, **root, **kwargs}))


@lru_cache(maxsize=32)
def _env(kwargs: str) -> SceneGraphEnv:
    env = envs.make("scene-graph", **json.loads(kwargs))
    assert isinstance(env, SceneGraphEnv)
    return env


def block(value: Any) -> str:
    return f"```json\n{value if isinstance(value, str) else json.dumps(value)}\n```"


def related(subject: str, predicate: str, object: str) -> dict[str, str]:
    return {"subject": subject, "predicate": predicate, "object": object}


GOLD: dict[str, Any] = {
    "objects": [{"id": "goat.1"}, {"id": "hat.1", "attributes": ["red"]}],
    "relationships": [related("goat.1", "eat", "hat.1")],
}


def asked(text: str, **kwargs: Any) -> Episode:
    return env_with(**kwargs).play(0, [text])


def said(*turns: str, **kwargs: Any) -> Episode:
    return env_with(mode="steps", **kwargs).play(0, turns)


def added(label: str, **more: str) -> str:
    return format_call("add_object", label=label, **more)


def linked(subject: str, relation: str, object: str) -> str:
    return format_call("add_relation", subject=subject, relation=relation, object=object)


SUBMIT = format_call("submit")


# -- what is read ---------------------------------------------------------------------------------

J = '{"objects": []}'
READ: dict[str, tuple[str, str | None, str]] = {
    "block": (block(J), J, ""),
    "between prose": (f"I see.\n{block(J)}\nThat is all.", J, ""),
    "no mark": (f"```\n{J}\n```", J, ""),
    "capitals": (f"```JSON\n{J}\n```", J, ""),
    "one line": (f"```json {J}```", J, ""),
    "bare": (f"\n {J} ", J, ""),
    "bare list": ('[["goat"]]', '[["goat"]]', ""),
    "answer": (f"<answer>{J}</answer>", J, ""),
    "answer around a block": (f"<answer>\n{block(J)}\n</answer>", J, ""),
    "block around an answer": (f"```json\n<answer>{J}</answer>\n```", J, ""),
    "answer as a list": (format_answer([J]), J, ""),
    "facts in an answer": ('<answer>[["a", "b", "c"]]</answer>', '[["a", "b", "c"]]', ""),
    "thought before": (f"<think>{block('[]')}</think>{J}", J, ""),
    "windows": (f"```json\r\n{J}\r\n```\r\n", J, ""),
    "nothing": ("", None, "no ```json block"),
    "prose": ("There is a goat.", None, "no ```json block"),
    "prose around bare": (f"Here: {J}", None, "no ```json block"),
    "two blocks": (f"{block(J)}\nor\n{block(J)}", None, "2 fenced blocks"),
    "block beside an answer": (f"{block(J)}\n<answer>{J}</answer>", None, "beside the answer"),
    "two answers": (f"<answer>{J}</answer>" * 2, None, "more than one <answer>"),
    "open block": (f"```json\n{J}", None, "never closed"),
    "open answer": (f"<answer>{J}", None, "<answer> is never closed"),
    "open thought": (f"<think>{J}", None, "<think> is never closed"),
    "another mark": (f"```python\n{J}\n```", None, "marked as 'python'"),
    "program": (f"<program>{J}</program>", None, "<program> block is not read"),
    "empty block": ("```json\n\n```", None, "the block is empty"),
    "empty answer": ("<answer></answer>", None, "the answer is empty"),
}


@pytest.mark.parametrize("kind", READ)
def test_where_the_scene_stands(kind: str):
    turn, text, reason = READ[kind]
    found, why = find_scene(parse_turn(turn))
    assert found == text and (reason in why if reason else why == "")


BAD: dict[str, tuple[Any, str]] = {
    "no json": ("{goat}", "not valid JSON"),
    "cut off": (json.dumps(GOLD)[:-3], "not valid JSON"),
    "list instead": ([["goat", "eat", "hat"]], '"objects" and "relationships" is asked for'),
    "nested bomb": ("[" * 50_000, "is asked for"),
    "nested bomb in an object": ('{"objects": ' + "[" * 50_000, f"deeper than {MAX_JSON_DEPTH}"),
    "nested keys": ('{"objects":' * 10_000, f"deeper than {MAX_JSON_DEPTH}"),
    "no objects": ({"relationships": []}, '"objects" is not a list'),
    "objects as object": ({"objects": {}}, '"objects" is not a list'),
    "another key": ({**GOLD, "thoughts": "x"}, "unknown key 'thoughts'"),
    "duplicate ids": ({"objects": [{"id": "a"}, {"id": "a"}]}, "two objects have the id 'a'"),
    "no id": ({"objects": [{"label": "goat"}]}, "a null where a string"),
    "label is a number": ({"objects": [{"id": 3}]}, "a number where a string"),
    "label is a list": ({"objects": [{"id": ["goat"]}]}, "a list where a string"),
    "label is null": ({"objects": [{"id": "a", "label": None}]}, "a null where a string"),
    "label is empty": ({"objects": [{"id": " \u00a0"}]}, "an empty string"),
    "label is long": ({"objects": [{"id": "x" * 201}]}, "201 characters"),
    "object is a string": ({"objects": ["goat"]}, "an object is a JSON string"),
    "attributes as text": ({"objects": [{"id": "a", "attributes": "red"}]}, "no list of strings"),
    "attribute is a number": ({"objects": [{"id": "a", "attributes": [1]}]}, "a number where"),
    "inverted box": ({"objects": [{"id": "a", "bbox": [9, 1, 2, 4]}]}, "left < right"),
    "box of no size": ({"objects": [{"id": "a", "bbox": [1, 1, 1, 4]}]}, "left < right"),
    "short box": ({"objects": [{"id": "a", "bbox": [1, 2, 3]}]}, "list of four numbers"),
    "box of words": ({"objects": [{"id": "a", "bbox": ["1", 2, 3, 4]}]}, "holds a string"),
    "box of truths": ({"objects": [{"id": "a", "bbox": [True, 2, 3, 4]}]}, "holds a boolean"),
    "nan box": ('{"objects": [{"id": "a", "bbox": [NaN, 1, 2, 3]}]}', "NaN is not a JSON value"),
    "endless box": ('{"objects": [{"id": "a", "bbox": [1, 1, 1e999, 3]}]}', "beyond 1e+06"),
    "huge box": ({"objects": [{"id": "a", "bbox": [0, 0, 10**300, 3]}]}, "beyond 1e+06"),
    "relation of two": ({"objects": [], "relationships": [{"subject": "a"}]}, "exactly the keys"),
    "relation is a number": (
        {**GOLD, "relationships": [related("goat.1", 3, "hat.1")]},  # type: ignore[arg-type]
        "a number where a string",
    ),
    "empty predicate": ({**GOLD, "relationships": [related("goat.1", "", "hat.1")]}, "an empty"),
    "1,001 objects": ({"objects": [{"id": f"a.{i}"} for i in range(1_001)]}, "1001 objects"),
    "100,000 objects": ('{"objects": [' + "{}," * 60_000 + "{}]}", "60001 objects; at most"),
    "5,001 relations": (
        {"objects": [{"id": "a"}], "relationships": [related("a", "r", "a")] * 3_000},
        "",
    ),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("mode", ["single", "steps"])
def test_bad_answers_are_a_status_with_a_reason(kind: str, mode: str):
    value, reason = BAD[kind]
    env = env_with(mode=mode, reward="triple_f1 + object_f1 + ged + format")
    episode = env.play(0, [block(value)])
    step = episode.steps[0]
    if not reason:  # it is only large
        assert step.status == "ok"
        return
    assert step.status == "malformed" and reason in step.reason, step.reason
    assert len(step.reason) <= 300
    if mode == "steps":
        assert not episode.ended and "Write" in step.observation and reason in step.observation
        return
    assert (episode.status, episode.success) == ("malformed", 0.0)
    score = env.reward([episode])[0]
    assert score.status == "ok" and {part.value for part in score.parts.values()} == {0.0}


def test_100_000_objects_are_refused_before_they_are_read():
    text = '{"objects": [' + '{"id":"a"},' * 100_000 + '{"id":"b"}]}'
    episode = asked(block(text))
    assert episode.status == "malformed" and "longer than" in episode.steps[0].reason


@pytest.mark.parametrize(
    "piece",
    [
        '{"id": "a"},',
        '{"id": "a", "bbox": [1, 2, 3, 4], "attributes": ["b"]},',
        "[[",
        '"a", ',
        '{"subject": "a", "predicate": "b", "object": "c"},',
        "```json\n",
        '["a", "b", "c"],',
    ],
)
@pytest.mark.parametrize("frame", ['{{"objects": [{}]}}', "```json\n[{}]\n```", "{}"])
def test_work_is_linear_in_the_text(piece: str, frame: str):
    """Counted in calls, not seconds: four times the text, at most five times the calls."""
    env = env_with(answer="triples" if frame[0] == "`" else "json")

    def calls(count: int) -> int:
        session, found = env.begin(0), 0

        def profile(_frame: Any, event: str, _arg: Any) -> None:
            nonlocal found
            found += event in ("call", "c_call")

        text = frame.format(piece * count)
        sys.setprofile(profile)
        try:
            session.turn(text)
        finally:
            sys.setprofile(None)
        return found

    calls(500)
    assert calls(2_000) <= 5 * calls(500) + 2_000


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.sampled_from(["goat.1", "hat", "hat.1", "eat", "", "is", "\ud800", "x" * 300]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("objects", "relationships", "id", "label", "attributes", "bbox"),
                    *("subject", "predicate", "object"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
ids = st.sampled_from(["goat.1", "goat.2", "hat.1", "hat", "kite.1", "9"])
things = st.fixed_dictionaries(
    {"id": ids | json_values},
    optional={"bbox": st.lists(st.integers(-3, 9), min_size=4, max_size=4) | json_values},
)
answers = st.fixed_dictionaries(
    {
        "objects": st.lists(things, max_size=4),
        "relationships": st.lists(st.builds(related, ids, ids, ids), max_size=4) | json_values,
    }
)


@settings(max_examples=50)
@given(answers | json_values)
def test_any_json_is_graded(value: Any):
    for source, index in (("factual", 0), ("vrd", 1)):
        env = env_with(source, reward="triple_f1 + object_f1 + relation_f1 + ged + format")
        episode = env.play(index, [block(json.dumps(value))])
        assert episode.status in STATUSES and episode.status not in ("error", "truncated")
        score = env.reward([episode])[0]
        assert score.status == "ok" and score.value is not None
        assert episode.success is not None and 0.0 <= episode.success <= 1.0
        if episode.status == "malformed":
            assert score.value == 0.0 == episode.success
        episode.digest()
        json.dumps(episode.record().to_json(), ensure_ascii=False).encode()


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
        names = [thing.label for thing in episode.task.target.scene.objects]  # type: ignore[union-attr]
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
    assert env.scene_source[0].target.scene.has_boxes  # type: ignore[union-attr]
    assert "recall@20" not in episode.metrics


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


# -- steps ----------------------------------------------------------------------------------------


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
    assert "add_object" in env.tools
    episode = env.play(1, [linked("goat.1", "wear", "hat.1"), added("goat"), SUBMIT])
    assert "Added goat.3." in episode.steps[1].observation  # given ids are not given twice
    assert episode.steps[0].facts["objects"] == 2
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


# -- players --------------------------------------------------------------------------------------

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
        assert truths[0] == 1.0 and truths[1] < 1.0  # type: ignore[operator]
        assert truths == sorted(truths, reverse=True)  # type: ignore[type-var]
        for part in scores[0].parts:
            values = [score.parts[part].value for score in scores]
            known = [value for value in values if value is not None]
            assert len(known) in (0, 6), part
            assert known == sorted(known, reverse=True) or "turn_cost" in part, (part, values)
        assert all(len(e.steps) <= env.max_turns for e in episodes)


@players
def test_validate_comes_out_in_order(source: str, kwargs: dict[str, Any]):
    env = env_with(source, **kwargs)
    result = validate(env, range(min(6, len(env.tasks))))
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
    assert not any("cello" in file.read_text(encoding="utf-8") for file in files)
    assert "cello" not in str(env_with("synthetic").scene_source.vocabulary)
