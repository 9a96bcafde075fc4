"""Made networks of invented proteins, a cheap pathway planted in each, and the cheapest tree."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from graphenv.envs.subgraph.sources.trees import UNREACHED, Arcs, SteinerTable
from graphenv.envs.subgraph.world import World
from graphenv.graph import Triple
from graphenv.knowledge import KnowledgeGraph
from graphenv.seeding import rng
from graphenv.task import SPLITS

__all__ = ["SCALE", "Problem", "planted_problem"]

RELATIONS = ("activates", "binds", "inhibits", "phosphorylates", "regulates", "transports")
TYPES = ("adaptor", "channel", "enzyme", "kinase", "receptor", "transcription factor")
SCALE = 1000
"""Costs are thousandths, so that sums are exact."""

_PLANTED, _OTHER = (100, 350), (300, 1000)


class Problem(NamedTuple):
    """A network, the names to be joined, and the cheapest tree through them.

    `cost` is in units of 1 / `SCALE`; `planted` tells whether the tree is the planted one.
    """

    world: World
    terminals: tuple[str, ...]
    gold: tuple[Triple, ...]
    cost: int
    planted: bool


@lru_cache(maxsize=512)
def planted_problem(
    split: str, nodes: int, terminals: int, seed: int, most: int, index: int
) -> Problem:
    """Return task `index`: its network, and the cheapest tree, of fewer than `most` edges."""
    for attempt in range(100):
        draw = rng("steiner", split, nodes, terminals, seed, index, attempt)
        heads, tails = _network(draw, nodes, SPLITS.index(split))
        path, ends = _pathway(draw, nodes, terminals, heads, tails)
        costs = draw.integers(*_OTHER, len(heads), endpoint=True)
        costs[path] = draw.integers(*_PLANTED, len(path), endpoint=True)
        arcs = Arcs(heads, tails, costs, np.zeros(nodes, np.int64))
        table, mask = SteinerTable(arcs, ends), (1 << terminals) - 1
        gold = table.tree(mask)
        if table.cost(mask) < UNREACHED and len(gold) < most:
            break
    else:  # a tree of more than `most` nodes a hundred times in a row
        raise AssertionError(f"steiner: no network for task {index}")
    names, world = _world(draw, nodes, (heads, tails, costs), path)
    number = {(int(h), int(t)): i for i, (h, t) in enumerate(zip(heads, tails, strict=True))}
    chosen = sorted(number[edge] for edge in gold)
    triples = list(world.store.triples())
    place = {(h, t): (h, r, t) for h, r, t in triples}
    named = tuple(place[names[int(heads[i])], names[int(tails[i])]] for i in chosen)
    ends_named = tuple(names[end] for end in ends)
    return Problem(world, ends_named, named, table.cost(mask), chosen == sorted(path))


def _network(
    draw: np.random.Generator, nodes: int, remainder: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the edges (smaller id first) of a random connected network, sorted."""
    pairs = {(int(draw.integers(node)), node) for node in range(1, nodes)}
    most = 11 * nodes // 5
    most += (remainder - most) % 3
    while len(pairs) < most:
        a, b = sorted(draw.integers(nodes, size=2).tolist())
        if a != b:
            pairs.add((a, b))
    ends = np.array(sorted(pairs), np.int64)
    return ends[:, 0], ends[:, 1]


def _pathway(
    draw: np.random.Generator,
    nodes: int,
    terminals: int,
    heads: NDArray[np.int64],
    tails: NDArray[np.int64],
) -> tuple[list[int], list[int]]:
    """Return the edges (by place) of a random tree in the network, and its terminals."""
    size = 2 * terminals + 1
    inside = {int(draw.integers(nodes))}
    path: list[int] = []
    while len(inside) < size:
        known = np.isin(heads, list(inside)), np.isin(tails, list(inside))
        edge = int(draw.choice(np.flatnonzero(known[0] != known[1])))
        inside |= {int(heads[edge]), int(tails[edge])}
        path.append(edge)
    while True:  # until the leaves are no more than the terminals
        ends = np.concatenate([heads[path], tails[path]])
        met, times = np.unique(ends, return_counts=True)
        leaves = met[times == 1].tolist()
        if len(leaves) <= terminals:
            break
        leaf = leaves[int(draw.integers(len(leaves)))]
        path = [edge for edge in path if leaf not in (heads[edge], tails[edge])]
    inner = [int(node) for node in draw.permutation(met) if node not in leaves]
    return sorted(path), sorted([*leaves, *inner[: terminals - len(leaves)]])


def _world(
    draw: np.random.Generator,
    nodes: int,
    edges: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    path: list[int],
) -> tuple[list[str], World]:
    heads, tails, costs = edges
    names = _names(draw, nodes)
    relations = draw.integers(len(RELATIONS), size=len(heads))
    store = KnowledgeGraph.from_arrays(heads, relations, tails, names, RELATIONS)
    kinds = draw.integers(len(TYPES), size=nodes)
    signal = draw.normal(0.0, 1.0, nodes)
    signal[np.unique(np.concatenate([heads[path], tails[path]]))] += 1.0
    columns = zip(heads, relations, tails, costs, strict=True)
    return names, World(
        store,
        {name: TYPES[kind] for name, kind in zip(names, kinds, strict=True)},
        feature_names=("signal",),
        feature_values=signal.round(2)[:, None],
        weights={(int(h), int(r), int(t)): int(c) / SCALE for h, r, t, c in columns},
        undirected=True,
        weight_name="cost",
    )


def _names(draw: np.random.Generator, count: int) -> list[str]:
    """Return distinct names such as `KORB7`, in random order."""
    first, vowels, last = "BCDFGHKLMNPRSTVZ", "AEIOU", "BDFKLMNPRSTX"
    total = len(first) * len(vowels) * len(last) * 9
    names = []
    for code in draw.choice(total, size=count, replace=False).tolist():
        code, digit = divmod(code, 9)
        code, c = divmod(code, len(last))
        a, b = divmod(code, len(vowels))
        names.append(f"{first[a]}{vowels[b]}{last[c]}{digit + 1}")
    return names
