"""What sources of published questions share: tasks, splits by database, counts of what is not."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.sources.base import QuerySource
from graphenv.errors import ConfigError, DataError, did_you_mean
from graphenv.query.model import Language
from graphenv.query.schema import Schema
from graphenv.seeding import stable_hash
from graphenv.task import SPLITS, Target, Task

__all__ = ["Ambiguous", "PublishedQueries", "Question", "carve_databases"]

Ambiguous = Literal["leave out", "accept"]
"""What becomes of gold whose result is not the only right one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A row of a published file. `meta` becomes part of the task's."""

    id: str
    database: str
    text: str
    gold: str
    meta: Mapping[str, Any] = field(default_factory=dict)


class PublishedQueries(QuerySource):
    """Questions of a published set."""

    name: str

    def __init__(self, language: Language, split: str, ambiguous: str) -> None:
        super().__init__(language, split)
        if ambiguous not in ("leave out", "accept"):
            raise ConfigError(
                f"{self.name}: ambiguous={ambiguous!r} is unknown; 'leave out' drops gold whose "
                "result is not unique, 'accept' keeps it with its form without LIMIT"
                + did_you_mean(str(ambiguous), ["leave out", "accept"])
            )
        self._questions: list[Question] = []
        self._schemas: dict[str, Schema] = {}
        self._fingerprint = f"{self.name}|{language}|{split}|{ambiguous}"

    def _close(self, *parts: object) -> None:
        """Take all that tasks depend on into the fingerprint; called when they are known."""
        digest = hashlib.sha256(f"{self._fingerprint}|{parts!r}".encode("utf-8", "replace"))
        for question in self._questions:
            text = json.dumps([question.id, question.database, question.text, question.gold])
            digest.update(f"{text}{sorted(question.meta.items())}".encode("utf-8", "replace"))
        for name in sorted({question.database for question in self._questions}):
            digest.update(json.dumps(self._schemas[name].to_json()).encode())
        self._fingerprint = digest.hexdigest()
        if not self._questions:
            raise self.without("questions", self.name)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._questions)

    def __getitem__(self, index: int) -> Task:
        at = range(len(self._questions))[index]
        question = self._questions[at]
        return Task(
            id=question.id,
            index=at,
            messages=({"role": "user", "content": question.text},),
            target=Target(program=question.gold),
            meta={"database": question.database, **question.meta},
        )

    def schema(self, index: int) -> Schema:
        return self._schemas[self._questions[index].database]

    def _schema_of(self, database: str) -> Schema:
        if database not in self._schemas:
            held = did_you_mean(database, self._schemas)
            raise DataError(f"{self.name}: there is no schema of the database {database!r}.{held}")
        return self._schemas[database]

    def databases(self, index: int) -> tuple[Database, ...]:
        return ()


def carve_databases(
    name: str, databases: Iterable[str], *, validation: float = 0.1, heldout: float = 0.2
) -> dict[str, str]:
    """Return the split of every database, so that no database is in two.

    `databases` names the database of every question. They are taken in a fixed random order until
    `heldout` has its share of the questions, then until `validation` has; the rest is `train`. A
    split that asks for a share gets at least one database, if there are three.

    >>> split = carve_databases("x", ["a"] * 10 + ["b"] * 10 + ["c"] * 80)
    >>> sorted(split.values())
    ['heldout', 'train', 'validation']
    """
    counts = Counter(databases)
    order = sorted(counts, key=lambda each: stable_hash("carve_databases", name, each))
    splits: dict[str, str] = {}
    for split, share, others in (("heldout", heldout, 2), ("validation", validation, 1)):
        wanted, taken = share * counts.total(), 0
        for each in [each for each in order if each not in splits]:
            # A database much larger than the share would leave the other splits with nothing.
            fits = taken < wanted and taken + counts[each] <= 2 * wanted + 1
            if fits and len(counts) - len(splits) > others:
                splits[each] = split
                taken += counts[each]
        left = [each for each in order if each not in splits]
        if wanted and not taken and len(left) > others:
            splits[min(left, key=lambda each: counts[each])] = split
    return {each: splits.get(each, "train") for each in counts}


def pick(splits: Mapping[str, str], rows: Sequence[Question], split: str) -> list[Question]:
    """Return the questions whose database is in a split."""
    assert split in SPLITS
    return [row for row in rows if splits.get(row.database) == split]
