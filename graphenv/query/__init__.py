"""Queries as data: one form for SQL and Cypher, schemas, results. What rewards compare."""
