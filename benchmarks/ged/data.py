"""Published graphs with known distances, from the folder `$GRAPHENV_DATA/ged`; all costs are 1."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphenv.graph import Graph
from graphenv.seeding import sample

__all__ = ["Published", "aids", "imdb", "linux", "published"]


@dataclass(frozen=True)
class Published:
    """Pairs of undirected graphs, their distances where they are known, and another's mean time.

    `peer_us` is the mean of the C++ solver AStar-BMao per pair (Chang et al., 2022), measured on a
    machine like the one of the kept results: a figure from elsewhere, not of this run.
    """

    name: str
    pairs: list[tuple[Graph, Graph]]
    distances: list[int] | None
    peer_us: float


def published(folder: Path, count: int = 1_000, *, imdb_count: int = 3_000) -> Iterator[Published]:
    """Yield the sets, at most so many pairs each."""
    yield aids(folder, count, valences=False)
    yield aids(folder, count, valences=True)
    yield linux(folder, count)
    yield imdb(folder, imdb_count)


def aids(folder: Path, count: int, *, valences: bool) -> Published:
    """Return AIDS700nef: atoms as node labels, with or without valences as relations.

    The distances were certified by lower = upper and cross-checked with the C++ solver.
    """
    graphs = {
        key: Graph.from_edges(
            graph["labels"],
            [(a, value if valences else "", b) for a, b, value in graph["edges"]],
            directed=False,
        )
        for key, graph in _load(folder, "aids700nef_graphs").items()
    }
    rows = _load(folder, "aids700nef_computed_ged_1000")[:count]
    pairs = [(graphs[str(row[0])], graphs[str(row[1])]) for row in rows]
    name = "AIDS700nef with valences" if valences else "AIDS700nef"
    return Published(
        name, pairs, [row[3 if valences else 2] for row in rows], 163 if valences else 168
    )


def linux(folder: Path, count: int) -> Published:
    """Return random pairs of LINUX: program dependence graphs without labels, values unknown."""
    graphs = list(_unlabelled(folder, "linux_graphs").values())
    picked = sample(len(graphs) ** 2, count, "ged benchmark", "linux")
    pairs = [(graphs[k // len(graphs)], graphs[k % len(graphs)]) for k in picked]
    return Published("LINUX", pairs, None, 57)


def imdb(folder: Path, count: int) -> Published:
    """Return random pairs of small IMDB graphs, dense and unlabelled, with published distances."""
    graphs = _unlabelled(folder, "imdb_small_graphs")
    rows = _load(folder, "imdb_published_ged")
    rows = [rows[k] for k in sample(len(rows), count, "ged benchmark", "imdb")]
    pairs = [(graphs[str(a)], graphs[str(b)]) for a, b, _ in rows]
    return Published("IMDB", pairs, [row[2] for row in rows], 6_900)


def _unlabelled(folder: Path, name: str) -> dict[str, Graph]:
    return {
        key: Graph.from_edges(
            [""] * graph["n"], [(a, "", b) for a, b in graph["edges"]], directed=False
        )
        for key, graph in _load(folder, name).items()
    }


def _load(folder: Path, name: str) -> Any:
    with gzip.open(folder / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)
