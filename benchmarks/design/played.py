"""Designers played through the environment, and what their designs are worth on other draws."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from graphenv import agents, envs
from graphenv.agents.base import task_indices
from graphenv.agents.design.agent import Designer
from graphenv.envs.design import GraphDesignEnv
from graphenv.envs.design.network import Network
from graphenv.episode import Episode

__all__ = ["FRESH", "TASKS", "design_env", "end_of", "played", "tasks_of"]

TASKS = 50
"""Held-out networks (published: 100)."""

FRESH = 10
"""Further draws of 2n removal orders, which no designer saw."""


def design_env(split: str, **kwargs: Any) -> GraphDesignEnv:
    """Return the environment of a split."""
    env = envs.make("graph-design", split=split, **kwargs)
    assert isinstance(env, GraphDesignEnv)
    return env


def tasks_of(env: GraphDesignEnv, count: int) -> list[int]:
    """Return the tasks that are played, the same for every designer."""
    return task_indices(len(env.tasks), count, "heldout")


def end_of(env: GraphDesignEnv, episode: Episode) -> Network:
    """Return the network that an episode ended with."""
    start = env.design_source.start(episode.task.index)
    assert episode.outcome is not None and episode.outcome.program is not None
    place = {name: number for number, name in enumerate(start.names)}
    added = json.loads(episode.outcome.program)["add"]
    return start.changed((min(place[a], place[b]), max(place[a], place[b])) for a, b in added)


def played(
    env: GraphDesignEnv, designers: Mapping[str, Designer], tasks: Sequence[int]
) -> list[dict[str, Any]]:
    """Return one row a designer: gains with standard errors, success, gains on fresh orders.

    `fresh` is the mean gain when nodes are removed in `FRESH` other draws of orders, which tells
    what of a gain was luck with the orders of the task; where nothing is drawn, it is the gain.
    """
    source = env.design_source
    rows = []
    for name, designer in designers.items():
        episodes = agents.rollout_batch(env, designer, tasks)
        gains = [episode.metrics["gain"] for episode in episodes]
        fresh = []
        for episode in episodes:
            start, end = source.start(episode.task.index), end_of(env, episode)
            for number in range(FRESH):
                key = f"fresh {number} {episode.task.id}"
                before = source.objective.value(start, key)
                fresh.append(source.objective.value(end, key) - before)
        row = {
            "designer": name,
            "tasks": len(tasks),
            "budget": source.budget(source.start(tasks[0])),
            "gain": statistics.fmean(gains),
            "error": statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else 0.0,
            "success": statistics.fmean(episode.success or 0.0 for episode in episodes),
            "fresh": statistics.fmean(fresh),
        }
        print(row, flush=True)
        rows.append(row)
    return rows
