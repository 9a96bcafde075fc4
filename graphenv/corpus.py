"""`Corpus`: the documents that a knowledge graph is built from, and questions about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from graphenv.graph import Edge, Graph, Node, Triple
from graphenv.text import normalize

__all__ = ["Corpus", "CorpusQuestion", "Passage"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A document: its title and its text."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class CorpusQuestion:
    """A question that the documents answer.

    Parameters
    ----------
    text
        The question.
    topics
        The entities that it names.
    path
        The relations from the topics to the answers, `^relation` against the arrow; empty if that
        is not known.
    answers
        The gold answers; empty if they are not known.
    supporting
        Titles of the passages that hold the facts; empty if that is not known.
    """

    text: str
    topics: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    supporting: tuple[str, ...] = ()


@dataclass(frozen=True)
class Corpus:
    """Documents with what is known about them. Questions and aliases are gold: no agent sees them.

    Parameters
    ----------
    passages
        The documents, in the order in which they are read.
    questions
        Questions that a graph built from the documents should answer.
    aliases
        Groups of names of one entity each; a name stands in one group at most.
    """

    passages: tuple[Passage, ...]
    questions: tuple[CorpusQuestion, ...] = ()
    aliases: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        """The texts of all passages."""
        return "\n\n".join(passage.text for passage in self.passages)

    @cached_property
    def _first(self) -> dict[str, str]:
        """The first name of its group for each normalised name."""
        return {normalize(name): group[0] for group in self.aliases for name in group}

    def canonical(self, name: str) -> str:
        """Return the first name of an entity; a name without aliases is returned as it is.

        >>> corpus = Corpus((), aliases=(("New York City", "NYC"),))
        >>> corpus.canonical("nyc"), corpus.canonical("Boston")
        ('New York City', 'Boston')
        """
        return self._first.get(normalize(name), name)

    def graph(self, triples: Iterable[Triple]) -> Graph:
        """Return the graph of triples: names of one entity are one node with its first name.

        Names are compared normalised; a triple given twice counts once, as it states nothing new.

        >>> corpus = Corpus((), aliases=(("New York City", "NYC"),))
        >>> built = corpus.graph([("NYC", "in", "USA"), ("New York City", "has", "Bronx")])
        >>> built.triples
        (('New York City', 'in', 'USA'), ('New York City', 'has', 'Bronx'))
        >>> len(built)
        3
        """
        index: dict[str, int] = {}
        nodes: list[Node] = []
        edges: dict[tuple[int, str, int], Edge] = {}

        def place(name: str) -> int:
            label = self.canonical(name)
            key = normalize(label)
            if key not in index:
                index[key] = len(nodes)
                nodes.append(Node(name, label))
            return index[key]

        for head, relation, tail in triples:
            edge = Edge(place(head), relation, place(tail))
            edges.setdefault((edge.head, normalize(relation), edge.tail), edge)
        return Graph(tuple(nodes), tuple(edges.values()))
