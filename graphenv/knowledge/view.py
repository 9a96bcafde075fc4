"""A triple store with a few triples hidden."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from graphenv.knowledge.checks import triple_positions
from graphenv.knowledge.names import IntArray, frozen
from graphenv.knowledge.protocol import (
    Frontier,
    NameTriple,
    Traversals,
    as_frontier,
    name_triples,
)
from graphenv.knowledge.store import KnowledgeGraph

IdTriple = tuple[int, int, int]


class KnowledgeView(Traversals):
    """A `KnowledgeGraph` seen without a few triples, in both directions.

    Link prediction hides the triple it asks for. A view costs O(hidden) to make and shares
    everything else with its base; an untouched frontier is followed at the base's speed.

    Parameters
    ----------
    base : KnowledgeGraph or KnowledgeView
        What to look at. The view of a view hides the triples of both.
    hidden : iterable of (head, relation, tail) ids
        Triples to leave out; those the base does not hold are ignored.

    Raises
    ------
    IndexError
        If an id is out of range.

    Examples
    --------
    >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "r", "c")])
    >>> view = KnowledgeView(kg, [(0, 0, 1)])
    >>> view.follow([0], "r").tolist(), view.follow([1], "^r").tolist(), len(view), len(kg)
    ([2], [], 1, 2)
    """

    def __init__(self, base: KnowledgeGraph | KnowledgeView, hidden: Iterable[IdTriple]) -> None:
        wanted = {(int(h), int(r), int(t)) for h, r, t in hidden}
        if isinstance(base, KnowledgeView):
            wanted |= set(base.hidden)
            base = base.base
        self._base = base
        count = base.num_relations
        for _, relation, _ in wanted:
            if not 0 <= relation < count:
                raise IndexError(f"relation {relation} is outside 0..{count - 1}")
        self._hidden = tuple(sorted(t for t in wanted if base.has_edge(*t)))
        # move -> head -> hidden tails
        masks: dict[int, dict[int, set[int]]] = {}
        for h, r, t in self._hidden:
            masks.setdefault(r, {}).setdefault(h, set()).add(t)
            masks.setdefault(r + count, {}).setdefault(t, set()).add(h)
        self._masks = masks

    def __getstate__(self) -> tuple[KnowledgeGraph, tuple[IdTriple, ...]]:
        return self._base, self._hidden

    def __setstate__(self, state: tuple[KnowledgeGraph, tuple[IdTriple, ...]]) -> None:
        KnowledgeView.__init__(self, *state)

    def __len__(self) -> int:
        return self.num_triples

    def __repr__(self) -> str:
        return f"KnowledgeView({self._base!r}, {len(self._hidden)} hidden)"

    @property
    def base(self) -> KnowledgeGraph:
        """The store that is looked at."""
        return self._base

    @property
    def hidden(self) -> tuple[IdTriple, ...]:
        """The hidden (head, relation, tail) ids that the base holds, sorted."""
        return self._hidden

    @property
    def num_entities(self) -> int:
        """Number of entities, N (hiding triples hides no entity)."""
        return self._base.num_entities

    @property
    def num_relations(self) -> int:
        """Number of relations, R."""
        return self._base.num_relations

    @property
    def num_triples(self) -> int:
        """Number of visible triples."""
        return self._base.num_triples - len(self._hidden)

    @property
    def relation_names(self) -> tuple[str, ...]:
        """The relation names in id order."""
        return self._base.relation_names

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the base and the names of the hidden triples."""
        if not self._hidden:
            return self._base.fingerprint
        names = sorted(
            (self.entity_name(h), self.relation_names[r], self.entity_name(t))
            for h, r, t in self._hidden
        )
        text = f"graphenv.KnowledgeView/1 {self._base.fingerprint} {names!r}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    # -- names: those of the base -----------------------------------------------------------------

    def find_move(self, name: str) -> int | None:
        """Return the id of a move, or None."""
        return self._base.find_move(name)

    def move_id(self, name: str) -> int:
        """Return the id of a move (raises as `KnowledgeGraph.move_id`)."""
        return self._base.move_id(name)

    def move_name(self, move: int) -> str:
        """Return the name of a move."""
        return self._base.move_name(move)

    def inverse(self, move: int) -> int:
        """Return the move that walks the same edges the other way."""
        return self._base.inverse(move)

    def find_entity(self, name: str) -> int | None:
        """Return the id of an entity, or None (see `KnowledgeGraph.find_entity`)."""
        return self._base.find_entity(name)

    def entity_id(self, name: str) -> int:
        """Return the id of an entity (raises as `KnowledgeGraph.entity_id`)."""
        return self._base.entity_id(name)

    def entity_name(self, entity: int) -> str:
        """Return the name of an entity."""
        return self._base.entity_name(entity)

    def entity_names(self, entities: Iterable[int]) -> list[str]:
        """Return the names of entities, in the order given."""
        return self._base.entity_names(entities)

    def nearest_entities(self, name: str, n: int = 3) -> list[str]:
        """Return at most ``n`` entity names that look like ``name``."""
        return self._base.nearest_entities(name, n)

    def nearest_moves(self, name: str, n: int = 3) -> list[str]:
        """Return at most ``n`` move names that look like ``name``."""
        return self._base.nearest_moves(name, n)

    # -- traversal: the base's, less the masks ----------------------------------------------------

    def _mask(self, move: int | str) -> dict[int, set[int]] | None:
        number = self._base.move_id(move) if isinstance(move, str) else int(move)
        return self._masks.get(number)

    def follow(self, frontier: Frontier, move: int | str) -> IntArray:
        """Return the entities one visible move away (as `KnowledgeGraph.follow`)."""
        mask = self._mask(move)
        if mask is None:
            return self._base.follow(frontier, move)
        chosen = as_frontier(frontier, self.num_entities)
        touched = _among(chosen, mask)
        if not len(touched):
            return self._base.follow(chosen, move)
        parts = [self._base.follow(np.setdiff1d(chosen, touched, assume_unique=True), move)]
        parts += [self.neighbors(entity, move) for entity in touched.tolist()]
        return frozen(np.unique(np.concatenate(parts)))

    def neighbors(self, entity: int, move: int | str) -> IntArray:
        """Return the sorted, distinct entities one visible move away from one entity."""
        row = self._base.neighbors(entity, move)
        mask = self._mask(move)
        hidden = mask.get(int(entity)) if mask else None
        if not hidden:
            return row
        return frozen(np.setdiff1d(row, sorted(hidden), assume_unique=True).astype(np.int32))

    def edges(self, frontier: Frontier, move: int | str) -> tuple[IntArray, IntArray]:
        """Return (heads, tails) of the visible edges walked (as `KnowledgeGraph.edges`)."""
        heads, tails = self._base.edges(frontier, move)
        mask = self._mask(move)
        if mask is None or not len(heads):
            return heads, tails
        shown = np.ones(len(heads), np.bool_)
        for head in _among(heads[np.diff(heads, prepend=-1) > 0], mask).tolist():
            lo, hi = heads.searchsorted([head, head + 1]).tolist()
            shown[lo:hi] = np.isin(tails[lo:hi], list(mask[head]), invert=True)
        return frozen(heads[shown]), frozen(tails[shown])

    def moves(self, frontier: Frontier) -> list[str]:
        """Return the names of the moves with a visible edge from a frontier, by move id."""
        chosen = as_frontier(frontier, self.num_entities)
        names = self._base.moves(chosen)
        doubtful = {
            self._base.move_name(m) for m, mask in self._masks.items() if len(_among(chosen, mask))
        }
        return [n for n in names if n not in doubtful or len(self.follow(chosen, n))]

    def around(self, frontier: Frontier) -> IntArray:
        """Return the sorted, distinct entities one visible hop away by any move."""
        chosen = as_frontier(frontier, self.num_entities)
        ends: set[int] = set().union(*self._masks.values())
        touched = _among(chosen, ends)
        if not len(touched):
            return self._base.around(chosen)
        parts = [self._base.around(np.setdiff1d(chosen, touched, assume_unique=True))]
        parts += [self.follow(touched, move) for move in self._base.moves(touched)]
        return frozen(np.unique(np.concatenate(parts)))

    def has_edge(self, head: int, relation: int | str, tail: int) -> bool:
        """Return whether a triple is there and visible (``relation`` may be any move)."""
        mask = self._mask(relation)
        if mask and int(tail) in mask.get(int(head), ()):
            return False
        return self._base.has_edge(head, relation, tail)

    def degree(self, entity: int, move: int | str | None = None) -> int:
        """Return the number of visible edges at an entity, under one move or under all."""
        if move is not None:
            return len(self.neighbors(entity, move))
        lost = sum(len(mask.get(int(entity), ())) for mask in self._masks.values())
        return self._base.degree(entity) - lost

    # -- triples ----------------------------------------------------------------------------------

    def triple_arrays(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return (heads, relations, tails) of every visible triple, in (r, h, t) order."""
        heads, relations, tails = self._base.triple_arrays()
        shown = self._shown()
        return frozen(heads[shown]), frozen(relations[shown]), frozen(tails[shown])

    def _shown(self) -> NDArray[np.bool_]:
        heads, relations, tails = self._base.triple_arrays()
        shown = np.ones(len(heads), np.bool_)
        for h, r, t in self._hidden:
            shown &= ~((heads == h) & (relations == r) & (tails == t))
        return shown

    def triples(self, ids: Frontier | None = None) -> Iterator[NameTriple]:
        """Yield visible triples as names; ``ids`` are positions in `triple_arrays`.

        Raises
        ------
        IndexError
            If a triple id is outside ``0..T-1``.
        """
        heads, relations, tails = self.triple_arrays()
        if ids is None:
            return name_triples(self._base, heads, relations, tails)
        at = triple_positions(ids, len(heads))
        return name_triples(self._base, heads[at], relations[at], tails[at])


def _among(chosen: IntArray, few: Iterable[int]) -> IntArray:
    """Return the members of a sorted array that are in a small set, sorted."""
    if not len(chosen):
        return chosen
    wanted = np.fromiter(few, np.int32)
    wanted.sort()
    at = chosen.searchsorted(wanted)
    found: IntArray = wanted[chosen.take(at, mode="clip") == wanted]
    return found
