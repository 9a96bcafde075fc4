"""What a scorer said of states and edges: asked in batches, kept for a while."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from graphenv.episode import Episode
from graphenv.graph import Triple
from graphenv.rewards.terms import Term
from graphenv.scorers import Judged, StateScorer, View, check_scorer, load_scorer, view_of

__all__ = ["Opinions", "Scored", "views"]

KEPT = 8_192
"""Opinions kept between batches, of states and of edges each; those of one batch always are."""

Key = TypeVar("Key", bound=Hashable)


class Opinions:
    """The answers of one scorer, each asked once while it is kept.

    Parameters
    ----------
    scorer
        Who is asked.

    Raises
    ------
    ValueError
        Where an answer is no number in [0, 1] and not `None`, or answers are missing: the scorer is
        broken, which is a crash and not a low value.
    """

    def __init__(self, scorer: StateScorer) -> None:
        self.scorer = scorer
        self._states: OrderedDict[View, Judged] = OrderedDict()
        self._links: OrderedDict[tuple[View, Triple], Judged] = OrderedDict()

    def states(self, views: Iterable[View]) -> list[Judged]:
        """Return what the scorer says of states, in order; at most one call."""
        return _asked(self._states, list(views), self.scorer.values)

    def state(self, view: View) -> Judged:
        """Return what the scorer says of one state."""
        known = self._states.get(view)
        return self.states([view])[0] if known is None else known

    def links(self, pairs: Iterable[tuple[View, Triple]]) -> list[Judged]:
        """Return what the scorer says of edges (state, triple by node ids); at most one call."""

        def ask(missing: Sequence[tuple[View, Triple]]) -> list[Judged]:
            return self.scorer.links([view for view, _ in missing], [edge for _, edge in missing])

        return _asked(self._links, list(pairs), ask)


def _asked(
    known: OrderedDict[Key, Judged], keys: list[Key], ask: Callable[[Sequence[Key]], list[Judged]]
) -> list[Judged]:
    found = {key: known[key] for key in keys if key in known}
    missing = list(dict.fromkeys(key for key in keys if key not in found))
    if missing:
        said = ask(missing)
        if len(said) != len(missing):
            raise ValueError(f"the scorer gave {len(said)} answers to {len(missing)} questions")
        for answer in said:
            if answer.value is not None and not (
                math.isfinite(answer.value) and 0.0 <= answer.value <= 1.0
            ):
                raise ValueError(f"the scorer said {answer.value}, which is outside [0, 1]")
        found.update(zip(missing, said, strict=True))
        for key, answer in found.items():  # those of this batch are the last to go
            known[key] = answer
            known.move_to_end(key)
        for _ in range(max(0, len(known) - max(KEPT, len(found)))):
            known.popitem(last=False)
    return [found[key] for key in keys]


@lru_cache(maxsize=8)
def _opinions(scorer: StateScorer) -> Opinions:
    return Opinions(scorer)


def views(episode: Episode) -> list[View | None]:
    """Return what a scorer sees before the first turn and after each: T + 1 views."""
    return [view_of(episode.task, episode.state(turns)) for turns in range(len(episode) + 1)]


class Scored(Term):
    """What terms with a scorer share: the folder it is saved in, opened when it is first needed.

    Whether such a term applies is said by the state before the first turn. A later state that the
    scorer does not know is worth 0: were the term left out there, a policy could get rid of what it
    is charged by building something unknown. The reasons stand in the score's info.
    """

    def __init__(self, *, scorer: str) -> None:
        check_scorer(scorer)
        self.scorer = scorer
        self._said: Opinions | None = None

    @property
    def said(self) -> Opinions:
        """What the scorer says."""
        if self._said is None:
            scorer: Any = load_scorer(self.scorer)
            self._said = _opinions(scorer)
        return self._said

    def prepare(self) -> None:
        """Open the scorer."""
        assert self.said is not None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_said": None}  # another process opens its own

    def look(self, episodes: Sequence[Episode]) -> None:
        """Ask for all states of a batch in one call."""
        self.said.states(view for e in episodes for view in views(e) if view is not None)

    def value(self, view: View | None) -> float | None:
        """Return the value of a state in [0, 1], `None` if the scorer does not know; 0 unbuilt."""
        return 0.0 if view is None else self.said.state(view).value

    def knows(self, episode: Episode) -> bool:
        """Return whether the scorer knows the state before the first turn."""
        return self.value(view_of(episode.task, episode.state(0))) is not None

    def details(self, episode: Episode) -> dict[str, Any]:
        """Return which scorer was asked, and after how many turns it did not know, with reasons."""
        unknown: dict[str, list[int]] = {}
        for turns, view in enumerate(views(episode)):
            if view is not None and (judged := self.said.state(view)).value is None:
                unknown.setdefault(judged.reason, []).append(turns)
        return {"scorer": self.said.scorer.fingerprint, **({"unknown": unknown} if unknown else {})}
