"""Made scenes: captions and their exact inverse, the rule of relations, splits, pictures."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv.envs.scenes.sources.synthetic.frames import FRAMES
from graphenv.envs.scenes.sources.synthetic.inverse import MAX_CAPTION, inverse
from graphenv.envs.scenes.sources.synthetic.questions import scene_questions
from graphenv.envs.scenes.sources.synthetic.relations import (
    DRAWN,
    OPPOSITE,
    PHRASES,
    SPATIAL,
    SYMMETRIC,
    fits,
    holds,
)
from graphenv.envs.scenes.sources.synthetic.source import SIZES, SyntheticScenes
from graphenv.envs.scenes.sources.synthetic.space import groups
from graphenv.envs.scenes.sources.synthetic.syntax import matches, parse
from graphenv.envs.scenes.sources.synthetic.vocabulary import (
    ATTRIBUTES,
    CATEGORY,
    LABELS,
    SETTINGS,
)
from graphenv.envs.scenes.sources.synthetic.wording import (
    Caption,
    reason_against,
    write_caption,
)
from graphenv.errors import ConfigError
from graphenv.scenes import Box, Scene, SceneObject, SceneRelation
from graphenv.seeding import rng
from graphenv.task import SPLITS

NAMES = (*SPATIAL, *DRAWN)
WORDS = sorted(
    {word for p in PHRASES for word in p.words.split()}
    | {word for frame in FRAMES for word in frame.pieces if word[0] != "{"}
    | {word for label in LABELS for word in label.split()}
    | CATEGORY.keys()
    | {"a", "an", "another", "the", "first", "second", "two", "and", "of"}
)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Scenes over the vocabulary, most of which no source would make; few labels, so that some
    have to be told apart."""
    pool = draw(st.lists(st.sampled_from(sorted(LABELS)), min_size=1, max_size=4))
    count = draw(st.integers(1, 8))
    attributes = st.lists(st.sampled_from(sorted(CATEGORY)), max_size=3, unique=True)
    objects = tuple(
        SceneObject(str(at), draw(st.sampled_from(pool)), tuple(draw(attributes)))
        for at in range(count)
    )
    relations: list[SceneRelation] = []
    if count > 1:
        places = st.lists(st.integers(0, count - 1), min_size=2, max_size=2, unique=True)
        for name in draw(st.lists(st.sampled_from(NAMES), max_size=7)):
            head, tail = draw(places)
            relations.append(SceneRelation(head, name, tail))
    return Scene(objects, tuple(dict.fromkeys(relations)))


def written(scene: Scene, seed: int, unseen: bool = False) -> Caption:
    stream = rng("wording", seed)
    return write_caption(scene, lambda n: int(stream.integers(n)), unseen=unseen)


def sentences(caption: str) -> list[list[str]]:
    text = caption.lower().removesuffix(".").replace(",", " ,")
    return [sentence.split() for sentence in text.split(". ")]


# -- words ------------------------------------------------------------------------------------


def test_the_vocabulary_is_as_large_as_promised() -> None:
    assert len(LABELS) >= 120
    assert len({label.group for label in LABELS.values()}) >= 10
    assert len(CATEGORY) >= 40
    assert len(NAMES) >= 20
    assert len(SPATIAL) > len(DRAWN)
    assert len({label.plural for label in LABELS.values()} | LABELS.keys()) == 2 * len(LABELS)
    assert len(CATEGORY) == sum(map(len, ATTRIBUTES.values()))  # no word in two categories
    assert sum(map(len, SETTINGS.values())) == len({x for s in SETTINGS.values() for x in s})
    for head, tail in DRAWN.values():  # classes that a relation names exist
        assert {*head, *tail} <= {label.group for label in LABELS.values()}


def test_every_template_has_five_wordings_and_some_that_are_held_out() -> None:
    for relation in NAMES:
        own = [phrase for phrase in PHRASES if phrase.relation == relation]
        assert sum(not p.unseen for p in own) >= 5 and any(p.unseen for p in own), relation
        assert not own[0].passive and not own[0].unseen
    for kind in ("intro", "attribute", "relation"):
        own_frames = [frame for frame in FRAMES if frame.kind == kind]
        assert sum(not f.unseen for f in own_frames) == 5
        assert sum(f.unseen for f in own_frames) == 2
    assert {phrase.relation for phrase in PHRASES} == set(NAMES)
    # What words mean is the same wherever they stand.
    assert len({phrase.words for phrase in PHRASES}) == len(PHRASES)
    openings = {phrase.words.split()[0] for phrase in PHRASES}
    assert not openings & (CATEGORY.keys() | {"a", "an", "the", "another", "and", "two"})


