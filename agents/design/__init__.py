"""Agents that design networks: the published baselines, and a graph network that learns to."""

from __future__ import annotations
