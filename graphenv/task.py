"""`Task`: one frozen problem. `TaskSource`: a sequence of them, a function of its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from graphenv.corpus import Corpus
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.query.model import Query
from graphenv.query.results import Result
from graphenv.scenes.model import Scene
from graphenv.seeding import stable_hash
from graphenv.text import text_of

__all__ = ["SPLITS", "Message", "Target", "Task", "TaskSource", "carve_split", "check_split"]

Message = Mapping[str, Any]
"""One chat message: `{"role": ..., "content": ...}`; the content is text, or a list of parts
such as `{"type": "text", "text": ...}` and `{"type": "image", "image": path}`."""

SPLITS = ("train", "validation", "heldout")


@dataclass(frozen=True)
class Target:
    """The gold of a task: whatever of these is known. Never part of what an agent sees.

    `path` is the gold sequence of moves, `program` the gold program in the language of the family
    (a relation path program, SQL, Cypher ...), `query` the same as read, `results` what it returns
    on each database of the task. `accepted` is, for each further query whose result is also right,
    what that returns on each database. `scene` is a gold scene with its boxes, `rationale` the
    graph that reasons should state, `corpus` documents to build a graph from and what is asked.
    """

    answer: tuple[str, ...] | None = None
    graph: Graph | None = None
    path: tuple[str, ...] | None = None
    program: str | None = None
    query: Query | None = None
    results: tuple[Result, ...] | None = None
    accepted: tuple[tuple[Result, ...], ...] = ()
    scene: Scene | None = None
    rationale: Graph | None = None
    corpus: Corpus | None = None


@dataclass(frozen=True)
class Task:
    """One frozen problem.

    Parameters
    ----------
    id
        Stable name; the same problem has the same id in every process and session.
    index
        Its place in its source and split.
    messages
        The prompt as chat. A source gives the bare question as one user message; the environment
        puts its instructions around it.
    target
        The gold.
    meta
        JSON-able attributes: topic entity, hops, difficulty. Never shown to an agent.
    """

    id: str
    index: int
    messages: tuple[Message, ...]
    target: Target
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The chat as one text: the Gymnasium observation of `reset`."""
        return "\n\n".join(text_of(message["content"]) for message in self.messages)


@runtime_checkable
class TaskSource(Protocol):
    """A finite sequence of tasks: `source[i]` is a pure function of (arguments, split, i)."""

    @property
    def fingerprint(self) -> str:
        """Digest of everything that the tasks depend on (data, arguments, split)."""
        ...

    @property
    def provides(self) -> frozenset[str]:
        """The facts about the target that its tasks carry (see `graphenv.facts`)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Task: ...

    def __iter__(self) -> Iterator[Task]: ...


def check_split(split: str) -> str:
    """Return `split`, or raise `ConfigError` if it is none of `SPLITS`.

    >>> check_split("train")
    'train'
    """
    if split not in SPLITS:
        raise ConfigError(f"split={split!r} is not a split; choose one of {', '.join(SPLITS)}.")
    return split


def carve_split(*identity: object, validation: float = 0.1, heldout: float = 0.2) -> str:
    """Return the split of the problem identified by `identity`: same problem, same split, always.

    Used where a published set has no usable split: two rows that differ only in wording share
    their identity (for MetaQA topic and path) and so never straddle splits.

    >>> carve_split("Heat", ("directed_by",)) == carve_split("Heat", ("directed_by",))
    True
    """
    point = stable_hash("carve_split", *identity) / 2**64
    if point < heldout:
        return "heldout"
    return "validation" if point < heldout + validation else "train"
