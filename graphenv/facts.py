"""The one table of facts: what families provide and reward terms need.

A term asked of a family that lacks a fact it needs fails when the environment is made.
"""

from __future__ import annotations

__all__ = ["FACTS", "FAMILIES"]

FACTS: dict[str, str] = {
    "outcome.answer": "the predicted answer items (tuple of str)",
    "outcome.graph": "the predicted or built graph (Graph)",
    "outcome.path": "the predicted sequence of moves (tuple of str)",
    "target.answer": "the gold answer items (tuple of str)",
    "target.graph": "the gold graph (Graph)",
    "target.path": "the gold sequence of moves (tuple of str)",
    "step.moves": "moves tried on a step: list of [from where, what, exists in the world]",
    "step.graph": "the graph built so far (Graph), also before the first turn",
    "step.reach": "nearness of the state to the gold in [0, 1], 1 when it is the gold",
}

FAMILIES: dict[str, frozenset[str]] = {
    "kgqa": frozenset(FACTS),
}
"""What each family can provide; a source without gold paths provides less (see its `provides`)."""
