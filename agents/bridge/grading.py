"""Grading inside the trainer: transcripts to episodes to scores, once per batch."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.score import Score
from graphenv.text import format_call, parse_turn, text_of

__all__ = [
    "GradeStats",
    "Graded",
    "Grader",
    "PartFunction",
    "RewardFunction",
    "TruthFunction",
    "read_alike",
    "turns_of",
]


@dataclass(frozen=True)
class Graded:
    """An episode and its score."""

    episode: Episode
    score: Score


@dataclass
class GradeStats:
    """What grading has seen since it was last read: for logs, never for rewards."""

    episodes: int = 0
    seconds: float = 0.0
    errors: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    groups: int = 0
    flat_groups: int = 0
    reasons: list[str] = field(default_factory=list)


class Grader:
    """Plays transcripts and grades them with the reward of their environment.

    The same batch asked for twice (by the reward function and then by each logged part) is graded
    once.

    Parameters
    ----------
    envs
        The environments by the name that rows carry.
    """

    def __init__(self, envs: Mapping[str, GraphEnv]) -> None:
        self.envs = dict(envs)
        self.stats = GradeStats()
        self._key: object = None
        self._graded: list[Graded] = []

    def grade(
        self, names: Sequence[str], indices: Sequence[int], turns: Sequence[Sequence[str]]
    ) -> list[Graded]:
        """Return the episode and score of each transcript, in order."""
        key = (tuple(names), tuple(indices), tuple(tuple(t) for t in turns))
        if key == self._key:
            return self._graded
        began = time.perf_counter()
        episodes = [self._play(n, int(i), t) for n, i, t in zip(names, indices, turns, strict=True)]
        scores: dict[int, Score] = {}
        for name in dict.fromkeys(names):
            places = [place for place, n in enumerate(names) if n == name]
            graded = self.envs[name].reward([episodes[place] for place in places])
            scores.update(zip(places, graded, strict=True))
        self._graded = [Graded(e, scores[place]) for place, e in enumerate(episodes)]
        self._key = key
        self._count(names, indices, time.perf_counter() - began)
        return self._graded

    def _play(self, name: str, index: int, turns: Sequence[str]) -> Episode:
        session = self.envs[name].begin(index)
        session.play(turns or [""])
        # The policy stopped, or ran out of tokens, before it answered.
        session.finish("truncated", "the conversation ended without an answer")
        return session.episode()

    def _count(self, names: Sequence[str], indices: Sequence[int], seconds: float) -> None:
        stats = self.stats
        stats.episodes += len(self._graded)
        stats.seconds += seconds
        groups: dict[tuple[str, int], list[float | None]] = {}
        for name, index, graded in zip(names, indices, self._graded, strict=True):
            stats.statuses[graded.episode.status or "running"] += 1
            groups.setdefault((name, int(index)), []).append(graded.score.value)
            if graded.score.status == "error":
                stats.errors += 1
                if len(stats.reasons) < 20:
                    stats.reasons.append(f"{graded.episode.task.id}: {graded.score.reason}")
        several = [values for values in groups.values() if len(values) > 1]
        stats.groups += len(several)
        stats.flat_groups += sum(len(set(values)) == 1 for values in several)

    @property
    def latest(self) -> list[Graded]:
        """The batch that was graded last, in order."""
        return self._graded

    def take_stats(self) -> GradeStats:
        """Return the statistics since the last call, and start new ones."""
        stats, self.stats = self.stats, GradeStats()
        return stats

    def __getstate__(self) -> dict[str, Any]:
        return {"envs": self.envs, "stats": GradeStats(), "_key": None, "_graded": []}


def turns_of(completion: str | Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the assistant turns of a completion as text, tool calls in our own form.

    Parameters
    ----------
    completion
        Plain text, or chat messages in which TRL keeps parsed `tool_calls` beside the content.

    >>> turns_of([{"role": "assistant", "content": "", "tool_calls": [
    ...     {"type": "function", "function": {"name": "back", "arguments": {}}}]}])
    ['<tool_call>{"name": "back", "arguments": {}}</tool_call>']
    """
    if isinstance(completion, str):
        return [completion]
    turns = []
    for message in completion:
        if message.get("role") != "assistant":
            continue
        text = text_of(message.get("content"))
        for call in message.get("tool_calls") or ():
            function = call.get("function", call)
            arguments = function.get("arguments") or {}
            if isinstance(arguments, str):
                try:
                    arguments = json.loads(arguments)
                except (ValueError, RecursionError):
                    arguments = {"arguments": arguments}
            if not isinstance(arguments, Mapping):
                arguments = {"arguments": arguments}
            text += format_call(
                str(function.get("name", "")), **{str(k): v for k, v in arguments.items()}
            )
        turns.append(text)
    return turns


