"""Prize-collecting Steiner forests: what one is worth, and the best that we know how to find.

Objective after Tuncbag et al., Simultaneous reconstruction of multiple signaling pathways via the
prize-collecting Steiner forest problem, Journal of Computational Biology 2013, and Omics Integrator
(PLoS Computational Biology 2016), turned round so that more is better and nothing is worth 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphenv.envs.subgraph.sources.interactome import Interactome
from graphenv.envs.subgraph.sources.trees import UNREACHED, Arcs, SteinerTable

__all__ = ["SCALE", "Forest", "Terms", "forest_value"]

SCALE = 1_000_000
"""Units of value are millionths, as integers: sums are exact in any order."""
_LEAST_COST = 0.01
_DETOUR = SCALE // 2

Pair = tuple[int, int]


@dataclass(frozen=True)
class Terms:
    """The prices of one network, in units of `SCALE`.

    Parameters
    ----------
    network
        Where the forest grows.
    costs
        Of each edge, max(0.01, 1 - score), shape (E,).
    charges
        Of each protein, mu times its partners, shape (N,). Those with a prize pay none.
    tree
        Of each tree of the forest (omega).
    """

    network: Interactome
    costs: NDArray[np.int64]
    charges: NDArray[np.int64]
    tree: int

    @classmethod
    def of(cls, network: Interactome, mu: float, omega: float) -> Terms:
        """Return the prices of a network by the published parameters."""
        costs = np.maximum(_LEAST_COST, 1.0 - network.scores)
        return cls(
            network,
            np.rint(costs * SCALE).astype(np.int64),
            np.rint(mu * SCALE * network.degrees).astype(np.int64),
            round(omega * SCALE),
        )


def forest_value(
    terms: Terms, prizes: Mapping[int, int], edges: Iterable[Pair]
) -> tuple[int, dict[str, int]]:
    """Return what a forest is worth, and its parts: prizes, costs, charges and number of trees.

    value = prizes of its proteins - costs of its edges - charges of proteins without a prize -
    `terms.tree` for each tree. A protein without an edge is in no tree: it collects and costs
    nothing. A tree with a single prize only costs, or any edge at a prized protein would do. So
    does an edge that closes a cycle.

    Parameters
    ----------
    prizes
        Prize by protein id.
    edges
        Distinct pairs of protein ids, either order.
    """
    pairs = {(min(pair), max(pair)) for pair in edges}
    cost_of = _edge_costs(terms, pairs)
    root: dict[int, int] = {}

    def find(node: int) -> int:
        while root.setdefault(node, node) != node:
            root[node] = node = root[root[node]]
        return node

    for head, tail in pairs:
        root[find(head)] = find(tail)
    prized = [(find(node), prizes[node]) for node in root if node in prizes]
    joined = Counter(tree for tree, _ in prized)
    parts = {
        "prizes": sum(prize for tree, prize in prized if joined[tree] > 1),
        "costs": sum(cost_of.values()),
        "charges": sum(int(terms.charges[node]) for node in root if node not in prizes),
        "trees": len({find(node) for node in root}),
    }
    value = parts["prizes"] - parts["costs"] - parts["charges"] - terms.tree * parts["trees"]
    return value, parts


def _edge_costs(terms: Terms, pairs: Iterable[Pair]) -> dict[Pair, int]:
    network = terms.network
    keys = network.heads * len(network.names) + network.tails
    found = {}
    for head, tail in pairs:
        key = head * len(network.names) + tail
        at = int(np.searchsorted(keys, key))
        assert keys[at] == key, "an edge that the network does not have"
        found[head, tail] = int(terms.costs[at])
    return found


@dataclass(frozen=True)
class Forest:
    """The best known forest of some prizes: its edges (smaller id first) and its value."""

    edges: tuple[Pair, ...]
    value: int

    @classmethod
    def best_known(
        cls, terms: Terms, prizes: Mapping[int, int], *, max_nodes: int, max_edges: int
    ) -> Forest:
        """Return a forest that is hard to beat, within a budget; empty if none is worth anything.

        Proteins that lie on no path between two prized ones that is at most `_DETOUR` longer than
        the shortest are put aside. In what is left, trees through every set of prized proteins are
        found exactly (`SteinerTable`) and the best disjoint sets are chosen exactly, so it is only
        the first step that may miss a better forest. Where the forest is over the budget, its trees
        are taken by value until it is full.

        Parameters
        ----------
        prizes
            Prize by protein id; at most `trees.MOST_TERMINALS` of them.
        max_nodes, max_edges
            The budget; prized proteins count as nodes whether or not they are joined.
        """
        ends = sorted(prizes)
        arcs, kept = _near(terms, ends)
        place = {int(node): i for i, node in enumerate(kept)}
        table = SteinerTable(arcs, [place[end] for end in ends])
        bits = range(len(ends))
        worth = {}
        for mask in range(1 << len(ends)):
            if mask.bit_count() > 1 and table.cost(mask) < UNREACHED:
                gain = sum(prizes[ends[bit]] for bit in bits if mask >> bit & 1)
                worth[mask] = gain - table.cost(mask) - terms.tree
        edges: set[Pair] = set()
        nodes = set(ends)
        for mask in sorted(_packed(worth, len(ends)), key=lambda mask: -worth[mask]):
            pairs = ((int(kept[a]), int(kept[b])) for a, b in table.tree(mask))
            fresh = {(min(pair), max(pair)) for pair in pairs}
            grown = nodes.union(*fresh)
            if len(grown) <= max_nodes and len(edges | fresh) <= max_edges:
                edges, nodes = edges | fresh, grown
        return cls(tuple(sorted(edges)), forest_value(terms, prizes, edges)[0])


def _near(terms: Terms, ends: Sequence[int]) -> tuple[Arcs, NDArray[np.int64]]:
    """Return the part of the network near short paths between prized proteins, and its ids."""
    network = terms.network
    charges = terms.charges.copy()
    charges[list(ends)] = 0
    whole = Arcs(network.heads, network.tails, terms.costs, charges)
    far = np.stack([whole.distances(end) for end in ends])
    keep = np.zeros(whole.size, np.bool_)
    keep[list(ends)] = True
    for i, end in enumerate(ends):
        for row in far[:i]:
            keep |= far[i] + row - charges <= row[end] + _DETOUR
    keep &= (far < UNREACHED).any(axis=0)
    kept = np.flatnonzero(keep)
    number = np.full(whole.size, -1, np.int64)
    number[kept] = np.arange(len(kept))
    heads, tails = number[network.heads], number[network.tails]
    inside = (heads >= 0) & (tails >= 0)
    return Arcs(heads[inside], tails[inside], terms.costs[inside], charges[kept]), kept


def _packed(worth: Mapping[int, int], count: int) -> list[int]:
    """Return disjoint bit masks of greatest total worth."""
    best = [0] * (1 << count)
    chosen = [0] * (1 << count)
    for mask in range(1, 1 << count):
        low = mask & -mask
        best[mask] = best[mask ^ low]
        rest = part = mask ^ low
        while part:
            gain = worth.get(part | low, 0)
            if gain > 0 and gain + best[rest ^ part] > best[mask]:
                best[mask] = gain + best[rest ^ part]
                chosen[mask] = part | low
            part = (part - 1) & rest
    found, mask = [], (1 << count) - 1
    while mask:
        if chosen[mask]:
            found.append(chosen[mask])
        mask ^= chosen[mask] or mask & -mask
    return found
