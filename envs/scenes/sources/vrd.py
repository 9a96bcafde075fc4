"""VRD (Lu et al., ECCV 2016): visual relationships between objects with boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphenv.envs.files import load_json, need
from graphenv.envs.scenes.sources.boxes import BoxedScenes, Picture, broken, index_in, pixel_box
from graphenv.errors import DataError
from graphenv.task import carve_split

__all__ = ["VRDScenes"]

LAYOUT = "annotations_train.json, annotations_test.json, objects.json, predicates.json"


class VRDScenes(BoxedScenes):
    """VRD by folder.

    Read are `objects.json` and `predicates.json` (lists of names) and the annotations: image file
    -> list of `{"predicate": p, "subject": {"category": c, "bbox": [top, bottom, left, right]},
    "object": {...}}`. Objects with one category and one box are one object. Images without a
    relationship are left out.

    Parameters
    ----------
    root
        The folder.
    detected, image_root
        See `BoxedScenes`.
    split
        `heldout` is annotations_test.json; `train` and `validation` are annotations_train.json,
        carved by image.

    Raises
    ------
    DataError
        If a file is missing or an entry is not in this layout.
    """

    name = "vrd"

    def __init__(
        self, *, split: str, root: str, detected: bool = True, image_root: str | None = None
    ) -> None:
        super().__init__(split, detected=detected, image_root=image_root)
        folder, asked = Path(root), f"vrd in {root}"
        part = "test" if split == "heldout" else "train"
        path = need(folder / f"annotations_{part}.json", asked=asked, layout=LAYOUT)
        labels = _names(need(folder / "objects.json", asked=asked, layout=LAYOUT))
        predicates = _names(need(folder / "predicates.json", asked=asked, layout=LAYOUT))
        self._predicates = tuple(predicates)
        self.note = "heldout is annotations_test.json; the rest is carved by image."
        self._take(_pictures(path, labels, predicates), self._split_of)

    def _split_of(self, picture: Picture) -> str:
        return "heldout" if self.split == "heldout" else carve_split("vrd", picture.id, heldout=0)


def _names(path: Path) -> list[str]:
    names = load_json(path, list, "a list of names")
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise DataError(f"{path} must be a list of names")
    return [name.strip() for name in names]


def _pictures(path: Path, labels: list[str], predicates: list[str]) -> Iterator[Picture]:
    for file, entries in load_json(path, dict, "image file -> relationships").items():
        picture = Picture(file, file)
        try:
            for entry in entries:
                ends = [_end(picture, entry[side], labels) for side in ("subject", "object")]
                picture.add_relation(
                    ends[0], predicates[index_in(entry["predicate"], predicates)], ends[1]
                )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise broken(path, file, entries) from error
        yield picture


def _end(picture: Picture, entry: Any, labels: list[str]) -> tuple[int, tuple[float, ...]]:
    top, bottom, left, right = entry["bbox"]
    box = pixel_box(left, top, right, bottom)
    if box is None:
        raise ValueError(f"the bbox {entry['bbox']} is not [top, bottom, left, right]")
    key = (index_in(entry["category"], labels), box)
    picture.add_object(key, labels[key[0]], box)
    return key
