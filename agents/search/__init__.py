"""Training-free tree search over paths of a knowledge graph (RTSoG), and plain beam search."""

from graphenv.agents.search.agent import SearchAgent
from graphenv.agents.search.scorers import LexicalScorer, RandomScorer
from graphenv.agents.search.tree import Path, Scorer, beam_search, tree_search

__all__ = [
    "LexicalScorer",
    "Path",
    "RandomScorer",
    "Scorer",
    "SearchAgent",
    "beam_search",
    "tree_search",
]
