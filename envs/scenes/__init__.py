"""Scene graphs from captions, images or detected objects: the environment and its sources."""

from __future__ import annotations

from graphenv.envs.scenes.env import SceneGraphEnv

__all__ = ["SceneGraphEnv"]
