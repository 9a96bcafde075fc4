"""The truth during and after training: greedy episodes on tasks that training never sees."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphenv.agents.base import rollout_batch, task_indices
from graphenv.agents.bridge.config import TrainConfig
from graphenv.agents.llm import LLMAgent
from graphenv.episode import Episode, write_records

__all__ = ["Evaluation", "evaluate_model", "write_final"]


@dataclass(frozen=True)
class Evaluation:
    """Truth and reward per task of one evaluation."""

    split: str
    indices: list[int]
    successes: list[float]
    rewards: list[float | None]
    statuses: dict[str, int]
    seconds: float
    episodes: list[Episode] = field(repr=False)

    @property
    def success(self) -> float:
        """Mean truth over the tasks."""
        return sum(self.successes) / len(self.successes) if self.successes else float("nan")

    @property
    def metrics(self) -> dict[str, float]:
        """Means of the published metrics beside the truth, each over the episodes that have it."""
        values: dict[str, list[float]] = {}
        for episode in self.episodes:
            for name, value in episode.metrics.items():
                values.setdefault(name, []).append(value)
        return {name: sum(found) / len(found) for name, found in values.items()}

    def to_json(self, step: int) -> dict[str, Any]:
        """Return what is stored of it."""
        return {
            "step": step,
            "split": self.split,
            "success": self.success,
            "indices": self.indices,
            "successes": self.successes,
            "rewards": self.rewards,
            "statuses": self.statuses,
            "metrics": self.metrics,
            "seconds": round(self.seconds, 3),
        }


def evaluate_model(
    config: TrainConfig, model: Any, tokenizer: Any, split: str, tasks: int
) -> Evaluation:
    """Play `tasks` tasks of a split greedily with a loaded model; a mixture shares them evenly."""
    began = time.perf_counter()
    was_training = model.training
    model.eval()
    agent = LLMAgent.of(
        model, tokenizer, max_new_tokens=config.turn_tokens, batch_size=config.batch
    )
    envs = config.make_envs(split)
    indices: list[int] = []
    episodes: list[Episode] = []
    rewards: list[float | None] = []
    for env in envs.values():
        chosen = task_indices(len(env.tasks), -(-tasks // len(envs)), split)
        played = rollout_batch(env, agent, chosen, batch_size=config.batch)
        indices += chosen
        episodes += played
        rewards += [score.value for score in env.reward(played)]
    model.train(was_training)
    return Evaluation(
        split=split,
        indices=indices,
        successes=[episode.success or 0.0 for episode in episodes],
        rewards=rewards,
        statuses=dict(sorted(Counter(str(e.status) for e in episodes).items())),
        seconds=time.perf_counter() - began,
        episodes=episodes,
    )


def write_final(folder: Path, result: Evaluation, step: int, training_seconds: float) -> None:
    """Write the held-out result and its episodes; the run is complete once `final.json` exists.

    `training_seconds` is the wall time of the last uninterrupted stretch of training, evaluations
    on validation included.
    """
    write_records(folder / "episodes.jsonl", (episode.record() for episode in result.episodes))
    temporary = folder / "final.json.part"
    content = {**result.to_json(step), "training_seconds": round(training_seconds, 1)}
    temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
    temporary.replace(folder / "final.json")
