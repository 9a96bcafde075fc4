"""`SqliteQueries`: published questions over SQLite files, with gold that was looked at first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from graphenv.checks import whole
from graphenv.envs.cache import cached
from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.gold import sqlite_audit, sqlite_copies
from graphenv.envs.queries.gold.findings import (
    CONSTANT_RIGHT,
    Finding,
    Looked,
    telling_copies,
)
from graphenv.envs.queries.gold.sqlite_audit import (
    audit_sqlite,
    is_ordered,
    tie_breaks,
    unlimited,
)
from graphenv.envs.queries.gold.sqlite_copies import Witness, file_digest, file_name, vary_sqlite
from graphenv.envs.queries.gold.uniqueness import worst_cut
from graphenv.envs.queries.gold.witnesses import VERSION, scopes, witnesses
from graphenv.envs.queries.sources.published import PublishedQueries, Question
from graphenv.query.model import Query, QueryIssue
from graphenv.query.schema import Schema
from graphenv.query.sql import read_sql

__all__ = ["CANDIDATES", "SqliteQueries", "find_database"]

CANDIDATES = 6
"""Seeds that are tried per database; a task gets those on which its gold says something."""

_REASONS: dict[Finding, str] = {
    "fails": "gold does not run",
    "too long": "gold exceeds the limits",
    "unreadable": "gold cannot be read",
    "not unique": "gold has no unique result",
}


class SqliteQueries(PublishedQueries):
    """What `spider` and `bird` do with questions once they are read.

    Gold runs once on the database and on `CANDIDATES` seeded copies of it; what was found is kept
    in the cache folder. A question is left out, and counted in `left_out`, if its database is
    missing, its gold fails, has no unique result (ties at a LIMIT, values that depend on the order
    of rows), returns nothing anywhere, or the same on every copy: a constant would be right.
    """

    def __init__(self, split: str, count: int, ambiguous: str) -> None:
        super().__init__("sql", split, ambiguous)
        self._variations = whole(self.name, "variations", count, 0, CANDIDATES)
        self._keep_ambiguous = ambiguous == "accept"
        self._files: dict[str, Path] = {}
        self._makers: dict[str, _Copies] = {}
        self._seeds: list[tuple[int, ...]] = []

    def _take(self, questions: Sequence[Question], files: dict[str, Path]) -> None:
        """Make tasks of the questions whose database file is there."""
        grouped: dict[str, list[int]] = {}
        for at, question in enumerate(questions):
            if question.database in files:
                grouped.setdefault(question.database, []).append(at)
            else:
                self.left_out["database file missing"] += 1
        kept: dict[int, tuple[Question, tuple[int, ...]]] = {}
        for name, group in grouped.items():
            golds = tuple(questions[at].gold for at in group)
            copies = _Copies(files[name], self._schema_of(name), golds)
            self._makers[name] = copies
            for at, findings in zip(group, copies.findings(self._variations), strict=True):
                seeds = self._judge(findings)
                if seeds is not None:
                    looked = [findings[0], *(findings[1 + seed] for seed in seeds)]
                    kept[at] = (_described(questions[at], [f.finding for f in looked]), seeds)
        for _, (question, seeds) in sorted(kept.items()):
            self._questions.append(question)
            self._seeds.append(seeds)
        digests = sorted((name, copies.digest) for name, copies in self._makers.items())
        self._close(self._variations, self._seeds, digests)

    def _take_without_data(self, questions: Sequence[Question]) -> None:
        """Make tasks of all questions; what is not unique is seen from gold alone."""
        for question in questions:
            ordered = {"ordered": is_ordered(question.gold)}
            read = read_sql(question.gold, self._schema_of(question.database))
            if not isinstance(read, Query):
                self.left_out["gold cannot be read"] += 1
            elif worst_cut(read, self._schema_of(question.database)) != "no order":
                self._questions.append(replace(question, meta={**question.meta, **ordered}))
            elif self._keep_ambiguous:
                more = {"ambiguous": True, "accept": [unlimited(question.gold)]}
                meta = {**question.meta, **ordered, **more}
                self._questions.append(replace(question, meta=meta))
            else:
                self.left_out[_REASONS["not unique"]] += 1
        self._close(self._variations)

    def _judge(self, findings: Sequence[Looked]) -> tuple[int, ...] | None:
        """Return the seeds of a task's variations, `None` if it is left out."""
        original = findings[0].finding
        reason = _REASONS.get(original)
        if original == "not unique" and self._keep_ambiguous:
            reason = None
        seeds = telling_copies(findings, self._variations)
        if reason is None and original == "empty" and not seeds:
            reason = "gold returns nothing anywhere"
        if reason is None and seeds is None and original != "not unique":
            reason = CONSTANT_RIGHT
        if reason is not None:
            self.left_out[reason] += 1
            return None
        return seeds or ()

    def databases(self, index: int) -> tuple[Database, ...]:
        copies = self._makers.get(self._questions[index].database)
        if copies is None:
            return ()
        return (_database(copies.path), *(_database(copies.file(s)) for s in self._seeds[index]))


