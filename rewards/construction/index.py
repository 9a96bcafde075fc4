"""`passage_recall`: does the built graph lead from a question to the passages that answer it?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, ClassVar

from graphenv.checks import is_whole
from graphenv.corpus import Corpus, CorpusQuestion
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.rewards.construction.carrier import MAX_QUESTIONS, check_paper
from graphenv.rewards.construction.evidence import Evidence, evidence, grounds
from graphenv.rewards.construction.keys import entity_key, name_key
from graphenv.rewards.construction.walking import starts
from graphenv.rewards.construction.wording import places
from graphenv.rewards.terms import EndTerm, Grade

__all__ = ["PassageRecall", "passage_recall", "passage_scores", "recall_at"]

DAMPING = 0.5
"""How far the rank spreads, as in HippoRAG: half of it returns to the question at every step."""

_SAME = 9  # decimals that tell two scores apart


class PassageRecall(EndTerm):
    """p * mean over questions of the recall@k of their supporting passages, p as of `carrier`.

    Passages are ranked by `passage_scores` over the supported triples. Where the gold graph is
    known, recall is divided by what the gold graph recalls, and 1 at most, so that no part of the
    gold is better than all of it; questions by which it recalls nothing are left out. In [0, 1];
    `None` if no question with supporting titles is left, 0 for no graph. Without k, as many
    passages are looked at as support the question, so that recall is precision too.

    Blind to relations and directions: it asks which names belong together. Where no gold graph is
    known, all pairs of names of a passage are supported, and only their number tells. Of the 51
    questions of 2WikiMultihopQA, each among ten passages, the words alone find .86 of the
    supporting passages (`lexical_recall`). Names that begin with capital letters, linked to the
    title, earn .93; the same names all linked to each other .08 (fifteen times as many triples),
    all pairs of titles .01, copied texts 0.

    Parameters
    ----------
    k
        How many passages are looked at; `None`: as many as support the question.
    stated
        Whether a known gold graph decides what is supported.
    paper
        `"autograph"`: as published, for comparison. Recall@5 over all triples as they are, linked
        to every passage that names one of their ends; size is free.

    Raises
    ------
    ConfigError
        If an argument is impossible or scipy is missing.

    References
    ----------
    AutoGraph-R1: end-to-end reinforcement learning for knowledge graph construction, 2025;
    Gutierrez et al., HippoRAG, NeurIPS 2024.

    Examples
    --------
    >>> from graphenv.rewards import parse
    >>> parse("passage_recall(k=5)").range
    (0.0, 1.0)
    """

    needs: ClassVar[frozenset[str]] = frozenset(
        {"outcome.graph", "target.passages", "target.supporting"}
    )

    def __init__(
        self, *, k: int | None = None, stated: bool = True, paper: str | None = None
    ) -> None:
        self.paper = check_paper("passage_recall", paper)
        if k is not None and not is_whole(k, 1):
            raise ConfigError(f"passage_recall: k={k!r} is no whole number of passages")
        _check_scipy()
        self.k = 5 if k is None and paper is not None else k
        self.stated = stated

    def score(self, episode: Episode) -> float | Grade | None:
        """Return the value, with the recall of each question."""
        corpus, outcome = episode.task.target.corpus, episode.outcome
        gold = episode.task.target.graph if self.stated and self.paper is None else None
        if corpus is None:
            return None
        best = _best(gold, corpus, self.k)
        asked = [(q, most) for q, most in zip(_asked(corpus), best, strict=True) if most]
        if not asked:
            return None
        if outcome is None or outcome.graph is None:
            return 0.0
        if self.paper is not None:
            found = Evidence(outcome.graph, _mentions(outcome.graph, corpus), 0, 1.0)
        else:
            found = evidence(outcome, episode.task, stated=self.stated)
        each = [
            min(
                1.0,
                recall_at(_ranked(found.graph, found.passages, corpus, q), corpus, q, self.k) / x,
            )
            for q, x in asked
        ]
        info = {"supported": found.precision, "recalled": [round(v, 3) for v in each]}
        return Grade(found.precision * sum(each) / len(each), info)


def _asked(corpus: Corpus) -> list[CorpusQuestion]:
    return [question for question in corpus.questions if question.supporting][:MAX_QUESTIONS]


@lru_cache(maxsize=256)
def _best(gold: Graph | None, corpus: Corpus, k: int | None) -> tuple[float, ...]:
    """Return for each question what the gold graph recalls; 1.0 where no gold is known."""
    asked = _asked(corpus)
    if gold is None:
        return (1.0,) * len(asked)
    return tuple(passage_recall(gold, corpus, question, k) for question in asked)


def passage_recall(
    graph: Graph, corpus: Corpus, question: CorpusQuestion, k: int | None = None
) -> float:
    """Return the share of the supporting passages of a question among the best k, in [0, 1].

    Without k, as many as support it. Size and ungrounded triples are not charged here, though
    the latter lead nowhere.

    >>> from graphenv.corpus import Passage
    >>> films = Passage("Heat", "Heat was directed by Michael Mann.")
    >>> people = Passage("Michael Mann", "Michael Mann was born in Chicago.")
    >>> other = Passage("Thief", "Thief is a film of 1981.")
    >>> corpus = Corpus((other, people, films))
    >>> both = ("Heat", "Michael Mann")
    >>> asked = CorpusQuestion("Where was Heat's director born?", supporting=both)
    >>> built = [("Heat", "by", "Michael Mann"), ("Michael Mann", "born in", "Chicago")]
    >>> passage_recall(Graph.from_triples(built), corpus, asked)
    1.0
    >>> passage_recall(Graph.from_triples(built[1:]), corpus, asked)
    0.0
    """
    return recall_at(passage_scores(graph, corpus, question), corpus, question, k)


def passage_scores(graph: Graph, corpus: Corpus, question: CorpusQuestion) -> list[float]:
    """Return how much each passage has to do with a question, by the graph alone.

    Personalised PageRank over the entities of grounded triples, from the topics of the question
    (names that stand in it where none are known); a passage gets the rank of the entities of the
    triples that it grounds, each shared among all passages that have it, so that a hub tells
    little. All 0.0 if the question names nothing in the graph.

    Raises
    ------
    ConfigError
        If scipy is missing.
    """
    _check_scipy()
    return _ranked(graph, grounds(graph, corpus), corpus, question)


def recall_at(
    scores: Sequence[float], corpus: Corpus, question: CorpusQuestion, k: int | None = None
) -> float:
    """Return the share of supporting passages among the k best scores above 0.

    Equal scores at the border count for what a draw among them gives on average.

    >>> from graphenv.corpus import Passage
    >>> corpus = Corpus(tuple(Passage(title, "") for title in "ABCD"))
    >>> recall_at([0.5, 0.2, 0.2, 0.0], corpus, CorpusQuestion("?", supporting=("A", "B")))
    0.75
    """
    wanted = {name_key(title) for title in question.supporting}
    titles = [name_key(passage.title) for passage in corpus.passages]
    rounded = [round(score, _SAME) for score in scores]
    left = float(len(wanted) if k is None else k)
    hits: dict[str, float] = {}
    for level in sorted({score for score in rounded if score > 0}, reverse=True):
        tied = [title for title, score in zip(titles, rounded, strict=True) if score == level]
        share = min(1.0, left / len(tied))
        for title in set(tied) & wanted:
            hits[title] = min(1.0, hits.get(title, 0.0) + share)
        left -= len(tied)
        if left <= 0:
            break
    return sum(hits.values()) / len(wanted) if wanted else 0.0


def _ranked(
    graph: Graph, passages: Sequence[int], corpus: Corpus, question: CorpusQuestion
) -> list[float]:
    import networkx as nx

    names = [entity_key(label, corpus) for label in graph.labels]
    where: dict[str, int] = {}
    pairs = set()
    for edge, mask in zip(graph.edges, passages, strict=True):
        if mask:
            head, tail = sorted((names[edge.head], names[edge.tail]))
            pairs.add((head, tail))
            where[head] = where.get(head, 0) | mask
            where[tail] = where.get(tail, 0) | mask
    seeds = sorted(starts(graph, corpus, question) & where.keys())
    scores = [0.0] * len(corpus.passages)
    if not seeds:
        return scores
    network: nx.Graph[Any] = nx.Graph()
    network.add_nodes_from(sorted(where))  # sums must not depend on the order of triples
    network.add_edges_from(sorted(pairs))
    seeded = dict.fromkeys(seeds, 1.0)
    # From the seeds on, so that what they do not reach has exactly nothing.
    rank = nx.pagerank(network, alpha=DAMPING, personalization=seeded, nstart=seeded)
    for name, value in rank.items():
        held = [i for i in range(len(scores)) if where[name] >> i & 1]
        for i in held:
            scores[i] += value / len(held)
    return scores


def _mentions(graph: Graph, corpus: Corpus) -> tuple[int, ...]:
    """Return for each edge the passages that name one of its ends, as bits."""
    stands = [places(corpus).of((node.id, node.label)) for node in graph.nodes]
    return tuple(stands[edge.head] | stands[edge.tail] for edge in graph.edges)


def _check_scipy() -> None:
    if find_spec("scipy") is None:
        raise ConfigError(
            "passage_recall ranks passages by PageRank with scipy, which is not installed. "
            'Install it with: pip install "graphenv[text]"'
        )
