"""The published measures of a subgraph and of a ranking, against the gold. Truth, not rewards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence

from graphenv.graph import Graph

__all__ = ["graph_truth", "part_f1", "ranking_truth"]


def part_f1(graph: Graph, gold: Graph, seeds: Collection[str] = ()) -> float:
    """Return the F1 in [0, 1] of the edges, where a node without any edge is a part of its own.

    Seeds are in every graph: one without an edge is no such part. Names are compared as they
    stand, parts as bags; an undirected edge has no order.

    >>> gold = Graph.from_triples([("a", "r", "b"), ("b", "r", "c")])
    >>> part_f1(Graph.from_triples([("a", "r", "b")]), gold)
    0.6666666666666666
    """
    return _f1(_parts(graph, seeds), _parts(gold, seeds))


def _parts(graph: Graph, seeds: Collection[str]) -> Counter[Hashable]:
    found: Counter[Hashable] = Counter()
    ends: set[str] = set()
    for head, relation, tail in graph.triples:
        ends |= {head, tail}
        pair = (head, tail) if graph.directed else tuple(sorted((head, tail)))
        found[(*pair, relation)] += 1
    found.update((name,) for name in graph.labels if name not in ends and name not in seeds)
    return found


def _f1(found: Counter[Hashable], gold: Counter[Hashable]) -> float:
    size = found.total() + gold.total()
    return 2.0 * (found & gold).total() / size if size else 1.0


def graph_truth(
    graph: Graph, gold: Graph, seeds: Collection[str] = ()
) -> tuple[float, dict[str, float]]:
    """Return (`part_f1`, metrics): node F1, edge precision, recall and F1, and exactness.

    Node F1 leaves the seeds out where the gold has other nodes.
    """
    mine, right = _parts(graph, seeds), _parts(gold, seeds)
    shared = (mine & right).total()
    named = Counter[Hashable](n for n in graph.labels if n not in seeds)
    wanted = Counter[Hashable](n for n in gold.labels if n not in seeds)
    value = _f1(mine, right)
    return value, {
        "edge_precision": shared / mine.total() if mine else float(not right),
        "edge_recall": shared / right.total() if right else float(not mine),
        "node_f1": _f1(named, wanted) if wanted else float(not named),
        "exact": float(mine == right),
    }


def ranking_truth(
    ranking: Sequence[str] | None, gold: Collection[str], ks: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """Return `p@k`, `r@k` and `hit@k` of a ranking of distinct names; all 0.0 where it is `None`.

    Precision divides by k also where fewer were ranked or fewer are gold: P@k of the best ranking
    is min(k, |gold|) / k.

    >>> ranking_truth(["a", "x"], {"a", "b"}, ks=(2,))
    {'p@2': 0.5, 'r@2': 0.5, 'hit@2': 1.0}
    """
    wanted = set(gold)
    names = list(dict.fromkeys(ranking or ()))
    found: dict[str, float] = {}
    for k in ks:
        right = len(wanted.intersection(names[:k]))
        found[f"p@{k}"] = right / k
        found[f"r@{k}"] = right / len(wanted) if wanted else 0.0
        found[f"hit@{k}"] = float(right > 0)
    return found
