"""How often an agent is right: success with intervals, pass@k, maj@k, best-of-n under a reward."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphenv.agents.base import Agent, rollout_batch
from graphenv.benchmarks.comparison.stats import Interval, pass_at_k, success_interval, wilson
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.query.results import Rows
from graphenv.score import Score
from graphenv.seeding import rng
from graphenv.text import normalize

__all__ = ["EvalResult", "answer_key", "evaluate"]


@dataclass(frozen=True)
class EvalResult:
    """What an agent did on a set of tasks.

    Parameters
    ----------
    reward
        Name of the reward that graded the episodes.
    indices
        T task indices.
    episodes
        T lists of k episodes.
    scores
        Their scores, in the same order.
    """

    reward: str
    indices: list[int]
    episodes: list[list[Episode]] = field(repr=False)
    scores: list[list[Score]] = field(repr=False)

    @property
    def samples(self) -> int:
        """Episodes per task, k."""
        return len(self.episodes[0])

    @property
    def successes(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Truth, (T, k)."""
        return np.array([[e.success or 0.0 for e in row] for row in self.episodes])

    @property
    def success(self) -> Interval:
        """Mean truth; Wilson's interval for one yes-or-no episode a task, else the bootstrap's."""
        truth = self.successes
        if self.samples == 1 and bool(np.isin(truth, (0.0, 1.0)).all()):
            return wilson(float(truth.sum()), truth.size)
        return self._over_tasks(truth.mean(axis=1))

    def _over_tasks(self, values: Sequence[float] | np.ndarray[Any, Any]) -> Interval:
        return success_interval([list(values)], rng("evaluate"))

    @property
    def statuses(self) -> dict[str, int]:
        """How many episodes ended in which way."""
        return dict(Counter(str(e.status) for row in self.episodes for e in row).most_common())

    @property
    def metrics(self) -> dict[str, float]:
        """Means of the published metrics."""
        return _means([e.metrics for row in self.episodes for e in row])

    @property
    def parts(self) -> dict[str, float]:
        """Means of the unweighted reward terms, over the episodes to which they apply."""
        rows = [{n: p.value for n, p in s.parts.items()} for row in self.scores for s in row]
        return _means(rows)

    @property
    def mean_reward(self) -> float | None:
        """Mean reward over the episodes that have one."""
        values = [s.value for row in self.scores for s in row if s.value is not None]
        return float(np.mean(values)) if values else None

    def pass_at(self, k: int) -> Interval:
        """P(at least one of k samples is right), with its interval over tasks."""
        right = (self.successes >= 1.0).sum(axis=1)
        return self._over_tasks([pass_at_k(self.samples, int(c), k) for c in right])

    def majority(self) -> Interval:
        """Truth of the answer that most samples give (maj@k); no answer does not vote."""
        picked = []
        for row in self.episodes:
            votes: dict[object, list[float]] = defaultdict(list)
            for episode in row:
                key = answer_key(episode)
                if key is not None:
                    votes[key].append(episode.success or 0.0)
            most = max((len(v) for v in votes.values()), default=0)
            tied = [float(np.mean(v)) for v in votes.values() if len(v) == most]
            picked.append(float(np.mean(tied)) if tied else 0.0)
        return self._over_tasks(picked)

    def best_of(self) -> Interval:
        """Truth of the sample that the reward likes best (of equals: their mean)."""
        picked = []
        for episodes, scores in zip(self.episodes, self.scores, strict=True):
            values = [-np.inf if s.value is None else s.value for s in scores]
            best = max(values)
            picked.append(
                float(
                    np.mean(
                        [
                            e.success or 0.0
                            for e, v in zip(episodes, values, strict=True)
                            if v == best
                        ]
                    )
                )
            )
        return self._over_tasks(picked)

    def ks(self) -> list[int]:
        """The k of pass@k worth showing: powers of two and all samples."""
        powers = [2**i for i in range(self.samples.bit_length()) if 2**i <= self.samples]
        return sorted({*powers, self.samples})

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form, without the episodes."""
        result: dict[str, Any] = {
            "tasks": len(self.indices),
            "samples": self.samples,
            "success": self.success.to_json(),
            "reward": {"name": self.reward, "mean": self.mean_reward},
            "parts": self.parts,
            "metrics": self.metrics,
            "statuses": self.statuses,
            "turns": float(np.mean([len(e) for row in self.episodes for e in row])),
            "indices": self.indices,
            "successes": self.successes.tolist(),
        }
        if self.samples > 1:
            result["pass_at"] = {str(k): self.pass_at(k).to_json() for k in self.ks()}
            result["majority"] = self.majority().to_json()
            result["best_of"] = self.best_of().to_json()
        return result


def _means(rows: Sequence[Any]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    found = {n: [row[n] for row in rows if row.get(n) is not None] for n in names}
    return {n: float(np.mean(values)) for n, values in found.items() if values}


def answer_key(episode: Episode) -> object:
    """Return what makes two answers the same answer; `None` if there is none."""
    end = episode.outcome
    if end is None or end.status not in ("ok", "infeasible"):
        return None
    if end.answer is not None:
        return frozenset(normalize(item) for item in end.answer)
    if end.results and isinstance(end.results[0], Rows):
        return frozenset(Counter(end.results[0].rows).items())
    return end.graph if end.graph is not None else end.program


def evaluate(
    env: GraphEnv,
    agent: Agent,
    indices: Sequence[int],
    *,
    samples: int = 1,
    batch_size: int = 64,
    on_episode: Callable[[Episode], None] | None = None,
) -> EvalResult:
    """Play every task `samples` times and grade all episodes once, under the environment's reward.

    Parameters
    ----------
    env, agent
        Who plays what.
    indices
        The tasks.
    samples
        Episodes per task; more than one is of use with an agent that samples.
    batch_size
        Episodes played in lockstep.
    on_episode
        Called as each episode ends.

    >>> from graphenv import agents, envs
    >>> env = envs.make("kgqa")
    >>> print(evaluate(env, agents.make("oracle", env), range(3)).success)
    1.000 [0.439, 1.000]
    """
    tasks = list(indices)
    if not tasks or samples < 1:
        raise ValueError("evaluate: at least one task and one sample are needed")
    env.reward.prepare()  # what cannot be loaded is told before anything is played
    plan = [index for index in tasks for _ in range(samples)]
    played = rollout_batch(env, agent, plan, batch_size=batch_size, on_episode=on_episode)
    scores = env.reward(played)
    groups = range(0, len(plan), samples)
    return EvalResult(
        reward=env.reward.name,
        indices=tasks,
        episodes=[played[i : i + samples] for i in groups],
        scores=[scores[i : i + samples] for i in groups],
    )
