"""Text-to-SQL and text-to-Cypher: one session, one set of sources, caged engines."""
