"""Subgraphs of a network, grown step by step: the environment and its sources."""

from __future__ import annotations

from graphenv.envs.subgraph.env import SubgraphEnv

__all__ = ["SubgraphEnv"]