def _described(question: Question, findings: Sequence[Finding]) -> Question:
    meta = {**question.meta, "ordered": is_ordered(question.gold)}
    if "order not unique" in findings:
        # The engine's own order of equal rows is right, and so are these two.
        meta["order_ties"] = True
        forms = tie_breaks(question.gold, 0)
        meta["accept"] = [text for text in forms if text != question.gold]
    if findings[0] == "not unique":
        meta["ambiguous"] = True
        meta["accept"] = [unlimited(question.gold)]
    return replace(question, meta=meta)


class _Copies:
    """A database file, its seeded copies, and what gold does on each of them."""

    def __init__(self, path: Path, schema: Schema, golds: tuple[str, ...]) -> None:
        self.path, self.schema, self.golds = path, schema, golds
        versions = (sqlite_copies.VERSION, sqlite_audit.VERSION, VERSION, CANDIDATES)
        parts = (versions, schema.to_json(), golds)
        text = f"{_digest(path)}{json.dumps(parts)}"
        self.digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        self._wanted: tuple[tuple[Witness, ...], tuple[tuple[str, str], ...]] | None = None

    def findings(self, count: int) -> list[list[Looked]]:
        """Return what every gold query does on the file and, if asked for, on its copies."""
        copies = range(CANDIDATES if count else 0)
        digest = hashlib.sha256(f"{self.digest}{len(copies)}".encode()).hexdigest()

        def make(out: Path) -> None:
            columns = [audit_sqlite(self.path, self.golds)]
            columns += [audit_sqlite(self.file(seed), self.golds) for seed in copies]
            for at, gold in enumerate(self.golds):
                if isinstance(read_sql(gold, self.schema), QueryIssue):
                    columns[0][at] = Looked("unreadable")
            out.write_text(json.dumps(list(zip(*columns, strict=True))), encoding="utf-8")

        file = cached(f"{file_name(self.path)}-gold.json", digest, make)
        known = json.loads(file.read_text(encoding="utf-8"))
        return [[Looked(*each) for each in row] for row in known]

    def file(self, seed: int) -> Path:
        """Return the copy of a seed, which is written if it is not there."""
        if self._wanted is None:
            self._wanted = _wanted(self.schema, self.golds)
        planted, joins = self._wanted
        return vary_sqlite(self.path, seed, witnesses=planted, joins=joins)


def _wanted(
    schema: Schema, golds: Sequence[str]
) -> tuple[tuple[Witness, ...], tuple[tuple[str, str], ...]]:
    queries = [read for gold in golds if isinstance(read := read_sql(gold, schema), Query)]
    planted = dict.fromkeys(w for query in queries for w in witnesses(query, schema))
    joins = [join for relation in schema.relations for join in relation.joins]
    for query in queries:
        for scope in scopes(query.scope):
            for relation in scope.relations:
                left, equals, right = relation.name.partition("=")
                if equals and "." in left and "." in right:
                    joins.append((left, right))
    return tuple(planted), tuple(dict.fromkeys(joins))


def find_database(folder: Path, name: str) -> Path | None:
    """Return the file of a database: `<name>/<name>.sqlite`, or `<name>.sqlite`."""
    for path in (folder / name / f"{name}.sqlite", folder / f"{name}.sqlite"):
        if path.is_file():
            return path
    return None


def _database(path: Path) -> Database:
    return Database("sqlite", str(path.resolve()), _digest(path))


def _digest(path: Path) -> str:
    status = path.stat()
    return _digest_of(str(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _digest_of(path: str, _modified: int, _size: int) -> str:
    return file_digest(Path(path))
