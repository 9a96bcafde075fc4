"""`carrier`: can questions be answered from the built graph alone?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from graphenv.corpus import Corpus, CorpusQuestion
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.rewards.construction.evidence import Evidence, evidence
from graphenv.rewards.construction.f1 import THRESHOLD
from graphenv.rewards.construction.keys import entity_key
from graphenv.rewards.construction.reader import MAX_SHOWN_TRIPLES, Reader, ReaderRequest
from graphenv.rewards.construction.walking import follow, rings, set_f1, starts
from graphenv.rewards.similarity.labels import label_similarity
from graphenv.rewards.terms import EndTerm, Grade, published
from graphenv.text import bounded

__all__ = ["MAX_QUESTIONS", "Carrier", "check_paper"]

MAX_QUESTIONS = 32
"""The first so many questions of a task are asked."""

MAX_SHOWN_NAME = 80


class Carrier(EndTerm):
    """p * mean over questions of the F1 of what the graph answers against the gold answers.

    p is the share of written triples that are supported (`evidence`), each once: those that the
    gold graph has. Only supported triples carry an answer. A question with a path is answered by
    following it from its topics; one without by the entities 1, 2 or 3 edges from them, whichever
    of the three sets is best, all of it. In [0, 1]; `None` if the task has no question with answers
    or no gold graph, 0 for no graph.

    So a dumped answer, an invented triple, all pairs of names and copied documents lose: what is
    not supported carries nothing and lowers p, and no further triple raises the value unless it is
    gold.

    Blind to triples on no question's way, but for p; to relations where no path is known.

    Parameters
    ----------
    similarity
        Relations of a path fit if they are equal (`None`), or alike by `"string"` or
        `"module:function"`, at least 0.8.
    stated
        Whether the gold graph decides what is supported. If not, triples whose two names stand in
        one passage are, within the size that the documents allow. That needs no gold, and is a
        metric rather than a reward: a wrong triple between two such names can carry an answer, and
        a greedy search for them raised the value from .33 to .83. `passage_recall` does not ask
        which entity is the answer.
    reader, base_url, api_key_env, max_tokens, timeout, retries, concurrency
        A language model that answers instead, from the question and at most 60 supported triples
        within 3 edges of its topics; it never sees gold. Its answer counts if it is the gold set,
        aliases allowed; no readable answer is a wrong one; a server that fails is a crash.
    function
        Instead of a model: `"module:name"` of a function of a `ReaderRequest`.
    paper
        `"autograph"`: as published, for comparison. The share of questions of which a gold answer
        lies within 3 edges of the topics; nothing has to be supported and size is free, so one
        dumped triple is enough. The published judge is a model that sees the gold; here a node
        with an answer's name stands for its verdict.

    Raises
    ------
    ConfigError
        If an argument is impossible, or `paper` stands beside others.

    References
    ----------
    AutoGraph-R1: end-to-end reinforcement learning for knowledge graph construction, 2025.

    Examples
    --------
    >>> from graphenv.rewards import parse
    >>> parse("carrier").range, parse("carrier(similarity='string')").range
    ((0.0, 1.0), (0.0, 1.0))
    """

    needs: ClassVar[frozenset[str]] = frozenset(
        {"outcome.graph", "target.graph", "target.passages", "target.questions"}
    )

    def __init__(
        self,
        *,
        similarity: str | None = None,
        stated: bool = True,
        reader: str | None = None,
        base_url: str = "http://127.0.0.1:8000/v1",
        api_key_env: str | None = None,
        max_tokens: int = 1_024,
        timeout: float = 60.0,
        retries: int = 2,
        concurrency: int = 8,
        function: str | None = None,
        paper: str | None = None,
    ) -> None:
        self.paper = check_paper("carrier", paper, (similarity, reader, function))
        self.stated = stated and self.paper is None
        if not self.stated:
            self.needs = self.needs - {"target.graph"}  # type: ignore[misc] # it is not looked at
        self._similarity = similarity
        label_similarity(similarity)
        self._reader: Reader | None = None
        if reader is not None or function is not None:
            self._reader = Reader(
                reader,
                function,
                base_url=base_url,
                api_key_env=api_key_env,
                max_tokens=max_tokens,
                timeout=timeout,
                retries=retries,
                concurrency=concurrency,
            )

    def scores(self, episodes: Sequence[Episode]) -> list[float | Grade | None]:
        """Return the values, in order; a reader is asked about all of them at once."""
        asked = [self._asked(episode) for episode in episodes]
        kept = [self._evidence(e) if q else None for e, q in zip(episodes, asked, strict=True)]
        jobs = [
            (graph.graph, _corpus(episode), question)
            for episode, questions, graph in zip(episodes, asked, kept, strict=True)
            if graph is not None
            for question in questions
        ]
        values = iter(self._values(jobs))
        found: list[float | Grade | None] = []
        for questions, graph in zip(asked, kept, strict=True):
            if not questions:
                found.append(None)
            elif graph is None:
                found.append(0.0)
            else:
                each = [next(values) for _ in questions]
                share = 1.0 if self.paper else graph.precision
                info = {"supported": graph.precision, "answered": [round(v, 3) for v in each]}
                found.append(Grade(share * sum(each) / len(each), info))
        return found

    def _asked(self, episode: Episode) -> tuple[CorpusQuestion, ...]:
        target = episode.task.target
        if target.corpus is None or (self.stated and target.graph is None):
            return ()
        return tuple(q for q in target.corpus.questions if q.answers)[:MAX_QUESTIONS]

    def _evidence(self, episode: Episode) -> Evidence | None:
        outcome = episode.outcome
        if outcome is None or outcome.graph is None:
            return None
        if self.paper is not None:
            return Evidence(outcome.graph, (), outcome.graph.num_edges, 1.0)
        return evidence(outcome, episode.task, stated=self.stated)

    def _values(self, jobs: Sequence[tuple[Graph, Corpus, CorpusQuestion]]) -> list[float]:
        if self._reader is None:
            return [self._value(*job) for job in jobs]
        requests = [ReaderRequest(question.text, _shown(g, c, question)) for g, c, question in jobs]
        said = self._reader.answers(requests)
        return [
            float({entity_key(name, corpus) for name in names} == _gold(corpus, question))
            for names, (_, corpus, question) in zip(said, jobs, strict=True)
        ]

    def _value(self, graph: Graph, corpus: Corpus, question: CorpusQuestion) -> float:
        gold = _gold(corpus, question)
        if self.paper is not None:
            return float(any(gold & ring for ring in rings(graph, corpus, question)))
        if question.path:
            return set_f1(follow(graph, corpus, question, self._alike()), gold)
        return max((set_f1(ring, gold) for ring in rings(graph, corpus, question)), default=0.0)

    def _alike(self) -> Callable[[str, str], bool]:
        if self._similarity is None:
            return str.__eq__
        similarity = label_similarity(self._similarity)
        return lambda a, b: similarity(a, b) >= THRESHOLD


def check_paper(term: str, paper: str | None, others: Sequence[Any] = ()) -> str | None:
    """Return the name of a published form, or refuse it.

    Raises
    ------
    ConfigError
        If it is unknown, or other arguments stand beside it.
    """
    if published(term, paper, ["autograph"]) and any(other is not None for other in others):
        raise ConfigError(f"{term}(paper={paper!r}) takes no argument that changes the published")
    return paper


def _corpus(episode: Episode) -> Corpus:
    corpus = episode.task.target.corpus
    assert corpus is not None  # it has questions
    return corpus


def _gold(corpus: Corpus, question: CorpusQuestion) -> set[str]:
    return {entity_key(answer, corpus) for answer in question.answers}


def _shown(
    graph: Graph, corpus: Corpus, question: CorpusQuestion
) -> tuple[tuple[str, str, str], ...]:
    """Return the triples within 3 edges of the topics, the nearest first, names bounded."""
    depth = dict.fromkeys(starts(graph, corpus, question), 0)
    for distance, ring in enumerate(rings(graph, corpus, question), 1):
        depth.update(dict.fromkeys(ring, distance))
    names = [entity_key(label, corpus) for label in graph.labels]
    near = sorted(
        (min(depth[names[edge.head]], depth[names[edge.tail]]), graph.triples[i])
        for i, edge in enumerate(graph.edges)
        if names[edge.head] in depth and names[edge.tail] in depth
    )
    return tuple(
        (bounded(h, MAX_SHOWN_NAME), bounded(r, MAX_SHOWN_NAME), bounded(t, MAX_SHOWN_NAME))
        for _, (h, r, t) in near[:MAX_SHOWN_TRIPLES]
    )
