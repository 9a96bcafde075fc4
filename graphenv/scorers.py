"""`StateScorer`: what says how promising a half-built graph is. `load_scorer` opens a saved one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from graphenv.episode import State
from graphenv.errors import ConfigError, DataError, did_you_mean
from graphenv.graph import Graph, Triple
from graphenv.references import load_row
from graphenv.task import Task

__all__ = [
    "SCORERS",
    "SCORER_FILE",
    "Judged",
    "StateScorer",
    "View",
    "check_scorer",
    "load_scorer",
    "view_of",
]

SCORERS: dict[str, str] = {
    "gnn": "graphenv.agents.gnn.scorer:GNNScorer",
}
"""Kinds of saved scorers; a file names its kind, and nothing else of it is ever imported."""

SCORER_FILE = "scorer.json"


@dataclass(frozen=True, slots=True)
class View:
    """What a scorer sees of a state: the question and the graph so far. Never the target."""

    question: str
    graph: Graph


@dataclass(frozen=True, slots=True)
class Judged:
    """What a scorer says: a number in [0, 1], or `None` with the reason why it does not know."""

    value: float | None
    reason: str = ""


@runtime_checkable
class StateScorer(Protocol):
    """A frozen, deterministic scorer of states; batch in, batch out, nothing depends on order."""

    @property
    def fingerprint(self) -> str:
        """Digest of its parameters and schema."""
        ...

    def values(self, views: Sequence[View]) -> list[Judged]:
        """Return for each state the probability in [0, 1] that it leads to success."""
        ...

    def links(self, views: Sequence[View], triples: Sequence[Triple]) -> list[Judged]:
        """Return for each (state, head-relation-tail by node ids) the probability of that edge."""
        ...


def view_of(task: Task, state: State) -> View | None:
    """Return what a scorer sees of a state, `None` if no graph is kept there (`step.graph`).

    The question is the task's own wording (`meta["question"]`), else its whole prompt.
    """
    if state.graph is None:
        return None
    return View(str(task.meta.get("question") or task.prompt), state.graph)


def check_scorer(path: str | Path) -> None:
    """Look whether folder `path` holds a scorer of a known kind, without opening it.

    Raises
    ------
    DataError, ConfigError
        As `load_scorer`.
    """
    _description(Path(path))


def load_scorer(path: str | Path) -> StateScorer:
    """Return the scorer saved in folder `path`; the same object as long as its file is the same.

    Raises
    ------
    DataError
        If the folder holds no scorer, or its description cannot be read.
    ConfigError
        If it is of an unknown kind.
    """
    kind, text = _description(Path(path))
    return _opened(kind, str(Path(path).resolve()), text)


def _description(folder: Path) -> tuple[str, str]:
    """Return the kind of the scorer in `folder`, and its description as it stands there."""
    file = folder / SCORER_FILE
    try:
        text = file.read_text(encoding="utf-8")
        described = json.loads(text)
    except FileNotFoundError as error:
        raise DataError(
            f"no scorer in {folder}: {SCORER_FILE} does not exist. Train one with "
            "`graphenv train-scorer --out FOLDER`, and give that folder."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is not JSON: {error}") from error
    except OSError as error:
        raise DataError(f"no scorer in {folder}: {SCORER_FILE} cannot be read: {error}") from error
    kind = described.get("kind") if isinstance(described, dict) else None
    if not isinstance(kind, str) or kind not in SCORERS:
        raise ConfigError(
            f"{file}: scorer kind {kind!r} is unknown.{did_you_mean(str(kind), SCORERS)}"
        )
    return kind, text


@lru_cache(maxsize=8)
def _opened(kind: str, folder: str, _description: str) -> StateScorer:
    # The description holds the digest of the weights, so a scorer trained again is opened again.
    made: Any = load_row(SCORERS[kind])
    found: StateScorer = made.load(folder)
    return found