# -- captions and their inverse ---------------------------------------------------------------


@settings(max_examples=150)
@given(scenes(), st.integers(0, 10**9), st.booleans())
def test_inverse_reads_what_was_written(scene: Scene, seed: int, unseen: bool) -> None:
    text, told = written(scene, seed, unseen)
    assert inverse(text) == (told, "")
    assert told.graph.isomorphic_to(scene.graph)
    # Case and white space carry nothing.
    assert inverse(f"  {text.upper()}\n".replace(" ", "  ")) == (told, "")
    for sentence in sentences(text):
        assert len(matches(sentence)) == 1, sentence  # no sentence has two readings


@settings(max_examples=150)
@given(scenes(), st.integers(0, 10**9), st.data())
def test_a_changed_caption_is_refused_or_says_what_can_be_written(
    scene: Scene, seed: int, data: st.DataObject
) -> None:
    words = written(scene, seed).text.split()
    at = data.draw(st.integers(0, len(words) - 1))
    match data.draw(st.sampled_from(["drop", "put", "swap", "again", "cut"])):
        case "drop":
            del words[at]
        case "put":
            words.insert(at, data.draw(st.sampled_from(WORDS)))
        case "swap":
            words[at] = data.draw(st.sampled_from(WORDS)) + "." * words[at].endswith(".")
        case "again":
            words += words[at:]
        case "cut":
            del words[at:]
    found, reason = inverse(" ".join(words))
    assert (found is None) == bool(reason)
    if found is not None:
        assert not reason_against(found)
        text, told = written(found, seed)
        assert inverse(text) == (told, "")
        assert told.graph.isomorphic_to(found.graph)


@settings(max_examples=100)
@given(st.text(max_size=200) | st.lists(st.sampled_from([*WORDS, ".", ","])).map(" ".join))
def test_inverse_never_raises(text: str) -> None:
    found, reason = inverse(text)
    assert (found is None) == bool(reason)


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("", "the caption is empty"),
        ("A dog can be seen", "does not end with a full stop"),
        ("A dog can be seen..", "sentence 2 has no form"),
        ("A unicorn can be seen.", "sentence 1 has no form"),
        ("An dog can be seen.", "sentence 1 has no form"),
        ("A orange dog can be seen.", "sentence 1 has no form"),
        ("A dog, a cat can be seen.", "sentence 1 has no form"),
        ("A dog and a cat and a cow can be seen.", "sentence 1 has no form"),
        ("A red red dog can be seen.", "sentence 1 has no form"),
        ("Two dog can be seen.", "sentence 1 has no form"),
        ("The dog can be seen.", "sentence 1 has no form"),
        ("A dog is red.", "sentence 1 has no form"),
        ("The dog is red.", "'the dog' is nothing told so far"),
        ("Another dog can be seen.", "none was named before"),
        ("Two dogs can be seen. The dog is red.", "'the dog' is 2 of the objects told so far"),
        ("A dog can be seen. The first dog is red.", "1 of the label 'dog' are known"),
        ("Two dogs can be seen. The third dog is red.", "2 of the label 'dog' are known"),
        ("A red dog can be seen. The dog is red.", "told twice"),
        ("A red dog can be seen. The blue dog is small.", "is nothing told so far"),
        ("A dog is near a cat. The dog is beside the cat.", "told twice: dog near cat"),
        ("A man is holding a mug. The mug is held by the man.", "told twice: man hold mug"),
        ("A dog is near a cat. The dog is near the dog.", "itself"),
        ("A dog is near a cat and it.", "sentence 1 has no form"),
        ("A dog is near a cat and held by a man.", "sentence 1 has no form"),
        ("Seven dogs and seven dogs can be seen.", "more than 12 of the label"),
        ("A dog can be seen. " * 2_000, f"at most {MAX_CAPTION} are read"),
    ],
)
def test_captions_that_are_refused(caption: str, reason: str) -> None:
    found, why = inverse(caption)
    assert found is None
    assert reason in why


