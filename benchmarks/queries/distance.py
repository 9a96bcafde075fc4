"""`query_ged` beside networkx's edit distance on the same pairs of query graphs."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx

from graphenv.agents.families.queries import with_mistakes
from graphenv.benchmarks.queries.data import GoldSet, gold_sets
from graphenv.envs.queries.reading import read_query
from graphenv.graph import Graph
from graphenv.query.graphs import query_graph
from graphenv.query.model import Query
from graphenv.rewards.ged import EditCosts, ged_batch, warmup
from graphenv.rewards.queries.structure import QueryGed
from graphenv.seeding import sample

__all__ = ["beside_networkx"]

LIMIT = 1.0
"""Seconds that networkx may take for a pair."""
MISTAKES = 2


class _Timed(NamedTuple):
    value: float
    seconds: float
    timed_out: bool


def beside_networkx(folder: Path | None, *, quick: bool) -> list[dict[str, Any]]:
    """Return, for every set, milliseconds per pair and how often networkx ran out of time.

    `near`: the gold with mistakes planted in it, beside the gold; `far`: the gold of another
    question about the same schema.
    """
    warmup()
    rows = []
    for gold_set in gold_sets(folder, quick=quick):
        for kind in ("near", "far"):
            pairs = _pairs(gold_set, kind, 3 if quick else 12)
            rows.append({"set": gold_set.name, "kind": kind, **_compared(pairs)})
            print(rows[-1], flush=True)
    return rows


def _pairs(gold_set: GoldSet, kind: str, count: int) -> list[tuple[Graph, Graph]]:
    pairs: list[tuple[Graph, Graph]] = []
    for at in sample(len(gold_set.gold), 4 * count, "queries benchmark", gold_set.name, kind):
        gold = gold_set.gold[at]
        if kind == "near":
            other = with_mistakes(gold.text, gold.schema, MISTAKES, str(at))
        else:
            alike = [g.text for g in gold_set.gold if g.schema is gold.schema and g != gold]
            other = alike[at % len(alike)] if alike else gold.text
        read = [read_query(text, gold_set.language, gold.schema) for text in (other, gold.text)]
        if all(isinstance(query, Query) for query in read):
            one, two = (query_graph(query) for query in read if isinstance(query, Query))
            pairs.append((one, two))
        if len(pairs) == count:
            break
    return pairs


def _compared(pairs: list[tuple[Graph, Graph]]) -> dict[str, Any]:
    settings = QueryGed().settings
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        results = ged_batch(pairs, costs=settings.costs, budget=settings.budget, threads=1)
        rounds.append((time.perf_counter() - start) / len(pairs))
    ours = statistics.median(rounds)
    theirs = [_networkx(a, b, settings.costs) for a, b in pairs]
    seconds = [found.seconds for found in theirs]
    done = [(a, b) for a, b in zip(theirs, results, strict=True) if not a.timed_out]
    return {
        "pairs": len(pairs),
        "size_median": statistics.median(len(b) + b.num_edges for _, b in pairs),
        "ours_ms": ours * 1e3,
        "exact": sum(result.exact for result in results) / len(results),
        "networkx_median_ms": statistics.median(seconds) * 1e3,
        "networkx_mean_ms": statistics.fmean(seconds) * 1e3,
        "time_outs": sum(found.timed_out for found in theirs),
        "limit_s": LIMIT,
        "ratio_median": statistics.median(seconds) / ours,
        "ratio_mean": statistics.fmean(seconds) / ours,
        # Where a substitution costs what deletion and insertion do, networkx may miss the optimum.
        "networkx_too_high": sum(a.value > b.upper + 1e-6 for a, b in done),
        "ours_too_high": sum(b.lower > a.value + 1e-6 for a, b in done),
    }


def _networkx(a: Graph, b: Graph, costs: EditCosts) -> _Timed:
    def weight(node: dict[str, str]) -> float:
        return float(costs.kind_weights.get(node["kind"], 1.0))

    start = time.perf_counter()
    value = nx.graph_edit_distance(
        _to_networkx(a),
        _to_networkx(b),
        node_subst_cost=lambda x, y: (
            0.0 if x == y else costs.node_substitute * max(weight(x), weight(y))
        ),
        node_del_cost=lambda x: costs.node_delete * weight(x),
        node_ins_cost=lambda x: costs.node_insert * weight(x),
        edge_subst_cost=_edge_cost(costs),
        edge_del_cost=lambda e: costs.edge_delete * len(e["roles"]),
        edge_ins_cost=lambda e: costs.edge_insert * len(e["roles"]),
        timeout=LIMIT,
    )
    took = time.perf_counter() - start
    return _Timed(float(value), min(took, LIMIT), took >= LIMIT)


def _to_networkx(graph: Graph) -> Any:
    """Return a simple graph: parallel edges, which networkx cannot map, become one with roles."""
    made: Any = nx.DiGraph()
    made.add_nodes_from(
        (i, {"label": node.label, "kind": node.kind}) for i, node in enumerate(graph.nodes)
    )
    roles: dict[tuple[int, int], list[str]] = {}
    for edge in graph.edges:
        roles.setdefault((edge.head, edge.tail), []).append(edge.relation)
    made.add_edges_from((head, tail, {"roles": tuple(r)}) for (head, tail), r in roles.items())
    return made


def _edge_cost(costs: EditCosts) -> Any:
    def cost(x: dict[str, tuple[str, ...]], y: dict[str, tuple[str, ...]]) -> float:
        old, new = Counter(x["roles"]), Counter(y["roles"])
        few = min(old.total(), new.total())
        changed = costs.edge_substitute * (few - (old & new).total())
        gone, come = old.total() - few, new.total() - few
        return changed + costs.edge_delete * gone + costs.edge_insert * come

    return cost
