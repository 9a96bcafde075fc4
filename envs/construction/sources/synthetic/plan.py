"""What documents state: a connected part of a world cut into documents, before it has words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from graphenv.choices import Choices
from graphenv.envs.construction.sources.synthetic.mentions import NOUNS
from graphenv.envs.kgqa.sources.synthetic.world import make_world
from graphenv.graph import Triple

__all__ = ["Aside", "Draft", "Terrain", "make_terrain", "plan_documents"]

_SAME = 2  # facts of one relation that a document states at most
_TRIES = 40


@dataclass(frozen=True)
class Terrain:
    """A world, indexed by entity.

    Parameters
    ----------
    names, kinds
        Name and type of each entity.
    facts
        Every triple, with entities as numbers.
    around
        Entity -> its triples, as numbers.
    members
        Type -> its entities.
    ends
        Relation -> the types that it joins.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    facts: tuple[tuple[int, str, int], ...]
    around: tuple[tuple[int, ...], ...]
    members: dict[str, tuple[int, ...]]
    ends: dict[str, tuple[str, str]]
    fingerprint: str

    def other(self, fact: int, entity: int) -> int:
        """Return the other end of a triple."""
        head, _, tail = self.facts[fact]
        return tail if entity == head else head

    def triple(self, fact: int) -> Triple:
        """Return a triple with its names."""
        head, relation, tail = self.facts[fact]
        return self.names[head], relation, self.names[tail]

    def titled(self, entity: int) -> bool:
        """Return whether a document can be about an entity."""
        return self.kinds[entity] in NOUNS


