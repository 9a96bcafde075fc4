"""Terms about what a query is made of: schema names, clauses, the query graph."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.query.components import components, mentions, spider_components
from graphenv.query.graphs import pattern_graph, query_graph
from graphenv.query.model import Query
from graphenv.rewards.ged import EditCosts, warmup
from graphenv.rewards.ged.compare import Settings, check_core, read_weights
from graphenv.rewards.ged.solver import BUDGET
from graphenv.rewards.ged.terms import compared
from graphenv.rewards.graphs import bag_f1
from graphenv.rewards.terms import EndTerm, Grade, published

__all__ = ["ComponentF1", "QueryGed", "SchemaLinking"]

WEIGHTS = "entity:3, relation:3, property:2, aggregate:2"


class _QueryTerm(EndTerm):
    """Compares two queries as read; one that could not be read earns nothing."""

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.query", "target.query"})

    def score(self, episode: Episode) -> float | Grade | None:
        """Return the value in [0, 1]; `None` if the task has no gold query."""
        gold = episode.task.target.query
        if gold is None:
            return None
        predicted = episode.outcome.query if episode.outcome is not None else None
        return 0.0 if predicted is None else self.compare(predicted, gold)

    @abstractmethod
    def compare(self, predicted: Query, gold: Query) -> float | Grade:
        """Return the value of a query beside the gold."""


class SchemaLinking(_QueryTerm):
    """F1 of the tables or labels, columns or properties, and relations that a query names.

    2|P and G| / (|P| + |G|) of the sets of all names, a column together with its table. In [0, 1]:
    1 if both name the same, 0 if nothing in common or the query cannot be read; two queries that
    name nothing give 1. A name that the gold does not use is charged, also one that the schema does
    not have.

    Blind to how often and to what end a name is used: to clauses, operators and literals.

    `paper="reasoning-sql"`: the published Jaccard index of tables and columns, without relations
    (Reasoning-SQL, arXiv 2503.23157).
    """

    def __init__(self, *, paper: str | None = None) -> None:
        self.paper = published("schema_linking", paper, ["reasoning-sql"])

    def compare(self, predicted: Query, gold: Query) -> float:
        """Return the F1, or the published index."""
        ours, theirs = mentions(predicted), mentions(gold)
        if self.paper is not None:
            ours = frozenset(m for m in ours if m[0] != "relation")
            theirs = frozenset(m for m in theirs if m[0] != "relation")
            return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0
        return bag_f1(Counter(ours), Counter(theirs))


class ComponentF1(_QueryTerm):
    """Mean F1 of the clauses of a query: select, from, where, group, having, order and so on.

    Each clause is a bag of items without aliases (`graphenv.query.components`); the mean is over
    the clauses that either query has, so one that should not be there is charged as much as one
    that is missing. In [0, 1]; 0 if the query cannot be read. Literals count.

    Blind to which of two occurrences of a table is meant, and to how near a wrong item is.

    Source: component matching of Spider (Yu et al., EMNLP 2018), as F1 instead of all or nothing.
    """

    def compare(self, predicted: Query, gold: Query) -> Grade:
        """Return the mean F1, with that of each clause."""
        ours, theirs = components(predicted), components(gold)
        clauses = [c for c in (*theirs, *ours) if c in theirs or c in ours]
        values = {
            c: bag_f1(Counter(ours.get(c, ())), Counter(theirs.get(c, ())))
            for c in dict.fromkeys(clauses)
        }
        return Grade(sum(values.values()) / len(values) if values else 1.0, {"clauses": values})


class QueryGed(EndTerm):
    """max(0, 1 - d / w): d the edit distance of the two query graphs, w their larger weights.

    The graphs are those of `graphenv.query.graphs`, which are the same for SQL and Cypher; labels
    are compared as they stand, since readers have put names into the schema's spelling and literals
    keep theirs. A wrong label costs as much as one missing and one too many, so the right shape
    with wrong names earns little; a wrong table, label or relation three times what a wrong
    operator or literal does, a wrong column or aggregate twice. An edge, which mostly follows from
    its nodes, costs half. 1 if and only if the graphs are equal; 0 if the query cannot be read;
    `None` if the task has no gold query. d is the certified upper bound: a search that runs out of
    budget never raises the value.

    Blind to equivalence: a right query built in another way earns less than 1, so use it beside
    `execution`, never instead.

    Parameters
    ----------
    budget
        Search nodes expanded per pair.
    kind_weights
        Weights of node kinds, as text; other kinds weigh 1.
    paper
        `"struct-llm"`: the published structural reward, for comparison. For Cypher 1 - d / max(n1 +
        m1, n2 + m2) over node patterns and relationships only, all costs 1, two empty graphs 0, in
        [-1, 1]. For SQL, which is no graph there, the share of clauses that match exactly, values
        not looked at. It sees nothing of RETURN and WHERE.

    Raises
    ------
    ConfigError
        If a value is impossible, `paper` stands beside weights, or numba is missing.

    References
    ----------
    `paper`: Stoisser et al., STRuCT-LLM: Unifying tabular and graph reasoning with reinforcement
    learning for semantic parsing, arXiv 2506.21575, 2025.

    Examples
    --------
    >>> from graphenv.rewards import parse
    >>> parse("query_ged").range, parse("query_ged(paper='struct-llm')").range
    ((0.0, 1.0), (-1.0, 1.0))
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.query", "target.query"})

    def __init__(
        self, *, budget: int = BUDGET, kind_weights: str = WEIGHTS, paper: str | None = None
    ) -> None:
        check_core("query_ged")
        self.paper = published("query_ged", paper, ["struct-llm"])
        if paper is not None and kind_weights != WEIGHTS:
            raise ConfigError(
                f"query_ged(paper={paper!r}) has the costs of the publication; leave out "
                "kind_weights, or paper="
            )
        costs = EditCosts()
        if paper is None:
            costs = EditCosts(
                node_substitute=2.0,
                edge_insert=0.5,
                edge_delete=0.5,
                kind_weights=read_weights(kind_weights),
            )
        self.settings = Settings(costs=costs, budget=budget, normalized=False)
        self.range = (0.0, 1.0) if paper is None else (-1.0, 1.0)

    def prepare(self) -> None:
        """Compile the core, or load it from the cache."""
        warmup()

    def scores(self, episodes: Sequence[Episode]) -> list[float | Grade | None]:
        """Return the similarities, in order; all pairs are solved in one batch."""
        values: list[float | Grade | None] = [None] * len(episodes)
        places: list[int] = []
        pairs: list[tuple[Graph, Graph]] = []
        made: dict[int, Graph] = {}
        graph_of = query_graph if self.paper is None else pattern_graph
        for i, episode in enumerate(episodes):
            gold = episode.task.target.query
            if gold is None:
                continue
            predicted = episode.outcome.query if episode.outcome is not None else None
            if predicted is None:
                values[i] = 0.0
            elif self.paper is not None and gold.language == "sql":
                values[i] = _matching_clauses(predicted, gold)
            else:
                places.append(i)
                # A group of episodes shares its gold.
                if id(gold) not in made:
                    made[id(gold)] = graph_of(gold)
                pairs.append((graph_of(predicted), made[id(gold)]))
        grades = compared(pairs, self.settings, self.paper)
        for i, grade in zip(places, grades, strict=True):
            values[i] = grade
        return values


def _matching_clauses(predicted: Query, gold: Query) -> float:
    ours, theirs = spider_components(predicted), spider_components(gold)
    clauses = set(ours) | set(theirs)
    return sum(ours.get(c) == theirs.get(c) for c in clauses) / len(clauses) if clauses else 1.0
