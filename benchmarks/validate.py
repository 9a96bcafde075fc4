"""Is a source fit to train on? Players whose order is known beforehand must come out in that order.

Gold answers and the oracle must be right; each planted error must not raise the reward; whoever
does not read the question must stay far below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from graphenv import agents
from graphenv.agents.families import family_of
from graphenv.benchmarks.comparison.stats import Interval, success_interval, wilson
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.seeding import rng
from graphenv.text import format_answer

__all__ = ["BLIND", "Player", "Validation", "validate"]

BLIND = ("random", "copy-prompt", "list-everything")
"""Players that know nothing of the gold."""

ERRORS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Player:
    """How one player did: truth and reward over the tasks."""

    name: str
    successes: list[float]
    rewards: list[float | None]
    statuses: dict[str, int]

    @property
    def success(self) -> Interval:
        """Mean truth with its interval."""
        if set(self.successes) <= {0.0, 1.0}:
            return wilson(sum(self.successes), len(self.successes))
        return success_interval([self.successes], rng("validate"))

    @property
    def reward(self) -> float | None:
        """Mean reward over the episodes that have one."""
        values = [r for r in self.rewards if r is not None]
        return float(np.mean(values)) if values else None


@dataclass(frozen=True)
class Validation:
    """The players, and the rules of order that they break."""

    env_id: str
    reward: str
    tasks: int
    players: list[Player]
    problems: list[str]

    @property
    def ok(self) -> bool:
        """Whether the order is as it must be."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return {
            "environment": self.env_id,
            "reward": self.reward,
            "tasks": self.tasks,
            "ok": self.ok,
            "problems": self.problems,
            "players": [
                {
                    "name": p.name,
                    "success": p.success.to_json(),
                    "reward": p.reward,
                    "statuses": p.statuses,
                }
                for p in self.players
            ],
        }


def validate(
    env: GraphEnv,
    indices: Sequence[int],
    *,
    seed: int = 0,
    on_player: Callable[[str], None] | None = None,
) -> Validation:
    """Let every player play the tasks `indices` and compare their order with the one that must be.

    Parameters
    ----------
    env
        The environment; a reward that grades by degrees tells more than `exact`.
    indices
        Tasks to play.
    seed
        Seed of the random player.
    on_player
        Called with the name of each player before it plays.

    >>> from graphenv import envs
    >>> validate(envs.make("kgqa", reward="answer_f1"), range(5)).ok
    True
    """
    tasks = list(indices)
    players = []
    for name, episodes in _played(env, tasks, seed, on_player or (lambda _: None)):
        counts: dict[str, int] = {}
        for episode in episodes:
            counts[str(episode.status)] = counts.get(str(episode.status), 0) + 1
        values = [score.value for score in env.reward(episodes)]
        players.append(Player(name, [e.success or 0.0 for e in episodes], values, counts))
    return Validation(env.env_id, env.reward.name, len(tasks), players, _problems(players, env))


def _played(
    env: GraphEnv, tasks: list[int], seed: int, tell: Callable[[str], None]
) -> Iterator[tuple[str, list[Episode]]]:
    def by_agent(name: str, **kwargs: Any) -> list[Episode]:
        return agents.rollout_batch(env, agents.make(name, env, **kwargs), tasks)

    def by_text(text: Callable[[int], str]) -> list[Episode]:
        return [_to_the_end(env, index, text(index)) for index in tasks]

    if all(env.tasks[index].target.answer is not None for index in tasks):
        tell("gold answer")
        gold = by_text(lambda index: format_answer(env.tasks[index].target.answer or ()))
        yield "gold answer", gold
    tell("oracle")
    yield "oracle", by_agent("oracle")
    for errors in ERRORS:
        name = f"oracle, {errors} error{'s' if errors > 1 else ''}"
        tell(name)
        yield name, by_agent("oracle", errors=errors)
    tell("random")
    yield "random", by_agent("random", seed=seed)
    tell("copy-prompt")
    yield "copy-prompt", by_text(lambda index: format_answer([env.tasks[index].prompt]))
    family = family_of(env, "validate")
    if family.everything(tasks[0]):
        tell("list-everything")
        yield "list-everything", by_text(lambda index: format_answer(family.everything(index)))


def _to_the_end(env: GraphEnv, index: int, text: str) -> Episode:
    return env.play(index, [text] * env.max_turns)


def _problems(players: list[Player], env: GraphEnv) -> list[str]:
    by_name = {player.name: player for player in players}
    problems = []
    for name in ("gold answer", "oracle"):
        player = by_name.get(name)
        if player is not None and min(player.successes) < 1.0:
            failed = sum(value < 1.0 for value in player.successes)
            problems.append(f"{name} fails {failed} of {len(player.successes)} tasks")
    low, _ = env.reward.range
    rewards = {p.name: low if p.reward is None else p.reward for p in players}
    chain = [p.name for p in players if p.name.startswith("oracle")]
    for above, below in pairwise(chain):
        if rewards[below] > rewards[above] + 1e-9:
            problems.append(
                f"{below} earns {rewards[below]:.3f}, more than {above} with {rewards[above]:.3f}"
            )
        if by_name[below].success.value > by_name[above].success.value + 1e-9:
            problems.append(f"{below} is right more often than {above}")
    if rewards[chain[1]] >= rewards["oracle"] - 1e-9:
        problems.append("one planted error costs nothing")
    # Under a reward without degrees one error is as bad as any: then a quarter is the mark.
    mark = max(rewards[chain[1]], low + 0.25 * (rewards["oracle"] - low))
    problems += [
        f"{name} knows nothing and earns {rewards[name]:.3f} "
        f"(at most {mark:.3f} is sensible beside the oracle's {rewards['oracle']:.3f})"
        for name in BLIND
        if name in by_name and rewards[name] > mark + 1e-9
    ]
    return problems
