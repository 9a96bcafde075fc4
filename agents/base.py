"""`Agent`: chat in, text out, stateless. The rollout loops that drive agents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym

from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.task import Message

__all__ = ["Agent", "bare", "rollout", "rollout_batch"]


class Agent(ABC):
    """A policy: the conversation so far in, the next assistant turn out.

    Agents keep no state between calls: the chat is the state, so that calls can be batched and
    episodes interleaved.
    """

    @abstractmethod
    def act(self, messages: Sequence[Message]) -> str:
        """Return the next assistant turn."""

    def act_batch(self, chats: Sequence[Sequence[Message]]) -> list[str]:
        """Return the next turn of each chat; override where a batch is cheaper."""
        return [self.act(messages) for messages in chats]


def bare(env: GraphEnv | gym.Env[Any, Any]) -> GraphEnv:
    """Return the environment below Gymnasium's wrappers.

    Raises
    ------
    ConfigError
        If it is not one of ours.
    """
    inner = env.unwrapped
    if not isinstance(inner, GraphEnv):
        raise ConfigError(f"{inner!r} is not a graphenv environment")
    return inner


def rollout(
    env: GraphEnv | gym.Env[Any, Any],
    agent: Agent,
    *,
    index: int | None = None,
    seed: int | None = None,
) -> Episode:
    """Play one episode through `reset` and `step` and return it.

    Parameters
    ----------
    index
        The task; without it the seed picks one.
    """
    _, info = env.reset(seed=seed, options=None if index is None else {"index": index})
    ended = False
    while not ended:
        _, _, terminated, truncated, info = env.step(agent.act(info["messages"]))
        ended = terminated or truncated
    return bare(env).episode


def rollout_batch(
    env: GraphEnv | gym.Env[Any, Any],
    agent: Agent,
    indices: Sequence[int],
    *,
    batch_size: int = 64,
    on_episode: Callable[[Episode], None] | None = None,
) -> list[Episode]:
    """Play the tasks `indices` in lockstep, `batch_size` at a time, and return their episodes.

    A finished episode makes room for the next, so every `act_batch` call is as full as it can be.
    `on_episode` is called as each one ends (for progress bars and logs).
    """
    inner = bare(env)
    done: dict[int, Episode] = {}
    waiting = list(enumerate(indices))[::-1]
    live: dict[int, Any] = {}
    while waiting or live:
        while waiting and len(live) < batch_size:
            place, index = waiting.pop()
            live[place] = inner.begin(index)
        places = list(live)
        turns = agent.act_batch([live[p].episode().messages for p in places])
        for place, text in zip(places, turns, strict=True):
            session = live[place]
            session.turn(text)
            if session.outcome is not None:
                done[place] = session.episode()
                del live[place]
                if on_episode is not None:
                    on_episode(done[place])
    return [done[place] for place in range(len(indices))]
