"""Designs of networks: the published baselines, and a network that learns."""

from __future__ import annotations
