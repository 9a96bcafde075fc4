"""`Episode`: a task, the turns played and how it ended; logged as JSONL, replayed exactly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from graphenv.errors import DataError
from graphenv.graph import Graph
from graphenv.query.model import Query
from graphenv.query.results import Result
from graphenv.scenes.model import Scene
from graphenv.task import Message, Task

__all__ = [
    "STATUSES",
    "Episode",
    "EpisodeRecord",
    "Outcome",
    "State",
    "Status",
    "Step",
    "ToolCall",
    "read_records",
    "write_records",
]

Status = Literal["ok", "malformed", "infeasible", "timeout", "truncated", "error"]
STATUSES: tuple[Status, ...] = ("ok", "malformed", "infeasible", "timeout", "truncated", "error")
"""How a call, a turn or an episode went.

`ok`; `malformed`: could not be read; `infeasible`: readable, but impossible in this world;
`timeout`: a verifier or engine gave up; `truncated`: out of turns; `error`: our own fault.
"""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call of a turn and what it answered."""

    name: str
    arguments: Mapping[str, Any]
    result: str
    status: Status = "ok"


@dataclass(frozen=True, slots=True)
class Step:
    """One assistant turn: its text, its calls, the observation, and the facts after it.

    `facts` is JSON-able, always the same for the same turn, and covered by the episode's digest.
    `values` caches state values and `graph` the graph built so far, where the reward asks for them;
    they depend on the reward and are left out of the digest. `state` is what of the facts tells
    where the episode stands (`Session.state`); `None`: all of them.
    """

    text: str
    calls: tuple[ToolCall, ...]
    observation: str
    facts: Mapping[str, Any]
    values: Mapping[str, float] = field(default_factory=dict)
    status: Status = "ok"
    reason: str = ""
    graph: Graph | None = None
    state: Any = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turn as chat: the assistant's text, then a tool message per call (or one notice)."""
        said: Message = {"role": "assistant", "content": self.text}
        if self.calls:
            heard = tuple(
                {"role": "tool", "name": call.name, "content": call.result} for call in self.calls
            )
            return (said, *heard)
        if self.observation:
            return (said, {"role": "user", "content": self.observation})
        return (said,)


@dataclass(frozen=True, slots=True)
class State:
    """What a potential looks at: facts, cached values and the graph built so far."""

    facts: Mapping[str, Any]
    values: Mapping[str, float]
    graph: Graph | None = None


@dataclass(frozen=True)
class Outcome:
    """How an episode ended: the prediction, and a status with a reason.

    `graph` is made only where the reward needs it, so the digest leaves it out; a family whose
    answer is a graph also keeps its text in `program`. `query` is `program` as read and `results`
    what it returned on each database of the task, in families whose answer is a query. `scene` is
    a predicted scene, `draft` the one that was to be corrected, `rationale` the graph that stated
    reasons amount to.
    """

    status: Status
    reason: str = ""
    answer: tuple[str, ...] | None = None
    graph: Graph | None = None
    path: tuple[str, ...] | None = None
    program: str | None = None
    query: Query | None = None
    results: tuple[Result, ...] | None = None
    scene: Scene | None = None
    draft: Scene | None = None
    rationale: Graph | None = None