@dataclass(frozen=True, slots=True)
class Aside:
    """A sentence that states no fact: about the document's entity alone, with an `other`, or a
    denial of a fact that is not one."""

    other: str = ""
    denied: Triple | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A document without words: what it is about, the facts that it states, what else it says."""

    title: int
    facts: tuple[int, ...]
    asides: tuple[Aside, ...]


@lru_cache(maxsize=24)
def make_terrain(*, seed: int, entities: int, relations: int) -> Terrain:
    """Return the indexed world of these arguments (cached).

    >>> terrain = make_terrain(seed=1, entities=300, relations=12)
    >>> terrain.names[terrain.facts[0][0]] == terrain.triple(0)[0]
    True
    """
    world = make_world(seed=seed, entities=entities, relations=relations, distractors=0)
    graph = world.graph
    names = tuple(graph.entity_names(range(graph.num_entities)))
    heads, moves, tails = (column.tolist() for column in graph.triple_arrays())
    facts = tuple(
        (head, graph.move_name(move), tail)
        for head, move, tail in sorted(set(zip(heads, moves, tails, strict=True)))
    )
    ends = {relation.name: (relation.head, relation.tail) for relation in world.relations}
    kinds = [""] * len(names)
    around: list[list[int]] = [[] for _ in names]
    for number, (head, name, tail) in enumerate(facts):
        kinds[head], kinds[tail] = ends[name]
        around[head].append(number)
        around[tail].append(number)
    members: dict[str, list[int]] = {}
    for entity, kind in enumerate(kinds):
        members.setdefault(kind, []).append(entity)
    return Terrain(
        names,
        tuple(kinds),
        facts,
        tuple(map(tuple, around)),
        {kind: tuple(found) for kind, found in members.items()},
        ends,
        graph.fingerprint,
    )


def plan_documents(
    terrain: Terrain,
    topic: int,
    path: Sequence[str],
    *,
    documents: int,
    facts: int,
    distractors: int,
    choose: Choices,
) -> list[Draft] | None:
    """Return documents of which no two facts of a walk from `topic` along `path` share one.

    `None` if there is no such walk, or the world is too thin there. Every triple is stated once.
    `documents` documents hang together, `distractors` more are about other entities, and each of
    them has as many asides.
    """
    chain = _chain(terrain, topic, path, choose)
    if chain is None:
        return None
    stated = _titles_of_chain(terrain, topic, chain, choose)
    if stated is None or len(stated) > documents:
        return None
    used = set(chain)
    tries = 0
    while len(stated) < documents:
        tries += 1
        base = choose.of(list(stated))
        fact = choose.of(terrain.around[base])
        new = terrain.other(fact, base)
        if fact not in used and new not in stated and terrain.titled(new):
            stated[new] = [fact]
            used.add(fact)
        elif tries > _TRIES:
            return None
    for _ in range(distractors):
        stranger = _stranger(terrain, used, stated, choose)
        if stranger is None:
            return None
        stated[stranger] = []
    for title, own in stated.items():
        _fill(terrain, title, own, used, facts, choose)
        if not own:
            return None
    return [
        Draft(
            title,
            tuple(choose.shuffled(own)),
            tuple(_aside(terrain, title, choose) for _ in range(distractors)),
        )
        for title, own in choose.shuffled(list(stated.items()))
    ]


def _chain(terrain: Terrain, topic: int, path: Sequence[str], choose: Choices) -> list[int] | None:
    """Return the triples of a random walk along a path that comes by no entity twice."""
    here, seen, found = topic, {topic}, []
    for move in path:
        relation, back = move.removeprefix("^"), move.startswith("^")
        options = [
            fact
            for fact in terrain.around[here]
            if terrain.facts[fact][1] == relation and terrain.facts[fact][2 if back else 0] == here
            and terrain.other(fact, here) not in seen
        ]  # fmt: skip
        if not options:
            return None
        fact = choose.of(options)
        here = terrain.other(fact, here)
        seen.add(here)
        found.append(fact)
    return found


def _titles_of_chain(
    terrain: Terrain, topic: int, chain: Sequence[int], choose: Choices
) -> dict[int, list[int]] | None:
    """Return a document for each triple of a walk, about one of its ends, all different."""
    ends, here = [], topic
    for fact in chain:
        there = terrain.other(fact, here)
        ends.append([end for end in (here, there) if terrain.titled(end)])
        here = there
    choices = [titles for titles in product(*ends) if len(set(titles)) == len(titles)]
    if not choices:
        return None
    return {title: [fact] for title, fact in zip(choose.of(choices), chain, strict=True)}


def _stranger(
    terrain: Terrain, used: set[int], stated: dict[int, list[int]], choose: Choices
) -> int | None:
    """Return an entity that the documents so far do not speak of."""
    known = {end for fact in used for end in terrain.facts[fact][::2]} | set(stated)
    for _ in range(_TRIES):
        new = choose(len(terrain.names))
        if new not in known and terrain.titled(new) and len(terrain.around[new]) > 1:
            return new
    return None


def _fill(
    terrain: Terrain, title: int, own: list[int], used: set[int], facts: int, choose: Choices
) -> None:
    """Add unused triples of an entity to its document, up to `facts` in all."""
    counts = Counter(terrain.facts[fact][1] for fact in own)
    for fact in choose.shuffled(terrain.around[title]):
        if len(own) >= facts:
            return
        relation = terrain.facts[fact][1]
        if fact not in used and counts[relation] < _SAME:
            own.append(fact)
            used.add(fact)
            counts[relation] += 1


def _aside(terrain: Terrain, title: int, choose: Choices) -> Aside:
    kind = choose(4)
    if kind < 2:
        return Aside()
    if kind == 2:
        other = choose.of(terrain.members[terrain.kinds[title]])
        return Aside() if other == title else Aside(other=terrain.names[other])
    head, relation, tail = terrain.facts[choose.of(terrain.around[title])]
    place = 2 if title == head else 0
    end = choose.of(terrain.members[terrain.ends[relation][place // 2]])
    false = (head, relation, end) if place == 2 else (end, relation, tail)
    # A fact that the world knows might be stated elsewhere, and nothing is said of itself.
    if end == title or any(terrain.facts[fact] == false for fact in terrain.around[title]):
        return Aside()
    return Aside(denied=(terrain.names[false[0]], relation, terrain.names[false[2]]))