@pytest.mark.parametrize(
    "piece",
    ["A dog and ", "The dog is near ", "a, ", "Two dogs, ", "near near ", "and ", ". ", "red "],
)
def test_long_captions_take_bounded_time(piece: str) -> None:
    text = (piece * MAX_CAPTION)[: MAX_CAPTION - 1] + "."
    start = time.perf_counter()
    inverse(text)
    assert time.perf_counter() - start < 2  # some milliseconds on a quiet machine


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ([], "nothing to tell"),
        ([("unicorn",)], "no word for the object 'unicorn'"),
        ([("dog", "is", "angry")], "no word for the attribute 'angry'"),
        ([("dog", "hates", "cat")], "no word for the relation 'hates'"),
        ([("dog", "near", "dog")], "itself"),
    ],
)
def test_scenes_that_no_caption_tells(facts: list[tuple[str, ...]], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        written(Scene.from_triples(facts), 0)


# -- relations --------------------------------------------------------------------------------

_side = st.tuples(st.integers(0, 60), st.integers(1, 40)).map(lambda x: (x[0], x[0] + x[1]))
_boxes = st.tuples(_side, _side).map(
    lambda sides: (
        float(sides[0][0]), float(sides[1][0]), float(sides[0][1]), float(sides[1][1])
    )
)  # fmt: skip


@given(_boxes, _boxes)
def test_what_boxes_decide(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    assert len(a) == 4 and len(b) == 4
    found = {name for name in SPATIAL if holds(name, a, b, 100)}
    back = {name for name in SPATIAL if holds(name, b, a, 100)}
    for name in found:
        if name in SYMMETRIC:
            assert name in back
        else:
            assert OPPOSITE[name] in back and name not in back
    # Every two boxes share area or stand apart on an axis: there is always something to tell.
    sharing = {"inside", "around", "overlapping"}
    assert len(found & sharing) == (not found & {"left of", "right of", "above", "below"})
    assert not {"near", "far from"} <= found
    assert not (found & sharing and found & {"near", "far from"})


@pytest.mark.parametrize(
    ("relation", "a", "just", "not_quite"),
    [  # in a picture 160 pixels wide
        ("left of", (0, 0, 10, 10), (10, 90, 20, 99), (9, 90, 20, 99)),
        ("above", (0, 0, 10, 10), (90, 10, 99, 20), (90, 9, 99, 20)),
        ("inside", (2, 2, 8, 8), (2, 2, 8, 9), (2, 2, 8, 8)),
        ("overlapping", (0, 0, 10, 10), (9, 9, 20, 20), (10, 9, 20, 20)),
        ("near", (0, 0, 10, 10), (20, 20, 30, 30), (21, 20, 30, 30)),
        ("far from", (0, 0, 10, 10), (0, 90, 10, 99), (0, 89, 10, 99)),
        ("larger than", (0, 0, 10, 10), (0, 0, 10, 5), (0, 0, 10, 6)),
        ("taller than", (0, 0, 1, 9), (0, 0, 1, 6), (0, 0, 1, 7)),
        ("wider than", (0, 0, 9, 1), (0, 0, 6, 1), (0, 0, 7, 1)),
    ],
)
def test_where_relations_begin(relation: str, a: Box, just: Box, not_quite: Box) -> None:
    assert holds(relation, a, just, 160) and not holds(relation, a, not_quite, 160)
    if relation in OPPOSITE:
        assert holds(OPPOSITE[relation], just, a, 160)
        assert not holds(OPPOSITE[relation], not_quite, a, 160)


# -- the source -------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
def test_gold_is_exactly_what_the_caption_tells(split: str) -> None:
    source = SyntheticScenes(split=split, relations=4)
    told_ways = set()
    for index in range(0, 240, 2):
        task = source[index]
        scene = task.target.scene
        assert scene is not None and scene.has_boxes
        bare = tuple(SceneObject(o.id, o.label, o.attributes) for o in scene.objects)
        assert inverse(task.meta["caption"]) == (Scene(bare, scene.relations), "")
        assert task.messages == ({"role": "user", "content": task.meta["caption"]},)
        assert task.target.graph == scene.graph
        pairs = [frozenset((r.head, r.tail)) for r in scene.relations]
        assert len(set(pairs)) == len(pairs)
        for r in scene.relations:
            head, tail = scene.objects[r.head], scene.objects[r.tail]
            assert head.box is not None and tail.box is not None
            told_ways.add(r.relation)
            if r.relation in DRAWN:
                assert fits(r.relation, head.label, tail.label)
            else:
                assert holds(r.relation, head.box, tail.box, 384)
        for thing in scene.objects:
            assert thing.box is not None and all(x.is_integer() for x in thing.box)
            left, top, right, bottom = thing.box
            assert 0 <= left < right <= 384 and 0 <= top < bottom <= 288
            kinds = [CATEGORY[a] for a in thing.attributes]
            assert len(set(kinds)) == len(kinds)
            assert set(kinds) <= set(LABELS[thing.label].aspects)
    assert len(told_ways) >= 20


def test_all_tasks_are_distinct_and_splits_share_no_twin() -> None:
    """Bags of labelled, attributed objects are what isomorphic scenes have in common."""
    seen: set[tuple[tuple[str, tuple[str, ...]], ...]] = set()
    for split, size in SIZES.items():
        source = SyntheticScenes(split=split)
        assert len(source) == size
        seen.update(tuple(sorted(source.kinds(index))) for index in range(size))
        for index in (0, 1, size - 1):
            task = source[index].target.scene
            assert task is not None
            bag = sorted((o.label, tuple(sorted(o.attributes))) for o in task.objects)
            assert bag == sorted((n, tuple(sorted(w))) for n, w in source.kinds(index))
    assert len(seen) == sum(SIZES.values()) == 60_000


def test_a_group_numbers_its_scenes_once_and_splits_cut_them() -> None:
    group = groups(2, 0, 0)[0]
    found = [tuple(sorted(group.kinds(rank))) for rank in range(group.size)]
    assert len(set(found)) == group.size == 66
    regions = [group.region(split) for split in SPLITS]
    assert regions == [(0, 55), (55, 5), (60, 6)]


def test_held_out_wordings_stay_held_out() -> None:
    # Where several relations share a subject, held-out words that are all passive do not do.
    passive = {r for r in NAMES if all(p.passive for p in PHRASES if p.relation == r and p.unseen)}
    assert passive == {"push"}

    def used(source: SyntheticScenes, index: int) -> set[bool]:
        found = set()
        for words in sentences(source[index].meta["caption"]):
            sentence = parse(words)
            assert sentence is not None
            found.add(sentence.frame.unseen)
            found |= {p.unseen for p in sentence.phrases if p.relation not in passive}
        return found

    train, heldout = SyntheticScenes(split="train"), SyntheticScenes(split="heldout")
    unseen = SyntheticScenes(split="heldout", paraphrases="unseen")
    seen = SyntheticScenes(split="heldout", paraphrases="seen")
    ways = []
    for index in range(60):
        assert used(train, index) == {False} == used(seen, index)
        assert used(unseen, index) == {True}
        ways.append(heldout[index].meta["wording"])
        assert used(heldout, index) == {ways[-1] == "unseen"}
    assert 15 < ways.count("unseen") < 45
    with pytest.raises(ConfigError, match="held-out wordings"):
        SyntheticScenes(split="train", paraphrases="unseen")


def test_difficulty_is_what_was_asked_for() -> None:
    for count in (2, 8):
        source = SyntheticScenes(split="validation", objects=count, attributes=count, relations=2)
        for index in range(0, 40, 7):
            scene = source[index].target.scene
            assert scene is not None
            assert len(scene.objects) == count
            assert sum(len(o.attributes) for o in scene.objects) == count
            assert len(scene.relations) == min(2, count * (count - 1) // 2)
    small = SyntheticScenes(split="train", tasks=7, size=100, objects=[2, 2])
    assert len(small) == 7 == len(list(small))
    with pytest.raises(IndexError):
        small[7]
    given = SyntheticScenes(split="train", detected=True)
    assert given.detections(3) == given.scene(3).objects
    assert not any(o.attributes for o in given.detections(3)) and not given.has_attributes
    assert SyntheticScenes(split="train").detections(3) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"objects": 1}, {"objects": 9}, {"objects": []}, {"objects": "3"}, {"attributes": -1},
        {"relations": 1.5}, {"size": 10}, {"tasks": 0}, {"detected": 1}, {"paraphrases": "all"},
        {"seed": -1}, {"split": "test"},
    ],
)  # fmt: skip
def test_arguments_that_cannot_work(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        SyntheticScenes(**{"split": "train", **wrong})  # type: ignore[arg-type]


_DIGEST = """
import json
from graphenv.envs.scenes.sources.synthetic.source import SyntheticScenes
source = SyntheticScenes(split="heldout", seed=3)
print(json.dumps([source.fingerprint, [repr(source[i]) for i in range(20)]]))
"""


def test_tasks_are_the_same_in_every_process_and_pickled() -> None:
    source = SyntheticScenes(split="heldout", seed=3)
    run = subprocess.run(
        [sys.executable, "-c", _DIGEST],
        capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": "17"},
    )  # fmt: skip
    here = [source.fingerprint, [repr(source[i]) for i in range(20)]]
    assert json.loads(run.stdout) == here
    copy = pickle.loads(pickle.dumps(source))
    assert copy[5] == source[5] and copy.fingerprint == source.fingerprint
    assert SyntheticScenes(split="heldout", seed=4).fingerprint != source.fingerprint
    assert SyntheticScenes(split="heldout", seed=4)[5] != source[5]


# -- questions --------------------------------------------------------------------------------


def test_questions_follow_from_the_scene() -> None:
    source = SyntheticScenes(split="train", objects=[4, 6], attributes=6, relations=5)
    kinds: dict[str, int] = {}
    for index in range(60):
        scene = source.scene(index)
        asked = source.questions(index)
        assert len(asked) >= 4
        texts = [question.text for question in asked]
        assert len(set(texts)) == len(texts)  # else one question would have two answers
        labels = [thing.label for thing in scene.objects]
        for question in asked:
            facts = set(question.rationale.triples)
            nodes = [n.label for n in question.rationale.nodes if n.kind == "object"]
            assert facts <= set(scene.graph.triples)
            assert set(nodes) <= set(labels)
            first = question.text.split()[0]
            kinds[" ".join(question.answer) if first in ("Is", "Are") else first] = 1 + kinds.get(
                " ".join(question.answer) if first in ("Is", "Are") else first, 0
            )
            if first == "How" and "many" in question.text:
                assert question.answer == (str(len(nodes)),)
                assert labels.count(nodes[0]) == len(nodes) and not facts
            elif first in ("What", "In", "How"):
                assert facts
                ends = {name for h, _, t in facts for name in (h, t)}
                assert set(question.answer) <= ends
    assert kinds["yes"] < 3 * kinds["no"] < 9 * kinds["yes"]
    assert min(kinds[word] for word in ("What", "How")) > 30


def test_what_boxes_also_show_is_not_asked() -> None:
    boxes = ((0.0, 0.0, 10.0, 10.0), (20.0, 0.0, 30.0, 10.0), (40.0, 0.0, 50.0, 10.0))
    names = ("dog", "cat", "cow")
    things = tuple(
        SceneObject(f"{name}.1", name, (), box) for name, box in zip(names, boxes, strict=True)
    )
    scene = Scene(things, (SceneRelation(0, "left of", 1),))
    found = {q.text: q.answer for q in scene_questions(scene, 100)}
    assert found["What is left of the cat?"] == ("dog",)
    assert found["Is the cat left of the dog?"] == ("no",)
    assert "What is the dog left of?" not in found  # the cow too, which nobody told


# -- pictures ---------------------------------------------------------------------------------


def test_pictures_are_drawn_once_and_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pytest.importorskip("PIL.Image")
    source = SyntheticScenes(split="train", size=200)
    found = []
    for folder in ("one", "two"):
        monkeypatch.setenv("GRAPHENV_CACHE", str(tmp_path / folder))
        path = Path(source.image(4))
        assert path.is_relative_to(tmp_path / folder)
        stamp = path.stat().st_mtime_ns
        assert source.image(4) == str(path) and path.stat().st_mtime_ns == stamp
        found.append(path.read_bytes())
    assert found[0] == found[1] != Path(source.image(5)).read_bytes()
    with image.open(BytesIO(found[0])) as picture:
        assert picture.size == (200, 150) and picture.format == "PNG"


def test_a_picture_shows_boxes_and_colours() -> None:
    image = pytest.importorskip("PIL.Image")
    from graphenv.envs.scenes.sources.synthetic.picture import draw

    box = (20.0, 30.0, 120.0, 100.0)
    things = (
        SceneObject("crate.1", "crate", ("red",), box),
        SceneObject("man.1", "man", (), (150.0, 40.0, 180.0, 130.0)),
    )
    scene = Scene(things, (SceneRelation(1, "carry", 0),))
    with image.open(BytesIO(draw(scene, 200))) as picture:
        pixels = picture.convert("RGB")
    ground = pixels.getpixel((0, 0))
    assert pixels.getpixel((25, 35)) == (0xD6, 0x28, 0x28)
    assert pixels.getpixel((19, 35)) == ground == pixels.getpixel((25, 29))
    assert pixels.getpixel((20, 35)) == pixels.getpixel((119, 35)) == (0x11, 0x11, 0x11)
    assert pixels.getpixel((120, 32)) == ground
    assert draw(scene, 200) != draw(Scene(things), 200)  # the arrow
    with pytest.raises(ConfigError, match="needs a box"):
        draw(Scene((SceneObject("a", "dog"),)), 200)


def test_without_pillow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHENV_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ConfigError, match=r"graphenv\[vision\]"):
        SyntheticScenes(split="train").image(0)
