"""Cheap choices from keys, for sources that make a task from its number: hash, order, stream."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import TypeVar

from graphenv.seeding import stable_hash

__all__ = ["Choices", "Permutation", "mix"]

_T = TypeVar("_T")
_MASK = (1 << 64) - 1


def mix(value: int, key: int) -> int:
    """Return a hash of 64 bits; the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    z = (value * 0x9E3779B97F4A7C15 + key) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class Permutation:
    """A keyed pseudo-random permutation of 0..size-1, both ways in constant time and memory.

    A Feistel network on a pair of digits, with cycle walking (Black and Rogaway, Ciphers with
    Arbitrary Finite Domains, CT-RSA 2002).

    Examples
    --------
    >>> p = Permutation(1000, "key")
    >>> sorted(p(i) for i in range(1000)) == list(range(1000)), p.inverse(p(17))
    (True, 17)
    """

    def __init__(self, size: int, *key: object) -> None:
        self._size = size
        # The smallest rectangle that holds `size` points: hardly a point of it is walked over.
        self._a = isqrt(max(size - 1, 0)) + 1
        self._b = -(-size // self._a)
        self._keys = tuple(stable_hash("permutation", *key, i) for i in range(4))

    def __call__(self, x: int) -> int:
        """Return where `x` goes."""
        a, b = self._a, self._b
        k0, k1, k2, k3 = self._keys
        while True:
            left, right = divmod(x, b)
            left = (left + mix(right, k0)) % a
            right = (right + mix(left, k1)) % b
            left = (left + mix(right, k2)) % a
            right = (right + mix(left, k3)) % b
            x = left * b + right
            if x < self._size:
                return x

    def inverse(self, y: int) -> int:
        """Return what goes to `y`."""
        a, b = self._a, self._b
        k0, k1, k2, k3 = self._keys
        while True:
            left, right = divmod(y, b)
            right = (right - mix(left, k3)) % b
            left = (left - mix(right, k2)) % a
            right = (right - mix(left, k1)) % b
            left = (left - mix(right, k0)) % a
            y = left * b + right
            if y < self._size:
                return y


class Choices:
    """A stream of choices from a key of 64 bits, a hundred times cheaper than a generator.

    >>> choose = Choices(7)
    >>> choose(100) == Choices(7)(100)
    True
    >>> sorted(choose.shuffled("abc"))
    ['a', 'b', 'c']
    """

    def __init__(self, key: int) -> None:
        self._key = key
        self._drawn = 0

    def __call__(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        self._drawn += 1
        return mix(self._drawn, self._key) % limit

    def share(self) -> float:
        """Return a number in [0, 1)."""
        self._drawn += 1
        return mix(self._drawn, self._key) / 2**64

    def of(self, items: Sequence[_T]) -> _T:
        """Return one of the items."""
        return items[self(len(items))]

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """Return the items in a random order."""
        found = list(items)
        for last in range(len(found) - 1, 0, -1):
            other = self(last + 1)
            found[last], found[other] = found[other], found[last]
        return found
