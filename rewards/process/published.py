"""The step rewards of GALAX and Graphia as published, for comparison: both can be gamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from graphenv.episode import Episode
from graphenv.graph import Graph, Triple
from graphenv.rewards.process.edges import ids, names
from graphenv.rewards.process.levels import Value, broke, curriculum
from graphenv.rewards.process.opinions import Opinions
from graphenv.scorers import View, view_of

__all__ = ["Galax", "Graphia"]


class Galax(Value):
    """GALAX: turn t earns r(G_t) = [p(G_t) - 1/2] + V, V = -1 once an edge is not in the network.

    Without the mean over five sampled continuations: those are states that nobody visited, which a
    function of the episode cannot know. Summed over turns, over `max_turns`: a constant factor.
    """

    needs: frozenset[str] = frozenset({"step.graph", "step.moves"})
    range: ClassVar[tuple[float, float]] = (-1.5, 0.5)

    def pay(self, said: Opinions, episode: Episode, t: int) -> float:
        invalid = any(broke(step) for step in episode.steps[: t + 1])
        return (self.at(said, episode, t + 1) - 0.5 - invalid) / episode.max_turns


class Graphia:
    """Graphia: every edge that a turn adds earns p(edge) + clip(0.01 at, 1, 5) [it is gold].

    Summed and not averaged. At most 1,000 edges of a turn are looked at, in all turns together, so
    that there is a bound.
    """

    needs: frozenset[str] = frozenset({"step.graph", "target.graph"})
    limit: ClassVar[int] = 1_000

    def __init__(self, at: int) -> None:
        self._weight = curriculum(at)
        self.range = (0.0, self.limit * (1.0 + self._weight))

    def asks(self, episode: Episode) -> bool:
        return episode.task.target.graph is not None

    def pairs(self, episode: Episode) -> Iterator[tuple[View, Triple]]:
        if self.asks(episode):
            for t in range(len(episode)):
                yield from (pair for pair, _ in self._added(episode, t))

    def pay(self, said: Opinions, episode: Episode, t: int) -> float:
        gold = episode.task.target.graph or Graph()
        right = {names(gold, edge) for edge in gold.edges}
        before = sum(len(self._new(episode, u)) for u in range(t))
        added = self._added(episode, t)[: max(0, self.limit - before)]
        judged = said.links(pair for pair, _ in added)
        likely = sum(answer.value or 0.0 for answer in judged)
        return likely + self._weight * sum(edge in right for _, edge in added)

    def _new(self, episode: Episode, t: int) -> list[int]:
        """Return which edges of the graph after turn `t` were not there before it."""
        before, after = episode.state(t).graph or Graph(), episode.state(t + 1).graph or Graph()
        had = Counter(ids(before, edge) for edge in before.edges)
        found = []
        for place, edge in enumerate(after.edges):
            if had[ids(after, edge)]:
                had[ids(after, edge)] -= 1
            else:
                found.append(place)
        return found

    def _added(self, episode: Episode, t: int) -> list[tuple[tuple[View, Triple], Triple]]:
        view = view_of(episode.task, episode.state(t + 1))
        if view is None:
            return []
        graph = view.graph
        new = self._new(episode, t)[: self.limit]
        # The predictor sees the graph before the turn: one that holds the edge would be asked
        # whether it is there.
        seen = View(view.question, _less(graph, set(new)))
        return [((seen, ids(graph, e)), names(graph, e)) for e in (graph.edges[i] for i in new)]


def _less(graph: Graph, places: set[int]) -> Graph:
    kept = tuple(edge for i, edge in enumerate(graph.edges) if i not in places)
    return Graph(graph.nodes, kept, directed=graph.directed)
