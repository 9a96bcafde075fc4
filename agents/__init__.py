"""Agents: policies that turn a chat into the next assistant turn. One row each."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import gymnasium as gym

from graphenv.agents.base import Agent, bare, rollout, rollout_batch
from graphenv.errors import ConfigError, UnknownNameError, did_you_mean

__all__ = ["AGENTS", "Agent", "make", "rollout", "rollout_batch"]

AGENTS: dict[str, str] = {
    "random": "graphenv.agents.random:RandomAgent",
    "oracle": "graphenv.agents.oracle:OracleAgent",
    "search": "graphenv.agents.search:SearchAgent",
    "llm": "graphenv.agents.llm:LLMAgent",
    "openai": "graphenv.agents.openai:OpenAIAgent",
    "tiny": "graphenv.agents.llm:TinyAgent",
}


def make(name: str, env: gym.Env[Any, Any], **kwargs: Any) -> Agent:
    """Return the agent `name` for an environment.

    Raises
    ------
    UnknownNameError
        If there is no such agent.
    ConfigError
        If it does not take one of the arguments.
    """
    if name not in AGENTS:
        raise UnknownNameError(f"agent {name!r} is unknown.{did_you_mean(name, AGENTS)}")
    module, _, attribute = AGENTS[name].partition(":")
    cls = getattr(import_module(module), attribute)
    accepted = [
        p.name for p in inspect.signature(cls).parameters.values() if p.kind == p.KEYWORD_ONLY
    ]
    for argument in kwargs:
        if argument not in accepted:
            hint = did_you_mean(argument, accepted) or " It takes none."
            raise ConfigError(f"agent {name!r}: unknown argument {argument!r}.{hint}")
    agent: Agent = cls(bare(env), **kwargs)
    return agent
