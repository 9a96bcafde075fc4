"""A scored protein network in the layout `A<TAB>B<TAB>score`, read once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graphenv.envs.files import need
from graphenv.envs.subgraph.world import World
from graphenv.errors import DataError
from graphenv.knowledge import KnowledgeGraph

__all__ = ["LAYOUT", "RELATION", "Interactome", "load_interactome"]

LAYOUT = "ppi_iref13/iref13_interactome.tsv with rows protein<TAB>protein<TAB>score"
RELATION = "interacts_with"
_FILE = "iref13_interactome.tsv"


@dataclass(frozen=True)
class Interactome:
    """An undirected network of proteins: each pair once, with a score.

    Parameters
    ----------
    world
        Names and edges, the scores as weights; no features yet.
    names
        Protein names by entity id, in alphabetical order.
    heads, tails, scores
        Pairs as entity ids, head before tail, and their scores, shape (E,) each.
    degrees
        Number of partners by entity id, shape (N,).
    dropped
        Rows that are no pair of their own: a protein with itself, a pair again.
    """

    world: World
    names: tuple[str, ...]
    heads: NDArray[np.int64]
    tails: NDArray[np.int64]
    scores: NDArray[np.float64]
    degrees: NDArray[np.int64]
    dropped: Mapping[str, int]

    @property
    def fingerprint(self) -> str:
        """Digest of names and pairs (not of scores)."""
        return self.world.store.fingerprint

    def weights(self, values: NDArray[np.float64]) -> dict[tuple[int, int, int], float]:
        """Return numbers in the order of the pairs as the weights of a `World`."""
        return _weights(self.heads, self.tails, values)


def load_interactome(root: str | Path, asked: str) -> Interactome:
    """Return the network in a folder; the same object while the file stays the same.

    A pair that stands there twice, in either order, keeps its better score; a protein's pair with
    itself is dropped.

    Parameters
    ----------
    root
        The folder, or the one above it.
    asked
        Who asks, for messages.

    Raises
    ------
    DataError
        If the file is missing, empty, or a row is no pair with a score (file, line and text).
    """
    folder = Path(root)
    inner = folder / "ppi_iref13"
    path = (inner if inner.is_dir() else folder) / _FILE
    need(path, asked=asked, layout=LAYOUT)
    return _load(str(path.resolve()), path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: str, _modified: int) -> Interactome:
    best: dict[tuple[str, str], float] = {}
    loops = again = 0
    with Path(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            fields = line.rstrip("\r\n").split("\t")
            score = _score(fields)
            if score is None:
                if not line.strip():
                    continue
                raise DataError(
                    f"{path}, line {number}: expected protein<TAB>protein<TAB>score, found "
                    f"{line.strip()[:120]!r}"
                )
            first, second = fields[0], fields[1]
            if first == second:
                loops += 1
                continue
            pair = (first, second) if first < second else (second, first)
            again += pair in best
            best[pair] = max(score, best.get(pair, score))
    if not best:
        raise DataError(f"{path} holds no pair of proteins. Expected layout: {LAYOUT}")
    names = sorted({name for pair in best for name in pair})
    number_of = {name: i for i, name in enumerate(names)}
    pairs = sorted(best)
    heads = np.array([number_of[a] for a, _ in pairs], np.int64)
    tails = np.array([number_of[b] for _, b in pairs], np.int64)
    scores = np.array([best[pair] for pair in pairs], np.float64)
    store = KnowledgeGraph.from_arrays(heads, np.zeros(len(pairs), int), tails, names, [RELATION])
    weights = _weights(heads, tails, scores)
    world = World(
        store,
        dict.fromkeys(names, "protein"),
        undirected=True,
        weights=weights,
        weight_name="score",
    )
    degrees = np.bincount(np.concatenate([heads, tails]), minlength=len(names))
    dropped = {"a protein with itself": loops, "a pair again": again}
    return Interactome(world, tuple(names), heads, tails, scores, degrees, dropped)


def _weights(
    heads: NDArray[np.int64], tails: NDArray[np.int64], values: NDArray[np.float64]
) -> dict[tuple[int, int, int], float]:
    columns = zip(heads.tolist(), tails.tolist(), values.tolist(), strict=True)
    return {(h, 0, t): x for h, t, x in columns}


def _score(fields: list[str]) -> float | None:
    """Return the score of a row, `None` if it is no row of this layout."""
    if len(fields) != 3 or not fields[0].strip() or not fields[1].strip():
        return None
    try:
        score = float(fields[2])
    except ValueError:
        return None
    return score if np.isfinite(score) else None
