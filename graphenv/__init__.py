"""graphenv: reinforcement learning for graph reasoning with language models.

`import graphenv` registers every environment with Gymnasium and loads nothing heavy; the
sub-packages `agents`, `rewards`, `envs` and `benchmarks` are imported when first used.

>>> import gymnasium as gym, graphenv
>>> env = gym.make("graphenv/KGQA-v0")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from graphenv.envs.registry import register_all
from graphenv.episode import Episode, Outcome, Step
from graphenv.graph import Graph
from graphenv.knowledge import KnowledgeGraph
from graphenv.score import Score
from graphenv.task import Target, Task

if TYPE_CHECKING:
    from graphenv import agents, benchmarks, envs, rewards

__version__ = "0.1.0"
__all__ = [
    "Episode",
    "Graph",
    "KnowledgeGraph",
    "Outcome",
    "Score",
    "Step",
    "Target",
    "Task",
    "agents",
    "benchmarks",
    "envs",
    "rewards",
]


def __getattr__(name: str) -> Any:
    if name in ("agents", "benchmarks", "envs", "rewards"):
        return import_module(f"graphenv.{name}")
    raise AttributeError(f"module 'graphenv' has no attribute {name!r}")


register_all()
