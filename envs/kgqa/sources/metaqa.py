"""MetaQA (Zhang et al., AAAI 2018): 1 to 3 hop questions over a movie knowledge graph."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from graphenv.checks import whole
from graphenv.envs.files import broken_row, names_in, need, read_rows
from graphenv.envs.kgqa.sources.base import KGQASource, hop_list, question_task
from graphenv.envs.kgqa.sources.worlds import load_world
from graphenv.errors import ConfigError, DataError
from graphenv.knowledge import TripleStore
from graphenv.task import Task, carve_split

__all__ = ["MetaQASource"]

LAYOUT = (
    "kb.txt beside either {1,2,3}hop_dev_exact.jsonl, or the official folders "
    "{1,2,3}-hop/vanilla/qa_{train,dev,test}.txt (with {1,2,3}-hop/qa_*_qtype.txt), or "
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
        The folder: `kb.txt` and the questions in one of the layouts that `LAYOUT` names.
    split
        `train`, `validation` or `heldout`. Official folders map to train, dev and test; where only
        dev is present, it is carved by a hash of (topic, path), so that no problem straddles.
    hops
        1, 2 or 3, or several as a list.
    held_out_paths
        How many of the path types to keep for `heldout` alone, chosen by hash so that every
        relation is still seen in training; `heldout` then holds only these (compositional split).

    Attributes
    ----------
    skipped
        Number of questions of the split whose topic is not in `kb.txt`; they are left out.

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
        wanted = hop_list(hops, "metaqa", most=3)
        whole("metaqa", "held_out_paths", held_out_paths, 0)
        kb = need(self.root / "kb.txt", asked=f"metaqa in {self.root}", layout=LAYOUT)
        self._world = load_world([kb])
        self.skipped = 0
        self._tasks: list[tuple[int, str, _Row]] = []
        digest = hashlib.sha256(f"{self._world.fingerprint}{split}{held_out_paths}".encode())
        for hop in wanted:
            file, rows = self._rows(hop, held_out_paths)
            known = [row for row in rows if self._world.find_entity(row.topic) is not None]
            self.skipped += len(rows) - len(known)
            self._tasks += [(hop, file, row) for row in known]
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
        single = self.root / f"{hop}hop_dev_official.txt"
        if self._official(hop, self.split).is_file():
            return self._official_rows(hop, held_out_paths)
        if exact.is_file():
            rows, name = list(_read_exact(exact)), exact.stem
        else:
            file = need(single, asked=f"metaqa {hop}-hop in {self.root}", layout=LAYOUT)
            rows, name = list(_read_text(file)), file.stem
        kept = held_out_path_types(rows, held_out_paths)
        if kept:
            return name, [row for row in rows if self._compositional(row, kept)]
        return name, [r for r in rows if carve_split("metaqa", r.topic, r.path) == self.split]

    def _official(self, hop: int, split: str) -> Path:
        return self.root / f"{hop}-hop" / "vanilla" / f"qa_{_OFFICIAL[split]}.txt"

    def _official_rows(self, hop: int, held_out_paths: int) -> tuple[str, list[_Row]]:
        file = self._official(hop, self.split)
        name = f"{hop}-hop/{file.stem}"
        rows = list(_read_text(file))
        if not held_out_paths:
            return name, rows
        # The path types that are held out must not depend on the split that asks.
        files = [self._official(hop, split) for split in _OFFICIAL]
        every = [row for f in files if f.is_file() for row in _read_text(f)]
        kept = held_out_path_types(every, held_out_paths)
        return name, [r for r in rows if (r.path in kept) == (self.split == "heldout")]

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


def _read_exact(path: Path) -> Iterator[_Row]:
    for number, row in read_rows(path):
        question, topic, moves = row.get("question"), row.get("topic_entity"), row.get("path")
        fits = isinstance(question, str) and isinstance(topic, str) and isinstance(moves, list)
        if not fits or not moves or not all(isinstance(move, str) for move in moves):
            why = "not a row with question, topic_entity, path (a list of moves) and answers"
            broken_row(path, number, row, why)
        answers = names_in(path, number, row, "answers")
        yield _Row(number, str(question), str(topic), answers, tuple(moves))


def _read_text(path: Path) -> Iterator[_Row]:
    """Read `question TAB answer|answer [TAB qtype]`.

    Officially the question types stand in a file of their own, one folder above the questions.
    """
    types = path.with_name(path.stem + "_qtype.txt")
    if not types.is_file():
        types = path.parent.parent / types.name
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
