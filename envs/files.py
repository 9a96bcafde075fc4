"""Reading what users bring: files, rows of JSON, and errors that say what was found and where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from graphenv.errors import DataError
from graphenv.task import SPLITS

__all__ = [
    "Row",
    "broken_row",
    "first_file",
    "load_json",
    "names_in",
    "need",
    "parse_row",
    "read_rows",
    "split_in",
    "text_in",
]

Row = dict[str, Any]
_OTHER_NAMES = {"dev": "validation", "val": "validation", "valid": "validation", "test": "heldout"}


def need(path: Path, *, asked: str, layout: str, folder: bool = False) -> Path:
    """Return `path` if it is there.

    Raises
    ------
    DataError
        Saying what was asked for, what its folder holds and what layout is expected.
    """
    if path.is_dir() if folder else path.is_file():
        return path
    parent = path.parent
    while not parent.is_dir() and parent != parent.parent:
        parent = parent.parent
    names = sorted(p.name for p in parent.iterdir())
    held = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
    gone = f"the {'folder' if folder else 'file'} {path} is missing"
    if parent != path.parent:
        gone = f"the folder {path.parent} does not exist, so {path.name} is missing"
    raise DataError(
        f"{asked}: {gone}; {parent} holds {held or 'nothing'}. Expected layout: {layout}"
    )


def first_file(folder: Path, names: Sequence[str]) -> Path:
    """Return the first of some files that is there; the first name if none is."""
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])


def load_json(path: Path, kind: type, what: str) -> Any:
    """Return the JSON value of a file.

    Raises
    ------
    DataError
        If it is not UTF-8, no JSON, or of another kind.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}); convert it to UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(value, kind):
        raise DataError(f"{path} holds a JSON {type(value).__name__}; {what} is expected")
    return value


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


def text_in(path: Path, number: int, row: Mapping[str, Any], field: str) -> str:
    """Return the text in a field of a row.

    Raises
    ------
    DataError
        If it is missing or empty.
    """
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        broken_row(path, number, dict(row), f"{field!r} must hold text")
    return value.strip()
