"""Terms about walks over a graph: do the moves exist, are they the gold ones, is the gold near."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from graphenv.episode import Episode, State
from graphenv.rewards.terms import EndTerm, ShapingTerm
from graphenv.score import Kind
from graphenv.task import Task

__all__ = ["PathSimilarity", "PathValidity", "Progress", "edit_distance"]

MAX_PATH = 256
_FILTER = re.compile(r"\[([^<>=!]+?) (?:<=|>=|!=|<|>|=) .*\]", re.DOTALL)


def edit_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Return the Levenshtein distance between two sequences of moves.

    >>> edit_distance(["a", "b", "c"], ["a", "c"])
    1
    """
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            cost = diagonal + (x != y)
            diagonal = row[j]
            row[j] = min(cost, row[j] + 1, row[j - 1] + 1)
    return row[-1]


class PathSimilarity(EndTerm):
    """1 - d / max(|p|, |g|) with d the edit distance between predicted and gold moves.

    Every surplus move costs. `None` if the task has no gold path. Only the gold path itself scores
    1, even where another path has the same answers: use it as partial credit, never alone.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.path", "target.path"})

    def score(self, episode: Episode) -> float | None:
        """Return a value in [0, 1]."""
        gold = episode.task.target.path
        if gold is None:
            return None
        predicted = episode.outcome.path if episode.outcome is not None else None
        if predicted is None:
            return 0.0
        if not predicted and not gold:
            return 1.0
        if len(predicted) > MAX_PATH:
            # Longer than any gold path many times over; the quadratic distance is not worth it.
            return 0.0
        return 1.0 - edit_distance(predicted, gold) / max(len(predicted), len(gold))


class PathValidity(EndTerm):
    """V / (V + I): V relations followed that exist where they were tried, I moves that do not.

    V counts distinct relations, wherever they were followed, and I distinct (place, move) pairs, so
    that neither repeating a turn nor walking to and fro raises the share. A filter that holds
    counts as its relation: a hundred values that all hold are one. 0 if nothing was tried.
    """

    kind: ClassVar[Kind] = "validity"
    needs: ClassVar[frozenset[str]] = frozenset({"step.moves"})

    def score(self, episode: Episode) -> float | None:
        """Return a value in [0, 1]."""
        valid: set[str] = set()
        invalid: set[tuple[str, str]] = set()
        for step in episode.steps:
            for where, move, exists in step.facts["moves"]:
                if exists:
                    condition = _FILTER.fullmatch(move)
                    valid.add(condition[1] if condition else move)
                else:
                    invalid.add((where, move))
        return len(valid) / (len(valid) + len(invalid)) if valid else 0.0


class Progress(ShapingTerm):
    """Potential: how near the state is to the gold, 1 when it is the gold.

    The environment measures the nearness (value `step.reach`); for a walk it is
    (1 - d/(D+1)) * F1, with d the hops from the frontier to the nearest gold answer, D the hop
    limit, and F1 over frontier entities and gold answers that lie within d hops of each other.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"step.reach"})

    def potential(self, task: Task, state: State) -> float | None:
        """Return the nearness in [0, 1]."""
        return state.values.get("reach")