def read_alike(message: Mapping[str, Any], text: str) -> bool:
    """Return whether TRL read those tool calls out of a turn that the environment reads there.

    TRL runs what it read; the grader plays the turn again. Where the two readings differ (NaN, a
    call behind half a tag, more calls than a turn may hold), the model would be shown the results
    of calls that its episode does not hold, or be paid for calls that were never run.

    Parameters
    ----------
    message
        The assistant message that TRL parsed.
    text
        The turn as text, without special tokens.

    >>> call = {"function": {"name": "back", "arguments": {}}}
    >>> said = '<tool_call>{"name": "back"}</tool_call>'
    >>> message = {"role": "assistant", "content": "", "tool_calls": [call]}
    >>> read_alike(message, said), read_alike(message, "<answer>a</answer>")
    (True, False)
    """
    ran: list[tuple[Any, Mapping[str, Any]]] = []
    for call in message.get("tool_calls") or ():
        function = call.get("function", call) if isinstance(call, Mapping) else None
        arguments = function.get("arguments", {}) if isinstance(function, Mapping) else None
        if function is None or not isinstance(arguments, Mapping):
            return False
        ran.append((function.get("name"), arguments))
    again = parse_turn(turns_of([message])[0])
    if again.reason or [(call.name, call.arguments) for call in again.calls] != ran:
        return False
    said = parse_turn(text)
    if said.answer is None and not any(call.name for call in said.calls):
        return True  # calls in a form of the model's own, which only TRL reads
    return _as_text((c.name, c.arguments) for c in said.calls) == _as_text(ran)


def _as_text(calls: Iterable[tuple[Any, Mapping[str, Any]]]) -> list[tuple[Any, dict[str, str]]]:
    """Return calls with their values as text: TRL may write a number where the model wrote "2"."""
    return [(name, {key: str(value) for key, value in found.items()}) for name, found in calls]


class _Function:
    """A TRL reward function over a shared grader. TRL reads `__name__`, so each has its own."""

    def __init__(self, grader: Grader, name: str, tokenizer: Any = None) -> None:
        self.grader = grader
        self.tokenizer = tokenizer
        self.__name__ = name

    def value(self, graded: Graded) -> float | None:
        raise TypeError(f"{type(self).__name__} does not define value")

    def __call__(
        self,
        *,
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        environment: Sequence[str],
        index: Sequence[int],
        turns: Sequence[Sequence[str]] | None = None,
        environments: Sequence[Any] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Return one value per completion; `None` where it does not apply or a verifier crashed."""
        if turns is None:
            if environments is None and self.tokenizer is not None:
                # Single turn: the raw text, before any response parsing that could drop parts.
                texts = self.tokenizer.batch_decode(completion_ids, skip_special_tokens=True)
                turns = [[text] for text in texts]
            else:
                turns = [turns_of(completion) for completion in completions]
        return [self.value(g) for g in self.grader.grade(environment, index, turns)]


class RewardFunction(_Function):
    """The whole reward expression: the only function with a weight."""

    def value(self, graded: Graded) -> float | None:
        return graded.score.value


class PartFunction(_Function):
    """One term of the expression, unweighted, for the logs (weight 0)."""

    def __init__(self, grader: Grader, part: str, tokenizer: Any = None) -> None:
        super().__init__(grader, f"part/{part}", tokenizer)
        self.part = part

    def value(self, graded: Graded) -> float | None:
        part = graded.score.parts.get(self.part)
        # TRL leaves a row out of training only if *all* functions return None for it.
        return None if part is None or graded.score.value is None else part.value


class TruthFunction(_Function):
    """The family's truth, for the logs (weight 0)."""

    def value(self, graded: Graded) -> float | None:
        return None if graded.score.value is None else graded.episode.success
