"""The edge index of a triple store: compressed rows by move, and rows by entity.

Symbols used below: N entities, R relations, T triples, 2R moves (``m < R`` walks relation ``m``
forward, ``m + R`` walks it backward) and 2T directed edges. A *row* is a pair (move, head) that has
at least one edge; there are K of them, sorted by (move, head)::

    move_rows (2R+1)   rows of move m      = move_rows[m] : move_rows[m+1]
    row_head  (K)      head of a row
    row_ptr   (K+1)    edges of a row      = tails[row_ptr[k] : row_ptr[k+1]], sorted, distinct
    tails     (2T)     the first T edges are the triples in (relation, head, tail) order
    ent_ptr   (N+1)    rows of entity e    = ent_rows[ent_ptr[e] : ent_ptr[e+1]]
    ent_rows  (K)      row numbers, ascending (hence by move) for every entity
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphenv.knowledge.names import IntArray, frozen

# One numpy call costs about 1 us, one row lookup in Python about 0.4 us: up to this frontier the
# loop wins, and up to this many answers a Python set beats sorting an array (measured).
LOOP_MAX = 32
_SET_MAX = 64
EMPTY: IntArray = frozen(np.zeros(0, np.int32))


def _sorted_triples(
    relations: NDArray[Any], heads: NDArray[Any], tails: NDArray[Any], n: int, r: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the distinct triples as three int32 arrays in (relation, head, tail) order."""
    bits = max(n - 1, 1).bit_length()
    if 2 * bits + max(r - 1, 1).bit_length() <= 63:
        # One packed key sorts several times faster than three columns and drops twins on the way.
        key = relations.astype(np.int64) << bits
        key |= heads
        key <<= bits
        key |= tails
        key.sort()
        if len(key):
            first = np.ones(len(key), np.bool_)
            np.not_equal(key[1:], key[:-1], out=first[1:])
            if not first.all():
                key = key[first]
        mask = (1 << bits) - 1
        last = (key & mask).astype(np.int32)
        key >>= bits
        middle = (key & mask).astype(np.int32)
        key >>= bits
        return key.astype(np.int32), middle, last
    order = np.lexsort((tails, heads, relations))
    columns = [c[order].astype(np.int32) for c in (relations, heads, tails)]
    first = np.ones(len(order), np.bool_)
    if len(order):
        first[1:] = False
        for column in columns:
            first[1:] |= column[1:] != column[:-1]
    kept = [c[first] for c in columns]
    return kept[0], kept[1], kept[2]


def _row_starts(relations: IntArray, heads: IntArray) -> NDArray[np.int64]:
    """Return where a new (relation, head) pair begins in sorted columns."""
    new = np.ones(len(heads), np.bool_)
    if len(heads):
        np.not_equal(heads[1:], heads[:-1], out=new[1:])
        new[1:] |= relations[1:] != relations[:-1]
    return np.flatnonzero(new)


def spread(starts: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.int64]:
    """Return the positions of many slices, one after another.

    Examples
    --------
    >>> spread(np.array([5, 20]), np.array([2, 3])).tolist()
    [5, 6, 20, 21, 22]
    """
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    if total == len(counts) and (not total or counts.min() == 1):
        return starts.astype(np.int64)
    positions = np.repeat(starts - ends + counts, counts)
    positions += np.arange(total)
    return positions


