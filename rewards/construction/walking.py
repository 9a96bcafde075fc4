"""Reaching answers in a built graph: along a path of relations, or by distance from the topics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import lru_cache

from graphenv.corpus import Corpus, CorpusQuestion, Passage
from graphenv.graph import Graph
from graphenv.rewards.construction.keys import entity_key, relation_key
from graphenv.rewards.construction.wording import Places

__all__ = ["MAX_HOPS", "follow", "rings", "set_f1", "starts"]

MAX_HOPS = 3
"""How far from the topics an answer may lie where no path is known."""


def starts(graph: Graph, corpus: Corpus, question: CorpusQuestion) -> set[str]:
    """Return the keys of the entities of a graph that a question is about.

    Its topics; where none are known, the nodes whose names stand in its text.

    >>> built = Graph.from_triples([("Heat", "by", "Michael Mann")])
    >>> starts(built, Corpus(()), CorpusQuestion("Who directed Heat?"))
    {'heat'}
    """
    keys = {entity_key(label, corpus) for label in graph.labels}
    if question.topics:
        return keys & {entity_key(topic, corpus) for topic in question.topics}
    asked = _asked(question.text, corpus.aliases)
    return {
        entity_key(node.label, corpus) for node in graph.nodes if asked.of((node.id, node.label))
    }


@lru_cache(maxsize=1024)
def _asked(text: str, aliases: tuple[tuple[str, ...], ...]) -> Places:
    return Places(Corpus((Passage("", text),), aliases=aliases))


def follow(
    graph: Graph,
    corpus: Corpus,
    question: CorpusQuestion,
    alike: Callable[[str, str], bool] = str.__eq__,
) -> set[str]:
    """Return the keys of the entities at the end of the path of a question.

    `^relation` goes against the arrow. A loop is no step, and a topic is no answer unless the gold
    says so. `alike` compares keys of relations.

    >>> built = Graph.from_triples([("Heat", "by", "Mann"), ("Thief", "by", "Mann")])
    >>> asked = CorpusQuestion("?", topics=("Heat",), path=("by", "^by"), answers=("Thief",))
    >>> follow(built, Corpus(()), asked)
    {'thief'}
    """
    topics = {entity_key(topic, corpus) for topic in question.topics}
    names = [entity_key(label, corpus) for label in graph.labels]
    relations = {edge.relation: relation_key(edge.relation) for edge in graph.edges}
    frontier = topics & set(names)
    for step in question.path:
        back, wanted = step.startswith("^"), relation_key(step.removeprefix("^"))
        fitting = {name for name, key in relations.items() if alike(key, wanted)}
        reached = set()
        for edge in graph.edges:
            if edge.relation in fitting and names[edge.head] != names[edge.tail]:
                ends = (names[edge.head], names[edge.tail])
                for here, there in (ends, ends[::-1]) if not graph.directed else (ends,):
                    if back:
                        here, there = there, here
                    if here in frontier:
                        reached.add(there)
        frontier = reached
    return frontier - (topics - {entity_key(answer, corpus) for answer in question.answers})


def rings(graph: Graph, corpus: Corpus, question: CorpusQuestion) -> Iterator[set[str]]:
    """Yield the keys of the entities 1, 2 and 3 edges from the topics, directions not looked at.

    >>> built = Graph.from_triples([("Heat", "by", "Mann"), ("Thief", "by", "Mann")])
    >>> list(rings(built, Corpus(()), CorpusQuestion("Like Heat?")))
    [{'mann'}, {'thief'}]
    """
    near: dict[str, set[str]] = {}
    names = [entity_key(label, corpus) for label in graph.labels]
    for edge in graph.edges:
        near.setdefault(names[edge.head], set()).add(names[edge.tail])
        near.setdefault(names[edge.tail], set()).add(names[edge.head])
    ring = starts(graph, corpus, question)
    seen = set(ring)
    for _ in range(MAX_HOPS):
        ring = {other for name in ring for other in near.get(name, ())} - seen
        if not ring:
            return
        seen |= ring
        yield ring


def set_f1(found: Collection[str], gold: Collection[str]) -> float:
    """Return the F1 of two sets; 0.0 if either is empty.

    >>> set_f1({"a", "b"}, {"a"})
    0.6666666666666666
    """
    both = len({*found} & {*gold})
    return 2.0 * both / (len({*found}) + len({*gold})) if both else 0.0
