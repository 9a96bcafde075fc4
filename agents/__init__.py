"""Agents: policies that turn a chat into the next assistant turn. One row each."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from graphenv.agents.base import Agent, bare, rollout, rollout_batch
from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.references import check_keywords, load_row

__all__ = ["AGENTS", "Agent", "make", "rollout", "rollout_batch"]

AGENTS: dict[str, str] = {
    "random": "graphenv.agents.random:RandomAgent",
    "oracle": "graphenv.agents.oracle:OracleAgent",
    "rules": "graphenv.agents.rules:RulesAgent",
    "search": "graphenv.agents.search:SearchAgent",
    "llm": "graphenv.agents.llm:LLMAgent",
    "openai": "graphenv.agents.openai:OpenAIAgent",
    "tiny": "graphenv.agents.llm:TinyAgent",
    "design-baseline": "graphenv.agents.design.agent:BaselineDesigner",
    "design-gnn": "graphenv.agents.design.agent:GNNDesigner",
}


def make(name: str, env: gym.Env[Any, Any], **kwargs: Any) -> Agent:
    """Return the agent `name` for an environment.

    Raises
    ------
    UnknownNameError
        If there is no such agent.
    ConfigError
        If it does not take one of the arguments, or needs one that is missing.
    """
    if name not in AGENTS:
        raise UnknownNameError(f"agent {name!r} is unknown.{did_you_mean(name, AGENTS)}")
    cls = load_row(AGENTS[name])
    check_keywords(f"agent {name!r}", cls, kwargs)
    agent: Agent = cls(bare(env), **kwargs)
    return agent
