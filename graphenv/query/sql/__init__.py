"""SQL text to a `Query`, by sqlglot."""
