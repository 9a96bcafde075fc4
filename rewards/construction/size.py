"""`compactness`: no triple twice, and no more of them than the documents can state."""

from __future__ import annotations

from typing import ClassVar

from graphenv.episode import Episode
from graphenv.rewards.construction.evidence import allowance, written
from graphenv.rewards.construction.keys import Key, triple_keys
from graphenv.rewards.construction.wording import MAX_NAME_CHARS, MAX_NAME_WORDS
from graphenv.rewards.terms import EndTerm
from graphenv.score import Kind

__all__ = ["Compactness"]


class Compactness(EndTerm):
    """min(D, L) / W: D distinct triples of W written ones, L how many there should be at most.

    L is the number of gold triples where they are known; else one triple in four words of the
    documents, and then further relations between the same two names are not distinct. Aliases are
    one name, a name of more than 12 words that is not gold makes no triple, and repetitions count
    in W even where the graph has merged them. In [0, 1]. A graph without triples earns 1 where the
    gold is known to have none, else 0; no graph earns 0. `None` if the task has no documents.

    Blind to whether a triple is right, and to triples that are missing: one triple earns 1. Use it
    as a factor, never alone.

    >>> from graphenv.rewards import parse
    >>> parse("compactness*triple_f1").range
    (0.0, 1.0)
    """

    kind: ClassVar[Kind] = "validity"
    needs: ClassVar[frozenset[str]] = frozenset({"outcome.graph", "target.passages"})

    def score(self, episode: Episode) -> float | None:
        """Return the share of triples that are distinct and within the limit."""
        target, outcome = episode.task.target, episode.outcome
        if target.corpus is None:
            return None
        graph = outcome.graph if outcome is not None else None
        if outcome is None or graph is None:
            return 0.0
        count = max(graph.num_edges, written(outcome))
        gold = target.graph
        if not count:
            return float(gold is not None and not gold.num_edges)
        known = frozenset(triple_keys(gold, target.corpus)) if gold is not None else frozenset()
        keys = (key for key in triple_keys(graph, target.corpus) if key in known or _is_short(key))
        if gold is not None:
            return min(len(set(keys)), gold.num_edges) / count
        return min(len({frozenset((h, t)) for h, _, t in keys}), allowance(target.corpus)) / count


def _is_short(key: Key) -> bool:
    return all(len(name) <= MAX_NAME_CHARS and name.count(" ") < MAX_NAME_WORDS for name in key)
