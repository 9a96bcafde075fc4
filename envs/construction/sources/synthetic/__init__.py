"""The embedded default: invented documents, everything that they state, and questions."""

from graphenv.envs.construction.sources.synthetic.source import SyntheticDocuments

__all__ = ["SyntheticDocuments"]
