"""Terms about what a query returns: is it right, how nearly, at what cost."""

from __future__ import annotations

from typing import Any, ClassVar

from graphenv.episode import Episode
from graphenv.query.matching import execution_match, has_verdict, mean_row_f1
from graphenv.query.results import Result, Rows
from graphenv.rewards.terms import EndTerm, Grade

__all__ = ["Efficiency", "Execution", "RowF1", "executes_right"]

NO_ROWS = "the gold query has rows on none of the databases: nothing tells right from wrong"


def _results(episode: Episode) -> tuple[tuple[Result, ...], tuple[Result, ...]] | None:
    """Return (predicted, gold) results; `None` if the gold cannot tell right from wrong."""
    gold = episode.task.target.results
    if gold is None or not has_verdict(gold):
        return None
    predicted = episode.outcome.results if episode.outcome is not None else None
    return predicted or (), gold


def _no_verdict(episode: Episode) -> Grade:
    info = {} if episode.task.target.results is None else {"reason": NO_ROWS}
    return Grade(None, info)


def executes_right(episode: Episode) -> bool | None:
    """Return whether the predicted query is right by `execution_match`; `None` if unknowable.

    The order of rows counts if `task.meta["ordered"]` says so.
    """
    found = _results(episode)
    if found is None:
        return None
    predicted, gold = found
    task = episode.task
    ordered = bool(task.meta.get("ordered", False))
    return execution_match(predicted, gold, task.target.accepted, ordered=ordered)


class Execution(EndTerm):
    """1 if the query returns the right rows on every database of the task, else 0.

    Rows are a bag, columns may stand in any order, the order of rows counts if the question asks
    for one; `graphenv.query.matching.execution_match` says it in full. A task's databases are the
    published one and seeded variations of it, so that a query that is right by luck fails on one.
    Finding nothing is never right for that alone: `None` where the gold has rows nowhere. 0 if no
    query was given or it does not run.

    Blind to how the rows were found, and to all that no database of the task tells apart.

    Source: execution accuracy (Zhong et al., Semantic evaluation for text-to-SQL with distilled
    test suites, EMNLP 2020), where two empty results are equal.

    >>> from graphenv.rewards import parse
    >>> parse("execution").range
    (0.0, 1.0)
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.results", "target.results"})

    def score(self, episode: Episode) -> float | Grade:
        """Return 1.0 or 0.0."""
        right = executes_right(episode)
        return _no_verdict(episode) if right is None else float(right)


class RowF1(EndTerm):
    """F1 of the cells in rows that are right, under the best pairing of columns, in [0, 1].

    2 m k / (cells predicted + cells of the gold), where k columns are paired and m rows agree in
    all of them; the mean over the databases where either side has rows. Surplus rows and columns
    are charged. 1 for the gold, 0 for no query, no rows, or a query that does not run; `None` where
    the gold has rows nowhere. See `graphenv.query.matching.row_f1`.

    Blind to the order of rows, and to how they were found: a table of everything earns little, but
    a constant that stands in many gold rows earns its share. Partial credit, never alone.

    Source: ours.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"outcome.results", "target.results"})

    def score(self, episode: Episode) -> float | Grade:
        """Return a value in [0, 1]."""
        found = _results(episode)
        if found is None:
            return _no_verdict(episode)
        predicted, gold = found
        return mean_row_f1(predicted, gold) if len(predicted) == len(gold) else 0.0


class Efficiency(EndTerm):
    """min(1, work of the gold / work of the prediction) if the query is right, else 0.

    Work is what the engine counts (instructions, tuples), summed over the databases on which the
    gold runs; the same query counts the same on every machine. `None` where the engine counts
    nothing, which an environment refuses when it is made, and where `execution` is `None`. A query
    that takes less work than the gold earns no more than 1. SQLite counts instructions of its
    machine, rounded up to a multiple of 10: what both do within one step is as much, 1; a gold
    whose count is 0 counts as 1.

    Blind to everything but work: use it beside `execution`.

    Source: the valid efficiency score of BIRD (Li et al., Can LLM already serve as a database
    interface?, NeurIPS 2023), which measures seconds.
    """

    needs: ClassVar[frozenset[str]] = frozenset(
        {"outcome.results", "target.results", "outcome.work"}
    )

    def score(self, episode: Episode) -> float | Grade:
        """Return a value in [0, 1]."""
        right = executes_right(episode)
        found = _results(episode)
        if right is None or found is None:
            return _no_verdict(episode)
        if not right:
            return 0.0
        pairs = [(a, b) for a, b in zip(*found, strict=True) if isinstance(b, Rows)]
        ours = [_work(result) for result, _ in pairs]
        theirs = [_work(result) for _, result in pairs]
        if None in ours or None in theirs:
            return Grade(None, {"reason": "the engine counted no work"})
        spent, needed = sum(filter(None, ours)), sum(filter(None, theirs))
        info: dict[str, Any] = {"work": spent, "gold_work": needed}
        return Grade(1.0 if spent <= needed else max(needed, 1) / spent, info)


def _work(result: Result) -> int | None:
    return result.work if isinstance(result, Rows) else None
