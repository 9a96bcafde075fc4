"""`Builder`: a subgraph that grows edge by edge; each is one of the world, or is a proposal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphenv.envs.subgraph.world import World
from graphenv.graph import Graph, Triple

__all__ = ["Builder"]


class Builder:
    """A subgraph in the making. The seeds are in it from the start and stay.

    Every method that changes it answers "" or the reason why nothing changed.

    Parameters
    ----------
    world
        The network; names given to the methods are its exact names.
    seeds
        Entities that the task gives.
    max_nodes, max_edges
        The budget; seeds count, and so do proposed edges.

    Examples
    --------
    >>> from graphenv.knowledge import KnowledgeGraph
    >>> world = World(KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "r", "c")]))
    >>> builder = Builder(world, ["a"], max_nodes=2, max_edges=5)
    >>> builder.add_edges([("a", "r", "b")]), builder.graph().triples
    ('', (('a', 'r', 'b'),))
    >>> builder.add_edges([("b", "r", "c")])
    'the graph would have 3 nodes; at most 2 fit'
    """

    def __init__(
        self, world: World, seeds: Iterable[str], *, max_nodes: int, max_edges: int
    ) -> None:
        self._world = world
        self.seeds = tuple(seeds)
        self.max_nodes, self.max_edges = max_nodes, max_edges
        self._nodes: dict[str, None] = dict.fromkeys(self.seeds)
        self._edges: dict[Triple, None] = {}
        self._proposed: dict[Triple, None] = {}
        self._graph: Graph | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names in it, in the order in which they came."""
        return tuple(self._nodes)

    @property
    def edges(self) -> tuple[Triple, ...]:
        """The edges of the world in it, in the order in which they came."""
        return tuple(self._edges)

    @property
    def proposed(self) -> tuple[Triple, ...]:
        """The proposed edges, which the world does not have."""
        return tuple(self._proposed)

    @property
    def budget(self) -> Mapping[str, int]:
        """How many nodes and edges may still come."""
        return {
            "nodes": self.max_nodes - len(self._nodes),
            "edges": self.max_edges - len(self._edges) - len(self._proposed),
        }

    def graph(self) -> Graph:
        """Return the graph so far, without proposals."""
        if self._graph is None:
            self._graph = self._world.graph(self._edges, self._nodes, self.seeds)
        return self._graph

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def add_node(self, name: str) -> str:
        """Add an entity of the world."""
        if name in self._nodes:
            return "it is in the graph already"
        problem = self._grown([name], 0)
        if not problem:
            self._nodes[name] = None
            self._graph = None
        return problem

    def add_edges(self, triples: Iterable[Triple], *, proposed: bool = False) -> str:
        """Add edges with their ends: all of them, or none where they do not fit.

        A proposed edge stands beside the graph and brings no ends into it.
        """
        held = self._proposed if proposed else self._edges
        new = [triple for triple in dict.fromkeys(triples) if triple not in held]
        if not new:
            return "it is in the graph already"
        named = [end for head, _, tail in new for end in (head, tail) if not proposed]
        ends = [end for end in named if end not in self._nodes]
        problem = self._grown(list(dict.fromkeys(ends)), len(new))
        if not problem:
            self._nodes.update(dict.fromkeys(ends))
            held.update(dict.fromkeys(new))
            self._graph = None
        return problem

    def remove_node(self, name: str) -> str:
        """Remove an entity and all edges at it."""
        if name in self.seeds:
            return "it is given by the task and stays"
        if name not in self._nodes:
            return "it is not in the graph"
        del self._nodes[name]
        for held in (self._edges, self._proposed):
            for triple in [t for t in held if name in (t[0], t[2])]:
                del held[triple]
        self._graph = None
        return ""

    def remove_edge(self, triple: Triple) -> str:
        """Remove an edge or a proposal; its ends stay."""
        for held in (self._edges, self._proposed):
            if triple in held:
                del held[triple]
                self._graph = None
                return ""
        return "this edge is not in the graph"

    def _grown(self, names: list[str], edges: int) -> str:
        nodes = len(self._nodes) + len(names)
        if nodes > self.max_nodes:
            return f"the graph would have {nodes} nodes; at most {self.max_nodes} fit"
        count = len(self._edges) + len(self._proposed) + edges
        if count > self.max_edges:
            return f"the graph would have {count} edges; at most {self.max_edges} fit"
        return ""
