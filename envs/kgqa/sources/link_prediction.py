"""Link prediction as walking (MINERVA: Das et al., ICLR 2018): (head, relation, ?)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from graphenv.envs.files import need
from graphenv.envs.kgqa.sources.base import KGQASource, question_task
from graphenv.errors import ConfigError, DataError
from graphenv.knowledge import KnowledgeGraph, KnowledgeView, TripleStore
from graphenv.knowledge.protocol import NameTriple
from graphenv.task import Task

__all__ = ["LinkPredictionSource"]

LAYOUT = "graph.txt, train.txt, dev.txt and test.txt, each of rows head<TAB>relation<TAB>tail"
_FILES = {"train": "train.txt", "validation": "dev.txt", "heldout": "test.txt"}
_INVERSE = "_"  # `_r` is the inverse of `r` in graphs of this layout
_CACHED_VIEWS = 256

Query = tuple[str, str]


class LinkPredictionSource(KGQASource):
    """Which tails complete (head, relation, ?), judged from the rest of the graph.

    A task is a (head, relation) of the split's file with all its tails there. The edges asked for
    are hidden from the walker in both directions, also under an inverse name `_relation`. Tails
    that are true by any file but not gold here are neither right nor wrong (the filtered protocol).

    Parameters
    ----------
    root
        The folder (see `LAYOUT`).
    split
        `train`, `validation` or `heldout`: train.txt, dev.txt or test.txt.

    Attributes
    ----------
    overlap
        Number of triples of this split that stand in another split's file too, as published.

    Raises
    ------
    DataError
        If a file is missing, empty, or a row is broken (file, line number and text).
    """

    def __init__(self, *, split: str, root: str) -> None:
        super().__init__(split)
        folder = Path(root)
        if not isinstance(root, str) or not root:
            raise ConfigError(f"triples: root={root!r} must name a folder with {LAYOUT}")
        read = {name: _read(folder, name) for name in ("graph.txt", *_FILES.values())}
        self._name = folder.resolve().name
        asked = read[_FILES[split]]
        gold: dict[Query, dict[str, None]] = {}
        for head, relation, tail in asked:
            gold.setdefault((head, relation), {})[tail] = None
        self._queries = [(query, tuple(tails)) for query, tails in gold.items()]
        if not self._queries:
            raise DataError(f"{folder / _FILES[split]} holds no query. Expected layout: {LAYOUT}")
        others = chain.from_iterable(read[f] for s, f in _FILES.items() if s != split)
        self.overlap = len(set(asked) & set(others))
        self._true = _tails(chain.from_iterable(read.values()))
        self._graph = _graph(read["graph.txt"], chain.from_iterable(read.values()))
        self._views: OrderedDict[int, KnowledgeView] = OrderedDict()
        digest = hashlib.sha256(f"triples/0 {split} {self._name}".encode())
        for name, rows in read.items():
            digest.update(f"{name} {rows}".encode())
        self._fingerprint = digest.hexdigest()

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.answer"})

    def __len__(self) -> int:
        return len(self._queries)

    def __getitem__(self, index: int) -> Task:
        (head, relation), tails = self._queries[index]
        return question_task(
            id=f"triples/{self._name}/{self.split}/{index}",
            index=index,
            question=f"({head}, {relation}, ?)",
            topics=[head],
            answers=tails,
            relation=relation,
        )

    def world(self, index: int) -> TripleStore:
        """Return the graph without the edges that task `index` asks for."""
        if index not in self._views:
            (head, relation), tails = self._queries[index]
            self._views[index] = KnowledgeView(self._graph, self._own_edges(head, relation, tails))
            if len(self._views) > _CACHED_VIEWS:
                self._views.popitem(last=False)
        return self._views[index]

    def _own_edges(
        self, head: str, relation: str, tails: Iterable[str]
    ) -> Iterator[tuple[int, int, int]]:
        graph = self._graph
        forth = graph.find_move(relation)
        back = graph.find_move(_inverse(relation))
        h = graph.entity_id(head)
        for tail in tails:
            t = graph.entity_id(tail)
            if forth is not None:
                yield h, forth, t
            if back is not None:
                yield t, back, h

    def ignored(self, index: int) -> frozenset[str]:
        """Return the other true tails of the query, by any of the files."""
        query, tails = self._queries[index]
        return frozenset(self._true[query].difference(tails))

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return self._graph.relation_names

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_views": OrderedDict()}


def _inverse(relation: str) -> str:
    return relation[1:] if relation.startswith(_INVERSE) else _INVERSE + relation


def _tails(triples: Iterable[NameTriple]) -> dict[Query, set[str]]:
    """Return (head, relation) -> all its true tails, facts under inverse names included."""
    found: dict[Query, set[str]] = defaultdict(set)
    for head, relation, tail in triples:
        found[head, relation].add(tail)
        found[tail, _inverse(relation)].add(head)
    return dict(found)


def _graph(facts: list[NameTriple], everything: Iterable[NameTriple]) -> KnowledgeGraph:
    """Return the graph of the facts; entities that only queries name stand in it without edges."""
    entities: set[str] = set()
    relations: set[str] = {relation for _, relation, _ in facts}
    for head, _, tail in everything:
        entities |= {head, tail}
    names, moves = sorted(entities), sorted(relations)
    number = {name: i for i, name in enumerate(names)}
    move = {name: i for i, name in enumerate(moves)}
    rows = [(number[h], move[r], number[t]) for h, r, t in facts]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return KnowledgeGraph.from_arrays(columns[:, 0], columns[:, 1], columns[:, 2], names, moves)


def _read(folder: Path, name: str) -> list[NameTriple]:
    path = need(folder / name, asked=f"triples in {folder}", layout=LAYOUT)
    rows: list[NameTriple] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) != 3 or not all(fields) or fields[1].startswith("^"):
                raise DataError(
                    f"{path}, line {number}: expected head<TAB>relation<TAB>tail, found "
                    f"{line.strip()[:120]!r}"
                )
            rows.append((fields[0], fields[1], fields[2]))
    return rows
