"""Cypher text to a `Query`: tokens, a recursive-descent reader, a rewriter for ladybug."""
