"""The edges on all paths of a program from its start to given ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphenv.envs.kgqa.program import Branch, Filter, Program
from graphenv.envs.kgqa.walk import compare_values
from graphenv.graph import Triple
from graphenv.knowledge import TripleStore

__all__ = ["evidence_of"]

Ids = NDArray[np.int32]
MAX_EDGES = 5_000
"""Most edges looked at per move; a program that walks more has no evidence of a useful size."""
_Leg = list[tuple[Ids, Ids, str | Filter]]


def evidence_of(
    world: TripleStore,
    topic: int,
    program: Program,
    answers: Sequence[int] | None,
    *,
    drop_topic: bool,
) -> tuple[Triple, ...]:
    """Return the edges on every path of `program` that ends in one of `answers`, sorted.

    `None` means every end. What the program walks and does not lead to an answer is left out; an
    edge that a filter keeps an entity for is evidence too. Empty where the program leads nowhere,
    or over more than `MAX_EDGES` edges at once.

    >>> from graphenv.envs.kgqa.program import parse_program
    >>> from graphenv.knowledge import KnowledgeGraph
    >>> kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "r", "c"), ("b", "s", "d")])
    >>> evidence_of(kg, 0, parse_program("r > s")[0], None, drop_topic=False)
    (('a', 'r', 'b'), ('b', 's', 'd'))
    """
    legs: list[tuple[_Leg, Ids]] = []
    for branch in program.branches:
        walked = _walked(world, topic, branch, drop_topic=drop_topic)
        if walked is None:
            return ()
        legs.append(walked)
    ends = legs[0][1]
    for _, reached in legs[1:]:
        ends = np.intersect1d(ends, reached)
    if answers is not None:
        ends = np.intersect1d(ends, np.array(answers, np.int32))
    found: set[Triple] = set()
    for leg, _ in legs:
        found.update(_back(world, leg, ends))
    return tuple(sorted(found))


def _walked(
    world: TripleStore, topic: int, branch: Branch, *, drop_topic: bool
) -> tuple[_Leg, Ids] | None:
    start = topic if branch.start is None else world.find_entity(branch.start)
    if start is None:
        return None
    frontier = np.array([start], np.int32)
    leg: _Leg = []
    for move in branch.moves:
        name = move.relation if isinstance(move, Filter) else move
        if world.find_move(name) is None:
            return None
        heads, tails = world.edges(frontier, name)
        if len(heads) > MAX_EDGES:
            return None
        if isinstance(move, Filter):
            values = world.entity_names(tails)
            kept = np.array(
                [compare_values(v, move.operator, move.value) for v in values], dtype=bool
            )
        else:
            kept = tails != start if drop_topic else np.ones(len(tails), dtype=bool)
        heads, tails = heads[kept], tails[kept]
        if not len(heads):
            return None
        leg.append((heads, tails, move))
        frontier = np.unique(heads if isinstance(move, Filter) else tails).astype(np.int32)
    return leg, frontier


def _back(world: TripleStore, leg: _Leg, ends: Ids) -> list[Triple]:
    found: list[Triple] = []
    alive = ends
    for heads, tails, move in reversed(leg):
        here = heads if isinstance(move, Filter) else tails
        kept = np.isin(here, alive)
        heads, tails = heads[kept], tails[kept]
        name = move.relation if isinstance(move, Filter) else move
        pairs = zip(world.entity_names(heads), world.entity_names(tails), strict=True)
        if name.startswith("^"):
            found += [(tail, name[1:], head) for head, tail in pairs]
        else:
            found += [(head, name, tail) for head, tail in pairs]
        alive = np.unique(heads).astype(np.int32)
    return found
