"""Text to vectors, by name: `hashed:SIZE` (nothing to download) or `embedding:NAME`."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graphenv.errors import ConfigError
from graphenv.rewards.similarity.embedding import PREFIX, Embedding
from graphenv.text import bounded, normalize

__all__ = ["Hashed", "Named", "TextVectors", "overlap", "text_vectors", "words_of"]

MAX_CHARS = 4_000
"""Of a text so many characters are read."""

_KEPT = 1 << 16
_SIZES = (8, 4_096)
_TOKENS = 64
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

Vectors = NDArray[np.float32]


class TextVectors(Protocol):
    """Gives each text a vector of length 0 or 1 that depends on the text alone."""

    @property
    def size(self) -> int:
        """Length of the vectors."""
        ...

    def rows(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of some texts, one row each."""
        ...


@lru_cache(maxsize=1 << 16)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, case folded; names in snake or camel case are taken apart.

    >>> words_of("people.person.place_of_birth"), words_of("directedBy")
    (('people', 'person', 'place', 'of', 'birth'), ('directed', 'by'))
    """
    return tuple(_WORD.findall(normalize(_CAMEL.sub(" ", text[:MAX_CHARS]))))


@lru_cache(maxsize=1 << 17)
def overlap(question: str, text: str) -> tuple[float, float]:
    """Return the share of the words of `text` that the question has, and whether it has it whole.

    >>> overlap("Who directed the film Heat?", "Heat"), overlap("Who directed Heat?", "directed_by")
    ((1.0, 1.0), (0.5, 0.0))
    """
    words, asked = words_of(text), words_of(question)
    if not words:
        return 0.0, 0.0
    known = set(asked)
    share = sum(word in known for word in words) / len(words)
    whole = share == 1.0 and f" {' '.join(words)} " in f" {' '.join(asked)} "
    return share, float(whole)


class _Remembered(ABC):
    """A table of vectors, so that a text that was seen before costs one look-up."""

    size: int

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._table: Vectors = np.zeros((256, self.size), dtype=np.float32)

    def rows(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of some texts, one row each."""
        number = self._number
        if len(number) + len(texts) > _KEPT:
            number.clear()
        found = [number.get(text, -1) for text in texts]
        if -1 in found:
            found = [self._add(text) for text in texts]
        return np.asarray(self._table[found])

    def _add(self, text: str) -> int:
        row = self._number.setdefault(text, len(self._number))
        if row == len(self._number) - 1:
            if row >= len(self._table):
                self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._table[row] = self._vector(text)
        return row

    @abstractmethod
    def _vector(self, text: str) -> Vectors:
        """Return the vector of a text that is met for the first time."""


class Hashed(_Remembered):
    """Words and their three-letter pieces, hashed with signs into a vector of length 1.

    A word counts once for itself and once for all its pieces, so that inflected forms are alike.
    The hash is that of the text alone: the same in every process.

    References: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009;
    Bojanowski et al., Enriching Word Vectors with Subword Information, TACL 2017.

    >>> a, b, c = Hashed(128).rows(["directed", "director", "gene"])
    >>> bool(a @ b > 0.2 > a @ c)
    True
    """

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__()

    def _vector(self, text: str) -> Vectors:
        found = np.zeros(self.size, dtype=np.float32)
        for word in words_of(text):
            found += _word_vector(word, self.size)
        length = float(np.linalg.norm(found))
        return found / np.float32(length) if length > 0 else found


@lru_cache(maxsize=1 << 15)
def _word_vector(word: str, size: int) -> Vectors:
    found = np.zeros(size, dtype=np.float32)
    marked = f"<{word}>"
    pieces = [marked[i : i + 3] for i in range(len(marked) - 2)]
    weights = [(marked, 1.0)] + [(piece, len(pieces) ** -0.5) for piece in pieces]
    for piece, weight in weights:
        digest = hashlib.blake2b(piece.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        value = int.from_bytes(digest, "big")
        found[(value >> 1) % size] += weight if value & 1 else -weight
    return found


class Named(_Remembered):
    """Vectors of a transformers encoder by folder or hub id; loaded on first use.

    Weights are read from safetensors files only. Each text is encoded alone, on the processor, so
    that its vector depends on nothing else that is scored.
    """

    def __init__(self, name: str) -> None:
        self._model = Embedding(name, tokens=_TOKENS, safetensors=True)
        self.size = self._model.size
        super().__init__()

    def _vector(self, text: str) -> Vectors:
        return np.asarray(self._model.vector(text[:MAX_CHARS]), dtype=np.float32)


@lru_cache(maxsize=4)
def text_vectors(spec: str) -> TextVectors:
    """Return what turns text into vectors; the same for all that ask.

    Raises
    ------
    ConfigError
        If `spec` is neither `"hashed:SIZE"` nor `"embedding:NAME"`, or there is no such model.
    """
    if spec.startswith(PREFIX):
        return Named(spec.removeprefix(PREFIX))
    kind, _, size = spec.partition(":")
    low, high = _SIZES
    if kind != "hashed" or not re.fullmatch("[0-9]{1,4}", size) or not low <= int(size) <= high:
        raise ConfigError(
            f"text={bounded(spec, 60)!r}: give 'hashed:SIZE' with a size from {low} to {high}, or "
            "'embedding:NAME' with the folder or hub id of an encoder"
        )
    return Hashed(int(size))
