"""A user's own graph and questions: a triple file and rows of JSON."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from graphenv.checks import is_whole
from graphenv.envs.files import Row, broken_row, names_in, need, read_rows, split_in
from graphenv.envs.kgqa.program import Branch, Filter, Program, parse_program
from graphenv.envs.kgqa.sources.base import KGQASource, hop_list, question_task
from graphenv.envs.kgqa.sources.worlds import load_world
from graphenv.errors import ConfigError, DataError
from graphenv.knowledge import KnowledgeGraph, TripleStore
from graphenv.task import Task, carve_split
from graphenv.text import normalize

__all__ = ["JsonlSource"]

LAYOUT = (
    'rows such as {"question": "...", "topic_entity": "...", "answers": ["..."]}, and where known '
    '"path" (list of moves, ^ for inverse) or "program", "hops", "id", "split"'
)


@dataclass(frozen=True, slots=True)
class _Question:
    id: str
    text: str
    topics: tuple[str, ...]
    answers: tuple[str, ...]
    program: Program | None
    written: str | None
    hops: int | None


class JsonlSource(KGQASource):
    """Questions of a JSONL file over a graph of a triple file.

    Parameters
    ----------
    split
        `train`, `validation` or `heldout`. A row belongs to the split that its `split` field names;
        rows without one are carved by a hash of (topic, path), or of (topic, question) where no
        path is known, so that two wordings of a problem stay together.
    triples
        A triple file, or several as a list: `head, relation, tail`, separated by tab or `|`.
    questions
        A JSONL file (or a JSON list) of rows `question`, `topic_entity` (a name or a list),
        `answers`, and where known `path` (list of moves) or `program` (with filters, second paths
        or counts), `hops`, `id`, `split`.
    drop_topic
        Whether the topic leaves the frontier after every move: true is MetaQA's rule, false plain
        traversal. It must be the rule under which the answers were made.
    hops
        Keep only the questions of this number of hops (or of several, as a list).

    Attributes
    ----------
    outside
        Number of gold answers in this split that are no entity of the graph. No walk reaches
        them, so they are counted and not refused: a published set may know more than its graph.

    Raises
    ------
    DataError
        If a file is missing, a row is broken, or a topic or a gold move is not in the graph (file,
        line number and text).
    """

    def __init__(
        self,
        *,
        split: str,
        triples: str | list[str],
        questions: str,
        drop_topic: bool = True,
        hops: int | list[int] | None = None,
    ) -> None:
        super().__init__(split)
        if not isinstance(drop_topic, bool):
            raise ConfigError(f"jsonl: drop_topic={drop_topic!r} must be true or false")
        self.drop_topic = drop_topic
        self._world = load_world([triples] if isinstance(triples, str) else triples)
        file = need(Path(questions), asked=f"jsonl questions {questions}", layout=LAYOUT)
        wanted = None if hops is None else hop_list(hops, "jsonl")
        every = [
            (where, question)
            for number, row in read_rows(file)
            for where, question in [_question(file, number, row, self._world)]
            if wanted is None or question.hops in wanted
        ]
        self._questions = [question for where, question in every if where == split]
        if not self._questions:
            counts = {s: sum(where == s for where, _ in every) for s in ("train", "validation")}
            raise DataError(
                f"{file}: no question for split {split!r}"
                + (f" with hops={hops!r}" if hops is not None else "")
                + f"; of {len(every)} rows that fit, {counts['train']} are train and "
                f"{counts['validation']} validation. Name the split in each row, or ask for another"
            )
        known = {q.program for q in self._questions if q.program is not None}
        self.features = frozenset(feature for p in known for feature in _features(p))
        self._complete = all(q.program is not None for q in self._questions)
        self.outside = sum(
            self._world.find_entity(answer) is None
            for q in self._questions
            if not (q.program is not None and q.program.count)
            for answer in q.answers
        )
        self._asked = hashlib.sha256(
            f"jsonl/0 {split} {drop_topic} {self._questions}".encode()
        ).hexdigest()

    @property
    def fingerprint(self) -> str:
        text = f"{self._asked} {self._world.fingerprint}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def provides(self) -> frozenset[str]:
        return super().provides if self._complete else frozenset({"target.answer"})

    def __len__(self) -> int:
        return len(self._questions)

    def __getitem__(self, index: int) -> Task:
        row = self._questions[index]
        return question_task(
            id=row.id,
            index=index,
            question=row.text,
            topics=row.topics,
            answers=row.answers,
            path=None if row.program is None else row.program.path,
            program=row.written,
            hops=row.hops,
        )

    def world(self, index: int) -> TripleStore:
        return self._world


def _question(file: Path, number: int, row: Row, world: KnowledgeGraph) -> tuple[str, _Question]:
    """Return (split, question) of one row."""
    text = row.get("question")
    if not isinstance(text, str) or not text.strip():
        broken_row(file, number, row, "'question' must hold a text")
    topics = names_in(file, number, row, "topic_entity")
    answers = names_in(file, number, row, "answers")
    if not topics or not answers:
        broken_row(file, number, row, "'topic_entity' and 'answers' must not be empty")
    for topic in topics:
        if world.find_entity(topic) is None:
            near = world.nearest_entities(topic)
            hint = f"; the nearest: {', '.join(map(repr, near))}" if near else ""
            broken_row(file, number, row, f"the graph has no entity {topic!r}{hint}")
    program, written = _program(file, number, row, world)
    hops = row.get("hops")
    if hops is None and program is not None:
        hops = max(sum(isinstance(m, str) for m in b.moves) for b in program.branches)
    if hops is not None and not is_whole(hops, 1):
        broken_row(file, number, row, "'hops' must be a whole number from 1")
    name = str(row.get("id", f"{file.stem}/{number}"))
    same = normalize(text) if program is None else str(program)
    split = split_in(file, number, row) or carve_split("jsonl", tuple(sorted(topics)), same)
    return split, _Question(f"jsonl/{name}", text, topics, answers, program, written, hops)


def _program(
    file: Path, number: int, row: Row, world: KnowledgeGraph
) -> tuple[Program | None, str | None]:
    """Return the gold program of a row, parsed and as text."""
    written = row.get("program")
    if written is None and row.get("path") is not None:
        moves = row["path"]
        if not isinstance(moves, list) or not moves or not all(isinstance(m, str) for m in moves):
            broken_row(file, number, row, "'path' must be a list of moves")
        written = _path_program(moves)
    if written is None:
        return None, None
    program, reason = parse_program(str(written))
    if program is None:
        broken_row(file, number, row, f"its gold program does not parse: {reason}")
    for branch in program.branches:
        for move in branch.moves:
            name = move.relation if isinstance(move, Filter) else move
            if world.find_move(name) is None:
                near = world.nearest_moves(name)
                hint = f"; the nearest: {', '.join(near)}" if near else ""
                broken_row(file, number, row, f"the graph has no relation {name!r}{hint}")
    return program, str(written)


def _path_program(moves: list[str]) -> str:
    """Return a list of moves, filters among them, as a program.

    >>> _path_program(["^directed_by", "[year < 1990]"]), _path_program(["a>b", "c"])
    ('^directed_by > [year < 1990]', '["a>b", "c"]')
    """
    text = " > ".join(moves)
    program, _ = parse_program(text)
    plain = program is not None and program.path == tuple(moves)
    return text if plain else str(Program((Branch(tuple(moves)),)))


def _features(program: Program) -> set[str]:
    found = {"count"} if program.count else set()
    if len(program.branches) > 1 or program.branches[0].start is not None:
        found.add("branch")
    if any(isinstance(move, Filter) for branch in program.branches for move in branch.moves):
        found.add("filter")
    return found
