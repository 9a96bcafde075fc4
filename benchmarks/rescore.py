"""Stored episodes under other rewards: no training, no model, the same grading path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphenv.benchmarks.comparison.stats import rank_correlation
from graphenv.envs.replay import EnvCache, replay
from graphenv.episode import EpisodeRecord
from graphenv.errors import DataError, ReplayMismatch
from graphenv.score import Score

__all__ = ["Rescored", "RewardColumn", "rescore"]


@dataclass(frozen=True)
class RewardColumn:
    """What one reward says about the episodes, in their order; a mismatch has no score."""

    reward: str
    scores: list[Score | None] = field(repr=False)

    @property
    def values(self) -> list[float | None]:
        """One value per episode, `None` where there is none."""
        return [None if score is None else score.value for score in self.scores]


@dataclass(frozen=True)
class Rescored:
    """Episodes graded by several rewards.

    Parameters
    ----------
    records
        The episodes as they were logged.
    truths
        Their success as replayed; `None` where the replay differs from the log.
    columns
        One per reward.
    mismatches
        Why episodes were not graded, by place: their replay gave other facts than recorded.
    """

    records: list[EpisodeRecord] = field(repr=False)
    truths: list[float | None]
    columns: list[RewardColumn]
    mismatches: dict[int, str]

    def correlation(self, column: RewardColumn) -> float | None:
        """Spearman's rank correlation of a reward with the truth; `None` if either is constant."""
        pairs = [
            (value, truth)
            for value, truth in zip(column.values, self.truths, strict=True)
            if value is not None and truth is not None
        ]
        if not pairs:
            return None
        return rank_correlation([value for value, _ in pairs], [truth for _, truth in pairs])

    def summary(self) -> list[dict[str, Any]]:
        """Return a row per reward: mean, mean among right and wrong, correlation, graded."""
        rows = []
        for column in self.columns:
            right = self._among(column, right=True)
            wrong = self._among(column, right=False)
            errors = sum(s is not None and s.status == "error" for s in column.scores)
            both = right + wrong
            rows.append(
                {
                    "reward": column.reward,
                    "graded": len(both),
                    "mean": _mean(both),
                    "mean_right": _mean(right),
                    "mean_wrong": _mean(wrong),
                    "rank_correlation": self.correlation(column),
                    "errors": errors,
                }
            )
        return rows

    def _among(self, column: RewardColumn, *, right: bool) -> list[float]:
        return [
            value
            for value, truth in zip(column.values, self.truths, strict=True)
            if value is not None and truth is not None and (truth >= 1.0) == right
        ]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form, with every value."""
        return {
            "episodes": len(self.records),
            "replay_mismatch": len(self.mismatches),
            "mismatches": {str(place): why for place, why in self.mismatches.items()},
            "truth": _mean([truth for truth in self.truths if truth is not None]),
            "rewards": self.summary(),
            "task_ids": [record.task_id for record in self.records],
            "truths": self.truths,
            "values": {column.reward: column.values for column in self.columns},
        }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def rescore(
    records: Sequence[EpisodeRecord],
    rewards: Sequence[str],
    *,
    on_record: Callable[[], None] = lambda: None,
) -> Rescored:
    """Play logged episodes again and grade them under every reward.

    An episode whose replay gives other facts than recorded is counted as a mismatch and graded by
    none: a number about other facts would be wrong in silence.

    Parameters
    ----------
    records
        Lines of an episode log.
    rewards
        Reward expressions.
    on_record
        Called after each record and reward.

    Raises
    ------
    DataError
        If there are no records.
    ConfigError, DataError
        If an environment cannot be made again, or cannot feed a reward.

    >>> from graphenv import envs
    >>> record = envs.make("kgqa", mode="program").play(0, ["no_such_relation"]).record()
    >>> rescore([record], ["exact", "format"]).columns[0].values
    [0.0]
    """
    if not records:
        raise DataError("rescore: the log holds no episode")
    truths: list[float | None] = [None] * len(records)
    mismatches: dict[int, str] = {}
    columns = []
    for reward in rewards:
        cache = EnvCache(reward)
        scores: list[Score | None] = []
        name = reward
        for place, record in enumerate(records):
            env = cache.env_for(record)
            name = env.reward.name
            try:
                episode = replay(record, env)
            except ReplayMismatch as error:
                mismatches[place] = str(error)
                scores.append(None)
            else:
                truths[place] = episode.success
                scores.append(env.reward([episode])[0])
            on_record()
        columns.append(RewardColumn(name, scores))
    return Rescored(list(records), truths, columns, mismatches)
