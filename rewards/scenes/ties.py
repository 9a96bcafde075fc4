"""Which of several objects that look alike is which: told by what is said of them."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from graphenv.rewards.scenes.encoding import Encoded, Key
from graphenv.rewards.similarity.wl import wl_colors
from graphenv.scenes.boxes import Matrix

__all__ = ["told_apart"]

_TIE = 1e-6  # what all that is said of an object weighs against how alike it looks
_SAME = 1e-9
_WAVES = 64

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]
Sign = int | Key | None
"""Of the other end of a relation: its settled image, its looks, or that it has no counterpart."""

Token = tuple[str | None, str, Sign, int]
"""Name, direction, the other end, and how often that was said before."""


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
        self._half = names_alike
        self._keys = (ours.keys(boxes), theirs.keys(boxes))
        self._class1, self._class2 = map(_numbered, self._keys)
        rows, columns = (
            _array(sorted(np.flatnonzero(score.any(axis=axis)).tolist(), key=keys.__getitem__))
            for axis, keys in zip((1, 0), self._keys, strict=True)
        )
        self.images = [-1] * len(ours)
        self._back = [-1] * len(theirs)
        self._assign(rows, columns, score)
        twins1, twins2 = _has_twin(self._class1, rows), _has_twin(self._class2, columns)
        free2 = {j for j in columns.tolist() if twins2[j]}
        free1 = [i for i in rows.tolist() if twins1[i] or self.images[i] in free2]
        free2 |= {self.images[i] for i in free1 if self.images[i] >= 0}
        self._free1 = _array(free1)
        self._free2 = _array([j for j in columns.tolist() if j in free2])
        self._ranked = False

    def wave(self) -> bool:
        """Settle some objects; return whether any is left to settle."""
        rows, columns = self._free1, self._free2
        if not len(rows) or not len(columns):
            return False
        shared, open1, open2 = self._shared(rows, columns)
        most = float(shared.max())
        bonus = shared * (_TIE / most) if most > 0 else shared
        for i in rows.tolist():
            self.images[i] = -1
        for j in columns.tolist():
            self._back[j] = -1
        self._assign(rows, columns, self._score[rows[:, None], columns] + bonus, local=True)
        settled = self._settled(rows, columns, shared, open1, open2)
        if not settled.any():
            if not self._ranked:  # an order that does not depend on that of the objects
                self._rank()
                return True
            settled = self._chosen(rows)
        done = rows[settled]
        self._free1 = rows[~settled]
        taken = {self.images[i] for i in done.tolist()}
        self._free2 = _array([j for j in columns.tolist() if j not in taken])
        return any(self.images[i] >= 0 for i in self._free1.tolist())

    def _assign(self, rows: Rows, columns: Rows, score: Matrix, *, local: bool = False) -> None:
        from scipy.optimize import linear_sum_assignment

        rest = score if local else score[rows[:, None], columns]
        picked1, picked2 = linear_sum_assignment(rest, maximize=True)
        good = self._score[rows[picked1], columns[picked2]] > 0
        for i, j in zip(rows[picked1[good]].tolist(), columns[picked2[good]].tolist(), strict=True):
            self.images[i], self._back[j] = j, i

    def _settled(
        self, rows: Rows, columns: Rows, shared: Matrix, open1: Flags, open2: Flags
    ) -> Flags:
        """Return which rows are matched, and not rivalled by a twin that may gain yet."""
        place = {j: at for at, j in enumerate(columns.tolist())}
        image = np.array([place.get(self.images[i], -1) for i in rows.tolist()], dtype=np.intp)
        matched = image >= 0
        # To exchange the images of two rows loses so much of what is shared.
        crossed = np.where(matched, shared[:, image], 0.0)
        kept = np.where(matched, shared[np.arange(len(rows)), image], 0.0)
        loss = kept[:, None] + kept - crossed - crossed.T
        class1, class2 = self._class1[rows], self._class2[columns]
        twins = class1[:, None] == class1
        twins |= (class2[image][:, None] == class2[image]) & matched[:, None] & matched
        movable = open1[:, None] | open1
        opened = open2[image] & matched
        movable |= opened[:, None] | opened
        np.fill_diagonal(twins, False)
        tied = (twins & movable & (loss <= _SAME)).any(axis=1)
        # To take another column of the same looks, which nobody has.
        left = np.ones(len(columns), dtype=bool)
        left[image[matched]] = False
        if left.any():
            alike = class2[image][:, None] == class2[left]
            lost = kept[:, None] - shared[:, left]
            may = open2[left] | opened[:, None] | open1[:, None]
            tied |= (alike & may & (lost <= _SAME)).any(axis=1)
        return np.asarray(matched & ~tied)

    def _chosen(self, rows: Rows) -> Flags:
        """Return rows to settle though they have rivals: no two twins, none beside another."""
        chosen = np.zeros(len(rows), dtype=bool)
        used1: set[int] = set()
        used2: set[int] = set()
        for at, i in enumerate(rows.tolist()):
            image = self.images[i]
            if image < 0 or self._class1[i] in used1 or self._class2[image] in used2:
                continue
            chosen[at] = True
            near = (i, *(other for _, _, other in self._sides[0].around[i]))
            used1.update(self._class1[list(near)].tolist())
            images = [self.images[other] for other in near if self.images[other] >= 0]
            used2.update(self._class2[images].tolist())
        return chosen

    def _shared(self, rows: Rows, columns: Rows) -> tuple[Matrix, Flags, Flags]:
        """Return how much is said of both objects of a pair, and of whom more may turn out."""
        free1, free2 = set(rows.tolist()), set(columns.tolist())
        keys = self._keys[1]
        signs1: list[Sign] = [
            None if j < 0 else keys[j] if i in free1 else j for i, j in enumerate(self.images)
        ]
        signs2: list[Sign] = [
            keys[j] if j in free2 else j if i >= 0 else None for j, i in enumerate(self._back)
        ]
        first = self._said(self._sides[0], rows, signs1)
        second = self._said(self._sides[1], columns, signs2)
        there = {token for tokens in second for token in tokens}
        both = dict.fromkeys(token for tokens in first for token in tokens if token in there)
        common = {token: at for at, token in enumerate(both)}
        a, b = (_marked(said, common) for said in (first, second))
        # What leads to an object that is not settled may turn out to lead to another one.
        loose = [at for token, at in common.items() if isinstance(token[2], tuple)]
        open1, open2 = (side[:, loose].any(axis=1) for side in (a, b))
        for token, at in common.items():
            if token[0] is None:  # a relation of any name
                a[:, at] *= 0.5
        return a @ b.T, open1, open2

    def _said(self, side: Encoded, which: Rows, signs: list[Sign]) -> list[list[Token]]:
        """Return what is said of some objects: attributes, and relations with what is there."""
        said = []
        for at in which.tolist():
            seen: Counter[tuple[str | None, str, Sign]] = Counter()
            tokens = []
            facts: list[tuple[str | None, str, Sign]] = [
                (name, "is", None) for name in side.attributes[at]
            ]
            for direction, name, other in side.around[at]:
                sign = signs[other]
                if sign is not None:
                    facts.append((name, direction, sign))
                    if self._half:
                        facts.append((None, direction, sign))
            for fact in facts:
                tokens.append((*fact, seen[fact]))
                seen[fact] += 1
            said.append(tokens)
        return said

    def _rank(self) -> None:
        self._ranked = True
        colors = wl_colors(self._sides[0].graph(self._boxes), self._sides[1].graph(self._boxes))
        first, second = colors[-1]
        self._free1 = _array(sorted(self._free1.tolist(), key=first.__getitem__))
        self._free2 = _array(sorted(self._free2.tolist(), key=second.__getitem__))


def _array(numbers: list[int]) -> Rows:
    return np.array(numbers, dtype=np.intp)


def _numbered(keys: list[Key]) -> Rows:
    number: dict[Key, int] = {}
    return np.array([number.setdefault(key, len(number)) for key in keys], dtype=np.intp)


def _has_twin(classes: Rows, which: Rows) -> Flags:
    """Return which of all objects have a twin among some of them."""
    counts = np.bincount(classes[which], minlength=int(classes.max()) + 1)
    return np.asarray(counts[classes] > 1)


def _marked(said: list[list[Token]], common: dict[Token, int]) -> Matrix:
    """Return which of the common tokens each list has."""
    found = np.zeros((len(said), len(common)))
    for row, tokens in enumerate(said):
        found[row, [common[token] for token in tokens if token in common]] = 1.0
    return found
