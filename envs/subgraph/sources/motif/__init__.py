"""Motifs planted in made networks: what is asked is described in words, and is there once."""

from __future__ import annotations
