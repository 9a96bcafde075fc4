"""One question in two languages: how often SQL and Cypher gold have the same graph."""

from __future__ import annotations

from collections import Counter
from typing import Any

from graphenv.envs.queries.sources.synthetic.cypher import write_cypher
from graphenv.envs.queries.sources.synthetic.source import SyntheticQueries
from graphenv.envs.queries.sources.synthetic.sql import write_sql
from graphenv.graph import Graph
from graphenv.query.cypher import read_cypher
from graphenv.query.graphs import query_graph
from graphenv.query.model import Query
from graphenv.query.sql import read_sql
from graphenv.rewards.ged import ged_batch
from graphenv.rewards.queries.structure import QueryGed

__all__ = ["agreement"]


def agreement(*, quick: bool) -> list[dict[str, Any]]:
    """Return, by kind of question, how many graphs are the same and how alike the others are.

    `likeness` is that of `query_ged`, the Cypher query as the prediction. `differ` counts labels
    and roles that one graph has more of than the other, the commonest first.
    """
    source = SyntheticQueries("sql", "train")
    kinds: dict[str, list[tuple[Graph, Graph]]] = {}
    for index in range(60 if quick else 1_500):
        problem = source.problem(index)
        world = problem.world
        sql = read_sql(write_sql(problem.plan, world), world.sql_schema)
        cypher = read_cypher(write_cypher(problem.plan), world.graph_schema)
        assert isinstance(sql, Query) and isinstance(cypher, Query)
        kinds.setdefault(problem.plan.kind, []).append((query_graph(cypher), query_graph(sql)))
    settings = QueryGed().settings
    rows = []
    for kind, pairs in sorted(kinds.items()):
        same = [a.isomorphic_to(b) for a, b in pairs]
        results = ged_batch(pairs, costs=settings.costs, budget=settings.budget)
        differ: Counter[str] = Counter()
        for a, b in pairs:
            differ.update(_difference("Cypher", a, b))
            differ.update(_difference("SQL", b, a))
        rows.append(
            {
                "kind": kind,
                "questions": len(pairs),
                "same": sum(same),
                "likeness": sum(result.similarity for result in results) / len(results),
                "least": min(result.similarity for result in results),
                "differ": dict(differ.most_common(6)),
            }
        )
        print(rows[-1], flush=True)
    return rows


def _difference(language: str, a: Graph, b: Graph) -> Counter[str]:
    """Return what a graph has that the other has not: kinds with operators, roles of edges."""
    found: Counter[str] = Counter()
    for graph, sign in ((a, 1), (b, -1)):
        for node in graph.nodes:
            shown = node.label if node.kind in ("predicate", "call", "aggregate", "hops") else ""
            found[f"{language}: {node.kind} {shown}".strip()] += sign
        for edge in graph.edges:
            found[f"{language}: edge {edge.relation}"] += sign
    return +found
