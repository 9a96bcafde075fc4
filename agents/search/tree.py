"""Search for paths under a counted budget: UCT over moves, or a beam.

One node of the budget is one walked path: its last move is followed and the entities it reaches
are known. Looking at the names of the moves that start there costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from graphenv.knowledge import TripleStore

__all__ = ["Path", "Scorer", "World", "beam_search", "tree_search"]

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Path:
    """A sequence of moves from the topic entity; `ends` are the entities reached, once walked.

    `weight` in [0, 1] says how well the whole path answers the question.
    """

    moves: tuple[str, ...]
    ends: Ids | None = None
    weight: float = 0.0


class Scorer(Protocol):
    """Says how well paths fit a question, in [0, 1]. Sees question and graph, never the target."""

    def __call__(
        self, question: str, paths: Sequence[Path], world: TripleStore, *, finished: bool
    ) -> Sequence[float]:
        """Return one number a path.

        Parameters
        ----------
        question
            The question, the topic entity written as `<topic>`.
        paths
            Paths from the topic entity; `ends` is `None` where the last move is not walked yet.
        finished
            Whether they are judged as answers, or as beginnings of a path that answers.
        """
        ...


@dataclass(frozen=True, slots=True)
class World:
    """Where a search takes place: graph, topic entity, and the traversal rule."""

    graph: TripleStore
    topic: int
    drop_topic: bool

    def moves(self, path: Path) -> list[str]:
        """Return the moves that can be tried at the end of a walked path."""
        ends = path.ends if path.ends is not None else np.array([self.topic], dtype=np.int32)
        return self.graph.moves(ends)

    def walk(self, path: Path, move: str) -> Path | None:
        """Return the path with one more move, walked; `None` if that leads nowhere."""
        before = path.ends if path.ends is not None else np.array([self.topic], dtype=np.int32)
        ends = self.graph.follow(before, move)
        if self.drop_topic:
            ends = ends[ends != self.topic]
        return Path((*path.moves, move), ends) if len(ends) else None


@dataclass(slots=True)
class _Node:
    path: Path
    promise: float  # the guide's word on the best path below that is not walked yet
    judged: float = 0.0  # the best judgement below
    walked: bool = False
    closed: bool = False
    visits: int = 0
    children: list[_Node] = field(default_factory=list)


def tree_search(
    question: str,
    world: World,
    guide: Scorer,
    judge: Scorer,
    *,
    budget: int,
    max_moves: int,
    exploration: float,
    enough: float | None,
) -> tuple[list[Path], int]:
    """Return the walked paths with their weights, and the nodes spent: UCT, as in RTSoG.

    Each round descends from the root to the child with the largest
    `value + exploration * sqrt(log(1 + visits of the parent) / (1 + visits))`, walks the first
    path that was not walked before (one node of the budget), judges it, and passes the judgement
    up. The value of a node is the best judgement below it, or what `guide` promises of the best
    path that is not walked yet: a maximum, not a mean, since paths do not change from visit to
    visit.

    `enough` is the self-critic: a path judged this good is not extended, and the search ends
    once nothing promises to be as good as the best path. `None` spends the whole budget.

    References
    ----------
    Long et al. (2025), Enhancing Large Language Models with Reward-guided Tree Search for
    Knowledge Graph Question and Answering (RTSoG). Kocsis and Szepesvari (2006), UCT.
    """
    graph = world.graph
    root = _Node(Path(()), 1.0, walked=True)
    _open(root, question, world, guide)
    found: list[Path] = []
    spent = 0
    while spent < budget and not root.closed:
        trail = [root]
        while trail[-1].walked:
            trail.append(_select(trail[-1], exploration))
        leaf = trail[-1]
        spent += 1
        leaf.walked = True
        walked = world.walk(trail[-2].path, leaf.path.moves[-1])
        weight = 0.0
        if walked is not None:
            weight = float(judge(question, [walked], graph, finished=True)[0])
            leaf.path = Path(walked.moves, walked.ends, weight)
            found.append(leaf.path)
            if len(walked.moves) < max_moves and (enough is None or weight < enough):
                _open(leaf, question, world, guide)
        leaf.judged = weight
        for node in reversed(trail):
            node.visits += 1
            live = [child.promise for child in node.children if not child.closed]
            node.closed = not live
            node.promise = max(live, default=0.0)
            node.judged = max(node.judged, weight)
        if enough is not None and root.judged >= enough and root.promise < root.judged:
            break
    return found, spent


def _open(node: _Node, question: str, world: World, guide: Scorer) -> None:
    """Give `node` one child a move, in the order of the guide."""
    options = [Path((*node.path.moves, move)) for move in world.moves(node.path)]
    priors = guide(question, options, world.graph, finished=False) if options else ()
    node.children = [_Node(p, float(v)) for p, v in zip(options, priors, strict=True)]
    node.children.sort(key=lambda child: -child.promise)


def _select(node: _Node, exploration: float) -> _Node:
    log = math.log(1 + node.visits)

    def worth(child: _Node) -> float:
        value = max(child.judged, child.promise)
        return value + exploration * math.sqrt(log / (1 + child.visits))

    return max((child for child in node.children if not child.closed), key=worth)


def beam_search(
    question: str,
    world: World,
    guide: Scorer,
    judge: Scorer,
    *,
    budget: int,
    max_moves: int,
) -> tuple[list[Path], int]:
    """Return the walked paths with their weights, found level by level, and the nodes spent.

    Every level walks the beginnings that `guide` likes best, as many as an equal share of the
    budget that is left allows.
    """
    beam = [Path(())]
    found: list[Path] = []
    spent = 0
    for level in range(max_moves):
        width = -(-(budget - spent) // (max_moves - level))
        parents = [(path, move) for path in beam for move in world.moves(path)]
        options = [Path((*path.moves, move)) for path, move in parents]
        if not options or width < 1:
            break
        liked = guide(question, options, world.graph, finished=False)
        order = sorted(range(len(options)), key=lambda i: -liked[i])[:width]
        walked = [world.walk(*parents[i]) for i in order]
        alive = [path for path in walked if path is not None]
        weights = judge(question, alive, world.graph, finished=True) if alive else ()
        beam = [Path(p.moves, p.ends, float(w)) for p, w in zip(alive, weights, strict=True)]
        found += beam
        spent += len(walked)
    return found, spent
