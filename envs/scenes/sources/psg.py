"""PSG (Yang et al., ECCV 2022): panoptic scene graphs of COCO images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphenv.envs.files import load_json, need
from graphenv.envs.scenes.sources.boxes import (
    BoxedScenes,
    Picture,
    broken,
    index_in,
    pixel_box,
    size_of,
)
from graphenv.scenes import Box
from graphenv.task import carve_split

__all__ = ["PSGScenes"]

LAYOUT = "psg.json, or another file by file="
_CLASSES = ("thing_classes", "stuff_classes", "predicate_classes")


class PSGScenes(BoxedScenes):
    """PSG by folder.

    Read is `psg.json`: `thing_classes`, `stuff_classes`, `predicate_classes` (names; a category is
    an index into things, then stuff), `test_image_ids`, and `data` with an entry an image:
    `image_id`, `file_name`, `width`, `height`, `annotations` (`bbox`, `bbox_mode` 0 for [left, top,
    right, bottom] or 1 for [left, top, width, height], `category_id`) and `relations` ([subject,
    object, predicate] by index). Masks are not read: `segments_info` must be as many as boxes.

    Parameters
    ----------
    root
        The folder.
    file
        The name of the file.
    detected, image_root
        See `BoxedScenes`; `image_root` is the folder that `file_name` starts from.
    split
        `heldout` is `test_image_ids`; the rest is carved by image.

    Raises
    ------
    DataError
        If the file is missing or an entry is not in this layout.
    """

    name = "psg"

    def __init__(
        self,
        *,
        split: str,
        root: str,
        file: str = "psg.json",
        detected: bool = True,
        image_root: str | None = None,
    ) -> None:
        super().__init__(split, detected=detected, image_root=image_root)
        path = need(Path(root) / file, asked=f"psg in {root}", layout=LAYOUT)
        data = load_json(path, dict, "an object with data and classes")
        names = [data.get(key) for key in _CLASSES]
        if not all(isinstance(n, list) and all(isinstance(x, str) for x in n) for n in names):
            raise broken(path, "classes", {key: data.get(key) for key in _CLASSES})
        tests, entries = data.get("test_image_ids"), data.get("data")
        if not isinstance(tests, list) or not isinstance(entries, list):
            raise broken(path, "test_image_ids and data", sorted(data))
        self._tests = {str(image) for image in tests}
        self._predicates = tuple(names[2])
        self.note = "heldout is test_image_ids; the rest is carved by image."
        self._take(_pictures(path, entries, names[0] + names[1], names[2]), self._split_of)

    def _split_of(self, picture: Picture) -> str:
        if picture.id in self._tests:
            return "heldout"
        return carve_split("psg", picture.id, heldout=0)


def _pictures(
    path: Path, entries: list[Any], labels: list[str], predicates: list[str]
) -> Iterator[Picture]:
    for number, entry in enumerate(entries):
        try:
            picture = Picture(str(entry["image_id"]), entry["file_name"], size_of(entry))
            things = entry["annotations"]
            if len(entry.get("segments_info", things)) != len(things):
                raise ValueError("as many segments as boxes are expected")
            for at, thing in enumerate(things):
                picture.add_object(at, labels[index_in(thing["category_id"], labels)], _box(thing))
            for head, tail, predicate in entry["relations"]:
                ends = index_in(head, things), index_in(tail, things)
                name = predicates[index_in(predicate, predicates)]
                picture.add_relation(ends[0], name, ends[1])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise broken(path, f"entry {number} ({error})", entry) from error
        yield picture


def _box(thing: dict[str, Any]) -> Box:
    left, top, right, bottom = thing["bbox"]
    if thing.get("bbox_mode", 0) == 1:
        right, bottom = left + right, top + bottom
    box = pixel_box(left, top, right, bottom)
    if box is None:
        raise ValueError(f"the bbox {thing['bbox']} is inverted")
    return box
