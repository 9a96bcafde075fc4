"""MetaQA (Zhang et al., AAAI 2018): 1 to 3 hop questions over a movie knowledge graph."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from graphenv.envs.kgqa.sources.base import KGQASource, need_file, question_task
from graphenv.errors import ConfigError, DataError
from graphenv.knowledge import KnowledgeGraph, TripleStore
from graphenv.task import Task, carve_split

__all__ = ["MetaQASource"]

LAYOUT = (
    "kb.txt beside either {1,2,3}hop_dev_exact.jsonl, or the official folders "
    "{1,2,3}-hop/vanilla/qa_{train,dev,test}.txt (with qa_*_qtype.txt), or "
    "{1,2,3}hop_dev_official.txt"
)
_OFFICIAL = {"train": "train", "validation": "dev", "heldout": "test"}
_MOVES = {  # what a step of MetaQA's question types follows, by the two kinds it joins
    ("movie", "director"): "directed_by",
    ("movie", "actor"): "starred_actors",
    ("movie", "writer"): "written_by",
    ("movie", "year"): "release_year",
    ("movie", "language"): "in_language",
    ("movie", "genre"): "has_genre",
    ("movie", "tags"): "has_tags",
    ("movie", "tag"): "has_tags",
    ("movie", "imdbrating"): "has_imdb_rating",
    ("movie", "imdbvotes"): "has_imdb_votes",
}


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    question: str
    topic: str
    answers: tuple[str, ...]
    path: tuple[str, ...] | None


class MetaQASource(KGQASource):
    """MetaQA by folder.

    Parameters
    ----------
    root
        The folder (see `LAYOUT`).
    split
        `train`, `validation` or `heldout`. Official folders map to train, dev and test; where only
        dev is present, it is carved by a hash of (topic, path), so that no problem straddles.
    hops
        1, 2 or 3, or several as a list.
    held_out_paths
        How many of the path types to keep for `heldout` alone, chosen by hash so that every
        relation is still seen in training; `heldout` then holds only these (compositional split).

    Raises
    ------
    DataError
        If files are missing or a row is broken (file, line number and text).
    """

    drop_topic = True

    def __init__(
        self,
        *,
        split: str,
        root: str,
        hops: int | list[int] = 2,
        held_out_paths: int = 0,
    ) -> None:
        super().__init__(split)
        self.root = Path(root)
        wanted = [hops] if isinstance(hops, int) else list(hops)
        if not wanted or any(hop not in (1, 2, 3) for hop in wanted):
            raise ConfigError(f"metaqa: hops={hops!r}; MetaQA has 1, 2 and 3, or a list of them")
        kb = need_file(self.root / "kb.txt", asked=f"metaqa in {self.root}", layout=LAYOUT)
        self._world = _load_world(str(kb.resolve()), kb.stat().st_mtime_ns)
        self._tasks: list[tuple[int, str, _Row]] = []
        digest = hashlib.sha256(f"{self._world.fingerprint}{split}{held_out_paths}".encode())
        for hop in wanted:
            file, rows = self._rows(hop, held_out_paths)
            self._tasks += [(hop, file, row) for row in rows]
        for hop, file, row in self._tasks:
            digest.update(f"{hop}|{file}|{row}".encode())
        self._fingerprint = digest.hexdigest()
        self._provides = super().provides
        if any(row.path is None for _, _, row in self._tasks):
            self._provides = frozenset({"target.answer"})

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def provides(self) -> frozenset[str]:
        return self._provides

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, index: int) -> Task:
        hop, file, row = self._tasks[index]
        return question_task(
            id=f"metaqa/{file}/{row.line}",
            index=index,
            question=row.question,
            topics=[row.topic],
            answers=row.answers,
            path=row.path,
            hops=hop,
        )

    def world(self, index: int) -> TripleStore:
        return self._world

    def _rows(self, hop: int, held_out_paths: int) -> tuple[str, list[_Row]]:
        exact = self.root / f"{hop}hop_dev_exact.jsonl"
        official = self.root / f"{hop}-hop" / "vanilla" / f"qa_{_OFFICIAL[self.split]}.txt"
        single = self.root / f"{hop}hop_dev_official.txt"
        if official.is_file():
            rows = list(_read_text(official))
            return official.stem, rows
        if exact.is_file():
            rows, name = list(_read_exact(exact)), exact.stem
        else:
            file = need_file(single, asked=f"metaqa {hop}-hop in {self.root}", layout=LAYOUT)
            rows, name = list(_read_text(file)), file.stem
        kept = held_out_path_types(rows, held_out_paths)
        if kept:
            return name, [row for row in rows if self._compositional(row, kept)]
        return name, [r for r in rows if carve_split("metaqa", r.topic, r.path) == self.split]

    def _compositional(self, row: _Row, kept: frozenset[tuple[str, ...]]) -> bool:
        if row.path in kept:
            return self.split == "heldout"
        if self.split == "heldout":
            return False
        part = carve_split("metaqa", row.topic, row.path, heldout=0.0)
        return part == self.split


def held_out_path_types(rows: list[_Row], count: int) -> frozenset[tuple[str, ...]]:
    """Return `count` path types such that the others still use every relation that occurs."""
    if count == 0:
        return frozenset()
    types = sorted({row.path for row in rows if row.path is not None})
    # A fixed pseudo-random order; the same for every split and process.
    types.sort(key=lambda path: hashlib.sha256(" ".join(path).encode()).hexdigest())
    chosen: list[tuple[str, ...]] = []
    for path in types:
        rest = [t for t in types if t not in chosen and t != path]
        if len(chosen) < count and set(path) <= {move for t in rest for move in t}:
            chosen.append(path)
    if len(chosen) < count:
        raise ConfigError(
            f"metaqa: held_out_paths={count}, but only {len(chosen)} of {len(types)} path types "
            "can be held out with every relation still seen in training"
        )
    return frozenset(chosen)


@lru_cache(maxsize=4)
def _load_world(path: str, _modified: int) -> KnowledgeGraph:
    return KnowledgeGraph.load(path)


def _read_exact(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                yield _Row(
                    number,
                    row["question"],
                    row["topic_entity"],
                    tuple(row["answers"]),
                    tuple(row["path"]),
                )
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{path}, line {number}: not a row with question, topic_entity, path and "
                    f"answers ({error}): {line.strip()[:120]!r}"
                ) from error


def _read_text(path: Path) -> Iterator[_Row]:
    """Read `question TAB answer|answer [TAB qtype]`; question types may stand in a second file."""
    types = path.with_name(path.stem + "_qtype.txt")
    extra = types.read_text(encoding="utf-8").splitlines() if types.is_file() else None
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            fields = line.rstrip("\n").split("\t")
            topic = re.search(r"\[(.+)\]", fields[0])
            if len(fields) < 2 or topic is None:
                raise DataError(
                    f"{path}, line {number}: expected 'question with [topic]<TAB>answer|answer', "
                    f"found {line.strip()[:120]!r}"
                )
            if len(fields) > 2:
                qtype: str | None = fields[2]
            else:
                qtype = extra[number - 1].strip() if extra and number <= len(extra) else None
            answers = tuple(dict.fromkeys(fields[1].split("|")))
            yield _Row(number, fields[0], topic[1], answers, _path_of(qtype) if qtype else None)


def _path_of(qtype: str) -> tuple[str, ...] | None:
    """Return the path of a question type, as `actor_to_movie_to_year`; `None` if unknown.

    >>> _path_of("actor_to_movie_to_year")
    ('^starred_actors', 'release_year')
    """
    kinds = qtype.replace("_to_", " ").split()
    moves = []
    for left, right in pairwise(kinds):
        if (left, right) in _MOVES:
            moves.append(_MOVES[left, right])
        elif (right, left) in _MOVES:
            moves.append("^" + _MOVES[right, left])
        else:
            return None
    return tuple(moves) if moves else None
