"""`kg_f1`: agreement of a built graph with the gold one, exact or soft, names by their aliases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from graphenv.checks import one_of
from graphenv.corpus import Corpus
from graphenv.episode import Episode
from graphenv.graph import Graph
from graphenv.rewards.construction.evidence import written
from graphenv.rewards.construction.keys import Key, entity_key, name_key, triple_keys
from graphenv.rewards.graphs import alone
from graphenv.rewards.similarity.labels import label_likeness, label_similarity
from graphenv.rewards.similarity.matching import MAX_PAIRS, check_scipy
from graphenv.rewards.terms import EndTerm

__all__ = ["THRESHOLD", "KgF1"]

THRESHOLD = 0.8
"""Names less alike than this are not alike: unrelated words share letters by chance."""

Part = Literal["triples", "entities"]
Matrix = NDArray[np.float64]
_DIGITS = re.compile(r"\d+")


class KgF1(EndTerm):
    """2 M / (P + G): M what P predicted and G gold triples (or entities) have in common.

    Triples are matched one to one, so a repeated one is a wrong one, also where the graph has
    merged what was written: P is at least the number of triples in the text. Underscores are
    spaces, words run together as in `birthPlace` are words, and the aliases of the task's
    documents, if it has any, are one name. In [0, 1]; 1 if both are empty, 0 if no graph was given,
    `None` if the task has no gold graph. Precision counts as much as recall.

    A node without any edge stands beside the triples, as it does for `triple_f1`, and matches its
    equal alone. Blind to nodes that have edges (`of="triples"`), to all but names
    (`of="entities"`), and to right triples that the gold lacks.

    Parameters
    ----------
    of
        `"triples"` or `"entities"` (the distinct names of nodes).
    similarity
        `None`: names and relations are equal or not. `"string"` or `"module:function"`: a triple
        counts for the product of the likeness of its three names, each at least `THRESHOLD`; names
        that hold other numbers are not alike. What is equal is matched first, the rest by the
        Hungarian method.

    Raises
    ------
    ConfigError
        If an argument is unknown, or scipy or rapidfuzz is missing where they are needed.

    Examples
    --------
    >>> from graphenv.episode import Outcome
    >>> from graphenv.rewards import parse
    >>> from graphenv.task import Target, Task
    >>> gold = Graph.from_triples([("Heat", "directed_by", "Michael Mann"), ("Heat", "in", "1995")])
    >>> built = Graph.from_triples([("heat", "directedBy", "Michael_Man"), ("Heat", "in", "1996")])
    >>> episode = Episode("", {}, "", Task("", 0, (), Target(graph=gold)), 1,
    ...                   steps=(), outcome=Outcome("ok", graph=built))
    >>> [round(parse(f"kg_f1({a})")([episode])[0].parts[f"kg_f1({a})"].value, 3)
    ...  for a in ("", "similarity='string'", "of='entities'")]
    [0.0, 0.458, 0.333]
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.graph", "target.graph"})

    def __init__(self, *, of: Part = "triples", similarity: str | None = None) -> None:
        one_of("kg_f1", "of", of, get_args(Part))
        if similarity is not None:
            check_scipy("reward term 'kg_f1'", similarity)
            label_similarity(similarity)
        self.of = of
        self.similarity = similarity

    def score(self, episode: Episode) -> float | None:
        """Return the F1 in [0, 1]; `None` if the task has no gold graph."""
        target = episode.task.target
        if target.graph is None:
            return None
        predicted = episode.outcome.graph if episode.outcome is not None else None
        if predicted is None:
            return 0.0
        if predicted.directed != target.graph.directed:
            # What is asked for decides whether an edge has a direction.
            predicted = Graph(predicted.nodes, predicted.edges, directed=target.graph.directed)
        mine, gold = (self._parts(g, target.corpus) for g in (predicted, target.graph))
        said = written(episode.outcome) if episode.outcome and self.of == "triples" else 0
        size = max(len(mine), said) + len(gold)
        if self.similarity is None:
            matched = float((Counter(mine) & Counter(gold)).total())
        else:
            matched = self._soft(mine, gold, target.corpus, target.graph.directed)
        return min(1.0, 2.0 * matched / size) if size else 1.0

    def _parts(self, graph: Graph, corpus: Corpus | None) -> Sequence[Key | tuple[str]]:
        if self.of == "triples":
            lone = ((entity_key(name, corpus),) for name in alone(graph))
            return [*triple_keys(graph, corpus), *lone]
        return [(name,) for name in dict.fromkeys(entity_key(x, corpus) for x in graph.labels)]

    def _soft(
        self,
        mine: Sequence[Key | tuple[str]],
        gold: Sequence[Key | tuple[str]],
        corpus: Corpus | None,
        directed: bool,
    ) -> float:
        """Return the summed likeness of parts matched one to one."""
        same = Counter(mine) & Counter(gold)
        width = 3 if self.of == "triples" else 1
        left, right = (
            sorted(part for part in (Counter(side) - same).elements() if len(part) == width)
            for side in (mine, gold)
        )
        if not left or not right or len(left) * len(right) > MAX_PAIRS:
            return float(same.total())
        worth = self._names(left, right, 0, 0, corpus)
        if self.of == "triples":
            worth = worth * self._names(left, right, 2, 2, corpus)
            if not directed:
                turned = self._names(left, right, 0, 2, corpus)
                worth = np.maximum(worth, turned * self._names(left, right, 2, 0, corpus))
            worth = worth * self._names(left, right, 1, 1, None)
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(worth, maximize=True)
        return same.total() + float(worth[rows, columns].sum())

    def _names(
        self,
        left: Sequence[Key | tuple[str]],
        right: Sequence[Key | tuple[str]],
        of_left: int,
        of_right: int,
        corpus: Corpus | None,
    ) -> Matrix:
        """Return how alike the names at one place of each part are, (left, right)."""
        names = sorted({part[of_left] for part in left})
        others = sorted({part[of_right] for part in right})
        groups = _groups(corpus.aliases) if corpus is not None else {}
        forms = [(form, j) for j, name in enumerate(others) for form in groups.get(name, (name,))]
        texts = [form for form, _ in forms]
        numbers = [[sorted(_DIGITS.findall(x)) for x in side] for side in (names, texts)]
        ask = np.array([[a == b for b in numbers[1]] for a in numbers[0]], dtype=bool)
        alike = label_likeness(self.similarity, names, texts, ask)
        small = np.zeros((len(names), len(others)))
        for column, (_, j) in enumerate(forms):
            small[:, j] = np.maximum(small[:, j], alike[:, column])
        small[small < THRESHOLD] = 0.0
        at = [{name: i for i, name in enumerate(side)} for side in (names, others)]
        rows = [at[0][part[of_left]] for part in left]
        return small[np.ix_(rows, [at[1][part[of_right]] for part in right])]


@lru_cache(maxsize=64)
def _groups(aliases: tuple[tuple[str, ...], ...]) -> dict[str, tuple[str, ...]]:
    """Return all keys of the names of an entity, by the key of its first name."""
    return {name_key(g[0]): tuple(dict.fromkeys(map(name_key, g))) for g in aliases if g}
