"""Compact name tables: millions of names in one UTF-8 blob, found by hash and by likeness."""

from __future__ import annotations

import difflib
import heapq
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphenv.errors import DataError
from graphenv.text import normalize

IntArray = NDArray[np.int32]

# Lone surrogates occur in model output; they must look up as "unknown", not crash the encoder.
_ENCODING_ERRORS = "surrogatepass"
_QUERY_CHARS = 256
_MAX_POSTINGS = 100_000
_MAX_COMPARED = 48
# Low enough for a surname alone to bring up the full name.
_MIN_RATIO = 0.4


def encode(name: str) -> bytes:
    """Return the stored byte form of a name.

    Examples
    --------
    >>> encode("Amélie")
    b'Am\\xc3\\xa9lie'
    """
    return name.encode("utf-8", _ENCODING_ERRORS)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array marked read-only (every array a store hands out is)."""
    array.flags.writeable = False
    return array


class _HashIndex:
    """Buckets of row numbers by CRC-32 of a key; the keys themselves are not stored.

    CRC-32 rather than ``hash()``: the same in every process, and as fast.
    """

    def __init__(self, keys: Iterable[bytes | memoryview], count: int) -> None:
        crc = np.fromiter(map(zlib.crc32, keys), np.uint32, count)
        self._mask = (1 << max(count - 1, 1).bit_length()) - 1
        bucket = crc & np.uint32(self._mask)
        self._rows = np.argsort(bucket, kind="stable").astype(np.int32).data
        sizes = np.bincount(bucket, minlength=self._mask + 1)
        starts = np.zeros(self._mask + 2, np.int32)
        np.cumsum(sizes, out=starts[1:])
        self._starts = starts.data

    def candidates(self, key: bytes) -> list[int]:
        """Return, in ascending order, the few rows whose key may equal ``key``."""
        bucket = zlib.crc32(key) & self._mask
        return self._rows[self._starts[bucket] : self._starts[bucket + 1]].tolist()


def _gram_codes(text: NDArray[np.uint8], starts: NDArray[Any]) -> NDArray[np.uint16]:
    """Return one hashed byte trigram per byte of ``text``, padded at the ends of every name."""
    lower = text.copy()
    capital = (lower >= ord("A")) & (lower <= ord("Z"))
    lower[capital] += 32
    left = np.zeros_like(lower)
    left[1:] = lower[:-1]
    left[starts] = 0
    right = np.zeros_like(lower)
    right[:-1] = lower[1:]
    right[starts[1:] - 1] = 0
    # A linear hash modulo 2**16: collisions only add candidates, the comparison decides.
    code = lower.astype(np.uint16) * np.uint16(2749)
    code += left.astype(np.uint16) * np.uint16(25561)
    code += right.astype(np.uint16) * np.uint16(40503)
    return code


class _GramIndex:
    """Inverted index from hashed byte trigrams to rows (4 bytes per byte of names)."""

    def __init__(self, blob: bytes, offsets: NDArray[Any]) -> None:
        lengths = np.diff(offsets)
        codes = _gram_codes(np.frombuffer(blob, np.uint8), offsets[:-1])
        owners = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        self._postings: IntArray = owners[np.argsort(codes, kind="stable")]
        starts = np.zeros((1 << 16) + 1, np.int64)
        np.cumsum(np.bincount(codes, minlength=1 << 16), out=starts[1:])
        self._starts = starts
        self._lengths = lengths

    def candidates(self, query: bytes) -> list[int]:
        """Return at most `_MAX_COMPARED` rows that share most trigrams with ``query``."""
        codes = np.unique(_gram_codes(np.frombuffer(query, np.uint8), np.zeros(1, np.int64)))
        begin, end = self._starts[codes], self._starts[codes + 1]
        rarest = np.argsort(end - begin, kind="stable")
        lists: list[IntArray] = []
        room = _MAX_POSTINGS
        for i in rarest.tolist():
            posting = self._postings[begin[i] : min(end[i], begin[i] + room)]
            # A name repeats in a posting list as often as it holds the trigram: count it once.
            if len(posting):
                first = np.ones(len(posting), np.bool_)
                np.not_equal(posting[1:], posting[:-1], out=first[1:])
                lists.append(posting[first])
            room -= len(posting)
            if room <= 0:
                break
        if not lists:
            return []
        rows, shared = np.unique(np.concatenate(lists), return_counts=True)
        likeness = shared / (len(query) + self._lengths[rows])
        best = np.lexsort((rows, -likeness))[:_MAX_COMPARED]
        found: list[int] = rows[best].tolist()
        return found


class NameTable:
    """Immutable two-way map between ids ``0..n-1`` and distinct names.

    Parameters
    ----------
    names : sequence of bytes
        Distinct, non-empty, UTF-8 encoded names; position is the id.

    Notes
    -----
    Names live in one blob beside an offset array (about 4 bytes per name over the text). The three
    lookup indexes (exact, normalised, likeness) are built when first asked for, never pickled.

    Examples
    --------
    >>> table = NameTable([b"Heat", b"Michael Mann"])
    >>> table.find("Heat"), table.find("heat"), table.find_normalised("  michael  MANN")
    (0, None, 1)
    >>> table.nearest("Micheal Man")
    ['Michael Mann']
    """

    def __init__(self, names: Sequence[bytes]) -> None:
        lengths = np.fromiter(map(len, names), np.int64, len(names))
        offsets = np.zeros(len(names) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        blob = b"".join(names)
        if len(blob) < 2**31:
            offsets = offsets.astype(np.int32)
        self._set(blob, offsets)
        if len(names) and not lengths.all():
            raise DataError(
                f"name number {int(np.argmin(lengths))} is empty; every entity and relation "
                "needs a name, so give it one or drop its triples"
            )

    def _set(self, blob: bytes, offsets: NDArray[Any]) -> None:
        self._blob = blob
        self._offsets = frozen(offsets)
        self._bounds = self._offsets.data
        self._exact: _HashIndex | None = None
        self._normalised: _HashIndex | None = None
        self._grams: _GramIndex | None = None

    def __getstate__(self) -> tuple[bytes, NDArray[Any]]:
        return self._blob, self._offsets

    def __setstate__(self, state: tuple[bytes, NDArray[Any]]) -> None:
        self._set(*state)

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @property
    def nbytes(self) -> int:
        """Bytes held by the names (lookup indexes apart)."""
        return len(self._blob) + self._offsets.nbytes

    def raw(self, i: int) -> bytes:
        """Return the stored bytes of name ``i`` (``0 <= i < n``; not checked)."""
        return self._blob[self._bounds[i] : self._bounds[i + 1]]

    def name(self, i: int) -> str:
        """Return name ``i``.

        Raises
        ------
        IndexError
            If ``i`` is not in ``0..n-1``.
        """
        if not 0 <= i < len(self._bounds) - 1:
            raise IndexError(f"id {i} is outside 0..{len(self) - 1}")
        return self.raw(i).decode("utf-8", _ENCODING_ERRORS)

    def raw_names(self) -> list[bytes]:
        """Return every name as bytes, in id order."""
        blob = self._blob
        return [blob[a:b] for a, b in pairwise(self._offsets.tolist())]

    def find(self, name: str) -> int | None:
        """Return the id of exactly this name, or None."""
        if self._exact is None:
            view = memoryview(self._blob)
            spans = pairwise(self._offsets.tolist())
            self._exact = _HashIndex((view[a:b] for a, b in spans), len(self))
        key = encode(name)
        for row in self._exact.candidates(key):
            if self.raw(row) == key:
                return row
        return None

    def find_normalised(self, name: str) -> int | None:
        """Return the id of the only name equal under `graphenv.text.normalize`, or None."""
        if self._normalised is None:
            keys = (encode(normalize(self.name(i))) for i in range(len(self)))
            self._normalised = _HashIndex(keys, len(self))
        wanted = normalize(name)
        rows = self._normalised.candidates(encode(wanted))
        equal = [row for row in rows if normalize(self.name(row)) == wanted]
        return equal[0] if len(equal) == 1 else None

    def nearest(self, name: str, n: int = 3) -> list[str]:
        """Return at most ``n`` names that look like ``name``, the most alike first; may be empty.

        The work is bounded whatever the input: the first 256 characters are compared, by shared
        trigrams (at most 100,000 index entries), and only 48 candidates meet `difflib`.
        """
        wanted = normalize(name[:_QUERY_CHARS])
        query = encode(wanted)
        if not query or not len(self):
            return []
        if self._grams is None:
            self._grams = _GramIndex(self._blob, self._offsets)
        matcher = difflib.SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)
        scored: list[tuple[float, int]] = []
        for row in self._grams.candidates(query):
            matcher.set_seq1(normalize(self.name(row)[:_QUERY_CHARS]))
            if (ratio := matcher.ratio()) > _MIN_RATIO:
                scored.append((-ratio, row))
        return [self.name(row) for _, row in heapq.nsmallest(n, scored)]
