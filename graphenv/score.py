"""`Score`: what a reward says about an episode. `Reward`: the callable that says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from graphenv.episode import Episode

__all__ = ["Kind", "Part", "Reward", "Score", "ScoreStatus"]

Kind = Literal["verdict", "validity", "cost", "process", "shaping"]
"""What a reward term is.

`verdict`: in [0, 1], about content, once when the episode ends. `validity`: in [0, 1], about form.
`cost`: at most 0, every turn. `process`: what a turn did for the state, of either sign, every turn.
`shaping`: a potential of the state, 0 at the end.
"""

ScoreStatus = Literal["ok", "not_applicable", "error"]


@dataclass(frozen=True, slots=True)
class Part:
    """One term of a score: its unweighted value (`None`: does not apply) and its weight."""

    value: float | None
    weight: float


@dataclass(frozen=True)
class Score:
    """The value of an episode under a reward.

    Parameters
    ----------
    value
        The reward, `None` if no term applies or a verifier crashed.
    steps
        One number per turn; they sum to `value`.
    parts
        Unweighted term values beside their weights, by term.
    status, reason
        `ok`, `not_applicable` (no term applies) or `error` (a verifier's own crash).
    info
        Details of terms (an edit path, an interval), by term. They may be made only when looked
        at; `to_json` makes them all.
    settled
        What of the last turn's number the end settled (verdicts, validity, products, gates, caps),
        and not the turn itself; `None`: not known. Credits read it; `to_json` leaves it out.
    """

    value: float | None
    steps: tuple[float, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)
    status: ScoreStatus = "ok"
    reason: str = ""
    info: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settled: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "value": self.value,
            "steps": list(self.steps),
            "parts": {k: {"value": p.value, "weight": p.weight} for k, p in self.parts.items()},
            "status": self.status,
            "reason": self.reason,
            "info": {name: dict(details) for name, details in self.info.items()},
        }


@runtime_checkable
class Reward(Protocol):
    """A picklable, pure function of episodes: batch in, scores out."""

    @property
    def name(self) -> str:
        """Unique name: the canonical text of the expression."""
        ...

    @property
    def range(self) -> tuple[float, float]:
        """The interval that every value lies in."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """The facts that its terms read (keys of `graphenv.facts.FACTS`)."""
        ...

    @property
    def has_shaping(self) -> bool:
        """Whether it holds a potential, which outcome-level credit cannot see."""
        ...

    def __call__(self, episodes: Sequence[Episode]) -> list[Score]:
        """Return one score per episode, in order."""
        ...

    def last_step(self, episode: Episode) -> float:
        """Return `self([episode])[0].steps[-1]` of a running episode without its earlier steps.

        Raises
        ------
        RewardError
            If a term crashes.
        """
        ...
