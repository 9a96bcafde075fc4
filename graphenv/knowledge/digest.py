"""A hash of the content of a triple store."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np

from graphenv.knowledge.index import EdgeIndex
from graphenv.knowledge.names import IntArray, NameTable


def fingerprint(index: EdgeIndex, entities: NameTable, relations: NameTable) -> str:
    """Return the SHA-256 (hex) of names and triples, both in the byte order of the names."""
    digest = hashlib.sha256(b"graphenv.KnowledgeGraph/1")
    heads, moves, tails = index.triples_at()
    columns = []
    ordered = True
    for table in (entities, relations):
        names = table.raw_names()
        rank: IntArray | None = None
        if any(a > b for a, b in pairwise(names)):
            order = sorted(range(len(names)), key=names.__getitem__)
            rank = np.empty(len(names), np.int32)
            rank[order] = np.arange(len(names), dtype=np.int32)
            names = [names[i] for i in order]
            ordered = False
        digest.update(np.fromiter(map(len, names), "<i8", len(names)).tobytes())
        digest.update(b"".join(names))
        columns.append(rank)
    by_entity, by_relation = columns
    if by_entity is not None:
        heads, tails = by_entity[heads], by_entity[tails]
    if by_relation is not None:
        moves = by_relation[moves]
    if not ordered:
        order = np.lexsort((tails, heads, moves))  # type: ignore[assignment]
        heads, moves, tails = heads[order], moves[order], tails[order]
    for column in (heads, moves, tails):
        digest.update(np.ascontiguousarray(column, "<i4").data)
    return digest.hexdigest()
