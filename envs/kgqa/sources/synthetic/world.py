"""The synthetic world: a seeded knowledge graph of people, films, cities, companies ..."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from graphenv.checks import whole
from graphenv.envs.kgqa.sources.synthetic.names import NameMaker
from graphenv.envs.kgqa.sources.synthetic.schema import (
    DISTRACTORS,
    RELATIONS,
    SHARES,
    SMALL,
    Relation,
)
from graphenv.knowledge import KnowledgeGraph
from graphenv.seeding import rng

__all__ = ["World", "make_world"]

Ids = NDArray[np.int64]
_DEFAULT_ENTITIES = 2_400


@dataclass(frozen=True)
class World:
    """The graph and the relations that questions are made of.

    `relations` are the asked ones; the graph also holds the distractors. `numbers` gives, for a
    numeric relation, the value of every entity that has one.
    """

    graph: KnowledgeGraph
    relations: tuple[Relation, ...]
    numbers: dict[str, dict[int, int]]


def make_world(*, seed: int, entities: int, relations: int, distractors: int) -> World:
    """Return the world of these arguments, always the same.

    Parameters
    ----------
    seed
        Which world.
    entities
        Named entities, 300 to 100,000; years and other numbers come on top.
    relations
        Relations that questions ask for, 8 to `len(RELATIONS)`.
    distractors
        Relations that no question asks for, 0 to `len(DISTRACTORS)`.

    Raises
    ------
    ConfigError
        If a number is out of range.

    Examples
    --------
    >>> world = make_world(seed=0, entities=2400, relations=36, distractors=8)
    >>> world.graph.num_entities > 2400, world.graph.num_relations
    (True, 44)
    """
    whole("synthetic", "entities", entities, 300, 100_000)
    whole("synthetic", "relations", relations, 8, len(RELATIONS))
    whole("synthetic", "distractors", distractors, 0, len(DISTRACTORS))
    whole("synthetic", "seed", seed, 0, 2**63)
    return _world(seed, entities, relations, distractors)


@lru_cache(maxsize=8)
def _world(seed: int, entities: int, relations: int, distractors: int) -> World:
    asked = RELATIONS[:relations]
    other = DISTRACTORS[:distractors]
    kinds = {r.head for r in asked} | {r.tail for r in asked if not r.numeric}
    kinds |= {kind for _, *pair in other for kind in pair}
    names: list[str] = []
    places: dict[str, tuple[int, int]] = {}
    maker = NameMaker(seed)
    for kind, count in _sizes(kinds, entities).items():
        places[kind] = len(names), count
        names += maker.make(kind, count)
    values: dict[str, int] = {}
    known: dict[str, dict[int, int]] = {}
    columns: list[tuple[Ids, str, Ids]] = []
    for relation in asked:
        random = rng("synthetic edges", seed, relation.name)
        first, count = places[relation.head]
        if relation.numeric:
            heads = np.arange(count)
            numbers = _numbers(random, relation, count)
            known[relation.name] = {first + i: int(n) for i, n in enumerate(numbers)}
            tails = np.array([values.setdefault(n, len(names) + len(values)) for n in numbers])
        else:
            heads, tails = _pairs(random, relation.fan, count, places[relation.tail][1])
            tails = _without_loops(relation.head == relation.tail, heads, tails, count)
            tails = tails + places[relation.tail][0]
        columns.append((heads + first, relation.name, tails))
    for name, head, tail in other:
        random = rng("synthetic edges", seed, name)
        heads, tails = _pairs(random, (0, 3), places[head][1], places[tail][1])
        tails = _without_loops(head == tail, heads, tails, places[tail][1])
        columns.append((heads + places[head][0], name, tails + places[tail][0]))
    # By name, so that nothing in the order tells a distractor from the rest.
    order = sorted(name for _, name, _ in columns)
    graph = KnowledgeGraph.from_arrays(
        np.concatenate([heads for heads, _, _ in columns]),
        np.concatenate([np.full(len(heads), order.index(name)) for heads, name, _ in columns]),
        np.concatenate([tails for _, _, tails in columns]),
        [*names, *values],
        order,
    )
    return World(graph, asked, known)


def _sizes(kinds: set[str], entities: int) -> dict[str, int]:
    """Return how many entities each type has: `entities` in all."""
    growth = sqrt(entities / _DEFAULT_ENTITIES)
    small = {k: max(6, round(n * growth)) for k, n in SMALL.items() if k in kinds}
    rest = entities - sum(small.values())
    shares = {k: share for k, share in SHARES.items() if k in kinds}
    whole = sum(shares.values())
    large = {k: int(rest * share / whole) for k, share in shares.items()}
    large["person"] += rest - sum(large.values())
    return {**large, **small}


def _pairs(
    random: np.random.Generator, fan: tuple[int, int], heads: int, tails: int
) -> tuple[Ids, Ids]:
    """Return edges: `fan` tails for every head, some tails more popular than others."""
    counts = random.integers(fan[0], fan[1] + 1, size=heads)
    popularity = (random.permutation(tails) + 4.0) ** -0.5
    drawn = random.choice(tails, size=int(counts.sum()), p=popularity / popularity.sum())
    return np.repeat(np.arange(heads), counts), drawn


def _without_loops(same_type: bool, heads: Ids, tails: Ids, count: int) -> Ids:
    """Return tails of which none is its own head."""
    return np.where(heads == tails, (tails + 1) % count, tails) if same_type else tails


def _numbers(random: np.random.Generator, relation: Relation, count: int) -> list[str]:
    low, high = relation.span
    if relation.tail == "year":
        return [str(year) for year in random.integers(low, high + 1, size=count).tolist()]
    # Sizes spread over orders of magnitude, in thousands; two leading digits keep them readable.
    exact = np.exp(random.uniform(np.log(low), np.log(high), size=count))
    unit = 10.0 ** np.floor(np.log10(exact) - 1)
    return [str(int(n)) for n in (np.round(exact / unit) * unit * 1000).tolist()]
