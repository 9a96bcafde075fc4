"""Weisfeiler-Leman: colours of nodes by their surroundings, and how alike two graphs colour."""

from __future__ import annotations

from collections import Counter

from graphenv.checks import is_whole
from graphenv.errors import ConfigError
from graphenv.graph import Graph

__all__ = ["MAX_ITERATIONS", "check_iterations", "wl_colors", "wl_similarity"]

MAX_ITERATIONS = 10


def wl_similarity(g1: Graph, g2: Graph, iterations: int = 3) -> float:
    """Return sum(min) / sum(max) of the two histograms of Weisfeiler-Leman colours.

    The colours are those of rounds 0 (label and kind) to `iterations` (all that lies that many
    edges away); direction, relation and parallel edges count. In [0, 1], symmetric; 1.0 if and
    only if that many rounds cannot tell the graphs apart, so for every isomorphic pair and for two
    empty graphs; 0.0 if one is empty. Labels are compared as given. Time: edges times rounds.

    The published kernel is the cosine of these histograms. A cosine ignores size: a graph written
    down twice would score 1. The min-max form is a kernel too, and every node too many enlarges
    the denominator: n copies of the gold score 1/n. Colours are all or nothing: one wrong edge
    changes both its ends in round 1, their neighbours in round 2, and so on, so the value falls
    steeply with the first mistakes.

    References: Shervashidze et al., Weisfeiler-Lehman graph kernels, JMLR 2011 (the colours);
    Ralaivola et al., Graph kernels for chemical informatics, Neural Networks 2005 (min-max).

    Raises
    ------
    ConfigError
        If `iterations` is no integer from 0 to `MAX_ITERATIONS`.

    >>> gold = Graph.from_edges(["man", "hat"], [(0, "wears", 1)])
    >>> wl_similarity(gold, gold)
    1.0
    >>> twice = Graph.from_edges(["man", "hat"] * 2, [(0, "wears", 1), (2, "wears", 3)])
    >>> wl_similarity(twice, gold)
    0.5
    >>> wl_similarity(Graph.from_edges(["man", "hat"], [(1, "wears", 0)]), gold)  # round 0 of four
    0.14285714285714285
    """
    common = union = 0
    for first, second in wl_colors(g1, g2, check_iterations(iterations)):
        a, b = Counter(first), Counter(second)
        common += (a & b).total()
        union += (a | b).total()
    return common / union if union else 1.0


def check_iterations(iterations: int) -> int:
    """Return `iterations`; refuse what is no number of rounds."""
    if not is_whole(iterations, 0, MAX_ITERATIONS):
        raise ConfigError(f"iterations={iterations!r}: give an integer from 0 to {MAX_ITERATIONS}")
    return iterations


def wl_colors(g1: Graph, g2: Graph, iterations: int = 3) -> list[tuple[list[int], list[int]]]:
    """Return the colours of the nodes of both graphs, for rounds 0 to `iterations`.

    Colours of one round are comparable between the two graphs. They are numbered by content, so
    they and their order depend neither on ids nor on the order of nodes or edges.

    >>> wl_colors(Graph.from_edges(["b", "a"]), Graph.from_edges(["b"]), 0)
    [([1, 0], [1])]
    """
    graphs = (g1, g2)
    names = sorted({edge.relation for graph in graphs for edge in graph.edges})
    relation = {name: i for i, name in enumerate(names)}
    signs: list[list[tuple[object, ...]]] = [[(n.label, n.kind) for n in g.nodes] for g in graphs]
    colors = _numbered(signs)
    rounds = [(colors[0], colors[1])]
    for _ in range(iterations):
        signs = []
        for graph, color in zip(graphs, colors, strict=True):
            around: list[list[tuple[int, int, int]]] = [[] for _ in graph.nodes]
            out, back = (0, 1) if graph.directed else (2, 2)
            for edge in graph.edges:
                r = relation[edge.relation]
                around[edge.head].append((out, r, color[edge.tail]))
                around[edge.tail].append((back, r, color[edge.head]))
            signs.append([(c, *sorted(a)) for c, a in zip(color, around, strict=True)])
        colors = _numbered(signs)
        rounds.append((colors[0], colors[1]))
    return rounds


def _numbered(signs: list[list[tuple[object, ...]]]) -> list[list[int]]:
    found = sorted({sign for graph in signs for sign in graph})
    number = {sign: i for i, sign in enumerate(found)}
    return [[number[sign] for sign in graph] for graph in signs]
