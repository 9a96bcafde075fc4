"""Cypher: text to `graphenv.query.model.Query`, and to the dialect of the embedded engine."""

from graphenv.query.cypher.reader import read_cypher

__all__ = ["read_cypher"]
