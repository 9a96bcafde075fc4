"""What a reward term is: a small picklable object of one kind, with declared needs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from graphenv.checks import one_of
from graphenv.episode import Episode, State
from graphenv.errors import ConfigError
from graphenv.score import Kind
from graphenv.task import Task

__all__ = [
    "CostTerm",
    "Crash",
    "EndTerm",
    "Grade",
    "ShapingTerm",
    "StepTerm",
    "Term",
    "grade_all",
    "published",
]


@dataclass(frozen=True, slots=True)
class Grade:
    """The value of an end term (`None`: does not apply), with details worth showing.

    `info` is a JSON-able mapping, or one that makes itself such when it is looked at.
    """

    value: float | None
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Crash:
    """A verifier's own crash on one episode: a reason, never a number."""

    reason: str


class Term(ABC):
    """Base of all terms. Arguments of a term are keyword constants, given to `__init__`.

    `needs` names the facts that it reads (keys of `graphenv.facts.FACTS`).
    """

    kind: ClassVar[Kind]
    needs: ClassVar[frozenset[str]] = frozenset()
    range: tuple[float, float] = (0.0, 1.0)

    def prepare(self) -> None:  # noqa: B027 - most terms have nothing to prepare
        """Do now what the first use would otherwise wait for (compiling, loading).

        Trainers call it before the first step; it changes no value.
        """

    def look(self, episodes: Sequence[Episode]) -> None:  # noqa: B027 - most need no look
        """Ask at once, for a whole batch, what reading it turn by turn would ask piece by piece.

        Called before step terms and potentials are read. It changes no value.
        """

    def details(self, episode: Episode) -> Mapping[str, Any]:
        """Return what is worth showing beside a step term or a potential (JSON-able)."""
        return {}


class EndTerm(Term):
    """A term that grades a finished episode once: kind `verdict` or `validity`, in [0, 1].

    Override `score`; override `scores` where a batch is cheaper than its episodes one by one.
    """

    kind: ClassVar[Kind] = "verdict"

    def score(self, episode: Episode) -> float | Grade | None:
        """Return the value of one finished episode, `None` if the term does not apply to it."""
        raise TypeError(f"{type(self).__name__} defines neither score nor scores")

    def scores(self, episodes: Sequence[Episode]) -> list[float | Grade | None]:
        """Return the values of finished episodes, in order."""
        return [self.score(episode) for episode in episodes]


class StepTerm(Term):
    """A term that pays every turn; `range` is that of the total over a finished episode."""

    kind: ClassVar[Kind] = "process"
    range: tuple[float, float] = (-1.0, 1.0)

    def applies(self, episode: Episode) -> bool:
        """Return whether the term applies: the task and the state before the first turn say it.

        Nothing that is played may change it: a policy would get rid of what it is charged.
        """
        return True

    @abstractmethod
    def pay(self, episode: Episode, t: int) -> float:
        """Return what turn `t` earns or costs; depends on `episode[: t + 1]` alone."""

    def pays(self, episode: Episode) -> list[float]:
        """Return `pay` of every turn; override it where they share work."""
        return [self.pay(episode, t) for t in range(len(episode))]


class CostTerm(StepTerm):
    """A step term that only charges; the total lies in [-1, 0]."""

    kind: ClassVar[Kind] = "cost"
    range: tuple[float, float] = (-1.0, 0.0)


class ShapingTerm(Term):
    """A potential: the value of a state of a task, in [0, 1]."""

    kind: ClassVar[Kind] = "shaping"

    @abstractmethod
    def potential(self, task: Task, state: State) -> float | None:
        """Return the potential of a state, `None` if the term does not apply to the task."""


def published(term: str, paper: object, known: Sequence[str]) -> str | None:
    """Return the published form that the argument `paper` of a term asks for, `None` for ours.

    Raises
    ------
    ConfigError
        If it is none of `known`.
    """
    if paper is not None and not known:
        raise ConfigError(f"{term} has no published form; leave out paper={paper!r}")
    return None if paper is None else one_of(term, "paper", paper, known)


def grade_all(term: EndTerm, episodes: Sequence[Episode]) -> list[Grade | Crash]:
    """Grade finished episodes; a crash on one of them costs no other its grade."""
    try:
        raw: list[float | Grade | Crash | None] = list(term.scores(episodes))
        if len(raw) != len(episodes):
            raise RuntimeError(f"{len(raw)} scores for {len(episodes)} episodes")
    except Exception as error:  # noqa: BLE001 - the crash boundary of verifiers
        # Any exception of a verifier is its crash: it becomes a status that nobody can mistake
        # for a wrong answer, and the batch is graded one by one so that only its cause is lost.
        raw = [_crash(error)] if len(episodes) == 1 else [_single(term, e) for e in episodes]
    return [_checked(term, value) for value in raw]


def _single(term: EndTerm, episode: Episode) -> float | Grade | Crash | None:
    try:
        return term.scores([episode])[0]
    except Exception as error:  # noqa: BLE001 - the crash boundary of verifiers
        return _crash(error)


def _crash(error: Exception) -> Crash:
    return Crash(f"{type(error).__name__}: {error}")


def _checked(term: EndTerm, raw: float | Grade | Crash | None) -> Grade | Crash:
    if isinstance(raw, Crash):
        return raw
    if type(raw) is float and term.range[0] <= raw <= term.range[1]:
        return Grade(raw)
    grade = raw if isinstance(raw, Grade) else Grade(raw)
    if grade.value is None:
        return grade
    low, high = term.range
    value = float(grade.value)
    if not (math.isfinite(value) and low - 1e-9 <= value <= high + 1e-9):
        return Crash(f"returned {value}, outside its range [{low}, {high}]")
    return Grade(min(max(value, low), high), grade.info)
