"""One graph per question: the layout in which WebQSP and CWQ are commonly distributed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, OrderedDict
from dataclasses import dataclass
from pathlib import Path

from graphenv.envs.files import Row, broken_row, names_in, need, parse_row, split_in
from graphenv.envs.kgqa.sources.base import KGQASource, question_task
from graphenv.errors import DataError
from graphenv.knowledge import KnowledgeGraph, TripleStore
from graphenv.task import Task, carve_split
from graphenv.text import normalize

__all__ = ["SubgraphSource"]

LAYOUT = (
    'rows such as {"id": "...", "question": "...", "q_entity": ["..."], "a_entity": ["..."], '
    '"graph": [["head", "relation", "tail"], ...]}, as JSONL or a JSON list; or a folder with '
    "train, validation (or dev, val) and test files of such rows"
)
_STEMS = {
    "train": ("train",),
    "validation": ("validation", "dev", "val", "valid"),
    "heldout": ("heldout", "test"),
}
_CACHED_WORLDS = 64


@dataclass(frozen=True, slots=True)
class _Question:
    """A row without its graph, and where the row begins in the file (bytes)."""

    place: int
    line: int
    id: str
    text: str
    topics: tuple[str, ...]
    answers: tuple[str, ...]


class SubgraphSource(KGQASource):
    """Questions that bring their own graph (Luo et al., ICLR 2024, distribute WebQSP and CWQ so).

    Rows hold `question`, `q_entity` (topics), `a_entity` (answers; `answer` where it is empty), and
    `graph` or `triples`. The files are large: a graph is read again when it is asked for, and the
    last few are kept. No gold path is known, so rewards that need one are not offered.

    Parameters
    ----------
    split
        `train`, `validation` or `heldout`.
    path
        A JSONL file, a JSON list, or a folder with one such file per split. Rows of a single file
        belong to the split that their `split` field names, else they are carved by a hash of
        (topics, question).

    Attributes
    ----------
    skipped
        Reason -> number of rows of the split that are left out: those with no topic entity in their
        graph (nothing to start from) and those without any answer.
    outside
        Number of kept questions none of whose answers lies in their graph. They stay in, as
        published results count them, and nobody can answer them by walking.

    Raises
    ------
    DataError
        If a file is missing or a row is broken (file, line number and text).
    """

    def __init__(self, *, split: str, path: str) -> None:
        super().__init__(split)
        self._file, one_split = _file_of(Path(path), split)
        self._questions: list[_Question] = []
        self._worlds: OrderedDict[int, KnowledgeGraph] = OrderedDict()
        self.skipped: dict[str, int] = {}
        self.outside = 0
        relations: Counter[str] = Counter()
        digest = hashlib.sha256(f"subgraph/0 {split}".encode())
        data = self._file.read_bytes()
        # A JSON list is rewritten as lines in memory; a JSONL file is read line by line later.
        self._lines = _list_lines(self._file, data)
        place = 0
        for number, line in enumerate(self._lines or data.splitlines(keepends=True), 1):
            start, place = place, place + len(line)
            if not line.strip():
                continue
            row = parse_row(self._file, number, _text(self._file, number, line))
            topics = names_in(self._file, number, row, "q_entity")
            question = row.get("question")
            if not isinstance(question, str) or not question.strip():
                broken_row(self._file, number, row, "'question' must hold a text")
            where = split if one_split else split_in(self._file, number, row)
            if where is None:
                where = carve_split("subgraph", tuple(sorted(topics)), normalize(question))
            if where != split:
                continue
            digest.update(line)
            triples = _triples(self._file, number, row)
            self._add(number, number - 1 if self._lines else start, row, topics, question, triples)
            relations.update({relation for _, relation, _ in triples})
        self._fingerprint = digest.hexdigest()
        self._relations = tuple(sorted(relations, key=lambda name: (-relations[name], name)))
        several = any(len(q.topics) > 1 for q in self._questions)
        self.features = frozenset({"branch"}) if several else frozenset()
        if not self._questions:
            left_out = ", ".join(f"{n} rows: {why}" for why, n in self.skipped.items())
            raise DataError(
                f"{self._file}: no question for split {split!r} ({left_out or 'no row is in it'}). "
                "Name the split in each row, give a folder with a file per split, or ask for "
                "another split"
            )

    def _add(
        self,
        number: int,
        place: int,
        row: Row,
        topics: tuple[str, ...],
        question: str,
        triples: list[tuple[str, str, str]],
    ) -> None:
        """Keep a row as a question, or count why it is left out."""
        field = "a_entity" if row.get("a_entity") else "answer"
        answers = names_in(self._file, number, row, field) if row.get(field) else ()
        entities = {normalize(name) for head, _, tail in triples for name in (head, tail)}
        inside = tuple(topic for topic in topics if normalize(topic) in entities)
        why = ""
        if not answers:
            why = "no answer"
        elif not inside:
            why = "no topic entity in the graph"
        if why:
            self.skipped[why] = self.skipped.get(why, 0) + 1
            return
        self.outside += not any(normalize(answer) in entities for answer in answers)
        name = str(row.get("id", number))
        self._questions.append(_Question(place, number, name, question, inside, answers))

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.answer"})

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The relations of all graphs of the split, the most common first."""
        return self._relations

    def __len__(self) -> int:
        return len(self._questions)

    def __getitem__(self, index: int) -> Task:
        row = self._questions[index]
        return question_task(
            id=f"subgraph/{self._file.stem}/{row.id}",
            index=index,
            question=row.text,
            topics=row.topics,
            answers=row.answers,
        )

    def world(self, index: int) -> TripleStore:
        place = self._questions[index].place
        if place not in self._worlds:
            line = self._line(place)
            number = self._questions[index].line
            row = parse_row(self._file, number, _text(self._file, number, line))
            triples = _triples(self._file, number, row)
            self._worlds[place] = KnowledgeGraph.from_triples(triples)
            if len(self._worlds) > _CACHED_WORLDS:
                self._worlds.popitem(last=False)
        self._worlds.move_to_end(place)
        return self._worlds[place]

    def _line(self, place: int) -> bytes:
        if self._lines is not None:
            return self._lines[place]
        with self._file.open("rb") as file:
            file.seek(place)
            return file.readline()

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_worlds": OrderedDict()}


