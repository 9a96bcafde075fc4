"""Re-DocRED (Tan et al., EMNLP 2022): Wikipedia introductions with complete relations."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphenv.corpus import Passage
from graphenv.envs.construction.reading import plain_name
from graphenv.envs.construction.sources.published import Documents, PublishedDocuments
from graphenv.envs.files import broken_row, need, read_rows
from graphenv.errors import DataError
from graphenv.task import carve_split
from graphenv.text import normalize

__all__ = ["ReDocRED"]

LAYOUT = (
    "dev_revised.json, optionally train_revised.json, with a list of documents such as "
    '{"title": "...", "sents": [["A", "b", "."]], "vertexSet": [[{"name": "A", ...}]], '
    '"labels": [{"r": "P17", "h": 0, "t": 1}]}, and rel_info.json with the names of relations'
)


class ReDocRED(PublishedDocuments):
    """Re-DocRED by folder: a document a task, its tokens with spaces between them.

    All mentions of a vertex are names of one entity, so that any of them is right in an answer. A
    name that several vertices of a document share belongs to the one that has no name of its own
    (of several such, one with the fewest names), else to the one that is called so most often.
    Vertices that are left without a name are one entity with the owner of theirs (`merged` counts
    them). Relations go by the names of rel_info.json; without it, by their ids.

    Parameters
    ----------
    root
        The folder. DocRED's own files work when they are renamed.
    split
        With train_revised.json: `heldout` is dev_revised.json, `train` and `validation` are carved
        from the former by title, and titles that also stand in dev are left out. Without it
        dev_revised.json is carved by title.

    Attributes
    ----------
    merged
        Number of vertices of the split that have no name of their own.

    Raises
    ------
    DataError
        If files are missing or a document is broken.
    """

    name = "redocred"

    def __init__(self, *, split: str, root: str) -> None:
        super().__init__(split)
        folder = Path(root)
        asked = f"redocred in {folder}"
        dev = need(folder / "dev_revised.json", asked=asked, layout=LAYOUT)
        train = folder / "train_revised.json"
        names = _relation_names(folder / "rel_info.json")
        self.merged = 0
        self._names = names
        rows = self._of_split(dev, train if train.is_file() else None)
        if not names:
            used = {relation for row in rows for _, relation, _ in row.triples or ()}
            rows = [replace(row, relations=tuple(sorted(used))) for row in rows]
        self._close(rows)

    def _of_split(self, dev: Path, train: Path | None) -> list[Documents]:
        file, shares = dev, {"heldout": 0.2}
        held: set[str] = set()
        if train is None:
            self.note = "dev_revised.json is carved by title."
        else:
            self.note = "train and validation are carved from train_revised.json by title."
            if self.split != "heldout":
                file, shares = train, {"heldout": 0.0}
                held = {normalize(str(row.get("title"))) for _, row in read_rows(dev)}
        rows = []
        for number, row in read_rows(file):
            title = row.get("title")
            if not isinstance(title, str) or not title.strip():
                broken_row(file, number, row, "'title' must hold text")
            whole = train is not None and self.split == "heldout"
            if not whole and carve_split("redocred", normalize(title), **shares) != self.split:
                continue
            if normalize(title) in held:
                self.left_out["the title stands in dev"] += 1
            elif not row.get("labels"):
                self.left_out["no triples"] += 1
            else:
                rows.append(self._read(file, number, row, title))
        return rows

    def _read(self, path: Path, number: int, row: dict[str, Any], title: str) -> Documents:
        try:
            text = " ".join(" ".join(tokens) for tokens in row["sents"])
            mentions = [[plain_name(str(m["name"])) for m in v] for v in row["vertexSet"]]
            if not all(mentions) or not all(name for vertex in mentions for name in vertex):
                raise ValueError("a vertex has no name")
            groups, place = _entities(mentions)
            labels = dict.fromkeys((int(x["h"]), str(x["r"]), int(x["t"])) for x in row["labels"])
            triples = tuple(
                (groups[place[h]][0], self._names.get(r, r), groups[place[t]][0])
                for h, r, t in labels
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            broken_row(path, number, row, f"not a document of DocRED ({error!r})")
        self.merged += len(mentions) - len(groups)
        return Documents(
            f"redocred/{path.stem}/{title}",
            (Passage(title, text),),
            triples,
            tuple(self._names.values()),
            tuple(groups),
        )


def _entities(mentions: Sequence[Sequence[str]]) -> tuple[list[tuple[str, ...]], list[int]]:
    """Return the names of each entity, and the entity of each vertex; no name is in two entities.

    `mentions` are the names of each vertex as they come.

    >>> _entities([["Ann Lee", "Lee"], ["Bo Lee", "Lee", "Lee"], ["Rome"], ["Rome"]])
    ([('Ann Lee',), ('Bo Lee', 'Lee'), ('Rome',)], [0, 1, 2, 2])
    """
    owners: dict[str, list[int]] = defaultdict(list)
    for vertex, names in enumerate(mentions):
        for key in dict.fromkeys(map(normalize, names)):
            owners[key].append(vertex)
    counts = [[*map(normalize, names)] for names in mentions]
    poor = {v for v, keys in enumerate(counts) if all(len(owners[key]) > 1 for key in keys)}
    owner: dict[str, int] = {}
    for key, vertices in owners.items():
        needing = [v for v in vertices if v in poor]
        fewest = min((len({*counts[v]}) for v in needing), default=0)
        able = [v for v in needing if len({*counts[v]}) == fewest] or vertices
        owner[key] = max(able, key=lambda v: (counts[v].count(key), -v))
    place: dict[int, int] = {}
    groups: list[tuple[str, ...]] = []
    for vertex, names in enumerate(mentions):
        own = {key: n for n in reversed(names) if owner[key := normalize(n)] == vertex}
        if own:
            place[vertex] = len(groups)
            groups.append(tuple(reversed(own.values())))
    for vertex, keys in enumerate(counts):
        if vertex not in place:
            place[vertex] = place[owner[keys[0]]]
    return groups, [place[vertex] for vertex in range(len(mentions))]


def _relation_names(path: Path) -> dict[str, str]:
    """Return relation id to name; names that two ids share keep their ids apart."""
    if not path.is_file():
        return {}
    try:
        names = {str(key): str(name) for key, name in json.loads(path.read_text("utf-8")).items()}
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path}: not a table of relations: {error}. Expected: {LAYOUT}") from error
    values = [normalize(name) for name in names.values()]
    return {k: n if values.count(normalize(n)) == 1 else f"{n} ({k})" for k, n in names.items()}
