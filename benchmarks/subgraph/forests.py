"""What simple heuristics reach: prize-collecting forests on real prizes, trees on made networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from graphenv.benchmarks.suite import data_folder
from graphenv.envs.subgraph.sources.forest import SCALE, forest_value
from graphenv.envs.subgraph.sources.prizes import PrizesSource
from graphenv.envs.subgraph.sources.steiner import SteinerSource
from graphenv.task import SPLITS

__all__ = ["forest_heuristics", "tree_heuristics"]

Pair = tuple[int, int]
Heuristic = Callable[[Any, Mapping[int, int]], list[Pair]]


def forest_heuristics(*, quick: bool) -> list[dict[str, Any]]:
    """Return a row per prize file and heuristic, over evenly spaced held-out tasks."""
    folder = data_folder("subgraph")
    if folder is None:
        return []
    rows = []
    whole = PrizesSource(split="heldout", root=str(folder))
    graph = _network(whole)
    for file in whole.prizes:
        source = PrizesSource(split="heldout", root=str(folder), files=[file])
        count = min(2 if quick else 10, len(source))
        picked = sorted({int(i) for i in np.linspace(0, len(source) - 1, count)})
        best = [source.best_known(i).value for i in picked]
        for name, heuristic in _HEURISTICS.items():
            values, shares = [], []
            for index, most in zip(picked, best, strict=True):
                prizes = source.task_prizes(index)
                value, _ = forest_value(source.terms, prizes, heuristic(graph, prizes))
                values.append(value / SCALE)
                shares.append(min(max(value / most, 0.0), 1.0) if most else float(value >= 0))
            row = {"file": file, "tasks": len(picked), "heuristic": name}
            rows.append({**row, "value": float(np.mean(values)), "share": float(np.mean(shares))})
        found = {"file": file, "tasks": len(picked), "heuristic": "best known", "share": 1.0}
        rows.append(
            {**found, "value": float(np.mean(best)) / SCALE, "worth nothing": best.count(0)}
        )
    return rows


def _network(source: PrizesSource) -> Any:
    """Return the network; a step costs its edge and half the charges of its ends."""
    terms, network = source.terms, source.network
    graph: Any = nx.Graph()
    columns = zip(network.heads.tolist(), network.tails.tolist(), terms.costs.tolist(), strict=True)
    for head, tail, cost in columns:
        half = (int(terms.charges[head]) + int(terms.charges[tail])) / 2
        graph.add_edge(head, tail, cost=cost, weight=cost + half)
    graph.graph["tree"] = terms.tree
    return graph


def _nothing(graph: Any, prizes: Mapping[int, int]) -> list[Pair]:  # noqa: ARG001
    return []


def _direct(graph: Any, prizes: Mapping[int, int]) -> list[Pair]:
    """Take every edge between prized proteins."""
    return list(graph.subgraph(prizes).edges)


def _hub(graph: Any, prizes: Mapping[int, int]) -> list[Pair]:
    """Join everything through the protein with most prized partners."""
    met = [other for end in prizes for other in graph[end] if other not in prizes]
    if not met:
        return []
    hub = max(sorted(set(met)), key=met.count)
    return [(hub, end) for end in prizes if graph.has_edge(hub, end)]


def _all_terminals(graph: Any, prizes: Mapping[int, int]) -> list[Pair]:
    """Join all prized proteins of the largest part by the approximation of networkx (Mehlhorn)."""
    part = graph.subgraph(max(nx.connected_components(graph), key=len))
    ends = [end for end in prizes if end in part]
    found = nx.algorithms.approximation.steiner_tree(part, ends, method="mehlhorn")
    return list(found.edges)


def _while_it_pays(graph: Any, prizes: Mapping[int, int]) -> list[Pair]:
    """Grow one tree from the largest prize by the shortest path to a prize that pays for it."""
    tree = {max(sorted(prizes), key=lambda end: prizes[end])}
    edges: list[Pair] = []
    while True:
        found: Any = nx.multi_source_dijkstra(graph, tree, cutoff=max(prizes.values()))
        far, paths = found
        gains = {end: prizes[end] - far[end] for end in prizes if end in far and end not in tree}
        if not gains or max(gains.values()) <= 0:
            return edges
        path = paths[max(sorted(gains), key=lambda end: gains[end])]
        edges += list(pairwise(path))
        tree.update(path)


_HEURISTICS: dict[str, Heuristic] = {
    "nothing": _nothing,
    "edges between prizes": _direct,
    "one hub": _hub,
    "all prizes, approximate tree": _all_terminals,
    "tree that grows while it pays": _while_it_pays,
}


def tree_heuristics(*, quick: bool) -> list[dict[str, Any]]:
    """Return a row per size and heuristic on made networks, against the exact tree."""
    rows = []
    for nodes, terminals in ((40, 4),) if quick else ((40, 4), (100, 6), (200, 8)):
        source = SteinerSource(split=SPLITS[1], nodes=nodes, terminals=terminals)
        found: dict[str, list[tuple[float, float]]] = {}
        for index in range(5 if quick else 50):
            task, world = source[index], source.world(index)
            graph: Any = nx.Graph()
            for triple in world.store.triples():
                graph.add_edge(triple[0], triple[2], weight=world.weight(*triple), triple=triple)
            seeds = task.meta["seeds"]
            trees = {
                f"networkx, {method}": nx.algorithms.approximation.steiner_tree(
                    graph, seeds, method=method
                ).edges
                for method in ("kou", "mehlhorn")
            }
            trees["cheapest spanning tree"] = nx.minimum_spanning_tree(graph).edges
            for name, edges in trees.items():
                triples = [graph.edges[edge]["triple"] for edge in edges]
                built = world.graph(triples, seeds, seeds)
                value, metrics = source.truth(task, built, None)
                found.setdefault(name, []).append((value, metrics["cost_ratio"]))
        for name, pairs in found.items():
            success, ratio = np.mean(pairs, axis=0).tolist()
            told = {"nodes": nodes, "terminals": terminals, "tasks": len(pairs)}
            rows.append({**told, "heuristic": name, "success": success, "cost_ratio": ratio})
    return rows