def _file_of(path: Path, split: str) -> tuple[Path, bool]:
    """Return the file to read, and whether all of it belongs to the split."""
    if path.is_dir():
        for stem in _STEMS[split]:
            for ending in (".jsonl", ".json"):
                if (path / f"{stem}{ending}").is_file():
                    return path / f"{stem}{ending}", True
        path = path / f"{_STEMS[split][0]}.jsonl"
    return need(path, asked=f"subgraph questions {path}", layout=LAYOUT), False


def _list_lines(file: Path, data: bytes) -> list[bytes] | None:
    """Return the rows of a JSON list as lines, `None` if the file is JSONL."""
    if not data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        return None
    try:
        rows = json.loads(data)
    except ValueError as error:
        raise DataError(f"{file}: not a valid JSON list: {error}. Expected: {LAYOUT}") from error
    return [json.dumps(row, ensure_ascii=False).encode() for row in rows]


def _text(file: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}, line {number}: not UTF-8 ({error}); convert the file") from error


def _triples(file: Path, number: int, row: Row) -> list[tuple[str, str, str]]:
    """Return the graph of a row. An inverse sign in front of a relation would be ambiguous."""
    found = row.get("graph", row.get("triples"))
    if not isinstance(found, list):
        broken_row(file, number, row, "'graph' (or 'triples') must be a list of triples")
    triples = []
    for triple in found:
        fits = isinstance(triple, list) and len(triple) == 3
        if not fits or not all(isinstance(name, str) and name for name in triple):
            broken_row(file, number, triple, "not a triple of three non-empty names")
        head, relation, tail = triple
        if relation.startswith("^"):
            broken_row(file, number, triple, "a relation must not begin with '^'")
        triples.append((head, relation, tail))
    return triples
