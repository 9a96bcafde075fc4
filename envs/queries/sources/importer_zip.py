"""The zip of a Neo4j data importer (CSV per label and per relation, and a model) as `Contents`."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graphenv.envs.queries.files.contents import Contents, Row, link_key
from graphenv.errors import DataError
from graphenv.query.schema import EntityType, Property, RelationType, Schema

__all__ = ["KEY", "VERSION", "read_importer_zip"]

VERSION = 1
"""Goes up when the same zip gives other contents."""

KEY = "node_id"
"""The property that holds a node's id; the first of every label."""

LAYOUT = (
    "<name>.nodes.<Label>.csv with :ID, properties and :LABEL; <name>.relationships.<TYPE>.csv "
    "with :START_ID, :END_ID, :TYPE and properties; neo4j_importer_model.json with the types"
)
_TYPES = {"integer": "integer", "float": "real", "double": "real", "boolean": "boolean"}
_CASTS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "real": float,
    "boolean": lambda text: text.lower() == "true",
}


def read_importer_zip(path: Path, name: str) -> Contents:
    """Return nodes and relations of a zip; empty cells are null.

    Raises
    ------
    DataError
        If the file is no such zip, or a relation leads to a node that is not in it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = {entry: archive.read(entry) for entry in sorted(archive.namelist())}
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as a zip ({error}); expected {LAYOUT}") from error
    nodes = {_part(entry, ".nodes."): entry for entry in files if ".nodes." in entry}
    relations = {
        _part(entry, ".relationships."): entry for entry in files if ".relationships." in entry
    }
    if not nodes:
        held = ", ".join(list(files)[:8])
        raise DataError(f"{path} holds no nodes but {held or 'nothing'}; expected {LAYOUT}")
    types = _model_types(files.get("neo4j_importer_model.json", b"{}"))
    entities: dict[str, tuple[Row, ...]] = {}
    labels: dict[int, str] = {}
    kinds: list[EntityType] = []
    for label, entry in nodes.items():
        header, rows = _table(files[entry])
        columns = [at for at, column in enumerate(header) if not column.startswith(":")]
        properties = tuple(
            _property(header[at], types.get(label.lower(), {}), [row[at] for row in rows])
            for at in columns
        )
        kinds.append(EntityType(label, (Property(KEY, "integer"), *properties), (KEY,)))
        ids = [int(row[header.index(":ID")]) for row in rows]
        labels.update(dict.fromkeys(ids, label))
        entities[label] = tuple(
            (key, *(_cell(row[at], p.type) for at, p in zip(columns, properties, strict=True)))
            for key, row in zip(ids, rows, strict=True)
        )
    found: list[tuple[RelationType, tuple[Row, ...]]] = []
    for relation, entry in relations.items():
        found += _relation(path, relation, files[entry], types.get(relation.lower(), {}), labels)
    schema = Schema(name, tuple(kinds), tuple(relation for relation, _ in found))
    return Contents(schema, entities, {link_key(schema, r): rows for r, rows in found})


def _relation(
    path: Path, name: str, data: bytes, types: Mapping[str, str], labels: Mapping[int, str]
) -> list[tuple[RelationType, tuple[Row, ...]]]:
    header, rows = _table(data)
    start, end = header.index(":START_ID"), header.index(":END_ID")
    columns = [at for at, column in enumerate(header) if not column.startswith(":")]
    properties = tuple(_property(header[at], types, [row[at] for row in rows]) for at in columns)
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        ends = int(row[start]), int(row[end])
        if not (ends[0] in labels and ends[1] in labels):
            raise DataError(
                f"{path}: {name} joins {ends[0]} and {ends[1]}, which are not both nodes"
            )
        cells = (_cell(row[at], p.type) for at, p in zip(columns, properties, strict=True))
        grouped.setdefault((labels[ends[0]], labels[ends[1]]), []).append((*ends, *cells))
    return [
        (RelationType(name, head, tail, properties), tuple(links))
        for (head, tail), links in sorted(grouped.items())
    ]


def _table(data: bytes) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return header, [row for row in rows if row]


def _part(entry: str, mark: str) -> str:
    return entry.partition(mark)[2].removesuffix(".csv")


def _property(column: str, types: Mapping[str, str], values: Sequence[str]) -> Property:
    name, _, declared = column.partition(":")
    kind = _TYPES.get(declared or types.get(name, ""), "text")
    if kind != "text" and not all(_fits(value, kind) for value in values):
        kind = "text"
    return Property(name, kind)


def _fits(value: str, kind: str) -> bool:
    try:
        _cell(value, kind)
    except ValueError:
        return False
    return True


def _cell(value: str, kind: str) -> Any:
    return None if value == "" else _CASTS.get(kind, str)(value)


def _model_types(data: bytes) -> dict[str, dict[str, str]]:
    """Return the declared type of every property by label or relation, in lower case."""
    model = json.loads(data)
    schema = model.get("dataModel", {}).get("graphSchemaRepresentation", {}).get("graphSchema", {})
    found: dict[str, dict[str, str]] = {}
    for part in (*schema.get("nodeLabels", ()), *schema.get("relationshipTypes", ())):
        found[part["token"].lower()] = {
            each["token"]: str(each.get("type", {}).get("type", ""))
            for each in part.get("properties", ())
        }
    return found
