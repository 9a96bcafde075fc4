"""Spider (Yu et al., EMNLP 2018): SQL questions over many databases."""

from __future__ import annotations

from pathlib import Path

from graphenv.envs.files import need, read_rows, text_in
from graphenv.envs.queries.sources.published import Question, carve_databases
from graphenv.envs.queries.sources.sqlite import SqliteQueries, find_database
from graphenv.query.schema import Schema
from graphenv.query.sql.spider_tables import spider_schema

__all__ = ["SpiderQueries", "read_schemas"]

LAYOUT = (
    "dev.json and, for training, train_spider.json (and train_others.json); tables.json; the "
    "folder database with <db_id>/<db_id>.sqlite (or <db_id>.sqlite), or another by databases="
)
_TRAIN = ("train_spider.json", "train_others.json")


class SpiderQueries(SqliteQueries):
    """Spider by folder.

    Parameters
    ----------
    root
        The folder, in the official layout.
    databases
        The name of the folder with the databases, in `root` or as a path.
    variations
        How many seeded copies of its database a task is checked on beside the original, at most;
        those on which gold returns nothing, or nothing unique, are passed over.
    ambiguous
        `leave out`, or `accept`: keep gold whose result is not unique, with its form without LIMIT
        as `meta["accept"]`.
    split
        With the training files: `heldout` is dev.json, `train` and `validation` are the training
        questions, carved by database. With dev.json alone it is carved by database, among the
        databases that are there; `note` says which was done.

    Raises
    ------
    DataError
        If files are missing or a row is broken.
    """

    name = "spider"

    def __init__(
        self,
        *,
        split: str,
        root: str,
        databases: str = "database",
        variations: int = 3,
        ambiguous: str = "leave out",
    ) -> None:
        super().__init__(split, variations, ambiguous)
        folder = Path(root)
        asked = f"spider in {folder}"
        need(folder, asked=asked, layout=LAYOUT, folder=True)
        tables = need(folder / "tables.json", asked=asked, layout=LAYOUT)
        files = need(folder / databases, asked=asked, layout=LAYOUT, folder=True)
        training = [folder / name for name in _TRAIN if (folder / name).is_file()]
        if training and split == "heldout":
            questions = _read(need(folder / "dev.json", asked=asked, layout=LAYOUT))
            self.note = "heldout is dev.json."
        elif training:
            questions = [question for path in training for question in _read(path)]
            self.note = "train and validation are carved from the training files by database."
        else:
            questions = _read(need(folder / "dev.json", asked=asked, layout=LAYOUT))
            self.note = (
                "There are no training files: dev.json is carved by database, among those whose "
                "files are there. Figures on it are not comparable with published ones."
            )
        found = {
            name: path
            for name in sorted({question.database for question in questions})
            if (path := find_database(files, name)) is not None
        }
        if not (training and split == "heldout"):
            known = [question.database for question in questions if question.database in found]
            splits = carve_databases("spider", known, heldout=0 if training else 0.2)
            # Questions whose database is missing are of no split: every split reports them.
            questions = [q for q in questions if splits.get(q.database, split) == split]
        self._schemas = read_schemas(tables)
        self._take(questions, found)


def read_schemas(path: Path) -> dict[str, Schema]:
    return {
        text_in(path, number, entry, "db_id"): spider_schema(entry)
        for number, entry in read_rows(path)
    }


def _read(path: Path) -> list[Question]:
    return [
        Question(
            id=f"spider/{path.stem}/{number}",
            database=text_in(path, number, row, "db_id"),
            text=text_in(path, number, row, "question"),
            gold=text_in(path, number, row, "query"),
        )
        for number, row in read_rows(path)
    ]
