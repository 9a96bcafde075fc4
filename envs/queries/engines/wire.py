"""What passes the pipe between the trainer and a worker: a length, then JSON. Never pickle.

The worker may have been taken over by a query (it parses hostile text in C), so nothing that it
writes may do more here than become data: JSON of a bounded length, checked when it is read.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any, cast, get_args

from graphenv.envs.queries.engines.values import MAX_NESTING
from graphenv.query.results import ErrorKind, QueryError, Result, Rows, Value

__all__ = ["FrameReader", "WireError", "pack", "read_frame", "result_of", "write_result"]

MAX_FRAME = 64 * 2**20
"""Longest message, in bytes: above any result within limits that somebody would set."""
_LENGTH = struct.Struct("<I")
_KINDS = frozenset(get_args(ErrorKind))
_encode = json.JSONEncoder(separators=(",", ":")).encode


class WireError(Exception):
    """The other side wrote something that is no message."""


def pack(message: object) -> bytes:
    """Return the bytes of a message.

    Examples
    --------
    >>> pack([1])
    b'\\x03\\x00\\x00\\x00[1]'
    """
    body = _encode(message).encode("ascii")  # JSON escapes everything else, lone surrogates too
    return _LENGTH.pack(len(body)) + body


def read_frame(fd: int) -> Any | None:
    """Read one message, waiting for it; `None` at the end of the stream."""
    reader = FrameReader()
    while not reader.complete:
        if not reader.feed(fd):
            return None
    return reader.take()


class FrameReader:
    """Collects one message at a time from a pipe, piece by piece."""

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def complete(self) -> bool:
        """Whether a whole message is here.

        Raises
        ------
        WireError
            If the announced length is above `MAX_FRAME`.
        """
        if len(self._data) < _LENGTH.size:
            return False
        length: int = _LENGTH.unpack_from(self._data)[0]
        if length > MAX_FRAME:
            raise WireError(f"a message of {length} bytes")
        return len(self._data) >= _LENGTH.size + length

    def feed(self, fd: int) -> bool:
        """Read what is there, at most one piece; return whether the stream goes on."""
        piece = os.read(fd, 262_144)
        self._data += piece
        return bool(piece)

    def take(self) -> Any:
        """Return the message.

        Raises
        ------
        WireError
            If it is not JSON.
        """
        (length,) = _LENGTH.unpack_from(self._data)
        end = _LENGTH.size + length
        body = bytes(self._data[_LENGTH.size : end])
        del self._data[:end]
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise WireError("a message that is not JSON") from error


def write_result(result: Result, *, last: bool = False) -> bytes:
    """Return the message of a result; `last` says that the worker ends after it."""
    if isinstance(result, QueryError):
        return pack({"error": [result.kind, result.reason], "last": last})
    return pack({"columns": result.columns, "rows": result.rows, "work": result.work, "last": last})


def result_of(message: Any) -> Result:
    """Return the result in a message.

    Raises
    ------
    WireError
        If it has another form than `write_result` gives.
    """
    try:
        if "error" in message:
            kind, reason = message["error"]
            if kind not in _KINDS:
                raise WireError(f"an error of kind {kind!r}")
            return QueryError(cast(ErrorKind, kind), str(reason))
        work = message["work"]
        return Rows(
            tuple(str(name) for name in message["columns"]),
            tuple([tuple([_value(cell) for cell in row]) for row in message["rows"]]),
            None if work is None else int(work),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WireError("a message of another form") from error


def _value(cell: Any, levels: int = MAX_NESTING) -> Value:
    """Return a cell as it was before JSON made lists of its tuples."""
    if isinstance(cell, list):
        if not levels:
            raise WireError("a cell with too many levels")
        return tuple([_value(item, levels - 1) for item in cell])
    if isinstance(cell, dict):
        raise WireError("a cell that is no value")
    return cast(Value, cell)
