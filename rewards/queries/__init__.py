"""Reward terms for queries: results, structure, schema, wording."""
