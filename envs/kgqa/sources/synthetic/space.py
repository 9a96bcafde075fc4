"""The space of problems: every (topic, path) has a rank, and ranks are cut into splits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from graphenv.choices import Permutation
from graphenv.envs.kgqa.sources.synthetic.schema import VALUES
from graphenv.envs.kgqa.sources.synthetic.world import World, make_world
from graphenv.task import SPLITS

IntArray = NDArray[np.int32]

__all__ = ["Move", "Space", "make_space"]

_TWELFTHS = {"train": (0, 10), "validation": (10, 11), "heldout": (11, 12)}
assert tuple(_TWELFTHS) == SPLITS


@dataclass(frozen=True, slots=True)
class Move:
    """One direction of an asked relation: its name, the types that it joins, its mean fan-out."""

    name: str
    start: str
    end: str
    fan: float


@dataclass(frozen=True)
class Space:
    """Every problem of one number of hops: a path type and a topic that has its first two moves.

    A problem's *slot* is its place in the list of path types x topics; its *rank* is its place
    after a keyed permutation. The first ten twelfths of the ranks are `train`, one is
    `validation`, one `heldout`: splits share no (topic, path), by construction.
    """

    moves: dict[str, Move]
    paths: tuple[tuple[str, ...], ...]
    topics: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]
    order: Permutation
    place: dict[tuple[str, ...], int] = field(repr=False)

    @property
    def size(self) -> int:
        """Number of slots."""
        return self.offsets[-1]

    def region(self, split: str) -> tuple[int, int]:
        """Return the first rank of a split and the number of its ranks."""
        low, high = (self.size * part // 12 for part in _TWELFTHS[split])
        return low, high - low

    def problem(self, rank: int) -> tuple[int, tuple[str, ...]]:
        """Return the topic entity and the path of a rank."""
        slot = self.order.inverse(rank)
        at = bisect_right(self.offsets, slot) - 1
        path = self.paths[at]
        return self.topics[at][slot - self.offsets[at]], path

    def in_split(self, topic: int, path: tuple[str, ...], split: str) -> bool:
        """Return whether a problem belongs to a split; `False` if it is in no split at all."""
        at = self.place.get(path)
        if at is None:
            return False
        topics = self.topics[at]
        nth = bisect_left(topics, topic)
        if nth == len(topics) or topics[nth] != topic:
            return False
        low, count = self.region(split)
        return low <= self.order(self.offsets[at] + nth) < low + count


@lru_cache(maxsize=16)
def make_space(
    *, seed: int, entities: int, relations: int, distractors: int, hops: int, max_answers: int
) -> Space:
    """Return the space of problems with exactly `hops` moves in a world (cached)."""
    world = make_world(seed=seed, entities=entities, relations=relations, distractors=distractors)
    edges = _edges(world)
    moves = {
        name: Move(name, *kinds, fan=len(heads) / len(np.unique(heads)))
        for name, (kinds, heads, _) in edges.items()
    }
    paths = tuple(_paths(moves, hops, limit=max_answers * 1.5))
    starts = _starts(edges, {path[:2] for path in paths}, world.graph.num_entities)
    topics = tuple(starts[path[:2]] for path in paths)
    offsets = (0, *accumulate(map(len, topics)))
    order = Permutation(offsets[-1], "synthetic", seed, entities, relations, hops)
    place = {path: at for at, path in enumerate(paths)}
    return Space(moves, paths, topics, offsets, order, place)


Edges = dict[str, tuple[tuple[str, str], IntArray, IntArray]]
"""Move -> (types that it joins, heads, tails), in the direction walked."""


def _edges(world: World) -> Edges:
    graph = world.graph
    found: Edges = {}
    all_heads, relations, all_tails = graph.triple_arrays()
    for relation in world.relations:
        here = relations == graph.move_id(relation.name)
        heads, tails = all_heads[here], all_tails[here]
        found[relation.name] = (relation.head, relation.tail), heads, tails
        if relation.back is not None:
            found[f"^{relation.name}"] = (relation.tail, relation.head), tails, heads
    return found


def _starts(
    edges: Edges, beginnings: set[tuple[str, ...]], num_entities: int
) -> dict[tuple[str, ...], tuple[int, ...]]:
    """Return the entities from which the first one or two moves of a path lead anywhere."""
    has = {}
    for name, (_, heads, _) in edges.items():
        has[name] = np.zeros(num_entities, np.bool_)
        has[name][heads] = True
    found = {}
    for beginning in beginnings:
        _, heads, tails = edges[beginning[0]]
        if len(beginning) > 1:
            heads = heads[has[beginning[1]][tails]]
        mark = np.zeros(num_entities, np.bool_)
        mark[heads] = True
        found[beginning] = tuple(np.flatnonzero(mark).tolist())
    return found


def _paths(moves: dict[str, Move], hops: int, limit: float) -> list[tuple[str, ...]]:
    """Return the path types that can be asked: typed, not idle, not far above the answer limit."""
    by_start: dict[str, list[Move]] = {}
    for move in moves.values():
        by_start.setdefault(move.start, []).append(move)
    found: list[tuple[str, ...]] = []

    def extend(path: tuple[str, ...], last: Move, size: float) -> None:
        if size > limit:
            return
        if len(path) == hops:
            found.append(path)
            return
        for move in by_start.get(last.end, ()):
            if not _idle(last, move):
                extend((*path, move.name), move, size * move.fan)

    for move in moves.values():
        extend((move.name,), move, move.fan)
    return found


def _idle(last: Move, move: Move) -> bool:
    """Return whether `move` only undoes `last`: the film of the directors of the films ..."""
    inverse = last.name.removeprefix("^") == move.name.removeprefix("^") and last.name != move.name
    return inverse and (move.fan == 1.0 or move.start in VALUES)
