"""Networks built or repaired for an objective: the environment, its objectives and sources."""

from __future__ import annotations

from graphenv.envs.design.env import GraphDesignEnv

__all__ = ["GraphDesignEnv"]
