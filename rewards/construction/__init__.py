"""Reward terms for graphs built from text: grounding, agreement with gold, use, size."""
