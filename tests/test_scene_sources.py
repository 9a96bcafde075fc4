"""Sources of scenes: layouts, splits, what is left out, what users get wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import scene_layouts as layouts

from graphenv.agents.families.scenes import scene_answer
from graphenv.envs.scenes.reading import find_scene
from graphenv.envs.scenes.sources import SOURCES, make_source
from graphenv.errors import ConfigError, DataError, UnknownNameError
from graphenv.scenes import read_scene
from graphenv.scenes.truths import scene_truth
from graphenv.task import SPLITS
from graphenv.text import normalize, parse_turn

LAYOUTS: dict[str, Callable[..., str]] = {
    "factual": layouts.factual,
    "vrd": layouts.vrd,
    "visual_genome": layouts.visual_genome,
    "psg": layouts.psg,
}
BOXED = ("vrd", "visual_genome", "psg")

every = pytest.mark.parametrize("name", LAYOUTS)


def source(name: str, folder: Path, split: str = "heldout", **arguments: Any) -> Any:
    root = str(folder) if folder.is_dir() and any(folder.iterdir()) else LAYOUTS[name](folder)
    return make_source(name, split, {"root": root, **arguments})


def test_every_published_source_is_tested_here():
    assert set(LAYOUTS) == set(SOURCES) - {"synthetic"}


# -- what every one of them must do ----------------------------------------------------------------


@every
def test_tasks_are_the_same_whenever_they_are_read(name: str, tmp_path: Path):
    for split in SPLITS:
        first, again = source(name, tmp_path, split), source(name, tmp_path, split)
        assert first.fingerprint == again.fingerprint
        assert list(first) == list(again) and len(first) == len(list(first))
        assert [task.index for task in first] == list(range(len(first)))
        assert first[-1] == first[len(first) - 1]
        assert len({task.id for task in first}) == len(first)


@every
def test_splits_are_disjoint_and_differ(name: str, tmp_path: Path):
    made = {split: source(name, tmp_path, split) for split in SPLITS}
    ids = [task.id for one in made.values() for task in one]
    assert len(set(ids)) == len(ids)
    assert len({one.fingerprint for one in made.values()}) == 3
    assert len(made["train"]) > len(made["validation"]) > 0
    assert all(one.note for one in made.values())


@every
def test_gold_is_read_back_as_it_is(name: str, tmp_path: Path):
    for task in source(name, tmp_path):
        gold = task.target.scene
        assert gold.graph == task.target.graph
        text, reason = find_scene(parse_turn(scene_answer(gold, "json", boxes=True)))
        assert text is not None, reason
        scene, reason = read_scene(text)
        assert scene_truth(scene, gold)[0] == 1.0, reason
        assert task.meta["caption"] == task.messages[0]["content"]
        json.dumps(task.meta)


@every
def test_another_file_is_another_fingerprint(name: str, tmp_path: Path):
    before = source(name, tmp_path / "a").fingerprint
    root = LAYOUTS[name](tmp_path / "b")
    for file in Path(root).glob("*.json*"):
        file.write_text(file.read_text().replace("goat", "sheep"))
    assert make_source(name, "heldout", {"root": root}).fingerprint != before


@every
def test_a_missing_file_is_named(name: str, tmp_path: Path):
    with pytest.raises(DataError, match=r"is missing.*Expected layout"):
        make_source(name, "train", {"root": str(tmp_path / "nowhere")})
    root = Path(LAYOUTS[name](tmp_path / "some"))
    gone = {"factual": "train.jsonl", "vrd": "predicates.json", "psg": "psg.json"}
    (root / gone.get(name, "attributes.json")).unlink()
    with pytest.raises(DataError, match=r"is missing; .* holds"):
        make_source(name, "train", {"root": str(root)})


@every
@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[1, 2]", '"x"', "null", "\xff"])
def test_a_broken_file_is_one_clear_error(name: str, text: str, tmp_path: Path):
    root = Path(LAYOUTS[name](tmp_path))
    for file in root.glob("*.json*"):
        file.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=str(root)):
        make_source(name, "heldout", {"root": str(root)})


def test_an_unknown_source_or_argument_offers_the_nearest(tmp_path: Path):
    with pytest.raises(UnknownNameError, match="Did you mean 'factual'"):
        make_source("factuel", "train", {})
    with pytest.raises(ConfigError, match=r"'detectd'.*Did you mean 'detected'"):
        source("vrd", tmp_path, detectd=True)
    with pytest.raises(ConfigError, match="needs root="):
        make_source("psg", "train", {})
    with pytest.raises(ConfigError, match="train, validation, heldout"):
        source("vrd", tmp_path, "test")


# -- FACTUAL --------------------------------------------------------------------------------------


def test_factual_leaves_out_of_training_what_the_held_out_file_has(tmp_path: Path):
    made = {split: source("factual", tmp_path, split) for split in SPLITS}
    assert len(made["heldout"]) == 3
    kept = [*made["train"], *made["validation"]]
    assert len(kept) == layouts.PICTURES
    counted = made["train"].left_out + made["validation"].left_out
    assert counted == {"image also in dev.jsonl": 1, "caption also in dev.jsonl": 1}
    captions = {normalize(task.meta["caption"]) for task in made["heldout"]}
    assert not captions & {normalize(task.meta["caption"]) for task in kept}


def test_factual_facts(tmp_path: Path):
    first, second, third = source("factual", tmp_path)
    assert first.target.scene.facts == (("goat", "on", "roof"),)
    assert second.target.scene.facts == (("gate", "is", "old"),)
    assert third.target.scene.facts == (("kite",),)
    assert first.prompt == "a goat on a roof" and first.id == "factual/dev/1"


def test_a_caption_of_two_images_is_in_one_split(tmp_path: Path):
    rows = [layouts.caption_row(f"t{i}", "a goat", ["goat"]) for i in range(layouts.PICTURES)]
    root = layouts.factual(tmp_path, train__jsonl=rows)
    assert len(make_source("factual", "validation", {"root": root})) > 0
    with pytest.raises(DataError, match="caption also in validation"):
        make_source("factual", "train", {"root": root})


@pytest.mark.parametrize(
    "triples", [[], [["a", "b"]], [["a", 3, "b"]], [["a", "", "b"]], "a", None, [["a"], "b"]]
)
def test_a_row_without_facts_is_an_error_with_its_line(triples: Any, tmp_path: Path):
    good = layouts.caption_row("1", "x", ["x"])
    root = layouts.factual(tmp_path, dev__jsonl=[good, {**good, "triples": triples}])
    with pytest.raises(DataError, match=r"dev\.jsonl, line 2: 'triples'"):
        make_source("factual", "heldout", {"root": root})


# -- annotated images -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOXED)
def test_detected_objects_are_shown_and_relations_asked(name: str, tmp_path: Path):
    made = source(name, tmp_path)
    assert made.has_boxes and not made.has_attributes and not made.has_images
    for task in made:
        shown = made.detections(task.index)
        assert len({thing.id for thing in shown}) == len(shown)
        assert all(thing.box is not None and not thing.attributes for thing in shown)
        gold = task.target.scene
        assert set(gold.objects) <= set(shown)
        named = {gold.objects[end] for r in gold.relations for end in (r.head, r.tail)}
        assert named == set(gold.objects), (
            "gold holds what relations name, so silence earns nothing"
        )
        # All that is said is said by ids.
        text, _ = find_scene(parse_turn(scene_answer(gold, "json", shown)))
        assert text is not None and '"objects"' not in text
        scene, reason = read_scene(text, shown)
        assert scene is not None, reason
        assert scene_truth(scene, gold)[1]["recall@20"] == 1.0


@pytest.mark.parametrize("name", BOXED)
def test_objects_that_are_neither_shown_nor_seen(name: str, tmp_path: Path):
    with pytest.raises(ConfigError, match="image_root="):
        source(name, tmp_path, detected=False)
    with pytest.raises(ConfigError, match="must be true or false"):
        source(name, tmp_path, detected="no")
    made = source(name, tmp_path, detected=False, image_root=str(tmp_path))
    assert made.detections(0) == () and made.has_images and made.has_attributes
    assert made.fingerprint != source(name, tmp_path).fingerprint


@pytest.mark.parametrize("name", BOXED)
def test_images_are_files_of_image_root(name: str, tmp_path: Path):
    images = tmp_path / "images"
    made = source(name, tmp_path / "data", image_root=str(images))
    with pytest.raises(DataError, match="is not in"):
        made.image(0)
    key = made[0].meta["image_id"]
    file = {"vrd": key, "visual_genome": f"VG_100K_2/{key}.jpg", "psg": f"val/{key}.jpg"}[name]
    (images / file).parent.mkdir(parents=True)
    (images / file).write_bytes(b"")
    assert made.image(0) == str(images / file)
    assert source(name, tmp_path / "data").image(0) is None


def test_vrd_layout(tmp_path: Path):
    made = source("vrd", tmp_path)
    assert len(made) == 2 and made.left_out == {"nothing annotated": 1}
    scene = made[1].target.scene
    assert [(o.id, o.box) for o in scene.objects] == [
        ("goat.1", (5, 10, 80, 60)),
        ("hat.1", (20, 2, 40, 12)),
        ("goat.2", (100, 10, 180, 60)),
    ]
    assert scene.facts == (("goat", "wear", "hat"), ("goat", "next to", "goat"))
    assert made.relation_names[:2] == ("wear", "next to") and len(made.relation_names) == 20


def test_visual_genome_layout(tmp_path: Path):
    made = source("visual_genome", tmp_path)
    task = made[0]
    assert (task.meta["width"], task.meta["height"]) == (200, 100)
    # The same relation in capitals is one; one without a name is none.
    assert task.target.scene.facts == (("goat", "wearing", "hat"), ("goat", "pulls", "rope"))
    assert made.left_out["a relationship without a predicate"] == len(made)
    assert [thing.id for thing in made.detections(0)] == ["goat.1", "hat.1", "tree.1", "rope.1"]
    assert made.detections(0)[0].box == (0, 2, 20, 32)
    seen = source("visual_genome", tmp_path, detected=False, image_root=str(tmp_path))
    assert set(seen[0].target.scene.facts) == {
        *(("hat", "is", "red"), ("hat", "is", "round"), ("tree",)),
        *task.target.scene.facts,
    }


def test_psg_layout(tmp_path: Path):
    made = source("psg", tmp_path)
    assert [task.meta["image_id"] for task in made] == ["3", "5"]
    scene = made[0].target.scene
    assert [(o.id, o.box) for o in scene.objects] == [
        ("goat.1", (0, 0, 50, 60)),
        ("goat.2", (60, 0, 110, 60)),
        ("grass.1", (0, 60, 200, 100)),
    ]
    assert scene.facts == (("goat", "beside", "goat"), ("goat", "standing on", "grass"))


@pytest.mark.parametrize(
    ("name", "file", "change"),
    [
        ("vrd", "annotations_test", {"a.jpg": [{"predicate": 9}]}),
        ("vrd", "annotations_test", {"a.jpg": [3]}),
        ("vrd", "annotations_test", {"a.jpg": [{"predicate": -1, "subject": {}, "object": {}}]}),
        ("vrd", "objects", [""]),
        ("vrd", "objects", {"goat": 1}),
        ("visual_genome", "objects", [{"objects": []}]),
        ("visual_genome", "objects", [{"image_id": i, "objects": [{}]} for i in range(40)]),
        ("visual_genome", "relationships", [{"image_id": i} for i in range(1, 40)]),
        ("psg", "psg", {"data": []}),
        ("psg", "psg", {"thing_classes": ["x"], "stuff_classes": [], "data": [{}]}),
    ],
)
def test_an_entry_in_another_layout_is_named(name: str, file: str, change: Any, tmp_path: Path):
    root = LAYOUTS[name](tmp_path, **{file: change})
    with pytest.raises(DataError, match=rf"{file}\.json"):
        make_source(name, "heldout", {"root": root})


@pytest.mark.parametrize(
    "bbox", [[60, 10, 5, 80], [10, 60, 80, 5], [10, 60, 5], None, ["a", 1, 2, 3], [1, 2, 3, 1e99]]
)
def test_a_box_that_is_none_is_an_error(bbox: Any, tmp_path: Path):
    goat = {"category": 0, "bbox": bbox}
    rows = [{"predicate": 0, "subject": goat, "object": goat}]
    root = layouts.vrd(tmp_path, annotations_test={"a.jpg": rows})
    with pytest.raises(DataError, match=r"annotations_test\.json, a\.jpg"):
        make_source("vrd", "heldout", {"root": root})


def test_a_box_of_no_size_is_a_pixel(tmp_path: Path):
    goat = {"category": 0, "bbox": [10, 10, 5, 5]}
    rows = [{"predicate": 0, "subject": goat, "object": goat}]
    root = layouts.vrd(tmp_path, annotations_test={"a.jpg": rows})
    made = make_source("vrd", "heldout", {"root": root})
    assert made.detections(0)[0].box == (5, 10, 6, 11)


def test_pictures_that_no_answer_can_tell_are_left_out(tmp_path: Path):
    hat = {"category": 1, "bbox": [2, 12, 20, 40]}
    many = [
        {
            "predicate": 0,
            "subject": {"category": 0, "bbox": [i, i + 9, 0, 9]},
            "object": hat,
        }
        for i in range(1_001)
    ]
    named = [{"predicate": 0, "subject": {"category": 0, "bbox": [1, 2, 3, 4]}, "object": hat}]
    root = layouts.vrd(
        tmp_path,
        objects=["x" * 300, "hat", "goat"],
        annotations_test={
            "many.jpg": many,
            "named.jpg": named,
            "good.jpg": [{"predicate": 0, "subject": hat, "object": hat}],
        },
    )
    made = make_source("vrd", "heldout", {"root": root})
    assert len(made) == 1
    assert made.left_out == {
        "larger than an answer may be": 1,
        "a label that is empty or too long": 1,
    }


@pytest.mark.data
def test_factual_as_published(graphenv_data: Path):
    root = str(graphenv_data / "scene_graph" / "factual")
    heldout = make_source("factual", "heldout", {"root": root})
    train = make_source("factual", "train", {"root": root})
    assert (len(heldout), len(train)) == (1000, 33838)
    assert train.left_out == {"image also in dev.jsonl": 281}
    images = {task.meta["image_id"] for task in heldout}
    assert not any(row.image in images for row in train._rows)  # type: ignore[attr-defined]
