"""Names and triples as keys: spellings and aliases of one thing are one key."""

from __future__ import annotations

import re
from functools import lru_cache

from graphenv.corpus import Corpus
from graphenv.graph import Graph
from graphenv.text import normalize

__all__ = ["Key", "entity_key", "name_key", "relation_key", "triple_keys"]

Key = tuple[str, str, str]

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def name_key(name: str) -> str:
    """Return a name in the form in which spellings of one name are equal.

    >>> name_key("New_York  City"), name_key("Alien's")
    ('new york city', "alien's")
    """
    return normalize(name.replace("_", " "))


def relation_key(relation: str) -> str:
    """Return a relation in the form in which spellings of it are equal.

    >>> relation_key("birthPlace"), relation_key("birth_place"), relation_key("Birth place")
    ('birth place', 'birth place', 'birth place')
    """
    return normalize(_HUMP.sub(" ", relation.replace("_", " ")))


def entity_key(name: str, corpus: Corpus | None) -> str:
    """Return the key of an entity: that of its first name, where the documents give it several.

    >>> entity_key("N_Y C", Corpus((), aliases=(("New York", "n y c"),)))
    'new york'
    """
    plain = name.replace("_", " ")
    return name_key(corpus.canonical(plain) if corpus is not None else plain)


@lru_cache(maxsize=128)
def triple_keys(graph: Graph, corpus: Corpus | None = None) -> tuple[Key, ...]:
    """Return the key of each edge; an edge without direction has its ends in order.

    >>> triple_keys(Graph.from_triples([("Heat_(film)", "directedBy", "Michael Mann")]))
    (('heat (film)', 'directed by', 'michael mann'),)
    """
    names = [entity_key(label, corpus) for label in graph.labels]
    relations = {relation: relation_key(relation) for relation in {e.relation for e in graph.edges}}
    found = []
    for edge in graph.edges:
        head, tail = names[edge.head], names[edge.tail]
        if not graph.directed and tail < head:
            head, tail = tail, head
        found.append((head, relations[edge.relation], tail))
    return tuple(found)
