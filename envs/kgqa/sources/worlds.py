"""Graphs from the triple files that users bring."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from graphenv.knowledge import KnowledgeGraph

__all__ = ["load_world"]


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
