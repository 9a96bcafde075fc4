"""Who is compared with: networkx, and a brute force that shares no code with the solver."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import networkx as nx

from graphenv.graph import Graph
from graphenv.rewards.ged import EditCosts

__all__ = ["LIMIT", "Timed", "brute_force", "networkx_ged", "to_networkx"]

LIMIT = 10.0
"""Seconds that networkx may take for a pair."""


class Timed(NamedTuple):
    """A distance, CPU seconds, and whether the limit ended the search (the value is then open)."""

    value: float
    seconds: float
    timed_out: bool


def to_networkx(graph: Graph) -> Any:
    """Return a simple (di)graph with `label` and `relation` attributes."""
    made: Any = nx.DiGraph() if graph.directed else nx.Graph()
    made.add_nodes_from((i, {"label": node.label}) for i, node in enumerate(graph.nodes))
    made.add_edges_from((e.head, e.tail, {"relation": e.relation}) for e in graph.edges)
    if made.number_of_edges() != graph.num_edges:
        raise ValueError("networkx compares simple graphs; this one has parallel edges")
    return made


def networkx_ged(a: Any, b: Any, costs: EditCosts | None = None, limit: float = LIMIT) -> Timed:
    """Return what `networkx.graph_edit_distance` finds within the limit.

    On time-out it returns its best so far without saying so; the clock says it here, and the
    seconds are then the limit.
    """
    how: dict[str, Any] = {
        "node_match": lambda x, y: x["label"] == y["label"],
        "edge_match": lambda x, y: x["relation"] == y["relation"],
    }
    if costs is not None:
        how = {
            "node_subst_cost": lambda x, y: costs.node_substitute * (x["label"] != y["label"]),
            "node_del_cost": lambda _: costs.node_delete,
            "node_ins_cost": lambda _: costs.node_insert,
            "edge_subst_cost": lambda x, y: (
                costs.edge_substitute * (x["relation"] != y["relation"])
            ),
            "edge_del_cost": lambda _: costs.edge_delete,
            "edge_ins_cost": lambda _: costs.edge_insert,
        }
    wall, cpu = time.perf_counter(), time.process_time()
    value = nx.graph_edit_distance(a, b, timeout=limit, **how)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if wall >= limit:
        return Timed(float(value), limit, True)
    return Timed(float(value), cpu, False)


def brute_force(
    a: Graph,
    b: Graph,
    costs: EditCosts,
    similarity: Callable[[str, str], float] | None = None,
) -> float:
    """Return the least cost over all mappings of nodes; for a handful of nodes.

    Between mapped pairs of nodes edges of equal relation are kept, others are substituted as far
    as there are edges on both sides, the rest is deleted and inserted.
    """
    sizes = range(min(len(a), len(b)) + 1)
    return min(
        _cost(a, b, costs, similarity, dict(zip(rows, cols, strict=True)))
        for size in sizes
        for rows in itertools.combinations(range(len(a)), size)
        for cols in itertools.permutations(range(len(b)), size)
    )


def _cost(
    a: Graph,
    b: Graph,
    costs: EditCosts,
    similarity: Callable[[str, str], float] | None,
    image: dict[int, int],
) -> float:
    def weight(kind: str) -> float:
        return costs.kind_weights.get(kind, 1.0)

    reached = set(image.values())
    total = 0.0
    for i, node in enumerate(a.nodes):
        delete = weight(node.kind) * costs.node_delete
        if i not in image:
            total += delete
            continue
        other = b.nodes[image[i]]
        if (node.label, node.kind) != (other.label, other.kind):
            both = delete + weight(other.kind) * costs.node_insert
            whole = max(weight(node.kind), weight(other.kind)) * costs.node_substitute
            if similarity is not None and node.kind == other.kind:
                whole *= 1 - similarity(node.label, other.label)
            total += min(whole, both)
    for j, node in enumerate(b.nodes):
        if j not in reached:
            total += weight(node.kind) * costs.node_insert

    def place(head: int, tail: int) -> tuple[int, int]:
        return (head, tail) if a.directed or head <= tail else (tail, head)

    have: dict[tuple[int, int], Counter[str]] = {}
    want: dict[tuple[int, int], Counter[str]] = {}
    for edge in a.edges:
        if edge.head in image and edge.tail in image:
            where = place(image[edge.head], image[edge.tail])
            have.setdefault(where, Counter())[edge.relation] += 1
        else:
            total += costs.edge_delete
    for edge in b.edges:
        want.setdefault(place(edge.head, edge.tail), Counter())[edge.relation] += 1
    for where in {**have, **want}:
        old, new = have.get(where, Counter()), want.get(where, Counter())
        few = min(old.total(), new.total())
        total += costs.edge_substitute * (few - (old & new).total())
        total += costs.edge_delete * (old.total() - few) + costs.edge_insert * (new.total() - few)
    return total
