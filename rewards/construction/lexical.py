"""Retrieval without a graph: what the words of the question find. The floor of `passage_recall`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from graphenv.corpus import Corpus, CorpusQuestion
from graphenv.errors import ConfigError
from graphenv.rewards.construction.index import recall_at
from graphenv.rewards.construction.wording import words

__all__ = ["lexical_recall"]


def lexical_recall(corpus: Corpus, question: CorpusQuestion, k: int | None = None) -> float:
    """Return the recall of supporting passages by BM25 over titles and texts, in [0, 1].

    A graph that does no better than this is of no use as an index. Deterministic; k and equal
    scores as in `graphenv.rewards.construction.index.recall_at`. Found with the library bm25s.

    Raises
    ------
    ConfigError
        If bm25s is not installed.

    References
    ----------
    Robertson and Zaragoza, The probabilistic relevance framework: BM25 and beyond, 2009.

    Examples
    --------
    >>> from graphenv.corpus import Passage
    >>> corpus = Corpus((Passage("Heat", "A film by Michael Mann."), Passage("Thief", "A film.")))
    >>> lexical_recall(corpus, CorpusQuestion("Who made Thief?", supporting=("Thief",)))
    1.0
    """
    asked = [word for word in words(question.text) if word in _vocabulary(corpus)]
    if not asked:
        return 0.0
    return recall_at(_retriever(corpus).get_scores(asked).tolist(), corpus, question, k)


@lru_cache(maxsize=16)
def _tokens(corpus: Corpus) -> list[list[str]]:
    return [words(f"{passage.title}\n{passage.text}") for passage in corpus.passages]


@lru_cache(maxsize=16)
def _vocabulary(corpus: Corpus) -> frozenset[str]:
    return frozenset(word for found in _tokens(corpus) for word in found)


@lru_cache(maxsize=16)
def _retriever(corpus: Corpus) -> Any:
    try:
        import bm25s
    except ImportError:
        raise ConfigError(
            "lexical_recall ranks passages with bm25s, which is not installed. "
            'Install it with: pip install "graphenv[text]"'
        ) from None
    retriever = bm25s.BM25()
    retriever.index(_tokens(corpus), show_progress=False)
    return retriever
