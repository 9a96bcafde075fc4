"""What every source of knowledge-graph questions offers, and the options they share."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from graphenv.checks import is_whole
from graphenv.envs.kgqa.program import Branch, Program
from graphenv.envs.sources import Source
from graphenv.errors import ConfigError
from graphenv.knowledge import TripleStore
from graphenv.task import Message, Target, Task

__all__ = ["FEATURES", "KGQASource", "hop_list", "question_task"]

FEATURES = ("branch", "filter", "count")
"""What programs of a source may use beyond a plain path: they decide which tools are offered."""


class KGQASource(Source):
    """A sequence of questions, each with the knowledge graph that it is asked over.

    Attributes
    ----------
    drop_topic
        Whether the topic entity leaves the frontier after every move (MetaQA's rule).
    features
        The subset of `FEATURES` that gold programs use.
    """

    drop_topic: bool = False
    features: frozenset[str] = frozenset()

    @property
    def provides(self) -> frozenset[str]:
        """The facts about the target that tasks carry."""
        return frozenset({"target.answer", "target.path", "target.graph"})

    @abstractmethod
    def world(self, index: int) -> TripleStore:
        """Return the knowledge graph in which task `index` is played."""

    def ignored(self, index: int) -> frozenset[str]:
        """Return answers that are neither right nor wrong (known facts in link prediction)."""
        return frozenset()

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The relation names that a program-mode prompt may list."""
        return self.world(0).relation_names


def question_task(
    *,
    id: str,
    index: int,
    question: str,
    topics: Sequence[str],
    answers: Sequence[str],
    path: Sequence[str] | None = None,
    program: str | None = None,
    hops: int | None = None,
    **meta: object,
) -> Task:
    """Return the task of one question: the bare question as the only message, gold in the target.

    `program` is needed only where the gold is more than the plain `path`.
    """
    message: Message = {"role": "user", "content": question}
    if program is None and path is not None:
        program = str(Program((Branch(tuple(path)),)))
    target = Target(
        answer=tuple(answers), path=None if path is None else tuple(path), program=program
    )
    known = {"question": question, "topics": list(topics), "hops": hops, **meta}
    return Task(id=id, index=index, messages=(message,), target=target, meta=known)


def hop_list(hops: int | Sequence[int], source: str, most: float = math.inf) -> list[int]:
    """Return the numbers of hops that an argument `hops` asks for: one, or several as a list.

    Raises
    ------
    ConfigError
        If one is not a whole number from 1 to `most`.

    >>> hop_list(2, "metaqa"), hop_list([1, 3], "metaqa", most=3)
    ([2], [1, 3])
    """
    wanted: list[Any] = list(hops) if isinstance(hops, list | tuple) else [hops]
    if not wanted or not all(is_whole(hop, 1, most) for hop in wanted):
        upper = "" if most == math.inf else f" to {most}"
        raise ConfigError(
            f"{source}: hops={hops!r} must be a whole number from 1{upper}, or a list of them"
        )
    return wanted
