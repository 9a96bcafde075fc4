"""graphenv: reinforcement learning for graph reasoning with language models."""
