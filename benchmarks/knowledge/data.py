"""What is measured on: MetaQA, and a synthetic graph as large as a slice of Wikidata."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from graphenv.knowledge import KnowledgeGraph


def write_synthetic(file: Path, triples: int, entities: int, relations: int, seed: int = 0) -> None:
    """Write a tab-separated file of random triples with skewed degrees and relation sizes.

    Entity ranks are drawn as ``N u**1.5`` (heads) and ``N u**2`` (tails) with uniform u, relations
    as ``R u**2``: hubs with thousands of edges, many entities with two or three.
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(entities)
    with file.open("w", encoding="utf-8") as out:
        for at in range(0, triples, 500_000):
            count = min(500_000, triples - at)
            heads = shuffled[(entities * rng.random(count) ** 1.5).astype(np.int64)].tolist()
            tails = shuffled[(entities * rng.random(count) ** 2).astype(np.int64)].tolist()
            named = (relations * rng.random(count) ** 2).astype(np.int64).tolist()
            rows = zip(heads, named, tails, strict=True)
            out.writelines(
                f"entity number {h}\trelation_{r}\tentity number {t}\n" for h, r, t in rows
            )


Query = tuple[np.ndarray[tuple[int], np.dtype[np.int32]], list[int]]


def random_walks(kg: KnowledgeGraph, size: int, count: int, hops: int, seed: int) -> list[Query]:
    """Return (frontier, path) pairs in which every move has an edge from where it starts."""
    rng = np.random.default_rng(seed)
    found: list[Query] = []
    while len(found) < count:
        ids = rng.choice(kg.num_entities, size, replace=False).astype(np.int32)
        ids.sort()
        here, path = ids, []
        for _ in range(hops):
            moves = kg.moves(here)
            if not moves:
                break
            path.append(kg.move_id(moves[rng.integers(len(moves))]))
            here = kg.follow(here, path[-1])
        if len(path) == hops:
            found.append((ids, path))
    return found
