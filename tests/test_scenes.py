"""Scenes, their JSON form, and the documents of knowledge graph construction."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv.corpus import Corpus
from graphenv.errors import ConfigError
from graphenv.scenes import MAX_OBJECTS, Scene, SceneObject, SceneRelation, read_scene, scene_json
from graphenv.text import text_of

names = st.text("abcdefg hi", min_size=1, max_size=8).filter(lambda name: name.strip() == name)
objects = st.lists(
    st.tuples(names, st.lists(names, max_size=2, unique=True), st.booleans()), max_size=5
)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    made = tuple(
        SceneObject(f"{name}.{at}", name, tuple(attributes), (1.0, 2.0, 3.0, 4.5) if box else None)
        for at, (name, attributes, box) in enumerate(draw(objects))
    )
    if not made:
        return Scene()
    ends = st.integers(0, len(made) - 1)
    edges = draw(st.lists(st.tuples(ends, names, ends), max_size=4))
    return Scene(made, tuple(SceneRelation(*edge) for edge in edges))


@given(scenes())
def test_json_keeps_everything_but_ids(scene: Scene):
    read, reason = read_scene(scene_json(scene))
    assert read is not None, reason
    assert [(o.label, o.attributes, o.box) for o in read.objects] == [
        (o.label, o.attributes, o.box) for o in scene.objects
    ]
    assert read.relations == scene.relations and read.dangling == ()
    assert read.graph.isomorphic_to(scene.graph)


@given(scenes())
def test_facts_are_read_back_with_one_object_a_name(scene: Scene):
    again = Scene.from_triples(scene.facts)
    assert {tuple(fact) for fact in again.facts} == set(scene.facts)


GIVEN = (
    SceneObject("man.1", "man", ("tall",), (0.0, 0.0, 9.0, 9.0)),
    SceneObject("man.2", "man", (), (10.0, 0.0, 19.0, 9.0)),
    SceneObject("hat.1", "hat", (), (2.0, 0.0, 5.0, 3.0)),
)


@pytest.mark.parametrize(
    "text",
    [
        '{"relationships": [{"subject": "man.2", "predicate": "wears", "object": "hat.1"}]}',
        '{"objects": [{"id": "man.2"}], "relationships": '
        '[{"subject": "man.2", "predicate": "wears", "object": "hat.1"}]}',
        '[["man.2", "wears", "hat.1"]]',
    ],
)
def test_given_objects_are_named_without_listing_them(text: str):
    scene, reason = read_scene(text, GIVEN)
    assert scene is not None, reason
    assert scene.objects == (GIVEN[1], GIVEN[2])
    assert scene.facts == (("man", "wears", "hat"),) and not scene.dangling


def test_what_is_given_and_not_named_is_not_in_the_scene():
    scene, _ = read_scene("{}", GIVEN)
    assert scene is not None and scene.objects == ()
    scene, _ = read_scene('[["man.1"], ["man.2", "is", "small"]]', GIVEN)
    assert scene is not None
    # What a detection looks like is not stated by naming it.
    assert [(o.id, o.attributes) for o in scene.objects] == [("man.1", ()), ("man.2", ("small",))]
    assert read_scene("{}")[1] == '"objects" is not a list'


def test_a_given_object_may_be_written_otherwise():
    text = '{"objects": [{"id": "man.1", "bbox": [1, 1, 2, 2]}, {"id": "hat.1", "label": "cap"}]}'
    scene, _ = read_scene(text, GIVEN)
    assert scene is not None
    assert [(o.label, o.box) for o in scene.objects] == [
        ("man", (1.0, 1.0, 2.0, 2.0)),
        ("cap", (2.0, 0.0, 5.0, 3.0)),
    ]


def test_a_dangling_relation_costs_and_vetoes_nothing():
    text = {
        "objects": [{"id": "man.1"}, {"id": "hat.1"}],
        "relationships": [
            {"subject": "man.1", "predicate": "wears", "object": "hat.1"},
            {"subject": "man.1", "predicate": "rides", "object": "horse.1"},
        ],
    }
    scene, _ = read_scene(json.dumps(text))
    assert scene is not None
    assert scene.facts == (("man", "wears", "hat"),)
    assert scene.graph.num_edges == 2
    assert ("man", "rides", "horse") not in scene.graph.triples


THING = {"id": "a.1"}
REFUSED = {
    "": "not valid JSON",
    "3": "a JSON number",
    '{"objects": [], "extra": 1}': "unknown key 'extra'",
    '{"objects": {}}': "not a list",
    '{"objects": [{"id": 3}]}': "number where a string",
    '{"objects": [{"id": ""}]}': "empty string",
    '{"objects": [{"id": "a"}, {"id": "a"}]}': "two objects",
    '{"objects": [{"id": "a", "bbox": [NaN, 1, 2, 3]}]}': "NaN",
    '{"objects": [{"id": "a", "bbox": [3, 1, 2, 3]}]}': "left < right",
    '{"objects": [{"id": "a", "bbox": [1, 2, 3]}]}': "four numbers",
    '{"objects": [{"id": "a", "bbox": [1, 2, true, 3]}]}': "boolean",
    '{"objects": [{"id": "a", "bbox": [1, 2, 1e999, 3]}]}': "beyond",
    '{"objects": [{"id": "a", "attributes": "red"}]}': "list of strings",
    '{"objects": [], "relationships": [{"subject": "a"}]}': "exactly the keys",
    '[["a", "b"]]': "one or three",
    '[["a", "b", 3]]': "number where a string",
    "[" * 90_000: "deeper",
    json.dumps({"objects": [THING] * 100_000}): f"at most {MAX_OBJECTS}",
    json.dumps({"objects": [{"id": "x" * 1_000}]}): "1000 characters",
}


@pytest.mark.parametrize("text", REFUSED, ids=list(REFUSED.values()))
def test_what_is_no_scene_has_a_reason(text: str):
    scene, reason = read_scene(text)
    assert scene is None and REFUSED[text] in reason


@given(st.text())
def test_any_text_is_a_scene_or_a_reason(text: str):
    scene, reason = read_scene(text)
    assert (scene is None) == bool(reason)


def test_bad_scenes_of_a_user_are_errors():
    with pytest.raises(ConfigError, match="distinct"):
        Scene((SceneObject("a", "a"), SceneObject("a", "b")))
    with pytest.raises(ConfigError, match="outside"):
        Scene((SceneObject("a", "a"),), (SceneRelation(0, "on", 1),))
    with pytest.raises(ConfigError, match="one or three"):
        Scene.from_triples([("a", "b")])


def test_names_of_one_entity_are_one_node():
    corpus = Corpus((), aliases=(("New York City", "NYC", "New York"),))
    triples = [("NYC", "in", "USA"), ("new york", "in", "usa"), ("Bronx", "part of", "NYC")]
    graph = corpus.graph(triples)
    assert graph.triples == (("New York City", "in", "USA"), ("Bronx", "part of", "New York City"))
    assert [node.id for node in graph.nodes] == ["NYC", "USA", "Bronx"]


def test_the_text_of_parts():
    assert text_of("x") == "x" and text_of(None) == ""
    parts = [{"type": "text", "text": "What?"}, {"type": "image", "image": "a.png"}]
    assert text_of(parts) == "What?\n[image: a.png]"
