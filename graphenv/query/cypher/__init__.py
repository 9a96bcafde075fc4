"""Cypher: text to `graphenv.query.model.Query`, and to the dialect of the embedded engine."""

from graphenv.query.cypher.reader import read_cypher
from graphenv.query.cypher.rewrite import to_ladybug

__all__ = ["read_cypher", "to_ladybug"]
