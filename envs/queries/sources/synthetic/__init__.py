"""Seeded databases with questions and gold queries in SQL and Cypher."""
