"""CoNLL04 (Roth and Yih, CoNLL 2004): sentences of news with entities and five relations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from graphenv.corpus import Passage
from graphenv.envs.construction.sources.published import Documents, PublishedDocuments
from graphenv.envs.files import broken_row, first_file, need, read_rows
from graphenv.errors import DataError
from graphenv.graph import Triple
from graphenv.task import carve_split
from graphenv.text import normalize

__all__ = ["CoNLL04"]

LAYOUT = (
    "train.jsonl and dev.jsonl (or conll04_train.json, conll04_dev.json) with rows such as "
    '{"tokens": [...], "entities": [{"start": 0, "end": 2, "type": "Peop"}], "relations": '
    '[{"head": 0, "tail": 1, "type": "Kill"}]}, and types.json'
)


class CoNLL04(PublishedDocuments):
    """CoNLL04 by folder, in the layout of SpERT (Eberts and Ulges, ECAI 2020).

    A task is a sentence: its tokens with spaces between them, so that every gold name stands in it
    as it is written. Entities without a relation are not in the gold. Entities of a sentence that
    have the same name are one node.

    Parameters
    ----------
    root
        The folder. Relation names are those of types.json; without it, those that occur.
    split
        `heldout` is the dev file; `train` and `validation` are carved from the train file by
        sentence. Sentences of the train file that also stand in the dev file are left out.

    Raises
    ------
    DataError
        If files are missing or a row is broken.
    """

    name = "conll04"

    def __init__(self, *, split: str, root: str) -> None:
        super().__init__(split)
        folder = Path(root)
        asked = f"conll04 in {folder}"
        files = [
            need(first_file(folder, names), asked=asked, layout=LAYOUT)
            for names in (
                ("train.jsonl", "train.json", "conll04_train.json"),
                ("dev.jsonl", "dev.json", "conll04_dev.json"),
            )
        ]
        train, dev = ([_read(file, n, row) for n, row in read_rows(file)] for file in files)
        relations = _relations(folder / "types.json", [*train, *dev])
        held = {normalize(text) for _, text, _ in dev}
        self.note = "train and validation are carved from the train file by sentence."
        rows = dev if self.split == "heldout" else train
        kept = []
        for id, text, triples in rows:
            if self.split != "heldout":
                if normalize(text) in held:
                    self.left_out["the sentence stands in the dev file"] += 1
                    continue
                if carve_split("conll04", normalize(text), heldout=0.0) != self.split:
                    continue
            if not triples:
                self.left_out["no triples"] += 1
                continue
            kept.append(Documents(f"conll04/{id}", (Passage("", text),), triples, relations))
        self._close(kept)


def _read(path: Path, number: int, row: dict[str, Any]) -> tuple[str, str, tuple[Triple, ...]]:
    """Return the id, the text and the triples of a sentence."""
    tokens, entities, relations = (row.get(k) for k in ("tokens", "entities", "relations"))
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        broken_row(path, number, row, "'tokens' must be a list of strings")
    if not isinstance(entities, list) or not isinstance(relations, list):
        broken_row(path, number, row, "'entities' and 'relations' must be lists")
    try:
        names = [" ".join(tokens[int(e["start"]) : int(e["end"])]) for e in entities]
        triples = [(names[r["head"]], str(r["type"]), names[r["tail"]]) for r in relations]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        broken_row(path, number, row, f"entities or relations do not fit ({error!r})")
    if not all(head and tail for head, _, tail in triples):
        broken_row(path, number, row, "an entity has no tokens")
    id = f"{path.stem.removeprefix('conll04_')}/{row.get('orig_id', number)}"
    return id, " ".join(tokens), tuple(dict.fromkeys(triples))


def _relations(path: Path, rows: list[tuple[str, str, tuple[Triple, ...]]]) -> tuple[str, ...]:
    if not path.is_file():
        return tuple(sorted({relation for *_, triples in rows for _, relation, _ in triples}))
    try:
        return tuple(json.loads(path.read_text("utf-8"))["relations"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a table of types: {error!r}. Expected: {LAYOUT}") from error
