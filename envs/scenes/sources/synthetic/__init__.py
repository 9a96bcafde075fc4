"""The embedded default source: seeded scenes with captions and pictures that need no download."""

from graphenv.envs.scenes.sources.synthetic.source import SyntheticScenes

__all__ = ["SyntheticScenes"]
