"""What is measured: five baselines in the published sizes; a network that learned, beside them."""

from __future__ import annotations

import time
from typing import Any

from graphenv.agents.design.agent import BaselineDesigner, GNNDesigner
from graphenv.benchmarks.design.played import TASKS, design_env, played, tasks_of
from graphenv.envs.design.baselines import BASELINES

__all__ = ["OBJECTIVES", "PERCENTS", "SOURCES", "baselines", "learned"]

SOURCES = ("er", "ba")
OBJECTIVES = ("robustness_random", "robustness_targeted")
PERCENTS = (1, 2.5, 5)
"""Budgets of the publication: 2, 5 and 10 edges in networks of 20 nodes."""

LEARNED = {20: 40, 40: 20}
"""Networks that the learned designer plays, by their size."""


def baselines(*, quick: bool) -> list[dict[str, Any]]:
    """Return one row for each source, objective, budget and baseline."""
    rows = []
    for source in SOURCES:
        for objective in OBJECTIVES:
            for percent in PERCENTS[:1] if quick else PERCENTS:
                env = design_env("heldout", source=source, objective=objective, percent=percent)
                designers = {name: BaselineDesigner(env, method=name) for name in BASELINES}
                about = {"source": source, "objective": objective, "percent": percent}
                found = played(env, designers, tasks_of(env, 2 if quick else TASKS))
                rows += [{**about, **row} for row in found]
    return rows


def learned(*, quick: bool) -> list[dict[str, Any]]:
    """Return rows of networks that learned on the train split, beside the baselines.

    The smallest published budget (1 %); one seed. Played on networks of the size that was learned
    on, and on networks twice as large.
    """
    from graphenv.agents.design.learning import LearningConfig, learn

    config = (
        LearningConfig(rounds=2, batch=4, graphs=4, validation=2, hidden=8, layers=1)
        if quick
        else LearningConfig()
    )
    rows = []
    for source in SOURCES:
        for objective in OBJECTIVES[:1] if quick else OBJECTIVES:
            kwargs = {"source": source, "objective": objective}
            start = time.perf_counter()
            picker = learn(
                design_env("train", **kwargs),
                config,
                validation=design_env("validation", **kwargs),
                on_report=lambda number, gain: print(number, f"{gain:.4f}", flush=True),
            )
            minutes = (time.perf_counter() - start) / 60
            for nodes, tasks in ((20, 2),) if quick else LEARNED.items():
                env = design_env("heldout", **kwargs, nodes=nodes)
                designers = {
                    "gnn": GNNDesigner(env, model=picker),
                    **{name: BaselineDesigner(env, method=name) for name in BASELINES},
                }
                if nodes > 20:  # asks the objective of 800 edges for each pick
                    del designers["greedy"]
                about = {**kwargs, "nodes": nodes, "minutes": minutes, "rounds": config.rounds}
                found = played(env, designers, tasks_of(env, tasks))
                rows += [{**about, **row} for row in found]
    return rows
