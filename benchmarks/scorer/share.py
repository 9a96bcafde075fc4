"""Which share of a training step a scorer takes: what it spends while something else runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphenv.scorers import load_scorer

__all__ = ["Spent", "timed_scorer"]


@dataclass
class Spent:
    """What a scorer was asked and how long that took, in seconds of wall clock.

    >>> spent = Spent(states=640, scoring=0.5, total=20.0)
    >>> spent.share, spent.per_s
    (0.025, 1280.0)
    """

    states: int = 0
    scoring: float = 0.0
    total: float = 0.0

    @property
    def share(self) -> float:
        """The part of the whole time that the scorer took."""
        return self.scoring / self.total if self.total else 0.0

    @property
    def per_s(self) -> float:
        """States (links among them) per second of scoring."""
        return self.states / self.scoring if self.scoring else 0.0


@contextmanager
def timed_scorer(folder: str | Path) -> Iterator[Spent]:
    """Measure the scorer saved in `folder` while the block runs: reward terms open the same one.

    The block is one or more training steps in this process, after one that warmed everything up.
    """
    scorer: Any = load_scorer(folder)
    spent = Spent()

    def timed(ask: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def asked(*args: Any) -> list[Any]:
            start = time.perf_counter()
            found = ask(*args)
            spent.scoring += time.perf_counter() - start
            spent.states += len(found)
            return found

        return asked

    begin = time.perf_counter()
    scorer.values, scorer.links = timed(scorer.values), timed(scorer.links)
    try:
        yield spent
    finally:
        spent.total = time.perf_counter() - begin
        del scorer.values, scorer.links  # the methods of its class are back
