"""`Network`: the graph that is designed. Simple, undirected, small; nodes are numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from graphenv.graph import Edge, Graph, Node

__all__ = ["LINK", "MAX_NODES", "Network", "Pair", "pair"]

Pair = tuple[int, int]
"""An edge between the nodes with these numbers, the smaller one first."""

LINK = "linked"
"""The relation of every edge, where the network stands as a `Graph`."""

MAX_NODES = 100


def pair(a: int, b: int) -> Pair:
    """Return the edge between two nodes.

    >>> pair(7, 3)
    (3, 7)
    """
    return (a, b) if a < b else (b, a)


@dataclass(frozen=True)
class Network:
    """A simple undirected graph.

    Parameters
    ----------
    names
        The names of the nodes; node `i` is `names[i]`.
    edges
        Sorted pairs of node numbers, each once, the smaller number first.

    >>> path = Network.of(3, [(0, 1), (2, 1)])
    >>> path.edges, path.missing, path.connected
    (((0, 1), (1, 2)), ((0, 2),), True)
    """

    names: tuple[str, ...]
    edges: tuple[Pair, ...]

    @classmethod
    def of(cls, size: int, edges: Iterable[Pair]) -> Network:
        """Return the network whose nodes are called by their numbers."""
        return cls(tuple(map(str, range(size))), tuple(sorted({pair(*e) for e in edges})))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def adjacency(self) -> np.ndarray:
        """Whether two nodes are tied: (n, n) of bool, symmetric."""
        tied = np.zeros((len(self), len(self)), dtype=bool)
        for a, b in self.edges:
            tied[a, b] = tied[b, a] = True
        return tied

    @cached_property
    def missing(self) -> tuple[Pair, ...]:
        """The pairs that are no edge, sorted."""
        rows, columns = np.nonzero(np.triu(~self.adjacency, 1))
        return tuple(zip(rows.tolist(), columns.tolist(), strict=True))

    def neighbors(self, node: int) -> list[int]:
        """Return the numbers of the nodes tied to one."""
        found: list[int] = np.nonzero(self.adjacency[node])[0].tolist()
        return found

    @cached_property
    def connected(self) -> bool:
        """Whether every node can be reached from every other."""
        around: list[list[int]] = [[] for _ in self.names]
        for a, b in self.edges:
            around[a].append(b)
            around[b].append(a)
        seen, frontier = {0}, [0]
        while frontier:
            fresh = [b for b in around[frontier.pop()] if b not in seen]
            seen.update(fresh)
            frontier += fresh
        return len(seen) == len(self)

    def changed(self, add: Iterable[Pair] = (), remove: Iterable[Pair] = ()) -> Network:
        """Return the network with some edges more, and some less."""
        edges = (set(self.edges) - set(remove)) | set(add)
        return Network(self.names, tuple(sorted(edges)))

    @cached_property
    def graph(self) -> Graph:
        """The network in the form that rewards see; a node's id and label are its name."""
        nodes = tuple(Node(name, name, "node") for name in self.names)
        return Graph(nodes, tuple(Edge(a, LINK, b) for a, b in self.edges), directed=False)

    @cached_property
    def shape(self) -> str:
        """The Weisfeiler-Leman hash of the network without its names: equal for isomorphic ones."""
        edges = [(a, "", b) for a, b in self.edges]
        return Graph.from_edges([""] * len(self), edges, directed=False).wl_hash()
