"""Terms that compare answer sets. Items are equal when their normalised text is."""

from __future__ import annotations

from typing import ClassVar

from graphenv.checks import is_whole
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.rewards.terms import EndTerm
from graphenv.text import normalize

__all__ = ["AnswerF1", "Exact", "Hits", "answer_sets"]


def answer_sets(episode: Episode) -> tuple[list[str], set[str]] | None:
    """Return the predicted items (distinct, in order) and the gold set, all normalised.

    `None` if the task has no gold answer. No prediction at all counts as no items.
    """
    gold = episode.task.target.answer
    if gold is None:
        return None
    predicted = episode.outcome.answer if episode.outcome is not None else None
    items = list(dict.fromkeys(normalize(item) for item in predicted or ()))
    return items, {normalize(item) for item in gold}


def _answered(episode: Episode) -> bool:
    return episode.outcome is not None and episode.outcome.answer is not None


class Exact(EndTerm):
    """1 if the predicted answer set is the gold set, else 0.

    Formula: 1[P = G]. Both empty is right only if an (empty) answer was given.

    >>> from graphenv import rewards
    >>> rewards.parse("exact").range
    (0.0, 1.0)
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.answer", "target.answer"})

    def score(self, episode: Episode) -> float | None:
        """Return 1.0 or 0.0."""
        sets = answer_sets(episode)
        if sets is None:
            return None
        predicted, gold = sets
        return float(_answered(episode) and set(predicted) == gold)


class AnswerF1(EndTerm):
    """F1 of the predicted answer set: 2|P and G| / (|P| + |G|).

    Precision counts: every wrong item lowers it, so listing every entity earns next to nothing.
    Both empty is 1 if an (empty) answer was given, 0 if none was.

    >>> from graphenv import rewards
    >>> rewards.parse("answer_f1").range
    (0.0, 1.0)
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.answer", "target.answer"})

    def score(self, episode: Episode) -> float | None:
        """Return the F1 in [0, 1]."""
        sets = answer_sets(episode)
        if sets is None:
            return None
        predicted, gold = sets
        if not predicted and not gold:
            return float(_answered(episode))
        return 2.0 * len(gold.intersection(predicted)) / (len(predicted) + len(gold))


class Hits(EndTerm):
    """Hits@k times precision: 1[P_k and G not empty] * |P and G| / |P|.

    P_k are the first k predicted items. Plain Hits@k (reported as a metric) is 1 as soon as one of
    k is right, so a policy that appends everything it knows keeps it; here each wrong item costs.
    Recall does not count.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.answer", "target.answer"})

    def __init__(self, *, k: int = 1) -> None:
        if not is_whole(k, 1):
            raise ConfigError(f"hits(k={k!r}): k is a whole number of at least 1")
        self.k = k

    def score(self, episode: Episode) -> float | None:
        """Return a value in [0, 1]."""
        sets = answer_sets(episode)
        if sets is None:
            return None
        predicted, gold = sets
        if not predicted:
            return float(_answered(episode) and not gold)
        hit = not gold.isdisjoint(predicted[: self.k])
        return hit * len(gold.intersection(predicted)) / len(predicted)
