"""Precision at ten of rankings that know nothing of a cell line, or only its context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphenv.benchmarks.suite import data_folder
from graphenv.envs.subgraph.sources.screens import CellLine, Counts
from graphenv.envs.subgraph.sources.targets import TargetsSource
from graphenv.seeding import rng

__all__ = ["target_floors"]

Values = NDArray[np.float64]
Ranker = Callable[[CellLine], Values]
K = 10
_LINES_OF_A_QUICK_RUN = 4


def target_floors(*, quick: bool) -> list[dict[str, Any]]:
    """Return a row per split and ranking; nothing without the data."""
    folder = data_folder("subgraph")
    if folder is None:
        return []
    rows = []
    for split in ("heldout", "validation"):
        source = TargetsSource(split=split, root=str(folder))
        lines = [source.line(i) for i in range(len(source))]
        asked = lines[:_LINES_OF_A_QUICK_RUN] if quick else lines
        told = {"split": split, "lines": len(asked), "note": source.note}
        rows += [{**told, **row} for row in _all_genes(source, asked)]
        rows += [{**told, **row} for row in _network_genes(source, asked)]
    return rows


def _all_genes(source: TargetsSource, lines: list[CellLine]) -> list[dict[str, Any]]:
    """Popularity over every screened gene, in the network or not: as the data set measured it."""
    known = source.screens.screened.difference(source.screens.essential)
    counts = Counts(_training_lines(source), sorted(known))
    few = counts.total <= source.specific * counts.size
    golds = [counts.row(line) for line in lines]
    every = np.ones(len(few), np.bool_)
    share = counts.share(None)
    return [
        {"genes": "all", "ranking": "popularity", "p": _precision(share, golds, every)},
        {"genes": "specific", "ranking": "popularity", "p": _precision(share, golds, few)},
    ]


def _training_lines(source: TargetsSource) -> list[CellLine]:
    ids = source.counts.counted
    return [line for line in source.screens.lines if line.id in ids]


def _network_genes(source: TargetsSource, lines: list[CellLine]) -> list[dict[str, Any]]:
    """Rankings of context-specific genes of the network, which is what a task asks for."""
    golds = [source.counts.row(line) for line in lines]
    rows = []
    for name, ranker in _rankers(source).items():
        found = [
            _precision(ranker(line), [gold], source.candidates)
            for line, gold in zip(lines, golds, strict=True)
        ]
        rows.append({"genes": "specific, network", "ranking": name, "p": float(np.mean(found))})
    return rows


def _precision(values: Values, golds: list[NDArray[np.int64]], may: NDArray[np.bool_]) -> float:
    top = np.argsort(-np.where(may, values, -np.inf), kind="stable")[:K]
    return float(np.mean([gold[top].mean() for gold in golds]))


def _rankers(source: TargetsSource) -> Mapping[str, Ranker]:
    counts, network = source.counts, source.network
    popular = counts.share(None)
    degrees = network.degrees.astype(np.float64)
    walk = _Walk(source)
    place = {name: i for i, name in enumerate(network.names)}

    def context(line: CellLine) -> Values:
        group = source.nearest_group(line)
        return popular if group is None else counts.share(group, line)

    def random(line: CellLine) -> Values:
        return rng("random targets", line.id).random(len(popular))

    def seeds(line: CellLine) -> Values:
        return walk({place[name]: 1.0 for name in source.seeds(line)})

    def spread(line: CellLine) -> Values:
        """Spread the context's candidates, and divide by what a walk from anywhere reaches."""
        start = np.where(source.candidates, context(line), 0.0)
        ids = np.flatnonzero(start > 0).tolist()
        return walk({i: float(start[i]) for i in ids}) / walk({})

    return {
        "random": random,
        "degree": lambda line: degrees,
        "popularity": lambda line: popular,
        "context popularity": context,
        "walk from seeds": seeds,
        "walk from context": spread,
    }


class _Walk:
    """Personalised PageRank of networkx over scores, kept by start."""

    def __init__(self, source: TargetsSource) -> None:
        import networkx as nx

        network = source.network
        self._rank = nx.pagerank
        self._graph: nx.Graph[int] = nx.Graph()
        self._graph.add_nodes_from(range(len(network.names)))
        columns = (network.heads.tolist(), network.tails.tolist(), network.scores.tolist())
        self._graph.add_weighted_edges_from(zip(*columns, strict=True))
        self._known: dict[tuple[tuple[int, float], ...], Values] = {}

    def __call__(self, start: Mapping[int, float]) -> Values:
        key = tuple(start.items())
        if key not in self._known:
            found = self._rank(self._graph, alpha=0.5, personalization=dict(start) or None)
            self._known[key] = np.array([found[i] for i in range(len(found))])
        return self._known[key]
