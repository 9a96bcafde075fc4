"""How alike two labels are: the one place where every graph term asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphenv.errors import ConfigError
from graphenv.references import load_attribute
from graphenv.rewards.similarity.embedding import MAX_ENCODED, PREFIX, embedding
from graphenv.text import bounded

__all__ = [
    "MAX_ASKED",
    "MAX_LABEL_CHARS",
    "LabelSpec",
    "label_likeness",
    "label_similarity",
    "prepare_similarity",
    "string_similarity",
]

LabelSpec = str | Callable[[str, str], float] | None
"""`None`, `"string"`, `"embedding:NAME"`, `"module:function"` or a function of two labels."""

MAX_LABEL_CHARS = 200
MAX_ASKED = 50_000
"""Of so many pairs of different labels at once a function of the user is asked."""

_REMEMBERED = 1 << 16

Matrix = NDArray[np.float64]


def label_similarity(spec: LabelSpec = None) -> Callable[[str, str], float]:
    """Return a function of two labels with values in [0, 1]; symmetric, 1.0 for equal labels.

    Labels are taken as given: who does not want to see spelling normalises them first, once a
    graph (`Graph.normalized`).

    Parameters
    ----------
    spec
        `None`: 1.0 if the labels are equal, else 0.0. `"string"`: `string_similarity`.
        `"embedding:NAME"`: the cosine of the vectors that a text encoder gives them, negative ones
        0; NAME is a folder or a hub id (`graphenv.rewards.similarity.embedding`).
        `"module:function"` or a function: called once for each pair of different labels, in sorted
        order, so that it is symmetric whatever it does; what it returns for labels of up to
        `MAX_LABEL_CHARS` is remembered.

    Raises
    ------
    ConfigError
        If `spec` is none of these or `"string"` lacks rapidfuzz; when called, if the user's
        function returns anything but a number in [0, 1].

    >>> label_similarity()("Heat", "Heat"), label_similarity()("man", "woman")
    (1.0, 0.0)
    >>> label_similarity("string")("man", "woman")
    0.6
    """
    if spec is None:
        return _equal
    if isinstance(spec, str):
        if spec.startswith(PREFIX):
            return embedding(spec.removeprefix(PREFIX))
        if spec != "string":
            return _loaded(spec)
        _rapidfuzz()
        return string_similarity
    if callable(spec):
        return _checked(spec, getattr(spec, "__name__", repr(spec)))
    raise ConfigError(
        f"similarity={bounded(repr(spec), 60)}: give None (equal or not), 'string', "
        "'embedding:NAME', 'module:function' or a function of two labels"
    )


def prepare_similarity(spec: LabelSpec) -> None:
    """Load now what the first comparison would load: the model of `"embedding:NAME"`.

    Raises
    ------
    ConfigError
        If it cannot be loaded.
    """
    if isinstance(spec, str) and spec.startswith(PREFIX):
        embedding(spec.removeprefix(PREFIX)).load()


def label_likeness(
    spec: LabelSpec, first: Sequence[str], second: Sequence[str], ask: NDArray[np.bool_]
) -> Matrix:
    """Return the similarity of labels by labels; 0.0 where `ask`, of the same shape, is false.

    A function of the user is asked about `MAX_ASKED` pairs of different labels at most: those
    whose texts are most alike. The others get 0.0, so one label more costs one pair, not all. In
    the same way a model encodes at most `MAX_ENCODED` labels a side.

    Raises
    ------
    ConfigError
        As `label_similarity`; if rapidfuzz is missing where it is needed.

    >>> label_likeness("string", ["man"], ["man", "woman"], np.ones((1, 2), dtype=bool)).tolist()
    [[1.0, 0.6]]
    """
    same = _same(first, second) & ask
    if spec is None:
        return same.astype(np.float64)
    if spec == "string":
        return np.where(same, 1.0, np.where(ask, _texts(first, second), 0.0))
    if isinstance(spec, str) and spec.startswith(PREFIX):
        return np.where(same, 1.0, np.where(ask, _encoded(spec, first, second), 0.0))
    alike = label_similarity(spec)
    found = same.astype(np.float64)
    asked = np.argwhere(ask & ~same)
    if len(asked) > MAX_ASKED:
        order = np.argsort(-_texts(first, second)[asked[:, 0], asked[:, 1]], kind="stable")
        asked = asked[order[:MAX_ASKED]]
    for i, j in asked.tolist():
        found[i, j] = alike(first[i], second[j])
    return found


def _same(first: Sequence[str], second: Sequence[str]) -> NDArray[np.bool_]:
    number: dict[str, int] = {}
    rows, columns = (
        np.array([number.setdefault(x, len(number)) for x in names], dtype=np.intp)
        for names in (first, second)
    )
    return np.asarray(rows[:, None] == columns)


def _texts(first: Sequence[str], second: Sequence[str]) -> Matrix:
    """Return `string_similarity` of labels by labels, all taken as different."""
    _rapidfuzz()
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    cut1, cut2 = ([name[:MAX_LABEL_CHARS] for name in names] for names in (first, second))
    steps = cdist(cut1, cut2, scorer=Levenshtein.distance, dtype=np.int32, workers=1)
    length1, length2 = (np.array([len(x) for x in cut], dtype=np.intp) for cut in (cut1, cut2))
    longest = np.maximum(np.maximum.outer(length1, length2), 1)
    return np.asarray(1.0 - np.maximum(steps, 1).reshape(longest.shape) / longest)


def _encoded(spec: str, first: Sequence[str], second: Sequence[str]) -> Matrix:
    """Return what a model says of labels by labels, all taken as different."""
    rows, columns = np.arange(len(first)), np.arange(len(second))
    if max(len(first), len(second)) > MAX_ENCODED:
        texts = _texts(first, second)
        rows, columns = (
            np.sort(np.argsort(-texts.max(axis=axis), kind="stable")[:MAX_ENCODED])
            for axis in (1, 0)
        )
    found = np.zeros((len(first), len(second)))
    chosen1 = [first[i] for i in rows.tolist()]
    chosen2 = [second[j] for j in columns.tolist()]
    found[np.ix_(rows, columns)] = embedding(spec.removeprefix(PREFIX)).likeness(chosen1, chosen2)
    return found


def _equal(a: str, b: str) -> float:
    return 1.0 if a == b else 0.0


def string_similarity(a: str, b: str) -> float:
    """Return 1 - d / max(len) with d the Levenshtein distance of the labels.

    In [0, 1]; 1.0 only for equal labels. Labels are cut at `MAX_LABEL_CHARS`, so that a label of a
    megabyte stalls nothing; two that differ only behind the cut count as one edit apart. Found
    with rapidfuzz. References: Levenshtein, Binary codes capable of correcting deletions,
    insertions and reversals, 1966.

    Raises
    ------
    ConfigError
        If rapidfuzz is missing.

    >>> string_similarity("directed by", "directed_by")
    0.9090909090909091
    """
    if a == b:
        return 1.0
    a, b = a[:MAX_LABEL_CHARS], b[:MAX_LABEL_CHARS]
    return 1.0 - max(_rapidfuzz()(a, b), 1) / max(len(a), len(b))


@lru_cache(maxsize=1)
def _rapidfuzz() -> Callable[[str, str], int]:
    """Return the Levenshtein distance of rapidfuzz."""
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError:
        raise ConfigError(
            "similarity='string' measures edit distances with rapidfuzz, which is not installed. "
            'Install it with: pip install "graphenv[ged]"'
        ) from None
    return Levenshtein.distance


@lru_cache(maxsize=32)
def _loaded(reference: str) -> Callable[[str, str], float]:
    if ":" not in reference:
        raise ConfigError(
            f"similarity={bounded(reference, 60)!r} is unknown: give None (equal or not), "
            "'string', 'embedding:NAME' or 'module:function'"
        )
    function = load_attribute(reference)
    if not callable(function):
        raise ConfigError(f"similarity={reference!r}: not callable")
    return _checked(function, reference)


def _checked(function: Callable[[str, str], Any], name: str) -> Callable[[str, str], float]:
    def ask(a: str, b: str) -> float:
        found = function(a, b)
        try:
            value = float(found)
        except (TypeError, ValueError, OverflowError):
            value = math.nan
        if not 0.0 <= value <= 1.0:
            raise ConfigError(
                f"similarity {name} returned {bounded(repr(found), 60)} for the labels "
                f"{bounded(a, 60)!r} and {bounded(b, 60)!r}; it must return a number in [0, 1]"
            )
        return value

    remembered = lru_cache(maxsize=_REMEMBERED)(ask)

    def similarity(a: str, b: str) -> float:
        if a == b:
            return 1.0
        # A cache of long labels would be a leak.
        answer = remembered if max(len(a), len(b)) <= MAX_LABEL_CHARS else ask
        return answer(a, b) if a < b else answer(b, a)

    return similarity
