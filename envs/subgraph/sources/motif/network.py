"""A made network with motifs planted in it: a pure function of its arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from graphenv.choices import Choices
from graphenv.envs.subgraph.sources.motif.names import make_names
from graphenv.envs.subgraph.sources.motif.patterns import (
    SHAPES,
    Adjacency,
    Entities,
    PatternEdge,
)
from graphenv.envs.subgraph.sources.motif.schema import FEATURES, RELATIONS, TRAITS, TYPES
from graphenv.envs.subgraph.world import World
from graphenv.errors import ConfigError
from graphenv.knowledge import KnowledgeGraph
from graphenv.seeding import stable_hash

__all__ = ["Instance", "Network", "make_network"]

_BACKGROUND = 1.5
"""Edges per entity that belong to no planted motif."""
_TRIES = 2_000


@dataclass(frozen=True, slots=True)
class Instance:
    """A planted motif: its edges between variables, and the entity of each variable."""

    edges: tuple[PatternEdge, ...]
    bound: tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A world, what it takes to search it, and the motifs planted by shape."""

    world: World
    names: tuple[str, ...]
    around: Adjacency
    entities: Entities
    planted: dict[str, tuple[Instance, ...]]


@lru_cache(maxsize=24)
def make_network(
    key: str,
    split: str,
    *,
    entities: int,
    relations: int,
    shapes: tuple[str, ...],
    names: str,
    plain: bool = False,
) -> Network:
    """Return the network of a key in a split; a `plain` one shows no texts and numbers.

    Raises
    ------
    ConfigError
        If the relations do not allow a shape.
    """
    told = (key, split, entities, relations, shapes, names)
    choose = Choices(stable_hash("motif network", *told))
    rows = RELATIONS[:relations]
    kinds = [kind for kind in TYPES if any(kind in (row.head, row.tail) for row in rows)]
    members = _members(kinds, entities)
    taken: set[str] = set()
    labels: list[str] = []
    types: list[str] = []
    for kind, ids in members.items():
        labels += make_names(kind, len(ids), names, taken, split, key)
        types += [kind] * len(ids)
    edges: dict[tuple[int, int, int], None] = {}
    for at in range(int(_BACKGROUND * entities)):
        row = at % len(rows)
        heads, tails = members[rows[row].head], members[rows[row].tail]
        # Squaring makes hubs: the first of a type have several times as many edges.
        tail = tails[int(len(tails) * choose.share() ** 2)]
        head = choose.of(heads)
        if head != tail:
            edges[head, row, tail] = None
    planted: dict[str, tuple[Instance, ...]] = {}
    for shape in shapes:
        made = [_instance(shape, relations, members, choose) for _ in range(entities // 8 + 1)]
        distinct = tuple(dict.fromkeys(made))
        planted[shape] = distinct
        for one in distinct:
            edges.update({(one.bound[a], r, one.bound[b]): None for a, r, b in one.edges})
    full = _network(labels, types, list(edges), [row.name for row in rows], planted, choose)
    return replace(full, world=World(full.world.store, full.world.types)) if plain else full


def _members(kinds: list[str], entities: int) -> dict[str, range]:
    total = sum(TYPES[kind] for kind in kinds)
    sizes = [max(4, int(entities * TYPES[kind] / total)) for kind in kinds]
    sizes[0] += max(0, entities - sum(sizes))
    ends = np.cumsum(sizes).tolist()
    return {
        kind: range(end - size, end) for kind, size, end in zip(kinds, sizes, ends, strict=True)
    }


def _instance(shape: str, relations: int, members: dict[str, range], choose: Choices) -> Instance:
    """Return a motif of types, relations and entities drawn at random."""
    pairs = SHAPES[shape]
    count = 1 + max(max(pair) for pair in pairs)
    joins = _joins(relations)
    for _ in range(_TRIES):
        kinds = [choose.of(tuple(members)) for _ in range(count)]
        if shape == "diamond":
            kinds[2] = kinds[1]
        options = [joins.get((kinds[a], kinds[b]), ()) for a, b in pairs]
        if not all(options):
            continue
        drawn = [choose.of(option) for option in options]
        if shape == "diamond":
            drawn = [drawn[0], drawn[0], drawn[2], drawn[2]]
        bound: dict[int, None] = {}
        while len(bound) < count:
            left = members[kinds[len(bound)]]
            bound.setdefault(choose.of(left))
        edges = tuple(
            (a, r, b) if forth else (b, r, a)
            for (a, b), (r, forth) in zip(pairs, drawn, strict=True)
        )
        return Instance(edges, tuple(bound))
    raise ConfigError(f"motif: relations={relations} allow no {shape}; ask for more of them")


@lru_cache(maxsize=8)
def _joins(relations: int) -> dict[tuple[str, str], list[tuple[int, bool]]]:
    """Return what can join two types: (relation, whether from the first to the second)."""
    found: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for at, row in enumerate(RELATIONS[:relations]):
        found.setdefault((row.head, row.tail), []).append((at, True))
        found.setdefault((row.tail, row.head), []).append((at, False))
    return found


def _network(
    labels: list[str],
    types: list[str],
    edges: list[tuple[int, int, int]],
    relations: list[str],
    planted: dict[str, tuple[Instance, ...]],
    choose: Choices,
) -> Network:
    heads, rows, tails = zip(*edges, strict=True)
    traits = []
    numbers = []
    for _ in labels:
        first, second = choose(len(TRAITS)), choose(len(TRAITS) - 1)
        traits.append((TRAITS[first], TRAITS[second + (second >= first)]))
        numbers.append(
            {name: low + choose(high - low + 1) for name, (low, high, _) in FEATURES.items()}
        )
    units = np.array([unit for _, _, unit in FEATURES.values()], np.float64)
    values = np.array([list(row.values()) for row in numbers], np.float64) / units
    world = World(
        KnowledgeGraph.from_arrays(heads, rows, tails, labels, relations),
        types=dict(zip(labels, types, strict=True)),
        descriptions={
            name: f"{'An' if a[0] in 'aeiou' else 'A'} {a} and {b} {kind}."
            for name, kind, (a, b) in zip(labels, types, traits, strict=True)
        },
        feature_names=tuple(FEATURES),
        feature_values=values,
    )
    out: dict[tuple[int, int], list[int]] = {}
    back: dict[tuple[int, int], list[int]] = {}
    for head, row, tail in edges:
        out.setdefault((row, head), []).append(tail)
        back.setdefault((row, tail), []).append(head)
    return Network(world, tuple(labels), (out, back), Entities(traits, numbers), planted)
