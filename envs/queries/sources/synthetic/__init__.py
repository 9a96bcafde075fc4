"""The embedded default source: invented databases and questions that need no download."""

from graphenv.envs.queries.sources.synthetic.source import SyntheticQueries

__all__ = ["SyntheticQueries"]
