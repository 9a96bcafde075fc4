"""Graphs from documents: read one or more texts, write the triples that they state."""

from graphenv.envs.construction.env import KGConstructionEnv
from graphenv.envs.construction.sources import SOURCES, DocumentSource, make_source

__all__ = ["SOURCES", "DocumentSource", "KGConstructionEnv", "make_source"]
