"""Connect the terminals: made networks with a planted pathway, and the cheapest tree as gold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from graphenv.checks import whole
from graphenv.envs.subgraph.sources.base import Play, SubgraphSource, edge_actions, subgraph_task
from graphenv.envs.subgraph.sources.trees import UNREACHED, Arcs, SteinerTable
from graphenv.envs.subgraph.truths import graph_truth
from graphenv.envs.subgraph.world import World
from graphenv.graph import Graph, Triple
from graphenv.knowledge import KnowledgeGraph
from graphenv.seeding import rng, stable_hash
from graphenv.task import SPLITS, Task

__all__ = ["SteinerSource"]

RELATIONS = ("activates", "binds", "inhibits", "phosphorylates", "regulates", "transports")
TYPES = ("adaptor", "channel", "enzyme", "kinase", "receptor", "transcription factor")
_WORDINGS = (  # the last two occur in the held-out split alone
    "Connect {terminals} by the cheapest pathway. Each edge has a cost; the sum should be least.",
    "Which interactions join {terminals} at the least total cost?",
    "{terminals} belong to one pathway. Recover it: the connected subgraph of least total cost "
    "that holds all of them.",
    "Find the tree of least total edge cost that contains {terminals}.",
    "Signals pass between {terminals}. Give the cheapest set of edges that links them all.",
)
_SEEN = 3
_SCALE = 1000  # costs are thousandths, so that sums are exact
_PLANTED, _OTHER = (100, 350), (300, 1000)


class _Problem(NamedTuple):
    world: World
    terminals: tuple[str, ...]
    gold: tuple[Triple, ...]
    cost: int
    planted: bool


class SteinerSource(SubgraphSource):
    """Seeded networks of invented proteins; join the terminals at the least cost.

    A pathway (a random tree whose edges are cheap) is planted in a random network; terminals are
    its leaves first. Gold is the cheapest tree through the terminals, found exactly
    (`trees.SteinerTable`), whether or not that is the planted one: `meta["planted"]` tells. Success
    is the F1 of the edges; another tree of the same cost is as right. The number at each protein,
    `signal`, is drawn around 1 on the planted pathway and around 0 elsewhere: a noisy hint.

    Parameters
    ----------
    split
        Each has networks and, in part, wordings of its own: the number of edges, divided by three,
        leaves a remainder that names the split, so that no network occurs in two.
    nodes
        Proteins in a network.
    terminals
        How many are to be joined, 2 to 8.
    count
        Number of tasks.
    seed
        Another seed is another set of tasks.

    Raises
    ------
    ConfigError
        If an argument is out of range.

    Examples
    --------
    >>> source = SteinerSource(split="train", nodes=30, terminals=3)
    >>> task = source[0]
    >>> len(task.meta["seeds"]), source.truth(task, task.target.graph, None)[0]
    (3, 1.0)
    """

    def __init__(
        self, *, split: str, nodes: int = 40, terminals: int = 4, count: int = 20_000, seed: int = 0
    ) -> None:
        super().__init__(split)
        self._terminals = whole("steiner", "terminals", terminals, 2, 8)
        self._nodes = whole("steiner", "nodes", nodes, 4 * terminals + 4, 500)
        self._count = whole("steiner", "count", count, 1)
        self._seed = whole("steiner", "seed", seed, 0)
        self._most = 3 * terminals + 4

    def _problem(self, index: int) -> _Problem:
        at = range(self._count)[index]
        return _problem(self.split, self._nodes, self._terminals, self._seed, self._most, at)

    @property
    def fingerprint(self) -> str:
        told = (self.split, self._nodes, self._terminals, self._count, self._seed)
        return f"{stable_hash('steiner/0', *told, bits=128):032x}"

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.graph"})

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Task:
        at = range(self._count)[index]
        found = self._problem(at)
        choice = stable_hash("steiner wording", self._seed, self.split, at)
        wordings = _WORDINGS[_SEEN:] if self.split == "heldout" else _WORDINGS[:_SEEN]
        told = ", ".join(found.terminals[:-1]) + f" and {found.terminals[-1]}"
        return subgraph_task(
            id=f"steiner/{self.split}/{self._seed}/{self._nodes}/{self._terminals}/{at}",
            index=at,
            question=wordings[choice % len(wordings)].format(terminals=told),
            seeds=found.terminals,
            goal="graph",
            max_nodes=self._most,
            max_edges=self._most + 2,
            graph=found.world.graph(found.gold, seeds=found.terminals),
            cost=found.cost / _SCALE,
            planted=found.planted,
        )

    def world(self, index: int) -> World:
        return self._problem(index).world

    def truth(
        self, task: Task, graph: Graph, ranking: Sequence[str] | None
    ) -> tuple[float, dict[str, float]]:
        """Return the F1 of the edges, or 1.0 for any tree through the terminals of the gold's cost.

        Metric `cost_ratio` is the least cost over that of the graph where it joins all terminals,
        else 0; `optimal` is 1 where they are equal.
        """
        gold = task.target.graph
        assert gold is not None
        found = self._problem(task.index)
        value, metrics = graph_truth(graph, gold, task.meta["seeds"])
        cost = _cost(found.world, graph, found.terminals)
        optimal = cost == found.cost
        ratio = found.cost / cost if cost else 0.0
        more = {"cost_ratio": ratio, "optimal": float(optimal)}
        return 1.0 if optimal else value, {**metrics, **more}

    def play(self, index: int) -> Play:
        """Return the edges of the gold, from the terminals outwards."""
        found = self._problem(index)
        return Play(edge_actions(found.world, found.terminals, found.gold))


def _cost(world: World, graph: Graph, terminals: Sequence[str]) -> int:
    """Return what a graph costs that joins the terminals; 0 if it does not, or invents edges.

    Everything in the graph has to hang together, so that nothing stands beside it for free.
    """
    import networkx as nx

    weights = [world.weight(*triple) for triple in graph.triples]
    plain: nx.Graph[str] = nx.Graph()
    plain.add_nodes_from([*graph.labels, *terminals])
    plain.add_edges_from((head, tail) for head, _, tail in graph.triples)
    if None in weights or not nx.is_connected(plain):
        return 0
    return sum(round(_SCALE * (weight or 0.0)) for weight in weights)


@lru_cache(maxsize=512)
def _problem(split: str, nodes: int, terminals: int, seed: int, most: int, index: int) -> _Problem:
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
    return _Problem(world, ends_named, named, table.cost(mask), chosen == sorted(path))


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
        weights={(int(h), int(r), int(t)): int(c) / _SCALE for h, r, t, c in columns},
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
