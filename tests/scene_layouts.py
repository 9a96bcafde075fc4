"""Small files in the official layouts of published scene graphs, with words of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["factual", "psg", "visual_genome", "vrd", "write"]

PICTURES = 40


def write(folder: Path, **files: Any) -> str:
    """Write `name=value` as `name.json`, and lists of rows under `name__jsonl` as `name.jsonl`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        stem, _, kind = name.partition("__")
        if kind == "jsonl":
            text = "".join(json.dumps(row) + "\n" for row in value)
            (folder / f"{stem}.jsonl").write_text(text, encoding="utf-8")
        else:
            (folder / f"{stem}.json").write_text(json.dumps(value), encoding="utf-8")
    return str(folder)


def caption_row(image: str, caption: str, *triples: list[str]) -> dict[str, Any]:
    return {"image_id": image, "region_id": "1", "caption": caption, "triples": list(triples)}


def factual(folder: Path, **files: Any) -> str:
    dev = [
        caption_row("d1", "a goat on a roof", ["goat", "on", "roof"]),
        caption_row("d2", "An old gate", ["gate", "is", "old"]),
        caption_row("d3", "a kite", ["kite"]),
    ]
    train = [
        caption_row(
            f"t{i}", f"goat {i} eats a red hat", ["goat", "eat", "hat"], ["hat", "is", "red"]
        )
        for i in range(PICTURES)
    ]
    train += [
        caption_row("d1", "a goat that waits", ["goat", "is", "waiting"]),
        caption_row("t99", "an  old gate", ["gate", "is", "old"]),
    ]
    return write(folder, **{"dev__jsonl": dev, "train__jsonl": train, **files})


def vrd(folder: Path, **files: Any) -> str:
    goat = {"category": 0, "bbox": [10, 60, 5, 80]}  # top, bottom, left, right
    other = {"category": 0, "bbox": [10, 60, 100, 180]}
    hat = {"category": 1, "bbox": [2, 12, 20, 40]}
    rows = [
        {"predicate": 0, "subject": goat, "object": hat},
        {"predicate": 0, "subject": goat, "object": hat},
        {"predicate": 1, "subject": other, "object": goat},
    ]
    train = {f"{i}.jpg": rows for i in range(PICTURES)}
    found = {
        "objects": ["goat", "hat"],
        "predicates": ["wear", "next to", *(f"do {i} to" for i in range(18))],
        "annotations_train": train,
        "annotations_test": {"a.jpg": rows[:1], "b.jpg": rows, "empty.jpg": []},
    }
    return write(folder, **{**found, **files})


def _thing(key: int, name: str, x: int, **more: Any) -> dict[str, Any]:
    return {"object_id": key, "names": [name], "x": x, "y": 2, "w": 20, "h": 30, **more}


def visual_genome(folder: Path, **files: Any) -> str:
    objects, relationships, attributes, sizes = [], [], [], []
    for image in range(1, PICTURES + 1):
        goat, hat, tree = (
            _thing(10 * image, "goat", 0),
            _thing(10 * image + 1, "hat", 5),
            _thing(10 * image + 2, "tree", 90),
        )
        # An object that only relationships know, under `name` as they have it.
        rope = {"object_id": 10 * image + 3, "name": "rope", "x": 1, "y": 1, "w": 2, "h": 9}
        objects.append({"image_id": image, "objects": [goat, hat, tree]})
        relationships.append(
            {
                "image_id": image,
                "relationships": [
                    {"relationship_id": 1, "predicate": "WEARING", "subject": goat, "object": hat},
                    {"relationship_id": 2, "predicate": "wearing", "subject": goat, "object": hat},
                    {"relationship_id": 3, "predicate": "pulls", "subject": goat, "object": rope},
                    {"relationship_id": 4, "predicate": "", "subject": goat, "object": hat},
                ],
            }
        )
        described = {**hat, "attributes": ["Red", "red", "round"]}
        attributes.append({"image_id": image, "attributes": [described, goat]})
        sizes.append({"image_id": image, "width": 200, "height": 100})
    found = {
        "objects": objects,
        "relationships": relationships,
        "attributes": attributes,
        "image_data": sizes,
    }
    return write(folder, **{**found, **files})


def psg(folder: Path, **files: Any) -> str:
    data = []
    for image in range(PICTURES):
        things = [
            {"bbox": [0, 0, 50, 60], "bbox_mode": 0, "category_id": 0},
            {"bbox": [60, 0, 50, 60], "bbox_mode": 1, "category_id": 0},
            {"bbox": [0, 60, 200, 100], "bbox_mode": 0, "category_id": 1},
        ]
        data.append(
            {
                "image_id": f"{image}",
                "file_name": f"val/{image}.jpg",
                "width": 200,
                "height": 100,
                "annotations": things,
                "segments_info": [{"id": at} for at in range(3)],
                "relations": [[0, 1, 1], [1, 2, 0], [0, 1, 1]],
            }
        )
    found = {
        "psg": {
            "thing_classes": ["goat"],
            "stuff_classes": ["grass"],
            "predicate_classes": ["standing on", "beside"],
            "test_image_ids": ["3", "5"],
            "data": data,
        }
    }
    return write(folder, **{**found, **files})
