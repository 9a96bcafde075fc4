"""What scenes are made of, numbered: every rank is another bag of objects with attributes."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations, product
from math import comb

from graphenv.choices import Permutation
from graphenv.envs.scenes.sources.synthetic.vocabulary import (
    ATTRIBUTES,
    CARRIED,
    PEOPLE,
    SETTINGS,
    Label,
)
from graphenv.task import SPLITS

__all__ = ["Group", "Kind", "groups"]

_TWELFTHS = {"train": (0, 10), "validation": (10, 11), "heldout": (11, 12)}
assert tuple(_TWELFTHS) == SPLITS
_MOST_PEOPLE = 3

Kind = tuple[str, tuple[str, ...]]
"""A label and the attributes of an object."""


@dataclass(frozen=True)
class Group:
    """Scenes of one setting and composition: so many objects of each pool, no two alike.

    A *slot* is a choice of kinds from each pool, a *rank* is its place after a keyed permutation,
    and splits own disjoint ranks. A setting's own labels occur in no other setting and in every
    scene of it, so that two slots, also of two groups, are two different bags of labelled,
    attributed objects: no scene is a twin of another one, however they are related, laid out and
    worded.

    Attributes
    ----------
    setting
        Name of the setting.
    draws
        Pairs (pool of kinds, how many of them).
    """

    setting: str
    draws: tuple[tuple[tuple[Kind, ...], int], ...]
    key: tuple[object, ...]

    @cached_property
    def size(self) -> int:
        """Number of slots."""
        total = 1
        for pool, count in self.draws:
            total *= comb(len(pool), count)
        return total

    @cached_property
    def _order(self) -> Permutation:
        return Permutation(self.size, "scenes", *self.key)

    def region(self, split: str) -> tuple[int, int]:
        """Return the first rank of a split and the number of its ranks."""
        low, high = (self.size * part // 12 for part in _TWELFTHS[split])
        return low, high - low

    def kinds(self, rank: int) -> list[Kind]:
        """Return the objects of a rank."""
        slot = self._order.inverse(rank)
        found: list[Kind] = []
        for pool, count in self.draws:
            slot, here = divmod(slot, comb(len(pool), count))
            found += (pool[at] for at in _chosen(here, count, len(pool)))
        return found


def groups(objects: int, attributes: int, seed: int) -> list[Group]:
    """Return the groups of scenes with so many objects and attributes.

    Attributes are spread evenly: no object has two more than another.

    >>> made = groups(3, 2, 0)
    >>> len(made), sum(group.size for group in made) > 1_000_000
    (40, True)
    >>> [len(words) for _, words in made[0].kinds(0)]
    [1, 1, 0]
    """
    few, more = divmod(attributes, objects)
    found = []
    compositions = [
        (people, carried)
        for people in range(min(_MOST_PEOPLE, objects - 1) + 1)
        for carried in range(min(people, objects - 1 - people) + 1)
    ]
    for turn, (composition, setting) in enumerate(product(compositions, SETTINGS)):
        people, carried = composition
        parts = [
            (f"setting {setting}", objects - people - carried),
            ("people", people),
            ("carried", carried),
        ]
        if turn % 2:
            parts.reverse()
        draws = []
        left = more
        for pool, count in parts:
            rich = min(left, count)
            left -= rich
            draws += [(_kinds(pool, few + 1), rich), (_kinds(pool, few), count - rich)]
        made = tuple((kinds, count) for kinds, count in draws if count)
        found.append(Group(setting, made, (seed, objects, attributes, turn)))
    return [group for group in found if group.size > 0]


@lru_cache(maxsize=64)
def _kinds(pool: str, attributes: int) -> tuple[Kind, ...]:
    named: dict[str, tuple[Label, ...]] = {"people": PEOPLE, "carried": CARRIED}
    labels = named.get(pool) or SETTINGS[pool.removeprefix("setting ")]
    return tuple(
        (label.name, words)
        for label in labels
        for aspects in combinations(label.aspects, attributes)
        for words in product(*(ATTRIBUTES[aspect] for aspect in aspects))
    )


def _chosen(rank: int, count: int, size: int) -> list[int]:
    """Return the subset of `range(size)` with so many members and this rank (combinatorial system).

    >>> [_chosen(rank, 2, 4) for rank in range(6)]
    [[1, 0], [2, 0], [2, 1], [3, 0], [3, 1], [3, 2]]
    """
    found = []
    for length in range(count, 0, -1):
        size = _top(rank, length, size)
        found.append(size)
        rank -= comb(size, length)
    return found


def _top(rank: int, length: int, size: int) -> int:
    """Return the largest number below `size` of which no more than `rank` subsets lie below."""
    return bisect_right(range(size), rank, key=lambda n: comb(n, length)) - 1
