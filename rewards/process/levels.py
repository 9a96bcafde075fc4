"""What a state of an episode is worth under each shape: its level, in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Protocol

from graphenv.episode import Episode, Step
from graphenv.graph import Triple
from graphenv.rewards.graphs import TripleF1, bag_f1
from graphenv.rewards.process.edges import chosen, distinct, ids, without
from graphenv.rewards.process.opinions import Opinions
from graphenv.scorers import View, view_of

__all__ = ["ConfidenceAndValidity", "Level", "LinksAndGold", "Value", "broke", "curriculum"]


class Level(Protocol):
    """The worth of the state after a number of turns, a function of what was played until then."""

    needs: frozenset[str]

    def asks(self, episode: Episode) -> bool:
        """Return whether the level exists for this task, as far as the scorer is not concerned."""
        ...

    def pairs(self, episode: Episode) -> Iterator[tuple[View, Triple]]:
        """Yield the edges that a scorer will be asked about, for a whole episode."""
        ...

    def at(self, said: Opinions, episode: Episode, turns: int) -> float:
        """Return the level after `turns` turns, in [0, 1]."""
        ...


class Value:
    """p: the probability that the graph so far leads to success. 0 if the scorer does not know."""

    needs: frozenset[str] = frozenset({"step.graph"})

    def asks(self, episode: Episode) -> bool:
        return True

    def pairs(self, episode: Episode) -> Iterator[tuple[View, Triple]]:
        yield from ()

    def at(self, said: Opinions, episode: Episode, turns: int) -> float:
        view = view_of(episode.task, episode.state(turns))
        return 0.0 if view is None else said.state(view).value or 0.0


def broke(step: Step) -> bool:
    """Return whether a move that the world does not have was tried on a turn (`step.moves`)."""
    return any(not exists for _, _, exists in step.facts.get("moves", ()))


class ConfidenceAndValidity(Value):
    """GALAX's state reward with l1 = l2 = 1, C = 2, brought to [0, 1]: (2 p + 1 + V) / 3.

    The published r = [p - 1/2] + mean over continuations of [p - 1/2] + V lies in [-2, 1], and
    this is (r + 2) / 3. Two things differ. The mean over continuations is p itself: p is trained
    on the outcomes of play, so it is the mean of what follows, and a reward knows no state that was
    not visited. And V is minus the turns so far on which a move was tried that the world does not
    have, over `max_turns`: each is charged, where the published V charges the first for all.
    """

    needs: frozenset[str] = frozenset({"step.graph", "step.moves"})

    def at(self, said: Opinions, episode: Episode, turns: int) -> float:
        value = super().at(said, episode, turns)
        wrong = sum(broke(step) for step in episode.steps[:turns])
        return (2.0 * value + 1.0 - wrong / episode.max_turns) / 3.0


def curriculum(at: int) -> float:
    """Return Graphia's weight of a right label at a training step: clip(0.01 at, 1, 5).

    >>> curriculum(0), curriculum(250), curriculum(9_000)
    (1.0, 2.5, 5.0)
    """
    return min(max(0.01 * at, 1.0), 5.0)


class LinksAndGold:
    """Graphia's edge reward on a state, brought to [0, 1]: (1 - c) P + c F1, c = clip(.01 at)/5.

    P is the mean probability that a link predictor gives each distinct edge of the graph when it
    sees the graph without it, and F1 that of the graph's triples against the gold ones. 0 without
    edges. As training goes on the gold takes over from the predictor.
    """

    needs: frozenset[str] = frozenset({"step.graph", "target.graph"})
    _parts: ClassVar[TripleF1] = TripleF1()

    def __init__(self, at: int) -> None:
        self._weight = curriculum(at) / 5.0

    def asks(self, episode: Episode) -> bool:
        return episode.task.target.graph is not None

    def pairs(self, episode: Episode) -> Iterator[tuple[View, Triple]]:
        if self.asks(episode):
            for turns in range(len(episode) + 1):
                yield from self._pairs(episode, turns)

    def at(self, said: Opinions, episode: Episode, turns: int) -> float:
        graph, gold = episode.state(turns).graph, episode.task.target.graph
        if graph is None or gold is None or not graph.num_edges:
            return 0.0
        judged = said.links(self._pairs(episode, turns))
        likely = sum(answer.value or 0.0 for answer in judged) / len(judged)
        right = bag_f1(self._parts.parts(graph), self._parts.parts(gold))
        return (1.0 - self._weight) * likely + self._weight * right

    def _pairs(self, episode: Episode, turns: int) -> Iterator[tuple[View, Triple]]:
        view = view_of(episode.task, episode.state(turns))
        if view is not None:
            for edge in chosen(view.graph, distinct(view.graph)):
                rest = View(view.question, without(view.graph, edge))
                yield rest, ids(view.graph, edge)
