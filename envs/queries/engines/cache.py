"""Results that are known already, and queries that are known to kill the engine."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable

from graphenv.query.results import QueryError, Result, Value

__all__ = ["ResultCache", "query_hash"]

LASTING = frozenset({"syntax", "schema", "runtime", "refused", "unsupported", "size"})
"""Errors that a query gives every time. Memory depends on the build of the engine, and a timeout on
the machine unless work is counted (then `sure` says so)."""


def query_hash(query: str) -> bytes:
    """Return a digest of a query; whole, so that no other text is taken for it."""
    return hashlib.blake2b(query.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class ResultCache:
    """Bounded, least recently used first out; shared by all threads of a process.

    Only what a fresh run would give again is kept, so a hit equals a run.

    Parameters
    ----------
    cells
        Most cells and characters/8 of all results together: about 100 bytes each. Names of columns
        and messages count too.
    """

    def __init__(self, cells: int = 1_000_000) -> None:
        self._most, self._held = cells, 0
        self._entries: OrderedDict[Hashable, tuple[Result, int]] = OrderedDict()
        self._deadly: OrderedDict[Hashable, QueryError] = OrderedDict()
        self.renew()

    def renew(self) -> None:
        """Take a new lock: the old one may have been held when the process was forked."""
        self._lock = threading.Lock()

    def get(self, database: str, key: Hashable, digest: bytes) -> Result | None:
        """Return what is known about a query."""
        with self._lock:
            entry = self._entries.get((database, key, digest))
            if entry is not None:
                self._entries.move_to_end((database, key, digest))
                return entry[0]
            return self._deadly.get((database, digest))

    def put(
        self, database: str, key: Hashable, digest: bytes, result: Result, *, sure: bool
    ) -> None:
        """Keep a result, if it is one that lasts; a crash is kept as a warning."""
        if isinstance(result, QueryError):
            if result.kind == "crash":
                self._denied(database, digest, result)
                return
            if result.kind not in LASTING and not (sure and result.kind == "timeout"):
                return
        size = _size(result)
        if size > self._most // 10:
            return
        with self._lock:
            old = self._entries.pop((database, key, digest), None)
            self._entries[database, key, digest] = (result, size)
            self._held += size - (old[1] if old else 0)
            while self._held > self._most:
                self._held -= self._entries.popitem(last=False)[1][1]

    def _denied(self, database: str, digest: bytes, crash: QueryError) -> None:
        again = QueryError("crash", f"{crash.reason} (it did so before and was not run again)")
        with self._lock:
            self._deadly[database, digest] = again
            if len(self._deadly) > 10_000:
                self._deadly.popitem(last=False)


def _size(result: Result) -> int:
    if isinstance(result, QueryError):
        return 4 + _cell(result.reason)
    return 4 + sum(map(_cell, result.columns)) + sum(_cell(c) for row in result.rows for c in row)


def _cell(cell: Value) -> int:
    if isinstance(cell, str):
        return 1 + len(cell) // 8
    return 1 + sum(map(_cell, cell)) if isinstance(cell, tuple) else 1
