"""What sources of annotated images share: objects with boxes, detections, splits, image files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from graphenv.checks import flag
from graphenv.envs.scenes.sources.base import SceneSource, related, scene_task
from graphenv.errors import ConfigError, DataError
from graphenv.scenes import MAX_OBJECTS, MAX_RELATIONS, Box, Scene, SceneObject, SceneRelation
from graphenv.scenes.reading import label_reason, read_box
from graphenv.task import Task
from graphenv.text import bounded, normalize

__all__ = ["BoxedScenes", "Picture", "broken", "index_in", "pixel_box", "size_of"]


@dataclass(slots=True)
class Picture:
    """An image as annotated: objects by the key that relations use, relations between keys."""

    id: str
    file: str
    size: tuple[int, int] | None = None
    objects: dict[Any, SceneObject] = field(default_factory=dict)
    relations: dict[tuple[Any, str, Any], tuple[Any, str, Any]] = field(default_factory=dict)

    def add_object(self, key: Any, label: str, box: Box | None) -> None:
        """Add an object; the first with a key stays."""
        if key not in self.objects:
            self.objects[key] = SceneObject("", label, (), box)

    def add_relation(self, head: Any, relation: str, tail: Any) -> None:
        """Add a relation; one that is there already adds nothing."""
        self.relations.setdefault((head, normalize(relation), tail), (head, relation, tail))


class BoxedScenes(SceneSource):
    """Annotated images: an agent is shown the objects, or has to find them in the image.

    Parameters
    ----------
    split
        One of `graphenv.task.SPLITS`.
    detected
        Whether the objects are shown with ids and boxes, so that relations are asked: gold is the
        relations and the objects in them, without attributes. Without it gold is all that is
        annotated, and the image is needed.
    image_root
        The folder of the image files.

    Raises
    ------
    ConfigError
        If objects are neither shown nor to be seen.
    """

    name: ClassVar[str]

    def __init__(self, split: str, *, detected: bool, image_root: str | None) -> None:
        super().__init__(split)
        self.detected = flag(self.name, "detected", detected)
        if not detected and image_root is None:
            raise ConfigError(
                f"{self.name}: with detected=False the objects are to be found in images; give "
                "their folder as image_root="
            )
        self.image_root = None if image_root is None else Path(image_root)
        self._pictures: list[Picture] = []
        self._predicates: tuple[str, ...] = ()
        self._fingerprint = ""

    def _take(self, pictures: Iterable[Picture], split_of: Callable[[Picture], str]) -> None:
        """Keep the pictures of the split that have something to tell."""
        digest = hashlib.sha256(f"{self.name}|{self.split}|{self.detected}".encode())
        for picture in pictures:
            if split_of(picture) != self.split:
                continue
            reason = self._reason(picture)
            if reason:
                self.left_out[reason] += 1
                continue
            _number(picture)
            self._pictures.append(picture)
            told = [picture.id, *picture.objects.values(), *picture.relations.values()]
            digest.update(repr(told).encode("utf-8", "replace"))
        if not self._pictures:
            raise self.without("images", self.name)
        self._fingerprint = digest.hexdigest()

    def _reason(self, picture: Picture) -> str:
        """Return why a picture is no task, "" if it is one."""
        if not (picture.relations if self.detected else picture.objects):
            return "nothing annotated"
        if len(picture.objects) > MAX_OBJECTS or len(picture.relations) > MAX_RELATIONS:
            return "larger than an answer may be"
        words = [thing.label for thing in picture.objects.values()]
        words += [a for thing in picture.objects.values() for a in thing.attributes]
        words += [relation for _, relation, _ in picture.relations.values()]
        return "a label that is empty or too long" if any(map(label_reason, words)) else ""

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def relation_names(self) -> tuple[str, ...]:
        return self._predicates

    @property
    def has_boxes(self) -> bool:
        return True

    @property
    def has_images(self) -> bool:
        return self.image_root is not None

    @property
    def has_attributes(self) -> bool:
        return not self.detected

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Task:
        at = range(len(self._pictures))[index]
        picture = self._pictures[at]
        known: dict[str, object] = {"image_id": picture.id}
        if picture.size is not None:
            known |= {"width": picture.size[0], "height": picture.size[1]}
        return scene_task(
            id=f"{self.name}/{picture.id}",
            index=at,
            caption="",
            scene=self._scene(picture),
            **known,
        )

    def _scene(self, picture: Picture) -> Scene:
        place = {key: at for at, key in enumerate(picture.objects)}
        relations = picture.relations.values()
        scene = Scene(
            tuple(picture.objects.values()),
            tuple(SceneRelation(place[h], r, place[t]) for h, r, t in relations),
        )
        return related(scene) if self.detected else scene

    def detections(self, index: int) -> tuple[SceneObject, ...]:
        if not self.detected:
            return ()
        objects = self._pictures[index].objects.values()
        return tuple(replace(thing, attributes=()) for thing in objects)

    def image(self, index: int) -> str | None:
        """Return the path of an image file, `None` without `image_root`.

        Raises
        ------
        DataError
            If the file is missing.
        """
        if self.image_root is None:
            return None
        for name in self._files(self._pictures[index]):
            if (self.image_root / name).is_file():
                return str(self.image_root / name)
        raise DataError(
            f"{self.name}: the image {self._pictures[index].file} is not in {self.image_root}"
        )

    def _files(self, picture: Picture) -> tuple[str, ...]:
        """Return where an image may stand in `image_root`."""
        return (picture.file,)


def _number(picture: Picture) -> None:
    """Give objects their ids: the label, and a number that counts those of one label."""
    counts: dict[str, int] = {}
    for key, thing in picture.objects.items():
        name = normalize(thing.label)
        counts[name] = counts.get(name, 0) + 1
        picture.objects[key] = replace(thing, id=f"{thing.label}.{counts[name]}")


def pixel_box(left: float, top: float, right: float, bottom: float) -> Box | None:
    """Return a box of annotated pixels; one without width or height is one pixel wide or high.

    `None` if it is inverted or no numbers.

    >>> pixel_box(3, 4, 3, 9), pixel_box(5, 4, 3, 9)
    ((3.0, 4.0, 4.0, 9.0), None)
    """
    numbers = (left, top, right, bottom)
    if not all(isinstance(x, int | float) for x in numbers) or right < left or bottom < top:
        return None
    return read_box([left, top, max(right, left + 1), max(bottom, top + 1)])[0]


def index_in(value: Any, items: Sequence[Any]) -> int:
    """Return an annotated index.

    Raises
    ------
    ValueError
        If it is none of these items.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(items):
        raise ValueError(f"{value!r} is no index of {len(items)}")
    return value


def broken(path: Path, where: str, entry: object) -> DataError:
    """Return the error of an entry that is not as the layout says."""
    return DataError(f"{path}, {where}: not in the expected layout: {bounded(repr(entry), 160)}")


def size_of(entry: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the width and height that an entry tells."""
    width, height = entry.get("width"), entry.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None
