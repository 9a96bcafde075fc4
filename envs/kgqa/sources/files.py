"""Reading what users bring: triple files, rows of JSON, and errors that name the line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from graphenv.errors import DataError
from graphenv.knowledge import KnowledgeGraph
from graphenv.task import SPLITS

__all__ = ["broken_row", "load_world", "names_in", "parse_row", "read_rows", "split_in"]

Row = dict[str, Any]
_OTHER_NAMES = {"dev": "validation", "val": "validation", "valid": "validation", "test": "heldout"}


def load_world(paths: Sequence[str | Path]) -> KnowledgeGraph:
    """Return the graph of one or more triple files; read once while they stay the same.

    Raises
    ------
    DataError
        If a file is missing or a row is broken (see `KnowledgeGraph.load`).
    """
    files = [Path(path) for path in paths]
    stamps = tuple(f.stat().st_mtime_ns if f.is_file() else 0 for f in files)
    return _load_world(tuple(str(f.resolve()) for f in files), stamps)


@lru_cache(maxsize=4)
def _load_world(paths: tuple[str, ...], _modified: tuple[int, ...]) -> KnowledgeGraph:
    return KnowledgeGraph.load(paths)


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield (line number, row) of a JSONL file, or (position from 1, row) of a JSON list.

    Raises
    ------
    DataError
        If the text is not UTF-8, or a row is no JSON object.
    """
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if number == 1 and line.lstrip().startswith("["):
                    break
                if line.strip():
                    yield number, parse_row(path, number, line)
            else:
                return
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}); convert it to UTF-8") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: not valid JSON: {error.msg}") from error
    except RecursionError as error:
        raise DataError(f"{path} is not valid JSON: nested too deeply") from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            broken_row(path, number, row, "a row is a JSON object")
        yield number, row


def parse_row(path: Path, number: int, line: str) -> Row:
    """Return the JSON object of one line.

    Raises
    ------
    DataError
        If it is none.
    """
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        broken_row(path, number, line, f"not valid JSON ({error.msg} at column {error.colno})")
    except RecursionError:
        broken_row(path, number, line, "nested too deeply")
    if not isinstance(row, dict):
        broken_row(path, number, line, "a row is a JSON object")
    return row


def broken_row(path: Path, number: int, row: object, why: str) -> NoReturn:
    """Raise the error of a row that cannot be used: file, line number, reason and text."""
    text = row.strip() if isinstance(row, str) else json.dumps(row, ensure_ascii=False)
    raise DataError(f"{path}, line {number}: {why}: {text[:160]!r}")


def names_in(path: Path, number: int, row: Row, field: str) -> tuple[str, ...]:
    """Return the distinct names in a field that holds one name or a list of names.

    Raises
    ------
    DataError
        If the field is missing or holds anything else.
    """
    value = row.get(field)
    items = value if isinstance(value, list) else [value]
    # Years and ids are often written as numbers; they are names all the same.
    if any(isinstance(i, bool) or not isinstance(i, str | int | float) or i == "" for i in items):
        found = "is missing" if field not in row else "must hold a name or a list of names"
        broken_row(path, number, row, f"{field!r} {found}")
    return tuple(dict.fromkeys(map(str, items)))


def split_in(path: Path, number: int, row: Row) -> str | None:
    """Return the split that a row names (`dev` and `test` are understood), `None` if it does not.

    Raises
    ------
    DataError
        If it names another.
    """
    named = row.get("split")
    if named is None:
        return None
    split = _OTHER_NAMES.get(str(named), str(named))
    if split not in SPLITS:
        known = ", ".join([*SPLITS, *_OTHER_NAMES])
        broken_row(path, number, row, f"'split' is {named!r}, which is none of {known}")
    return split
