"""BIRD (Li et al., NeurIPS 2023): SQL questions with evidence over large databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphenv.envs.files import need, read_rows, text_in
from graphenv.envs.queries.sources.inferred import schema_of_file, schema_of_queries
from graphenv.envs.queries.sources.published import Question, carve_databases
from graphenv.envs.queries.sources.spider import read_schemas
from graphenv.envs.queries.sources.sqlite import SqliteQueries, find_database

__all__ = ["BirdQueries"]

LAYOUT = (
    "one of mini_dev_sqlite.json, dev.json, train.json with the fields question, evidence, SQL, "
    "db_id; optionally the databases as <folder>/<db_id>/<db_id>.sqlite by databases=, and the "
    "schemas as dev_tables.json or train_tables.json"
)
_TEST = ("mini_dev_sqlite.json", "dev.json")
_TABLES = ("dev_tables.json", "train_tables.json", "tables.json")
_FOLDERS = ("dev_databases", "train_databases", "databases", "database")


class BirdQueries(SqliteQueries):
    """BIRD or its mini-dev by folder. The evidence is part of the question.

    Without databases nothing is executed (`executes` is false): structural rewards work, and terms
    that need results are refused when an environment is made. Without a file of schemas they are
    read from the databases; without these too, a schema is what the gold of all questions of a
    database names, and `note` says so.

    Parameters
    ----------
    root
        The folder.
    databases
        The name of the folder with the databases, in `root` or as a path; by default one of
        dev_databases, train_databases, databases and database, if there is one.
    variations, ambiguous
        As for `spider`.
    split
        With train.json: `heldout` is mini_dev_sqlite.json or dev.json, `train` and `validation`
        are carved from train.json by database. Else the one file is carved by database.

    Raises
    ------
    DataError
        If files are missing or a row is broken.
    """

    name = "bird"

    def __init__(
        self,
        *,
        split: str,
        root: str,
        databases: str | None = None,
        variations: int = 3,
        ambiguous: str = "leave out",
    ) -> None:
        super().__init__(split, variations, ambiguous)
        folder = Path(root)
        asked = f"bird in {folder}"
        need(folder, asked=asked, layout=LAYOUT, folder=True)
        train = folder / "train.json"
        test = next((folder / name for name in _TEST if (folder / name).is_file()), None)
        if train.is_file() and split != "heldout":
            questions, shares = _read(train), {"heldout": 0.0}
            self.note = "train and validation are carved from train.json by database."
        elif train.is_file() and test is not None:
            questions, shares = _read(test), None
            self.note = f"heldout is {test.name}."
        else:
            file = test or need(folder / _TEST[0], asked=asked, layout=LAYOUT)
            questions, shares = _read(file), {"heldout": 0.2}
            self.note = f"{file.name} is carved by database."
        place = folder / databases if databases else _first(folder)
        if databases:
            place = need(folder / databases, asked=asked, layout=LAYOUT, folder=True)
        names = sorted({question.database for question in questions})
        found = {
            name: path
            for name in names
            if place is not None and (path := find_database(place, name)) is not None
        }
        if shares is not None:
            known = [q.database for q in questions if not found or q.database in found]
            splits = carve_databases("bird", known, **shares)
            questions = [q for q in questions if splits.get(q.database, split) == split]
        for table in (folder / name for name in _TABLES if (folder / name).is_file()):
            self._schemas.update(read_schemas(table))
        for name in sorted({q.database for q in questions} - set(self._schemas)):
            if name in found:
                self._schemas[name] = schema_of_file(found[name])
            else:
                golds = [q.gold for q in questions if q.database == name]
                self._schemas[name] = schema_of_queries(name, golds)
                if "schemas" not in self.note:
                    self.note += " There are no schemas: they are what gold queries name."
        self._executes = place is not None
        if place is not None:
            self._take(questions, found)
        else:
            self._take_without_data(questions)

    @property
    def executes(self) -> bool:
        return self._executes


def _first(folder: Path) -> Path | None:
    return next((folder / name for name in _FOLDERS if (folder / name).is_dir()), None)


def _read(path: Path) -> list[Question]:
    return [_question(path, number, row) for number, row in read_rows(path)]


def _question(path: Path, number: int, row: dict[str, Any]) -> Question:
    text = text_in(path, number, row, "question")
    evidence = row.get("evidence")
    if isinstance(evidence, str) and evidence.strip():
        text = f"{text}\nEvidence: {evidence.strip()}"
    meta = {"difficulty": row["difficulty"]} if isinstance(row.get("difficulty"), str) else {}
    return Question(
        id=f"bird/{path.stem}/{row.get('question_id', number)}",
        database=text_in(path, number, row, "db_id"),
        text=text,
        gold=text_in(path, number, row, "SQL"),
        meta=meta,
    )
