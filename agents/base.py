"""`Agent`: chat in, text out, stateless. The rollout loops that drive agents.

Three kinds, by what they may know beside the chat. An `Agent` knows nothing. A `WorldAgent` is
told the public world of the episode (search agents); a `TaskAgent` is told the task with its gold
(the oracle). The runner tells them once, when an episode begins, and no other way exists.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym

from graphenv.envs.base import GraphEnv
from graphenv.envs.session import Session
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.seeding import sample
from graphenv.task import Message, Task

__all__ = [
    "Agent",
    "TaskAgent",
    "WorldAgent",
    "bare",
    "policy_for",
    "rollout",
    "rollout_batch",
    "task_indices",
]


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


class WorldAgent(Agent):
    """An agent that also reads the public world of an episode: never its task, never its gold.

    `act` without more plays the episode that runs in `env`; a runner that keeps many episodes
    open asks for the policy of each with `policy_for`.
    """

    def __init__(self, env: GraphEnv) -> None:
        self.env = env

    @abstractmethod
    def for_world(self, world: Any) -> Agent:
        """Return the policy for episodes in `world` (what `Session.world` gives)."""

    def act(self, messages: Sequence[Message]) -> str:
        """Return the next turn of the episode that runs in the environment."""
        return self.for_world(_running(self.env, messages).world).act(messages)


class TaskAgent(Agent):
    """An agent that is told the task of an episode, gold included: an oracle.

    `act` without more plays the episode that runs in `env`, as for a `WorldAgent`.
    """

    def __init__(self, env: GraphEnv) -> None:
        self.env = env

    @abstractmethod
    def for_task(self, task: Task) -> Agent:
        """Return the policy for episodes of `task`."""

    def act(self, messages: Sequence[Message]) -> str:
        """Return the next turn of the episode that runs in the environment."""
        return self.for_task(_running(self.env, messages).task).act(messages)


def policy_for(agent: Agent, session: Session) -> Agent:
    """Return the policy that plays `session` for `agent`: itself, or one told what it may know."""
    if isinstance(agent, WorldAgent):
        return agent.for_world(session.world)
    if isinstance(agent, TaskAgent):
        return agent.for_task(session.task)
    return agent


def _running(env: GraphEnv, messages: Sequence[Message]) -> Session:
    session = env.session
    opening = session.task.messages
    if [dict(m) for m in messages[: len(opening)]] != [dict(m) for m in opening]:
        raise ConfigError(
            f"this chat is not the episode that runs in {env.env_id} (task {session.task.id}). "
            "Agents that read the world or the task need to know the episode: use "
            "agents.rollout_batch, or agents.base.policy_for(agent, session).act(messages)."
        )
    return session


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


def task_indices(size: int, count: int, split: str) -> list[int]:
    """Return the `count` tasks of a split that evaluations play: the same for every run and seed.

    One draw for training, `graphenv eval` and the floors, so that their figures can be compared.

    >>> task_indices(3, 10, "heldout")
    [0, 1, 2]
    """
    return sample(size, count, "evaluation", split)


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
    live: dict[int, tuple[Session, Agent]] = {}
    while waiting or live:
        while waiting and len(live) < batch_size:
            place, index = waiting.pop()
            session = inner.begin(index)
            live[place] = session, policy_for(agent, session)
        playing = list(live.items())
        chats = [session.episode().messages for _, (session, _) in playing]
        if isinstance(agent, WorldAgent | TaskAgent):
            turns = [
                policy.act(chat) for (_, (_, policy)), chat in zip(playing, chats, strict=True)
            ]
        else:
            turns = agent.act_batch(chats)
        for (place, (session, _)), text in zip(playing, turns, strict=True):
            session.turn(text)
            if session.outcome is not None:
                done[place] = session.episode()
                del live[place]
                if on_episode is not None:
                    on_episode(done[place])
    return [done[place] for place in range(len(indices))]
