"""Graph similarities as reward terms. Labels are compared normalised.

They need only a predicted and a gold graph, so they work in every family that has both.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

from graphenv.checks import is_whole
from graphenv.details import listed
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.rewards.ged.compare import check_core
from graphenv.rewards.ged.solver import BUDGET
from graphenv.rewards.graphs import bag_f1
from graphenv.rewards.similarity.common import mces
from graphenv.rewards.similarity.labels import label_similarity, prepare_similarity
from graphenv.rewards.similarity.matching import SoftMatch, check_scipy, match_as_given
from graphenv.rewards.similarity.spectral import MAX_NODES, spectral_similarity
from graphenv.rewards.similarity.wl import check_iterations, wl_similarity
from graphenv.rewards.terms import EndTerm, Grade
from graphenv.text import bounded, normalize

__all__ = ["MAX_GOLD", "CommonEdgesTerm", "SoftMatchTerm", "Spectral", "WLSimilarity"]

MAX_GOLD = MAX_NODES // 2
"""Nodes of the largest gold graph that `spectral` grades."""

_normalized = lru_cache(maxsize=64)(Graph.normalized)  # a gold graph comes back with its group


class _SimilarityTerm(EndTerm):
    needs: ClassVar[frozenset[str]] = frozenset({"outcome.graph", "target.graph"})

    @abstractmethod
    def compare(self, predicted: Graph, gold: Graph) -> float | Grade | None:
        """Return the value of two normalised graphs."""

    def score(self, episode: Episode) -> float | Grade | None:
        """Return a value in [0, 1]; `None` if the task has no gold graph, 0 if none was given."""
        gold = episode.task.target.graph
        if gold is None:
            return None
        predicted = episode.outcome.graph if episode.outcome is not None else None
        if predicted is None:
            return 0.0
        first, second = _normalized(predicted), _normalized(gold)
        if first.directed != second.directed:
            # What is asked for decides whether an edge has a direction.
            first = replace(first, directed=second.directed)
        return self.compare(first, second)


class WLSimilarity(_SimilarityTerm):
    """sum(min) / sum(max) of the histograms of Weisfeiler-Leman colours, rounds 0 to `iterations`.

    In [0, 1]; 1 for every graph that so many rounds cannot tell from the gold. Strict: one wrong
    edge changes all colours within `iterations` edges of it. Not the cosine of the published
    kernel, which a graph written down twice maximises. Blind to what colour refinement cannot see:
    in graphs without labels, to regular structure. Source: Shervashidze et al., JMLR 2011.

    Parameters
    ----------
    iterations
        Rounds after round 0, which compares labels and kinds alone.

    >>> from graphenv.rewards import parse
    >>> parse("wl_similarity(iterations=2)").range
    (0.0, 1.0)
    """

    def __init__(self, *, iterations: int = 3) -> None:
        self.iterations = check_iterations(iterations)

    def compare(self, predicted: Graph, gold: Graph) -> float:
        """Return the similarity."""
        return wl_similarity(predicted, gold, self.iterations)


class SoftMatchTerm(_SimilarityTerm):
    """(1 - w) * 2 N / (n1 + n2) + w * 2 E / (m1 + m2), w = `edge_weight`; nodes alone if no edges.

    N sums the label similarities of nodes matched one to one (Hungarian method, kinds equal), E
    sums sim(head) * sim(tail) * sim(relation) over edges matched one to one between them. In
    [0, 1]; too much costs as too little does; an isomorphic graph gives 1. Info lists what was
    missed, what was too much, and what was matched though not equal. With `similarity="string"`
    unrelated words still share letters: a node score of 0.2 to 0.35 is chance, an edge score is
    not. Where labels and structure disagree, labels decide; blind to attributes. Source: the
    matching of rewards for scene graphs, which count recall only.

    Parameters
    ----------
    similarity
        `None` (equal or not), `"string"`, `"embedding:NAME"` or `"module:function"`; of labels and
        relations.
    edge_weight
        The share of edges, in [0, 1].

    >>> from graphenv.rewards import parse
    >>> parse("soft_match(similarity='string', edge_weight=0.7)").range
    (0.0, 1.0)
    """

    def __init__(self, *, similarity: str | None = None, edge_weight: float = 0.5) -> None:
        number = isinstance(edge_weight, int | float) and not isinstance(edge_weight, bool)
        if not number or not 0.0 <= edge_weight <= 1.0:
            raise ConfigError(f"soft_match: edge_weight={edge_weight!r} is no number in [0, 1]")
        check_scipy("reward term 'soft_match'", similarity)
        label_similarity(similarity)
        self.similarity = similarity
        self.edge_weight = float(edge_weight)

    def prepare(self) -> None:
        """Load the embedding model, if there is one."""
        prepare_similarity(self.similarity)

    def compare(self, predicted: Graph, gold: Graph) -> Grade:
        """Return the value and what did not match."""
        match = match_as_given(predicted, gold, self.similarity, edge_weight=self.edge_weight)
        return Grade(match.value, _details(match, predicted, gold))


class Spectral(_SimilarityTerm):
    """(1 - W1 / 2) times the agreement of sizes, W1 the distance of normalised Laplacian spectra.

    In [0, 1]. Blind to labels, kinds, relations and directions, and to graphs that share a
    spectrum: any graph of the right shape earns 1, so it is partial credit for shape, never a
    verdict. `None` for a gold graph of more than `MAX_GOLD` nodes; 0 for a prediction of more than
    twice that. Source: Gu, Hua and Liu, Discrete Applied Mathematics 2015.
    """

    def score(self, episode: Episode) -> float | Grade | None:
        """Return a value in [0, 1]; `None` if there is no gold graph or it is too large."""
        gold = episode.task.target.graph
        # The size of the gold alone decides: a prediction must not be able to opt out.
        return None if gold is None or len(gold) > MAX_GOLD else super().score(episode)

    def compare(self, predicted: Graph, gold: Graph) -> float | None:
        """Return the similarity."""
        return spectral_similarity(predicted, gold)


class CommonEdgesTerm(_SimilarityTerm):
    """2c / (m1 + m2) with c the edges of a maximum common edge subgraph.

    An edge is common if one mapping of nodes keeps its relation, direction and the labels and
    kinds of both ends. In [0, 1]. c is the certified lower end, so a search that runs out of budget
    never raises the value. At most the F1 of triples, and less where nodes share labels and are
    wired otherwise. Blind to nodes without edges; where neither graph has an edge it is the F1 of
    (label, kind), or the empty graph would earn 1. Source: Bunke, Pattern Recognition Letters 1997.

    Parameters
    ----------
    budget
        Search nodes expanded per pair.

    >>> from graphenv.rewards import parse
    >>> parse("mces(budget=300)").range
    (0.0, 1.0)
    """

    def __init__(self, *, budget: int = BUDGET) -> None:
        if not is_whole(budget, 1):
            raise ConfigError(f"mces: budget={budget!r} must be a whole number >= 1")
        check_core("mces")
        self.budget = budget

    def compare(self, predicted: Graph, gold: Graph) -> Grade:
        """Return the value and the interval of the number of common edges."""
        common = mces(predicted, gold, self.budget)
        info: dict[str, Any] = {
            "measure": "common edges",
            "interval": [common.lower, common.upper],
            "exact": common.exact,
        }
        if common.reason:
            info["reason"] = common.reason
        if not predicted.num_edges and not gold.num_edges:
            return Grade(bag_f1(_labels(predicted), _labels(gold)), info)
        return Grade(common.value, info)


def _labels(graph: Graph) -> Counter[Hashable]:
    return Counter((normalize(node.label), normalize(node.kind)) for node in graph.nodes)


def _details(match: SoftMatch, predicted: Graph, gold: Graph) -> dict[str, Any]:
    info: dict[str, Any] = {"node_score": match.node_score, "edge_score": match.edge_score}
    for what, part, count1, count2 in (
        ("nodes", match.nodes, len(predicted), len(gold)),
        ("edges", match.edges, predicted.num_edges, gold.num_edges),
    ):
        here, there = {i for i, _ in part}, {j for _, j in part}
        name = _node if what == "nodes" else _edge
        rest = (
            ("missed", gold, [j for j in range(count2) if j not in there]),
            ("too many", predicted, [i for i in range(count1) if i not in here]),
        )
        for verdict, graph, left in rest:
            if left:
                info[f"{what} {verdict}"] = listed((name(graph, k) for k in left), len(left))
        values = match.node_values if what == "nodes" else match.edge_values
        alike = [(pair, v) for pair, v in zip(part, values, strict=True) if v < 1.0]
        if alike:
            texts = (f"{name(predicted, i)} for {name(gold, j)}: {v:.2f}" for (i, j), v in alike)
            info[f"{what} alike"] = listed(texts, len(alike))
    return info


def _node(graph: Graph, i: int) -> str:
    return bounded(graph.nodes[i].label, 60)


def _edge(graph: Graph, k: int) -> str:
    edge = graph.edges[k]
    arrow = "->" if graph.directed else "-"
    relation = bounded(edge.relation, 60)
    return f"{_node(graph, edge.head)} -[{relation}]{arrow} {_node(graph, edge.tail)}"
