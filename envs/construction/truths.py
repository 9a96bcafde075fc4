"""How right a built graph is: its triples as a set, or the passages that it leads to."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from graphenv.corpus import Corpus, CorpusQuestion
from graphenv.graph import Graph
from graphenv.rewards.construction.evidence import grounded_share
from graphenv.rewards.construction.index import passage_recall
from graphenv.rewards.construction.keys import entity_key, triple_keys
from graphenv.rewards.construction.walking import follow, set_f1

__all__ = ["construction_truth"]


def construction_truth(
    predicted: Graph | None, gold: Graph | None, corpus: Corpus
) -> tuple[float, dict[str, float]]:
    """Return (success, metrics) of a graph whose aliases are merged; `None`: nothing was built.

    Success is the F1 of the sets of (head, relation, tail), as `kg_f1` compares them: aliases,
    case, spacing, underscores and words run together make no difference (micro F1 of one task, as
    in WebNLG's and Re-DocRED's evaluations). Metrics: `entity_f1`, `precision`, `recall` and
    `size_ratio`, the number of predicted triples over that of gold ones. Two empty sets are equal;
    a share of an empty set is 0. Where questions with paths are known, `answer_f1` is the mean F1
    of what their paths reach in the graph.

    Without gold triples, success is the mean recall of supporting passages over the questions
    (`graphenv.rewards.construction.index.passage_recall`, as many passages as support the
    question) times `grounded_share`. Recall alone, which is what is published, says nothing of the
    size: all pairs of names of each passage find most of the passages, too. It is a metric beside
    it (`passage_recall`), and so are `grounded_share` and `triples`, their number.

    >>> gold = Graph.from_triples([("Heat", "by", "Mann"), ("Heat", "year", "1995")])
    >>> built = Graph.from_triples([("heat", "by", "Mann")])
    >>> success, metrics = construction_truth(built, gold, Corpus(()))
    >>> round(success, 3), metrics["precision"], metrics["recall"]
    (0.667, 1.0, 0.5)
    """
    if gold is None:
        return _recall(predicted, corpus)
    asked = [question for question in corpus.questions if question.path and question.answers]
    if predicted is None:
        names = ["entity_f1", "precision", "recall", "size_ratio"]
        return 0.0, dict.fromkeys([*names, *(["answer_f1"] if asked else [])], 0.0)
    mine, right = set(triple_keys(predicted, corpus)), set(triple_keys(gold, corpus))
    both = len(mine & right)
    metrics = {
        "entity_f1": _f1(_entities(predicted, corpus), _entities(gold, corpus)),
        "precision": both / len(mine) if mine else 0.0,
        "recall": both / len(right) if right else 0.0,
        "size_ratio": len(mine) / len(right) if right else float(len(mine)),
    }
    if asked:
        answered = [_answer_f1(predicted, corpus, question) for question in asked]
        metrics["answer_f1"] = sum(answered) / len(answered)
    return _f1(mine, right), metrics


def _answer_f1(graph: Graph, corpus: Corpus, question: CorpusQuestion) -> float:
    answers = {entity_key(answer, corpus) for answer in question.answers}
    return set_f1(follow(graph, corpus, question), answers)


def _recall(predicted: Graph | None, corpus: Corpus) -> tuple[float, dict[str, float]]:
    asked = [question for question in corpus.questions if question.supporting]
    if predicted is None or not asked:
        return 0.0, dict.fromkeys(("passage_recall", "grounded_share", "triples"), 0.0)
    values = [passage_recall(predicted, corpus, q, len(q.supporting)) for q in asked]
    recall, share = sum(values) / len(values), grounded_share(predicted, corpus)
    found = {"passage_recall": recall, "grounded_share": share}
    return recall * share, {**found, "triples": float(predicted.num_edges)}


def _entities(graph: Graph, corpus: Corpus) -> set[str]:
    return {entity_key(label, corpus) for label in graph.labels}


def _f1(predicted: Set[Any], gold: Set[Any]) -> float:
    size = len(predicted) + len(gold)
    return 2.0 * len(predicted & gold) / size if size else 1.0
