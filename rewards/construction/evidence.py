"""Which triples of a built graph the documents state, and what share of all that was written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from graphenv.corpus import Corpus
from graphenv.episode import Outcome
from graphenv.graph import Graph
from graphenv.rewards.construction.keys import triple_keys
from graphenv.rewards.construction.wording import places
from graphenv.task import Task
from graphenv.text import parse_json

__all__ = [
    "MAX_TRIPLES",
    "WORDS_PER_TRIPLE",
    "Evidence",
    "allowance",
    "evidence",
    "grounded_share",
    "grounds",
]

MAX_TRIPLES = 2_000
"""So many triples of a graph are looked at; the others count as wrong."""

WORDS_PER_TRIPLE = 4
"""Where no gold graph is known, documents are taken to state a triple in so many words at most: as
dense as the densest hundredth of WebNLG (Re-DocRED: nine words, the median)."""


@dataclass(frozen=True)
class Evidence:
    """What is left of a built graph when unsupported triples are dropped, one by one.

    Parameters
    ----------
    graph
        The supported triples, each once.
    passages
        For each of its edges the passages that hold both names, as bits.
    written
        How many triples were written, those that were repeated or dropped included.
    precision
        The share of written triples that are supported, distinct and within the allowed size; 0.0
        if there are none.
    """

    graph: Graph
    passages: tuple[int, ...]
    written: int
    precision: float


def grounds(graph: Graph, corpus: Corpus) -> list[int]:
    """Return for each edge the passages that hold both of its names, as bits (bit i: passage i).

    A name is looked for as it was written (the id of its node), as its label, and by its aliases.
    A loop stands nowhere: it says nothing of two names.

    >>> from graphenv.corpus import Passage
    >>> corpus = Corpus((Passage("Heat", "It was directed by Michael Mann in 1995."),))
    >>> built = Graph.from_triples([("Heat", "by", "michael mann"), ("Heat", "by", "Mann's wife")])
    >>> grounds(built, corpus)
    [1, 0]
    """
    where = places(corpus)
    masks: dict[int, int] = {}
    found = []
    for edge in graph.edges[:MAX_TRIPLES]:
        for end in (edge.head, edge.tail):
            if end not in masks:
                masks[end] = where.of((graph.nodes[end].id, graph.nodes[end].label))
        found.append(masks[edge.head] & masks[edge.tail] if edge.head != edge.tail else 0)
    return found + [0] * (graph.num_edges - len(found))


def allowance(corpus: Corpus) -> int:
    """Return how many triples documents may state at most: one in `WORDS_PER_TRIPLE` words.

    >>> from graphenv.corpus import Passage
    >>> allowance(Corpus((Passage("Heat", "It was directed by Michael Mann in 1995."),)))
    2
    """
    return max(1, places(corpus).num_words // WORDS_PER_TRIPLE)


def grounded_share(graph: Graph, corpus: Corpus) -> float:
    """Return the share of triples whose names stand in one passage, pairs of names counted once.

    At most `allowance` of them count, so that it falls with the size of a graph that links all
    names. In [0, 1]; 0.0 for no triples.

    >>> from graphenv.corpus import Passage
    >>> corpus = Corpus((Passage("Heat", "It was directed by Michael Mann in 1995."),))
    >>> grounded_share(Graph.from_triples([("Heat", "by", "Michael Mann")]), corpus)
    1.0
    >>> names = ("Heat", "Michael Mann", "1995")
    >>> everything = [(a, "and", b) for a in names for b in names if a != b]
    >>> grounded_share(Graph.from_triples(everything), corpus)  # 2 of 6 triples
    0.3333333333333333
    """
    keys = triple_keys(graph, corpus)
    held = zip(keys, grounds(graph, corpus), strict=True)
    pairs = {frozenset((key[0], key[2])) for key, mask in held if mask}
    return min(len(pairs), allowance(corpus)) / len(keys) if keys else 0.0


def evidence(outcome: Outcome, task: Task, *, stated: bool = True) -> Evidence:
    """Return the supported part of the graph of an outcome.

    Where the gold graph is known and `stated`, a triple is supported if it is one of the gold's;
    else if a passage holds both of its names. Without gold, further relations between the same two
    names are kept but count as repeated, and more triples than `allowance` as too many.
    """
    graph, target = outcome.graph, task.target
    assert graph is not None and target.corpus is not None
    gold = target.graph if stated else None
    known = frozenset(triple_keys(gold, target.corpus)) if gold is not None else None
    masks = grounds(graph, target.corpus)
    kept: dict[object, int] = {}
    pairs = set()
    for i, (key, mask) in enumerate(zip(triple_keys(graph, target.corpus), masks, strict=True)):
        if i < MAX_TRIPLES and (key in known if known is not None else mask):
            kept.setdefault(key, i)
            pairs.add(frozenset((key[0], key[2])))
    count = len(kept) if known is not None else min(len(pairs), allowance(target.corpus))
    total = max(graph.num_edges, written(outcome))
    chosen = list(kept.values())
    return Evidence(
        part_of(graph, chosen),
        tuple(masks[i] for i in chosen),
        total,
        count / total if total else 0.0,
    )


def written(outcome: Outcome) -> int:
    """Return how many triples an outcome's text holds; a graph tells a repeated one only once."""
    return _count(outcome.program or "")


@lru_cache(maxsize=128)
def _count(program: str) -> int:
    items, _ = parse_json(program)
    return len(items) if isinstance(items, list) else 0


def part_of(graph: Graph, edges: Iterable[int]) -> Graph:
    """Return the graph of some edges and their ends.

    >>> built = Graph.from_triples([("a", "r", "b"), ("c", "r", "d")])
    >>> part_of(built, [1]).triples
    (('c', 'r', 'd'),)
    """
    chosen = [graph.edges[i] for i in edges]
    ends = sorted({end for edge in chosen for end in (edge.head, edge.tail)})
    place = {end: i for i, end in enumerate(ends)}
    moved = (type(edge)(place[edge.head], edge.relation, place[edge.tail]) for edge in chosen)
    nodes = tuple(graph.nodes[end] for end in ends)
    return Graph(nodes, tuple(moved), directed=graph.directed)
