"""How alike two labels are: the one place where every graph term asks."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from graphenv.errors import ConfigError
from graphenv.references import load_attribute
from graphenv.text import bounded, normalize

__all__ = ["MAX_LABEL_CHARS", "LabelSpec", "label_similarity", "levenshtein", "string_similarity"]

LabelSpec = str | Callable[[str, str], float] | None
"""`None`, `"string"`, `"module:function"` or a function of two labels."""

MAX_LABEL_CHARS = 200
_REMEMBERED = 1 << 16


def label_similarity(spec: LabelSpec = None) -> Callable[[str, str], float]:
    """Return a function of two labels with values in [0, 1]; symmetric, 1.0 for equal labels.

    Parameters
    ----------
    spec
        `None`: 1.0 if the normalised labels are equal, else 0.0. `"string"`: `string_similarity`
        of the normalised labels. `"module:function"` or a function: called once for each pair of
        different labels, as given and in sorted order, so that it is symmetric whatever it does;
        what it returns for labels of up to `MAX_LABEL_CHARS` is remembered.

    Raises
    ------
    ConfigError
        If `spec` is none of these; when called, if the user's function returns anything but a
        number in [0, 1].

    >>> label_similarity()("Heat", "HEAT "), label_similarity()("man", "woman")
    (1.0, 0.0)
    >>> label_similarity("string")("man", "woman")
    0.6
    """
    if spec is None:
        return _equal
    if isinstance(spec, str):
        return string_similarity if spec == "string" else _loaded(spec)
    if callable(spec):
        return _checked(spec, getattr(spec, "__name__", repr(spec)))
    raise ConfigError(
        f"similarity={bounded(repr(spec), 60)}: give None (equal or not), 'string', "
        "'module:function' or a function of two labels"
    )


def _equal(a: str, b: str) -> float:
    return 1.0 if a == b or normalize(a) == normalize(b) else 0.0


def string_similarity(a: str, b: str) -> float:
    """Return 1 - d / max(len) with d the Levenshtein distance of the normalised labels.

    In [0, 1]; 1.0 only for equal labels. Labels are cut at `MAX_LABEL_CHARS`, so that a label of a
    megabyte stalls nothing; two that differ only behind the cut count as one edit apart.
    References: Levenshtein, Binary codes capable of correcting deletions, insertions and
    reversals, 1966.

    >>> string_similarity("directed by", "directed_by")
    0.9090909090909091
    """
    if a == b:
        return 1.0
    a, b = normalize(a), normalize(b)
    if a == b:
        return 1.0
    return _string(a, b) if a < b else _string(b, a)


def _string(a: str, b: str) -> float:
    # Cut before it is remembered: a cache of long labels would be a leak.
    return _string_cut(a[:MAX_LABEL_CHARS], b[:MAX_LABEL_CHARS])


@lru_cache(maxsize=_REMEMBERED)
def _string_cut(a: str, b: str) -> float:
    return 1.0 - max(levenshtein(a, b), 1) / max(len(a), len(b))


def levenshtein(a: str, b: str) -> int:
    """Return the least number of inserted, deleted and changed characters between two strings.

    One step a character of the shorter string, each on integers of as many bits as the longer one
    has characters. References: Myers, A fast bit-vector algorithm for approximate string matching,
    JACM 1999; Hyyrö, A bit-vector algorithm for computing Levenshtein and Damerau edit distances,
    2003.

    >>> levenshtein("kitten", "sitting")
    3
    """
    if len(a) < len(b):
        a, b = b, a
    if not b:
        return len(a)
    where: dict[str, int] = {}
    for i, char in enumerate(a):
        where[char] = where.get(char, 0) | 1 << i
    mask, last, distance = (1 << len(a)) - 1, 1 << (len(a) - 1), len(a)
    # Bit i of `up` (`down`): the distance rises (falls) by one from row i to row i + 1.
    up, down = mask, 0
    for char in b:
        equal = where.get(char, 0)
        steep = (((equal & up) + up) ^ up) | equal
        rise, fall = down | ~(steep | up), up & steep
        if rise & last:
            distance += 1
        elif fall & last:
            distance -= 1
        rise, fall = rise << 1 | 1, fall << 1
        still = equal | down
        up, down = (fall | ~(still | rise)) & mask, rise & still & mask
    return distance


@lru_cache(maxsize=32)
def _loaded(reference: str) -> Callable[[str, str], float]:
    if ":" not in reference:
        raise ConfigError(
            f"similarity={bounded(reference, 60)!r} is unknown: give None (equal or not), "
            "'string' or 'module:function'"
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
