"""The embedded default source: an invented world and questions that need no download."""

from graphenv.envs.kgqa.sources.synthetic.source import SyntheticSource

__all__ = ["SyntheticSource"]
