"""Triples from text files and iterables, interned on the way in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from graphenv.errors import DataError
from graphenv.knowledge.names import IntArray, encode

PathLike = str | os.PathLike[str]

_CHUNK_BYTES = 8 << 20
_CHUNK_ROWS = 1 << 18
_SNIFFED_LINES = 20
_SHOWN_CHARS = 200


class Columns(NamedTuple):
    """Interned triples: three id columns and the names in byte order (position is the id)."""

    heads: IntArray
    relations: IntArray
    tails: IntArray
    entity_names: list[bytes]
    relation_names: list[bytes]


class _Interner(dict[bytes, int]):
    """Give every new name the next number."""

    def __missing__(self, name: bytes) -> int:
        self[name] = number = len(self)
        return number


class _Builder:
    """Collect chunks of names as int32 columns."""

    def __init__(self) -> None:
        self._entities, self._relations = _Interner(), _Interner()
        self._chunks: list[tuple[IntArray, IntArray, IntArray]] = []

    def add(self, fields: list[bytes]) -> None:
        """Add the fields of whole rows: head, relation, tail, head, relation, tail, ..."""
        count = len(fields) // 3
        entity, relation = self._entities.__getitem__, self._relations.__getitem__
        heads = np.fromiter(map(entity, fields[0::3]), np.int32, count)
        relations = np.fromiter(map(relation, fields[1::3]), np.int32, count)
        tails = np.fromiter(map(entity, fields[2::3]), np.int32, count)
        self._chunks.append((heads, relations, tails))

    def finish(self) -> Columns:
        """Return the columns with ids in the byte order of the names.

        Sorted names make the ids, and with them every order a user can see, a function of the set
        of triples alone, not of the order of its rows.
        """
        columns = [np.concatenate(c) for c in zip(*self._chunks, strict=True)]
        self._chunks.clear()
        if not columns:
            columns = [np.zeros(0, np.int32)] * 3
        entities, entity_rank = _ranked(self._entities)
        relations, relation_rank = _ranked(self._relations)
        return Columns(
            entity_rank[columns[0]],
            relation_rank[columns[1]],
            entity_rank[columns[2]],
            entities,
            relations,
        )


def _ranked(interner: _Interner) -> tuple[list[bytes], IntArray]:
    """Return the names in byte order and the rank of every number; empties the interner."""
    names = sorted(interner)
    numbers = np.fromiter(map(interner.__getitem__, names), np.int64, len(names))
    interner.clear()
    rank = np.empty(len(names), np.int32)
    rank[numbers] = np.arange(len(names), dtype=np.int32)
    return names, rank


def intern_triples(triples: Iterable[tuple[str, str, str]]) -> Columns:
    """Return the columns of (head, relation, tail) names.

    Raises
    ------
    DataError
        If an item is not a triple of non-empty strings.
    """
    builder = _Builder()
    rows = iter(triples)
    done = 0
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        fields: list[bytes] = []
        for number, row in enumerate(chunk, done):
            if len(row) != 3 or not all(isinstance(name, str) and name for name in row):
                raise DataError(
                    f"triple number {number} is {row!r:.200}; (head, relation, tail) with three "
                    "non-empty strings is asked for"
                )
            fields += map(encode, row)
        builder.add(fields)
        done += len(chunk)
    return builder.finish()


def load_columns(paths: PathLike | Sequence[PathLike], sep: str | None) -> Columns:
    """Return the columns of one or more triple files (see `KnowledgeGraph.load`)."""
    files = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not files:
        raise DataError("no triple file was named; give a path or a list of paths")
    if sep is not None and (len(sep) != 1 or sep in "\r\n"):
        raise DataError(f"the separator must be one character and no line break, got {sep!r}")
    builder = _Builder()
    for file in files:
        _load_file(Path(file), sep, builder)
    return builder.finish()


def _load_file(path: Path, sep: str | None, builder: _Builder) -> None:
    line = 1
    separator = encode(sep) if sep is not None else None
    for chunk in _chunks(path):
        if separator is None:
            separator = _sniff(chunk, path)
        fields = _fields(chunk, separator)
        if fields is None:
            fields = _fields_slowly(chunk, separator, path, line)
        builder.add(fields)
        line += chunk.count(b"\n")


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces that end with a line, without byte-order mark and carriage returns."""
    if not path.is_file():
        parent = path.parent
        there = "is a folder" if path.is_dir() else "does not exist"
        near = sorted(p.name for p in islice(parent.iterdir(), 1000)) if parent.is_dir() else None
        found = f"its folder holds: {', '.join(near[:10]) or 'nothing'}" if near is not None else (
            f"nor does the folder {str(parent)!r}"
        )  # fmt: skip
        raise DataError(
            f"a triple file was asked for at {str(path)!r}, which {there}; {found}. Probably the "
            "data set is not downloaded, or the path is relative to another folder: check the path"
        )
    try:
        with path.open("rb") as file:
            rest = b""
            if (start := file.read(3)) != b"\xef\xbb\xbf":
                rest = start
            while piece := file.read(_CHUNK_BYTES):
                cut = piece.rfind(b"\n") + 1
                if not cut:
                    rest += piece
                    continue
                yield (rest + piece[:cut]).replace(b"\r\n", b"\n")
                rest = piece[cut:]
            if rest:
                yield rest.replace(b"\r\n", b"\n").removesuffix(b"\n") + b"\n"
    except OSError as error:
        raise DataError(
            f"the triple file {str(path)!r} cannot be read: {error.strerror}; check its permissions"
        ) from error


