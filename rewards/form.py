"""Terms about the form of an episode: was it readable, how many turns did it take."""

from __future__ import annotations

from typing import ClassVar

from graphenv.episode import Episode
from graphenv.rewards.terms import CostTerm, EndTerm
from graphenv.score import Kind

__all__ = ["Format", "TurnCost"]


class Format(EndTerm):
    """1 / (1 + m) with m malformed turns, if the episode ended in a readable answer, else 0.

    A turn is well-formed if its text could be read; that a call was infeasible in the world is not
    a matter of form. Two good turns and a malformed end earn nothing (cf. Graph-R1, where they
    earn full format), and well-formed turns do not make up for a malformed one, as they would in a
    share of turns.
    """

    kind: ClassVar[Kind] = "validity"

    def score(self, episode: Episode) -> float | None:
        """Return a value in [0, 1]."""
        outcome = episode.outcome
        readable = outcome is not None and outcome.status not in ("malformed", "truncated", "error")
        if not readable or not episode.steps:
            return 0.0
        return 1.0 / (1 + sum(step.status == "malformed" for step in episode.steps))


class TurnCost(CostTerm):
    """Minus the share of the turn limit that was used: every turn costs 1 / max_turns."""

    def pay(self, episode: Episode, t: int) -> float:
        """Return -1 / max_turns."""
        return -1.0 / episode.max_turns
