"""FACTUAL (Li et al., Findings of ACL 2023): captions of image regions and their scene graphs."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from graphenv.envs.files import broken_row, need, read_rows, text_in
from graphenv.envs.scenes.sources.base import SceneSource, scene_task
from graphenv.scenes import Scene
from graphenv.task import Task, carve_split
from graphenv.text import normalize

__all__ = ["FactualScenes"]

LAYOUT = (
    "train.jsonl and dev.jsonl, rows with image_id, caption and triples (lists of one or three "
    "strings)"
)


class _Row(NamedTuple):
    id: str
    image: str
    caption: str
    facts: tuple[tuple[str, ...], ...]


class FactualScenes(SceneSource):
    """FACTUAL by folder: captions of regions of Visual Genome images.

    A fact is (head, relation, tail), (object, "is", attribute) or a lone (object); objects of one
    name are one object.

    Parameters
    ----------
    root
        The folder with `train.jsonl` and `dev.jsonl`.
    split
        `heldout` is dev.jsonl. `train` and `validation` are train.jsonl, carved by image; rows
        whose image or caption is also in dev.jsonl are left out and counted in `left_out`, so
        figures of a policy trained on it are not those of the published split.

    Raises
    ------
    DataError
        If a file is missing or a row is broken.
    """

    def __init__(self, *, split: str, root: str) -> None:
        super().__init__(split)
        folder = Path(root)
        asked = f"factual in {folder}"
        need(folder, asked=asked, layout=LAYOUT, folder=True)
        dev = _read(need(folder / "dev.jsonl", asked=asked, layout=LAYOUT))
        if split == "heldout":
            self._rows = dev
            self.note = "heldout is dev.jsonl."
        else:
            rows = _read(need(folder / "train.jsonl", asked=asked, layout=LAYOUT))
            self._rows = self._carved(rows, dev)
            self.note = "train and validation are carved from train.jsonl by image."
        if not self._rows:
            raise self.without("captions", asked)
        digest = hashlib.sha256(f"factual|{split}".encode())
        for row in self._rows:
            digest.update(repr(row).encode("utf-8", "replace"))
        self._fingerprint = digest.hexdigest()

    def _carved(self, rows: tuple[_Row, ...], dev: tuple[_Row, ...]) -> tuple[_Row, ...]:
        images = {row.image for row in dev}
        captions = {normalize(row.caption) for row in dev}
        split_of = {row.id: carve_split("factual", row.image, heldout=0) for row in rows}
        # A caption that two images share belongs to validation: training must not know it.
        kept = {normalize(r.caption) for r in rows if split_of[r.id] == "validation"}
        found = []
        for row in rows:
            caption = normalize(row.caption)
            if split_of[row.id] != self.split:
                continue
            if row.image in images:
                self.left_out["image also in dev.jsonl"] += 1
            elif caption in captions:
                self.left_out["caption also in dev.jsonl"] += 1
            elif self.split == "train" and caption in kept:
                self.left_out["caption also in validation"] += 1
            else:
                found.append(row)
        return tuple(found)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Task:
        at = range(len(self._rows))[index]
        row = self._rows[at]
        scene = Scene.from_triples(row.facts)
        known = {"image_id": row.image, "facts": len(row.facts)}
        return scene_task(id=row.id, index=at, caption=row.caption, scene=scene, **known)


def _read(path: Path) -> tuple[_Row, ...]:
    return _read_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_once(path: Path, _modified: int) -> tuple[_Row, ...]:
    found = []
    for number, row in read_rows(path):
        caption, image = text_in(path, number, row, "caption"), row.get("image_id")
        if isinstance(image, bool) or not isinstance(image, str | int):
            broken_row(path, number, row, "'image_id' must be a text or a number")
        facts = row.get("triples")
        if not isinstance(facts, list) or not facts or not all(map(_is_fact, facts)):
            broken_row(path, number, row, "'triples' must be lists of one or three strings")
        name = f"factual/{path.stem}/{number}"
        found.append(_Row(name, str(image), caption, tuple(map(tuple, facts))))
    return tuple(found)


def _is_fact(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (1, 3)
        and all(isinstance(part, str) and normalize(part) for part in value)
    )
