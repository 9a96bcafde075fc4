"""neo4j-labs text2cypher: Cypher questions over schemas, without the data."""

from __future__ import annotations

import ast
import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphenv.envs.files import need, text_in
from graphenv.envs.queries.gold.uniqueness import worst_cut
from graphenv.envs.queries.sources.published import PublishedQueries, Question, carve_databases
from graphenv.errors import DataError
from graphenv.query.cypher import read_cypher
from graphenv.query.model import Query
from graphenv.query.schema import EntityType, Property, RelationType, Schema

__all__ = ["Neo4jText2Cypher"]

LAYOUT = (
    "text2cypher_gpt4turbo.csv with question, cypher, type, database, syntax_error, false_schema; "
    "text2cypher_schemas.csv with database, structured_schema"
)
_TYPES = {
    "STRING": "text",
    "INTEGER": "integer",
    "FLOAT": "real",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DATE_TIME": "date",
    "LIST": "list",
}


class Neo4jText2Cypher(PublishedQueries):
    """Questions of neo4j-labs/text2cypher (gold written by a language model, not checked by hand).

    There is no data: nothing is executed, and terms that need results are refused when an
    environment is made. Left out, with counts in `left_out`: gold that upstream marks as a syntax
    error or as naming what the schema does not have, gold that cannot be read, databases without a
    schema, and gold with a LIMIT after no order, whose result is any rows. Gold with a LIMIT after
    an order in which rows may be equal is kept and has `meta["cut"] == "ties possible"`.

    Parameters
    ----------
    root
        The folder with the two csv files.
    ambiguous
        `leave out`, or `accept`: keep gold with a LIMIT after no order, as `meta["ambiguous"]`.
    split
        Carved by database.

    Raises
    ------
    DataError
        If a file is missing or a row is broken.
    """

    name = "neo4j_text2cypher"

    def __init__(self, *, split: str, root: str, ambiguous: str = "leave out") -> None:
        super().__init__("cypher", split, ambiguous)
        folder = Path(root)
        asked = f"neo4j_text2cypher in {folder}"
        need(folder, asked=asked, layout=LAYOUT, folder=True)
        file = need(folder / "text2cypher_gpt4turbo.csv", asked=asked, layout=LAYOUT)
        described = need(folder / "text2cypher_schemas.csv", asked=asked, layout=LAYOUT)
        for number, row in csv_rows(described):
            database = text_in(described, number, row, "database")
            self._schemas[database] = _schema(described, number, database, row)
        rows = csv_rows(file)
        names = [text_in(file, number, row, "database") for number, row in rows]
        known = [name for name in names if name in self._schemas]
        splits = carve_databases(self.name, known)
        self.note = "Carved by database."
        for (number, row), database in zip(rows, names, strict=True):
            if splits.get(database, split) == split:
                self._add(file, number, row, database, ambiguous == "accept")
        self._close()

    @property
    def executes(self) -> bool:
        return False

    def _add(
        self, file: Path, number: int, row: Mapping[str, Any], database: str, keep: bool
    ) -> None:
        gold = text_in(file, number, row, "cypher")
        if database not in self._schemas:
            self.left_out["no schema of the database"] += 1
        elif str(row.get("syntax_error")) == "True":
            self.left_out["marked as a syntax error"] += 1
        elif str(row.get("false_schema") or "").strip():
            self.left_out["marked as false to the schema"] += 1
        elif not isinstance(query := read_cypher(gold, self._schemas[database]), Query):
            self.left_out[f"gold cannot be read ({query.kind})"] += 1
        else:
            cut = worst_cut(query, self._schemas[database])
            if cut == "no order" and not keep:
                self.left_out["gold has no unique result"] += 1
                return
            meta = {"ordered": bool(query.scope.order), "type": row.get("type", ""), "cut": cut}
            if cut == "no order":
                meta["ambiguous"] = True
            text = text_in(file, number, row, "question")
            id = f"{self.name}/{number}"
            self._questions.append(Question(id, database, text, gold, meta))


def csv_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return (number from 1, row) of a csv file with a header.

    Raises
    ------
    DataError
        If it is not UTF-8 text.
    """
    before = csv.field_size_limit(sys.maxsize)  # schemas are long
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return list(enumerate(csv.DictReader(lines), 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as UTF-8 csv: {error}") from error
    finally:
        csv.field_size_limit(before)


def _schema(path: Path, number: int, name: str, row: Mapping[str, Any]) -> Schema:
    try:
        # A Python literal, as upstream wrote it: nothing in it is called.
        found = ast.literal_eval(text_in(path, number, row, "structured_schema"))
        nodes, links = found["node_props"], found["rel_props"]
        joined = [(each["start"], each["type"], each["end"]) for each in found["relationships"]]
        labels = dict.fromkeys([*nodes, *(end for s, _, e in joined for end in (s, e))])
        return Schema(
            name,
            tuple(EntityType(label, _properties(nodes.get(label, ()))) for label in labels),
            tuple(
                RelationType(kind, start, end, _properties(links.get(kind, ())))
                for start, kind, end in dict.fromkeys(joined)
            ),
        )
    except (ValueError, SyntaxError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}, row {number} ({name}): structured_schema must be a Python literal with "
            f"node_props, rel_props and relationships; found {type(error).__name__}: {error}"
        ) from error


def _properties(listed: Any) -> tuple[Property, ...]:
    return tuple(
        Property(str(each["property"]), _TYPES.get(str(each["type"]), "other")) for each in listed
    )
