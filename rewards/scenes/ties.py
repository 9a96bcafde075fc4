"""Which of several objects that look alike is which: told by what is said of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphenv.rewards.scenes.encoding import Encoded, Key
from graphenv.rewards.similarity.wl import wl_colors
from graphenv.scenes.boxes import Matrix

__all__ = ["told_apart"]

_TIE = 1e-6  # what all that is said of an object weighs against how alike it looks
_SAME = 1e-9
_FIRST = 1 / 1024  # what an attribute weighs more than a relation
_WAVES = 64
_COPIES = 64  # of one fact that are looked at

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]
Facts = tuple[Rows, Rows, Rows]
"""Of which object, what, and the object at the other end (-1: none)."""


def told_apart(
    ours: Encoded, theirs: Encoded, score: Matrix, boxes: bool, *, names_alike: bool = False
) -> list[int]:
    """Return the image of each object (-1: none) that maximises the summed score.

    Objects with one label (and box, if `boxes`) are twins: exchanging them changes no sum. Among
    twins those are matched that share most attributes and relations. What a relation leads to is
    known by its image once that is settled, and by its looks before; so a choice between twins
    that nothing tells apart is made once, and all around follows. `names_alike`: relations of
    different names between the same two objects count half.

    Each wave settles those that no twin rivals, or some that are far apart; after 64 waves what is
    left stands.
    """
    search = _Search(ours, theirs, score, boxes, names_alike)
    for _ in range(_WAVES):
        if not search.wave():
            break
    return search.images


class _Search:
    """The images so far, and which of them are settled."""

    def __init__(
        self, ours: Encoded, theirs: Encoded, score: Matrix, boxes: bool, names_alike: bool
    ) -> None:
        self._sides = (ours, theirs)
        self._score = score
        self._boxes = boxes
        self._facts1, self._facts2, self._any = _coded(ours, theirs, names_alike)
        keys1, keys2 = ours.keys(boxes), theirs.keys(boxes)
        self._class1, self._class2 = _numbered(keys1), _numbered(keys2)
        some1, some2 = (np.flatnonzero(score.any(axis=axis)).tolist() for axis in (1, 0))
        rows = _array(sorted(some1, key=keys1.__getitem__))
        columns = _array(sorted(some2, key=keys2.__getitem__))
        self._image = np.full(len(ours), -1, dtype=np.intp)
        self._back = np.full(len(theirs), -1, dtype=np.intp)
        self._assign(rows, columns, score[rows[:, None], columns])
        twins1, twins2 = _has_twin(self._class1, rows), _has_twin(self._class2, columns)
        # To settle: who has a twin, and who is matched with one that has.
        free1 = twins1 | (twins2[self._image] & (self._image >= 0))
        free2 = twins2 | (twins1[self._back] & (self._back >= 0))
        self._free1, self._free2 = rows[free1[rows]], columns[free2[columns]]
        self._ranked = False

    @property
    def images(self) -> list[int]:
        """The image of each object of ours, -1 where there is none."""
        return self._image.tolist()

    def wave(self) -> bool:
        """Settle some objects; return whether any is left to settle."""
        rows, columns = self._free1, self._free2
        if not len(rows) or not len(columns):
            return False
        shared, open1, open2 = self._shared(rows, columns)
        most = float(shared.max())
        bonus = shared * (_TIE / most) if most > 0 else shared
        self._image[rows] = -1
        self._back[columns] = -1
        self._assign(rows, columns, self._score[rows[:, None], columns] + bonus)
        settled = self._settled(rows, columns, shared, open1, open2)
        if not settled.any():
            if not self._ranked:  # an order that does not depend on that of the objects
                self._rank()
                return True
            settled = self._chosen(rows)
        self._free1 = rows[~settled]
        self._free2 = np.setdiff1d(columns, self._image[rows[settled]], assume_unique=True)
        return bool((self._image[self._free1] >= 0).any())

    def _assign(self, rows: Rows, columns: Rows, score: Matrix) -> None:
        from scipy.optimize import linear_sum_assignment

        picked1, picked2 = linear_sum_assignment(score, maximize=True)
        first, second = rows[picked1], columns[picked2]
        good = self._score[first, second] > 0
        self._image[first[good]] = second[good]
        self._back[second[good]] = first[good]

    def _settled(
        self, rows: Rows, columns: Rows, shared: Matrix, open1: Flags, open2: Flags
    ) -> Flags:
        """Return which rows are matched, and not rivalled by a twin that may gain yet."""
        place = np.full(len(self._back), -1, dtype=np.intp)
        place[columns] = np.arange(len(columns))
        matched = self._image[rows] >= 0
        image = np.where(matched, place[self._image[rows]], -1)
        # To exchange the images of two rows loses so much of what is shared.
        crossed = np.where(matched, shared[:, image], 0.0)
        kept = np.where(matched, shared[np.arange(len(rows)), image], 0.0)
        loss = kept[:, None] + kept - crossed - crossed.T
        class1, class2 = self._class1[rows], self._class2[columns]
        twins = class1[:, None] == class1
        twins |= (class2[image][:, None] == class2[image]) & matched[:, None] & matched
        opened = open1 | (open2[image] & matched)
        np.fill_diagonal(twins, False)
        tied = (twins & (opened[:, None] | opened) & (loss <= _SAME)).any(axis=1)
        # To take another column of the same looks, which nobody has.
        left = np.ones(len(columns), dtype=bool)
        left[image[matched]] = False
        if left.any():
            alike = class2[image][:, None] == class2[left]
            lost = kept[:, None] - shared[:, left]
            tied |= (alike & (open2[left] | opened[:, None]) & (lost <= _SAME)).any(axis=1)
        return np.asarray(matched & ~tied)

    def _chosen(self, rows: Rows) -> Flags:
        """Return rows to settle though they have rivals: no two twins, none beside another."""
        chosen = np.zeros(len(rows), dtype=bool)
        used1: set[int] = set()
        used2: set[int] = set()
        of, _, other = self._sides[0].said
        for at, i in enumerate(rows.tolist()):
            image = self._image[i]
            if image < 0 or self._class1[i] in used1 or self._class2[image] in used2:
                continue
            chosen[at] = True
            near = np.append(other[(of == i) & (other >= 0)], i)
            used1.update(self._class1[near].tolist())
            images = self._image[near]
            used2.update(self._class2[images[images >= 0]].tolist())
        return chosen

    def _shared(self, rows: Rows, columns: Rows) -> tuple[Matrix, Flags, Flags]:
        """Return how much is said of both objects of a pair, and of whom more may turn out.

        The other end of a relation is known by a number: its image if that is settled, else the
        looks of its image; -1 if it has no counterpart. 0 stands for an attribute.
        """
        count = len(self._back)
        looks = 1 + count + self._class2
        free1, free2 = np.zeros(len(self._image), dtype=bool), np.zeros(count, dtype=bool)
        free1[rows], free2[columns] = True, True
        matched = self._image >= 0
        sign1 = np.where(matched, np.where(free1, looks[self._image], 1 + self._image), -1)
        # One without an image may get that of a twin: it looks as the image of a twin does.
        of_twin = np.full(int(self._class1.max()) + 1, -1, dtype=np.intp)
        np.maximum.at(of_twin, self._class1[free1 & matched], sign1[free1 & matched])
        sign1 = np.where(free1 & ~matched, of_twin[self._class1], sign1)
        sign2 = np.where(free2, looks, np.where(self._back >= 0, 1 + np.arange(count), -1))
        size = int(looks.max()) + 1
        first = _tokens(self._facts1, rows, len(self._image), np.append(sign1, 0), size)
        second = _tokens(self._facts2, columns, count, np.append(sign2, 0), size)
        at1, at2 = _joined(first[1], second[1])
        places1, places2 = first[0][at1], second[0][at2]
        what, sign = np.divmod(first[1][at1] // _COPIES, size)
        worth = np.where(what < self._any, 0.5, 1.0)  # relations of any name, and of one name
        # One attribute or one relation: a choice that must not hang on the order of the objects.
        worth[sign == 0] += _FIRST
        cells = places1 * len(columns) + places2
        shared = np.asarray(np.bincount(cells, worth, len(rows) * len(columns)), dtype=np.float64)
        # What leads to an object that is not settled may turn out to lead to another one.
        open1: Flags = np.zeros(len(rows), dtype=bool)
        open2: Flags = np.zeros(len(columns), dtype=bool)
        open1[places1[sign > count]] = True
        open2[places2[sign > count]] = True
        return np.reshape(shared, (len(rows), len(columns))), open1, open2

    def _rank(self) -> None:
        self._ranked = True
        colors = wl_colors(self._sides[0].graph(self._boxes), self._sides[1].graph(self._boxes))
        first, second = colors[-1]
        self._free1 = _array(sorted(self._free1.tolist(), key=first.__getitem__))
        self._free2 = _array(sorted(self._free2.tolist(), key=second.__getitem__))


def _coded(ours: Encoded, theirs: Encoded, names_alike: bool) -> tuple[Facts, Facts, int]:
    """Return the facts of both sides, and below which number a name stands for any name."""
    number: dict[tuple[str, str], int] = {("out", ""): 0, ("in", ""): 1} if names_alike else {}
    any_name = len(number)
    sides = []
    for side in (ours, theirs):
        of, what, other = side.said
        codes = _array([number.setdefault(name, len(number)) for name in what])
        if names_alike:
            relations = np.flatnonzero(other >= 0)
            directions = _array([what[at][0] == "in" for at in relations.tolist()])
            of = np.append(of, of[relations])
            other = np.append(other, other[relations])
            codes = np.append(codes, directions)
        sides.append((of, codes, other))
    return sides[0], sides[1], any_name


def _tokens(facts: Facts, which: Rows, count: int, sign: Rows, size: int) -> tuple[Rows, Rows]:
    """Return what is said of some objects: the place of each, and a number for what it is."""
    of, codes, other = facts
    place = np.full(count, -1, dtype=np.intp)
    place[which] = np.arange(len(which))
    keep = (place[of] >= 0) & (sign[other] >= 0)
    places, tokens = place[of[keep]], codes[keep] * size + sign[other[keep]]
    order = np.lexsort((tokens, places))
    places, tokens = places[order], tokens[order]
    # What is said twice is two things.
    new = np.ones(len(tokens), dtype=bool)
    new[1:] = (places[1:] != places[:-1]) | (tokens[1:] != tokens[:-1])
    at = np.arange(len(tokens))
    copy = at - np.maximum.accumulate(np.where(new, at, 0))
    few = copy < _COPIES
    return places[few], tokens[few] * _COPIES + copy[few]


def _joined(first: Rows, second: Rows) -> tuple[Rows, Rows]:
    """Return the places of all pairs of equal numbers."""
    order = np.argsort(second, kind="stable")
    there = second[order]
    start = np.searchsorted(there, first, "left")
    counts = np.searchsorted(there, first, "right") - start
    at1 = np.repeat(np.arange(len(first)), counts)
    within = np.arange(len(at1)) - np.repeat(np.cumsum(counts) - counts, counts)
    return at1, order[np.repeat(start, counts) + within]


def _array(numbers: list[int]) -> Rows:
    return np.array(numbers, dtype=np.intp)


def _numbered(keys: list[Key]) -> Rows:
    number: dict[Key, int] = {}
    return _array([number.setdefault(key, len(number)) for key in keys])


def _has_twin(classes: Rows, which: Rows) -> Flags:
    """Return which of all objects have a twin among some of them."""
    counts = np.bincount(classes[which], minlength=int(classes.max()) + 1)
    return np.asarray(counts[classes] > 1)
