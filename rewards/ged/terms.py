"""Graph edit distance as reward terms: a verdict on the final graph, a potential on the way to it.

They need only a predicted and a gold graph, so they work in every family that has both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from graphenv.episode import Episode, State
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.rewards.ged import EditCosts, GEDResult, warmup
from graphenv.rewards.ged.compare import Details, Settings, check_core, comparer, read_weights
from graphenv.rewards.ged.solver import BUDGET, Method
from graphenv.rewards.terms import EndTerm, Grade, ShapingTerm, Term, published
from graphenv.task import Task

__all__ = ["Ged", "GedProgress", "compared"]


class _Comparison(Term):
    """What the terms share: how graphs are compared. See `Ged` for the arguments."""

    name: ClassVar[str]
    papers: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        budget: int = BUDGET,
        node_substitute: float = 1.0,
        node_insert: float = 1.0,
        node_delete: float = 1.0,
        edge_substitute: float = 1.0,
        edge_insert: float = 1.0,
        edge_delete: float = 1.0,
        similarity: str | None = None,
        method: Method = "search",
        kind_weights: str = "",
        paper: str | None = None,
    ) -> None:
        check_core(self.name)
        self.settings = Settings(
            costs=EditCosts(
                node_substitute=node_substitute,
                node_insert=node_insert,
                node_delete=node_delete,
                edge_substitute=edge_substitute,
                edge_insert=edge_insert,
                edge_delete=edge_delete,
                kind_weights=read_weights(kind_weights),
            ),
            budget=budget,
            similarity=similarity,
            method=method,
        )
        self.paper = published(self.name, paper, self.papers)
        if paper is None:
            return
        if self.settings != Settings(budget=budget, method=method):
            raise ConfigError(
                f"{self.name}(paper={paper!r}) has the costs of the publication; leave out costs, "
                "similarity and kind_weights, or paper="
            )
        self.settings = Settings(budget=budget, method=method, kinds=False)
        self.range = (-1.0, 1.0)

    def prepare(self) -> None:
        """Compile the core, or load it from the cache."""
        warmup()


class Ged(_Comparison, EndTerm):
    """max(0, 1 - d / w): d the graph edit distance of prediction and gold, w their larger weights.

    w is the larger of the two graphs' summed node costs plus the larger of their summed edge costs:
    max(n1, n2) + max(m1, m2) at unit costs. Labels are compared normalised, ids and order mean
    nothing, parallel edges and directions count, and so does everything that is too much. Two empty
    graphs give 1. `None` if the task has no gold graph, 0 if no graph was given. d is the certified
    upper bound, so a search that runs out of budget never raises the value. A prediction is read
    with the directedness of the gold graph.

    At unit costs a wrong label costs as much as a missing part. So the right shape with the right
    relations and no right name at all earns m / (n + m), and guessing names or relations in place
    is free; edges in the wrong place and everything beyond the size of the gold graph are charged.
    `node_substitute=2` charges a wrong name as one missing and one too many (such a graph earns 0),
    `edge_substitute=2` does so for relations: use them where names are the answer.

    Parameters
    ----------
    budget
        Search nodes expanded per pair before the interval is returned as it stands.
    node_substitute, node_insert, node_delete, edge_substitute, edge_insert, edge_delete
        Costs; a substitution may not cost more than deleting and inserting.
    similarity
        `None` (labels are equal or not), `"string"`, or a function `"module:function"` of two
        normalised labels that returns a number in [0, 1].
    method
        `search`, `bipartite` (one assignment) or `counts` (linear time).
    kind_weights
        Weights of node kinds, as text: `"literal:0.5"`.
    paper
        `"struct-llm"`: the published formula, for comparison: 1 - d / max(n1 + m1, n2 + m2), all
        costs 1, kinds not looked at, two empty graphs 0. Its range is [-1, 1] and not [0, 1],
        because d can exceed the size of the larger graph.

    Raises
    ------
    ConfigError
        If a value is impossible, `paper` stands beside costs of its own, or numba is missing.

    References
    ----------
    Sanfeliu and Fu, A distance measure between attributed relational graphs for pattern
    recognition, IEEE Transactions on Systems, Man, and Cybernetics, 1983.

    `paper`: Stoisser et al., STRuCT-LLM: Unifying tabular and graph reasoning with reinforcement
    learning for semantic parsing, arXiv 2506.21575, 2025.

    Examples
    --------
    >>> from graphenv.rewards import parse
    >>> parse("0.7*answer_f1 + 0.3*ged(budget=300, kind_weights='literal:0.5')").range
    (0.0, 1.0)
    >>> parse("ged(paper='struct-llm')").range
    (-1.0, 1.0)
    """

    name: ClassVar[str] = "ged"
    papers: ClassVar[tuple[str, ...]] = ("struct-llm",)
    needs: ClassVar[frozenset[str]] = frozenset({"outcome.graph", "target.graph"})

    def scores(self, episodes: Sequence[Episode]) -> list[float | Grade | None]:
        """Return the similarities, in order; all pairs are solved in one batch."""
        values: list[float | Grade | None] = [None] * len(episodes)
        places: list[int] = []
        pairs: list[tuple[Graph, Graph]] = []
        for i, episode in enumerate(episodes):
            gold = episode.task.target.graph
            if gold is None:
                continue
            predicted = episode.outcome.graph if episode.outcome is not None else None
            if predicted is None:
                values[i] = 0.0
                continue
            places.append(i)
            pairs.append((predicted, gold))
        grades = compared(pairs, self.settings, self.paper)
        for i, grade in zip(places, grades, strict=True):
            values[i] = grade
        return values


def compared(
    pairs: Sequence[tuple[Graph, Graph]], settings: Settings, paper: str | None
) -> list[Grade]:
    """Return the grades of (prediction, gold), solved in one batch: similarity, or as published."""
    results = comparer(settings).results(pairs)
    grade = _struct_llm if paper else _similarity
    return [
        Grade(grade(pair, result), Details(result))
        for pair, result in zip(pairs, results, strict=True)
    ]


def _similarity(_: tuple[Graph, Graph], result: GEDResult) -> float:
    return result.similarity


def _struct_llm(pair: tuple[Graph, Graph], result: GEDResult) -> float:
    size = max(len(graph.nodes) + len(graph.edges) for graph in pair)
    return 1.0 - result.upper / size if size else 0.0


class GedProgress(_Comparison, ShapingTerm):
    """Potential: the value that `ged` gives the graph so far; 1 when it is the gold graph.

    For an episode that builds its graph step by step. Same arguments as `ged`, without `paper`. A
    state is solved once, however often it is asked for while the episode runs and when it ends.

    Raises
    ------
    ConfigError
        As `ged`.

    Examples
    --------
    >>> from graphenv.rewards import parse
    >>> parse("exact + potential(ged_progress)").range
    (-1.0, 1.0)
    """

    name: ClassVar[str] = "ged_progress"
    needs: ClassVar[frozenset[str]] = frozenset({"step.graph", "target.graph"})

    def potential(self, task: Task, state: State) -> float | None:
        """Return the similarity in [0, 1], 0 where there is no graph yet."""
        gold = task.target.graph
        if gold is None:
            return None
        if state.graph is None:
            return 0.0
        return comparer(self.settings).results([(state.graph, gold)])[0].similarity
