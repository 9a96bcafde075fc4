"""Large triple stores: load, look up names, walk relations, hide a query's own edge."""

from graphenv.knowledge.protocol import Frontier, TripleStore
from graphenv.knowledge.store import KnowledgeGraph
from graphenv.knowledge.view import KnowledgeView

__all__ = ["Frontier", "KnowledgeGraph", "KnowledgeView", "TripleStore"]