def _sniff(chunk: bytes, path: Path) -> bytes:
    """Return tab or ``|``, whichever splits the first filled line into three."""
    first: bytes | None = None
    for line in chunk.split(b"\n", _SNIFFED_LINES)[:_SNIFFED_LINES]:
        if line.strip():
            first = line if first is None else first
            for separator in (b"\t", b"|"):
                if line.count(separator) == 2:
                    return separator
    if first is None:
        return b"\t"
    raise DataError(
        f"no line among the first {_SNIFFED_LINES} of {str(path)!r} has three fields between tabs "
        f"or '|'; the first is {_shown(first)}. One triple head, relation, tail a line is asked "
        "for; if the file uses another separator, pass it as sep="
    )


def _fields(chunk: bytes, separator: bytes) -> list[bytes] | None:
    """Return the fields of a chunk in which every line is a good row, else None."""
    if len(separator) > 1:
        return None
    array = np.frombuffer(chunk, np.uint8)
    newline, mark = np.uint8(10), np.uint8(separator[0])
    is_mark: NDArray[Any] = array == newline
    is_mark |= array == mark
    at = np.flatnonzero(is_mark)
    if len(at) % 3:
        return None
    marks = array[at].reshape(-1, 3)
    if (marks != np.array([mark, mark, newline], np.uint8)).any():
        return None
    if len(at) and (at[0] == 0 or (np.diff(at) == 1).any()):
        return None  # an empty field
    try:
        chunk.decode("utf-8")
    except UnicodeDecodeError:
        return None
    fields = chunk.replace(separator, b"\n").split(b"\n")
    del fields[-1]
    return fields


def _fields_slowly(chunk: bytes, separator: bytes, path: Path, first_line: int) -> list[bytes]:
    """Return the fields of a chunk line by line: skips empty lines, names the first broken one."""
    fields: list[bytes] = []
    for number, line in enumerate(chunk.split(b"\n")[:-1], first_line):
        if not line.strip():
            continue
        row = line.split(separator)
        where = f"{path}, line {number}"
        if len(row) != 3:
            raise DataError(
                f"{where}: {len(row)} field{'s' * (len(row) != 1)} instead of three (head, "
                f"relation, tail) separated by {separator.decode()!r}: {_shown(line)}"
            )
        if not all(row):
            raise DataError(f"{where}: an empty field: {_shown(line)}")
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{where}: byte {error.start} is not UTF-8: {_shown(line)}. The file is probably "
                "in another encoding: convert it to UTF-8"
            ) from error
        fields += row
    return fields


def _shown(line: bytes) -> str:
    text = line[: 4 * _SHOWN_CHARS].decode("utf-8", "replace")
    return repr(text[:_SHOWN_CHARS]) + ("..." if len(text) > _SHOWN_CHARS else "")
