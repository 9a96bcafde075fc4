"""What every triple store can do, and the traversals that need nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.knowledge.names import IntArray

Frontier = NDArray[np.integer] | Sequence[int]
NameTriple = tuple[str, str, str]

INVERSE = "^"


@runtime_checkable
class TripleStore(Protocol):
    """A labelled directed multigraph of N entities, walked by *moves*.

    A move is a relation name, or ``"^"`` and the name for the way back. Move ids are ``0..R-1``
    forward and ``R..2R-1`` backward. A *frontier* is a set of entity ids: any sequence of ints
    goes in, sorted distinct int32 arrays come out.
    """

    @property
    def num_entities(self) -> int:
        """N."""
        ...

    @property
    def num_relations(self) -> int:
        """R."""
        ...

    @property
    def num_triples(self) -> int:
        """T."""
        ...

    @property
    def relation_names(self) -> tuple[str, ...]:
        """The relation names in id order."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of the set of triples."""
        ...

    def __len__(self) -> int:
        """T."""
        ...

    def move_id(self, name: str) -> int:
        """Return the id of a move."""
        ...

    def find_move(self, name: str) -> int | None:
        """Return the id of a move, or None."""
        ...

    def move_name(self, move: int) -> str:
        """Return the name of a move."""
        ...

    def inverse(self, move: int) -> int:
        """Return the move that walks the same edges the other way."""
        ...

    def entity_id(self, name: str) -> int:
        """Return the id of an entity."""
        ...

    def find_entity(self, name: str) -> int | None:
        """Return the id of an entity, tolerant of case and spacing, or None."""
        ...

    def entity_name(self, entity: int) -> str:
        """Return the name of an entity."""
        ...

    def entity_names(self, entities: Iterable[int]) -> list[str]:
        """Return the names of entities."""
        ...

    def nearest_entities(self, name: str, n: int = 3) -> list[str]:
        """Return entity names that look like ``name``."""
        ...

    def nearest_moves(self, name: str, n: int = 3) -> list[str]:
        """Return move names that look like ``name``."""
        ...

    def follow(self, frontier: Frontier, move: int | str) -> IntArray:
        """Return the entities one move away."""
        ...

    def edges(self, frontier: Frontier, move: int | str) -> tuple[IntArray, IntArray]:
        """Return (heads, tails) of the edges walked."""
        ...

    def moves(self, frontier: Frontier) -> list[str]:
        """Return the moves with an edge from the frontier."""
        ...

    def neighbors(self, entity: int, move: int | str) -> IntArray:
        """Return the entities one move away from one entity."""
        ...

    def around(self, frontier: Frontier) -> IntArray:
        """Return the entities one hop away by any move."""
        ...

    def has_edge(self, head: int, relation: int | str, tail: int) -> bool:
        """Return whether the triple is there."""
        ...

    def degree(self, entity: int, move: int | str | None = None) -> int:
        """Return the number of edges at an entity."""
        ...

    def distances(self, sources: Frontier, max_hops: int) -> NDArray[np.int16]:
        """Return undirected hop distances from a set, -1 where unreached."""
        ...

    def paths(
        self, source: int, targets: Frontier, max_hops: int, budget: int = 10_000
    ) -> Iterator[tuple[str, ...]]:
        """Yield relation paths that lead from the source to a target."""
        ...

    def triple_arrays(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return (heads, relations, tails) of every triple."""
        ...

    def triples(self, ids: Frontier | None = None) -> Iterator[NameTriple]:
        """Yield triples as names."""
        ...

    def subgraph(self, entities: Frontier) -> Graph:
        """Return the induced subgraph."""
        ...


def as_frontier(frontier: Frontier, num_entities: int) -> IntArray:
    """Return a frontier as a sorted, distinct int32 array.

    Raises
    ------
    TypeError
        If it is not a one-dimensional sequence of integers.
    IndexError
        If an id is outside ``0..N-1``.

    Examples
    --------
    >>> as_frontier([3, 1, 3], 5).tolist()
    [1, 3]
    """
    array = np.asarray(frontier)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise TypeError(
            "a frontier is a one-dimensional sequence of entity ids, got "
            f"{type(frontier).__name__} of {array.dtype} with {array.ndim} dimensions"
        )
    if not array.size:
        return np.zeros(0, np.int32)
    if not (array[1:] > array[:-1]).all():
        array = np.unique(array)
    if array[0] < 0 or array[-1] >= num_entities:
        wrong = int(array[0] if array[0] < 0 else array[-1])
        raise IndexError(f"entity id {wrong} is outside 0..{num_entities - 1}")
    return array.astype(np.int32, copy=False)


def name_triples(
    names: TripleStore, heads: IntArray, relations: IntArray, tails: IntArray
) -> Iterator[NameTriple]:
    """Yield the names of triples given as parallel arrays, in blocks to bound memory."""
    relation_names = names.relation_names
    for at in range(0, len(heads), 4096):
        block = slice(at, at + 4096)
        yield from zip(
            names.entity_names(heads[block]),
            [relation_names[r] for r in relations[block].tolist()],
            names.entity_names(tails[block]),
            strict=True,
        )


class Traversals:
    """Methods of a `TripleStore` that follow from its other methods."""

    def distances(self: TripleStore, sources: Frontier, max_hops: int) -> NDArray[np.int16]:
        """Return the undirected hop distance of every entity from a set.

        Parameters
        ----------
        sources : sequence of int
            Entities at distance 0.
        max_hops : int
            Where to stop, ``0 <= max_hops <= 32767``.

        Returns
        -------
        ndarray of int16, shape (N,)
            -1 where ``max_hops`` hops do not reach.

        Raises
        ------
        ConfigError
            If ``max_hops`` is out of range.

        Examples
        --------
        >>> from graphenv.knowledge import KnowledgeGraph
        >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("c", "r", "b"), ("d", "r", "d")])
        >>> kg.distances([kg.entity_id("a")], 3).tolist()
        [0, 1, 2, -1]
        """
        if not 0 <= max_hops <= 32767:
            raise ConfigError(f"max_hops must lie in 0..32767, got {max_hops}")
        frontier = as_frontier(sources, self.num_entities)
        hops = np.full(self.num_entities, -1, np.int16)
        hops[frontier] = 0
        for hop in range(1, max_hops + 1):
            near = self.around(frontier)
            frontier = near[hops[near] < 0]
            if not len(frontier):
                break
            hops[frontier] = hop
        return hops

    def paths(
        self: TripleStore, source: int, targets: Frontier, max_hops: int, budget: int = 10_000
    ) -> Iterator[tuple[str, ...]]:
        """Yield the relation paths that lead from an entity to any target.

        A path is a sequence of move names; walking it means `follow` move by move from
        ``[source]``, and it leads to a target if the last frontier holds one.

        Parameters
        ----------
        source : int
            Where every path starts.
        targets : sequence of int
            Where a path may end. A target that is the source itself does not count at length 0.
        max_hops : int
            Longest path, ``>= 1``.
        budget : int
            Most `follow` steps to spend. When it is spent the iterator ends early; what came
            before does not depend on it.

        Yields
        ------
        tuple of str
            Shortest first, then by move ids.

        Raises
        ------
        ConfigError
            If ``max_hops`` or ``budget`` is below 1.
        IndexError
            If an id is out of range.

        Examples
        --------
        >>> from graphenv.knowledge import KnowledgeGraph
        >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "s", "c"), ("a", "t", "c")])
        >>> list(kg.paths(kg.entity_id("a"), [kg.entity_id("c")], max_hops=2))
        [('t',), ('r', 's')]
        """
        if max_hops < 1 or budget < 1:
            raise ConfigError(f"max_hops and budget must be >= 1, got {max_hops} and {budget}")
        start = as_frontier([source], self.num_entities)
        goal = as_frontier(targets, self.num_entities)
        return _search_paths(self, start, goal, max_hops, budget)

    def subgraph(self: TripleStore, entities: Frontier) -> Graph:
        """Return the entities and every triple between them as a small named graph.

        Raises
        ------
        IndexError
            If an id is out of range.

        Examples
        --------
        >>> from graphenv.knowledge import KnowledgeGraph
        >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "s", "c")])
        >>> kg.subgraph([0, 1]).triples
        (('a', 'r', 'b'),)
        """
        chosen = as_frontier(entities, self.num_entities)
        names = dict(zip(chosen.tolist(), self.entity_names(chosen), strict=True))
        kept: list[NameTriple] = []
        outgoing = [m for m in self.moves(chosen) if not m.startswith(INVERSE)]
        for move in outgoing:
            heads, tails = self.edges(chosen, move)
            for h, t in zip(heads.tolist(), tails.tolist(), strict=True):
                if t in names:
                    kept.append((names[h], move, names[t]))
        return Graph.from_triples(kept, entities=names.values())


def _search_paths(
    store: TripleStore, start: IntArray, goal: IntArray, max_hops: int, budget: int
) -> Iterator[tuple[str, ...]]:
    """Iterative deepening: shortest first without holding a level of frontiers in memory."""
    if not len(goal):
        return
    # Only entities that can still reach a target in time are walked on; a path's full frontier
    # meets the targets exactly if this part of it does.
    togo = store.distances(goal, max_hops)
    spent = 0

    def extend(frontier: IntArray, path: tuple[str, ...], left: int) -> Iterator[tuple[str, ...]]:
        nonlocal spent
        for move in store.moves(frontier):
            if spent >= budget:
                return
            spent += 1
            reached = store.follow(frontier, move)
            hops = togo[reached]
            reached = reached[(hops >= 0) & (hops < left)]
            if not len(reached):
                continue
            if left == 1:
                yield (*path, move)
            else:
                yield from extend(reached, (*path, move), left - 1)

    for length in range(1, max_hops + 1):
        if spent < budget:
            yield from extend(start, (), length)
