"""Connect the terminals: made networks with a planted pathway, and the cheapest tree as gold."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.checks import whole
from graphenv.envs.subgraph.sources.base import Play, SubgraphSource, edge_actions, subgraph_task
from graphenv.envs.subgraph.sources.planted import SCALE, Problem, planted_problem
from graphenv.envs.subgraph.truths import graph_truth
from graphenv.envs.subgraph.world import World
from graphenv.graph import Graph
from graphenv.seeding import stable_hash
from graphenv.task import Task

__all__ = ["SteinerSource"]

_WORDINGS = (  # the last two occur in the held-out split alone
    "Connect {terminals} by the cheapest pathway. Each edge has a cost; the sum should be least.",
    "Which interactions join {terminals} at the least total cost?",
    "{terminals} belong to one pathway. Recover it: the connected subgraph of least total cost "
    "that holds all of them.",
    "Find the tree of least total edge cost that contains {terminals}.",
    "Signals pass between {terminals}. Give the cheapest set of edges that links them all.",
)
_SEEN = 3


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

    def _problem(self, index: int) -> Problem:
        at = range(self._count)[index]
        return planted_problem(self.split, self._nodes, self._terminals, self._seed, self._most, at)

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
            cost=found.cost / SCALE,
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
    return sum(round(SCALE * (weight or 0.0)) for weight in weights)
