"""Seconds to read a query, to build its graph and its clauses, beside sqlglot alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from graphenv.benchmarks.queries.data import Gold, GoldSet, gold_sets
from graphenv.envs.queries.reading import read_query
from graphenv.query.components import components, mentions
from graphenv.query.graphs import query_graph
from graphenv.query.model import Query

__all__ = ["reading"]


def reading(folder: Path | None, *, quick: bool) -> list[dict[str, Any]]:
    """Return, for every set, microseconds per query of each step, and the sizes of the graphs.

    The steps of one query follow one another, so that sqlglot and the reader see the same machine.
    The best of several rounds counts for each query.
    """
    rows = []
    for gold_set in gold_sets(folder, quick=quick):
        rows.append(_one(gold_set, 1 if quick else 3))
        print(rows[-1], flush=True)
    return rows


def _one(gold_set: GoldSet, rounds: int) -> dict[str, Any]:
    best: dict[str, list[float]] = {}
    nodes, sizes, unread, unqualified = [], [], 0, 0
    for gold in gold_set.gold:
        took: dict[str, list[float]] = {}
        for _ in range(rounds):
            read = _timed(took, "read", read_query, gold.text, gold_set.language, gold.schema)
            if not isinstance(read, Query):
                break
            graph = _timed(took, "graph", query_graph, read)
            _timed(took, "components", components, read)
            _timed(took, "mentions", mentions, read)
            if gold_set.language == "sql":
                qualified = _timed(took, "sqlglot", _qualified, gold)
        if not isinstance(read, Query):
            unread += 1
            continue
        unqualified += gold_set.language == "sql" and not qualified
        nodes.append(len(graph))
        sizes.append(len(graph) + graph.num_edges)
        for name, seconds in took.items():
            best.setdefault(name, []).append(min(seconds) * 1e6)
    found: dict[str, Any] = {
        "set": gold_set.name,
        "queries": len(gold_set.gold),
        "unread": unread,
        "nodes_median": float(np.median(nodes)),
        "size_median": float(np.median(sizes)),
        "size_most": int(np.max(sizes)),
        "us": {name: _spread(values) for name, values in best.items()},
    }
    if gold_set.language == "sql":
        found["unqualified"] = unqualified
        pairs = zip(best["sqlglot"], best["read"], strict=True)
        found["read_over_sqlglot"] = float(np.median([ours / theirs for theirs, ours in pairs]))
    return found


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": float(np.median(values)), "p99": float(np.percentile(values, 99))}


def _timed(
    took: dict[str, list[float]], name: str, step: Callable[..., Any], *arguments: object
) -> Any:
    start = time.perf_counter()
    made = step(*arguments)
    took.setdefault(name, []).append(time.perf_counter() - start)
    return made


def _qualified(gold: Gold) -> bool:
    """Parse and qualify by sqlglot; `False` if it cannot resolve a column."""
    import sqlglot
    from sqlglot.optimizer.qualify import qualify

    tables = {e.name: {p.name: "text" for p in e.properties} for e in gold.schema.entities}
    tree = sqlglot.parse_one(gold.text, dialect="sqlite")
    try:
        qualify(tree, schema=tables, dialect="sqlite")
    except sqlglot.errors.OptimizeError:
        return False
    return True
