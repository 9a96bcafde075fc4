"""Visual Genome (Krishna et al., IJCV 2017): objects, attributes and relationships of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphenv.envs.files import load_json, need
from graphenv.envs.scenes.sources.boxes import (
    BoxedScenes,
    Picture,
    broken,
    pixel_box,
    size_of,
)
from graphenv.task import carve_split
from graphenv.text import normalize

__all__ = ["VisualGenomeScenes"]

LAYOUT = "objects.json, relationships.json, attributes.json (v1.4); image_data.json is optional"
_IMAGE_FOLDERS = ("", "VG_100K/", "VG_100K_2/")


class VisualGenomeScenes(BoxedScenes):
    """Visual Genome v1.4 by folder.

    Read are lists with an entry an image: `objects.json` (`image_id`, `objects`: `object_id`,
    `names`, `x`, `y`, `w`, `h`), `relationships.json` (`relationships`: `predicate`, `subject`,
    `object`, each an object with `name` or `names`), `attributes.json` (`attributes`: `object_id`,
    `attributes`) and, if it is there, `image_data.json` (`image_id`, `width`, `height`). The first
    of several names counts. Predicates and attributes are put in lower case, in which some are
    written already. Relationships without a predicate are left out, and so is an image with an
    object without a name or with a broken box.

    Parameters
    ----------
    root
        The folder.
    detected, image_root
        See `BoxedScenes`. Images are looked for in `image_root` and in its folders `VG_100K` and
        `VG_100K_2`, as `<image_id>.jpg`.
    split
        Carved by image: there is no official split in these files, so figures are not comparable
        with those on VG150.

    Raises
    ------
    DataError
        If a file is missing or an entry is not in this layout.
    """

    name = "visual_genome"

    def __init__(
        self, *, split: str, root: str, detected: bool = True, image_root: str | None = None
    ) -> None:
        super().__init__(split, detected=detected, image_root=image_root)
        folder, asked = Path(root), f"visual_genome in {root}"
        files = {
            name: need(folder / f"{name}.json", asked=asked, layout=LAYOUT)
            for name in ("objects", "relationships", "attributes")
        }
        sizes = folder / "image_data.json"
        self.note = "carved by image."
        self._take(self._read(files, sizes if sizes.is_file() else None), self._split_of)

    def _split_of(self, picture: Picture) -> str:
        return carve_split("visual_genome", picture.id)

    def _files(self, picture: Picture) -> tuple[str, ...]:
        return tuple(f"{folder}{picture.file}" for folder in _IMAGE_FOLDERS)

    def _read(self, files: Mapping[str, Path], sizes: Path | None) -> Iterator[Picture]:
        """Yield the pictures of the split; the files are large, so of no other."""
        known = {key: size_of(entry) for key, entry in _entries(sizes)} if sizes else {}
        pictures: dict[str, Picture] = {}
        for key, entry in _entries(files["objects"]):
            picture = Picture(key, f"{key}.jpg", known.get(key))
            if self._split_of(picture) != self.split or key in pictures:
                continue
            pictures[key] = picture
            with _Layout(files["objects"], key):
                for thing in entry["objects"]:
                    _add(picture, thing)
        for key, entry in _entries(files["relationships"]):
            if key in pictures:
                with _Layout(files["relationships"], key):
                    for relation in entry["relationships"]:
                        head, tail = (
                            _add(pictures[key], relation[s]) for s in ("subject", "object")
                        )
                        predicate = normalize(relation["predicate"])
                        if predicate:
                            pictures[key].add_relation(head, predicate, tail)
                        else:
                            self.left_out["a relationship without a predicate"] += 1
        for key, entry in _entries(files["attributes"]):
            if key in pictures:
                with _Layout(files["attributes"], key):
                    for thing in entry["attributes"]:
                        _describe(pictures[key], thing)
        for picture in pictures.values():
            if all(thing.box is not None for thing in picture.objects.values()):
                yield picture
            else:
                self.left_out["a broken box"] += 1


class _Layout:
    """Turns what a wrong layout raises into one error that names file and image."""

    def __init__(self, path: Path, image: str) -> None:
        self.path, self.image = path, image

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, KeyError | TypeError | AttributeError | IndexError):
            raise broken(self.path, f"image {self.image}", str(error)) from error


def _entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (image id, entry) of a list with an entry an image."""
    for number, entry in enumerate(load_json(path, list, "a list with an entry an image")):
        if not isinstance(entry, dict) or not entry.keys() & {"image_id", "id"}:
            raise broken(path, f"entry {number}", entry)
        yield str(entry.get("image_id", entry.get("id"))), entry


def _add(picture: Picture, thing: Mapping[str, Any]) -> Any:
    names = thing.get("names") or [thing.get("name", "")]
    x, y = thing["x"], thing["y"]
    box = pixel_box(x, y, x + thing["w"], y + thing["h"])
    picture.add_object(thing["object_id"], " ".join(str(names[0]).split()), box)
    return thing["object_id"]


def _describe(picture: Picture, thing: Mapping[str, Any]) -> None:
    found = picture.objects.get(thing["object_id"])
    if found is not None:
        told = [normalize(a) for a in thing.get("attributes") or ()]
        attributes = tuple(dict.fromkeys([*found.attributes, *filter(None, told)]))
        picture.objects[thing["object_id"]] = replace(found, attributes=attributes)
