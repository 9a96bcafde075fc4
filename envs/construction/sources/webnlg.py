"""WebNLG (Gardent et al., ACL 2017): one to seven DBpedia triples, and texts that state them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphenv.corpus import Passage
from graphenv.envs.construction.reading import plain_name
from graphenv.envs.construction.sources.published import Documents, PublishedDocuments
from graphenv.envs.files import broken_row, need, read_rows
from graphenv.errors import DataError
from graphenv.graph import Triple
from graphenv.task import carve_split
from graphenv.text import normalize

__all__ = ["WebNLG"]

LAYOUT = (
    "folders train and dev with the XML files of a release (train/1triples/Airport.xml ...), or "
    'train.jsonl and dev.jsonl with rows such as {"id": "...", "category": "Airport", "triples": '
    '[["Aarhus", "leaderName", "Jacob_Bundsgaard"]], "texts": ["..."]}'
)
_QUOTED = re.compile(r'"([^"]*)"(\([^"()]*\))?')


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str
    category: str
    triples: tuple[Triple, ...]
    texts: tuple[str, ...]

    @property
    def problem(self) -> tuple[Triple, ...]:
        """What identifies the entry: two entries with the same triples are one problem."""
        return tuple(sorted(self.triples))


class WebNLG(PublishedDocuments):
    """WebNLG by folder. A task is one text of one entry; gold are the entry's triples.

    Names have underscores as spaces, and no quotation marks around literals; relation names stay as
    they are. The prompt may list the relations of the entry's category, over all files. Texts whose
    comment is `bad` are not read.

    Parameters
    ----------
    root
        The folder of a release (`modifiedtripleset` is read) or of rows of JSON.
    split
        `heldout` is dev; `train` and `validation` are carved from train by set of triples. What
        stands in a later split (train before validation before heldout), as a set of triples or as
        a text, is left out of the earlier one.

    Raises
    ------
    DataError
        If files are missing or broken.
    """

    name = "webnlg"

    def __init__(self, *, split: str, root: str) -> None:
        super().__init__(split)
        self.note = "train and validation are carved from train by set of triples."
        train, dev = (_entries(Path(root), part) for part in ("train", "dev"))
        relations: dict[str, set[str]] = defaultdict(set)
        for entry in (*train, *dev):
            relations[entry.category].update(relation for _, relation, _ in entry.triples)
        listed = {category: tuple(sorted(names)) for category, names in relations.items()}
        entries = self._of_split(train, dev)
        rows = []
        for entry, texts in entries:
            if not entry.texts:
                self.left_out["entries without a text"] += 1
            for number, text in texts:
                row = Documents(
                    f"webnlg/{entry.id}/{number}",
                    (Passage("", text),),
                    entry.triples,
                    listed[entry.category],
                    meta={"category": entry.category, "size": len(entry.triples)},
                )
                rows.append(row)
        self._close(rows)

    def _of_split(
        self, train: list[_Entry], dev: list[_Entry]
    ) -> Iterable[tuple[_Entry, list[tuple[int, str]]]]:
        """Yield the entries of the split with the texts that no later split has."""
        held = {entry.problem for entry in dev}
        parts: dict[str, list[_Entry]] = {"train": [], "validation": [], "heldout": dev}
        for entry in train:
            if entry.problem not in held:
                parts[carve_split("webnlg", entry.problem, heldout=0.0)].append(entry)
            elif self.split == "train":
                self.left_out["entries whose triples stand in heldout"] += 1
        barred: dict[str, str] = {}
        for later in {"train": ("heldout", "validation"), "validation": ("heldout",)}.get(
            self.split, ()
        ):
            for entry in parts[later]:
                barred |= {t: later for t in map(normalize, entry.texts) if t not in barred}
        for entry in parts[self.split]:
            kept = []
            for number, text in enumerate(entry.texts):
                later = barred.get(normalize(text), "")
                if later:
                    self.left_out[f"texts that stand in {later}"] += 1
                else:
                    kept.append((number, text))
            yield entry, kept


def _entries(root: Path, part: str) -> list[_Entry]:
    """Return the entries of `train` or `dev`, from rows of JSON or from XML files."""
    folder = root / part
    files = sorted(folder.rglob("*.xml"))
    if files:
        return [entry for file in files for entry in _read_xml(file)]
    asked = f"webnlg in {root}"
    path = need(root / f"{part}.jsonl", asked=asked, layout=LAYOUT)
    return [_read_row(path, number, row) for number, row in read_rows(path)]


def _read_row(path: Path, number: int, row: dict[str, Any]) -> _Entry:
    triples, texts = row.get("triples"), row.get("texts")
    if not isinstance(triples, list) or not triples:
        broken_row(path, number, row, "'triples' must be a list of triples")
    for triple in triples:
        fits = isinstance(triple, list) and len(triple) == 3
        if not fits or not all(isinstance(name, str) and _name(name) for name in triple):
            broken_row(path, number, row, "a triple is a list of three names")
    if not isinstance(texts, list) or not all(isinstance(t, str) and t.strip() for t in texts):
        broken_row(path, number, row, "'texts' must be a list of texts")
    id = str(row.get("id", number))
    return _entry(id, str(row.get("category", "")), triples, texts)


def _read_xml(path: Path) -> list[_Entry]:
    try:
        tree = ET.parse(path)
    except ET.ParseError as error:
        raise DataError(f"{path}: not valid XML: {error}. Expected: {LAYOUT}") from error
    entries = []
    for node in tree.iter("entry"):
        triples = [(t.text or "").split(" | ") for t in node.iterfind("modifiedtripleset/mtriple")]
        category, eid = node.get("category", ""), node.get("eid", "")
        if not triples or not all(len(t) == 3 and all(map(_name, t)) for t in triples):
            raise DataError(f"{path}: entry {eid!r} has no triples 'head | relation | tail'")
        texts = [
            " ".join((lex.text or "").split())
            for lex in node.iterfind("lex")
            if lex.get("comment") != "bad"
        ]
        id = f"{category}/{len(triples)}triples/{eid}"
        entries.append(_entry(id, category, triples, [text for text in texts if text]))
    return entries


def _entry(id: str, category: str, triples: list[list[str]], texts: list[str]) -> _Entry:
    named = ((_name(h), r.strip(), _name(t)) for h, r, t in triples)
    return _Entry(id, category, tuple(dict.fromkeys(named)), tuple(texts))


def _name(name: str) -> str:
    """Return a name with spaces, and without the quotation marks of a literal.

    >>> _name('"100305.0"(minutes)'), _name("Aarhus_Airport")
    ('100305.0 (minutes)', 'Aarhus Airport')
    """
    quoted = _QUOTED.fullmatch(name.strip())
    if quoted is not None:
        name = f"{quoted[1]} {quoted[2] or ''}"
    return plain_name(name)
