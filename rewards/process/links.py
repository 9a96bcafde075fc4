"""Structure of the final graph by link prediction: are its edges likelier than absent ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from graphenv.episode import Episode
from graphenv.graph import Graph, Triple
from graphenv.rewards.process.edges import absent, chosen, distinct, ids, without
from graphenv.rewards.process.opinions import Scored
from graphenv.rewards.terms import EndTerm, Grade
from graphenv.scorers import View, view_of

__all__ = ["Links"]

ABSENT = 5
"""Absent edges that each edge is compared with."""

Pair = tuple[View, Triple]


class Links(Scored, EndTerm):
    """max(0, u/n * mean over edges e of [p(e | G - e) - mean p(e' | G - e)]): do the edges belong.

    G is the final graph with n edges, of which u are distinct; p is the probability that a scorer
    gives an edge when it sees the graph without it, and e' are up to 5 edges that G does not have,
    each one change away from e (another end, another relation of G, the other direction; seeded by
    the names in G). Range [0, 1]; about 0 for edges that are no likelier than others.

    An unlikely edge lowers the mean, so precision counts and over-generation loses; a repetition
    lowers u/n. A graph without edges earns 0, and so does one that leaves out nothing it could
    have held (every edge between its nodes): it has chosen nothing. More than 48 edges are graded
    by a seeded sample. Edges that the scorer does not know count 0.

    Blind to what is missing: there is no gold in it. Use it beside a verdict, never alone. `None`
    if the scorer does not know the state before the first turn (where none is kept: the question
    with an empty graph).

    Parameters
    ----------
    scorer
        Folder of a saved scorer (`graphenv train-scorer`).

    Raises
    ------
    DataError, ConfigError
        If there is no scorer, or one of an unknown kind.

    References
    ----------
    Bordes et al., Translating embeddings for modeling multi-relational data, NeurIPS 2013 (edges
    against corrupted ones).
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.graph"})

    def look(self, episodes: Sequence[Episode]) -> None:
        """Nothing: `scores` is a batch already."""

    def scores(self, episodes: Sequence[Episode]) -> list[float | Grade | None]:
        """Return the grades, in order; the scorer is asked once for all edges."""
        known = self.said.states([_start(episode) for episode in episodes])
        asked = [_asked(episode) for episode in episodes]
        said = iter(self.said.links(pair for rows in asked for row in rows for pair in row))
        found: list[float | Grade | None] = []
        for episode, rows, start in zip(episodes, asked, known, strict=True):
            judged = [[next(said) for _ in row] for row in rows]
            info: dict[str, Any] = {"scorer": self.said.scorer.fingerprint}
            reasons = {answer.reason for row in judged for answer in row if answer.value is None}
            if start.value is None:
                reasons = {start.reason}
            if reasons:
                info["unknown"] = sorted(reasons)
            margins = [_margin([answer.value for answer in row]) for row in judged]
            value = max(0.0, _share(episode) * sum(margins) / len(margins)) if margins else 0.0
            found.append(Grade(None if start.value is None else value, info))
        return found


def _start(episode: Episode) -> View:
    view = view_of(episode.task, episode.state(0))
    return view or View(str(episode.task.meta.get("question") or episode.task.prompt), Graph())


def _graph(episode: Episode) -> Graph:
    graph = episode.outcome.graph if episode.outcome is not None else None
    return graph or Graph()


def _share(episode: Episode) -> float:
    graph = _graph(episode)
    return len(distinct(graph)) / graph.num_edges


def _asked(episode: Episode) -> list[list[Pair]]:
    """Return for each edge that is looked at: the question about it, then those about absent ones.

    An edge with nothing absent beside it has its own question alone.
    """
    graph, question = _graph(episode), _start(episode).question
    rows = []
    for edge in chosen(graph, distinct(graph)):
        view = View(question, without(graph, edge))
        others = absent(graph, edge, ABSENT)
        rows.append([(view, ids(graph, other)) for other in (edge, *others)])
    return rows


def _margin(values: list[float | None]) -> float:
    own, others = values[0], [value for value in values[1:] if value is not None]
    return own - sum(others) / len(others) if own is not None and others else 0.0
