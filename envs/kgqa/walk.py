"""`Walk`: a frontier of entities moved over a knowledge graph; the meaning of every move."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from graphenv.envs.kgqa.program import Branch, Filter, Program
from graphenv.graph import Graph, Triple
from graphenv.knowledge import TripleStore
from graphenv.text import normalize

__all__ = ["MAX_WALK_EDGES", "Walk", "compare_values", "walk_program"]

Ids = npt.NDArray[np.int32]
MAX_WALK_EDGES = 50_000
"""Edges kept of a walked subgraph; a larger one is cut (in walking order), so memory is bounded."""

_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare_values(left: str, op: str, right: str) -> bool:
    """Return whether two values stand in the relation `op`: order for numbers, equality for all.

    >>> compare_values("1987", "<", "1990"), compare_values("x", "<", "y")
    (True, False)
    """
    if op in ("=", "!="):
        same = normalize(left) == normalize(right)
        if not same:
            try:
                same = float(left) == float(right)
            except ValueError:
                same = False
        return same == (op == "=")
    try:
        return _ORDER[op](float(left), float(right))
    except ValueError:
        return False


class _Leg:
    """One branch in play: its start and the states along the way (move text, frontier)."""

    __slots__ = ("_first", "start", "states")

    def __init__(self, start: int) -> None:
        self.start = start
        self.states: list[tuple[str | Filter, Ids]] = []
        self._first: Ids = np.array([start], dtype=np.int32)

    @property
    def frontier(self) -> Ids:
        return self.states[-1][1] if self.states else self._first


class Walk:
    """A walk over `world` from `topic`: one or more branches, each a stack of frontiers.

    With `drop_topic` the start of a branch leaves the frontier after every move, which is the
    rule that reproduces MetaQA's gold answers.
    """

    def __init__(self, world: TripleStore, topic: int, *, drop_topic: bool) -> None:
        self.world = world
        self.topic = topic
        self.drop_topic = drop_topic
        self._legs = [_Leg(topic)]
        # Both are kept until the next move, because every turn records them.
        self._text: str | None = ""
        self._graph: Graph | None = None

    @property
    def frontier(self) -> Ids:
        """The entities at the end of the present branch (sorted ids)."""
        return self._legs[-1].frontier

    def follow(self, move: str) -> bool:
        """Move the frontier; on a move that leads nowhere change nothing and return `False`."""
        if self.world.find_move(move) is None:
            return False
        leg = self._legs[-1]
        reached = self.world.follow(leg.frontier, move)
        if self.drop_topic:
            reached = reached[reached != leg.start]
        if not len(reached):
            return False
        leg.states.append((move, reached))
        self._changed()
        return True

    def keep(self, condition: Filter) -> bool:
        """Filter the frontier; if nothing would be left change nothing and return `False`."""
        if self.world.find_move(condition.relation) is None:
            return False
        leg = self._legs[-1]
        heads, tails = self.world.edges(leg.frontier, condition.relation)
        values = self.world.entity_names(tails)
        fits = [compare_values(v, condition.operator, condition.value) for v in values]
        kept = np.unique(heads[np.array(fits, dtype=bool)]) if len(heads) else heads
        if not len(kept):
            return False
        leg.states.append((condition, kept.astype(np.int32)))
        self._changed()
        return True

    def back(self) -> bool:
        """Undo the last move of the present branch; `False` at its start."""
        leg = self._legs[-1]
        if leg.states:
            leg.states.pop()
            self._changed()
            return True
        if len(self._legs) > 1:
            self._legs.pop()
            self._changed()
            return True
        return False

    def begin(self, entity: int) -> None:
        """Start another branch at `entity`; its end will be intersected with the others'."""
        self._legs.append(_Leg(entity))
        self._changed()

    def restart(self, entity: int) -> None:
        """Let the first branch start at another entity; only before the first move."""
        self._legs = [_Leg(entity)]
        self._changed()

    def _changed(self) -> None:
        self._text = self._graph = None

    @property
    def num_branches(self) -> int:
        """Number of branches begun so far."""
        return len(self._legs)

    @property
    def depth(self) -> int:
        """Number of moves on the present branch."""
        return len(self._legs[-1].states)

    @property
    def entities(self) -> Ids:
        """The entities at the ends of all branches: what the walk answers."""
        ends = self._legs[0].frontier
        for leg in self._legs[1:]:
            ends = np.intersect1d(ends, leg.frontier, assume_unique=True)
        return ends

    def program(self, *, count: bool = False) -> Program:
        """Return the program that makes this walk."""
        branches = []
        for leg in self._legs:
            # Only a start other than the topic is written down.
            start = None if leg.start == self.topic else self.world.entity_name(leg.start)
            branches.append(Branch(tuple(move for move, _ in leg.states), start))
        return Program(tuple(branches), count)

    @property
    def text(self) -> str:
        """The program as text."""
        if self._text is None:
            self._text = str(self.program())
        return self._text

    def graph(self) -> Graph:
        """Return the walked subgraph: every edge that led to an entity of the next frontier.

        A branch that has not moved adds nothing: its start is given by the question, not found.
        """
        if self._graph is None:
            self._graph = Graph.from_triples(self._triples())
        return self._graph

    def _triples(self) -> list[Triple]:
        triples: dict[Triple, None] = {}
        for leg in self._legs:
            before = np.array([leg.start], dtype=np.int32)
            for move, after in leg.states:
                name = move.relation if isinstance(move, Filter) else move
                for triple in self._edges(before, name, after, isinstance(move, Filter)):
                    triples[triple] = None
                    if len(triples) >= MAX_WALK_EDGES:
                        return list(triples)
                before = after
        return list(triples)

    def _edges(self, before: Ids, move: str, after: Ids, is_filter: bool) -> list[Triple]:
        heads, tails = self.world.edges(before, move)
        kept = np.isin(heads if is_filter else tails, after)
        head_names = self.world.entity_names(heads[kept][:MAX_WALK_EDGES])
        tail_names = self.world.entity_names(tails[kept][:MAX_WALK_EDGES])
        if move.startswith("^"):
            return [(t, move[1:], h) for h, t in zip(head_names, tail_names, strict=True)]
        return [(h, move, t) for h, t in zip(head_names, tail_names, strict=True)]


Move = tuple[str, str, bool]
"""A move tried: from where, what, and whether it led anywhere."""


def walk_program(walk: Walk, program: Program) -> tuple[list[Move], str]:
    """Run `program` on a fresh walk.

    Returns
    -------
    moves
        Each move tried.
    reason
        Why the program cannot be run to its end, or "".
    """
    moves: list[Move] = []
    reason = ""
    for i, branch in enumerate(program.branches):
        where = f"{i}:{branch.start or ''}"
        blocked = False
        start = walk.topic if branch.start is None else walk.world.find_entity(branch.start)
        if start is None:
            reason = reason or f"there is no entity {branch.start!r}"
            blocked = True
        elif i:
            walk.begin(start)
        elif branch.start is not None:
            walk.restart(start)
        for move in branch.moves:
            if not blocked and not _make(walk, move):
                walked = where.partition(":")[2].removeprefix(" > ")
                so_far = repr(walked) if walked else "the topic"
                reason = reason or f"{str(move)!r} leads nowhere from {so_far}"
                blocked = True
            moves.append((where, str(move), not blocked))
            where = f"{where} > {move}"
    return moves, reason


def _make(walk: Walk, move: str | Filter) -> bool:
    return walk.keep(move) if isinstance(move, Filter) else walk.follow(move)
