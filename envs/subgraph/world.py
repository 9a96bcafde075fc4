"""`World`: the network that subgraphs are cut from; never the gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from graphenv.envs.kgqa.public import public_world
from graphenv.errors import DataError
from graphenv.graph import Edge, Graph, Node, Triple
from graphenv.knowledge import TripleStore
from graphenv.knowledge.protocol import INVERSE
from graphenv.text import normalize

__all__ = ["DESCRIPTION", "SEED", "World"]

SEED = ("seed", "1")
"""The attribute of a node that the task gives."""
DESCRIPTION = "description"
"""The attribute that holds a node's text."""


@dataclass(frozen=True)
class World:
    """A text-attributed, numerically featured network; read-only and public.

    Parameters
    ----------
    store
        Names and edges.
    types
        Type of each entity by name; "" where one is missing.
    descriptions
        Text of each entity by name, where there is one.
    feature_names, feature_values
        Names of F numeric features and an array of shape (N, F) in the order of the store's
        entity ids; NaN where a value is unknown. They may differ from task to task (an expression
        profile): `with_features`.
    weights
        Score or cost of an edge by (head id, relation id, tail id); empty where edges have none.
    undirected
        Whether the direction of an edge carries no meaning (protein interactions).
    seeds
        What the task gives, in a world that is handed to an agent (`public`).
    weight_name
        What weights are, as an agent reads it: `score`, `cost`.

    Raises
    ------
    DataError
        If the features do not fit the names or the store.

    Examples
    --------
    >>> from graphenv.knowledge import KnowledgeGraph
    >>> store = KnowledgeGraph.from_triples([("TP53", "binds", "MDM2")])
    >>> world = World(store, {"TP53": "gene"}, undirected=True)
    >>> world.edge("MDM2", "binds", "tp53")
    ('TP53', 'binds', 'MDM2')
    >>> world.node("TP53").kind
    'gene'
    """

    store: TripleStore
    types: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    feature_names: tuple[str, ...] = ()
    feature_values: NDArray[np.floating] | None = None
    weights: Mapping[tuple[int, int, int], float] = field(default_factory=dict)
    undirected: bool = False
    weight_name: str = "weight"
    seeds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (self.store.num_entities, len(self.feature_names))
        found = None if self.feature_values is None else self.feature_values.shape
        if (found is None and self.feature_names) or found not in (None, shape):
            raise DataError(
                f"world: {shape[0]} entities with {shape[1]} named features need an array of "
                f"shape {shape}; got {found}"
            )

    def with_features(self, names: tuple[str, ...], values: NDArray[np.floating]) -> World:
        """Return the same network with other numbers at its nodes (all are replaced)."""
        return replace(self, feature_names=names, feature_values=values)

    def public(self, seeds: Iterable[str] = ()) -> World:
        """Return the world as an agent may read it: see `graphenv.envs.kgqa.public`."""
        return replace(self, store=public_world(self.store), seeds=tuple(seeds))

    # -- entities -----------------------------------------------------------------------------

    def find(self, name: str) -> str | None:
        """Return the exact name of an entity, tolerant of case and spacing, or `None`."""
        found = self.store.find_entity(name)
        return None if found is None else self.store.entity_name(found)

    def type(self, name: str) -> str:
        """Return the type of an entity, "" where it has none."""
        return self.types.get(name, "")

    def description(self, name: str) -> str:
        """Return the text of an entity, "" where it has none."""
        return self.descriptions.get(name, "")

    def features(self, name: str) -> dict[str, float]:
        """Return the known numeric features of an entity."""
        found = self.store.find_entity(name) if self.feature_values is not None else None
        if found is None or self.feature_values is None:
            return {}
        row = self.feature_values[found].tolist()
        return {key: x for key, x in zip(self.feature_names, row, strict=True) if x == x}

    def node(self, name: str, *, seed: bool = False) -> Node:
        """Return an entity as a node: features, text and the mark of a seed are attributes.

        A name that the world does not have is a node of which nothing else is known.
        """
        told = [(key, f"{value:.6g}") for key, value in self.features(name).items()]
        text = self.description(name)
        told += [(DESCRIPTION, text)] if text else []
        return Node(name, name, self.type(name), (*told, *((SEED,) if seed else ())))

    def graph(
        self, triples: Iterable[Triple], entities: Iterable[str] = (), seeds: Iterable[str] = ()
    ) -> Graph:
        """Return named edges and further entities as a graph of this world's nodes."""
        triples = list(triples)
        given = set(seeds)
        index: dict[str, int] = {}
        for name in (*(end for h, _, t in triples for end in (h, t)), *entities):
            index.setdefault(name, len(index))
        edges = tuple(Edge(index[h], r, index[t]) for h, r, t in triples)
        nodes = tuple(self.node(name, seed=name in given) for name in index)
        return Graph(nodes, edges, directed=not self.undirected)

    # -- edges --------------------------------------------------------------------------------

    def move(self, name: str) -> int | None:
        """Return the id of a relation or `^relation`, tolerant of case and spacing, or `None`."""
        found = self.store.find_move(name)
        return self._plain_moves.get(normalize(name)) if found is None else found

    @cached_property
    def _plain_moves(self) -> dict[str, int]:
        names = [*self.store.relation_names, *(f"{INVERSE}{r}" for r in self.store.relation_names)]
        count = Counter(map(normalize, names))
        return {normalize(n): i for i, n in enumerate(names) if count[normalize(n)] == 1}

    def named(self, head: str, relation: str, tail: str) -> Triple | None:
        """Return the names that are meant, whether or not there is such an edge.

        `^relation` is the way back. `None` if an entity or the relation is unknown.
        """
        store = self.store
        first, last, move = store.find_entity(head), store.find_entity(tail), self.move(relation)
        if move is None or first is None or last is None:
            return None
        if move >= store.num_relations:
            move, first, last = move - store.num_relations, last, first
        return store.entity_name(first), store.relation_names[move], store.entity_name(last)

    def edge(self, head: str, relation: str, tail: str) -> Triple | None:
        """Return the edge of the world that is meant, as it is stored, or `None`.

        In an undirected world either order of the ends will do.
        """
        meant = self.named(head, relation, tail)
        if meant is None:
            return None
        ends = self.store.entity_id(meant[0]), self.store.entity_id(meant[2])
        if self.store.has_edge(ends[0], meant[1], ends[1]):
            return meant
        if self.undirected and self.store.has_edge(ends[1], meant[1], ends[0]):
            return meant[2], meant[1], meant[0]
        return None

    def weight(self, head: str, relation: str, tail: str) -> float | None:
        """Return the score or cost of an edge, `None` where it has none or is no edge."""
        found = self.edge(head, relation, tail)
        if found is None:
            return None
        store = self.store
        key = (store.entity_id(found[0]), store.move_id(found[1]), store.entity_id(found[2]))
        return self.weights.get(key)

    @cached_property
    def signatures(self) -> frozenset[tuple[str, str, str]]:
        """The (type, relation, type) that occur: what an edge that is not there may look like."""
        heads, relations, tails = self.store.triple_arrays()
        known = list(dict.fromkeys(["", *self.types.values()]))
        code = {kind: i for i, kind in enumerate(known)}
        names = self.store.entity_names(range(self.store.num_entities))
        kinds = np.array([code[self.types.get(name, "")] for name in names], np.int64)
        rows = np.stack([kinds[heads], relations, kinds[tails]], axis=1)
        labels = self.store.relation_names
        found = {(known[h], labels[r], known[t]) for h, r, t in np.unique(rows, axis=0).tolist()}
        return frozenset(found | {(t, r, h) for h, r, t in found if self.undirected})

    def moves(self, name: str) -> list[str]:
        """Return the moves with an edge at an entity, `^relation` for the way back.

        In an undirected world each relation once, without a sign.
        """
        found = self.store.moves([self.store.entity_id(name)])
        if self.undirected:
            return sorted({move.removeprefix(INVERSE) for move in found})
        return found

    def along(self, name: str, move: str) -> list[Triple]:
        """Return the edges at an entity along a move, as they are stored, in order of names.

        Raises
        ------
        UnknownNameError
            If there is no such entity or move.
        """
        here = self.store.entity_id(name)
        both = [move, self.store.move_name(self.store.inverse(self.store.move_id(move)))]
        found: list[Triple] = []
        for way in both if self.undirected else both[:1]:
            relation = way.removeprefix(INVERSE)
            for other in self.store.entity_names(self.store.neighbors(here, way)):
                ends = (other, name) if way.startswith(INVERSE) else (name, other)
                found.append((ends[0], relation, ends[1]))
        return sorted(dict.fromkeys(found))
