"""`Graph`: a small, frozen, labelled multigraph; the one form in which rewards see structure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphenv.errors import ConfigError
from graphenv.text import normalize

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Edge", "Graph", "Node", "Triple"]

Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """A node: an `id` unique in its graph, a `label`, optionally a `kind` and attributes."""

    id: str
    label: str
    kind: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge from the node with index `head` to the node with index `tail`."""

    head: int
    relation: str
    tail: int


@dataclass(frozen=True)
class Graph:
    """A frozen, hashable, labelled, directed multigraph.

    Parallel edges and self-loops are legal. Equality and hash see node order and ids (they are
    what a cache needs); `isomorphic_to` and `wl_hash` see structure only.

    Parameters
    ----------
    nodes
        The nodes; ids are distinct.
    edges
        The edges, each a head index, a relation and a tail index into `nodes`.
    directed
        Whether the direction of an edge carries meaning.

    Raises
    ------
    ConfigError
        If two nodes share an id or an edge points outside `nodes`.

    Examples
    --------
    >>> g = Graph.from_triples([("Heat", "directed_by", "Michael Mann")])
    >>> g.triples
    (('Heat', 'directed_by', 'Michael Mann'),)
    >>> len(g), g.num_edges
    (2, 1)
    """

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    directed: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        if len({node.id for node in self.nodes}) != len(self.nodes):
            twice = [i for i, n in Counter(node.id for node in self.nodes).items() if n > 1]
            raise ConfigError(f"Graph: node ids must be distinct; given twice: {twice[:5]}")
        count = len(self.nodes)
        for edge in self.edges:
            if not (0 <= edge.head < count and 0 <= edge.tail < count):
                raise ConfigError(f"Graph: {edge} points outside the {count} nodes (indices 0..)")

    # -- making one ---------------------------------------------------------------------------

    @classmethod
    def from_triples(
        cls,
        triples: Iterable[Triple],
        *,
        entities: Iterable[str] = (),
        directed: bool = True,
    ) -> Graph:
        """Return the graph of `(head, relation, tail)` names; a name is both id and label.

        `entities` adds nodes without edges. Repeated triples stay parallel edges.
        """
        index: dict[str, int] = {}
        edges = [
            Edge(index.setdefault(h, len(index)), r, index.setdefault(t, len(index)))
            for h, r, t in triples
        ]
        for name in entities:
            index.setdefault(name, len(index))
        return cls(tuple(Node(name, name) for name in index), tuple(edges), directed=directed)

    @classmethod
    def from_edges(
        cls,
        labels: Sequence[str],
        edges: Iterable[tuple[int, str, int]] = (),
        *,
        kinds: Sequence[str] | None = None,
        directed: bool = True,
    ) -> Graph:
        """Return the graph of node `labels` and `(head index, relation, tail index)` edges.

        >>> Graph.from_edges(["film", "person"], [(0, "directed_by", 1)]).num_edges
        1
        """
        if kinds is not None and len(kinds) != len(labels):
            raise ConfigError(f"Graph: {len(labels)} labels but {len(kinds)} kinds")
        nodes = tuple(
            Node(str(i), label, kinds[i] if kinds is not None else "")
            for i, label in enumerate(labels)
        )
        return cls(nodes, tuple(Edge(h, r, t) for h, r, t in edges), directed=directed)

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Any]) -> Graph:
        """Return the graph of a networkx (multi)(di)graph.

        Node attributes `label` (default: the node itself) and `kind`, edge attribute `relation`
        (default: the empty string) are read; other node attributes become `Node.attributes`.
        """
        index = {node: i for i, node in enumerate(graph.nodes)}
        nodes = []
        for node, data in graph.nodes(data=True):
            rest = sorted((str(k), str(v)) for k, v in data.items() if k not in ("label", "kind"))
            label, kind = str(data.get("label", node)), str(data.get("kind", ""))
            nodes.append(Node(str(node), label, kind, tuple(rest)))
        edges = tuple(
            Edge(index[h], str(data.get("relation", "")), index[t])
            for h, t, data in graph.edges(data=True)
        )
        return cls(tuple(nodes), edges, directed=graph.is_directed())

    # -- reading it ---------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.nodes)

    def __bool__(self) -> bool:
        return True  # an empty graph is an answer, not an absence

    @property
    def num_edges(self) -> int:
        """Number of edges, parallel ones counted."""
        return len(self.edges)

    @cached_property
    def triples(self) -> tuple[Triple, ...]:
        """The edges as `(head label, relation, tail label)`."""
        return tuple(
            (self.nodes[e.head].label, e.relation, self.nodes[e.tail].label) for e in self.edges
        )

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The node labels in node order."""
        return tuple(node.label for node in self.nodes)

    @cached_property
    def _hash(self) -> int:
        return hash((self.nodes, self.edges, self.directed))

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        # A hash of strings means nothing in another process.
        return {key: value for key, value in self.__dict__.items() if key != "_hash"}

    # -- structure only -----------------------------------------------------------------------

    def normalized(self) -> Graph:
        """Return the graph with every label, kind and relation passed through `normalize`."""
        nodes = tuple(
            Node(n.id, normalize(n.label), normalize(n.kind), n.attributes) for n in self.nodes
        )
        edges = tuple(Edge(e.head, normalize(e.relation), e.tail) for e in self.edges)
        return Graph(nodes, edges, directed=self.directed)

    def wl_hash(self, iterations: int = 3) -> str:
        """Return the Weisfeiler-Leman hash (hex): equal for isomorphic graphs.

        Sees labels, kinds, relations, directions and parallel edges, not ids or orders. Graphs
        that `iterations` rounds of colour refinement cannot tell apart share a hash.

        References: Shervashidze et al., Weisfeiler-Lehman Graph Kernels, JMLR 2011.

        >>> a = Graph.from_edges(["x", "y"], [(0, "r", 1)])
        >>> b = Graph.from_edges(["y", "x"], [(1, "r", 0)])
        >>> a.wl_hash() == b.wl_hash()
        True
        """
        colors = [_digest("node", node.label, node.kind) for node in self.nodes]
        for _ in range(iterations):
            around: list[list[str]] = [[] for _ in self.nodes]
            for edge in self.edges:
                out, back = ("out", "in") if self.directed else ("edge", "edge")
                around[edge.head].append(_digest(out, edge.relation, colors[edge.tail]))
                around[edge.tail].append(_digest(back, edge.relation, colors[edge.head]))
            colors = [_digest(c, *sorted(n)) for c, n in zip(colors, around, strict=True)]
        return _digest(str(self.directed), str(self.num_edges), *sorted(colors))

    def isomorphic_to(self, other: Graph) -> bool:
        """Return whether a relabelling of ids turns this graph into `other`.

        Labels, kinds, relations, directions and multiplicities must agree. Exact; worst case
        exponential (VF2), in practice decided by `wl_hash` first.
        """
        sizes = (len(self), self.num_edges, self.directed)
        if sizes != (len(other), other.num_edges, other.directed):
            return False
        if self.wl_hash() != other.wl_hash():
            return False
        import networkx as nx

        return bool(
            nx.is_isomorphic(
                self._folded(),
                other._folded(),
                node_match=lambda a, b: a["key"] == b["key"],
                edge_match=lambda a, b: a["bag"] == b["bag"],
            )
        )

    def _folded(self) -> nx.Graph[Any]:
        """Return a simple networkx graph whose edges carry the sorted bag of relations."""
        import networkx as nx

        graph: nx.Graph[Any] = nx.DiGraph() if self.directed else nx.Graph()
        for i, node in enumerate(self.nodes):
            graph.add_node(i, key=(node.label, node.kind))
        for edge in self.edges:
            bag = [edge.relation]
            if graph.has_edge(edge.head, edge.tail):
                bag += graph[edge.head][edge.tail]["bag"]
            graph.add_edge(edge.head, edge.tail, bag=tuple(sorted(bag)))
        return graph

    # -- other forms --------------------------------------------------------------------------

    def to_networkx(self) -> nx.MultiDiGraph[Any] | nx.MultiGraph[Any]:
        """Return a networkx multigraph; the inverse of `from_networkx` for string ids."""
        import networkx as nx

        graph: Any = nx.MultiDiGraph() if self.directed else nx.MultiGraph()
        for node in self.nodes:
            graph.add_node(node.id, label=node.label, kind=node.kind, **dict(node.attributes))
        for edge in self.edges:
            graph.add_edge(
                self.nodes[edge.head].id, self.nodes[edge.tail].id, relation=edge.relation
            )
        made: nx.MultiDiGraph[Any] | nx.MultiGraph[Any] = graph
        return made

    def to_pyg(self, relations: Sequence[str] | None = None) -> Any:
        """Return a `torch_geometric.data.Data` with `edge_index` (2, E) and `edge_type` (E,).

        `relations` fixes the order of relation ids (default: sorted names of this graph). An
        undirected graph gets both directions. Node labels are kept in `data.labels`.

        Raises
        ------
        ConfigError
            If an edge has a relation that `relations` does not list.
        ImportError
            If torch-geometric is missing (install `graphenv[gnn]`).
        """
        import torch
        from torch_geometric.data import Data

        names = (
            list(relations) if relations is not None else sorted({e.relation for e in self.edges})
        )
        ids = {name: i for i, name in enumerate(names)}
        unknown = sorted({e.relation for e in self.edges} - ids.keys())
        if unknown:
            raise ConfigError(f"Graph.to_pyg: relations {unknown[:5]} are not in `relations`")
        rows = [(e.head, e.tail, ids[e.relation]) for e in self.edges]
        if not self.directed:
            rows += [(t, h, r) for h, t, r in rows if h != t]
        index = torch.tensor([(h, t) for h, t, _ in rows], dtype=torch.long).reshape(-1, 2).T
        kinds = torch.tensor([r for _, _, r in rows], dtype=torch.long)
        return Data(
            edge_index=index.contiguous(),
            edge_type=kinds,
            num_nodes=len(self),
            labels=list(self.labels),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form; `from_json` is its inverse."""
        nodes = [[n.id, n.label, n.kind, [list(a) for a in n.attributes]] for n in self.nodes]
        edges = [[e.head, e.relation, e.tail] for e in self.edges]
        return {"nodes": nodes, "edges": edges, "directed": self.directed}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Graph:
        """Return the graph that `to_json` wrote.

        >>> g = Graph.from_triples([("a", "r", "b")], entities=["c"])
        >>> Graph.from_json(g.to_json()) == g
        True
        """
        nodes = tuple(
            Node(i, label, kind, tuple((k, v) for k, v in attributes))
            for i, label, kind, attributes in data["nodes"]
        )
        edges = tuple(Edge(h, r, t) for h, r, t in data["edges"])
        return cls(nodes, edges, directed=bool(data["directed"]))


def _digest(*parts: str) -> str:
    text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=12).hexdigest()
