"""Soft matching: nodes one to one by how alike their labels are, then edges between the matched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphenv.errors import ConfigError
from graphenv.graph import Edge, Graph
from graphenv.rewards.similarity.embedding import PREFIX
from graphenv.rewards.similarity.isomorphism import isomorphism
from graphenv.rewards.similarity.labels import LabelSpec, label_likeness, label_similarity
from graphenv.rewards.similarity.wl import wl_colors

__all__ = ["MAX_PAIRS", "SoftMatch", "check_scipy", "match_as_given", "soft_match"]

MAX_PAIRS = 1_000_000
"""Above this many pairs of nodes only nodes with equal surroundings are matched: linear time."""

_ROUNDS = 2  # of colours that break ties
_TIE = 1e-6  # what equal surroundings weigh against the likeness of labels
_SAME = 1e-12
_WAVES = 64
_WAVE_PAIRS = 4_000_000  # pairs of nodes looked at over all waves

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class SoftMatch:
    """What was matched with what, and how well.

    Parameters
    ----------
    nodes, edges
        Pairs of indices (in the first graph, in the second), by the first.
    node_values, edge_values
        How alike each of these pairs is, in (0, 1].
    sizes
        Nodes of both graphs together, edges of both graphs together.
    edge_weight
        The share of edges in `value`.
    """

    nodes: tuple[tuple[int, int], ...]
    edges: tuple[tuple[int, int], ...]
    node_values: tuple[float, ...]
    edge_values: tuple[float, ...]
    sizes: tuple[int, int]
    edge_weight: float

    @cached_property
    def node_score(self) -> float:
        """2 * (sum of node values) / (n1 + n2); 1.0 if neither graph has nodes."""
        return 2.0 * sum(self.node_values) / self.sizes[0] if self.sizes[0] else 1.0

    @cached_property
    def edge_score(self) -> float:
        """2 * (sum of edge values) / (m1 + m2); 1.0 if neither graph has edges."""
        return 2.0 * sum(self.edge_values) / self.sizes[1] if self.sizes[1] else 1.0

    @cached_property
    def value(self) -> float:
        """The weighted mean of both scores; the node score alone if neither graph has edges."""
        if not self.sizes[1]:
            return self.node_score
        return (1.0 - self.edge_weight) * self.node_score + self.edge_weight * self.edge_score


def soft_match(
    g1: Graph,
    g2: Graph,
    similarity: LabelSpec = None,
    *,
    node_similarity: ArrayLike | None = None,
    edge_weight: float = 0.5,
) -> SoftMatch:
    """Match nodes one to one (Hungarian method), then edges, and count both sides.

    Nodes may match if their kinds are equal; the assignment maximises the summed similarity of
    labels, and among equally good ones prefers nodes with alike surroundings, then neighbours of
    nodes that are matched already, so that two nodes called "man" are told apart by what they do.
    An edge matches one edge between the images of its ends and is worth
    sim(head) * sim(tail) * sim(relation); parallel edges are matched one to one. Graphs of which
    only one is directed have no edge in common.

    Scores are 2 * sum / (n1 + n2), an F1 with soft hits: what is too much costs as what is missing
    does. All lie in [0, 1] and do not depend on ids. Isomorphic graphs give 1.0 exactly (found by
    the bounded search of `isomorphism`). Symmetric, and independent of the
    order of nodes, unless ties remain between nodes that look alike and are not: the search for
    the best edges is a heuristic, the node score is optimal.

    Time grows with n1 * n2 times the smaller of them, at worst; beyond `MAX_PAIRS` pairs nodes
    are matched by equal colours alone, and a function of the user is asked about the 50,000 pairs
    of different labels whose texts are most alike. Either can only lower the value.

    With `"string"` unrelated labels share letters by chance, so one wrong label may earn more than
    another: of 4,000 renamings on gold graphs of 3 to 11 nodes with labels of two characters 27
    raised the value, by up to 0.21 (a wrong "zz0" became a wrong "zz1" beside the gold's "e1");
    of 4,000 to words without a letter of the gold none did, nor with `None`.

    Parameters
    ----------
    similarity
        Of labels and relations, see `label_similarity`; the built-in ones normalise labels.
    node_similarity
        A matrix (n1, n2) in [0, 1] used for nodes instead of labels and kinds: for boxes, say.
    edge_weight
        The share of edges in `value`, in [0, 1].

    References: Kuhn, The Hungarian method for the assignment problem, 1955. Rewards for scene
    graphs use such a matching with recall only, one relation for a pair of nodes.

    Raises
    ------
    ConfigError
        If scipy is missing, or rapidfuzz where `similarity` is given; if the matrix has another
        shape or range, or the weight is outside [0, 1].

    >>> gold = Graph.from_edges(["man", "horse", "hat"], [(0, "rides", 1), (0, "wears", 2)])
    >>> found = Graph.from_edges(["hat", "woman", "horse"], [(1, "wears", 0), (1, "rides", 2)])
    >>> round(soft_match(found, gold).value, 3)
    0.333
    >>> match = soft_match(found, gold, "string")
    >>> match.nodes, match.node_values
    (((0, 2), (1, 0), (2, 1)), (1.0, 0.6, 1.0))
    >>> round(match.node_score, 3), match.edge_score
    (0.867, 0.6)
    """
    # The built-in similarities do not see spelling, so neither may what breaks ties.
    own = similarity == "string" or (isinstance(similarity, str) and similarity.startswith(PREFIX))
    if similarity is None or own:
        g1, g2 = g1.normalized(), g2.normalized()
    return match_as_given(
        g1, g2, similarity, node_similarity=node_similarity, edge_weight=edge_weight
    )


def match_as_given(
    g1: Graph,
    g2: Graph,
    similarity: LabelSpec = None,
    *,
    node_similarity: ArrayLike | None = None,
    edge_weight: float = 0.5,
) -> SoftMatch:
    """Return `soft_match` of graphs that are normalised already, if they are to be."""
    if not 0.0 <= edge_weight <= 1.0:
        raise ConfigError(f"soft_match: edge_weight={edge_weight!r} is not in [0, 1]")
    check_scipy("soft_match", similarity)
    label_similarity(similarity)
    given = None if node_similarity is None else _checked_matrix(node_similarity, len(g1), len(g2))
    images = None if given is not None else isomorphism(g1, g2)
    if images is not None:
        values = [1.0] * len(images)
    elif given is None and len(g1) * len(g2) > MAX_PAIRS:
        images = _by_color(g1, g2)
        values = [float(j >= 0) for j in images]
    else:
        images, values = _assigned(g1, g2, similarity, given)
    edges = _edges(g1, g2, images, values, similarity)
    return SoftMatch(
        tuple((i, j) for i, j in enumerate(images) if j >= 0),
        tuple((a, b) for a, b, _ in edges),
        tuple(value for value, j in zip(values, images, strict=True) if j >= 0),
        tuple(value for *_, value in edges),
        (len(g1) + len(g2), g1.num_edges + g2.num_edges),
        edge_weight,
    )


def check_scipy(what: str, similarity: LabelSpec = None) -> None:
    """Refuse to begin without scipy, or without rapidfuzz where `similarity` may need it.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    from importlib.util import find_spec

    for name, use in (("scipy", "solves assignments"), ("rapidfuzz", "compares labels")):
        if (name == "scipy" or similarity is not None) and find_spec(name) is None:
            raise ConfigError(
                f"{what} {use} with {name}, which is not installed. "
                'Install it with: pip install "graphenv[ged]"'
            )


def _checked_matrix(given: ArrayLike, rows: int, columns: int) -> Matrix:
    matrix = np.asarray(given, dtype=np.float64)
    if matrix.shape != (rows, columns):
        raise ConfigError(
            f"soft_match: node_similarity has the shape {matrix.shape}; it takes one row for each "
            f"of the {rows} nodes of the first graph and one column for each of the {columns} "
            "of the second"
        )
    if rows * columns > MAX_PAIRS:
        raise ConfigError(
            f"soft_match: {rows} x {columns} pairs of nodes are more than {MAX_PAIRS:,}"
        )
    if matrix.size and not (matrix.min() >= 0.0 and matrix.max() <= 1.0):
        raise ConfigError("soft_match: node_similarity holds a value that is not in [0, 1]")
    return matrix


# -- nodes ----------------------------------------------------------------------------------------


def _assigned(
    g1: Graph, g2: Graph, similarity: LabelSpec, given: Matrix | None
) -> tuple[list[int], list[float]]:
    """Return the image of each node of `g1` (-1: none) and how alike the two are."""
    rounds = wl_colors(g1, g2, _ROUNDS + 1)
    # In canonical order, the smaller graph first: what ties are left then look the same in every
    # numbering of the nodes and from both sides.
    colors1, colors2 = rounds[-1]
    key1, key2 = (len(g1), sorted(colors1)), (len(g2), sorted(colors2))
    if key1 > key2:
        flipped = [(b, a) for a, b in rounds]
        images, values = _in_order(g2, g1, flipped, similarity, None if given is None else given.T)
        turned, turned_values = [-1] * len(g1), [0.0] * len(g1)
        for j, i in enumerate(images):
            if i >= 0:
                turned[i], turned_values[i] = j, values[j]
        return turned, turned_values
    return _in_order(g1, g2, rounds, similarity, given)


def _in_order(
    g1: Graph,
    g2: Graph,
    rounds: list[tuple[list[int], list[int]]],
    similarity: LabelSpec,
    given: Matrix | None,
) -> tuple[list[int], list[float]]:
    order1, order2 = (np.argsort(colors, kind="stable") for colors in rounds[-1])
    likeness = _likeness(g1, g2, similarity) if given is None else given
    score = likeness + _TIE * np.where(likeness > 0, _surroundings(g1, g2, rounds), 0.0)
    near = (_incident(g1), _incident(g2))
    chosen = _waves(score[np.ix_(order1, order2)], order1.tolist(), order2.tolist(), near)
    images, values = [-1] * len(g1), [0.0] * len(g1)
    for i, j in chosen:
        if likeness[i, j] > 0:
            images[i], values[i] = j, float(likeness[i, j])
    return images, values


def _likeness(g1: Graph, g2: Graph, similarity: LabelSpec) -> Matrix:
    """Return sim(label, label) where kinds agree, else 0, as (n1, n2)."""
    sides = []
    for graph in (g1, g2):
        # Sorted: which pairs are asked about must not depend on the order of nodes.
        names = sorted({(n.kind, n.label) for n in graph.nodes})
        number = {name: k for k, name in enumerate(names)}
        rows = np.array([number[n.kind, n.label] for n in graph.nodes], dtype=np.intp)
        sides.append((names, rows))
    (names1, rows1), (names2, rows2) = sides
    kinds = {kind: k for k, kind in enumerate(sorted({kind for kind, _ in names1 + names2}))}
    kinds1, kinds2 = (np.array([kinds[kind] for kind, _ in n], np.intp) for n in (names1, names2))
    labels1, labels2 = ([label for _, label in names] for names in (names1, names2))
    small = label_likeness(similarity, labels1, labels2, kinds1[:, None] == kinds2)
    return small[np.ix_(rows1, rows2)]


def _surroundings(g1: Graph, g2: Graph, rounds: list[tuple[list[int], list[int]]]) -> Matrix:
    """Return how alike the incident edges of two nodes are, in [0, 1], (n1, n2).

    Mean over rounds of 2 * common / (degree + degree), where an edge is its direction, relation
    and the colour of its other end in that round.
    """
    total = np.zeros((len(g1), len(g2)))
    degrees = np.add.outer(_degrees(g1), _degrees(g2))
    for round_ in rounds[:_ROUNDS]:
        first, second = (_features(g, c) for g, c in zip((g1, g2), round_, strict=True))
        common = np.zeros_like(total)
        for feature, rows in first.items():
            columns = second.get(feature)
            if columns is not None:
                where = np.ix_(list(rows), list(columns))
                common[where] += np.minimum.outer(list(rows.values()), list(columns.values()))
        total += np.divide(2.0 * common, degrees, out=np.ones_like(total), where=degrees > 0)
    return total / _ROUNDS


def _degrees(graph: Graph) -> Matrix:
    ends = [end for edge in graph.edges for end in (edge.head, edge.tail)]
    return np.bincount(np.array(ends, dtype=np.intp), minlength=len(graph)).astype(np.float64)


def _features(graph: Graph, colors: Sequence[int]) -> dict[Any, dict[int, int]]:
    found: dict[Any, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    out, back = (0, 1) if graph.directed else (2, 2)
    for edge in graph.edges:
        found[out, edge.relation, colors[edge.tail]][edge.head] += 1
        found[back, edge.relation, colors[edge.head]][edge.tail] += 1
    return found


_Incident = list[dict[tuple[int, str], dict[int, None]]]


def _incident(graph: Graph) -> _Incident:
    """Return for each node its neighbours by (direction, relation), each once."""
    around: _Incident = [defaultdict(dict) for _ in graph.nodes]
    out, back = (0, 1) if graph.directed else (2, 2)
    for edge in graph.edges:
        around[edge.head][out, edge.relation][edge.tail] = None
        around[edge.tail][back, edge.relation][edge.head] = None
    return around


def _waves(
    score: Matrix, names1: list[int], names2: list[int], near: tuple[_Incident, _Incident]
) -> list[tuple[int, int]]:
    """Return pairs of nodes that maximise the summed score, ties broken by what is fixed.

    In each wave the pairs without an equal rival are fixed, or one pair if there is none, and
    pairs of their neighbours gain a little: so a choice between two that look alike is made once,
    and all around follows.
    """
    from scipy.optimize import linear_sum_assignment

    fixed: list[tuple[int, int]] = []
    at2 = {name: column for column, name in enumerate(names2)}
    at1 = {name: row for row, name in enumerate(names1)}
    rows, columns = np.arange(score.shape[0]), np.arange(score.shape[1])
    waves = max(1, min(_WAVES, _WAVE_PAIRS // max(1, score.size)))
    for wave in range(waves):
        rest = score[np.ix_(rows, columns)]
        if not rest.size or rest.max() <= 0:
            break
        picked = np.array(linear_sum_assignment(rest, maximize=True)).T
        picked = picked[rest[picked[:, 0], picked[:, 1]] > 0]
        if wave == waves - 1:
            fixed += [(names1[rows[i]], names2[columns[j]]) for i, j in picked.tolist()]
            break
        rivals = rest[picked[:, 0], picked[:, 1]] - _SAME
        alone = ((rest[picked[:, 0]] >= rivals[:, None]).sum(axis=1) == 1) & (
            (rest[:, picked[:, 1]] >= rivals).sum(axis=0) == 1
        )
        if not alone.any():
            alone[int(np.argmax(rivals))] = True
        new = [(int(rows[i]), int(columns[j])) for i, j in picked[alone].tolist()]
        for i, j in new:
            pair = (names1[i], names2[j])
            fixed.append(pair)
            for key, heads in near[0][pair[0]].items():
                others = near[1][pair[1]].get(key, ())
                where = np.ix_([at1[a] for a in heads], [at2[b] for b in others])
                score[where] += np.where(score[where] > 0, _TIE, 0.0)
        rows = np.setdiff1d(rows, [i for i, _ in new])
        columns = np.setdiff1d(columns, [j for _, j in new])
    return fixed


def _by_color(g1: Graph, g2: Graph) -> list[int]:
    """Return images by equal colours, those of the last round first: linear time."""
    images, taken = [-1] * len(g1), [False] * len(g2)
    for first, second in reversed(wl_colors(g1, g2, _ROUNDS + 1)):
        free: dict[int, list[int]] = defaultdict(list)
        for j in range(len(g2) - 1, -1, -1):
            if not taken[j]:
                free[second[j]].append(j)
        for i, color in enumerate(first):
            if images[i] < 0 and free[color]:
                images[i] = free[color].pop()
                taken[images[i]] = True
    return images


# -- edges ----------------------------------------------------------------------------------------


def _edges(
    g1: Graph,
    g2: Graph,
    images: Sequence[int],
    values: Sequence[float],
    similarity: LabelSpec,
) -> list[tuple[int, int, float]]:
    """Return (edge of `g1`, edge of `g2`, value) of the edges matched, by the first."""
    if g1.directed != g2.directed:
        return []
    there: dict[tuple[int, int], list[int]] = defaultdict(list)
    for b, edge in enumerate(g2.edges):
        there[_ends(edge.head, edge.tail, g2)].append(b)
    here: dict[tuple[int, int], list[int]] = defaultdict(list)
    weight: dict[tuple[int, int], float] = {}
    for a, edge in enumerate(g1.edges):
        head, tail = images[edge.head], images[edge.tail]
        if head >= 0 and tail >= 0:
            ends = _ends(head, tail, g1)
            here[ends].append(a)
            weight[ends] = values[edge.head] * values[edge.tail]
    found = []
    for ends, first in here.items():
        if ends in there:
            for a, b, value in _parallel(g1.edges, g2.edges, first, there[ends], similarity):
                found.append((a, b, weight[ends] * value))
    return sorted(found)


def _ends(head: int, tail: int, graph: Graph) -> tuple[int, int]:
    return (head, tail) if graph.directed or head <= tail else (tail, head)


def _parallel(
    edges1: Sequence[Edge],
    edges2: Sequence[Edge],
    first: list[int],
    second: list[int],
    similarity: LabelSpec,
) -> list[tuple[int, int, float]]:
    """Match the edges of one pair of nodes one to one by their relations."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for b in reversed(second):
        by_name[edges2[b].relation].append(b)
    found, rest = [], []
    for a in first:
        same = by_name.get(edges1[a].relation)
        if same:
            found.append((a, same.pop(), 1.0))
        else:
            rest.append(a)
    free = [b for group in by_name.values() for b in group]
    if not rest or not free or len(rest) * len(free) > MAX_PAIRS:
        return found
    sides = [[edges[k].relation for k in ks] for edges, ks in ((edges1, rest), (edges2, free))]
    names1, names2 = (sorted(set(side)) for side in sides)
    small = label_likeness(similarity, names1, names2, np.ones((len(names1), len(names2)), bool))
    worth = small[np.ix_(_places(names1, sides[0]), _places(names2, sides[1]))]
    if not worth.any():
        return found
    from scipy.optimize import linear_sum_assignment

    for i, j in np.array(linear_sum_assignment(worth, maximize=True)).T.tolist():
        if worth[i, j] > 0:
            found.append((rest[i], free[j], float(worth[i, j])))
    return found


def _places(names: list[str], side: list[str]) -> list[int]:
    place = {name: k for k, name in enumerate(names)}
    return [place[name] for name in side]
