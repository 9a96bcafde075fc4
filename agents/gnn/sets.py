"""Which states a scorer is trained, stopped and tested on: tasks, worlds and sizes kept apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphenv.agents.base import task_indices
from graphenv.agents.gnn.collecting import collect
from graphenv.agents.gnn.examples import Example, Rollouts
from graphenv.checks import whole
from graphenv.envs import make
from graphenv.errors import ConfigError

__all__ = [
    "HELDOUT_TASKS",
    "HELDOUT_WORLDS",
    "LARGER",
    "LARGER_TASKS",
    "Sets",
    "Worlds",
    "gather",
    "task_count",
]

HELDOUT_TASKS = "held-out tasks"
HELDOUT_WORLDS = "held-out worlds"
LARGER_TASKS = "larger, held-out worlds"

LARGER: dict[str, dict[str, Any]] = {
    "kgqa": {"hops": 3},
}
"""Arguments that make the default tasks of a family larger than those trained on."""


@dataclass(frozen=True)
class Worlds:
    """Where states come from.

    Parameters
    ----------
    environment, env_kwargs
        The environment; `split` is chosen here.
    train, validation, heldout
        Seeds of its worlds (the source's argument `seed`). Empty `train`: the one world that the
        arguments name, and no others, as with published data.
    tasks
        Training tasks, shared by the training worlds.
    test_tasks
        Tasks of the validation set, and of each test set.
    larger
        Arguments of a further test set whose tasks are larger; empty for none.
    """

    environment: str = "kgqa"
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    train: tuple[int, ...] = (0, 1, 2, 3)
    validation: tuple[int, ...] = (10, 11)
    heldout: tuple[int, ...] = (20, 21, 22)
    tasks: int = 400
    test_tasks: int = 120
    larger: Mapping[str, Any] = field(default_factory=lambda: dict(LARGER["kgqa"]))

    def __post_init__(self) -> None:
        whole("scorer", "tasks", self.tasks, 1)
        whole("scorer", "test_tasks", self.test_tasks, 1)
        if "split" in self.env_kwargs:
            raise ConfigError("split= is chosen by training: train, validation, then heldout")
        if self.train and "seed" in self.env_kwargs:
            raise ConfigError(
                "seed= names one world; leave it out, or train on that world alone (--worlds 0)"
            )
        both = {*self.train} & {*self.validation, *self.heldout} or {*self.validation} & {
            *self.heldout
        }
        if both:
            raise ConfigError(f"worlds {sorted(both)} stand on two sides of a split")


@dataclass(frozen=True)
class Sets:
    """Examples for training, for stopping and calibration, and test sets by name."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    tests: Mapping[str, tuple[Example, ...]]
    work: Mapping[str, int]
    """Turns played and states left out as too large."""


def gather(
    worlds: Worlds, rollouts: Rollouts, *, on_task: Callable[[], object] = lambda: None
) -> Sets:
    """Play all that `worlds` names and return the states.

    Training: split `train` of the training worlds. Stopping, calibration and tuning: split
    `validation` of the training worlds and of the validation worlds. Tests: split `heldout` of the
    training worlds (new questions, known entities), of the held-out worlds (new entities and
    edges), and of the held-out worlds with larger tasks.
    """
    work = {"turns_played": 0, "left_out": 0}

    def played(
        split: str, seeds: Sequence[int], tasks: int, extra: Mapping[str, Any] | None = None
    ) -> tuple[Example, ...]:
        found: list[Example] = []
        places = [{"seed": seed} for seed in seeds] or [{}]
        for i, place in enumerate(places):
            share = tasks // len(places) + (i < tasks % len(places))
            kwargs = {**worlds.env_kwargs, **place, **(extra or {}), "split": split}
            env = make(worlds.environment, **kwargs)
            indices = task_indices(len(env.tasks), share, split)
            made = collect(env, indices, rollouts, on_task=on_task)
            work["turns_played"] += made.turns_played
            work["left_out"] += made.left_out
            found += made.examples
        return tuple(found)

    train = played("train", worlds.train, worlds.tasks)
    seen = (*worlds.train, *worlds.validation)
    validation = played("validation", seen, worlds.test_tasks)
    tests = {HELDOUT_TASKS: played("heldout", worlds.train, worlds.test_tasks)}
    if worlds.train and worlds.heldout:
        tests[HELDOUT_WORLDS] = played("heldout", worlds.heldout, worlds.test_tasks)
    if worlds.larger:
        where = worlds.heldout if worlds.train else ()
        tests[LARGER_TASKS] = played("heldout", where, worlds.test_tasks, worlds.larger)
    return Sets(train, validation, tests, work)


def task_count(worlds: Worlds) -> int:
    """Return how many tasks `gather` plays."""
    further = 1 + bool(worlds.train and worlds.heldout) + bool(worlds.larger)
    return worlds.tasks + worlds.test_tasks * (1 + further)
