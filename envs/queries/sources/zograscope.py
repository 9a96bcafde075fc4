"""ZOGRASCOPE (Cazzaro et al., 2025): Cypher questions over the POLE graph of crimes."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphenv.checks import whole
from graphenv.envs.cache import cached
from graphenv.envs.files import need, text_in
from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.files.contents import Contents
from graphenv.envs.queries.gold import graph_audit, graph_copies
from graphenv.envs.queries.gold.findings import CONSTANT_RIGHT, Looked, telling_copies
from graphenv.envs.queries.gold.graph_audit import audit_cypher
from graphenv.envs.queries.gold.graph_copies import vary_contents
from graphenv.envs.queries.gold.sqlite_copies import file_digest
from graphenv.envs.queries.gold.uniqueness import worst_cut
from graphenv.envs.queries.gold.witnesses import VERSION as WITNESSES
from graphenv.envs.queries.gold.witnesses import witnesses
from graphenv.envs.queries.sources.importer_zip import VERSION, read_importer_zip
from graphenv.envs.queries.sources.neo4j_labs import csv_rows
from graphenv.envs.queries.sources.published import PublishedQueries, Question
from graphenv.query.cypher import read_cypher
from graphenv.query.model import Query, QueryIssue
from graphenv.query.schema import Schema
from graphenv.task import carve_split

__all__ = ["ZograscopeQueries"]

LAYOUT = (
    "zograscope_train_v1.csv (and zograscope_test_v1.csv) in the folder or in data/; "
    "pole-data-importer.zip in the folder or in graph/"
)
_GRAPH = "pole"
_MOST = 4


class ZograscopeQueries(PublishedQueries):
    """ZOGRASCOPE by folder.

    The graph is written once into a ladybug file in the cache folder, and so are its seeded copies.
    Every gold query runs once on each. A question is left out, and counted in `left_out`, if its
    gold cannot be read or does not run, returns another number of rows than was published, has
    no unique result (ties at the LIMIT, as where all ages are unknown), or returns the same on
    every copy: a constant would be right.

    Parameters
    ----------
    root
        The folder.
    variations
        How many seeded copies of the graph a task is checked on beside the original, at most.
    linked
        Whether the question names its entities in the form they have in the graph
        (`nl_gold_linked`).
    ambiguous
        `leave out`, or `accept`: keep gold whose result is not unique, as `meta["ambiguous"]`, with
        its form without LIMIT as `meta["accept"]`.
    split
        With the test file: `heldout` is that file, and the training file is carved into `train` and
        `validation`; without it, into all three; always by template, so that no query form is in
        two.

    Raises
    ------
    DataError
        If files are missing or a row is broken.
    """

    name = "zograscope"

    def __init__(
        self,
        *,
        split: str,
        root: str,
        variations: int = 2,
        linked: bool = False,
        ambiguous: str = "leave out",
    ) -> None:
        super().__init__("cypher", split, ambiguous)
        whole(self.name, "variations", variations, 0, _MOST)
        folder = Path(root)
        asked = f"zograscope in {folder}"
        need(folder, asked=asked, layout=LAYOUT, folder=True)
        graph = _one_of(folder, "graph", "pole-data-importer.zip", asked)
        train = _one_of(folder, "data", "zograscope_train_v1.csv", asked)
        test = train.with_name("zograscope_test_v1.csv")
        file = test if split == "heldout" and test.is_file() else train
        text = "nl_gold_linked" if linked else "nl"
        every = [_question(file, number, row, text) for number, row in csv_rows(file)]
        golds = tuple(dict.fromkeys(question.gold for question in every))
        self._graphs = _Graphs(graph, golds)
        self._schemas[_GRAPH] = self._graphs.schema
        findings = self._graphs.findings(variations)
        if file == test:
            self.note = f"heldout is {test.name}."
            chosen = every
        else:
            share = 0.0 if test.is_file() else 0.2
            self.note = f"{train.name} is carved by template."
            chosen = [q for q in every if _split(q, share) == split]
        self._seeds: list[tuple[int, ...]] = []
        for question in chosen:
            self._add(question, findings[question.gold], variations, ambiguous == "accept")
        self._close(variations, self._seeds, self._graphs.digest)

    def databases(self, index: int) -> tuple[Database, ...]:
        return (
            self._graphs.database(None),
            *(self._graphs.database(seed) for seed in self._seeds[index]),
        )

    def _add(self, question: Question, found: _Found, most: int, keep: bool) -> None:
        looked = [Looked(*each) for each in found["looked"]]
        original = looked[0].finding
        published = question.meta["rows"]
        meta = {**question.meta, "ordered": found["ordered"]}
        reason = {"fails": "gold does not run", "too long": "gold exceeds the limits"}.get(original)
        if found["issue"]:
            reason = found["issue"]
        elif reason is None and published is not None and published != looked[0].rows:
            reason = "not the published number of rows"
        elif original == "not unique":
            if keep:
                meta |= {"ambiguous": True, "accept": [found["unlimited"]]}
            else:
                reason = "gold has no unique result"
        seeds = telling_copies(looked, most)
        if reason is None and original == "empty" and not seeds:
            reason = "gold returns nothing anywhere"
        if reason is None and seeds is None and original != "not unique":
            reason = CONSTANT_RIGHT
        if reason is not None:
            self.left_out[reason] += 1
            return
        self._seeds.append(seeds or ())
        self._questions.append(
            Question(question.id, question.database, question.text, question.gold, meta)
        )


_Found = dict[str, Any]


class _Graphs:
    """The POLE graph and its seeded copies as ladybug files, and what gold does on them."""

    def __init__(self, path: Path, golds: tuple[str, ...]) -> None:
        self.path, self.golds = path, golds
        self._zip = file_digest(path)
        self._base = hashlib.sha256(f"{VERSION}{self._zip}".encode()).hexdigest()
        versions = (graph_copies.VERSION, graph_audit.VERSION, WITNESSES)
        parts = (versions, golds)
        text = self._base + json.dumps(parts)
        self.digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        self.schema: Schema = _contents(path, self._zip).schema

    def database(self, seed: int | None) -> Database:
        """Return the graph, or its copy of a seed; written if it is not there."""
        digest = self._base if seed is None else f"{self.digest}-{seed}"
        name = f"{_GRAPH}.lbug" if seed is None else f"{_GRAPH}-{seed}.lbug"
        path = cached(name, digest, lambda out: self._write(out, seed))
        return Database("ladybug", str(path), digest)

    def _write(self, out: Path, seed: int | None) -> None:
        from graphenv.envs.queries.files.ladybug import write_ladybug

        contents = _contents(self.path, self._zip)
        if seed is not None:
            queries = (read_cypher(gold, self.schema) for gold in self.golds)
            read = [query for query in queries if isinstance(query, Query)]
            planted = dict.fromkeys(w for query in read for w in witnesses(query, self.schema))
            contents = vary_contents(contents, seed, witnesses=tuple(planted))
        write_ladybug(contents, out)

    def findings(self, count: int) -> dict[str, _Found]:
        """Return by gold query what it does on the graph and on `count` copies."""
        file = cached(
            "gold.json",
            f"{self.digest}-{count}",
            lambda out: out.write_text(json.dumps(self._look(count)), encoding="utf-8"),
        )
        found: dict[str, _Found] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def _look(self, count: int) -> dict[str, _Found]:
        from graphenv.query.cypher import to_ladybug

        found: dict[str, _Found] = {}
        runs: list[str] = []
        for gold in self.golds:
            query = read_cypher(gold, self.schema)
            text = to_ladybug(gold, self.schema)
            issue = next((x for x in (query, text) if isinstance(x, QueryIssue)), None)
            found[gold] = {
                "issue": "" if issue is None else f"gold cannot be read ({issue.kind})",
                "ordered": isinstance(query, Query) and bool(query.scope.order),
                "looked": [Looked("fails")] * (1 + count),
                "unlimited": _without_limit(gold),
                "cut": worst_cut(query, self.schema) if isinstance(query, Query) else "none",
                "text": text if isinstance(text, str) else "",
            }
            if issue is None:
                runs.append(gold)
        texts = [found[gold]["text"] for gold in runs]
        cuts = [found[gold]["cut"] for gold in runs]
        for at, seed in enumerate((None, *range(count))):
            results = audit_cypher(self.database(seed), texts, cuts)
            for gold, result in zip(runs, results, strict=True):
                found[gold]["looked"][at] = result
        return found


@lru_cache(maxsize=1)
def _contents(path: Path, _digest: str) -> Contents:
    return read_importer_zip(path, _GRAPH)


def _without_limit(gold: str) -> str:
    head, limit, _ = gold.rpartition("LIMIT")
    return head.rstrip() if limit else gold


def _split(question: Question, heldout: float) -> str:
    return carve_split("zograscope", question.meta["template"], heldout=heldout)


def _one_of(folder: Path, inner: str, name: str, asked: str) -> Path:
    deeper = folder / inner / name
    return deeper if deeper.is_file() else need(folder / name, asked=asked, layout=LAYOUT)


def _question(path: Path, number: int, row: dict[str, Any], field: str) -> Question:
    count = str(row.get("return_count") or "")
    meta = {
        "template": str(row.get("template_id") or number),
        "type": str(row.get("type") or ""),
        "nodes": int(row["num_nodes"]) if str(row.get("num_nodes")).isdecimal() else None,
        "rows": int(count) if count.isdecimal() else None,
    }
    return Question(
        id=f"zograscope/{path.stem}/{row.get('id') or number}",
        database=_GRAPH,
        text=text_in(path, number, row, field),
        gold=text_in(path, number, row, "mr"),
        meta=meta,
    )
