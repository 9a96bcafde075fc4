"""What sources of published documents share: tasks, fingerprint, counts of what is left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphenv.corpus import CorpusQuestion, Passage
from graphenv.envs.construction.reading import plain_triples
from graphenv.envs.construction.sources.base import DocumentSource, document_task
from graphenv.graph import Triple
from graphenv.task import Task

__all__ = ["Documents", "PublishedDocuments"]


@dataclass(frozen=True, slots=True)
class Documents:
    """A row of a published file. `meta` becomes part of the task's."""

    id: str
    passages: tuple[Passage, ...]
    triples: tuple[Triple, ...] | None
    relations: tuple[str, ...] = ()
    aliases: tuple[tuple[str, ...], ...] = ()
    questions: tuple[CorpusQuestion, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)


class PublishedDocuments(DocumentSource):
    """Documents of a published set."""

    name: str

    def __init__(self, split: str) -> None:
        super().__init__(split)
        self._rows: Sequence[Documents] = ()
        self._fingerprint = ""

    def _close(self, rows: Sequence[Documents]) -> None:
        """Take the rows of the split; called once, when they are known.

        Raises
        ------
        DataError
            If there are none.
        """
        digest = hashlib.sha256(f"{self.name}/0 {self.split}".encode())
        for row in rows:
            told = [row.id, [[p.title, p.text] for p in row.passages], row.triples, row.relations]
            asked = [[q.text, q.supporting] for q in row.questions]
            text = json.dumps([*told, row.aliases, asked, row.meta], sort_keys=True)
            digest.update(text.encode())
        self._rows, self._fingerprint = rows, digest.hexdigest()
        if not rows:
            raise self.without("documents", self.name)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Task:
        at = range(len(self._rows))[index]
        row = self._rows[at]
        return document_task(
            id=row.id,
            index=at,
            passages=row.passages,
            triples=None if row.triples is None else plain_triples(row.triples),
            questions=row.questions,
            aliases=row.aliases,
            relations=row.relations,
            **row.meta,
        )

    def relations(self, index: int) -> tuple[str, ...]:
        return self._rows[index].relations
