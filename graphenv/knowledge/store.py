"""The in-memory triple store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import index as as_int

import numpy as np
from numpy.typing import ArrayLike

from graphenv.errors import DataError
from graphenv.knowledge.checks import check_relations, id_column, triple_positions, unknown
from graphenv.knowledge.digest import fingerprint as content_hash
from graphenv.knowledge.index import LOOP_MAX, EdgeIndex
from graphenv.knowledge.loading import Columns, PathLike, intern_triples, load_columns
from graphenv.knowledge.names import IntArray, NameTable, encode, frozen
from graphenv.knowledge.protocol import (
    INVERSE,
    Frontier,
    NameTriple,
    Traversals,
    as_frontier,
    name_triples,
)

_INT32 = np.dtype(np.int32)


class KnowledgeGraph(Traversals):
    """Millions of distinct (head, relation, tail) triples in compressed numpy arrays.

    Make one with `from_triples`, `from_arrays` or `load`; it never changes afterwards. The class
    satisfies `TripleStore`, whose docstring defines *moves* and *frontiers*. Relation names must
    not begin with ``"^"``: the sign marks the way back, and one text must mean one move.

    Examples
    --------
    >>> kg = KnowledgeGraph.from_triples(
    ...     [("Heat", "directed_by", "Michael Mann"), ("Thief", "directed_by", "Michael Mann")]
    ... )
    >>> mann = kg.follow([kg.entity_id("Heat")], "directed_by")
    >>> kg.entity_names(kg.follow(mann, "^directed_by"))
    ['Heat', 'Thief']
    >>> kg
    KnowledgeGraph(3 entities, 1 relation, 2 triples)
    """

    def __init__(self, index: EdgeIndex, entities: NameTable, relations: NameTable) -> None:
        """Join parts that fit together; use the `from_*` constructors and `load` instead."""
        self._set(index, entities, relations)

    def _set(self, index: EdgeIndex, entities: NameTable, relations: NameTable) -> None:
        self._index, self._entities, self._relations = index, entities, relations
        self._relation_names = tuple(relations.name(i) for i in range(len(relations)))
        self._moves = self._relation_names + tuple(INVERSE + r for r in self._relation_names)
        self._move_ids = {name: i for i, name in enumerate(self._moves)}
        self._fingerprint: str | None = None

    def __getstate__(self) -> tuple[EdgeIndex, NameTable, NameTable]:
        return self._index, self._entities, self._relations

    def __setstate__(self, state: tuple[EdgeIndex, NameTable, NameTable]) -> None:
        self._set(*state)

    @classmethod
    def _from_columns(cls, columns: Columns) -> KnowledgeGraph:
        entities = NameTable(columns.entity_names)
        relations = NameTable(columns.relation_names)
        check_relations(columns.relation_names)
        sizes = len(entities), len(relations)
        # The names are in the tables now; free the list before the index needs room.
        columns.entity_names.clear()
        return cls(
            EdgeIndex(columns.heads, columns.relations, columns.tails, *sizes), entities, relations
        )

    @classmethod
    def from_triples(cls, triples: Iterable[NameTriple]) -> KnowledgeGraph:
        """Return the store of (head, relation, tail) names; ids follow the byte order of names.

        Raises
        ------
        DataError
            If an item is not a triple of non-empty strings, or a relation begins with ``"^"``.

        Examples
        --------
        >>> len(KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "r", "b")]))
        1
        """
        return cls._from_columns(intern_triples(triples))

    @classmethod
    def from_arrays(
        cls,
        heads: ArrayLike,
        relations: ArrayLike,
        tails: ArrayLike,
        entity_names: Sequence[str],
        relation_names: Sequence[str],
    ) -> KnowledgeGraph:
        """Return the store of integer triples; ids stay as given.

        Parameters
        ----------
        heads, relations, tails : array-like of int, shape (any,)
            Ids into the name lists.
        entity_names, relation_names : sequence of str
            Distinct, non-empty names; position is the id.

        Raises
        ------
        DataError
            If the columns differ in length, hold no integers or ids out of range, or if names
            repeat, are empty, or a relation begins with ``"^"``.

        Examples
        --------
        >>> kg = KnowledgeGraph.from_arrays([0], [0], [1], ["x", "a"], ["r"])
        >>> list(kg.triples())
        [('x', 'r', 'a')]
        """
        limits = (len(entity_names), len(relation_names), len(entity_names))
        columns = []
        for label, values, limit in zip(
            ("heads", "relations", "tails"), (heads, relations, tails), limits, strict=True
        ):
            columns.append(id_column(label, values, limit))
        if len({len(c) for c in columns}) != 1:
            raise DataError(
                "heads, relations and tails must be equally long, got lengths "
                f"{', '.join(str(len(c)) for c in columns)}"
            )
        names = [[encode(name) for name in given] for given in (entity_names, relation_names)]
        for label, given in zip(("entity", "relation"), names, strict=True):
            if len(set(given)) != len(given):
                seen: set[bytes] = set()
                twin = next(n for n in given if n in seen or seen.add(n))  # type: ignore[func-returns-value]
                raise DataError(f"the {label} name {twin.decode('utf-8', 'replace')!r} repeats")
        check_relations(names[1])
        index = EdgeIndex(columns[0], columns[1], columns[2], len(names[0]), len(names[1]))
        return cls(index, NameTable(names[0]), NameTable(names[1]))

    @classmethod
    def load(cls, path: PathLike | Sequence[PathLike], sep: str | None = None) -> KnowledgeGraph:
        """Return the store of one or more UTF-8 text files with a triple a line.

        Parameters
        ----------
        path : path or sequence of paths
            ``head|relation|tail`` (MetaQA) or tab-separated (FB15k-237, WN18RR, NELL). Empty lines
            are skipped; fields are kept as they are, spaces included.
        sep : str, optional
            The separator, one character. By default tab or ``|``, sniffed for each file.

        Raises
        ------
        DataError
            If a file is missing or unreadable, a row has not three non-empty UTF-8 fields (the
            message names file, line and text), or a relation begins with ``"^"``.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "kb.txt"
        >>> _ = file.write_text("Heat|directed_by|Michael Mann\\n")
        >>> list(KnowledgeGraph.load(file).triples())
        [('Heat', 'directed_by', 'Michael Mann')]
        """
        return cls._from_columns(load_columns(path, sep))

    def __len__(self) -> int:
        return self._index.num_triples

    def __repr__(self) -> str:
        sizes = (
            (self.num_entities, "entity", "entities"),
            (self.num_relations, "relation", "relations"),
            (self.num_triples, "triple", "triples"),
        )
        told = ", ".join(f"{n:,} {one if n == 1 else many}" for n, one, many in sizes)
        return f"KnowledgeGraph({told})"

    @property
    def num_entities(self) -> int:
        """Number of entities, N."""
        return self._index.num_entities

    @property
    def num_relations(self) -> int:
        """Number of relations, R (there are 2R moves)."""
        return self._index.num_relations

    @property
    def num_triples(self) -> int:
        """Number of distinct triples, T."""
        return self._index.num_triples

    @property
    def relation_names(self) -> tuple[str, ...]:
        """The relation names in id order."""
        return self._relation_names

    @property
    def nbytes(self) -> dict[str, int]:
        """Bytes held by the edge index and by the names (lazy lookup indexes apart)."""
        return {
            "index": self._index.nbytes,
            "names": self._entities.nbytes + self._relations.nbytes,
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the names and triples, whatever the order of rows and ids."""
        if self._fingerprint is None:
            self._fingerprint = content_hash(self._index, self._entities, self._relations)
        return self._fingerprint

    # -- names ------------------------------------------------------------------------------------

    def find_move(self, name: str) -> int | None:
        """Return the id of a move, or None if there is no such move."""
        return self._move_ids.get(name)

    def move_id(self, name: str) -> int:
        """Return the id of a move: ``0..R-1`` forward, ``R..2R-1`` for ``"^" + relation``.

        Raises
        ------
        UnknownNameError
            If there is no such move; the message holds the nearest names.

        Examples
        --------
        >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "s", "c")])
        >>> kg.move_id("s"), kg.move_id("^s")
        (1, 3)
        """
        found = self._move_ids.get(name)
        if found is None:
            raise unknown("move", name, self.nearest_moves(name))
        return found

    def move_name(self, move: int) -> str:
        """Return the name of a move.

        Raises
        ------
        IndexError
            If ``move`` is not in ``0..2R-1``.
        """
        return self._moves[self._move(move)]

    def inverse(self, move: int) -> int:
        """Return the move that walks the same edges the other way.

        Raises
        ------
        IndexError
            If ``move`` is not in ``0..2R-1``.
        """
        count = self.num_relations
        move = self._move(move)
        return move - count if move >= count else move + count

    def find_entity(self, name: str) -> int | None:
        """Return the id of an entity, or None.

        The exact name wins; else the only entity whose name is equal under
        `graphenv.text.normalize` (case, spacing, Unicode form). Two such entities answer None.
        """
        found = self._entities.find(name)
        return self._entities.find_normalised(name) if found is None else found

    def entity_id(self, name: str) -> int:
        """Return the id of an entity, found as by `find_entity`.

        Raises
        ------
        UnknownNameError
            If there is no such entity, or several that differ only in case or spacing; the message
            holds the nearest names.

        Examples
        --------
        >>> kg = KnowledgeGraph.from_triples([("Heat", "directed_by", "Michael Mann")])
        >>> kg.entity_id("michael  mann")
        1
        >>> kg.entity_id("Micheal Man")
        Traceback (most recent call last):
        ...
        graphenv.errors.UnknownNameError: no entity is named 'Micheal Man'. The nearest: 'Michael Mann'
        """  # noqa: E501
        found = self.find_entity(name)
        if found is None:
            raise unknown("entity", name, self.nearest_entities(name))
        return found

    def entity_name(self, entity: int) -> str:
        """Return the name of an entity.

        Raises
        ------
        IndexError
            If ``entity`` is not in ``0..N-1``.
        """
        return self._entities.name(entity)

    def entity_names(self, entities: Iterable[int]) -> list[str]:
        """Return the names of entities, in the order given.

        Raises
        ------
        IndexError
            If an id is not in ``0..N-1``.
        """
        ids = entities.tolist() if isinstance(entities, np.ndarray) else entities
        return [self._entities.name(i) for i in ids]

    def nearest_entities(self, name: str, n: int = 3) -> list[str]:
        """Return at most ``n`` entity names that look like ``name``, the most alike first.

        Bounded work for any input (see `NameTable.nearest`); may be empty.
        """
        return self._entities.nearest(name, n)

    def nearest_moves(self, name: str, n: int = 3) -> list[str]:
        """Return at most ``n`` move names that look like ``name``, in the direction asked for."""
        sign = INVERSE if name.startswith(INVERSE) else ""
        return [sign + near for near in self._relations.nearest(name[len(sign) :], n)]

    # -- traversal --------------------------------------------------------------------------------

    def _move(self, move: int | str) -> int:
        if isinstance(move, str):
            return self.move_id(move)
        number = as_int(move)
        if not 0 <= number < len(self._moves):
            raise IndexError(f"move {number} is outside 0..{len(self._moves) - 1}")
        return number

    def _entity(self, entity: int) -> int:
        number = as_int(entity)
        if not 0 <= number < self._index.num_entities:
            raise IndexError(f"entity id {number} is outside 0..{self._index.num_entities - 1}")
        return number

    def follow(self, frontier: Frontier, move: int | str) -> IntArray:
        """Return the entities one move away from any entity of a frontier.

        Parameters
        ----------
        frontier : sequence of int
            Entity ids in any order.
        move : int or str
            Move id or name.

        Returns
        -------
        ndarray of int32, shape (any,)
            Sorted, distinct, read-only.

        Raises
        ------
        UnknownNameError
            If the move's name is unknown.
        IndexError
            If an id is out of range.
        TypeError
            If the frontier is not a one-dimensional sequence of integers.

        Examples
        --------
        >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "r", "c"), ("d", "r", "c")])
        >>> kg.follow([0, 3], "r").tolist()
        [1, 2]
        """
        if move.__class__ is str:
            found = self._move_ids.get(move)
            number = self.move_id(move) if found is None else found
        else:
            number = self._move(move)
        index = self._index
        if isinstance(frontier, np.ndarray):
            # Anything but plain int32 (a mask, say) takes the checked way below.
            if frontier.dtype == _INT32 and frontier.ndim == 1 and len(frontier) <= LOOP_MAX:
                if len(frontier) == 1:
                    return index.row(frontier.item(), number)
                return index.follow_few(frontier.tolist(), number)
        elif len(frontier) <= LOOP_MAX:
            return index.follow_few([as_int(e) for e in frontier], number)
        return index.follow(as_frontier(frontier, index.num_entities), number)

    def neighbors(self, entity: int, move: int | str) -> IntArray:
        """Return the sorted, distinct entities one move away from one entity.

        Raises
        ------
        UnknownNameError, IndexError
            As for `follow`.
        """
        return self._index.row(as_int(entity), self._move(move))

    def edges(self, frontier: Frontier, move: int | str) -> tuple[IntArray, IntArray]:
        """Return every edge walked from a frontier, in the direction walked.

        Returns
        -------
        heads, tails : ndarray of int32, shape (edges,)
            Parallel, in (head, tail) order.

        Raises
        ------
        UnknownNameError, IndexError, TypeError
            As for `follow`.

        Examples
        --------
        >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "r", "c"), ("d", "r", "c")])
        >>> [column.tolist() for column in kg.edges([2], "^r")]
        [[2, 2], [0, 3]]
        """
        chosen = as_frontier(frontier, self._index.num_entities)
        return self._index.edges(chosen, self._move(move))

    def moves(self, frontier: Frontier) -> list[str]:
        """Return the names of the moves with at least one edge from a frontier, by move id.

        Raises
        ------
        IndexError, TypeError
            As for `follow`.

        Examples
        --------
        >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "s", "c")])
        >>> kg.moves([kg.entity_id("b")])
        ['s', '^r']
        """
        chosen = as_frontier(frontier, self._index.num_entities)
        return [self._moves[m] for m in self._index.moves(chosen)]

    def around(self, frontier: Frontier) -> IntArray:
        """Return the sorted, distinct entities one hop away by any move.

        Raises
        ------
        IndexError, TypeError
            As for `follow`.
        """
        return frozen(self._index.around(as_frontier(frontier, self._index.num_entities)))

    def has_edge(self, head: int, relation: int | str, tail: int) -> bool:
        """Return whether a triple is there (``relation`` may be any move).

        Raises
        ------
        UnknownNameError, IndexError
            As for `follow`.
        """
        row = self.neighbors(head, relation)
        tail = self._entity(tail)
        at = int(row.searchsorted(tail))
        return at < len(row) and int(row[at]) == tail

    def degree(self, entity: int, move: int | str | None = None) -> int:
        """Return the number of edges at an entity, under one move or (both ways) under all.

        Raises
        ------
        UnknownNameError, IndexError
            As for `follow`.
        """
        if move is not None:
            return len(self.neighbors(entity, move))
        return self._index.degree(self._entity(entity))

    # -- triples ----------------------------------------------------------------------------------

    def triple_arrays(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return (heads, relations, tails) of every triple, int32, shape (T,) each.

        In (relation, head, tail) order; the position is the triple's id.
        """
        heads, relations, tails = self._index.triples_at()
        return frozen(heads), frozen(relations), tails

    def triples(self, ids: Frontier | None = None) -> Iterator[NameTriple]:
        """Yield triples as names: all in (relation, head, tail) order, or those with given ids.

        Raises
        ------
        IndexError
            If a triple id is outside ``0..T-1``.

        Examples
        --------
        >>> kg = KnowledgeGraph.from_triples([("b", "s", "c"), ("a", "r", "b")])
        >>> list(kg.triples([1]))
        [('b', 's', 'c')]
        """
        if ids is None:
            return name_triples(self, *self.triple_arrays())
        positions = triple_positions(ids, self.num_triples)
        return name_triples(self, *self._index.triples_at(positions))