class EdgeIndex:
    """Read-only edge arrays and the traversals over them (ids only, no names).

    Parameters
    ----------
    heads, relations, tails : ndarray of int, shape (any,)
        Triples; twins are stored once. Values must be in range (the caller checks).
    num_entities, num_relations : int
        N and R.
    """

    def __init__(
        self,
        heads: NDArray[Any],
        relations: NDArray[Any],
        tails: NDArray[Any],
        num_entities: int,
        num_relations: int,
    ) -> None:
        n, r = num_entities, num_relations
        rel, head, tail = _sorted_triples(relations, heads, tails, n, r)
        count = len(head)
        starts = _row_starts(rel, head)
        row_head, row_move, out = [head[starts]], [rel[starts]], [tail]
        ptr = [starts]
        inv_rel, inv_head, inv_tail = _sorted_triples(rel, tail, head, n, r)
        del rel, head, tail
        starts = _row_starts(inv_rel, inv_head)
        row_head.append(inv_head[starts])
        row_move.append(inv_rel[starts] + np.int32(r))
        out.append(inv_tail)
        ptr += [starts + count, np.array([2 * count])]
        moves = np.concatenate(row_move)
        heads_of_rows = np.concatenate(row_head)
        move_rows = np.searchsorted(moves, np.arange(2 * r + 1)).astype(np.int64)
        wide = np.int32 if 2 * count < 2**31 else np.int64
        ent_ptr = np.zeros(n + 1, wide)
        np.cumsum(np.bincount(heads_of_rows, minlength=n), out=ent_ptr[1:])
        ent_rows = np.argsort(heads_of_rows, kind="stable").astype(wide)
        self._set(
            (n, r),
            (np.concatenate(out), np.concatenate(ptr).astype(wide), heads_of_rows, ent_ptr,
             ent_rows),
            move_rows.tolist(),
        )  # fmt: skip

    def _set(
        self, sizes: tuple[int, int], arrays: tuple[NDArray[Any], ...], move_rows: list[int]
    ) -> None:
        self.num_entities, self.num_relations = sizes
        self.tails: IntArray = frozen(arrays[0])
        self.row_ptr = frozen(arrays[1])
        self.row_head: IntArray = frozen(arrays[2])
        self.ent_ptr = frozen(arrays[3])
        self.ent_rows = frozen(arrays[4])
        self.move_rows = move_rows
        # Reading one number from a memoryview takes a third of the time of a numpy scalar.
        self._row_ptr = self.row_ptr.data
        self._ent_ptr = self.ent_ptr.data
        self._ent_rows = self.ent_rows.data
        self._tails = self.tails.data

    def __getstate__(self) -> tuple[tuple[int, int], tuple[NDArray[Any], ...], list[int]]:
        arrays = (self.tails, self.row_ptr, self.row_head, self.ent_ptr, self.ent_rows)
        return (self.num_entities, self.num_relations), arrays, self.move_rows

    def __setstate__(
        self, state: tuple[tuple[int, int], tuple[NDArray[Any], ...], list[int]]
    ) -> None:
        self._set(*state)

    @property
    def num_triples(self) -> int:
        """T."""
        return len(self.tails) // 2

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        arrays = (self.tails, self.row_ptr, self.row_head, self.ent_ptr, self.ent_rows)
        return sum(a.nbytes for a in arrays) + 8 * len(self.move_rows)

    def row(self, entity: int, move: int) -> IntArray:
        """Return the sorted tails of one entity under one move, without a copy.

        Raises
        ------
        IndexError
            If the entity is not in ``0..N-1``.
        """
        if not 0 <= entity < self.num_entities:
            raise IndexError(f"entity id {entity} is outside 0..{self.num_entities - 1}")
        stop = self._ent_ptr[entity + 1]
        move_rows = self.move_rows
        i = bisect_left(self._ent_rows, move_rows[move], self._ent_ptr[entity], stop)
        if i == stop:
            return EMPTY
        k = self._ent_rows[i]
        if k >= move_rows[move + 1]:
            return EMPTY
        return self.tails[self._row_ptr[k] : self._row_ptr[k + 1]]

    def follow_few(self, entities: list[int], move: int) -> IntArray:
        """Return the sorted distinct tails of a few entities, in any order, under one move.

        Plain Python until the answer is known to be large: at a handful of entities every numpy
        call that is left out is a tenth of the time.

        Raises
        ------
        IndexError
            If an entity is not in ``0..N-1``.
        """
        count = self.num_entities
        lo, hi = self.move_rows[move], self.move_rows[move + 1]
        ent_ptr, ent_rows, row_ptr = self._ent_ptr, self._ent_rows, self._row_ptr
        spans: list[tuple[int, int]] = []
        total = 0
        for e in entities:
            if not 0 <= e < count:
                raise IndexError(f"entity id {e} is outside 0..{count - 1}")
            stop = ent_ptr[e + 1]
            i = bisect_left(ent_rows, lo, ent_ptr[e], stop)
            if i < stop and (k := ent_rows[i]) < hi:
                a, b = row_ptr[k], row_ptr[k + 1]
                spans.append((a, b))
                total += b - a
        if len(spans) < 2:
            return self.tails[a:b] if spans else EMPTY
        if total <= _SET_MAX:
            tails = self._tails
            found = {t for a, b in spans for t in tails[a:b]}
            return frozen(np.array(sorted(found), np.int32))
        return frozen(self.unique(np.concatenate([self.tails[a:b] for a, b in spans])))

    def degree(self, entity: int) -> int:
        """Return the number of edges at one entity (in range), both ways."""
        rows = self.ent_rows[self._ent_ptr[entity] : self._ent_ptr[entity + 1]]
        return int((self.row_ptr[rows + 1] - self.row_ptr[rows]).sum())

    def rows(self, frontier: IntArray, move: int) -> NDArray[np.int64]:
        """Return the row numbers of a sorted, distinct frontier under one move."""
        lo, hi = self.move_rows[move], self.move_rows[move + 1]
        heads = self.row_head[lo:hi]
        small, large = len(frontier), len(heads)
        if not small or not large:
            return np.zeros(0, np.int64)
        if small > large:
            small, large = large, small
        # A binary search costs ~20x a masked read, but the mask first has to clear N bytes.
        if small * 16 > large + self.num_entities // 16:
            mark = np.zeros(self.num_entities, np.bool_)
            mark[frontier] = True
            found = np.flatnonzero(mark[heads])
        elif len(frontier) <= len(heads):
            at = heads.searchsorted(frontier)
            found = at[heads.take(at, mode="clip") == frontier]
        else:
            at = frontier.searchsorted(heads)
            found = np.flatnonzero(frontier.take(at, mode="clip") == heads)
        found += lo
        return found

    def unique(self, ids: IntArray) -> IntArray:
        """Return the sorted distinct ids (a mask over entities once there are many)."""
        if len(ids) * 8 > self.num_entities:
            mark = np.zeros(self.num_entities, np.bool_)
            mark[ids] = True
            return np.flatnonzero(mark).astype(np.int32)
        ids = np.sort(ids)
        if len(ids) < 2:
            return ids
        first = np.ones(len(ids), np.bool_)
        np.not_equal(ids[1:], ids[:-1], out=first[1:])
        return ids[first]

    def _tails_of(self, rows: NDArray[np.int64]) -> IntArray:
        starts = self.row_ptr[rows]
        return self.tails[spread(starts, self.row_ptr[rows + 1] - starts)]

    def follow(self, frontier: IntArray, move: int) -> IntArray:
        """Return the sorted distinct tails of a sorted, distinct frontier under one move."""
        rows = self.rows(frontier, move)
        if not len(rows):
            return EMPTY
        return frozen(self.unique(self._tails_of(rows)))

    def edges(self, frontier: IntArray, move: int) -> tuple[IntArray, IntArray]:
        """Return (heads, tails) of every edge walked, in (head, tail) order."""
        rows = self.rows(frontier, move)
        starts = self.row_ptr[rows]
        counts = self.row_ptr[rows + 1] - starts
        heads = np.repeat(self.row_head[rows], counts)
        return frozen(heads), frozen(self.tails[spread(starts, counts)])

    def rows_of(self, frontier: IntArray) -> NDArray[np.int64]:
        """Return the rows of a frontier under every move, by entity, then by move."""
        starts = self.ent_ptr[frontier]
        counts = self.ent_ptr[frontier + np.int32(1)] - starts
        return self.ent_rows[spread(starts, counts)].astype(np.int64)

    def moves(self, frontier: IntArray) -> list[int]:
        """Return the sorted moves with an edge from the frontier."""
        if len(frontier) == 1:
            e = int(frontier[0])
            lo, hi = self._ent_ptr[e], self._ent_ptr[e + 1]
            return [bisect_right(self.move_rows, k) - 1 for k in self._ent_rows[lo:hi]]
        # Sorted rows are grouped by move: 2R+1 searches in them instead of one for every row.
        rows = np.sort(self.rows_of(frontier))
        moves: list[int] = np.flatnonzero(np.diff(rows.searchsorted(self.move_rows))).tolist()
        return moves

    def around(self, frontier: IntArray) -> IntArray:
        """Return the sorted distinct entities one hop away by any move."""
        return self.unique(self._tails_of(self.rows_of(frontier)))

    def triples_at(
        self, positions: NDArray[np.int64] | None = None
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Return (heads, relations, tails) of triples by position, or of all."""
        forward = self.move_rows[self.num_relations]
        ptr = self.row_ptr[: forward + 1]
        if positions is None:
            rows = np.repeat(np.arange(forward), np.diff(ptr))
            tails = self.tails[: self.num_triples]
        else:
            rows = ptr.searchsorted(positions, side="right") - 1
            tails = self.tails[positions]
        bounds = np.asarray(self.move_rows[: self.num_relations + 1])
        relations = bounds.searchsorted(rows, side="right") - 1
        return self.row_head[rows], relations.astype(np.int32), tails