@dataclass(frozen=True)
class Episode:
    """A task, its steps and (once it ended) its outcome. The only thing a reward sees.

    Parameters
    ----------
    env_id, kwargs, fingerprint
        The environment that played it, the JSON-able arguments it was made with, and the
        fingerprint of its task source: enough to make it again.
    start, start_values, start_graph, start_state
        The facts, cached state values, graph and state (`Step.state`) before the first turn.
    max_turns
        The turn limit it was played under.
    success
        The family's truth in [0, 1]; `None` while the episode runs. Not a reward.
    metrics
        Published metrics beside the truth (F1, Hits@1 ...), by name.
    """

    env_id: str
    kwargs: Mapping[str, Any]
    fingerprint: str
    task: Task
    max_turns: int
    start: Mapping[str, Any] = field(default_factory=dict)
    start_values: Mapping[str, float] = field(default_factory=dict)
    start_graph: Graph | None = None
    start_state: Any = None
    steps: tuple[Step, ...] = ()
    outcome: Outcome | None = None
    success: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, which: slice) -> Episode:
        """Return a prefix, `episode[:t]`: the first turns of the same episode, not yet ended."""
        if not isinstance(which, slice) or which.start not in (None, 0) or which.step is not None:
            raise TypeError("an episode is sliced by prefix only: episode[:t]")
        steps = self.steps[which]
        if len(steps) == len(self.steps):
            return self
        return replace(self, steps=steps, outcome=None, success=None, metrics={})

    def state(self, turns: int) -> State:
        """Return the state after a number of turns, 0 to `len(episode)`."""
        if turns == 0:
            return State(self.start, self.start_values, self.start_graph)
        step = self.steps[turns - 1]
        return State(step.facts, step.values, step.graph)

    @property
    def ended(self) -> bool:
        """Whether the episode has an outcome."""
        return self.outcome is not None

    @property
    def status(self) -> Status | None:
        """The outcome's status, `None` while the episode runs."""
        return self.outcome.status if self.outcome is not None else None

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation so far: all that an agent may see."""
        turns = (message for step in self.steps for message in step.messages)
        return (*self.task.messages, *turns)

    def digest(self) -> str:
        """Return a hex digest of the facts and the outcome; what `replay` must reproduce."""
        end = self.outcome
        facts = [
            dict(self.start),
            [[dict(step.facts), step.status, step.observation] for step in self.steps],
            None if end is None else [end.status, end.answer, end.path, end.program],
        ]
        return _digest(facts, 16)

    def turn_digests(self) -> tuple[str, ...]:
        """Return a short digest of the facts before the first turn and after each: T + 1 of them.

        They tell at which turn a replay goes another way.
        """
        after = ([dict(step.facts), step.status, step.observation] for step in self.steps)
        return (_digest(dict(self.start), 4), *(_digest(facts, 4) for facts in after))

    def state_keys(self) -> tuple[str, ...]:
        """Return a short key of the state before the first turn and after each: T + 1 of them.

        Equal keys mean that two episodes of one task stand in the same place, however they came
        there: what was tried on the way is left out (see `Session.state`), and so is what an agent
        has read by looking around. The last key of an ended episode covers its outcome.
        """
        places = [self.start if self.start_state is None else self.start_state]
        places += [step.facts if step.state is None else step.state for step in self.steps]
        keys = [_digest(place, 8) for place in places]
        end = self.outcome
        if end is not None and self.steps:
            ending = [end.status, end.answer, end.path, end.program]
            keys[-1] = _digest([places[-1], ending], 8)
        return tuple(keys)

    def record(self) -> EpisodeRecord:
        """Return what is logged of this episode."""
        return EpisodeRecord(
            env_id=self.env_id,
            kwargs=dict(self.kwargs),
            fingerprint=self.fingerprint,
            task_id=self.task.id,
            index=self.task.index,
            turns=tuple(step.text for step in self.steps),
            digest=self.digest(),
            status=self.status,
            reason=self.outcome.reason if self.outcome else "",
            success=self.success,
            turn_digests=self.turn_digests(),
        )


def _digest(facts: Any, size: int) -> str:
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


@dataclass(frozen=True)
class EpisodeRecord:
    """One line of an episode log: what is needed to play the episode again, and its digest."""

    env_id: str
    kwargs: Mapping[str, Any]
    fingerprint: str
    task_id: str
    index: int
    turns: tuple[str, ...]
    digest: str
    status: Status | None
    reason: str = ""
    success: float | None = None
    turn_digests: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form; `from_json` is its inverse."""
        lists = {"turns": list(self.turns), "turn_digests": list(self.turn_digests)}
        return {**self.__dict__, **lists}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EpisodeRecord:
        """Return the record that `to_json` wrote."""
        turns = data["turns"]
        if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
            raise TypeError("turns is not a list of strings")
        tuples = {"turns": tuple(turns), "turn_digests": tuple(data.get("turn_digests", ()))}
        return cls(**{**data, **tuples})


def write_records(
    path: str | Path, records: Iterable[EpisodeRecord], *, append: bool = False
) -> None:
    """Write `records` as JSONL."""
    with Path(path).open("a" if append else "w", encoding="utf-8") as file:
        for record in records:
            line = json.dumps(record.to_json(), ensure_ascii=False)
            if not line.isascii() and _unencodable(line):  # a lone surrogate in model text
                line = json.dumps(record.to_json())
            file.write(line + "\n")


def _unencodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def read_records(path: str | Path) -> Iterator[EpisodeRecord]:
    """Yield the records of a JSONL log.

    Raises
    ------
    DataError
        If the file is missing or a line is no episode record (with its number).
    """
    file = Path(path)
    if not file.is_file():
        raise DataError(
            f"episode log {file} does not exist. Runs write theirs as episodes.jsonl in the run "
            "folder; give that file."
        )
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield EpisodeRecord.from_json(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                raise DataError(f"{file}, line {number}: not an episode record: {error}") from error
