"""Floors and heuristics of the published subgraph tasks."""
