"""Rules instead of a model: patterns over parts of speech turn text into facts. A floor."""

from graphenv.agents.rules.agent import RulesAgent

__all__ = ["RulesAgent"]
