"""The learning experiments: one row each.

Settings were chosen on validation. Those of `tools` were changed once after held-out figures of
world 0 had been seen, so its steps were then chosen on validation tasks of world 11 and its kept
figure comes from world 23, of which nothing had been looked at before.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from graphenv.agents.bridge.config import TrainConfig
from graphenv.errors import DataError

__all__ = ["EXPERIMENTS", "Experiment", "metaqa_root"]


@dataclass(frozen=True)
class Experiment:
    """One experiment: what it shows, its reward and credit, and its run settings."""

    name: str
    title: str
    reward: str
    config: Callable[[], TrainConfig]
    credit: str = "outcome"


def metaqa_root() -> str:
    """Return the MetaQA folder below `GRAPHENV_DATA`.

    Raises
    ------
    DataError
        If the variable is not set or the folder does not exist.
    """
    root = Path(os.environ.get("GRAPHENV_DATA", "")) / "kgqa" / "metaqa"
    if not os.environ.get("GRAPHENV_DATA") or not root.is_dir():
        raise DataError(
            "the MetaQA experiments read $GRAPHENV_DATA/kgqa/metaqa; set GRAPHENV_DATA to the "
            "folder that holds kgqa/"
        )
    return str(root)


PROGRAM = {"mode": "program", "instructions": "none"}
GRPO = {"num_generations": 8, "max_completion_length": 16}
EXPLORE = {**GRPO, "entropy_coef": 0.02}


def _program(**env_kwargs: object) -> TrainConfig:
    return TrainConfig(
        env_kwargs={**PROGRAM, **env_kwargs},
        warmup=24,
        warmup_epochs=30,
        warmup_lr=2e-3,
        steps=200,
        eval_every=25,
        eval_tasks=300,
        heldout_tasks=2000,
        max_new_tokens=24,
        grpo=EXPLORE,
    )


def _metaqa() -> TrainConfig:
    return _program(source="metaqa", root=metaqa_root(), hops=2).with_(steps=300, grpo=GRPO)


def _unseen_paths() -> TrainConfig:
    return _program(source="metaqa", root=metaqa_root(), hops=2, held_out_paths=5)


def _synthetic() -> TrainConfig:
    config = _program(source="synthetic", hops=3, relations=60)
    return config.with_(warmup=1000, warmup_epochs=8, grpo={**EXPLORE, "max_completion_length": 24})


def _tools() -> TrainConfig:
    return TrainConfig(
        env_kwargs={
            "source": "synthetic",
            "seed": 23,
            "hops": 2,
            "relations": 12,
            "paraphrases": "seen",
            "mode": "tools",
            "instructions": "none",
            "max_turns": 4,
            "page_size": 2,
        },
        size="xs",
        warmup=220,
        warmup_epochs=30,
        warmup_lr=2e-3,
        steps=300,
        eval_every=30,
        eval_tasks=200,
        heldout_tasks=1000,
        max_new_tokens=24,
        # A turn is cheap only if few are played at once and little is kept of what they read. At a
        # temperature above 1 the calls of so small a model fall apart.
        grpo={
            "num_generations": 8,
            "per_device_train_batch_size": 96,
            "max_completion_length": 150,
            "temperature": 1.0,
        },
    )


EXPERIMENTS: dict[str, Experiment] = {
    row.name: row
    for row in (
        Experiment(
            "metaqa",
            "MetaQA 2-hop, program mode",
            "exact + 0.3*path_similarity",
            _metaqa,
        ),
        Experiment(
            "unseen_paths",
            "MetaQA 2-hop, 5 of 21 path types never trained on",
            "exact + 0.3*path_similarity",
            _unseen_paths,
        ),
        Experiment(
            "synthetic",
            "synthetic world, 3-hop, 60 relations",
            "exact + 0.3*path_similarity",
            _synthetic,
        ),
        Experiment(
            "tools",
            "synthetic world, 2-hop, tool mode",
            "exact + 0.3*path_similarity",
            _tools,
        ),
    )
}
