"""A world: a domain with names, properties and relations chosen by its seed, and its data.

Names are the same in both languages: the table `Film` is the label `Film`, columns are properties,
and the relation `DIRECTED_BY` is the relationship type of that name, the foreign key column
`directed_by_id`, or (many to many) the link table of its name in lower case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from graphenv.envs.kgqa.sources.synthetic.names import NameMaker
from graphenv.envs.queries.files.contents import Contents
from graphenv.envs.queries.sources.synthetic.domains_other import HELDOUT, VALIDATION
from graphenv.envs.queries.sources.synthetic.domains_train import TRAIN
from graphenv.envs.queries.sources.synthetic.vocabulary import (
    Domain,
    EntityKind,
    PropertyKind,
    RelationKind,
)
from graphenv.query.schema import EntityType, Property, RelationType, Schema
from graphenv.seeding import rng, stable_hash

__all__ = ["DOMAINS", "VARIATIONS", "Link", "Thing", "World", "make_world"]

DOMAINS = {"train": TRAIN, "validation": VALIDATION, "heldout": HELDOUT}
VARIATIONS = 2
_CORE = 0.7  # share of the rows whose names exist in all databases of a world
_UNKNOWN = 0.15  # share of values that are missing where some may be
_WITHOUT = 0.25  # share of heads without a tail where some may have none


@dataclass(frozen=True)
class Thing:
    """A kind of entity of one world: its table, its words, its names that questions may use."""

    label: str
    plural: str
    singular: str
    key: str
    title: str
    properties: dict[str, PropertyKind]
    core: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """A relation of one world."""

    name: str
    head: str
    tail: str
    kind: RelationKind

    @property
    def single(self) -> bool:
        """Whether a head has one tail at most."""
        return self.kind.many != "many"

    @property
    def complete(self) -> bool:
        """Whether every head has a tail."""
        return self.kind.many == "one"

    def phrases(self, forward: bool) -> tuple[str, str]:
        """Return how it is said behind a noun for its head (`forward`) or its tail."""
        return self.kind.forth if forward else self.kind.back


@dataclass(frozen=True, eq=False)
class World:
    """The schema of a world, its words, and what its databases hold: main first, then variations.

    The variations have the same schema and the core names, and other rows, values and links.
    """

    name: str
    schema: Schema
    things: dict[str, Thing]
    links: dict[str, Link]
    contents: tuple[Contents, ...]

    @cached_property
    def sql_schema(self) -> Schema:
        """Return the schema with foreign key columns and link tables."""
        columns: dict[str, list[Property]] = {}
        tables: dict[str, EntityType] = {e.name: e for e in self.schema.entities}
        for relation in self.schema.relations:
            if relation.via:
                ends = [join[0].split(".")[1] for join in relation.joins]
                properties = tuple(Property(end, "integer") for end in ends)
                tables[relation.via] = EntityType(relation.via, properties, tuple(ends))
            else:
                column = relation.joins[0][0].split(".")[1]
                columns.setdefault(relation.head, []).append(Property(column, "integer"))
        entities = tuple(
            replace(e, properties=(*e.properties, *columns.get(e.name, ())))
            for e in tables.values()
        )
        return Schema(self.schema.name, entities, self.schema.relations)

    @cached_property
    def graph_schema(self) -> Schema:
        """Return the schema without what only tables need."""
        relations = tuple(replace(r, joins=(), via="") for r in self.schema.relations)
        return Schema(self.schema.name, self.schema.entities, relations)


@lru_cache(maxsize=64)
def make_world(split: str, number: int, seed: int, size: int) -> World:
    """Return world `number` of the worlds of a split, always the same.

    Parameters
    ----------
    split
        Whose domains: no domain is in two splits.
    number
        Worlds of one domain differ in names, in which relations exist, and in data.
    seed
        Another seed gives other worlds.
    size
        Rows of entity tables, about.

    Examples
    --------
    >>> world = make_world("train", 0, 0, 400)
    >>> world.name, len(world.contents), world.schema.entities[0].name in world.things
    ('cinema_0', 3, True)
    """
    domains = DOMAINS[split]
    domain = domains[number % len(domains)]
    name = f"{domain.name}_{number // len(domains)}"
    choose = rng("query world", seed, split, number)
    maker = NameMaker(stable_hash("query names", seed, split, number, bits=32))
    things, ids = _things(domain, choose)
    links = _links(domain, ids, choose)
    schema = _schema(name, things, links)
    counts = _counts(domain, ids, size)
    named: dict[str, Thing] = {}
    names: dict[str, list[list[str]]] = {}
    for kind in domain.entities:
        thing = things[ids[kind.id]]
        names[thing.label] = _names(maker, kind, counts[thing.label], VARIATIONS + 1)
        core = round(counts[thing.label] * _CORE)
        named[thing.label] = replace(thing, core=tuple(names[thing.label][0][:core]))
    contents = tuple(
        _contents(
            schema, named, links, {k: v[i] for k, v in names.items()},
            rng("query data", seed, split, number, i),
        )
        for i in range(VARIATIONS + 1)
    )  # fmt: skip
    return World(name, schema, named, links, contents)


def _pick(choose: np.random.Generator, items: tuple[Any, ...]) -> Any:
    return items[int(choose.integers(len(items)))]


def _things(domain: Domain, choose: np.random.Generator) -> tuple[dict[str, Thing], dict[str, str]]:
    plain_key = bool(choose.integers(2))
    things, ids = {}, {}
    for kind in domain.entities:
        label, plural = _pick(choose, kind.labels)
        ids[kind.id] = label
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).lower()
        properties = {_pick(choose, p.names): p for p in kind.properties}
        if len(properties) > 3:  # worlds of a domain differ in what they know
            dropped = list(properties)[int(choose.integers(1, len(properties)))]
            del properties[dropped]
        key = "id" if plain_key else f"{words.replace(' ', '_')}_id"
        title = _pick(choose, kind.title)
        things[label] = Thing(label, plural, words, key, title, properties, ())
    return things, ids


def _links(domain: Domain, ids: dict[str, str], choose: np.random.Generator) -> dict[str, Link]:
    kinds = list(domain.relations)
    # Two relations of a domain, but none without which an entity would have no other.
    for _ in range(2):
        spare = [
            k for k in kinds
            if k.many != "tree" and all(
                sum(end in (o.head, o.tail) for o in kinds if o is not k and o.many != "tree") > 0
                for end in (k.head, k.tail)
            )
        ]  # fmt: skip
        if spare and choose.integers(2):
            kinds.remove(spare[int(choose.integers(len(spare)))])
    links = (Link(_pick(choose, k.names), ids[k.head], ids[k.tail], k) for k in kinds)
    return {link.name: link for link in links}


def _schema(name: str, things: dict[str, Thing], links: dict[str, Link]) -> Schema:
    entities = tuple(
        EntityType(
            thing.label,
            (
                Property(thing.key, "integer"),
                Property(thing.title, "text"),
                *(Property(column, p.type) for column, p in thing.properties.items()),
            ),
            (thing.key,),
        )
        for thing in things.values()
    )
    return Schema(name, entities, tuple(_relation(link, things) for link in links.values()))


def _relation(link: Link, things: dict[str, Thing]) -> RelationType:
    head, tail = things[link.head], things[link.tail]
    name = link.name.lower()
    if link.single:
        joins = ((f"{head.label}.{name}_id", f"{tail.label}.{tail.key}"),)
        return RelationType(link.name, head.label, tail.label, joins=joins)
    ends = [f"{thing.singular.replace(' ', '_')}_id" for thing in (head, tail)]
    pairs = zip(ends, (head, tail), strict=True)
    joins_via = tuple((f"{name}.{end}", f"{thing.label}.{thing.key}") for end, thing in pairs)
    return RelationType(link.name, head.label, tail.label, joins=joins_via, via=name)


def _counts(domain: Domain, ids: dict[str, str], size: int) -> dict[str, int]:
    whole = sum(kind.share for kind in domain.entities)
    return {
        ids[kind.id]: max(12, round(size * (kind.share + 1) / (whole + len(domain.entities))))
        for kind in domain.entities
    }


def _names(maker: NameMaker, kind: EntityKind, count: int, databases: int) -> list[list[str]]:
    """Return the names in every database: the core ones first, then some of its own."""
    core = round(count * _CORE)
    own = count - core
    made = maker.make(kind.names, core + databases * own)
    forms = kind.forms
    made = [forms[i % len(forms)].format(name) for i, name in enumerate(made)]
    return [made[:core] + made[core + i * own : core + (i + 1) * own] for i in range(databases)]


def _contents(
    schema: Schema,
    things: dict[str, Thing],
    links: dict[str, Link],
    names: dict[str, list[str]],
    random: np.random.Generator,
) -> Contents:
    entities, keys = {}, {}
    for label, thing in things.items():
        count = len(names[label])
        # Numbers with gaps, in no order of the names: an id says nothing across databases.
        first = int(random.integers(1, 500))
        keys[label] = (first + random.permutation(2 * count)[:count]).tolist()
        columns = [_values(p, count, random) for p in thing.properties.values()]
        rows = zip(keys[label], names[label], *columns, strict=True)
        entities[label] = tuple(sorted(rows, key=lambda row: row[0]))
    pairs = {}
    for link in links.values():
        heads, tails = keys[link.head], keys[link.tail]
        chosen = _edges(link, len(heads), len(tails), random)
        pairs[link.name] = tuple(sorted((heads[a], tails[b]) for a, b in chosen))
    return Contents(schema, entities, pairs)


def _values(kind: PropertyKind, count: int, random: np.random.Generator) -> list[Any]:
    low, high = kind.span
    values: list[Any]
    if kind.kind == "year":
        values = random.integers(low, high + 1, size=count).tolist()
    elif kind.kind == "score":
        values = (random.integers(10 * low, 10 * high + 1, size=count) / 10).tolist()
    elif kind.kind == "amount":
        # Spread over orders of magnitude; two or three leading digits keep them readable.
        exact = np.exp(random.uniform(np.log(low), np.log(high), size=count))
        unit = np.maximum(10.0 ** (np.floor(np.log10(exact)) - 2), 1)
        values = (np.round(exact / unit) * unit).astype(np.int64).tolist()
    elif kind.kind == "flag":
        values = (random.random(count) < 0.4).tolist()
    else:
        weights = 1.0 / np.arange(2, len(kind.words) + 2)
        drawn = random.choice(len(kind.words), size=count, p=weights / weights.sum())
        values = [kind.words[i] for i in drawn.tolist()]
    if kind.missing:
        gone = random.random(count) < _UNKNOWN
        values = [None if g else v for g, v in zip(gone.tolist(), values, strict=True)]
    return values


def _edges(
    link: Link, heads: int, tails: int, random: np.random.Generator
) -> list[tuple[int, int]]:
    if link.kind.many == "tree":
        # A forest of little depth: every thing hangs on one that stands before it.
        order = random.permutation(heads)
        up = (np.arange(heads) * random.uniform(0.1, 0.9, size=heads)).astype(np.int64)
        has = random.random(heads) > _WITHOUT
        places = [i for i in range(heads) if i > up[i] and has[i]]
        return [(int(order[i]), int(order[up[i]])) for i in places]
    popularity = (random.permutation(tails) + 3.0) ** -0.4
    popularity /= popularity.sum()
    if link.single:
        found = random.choice(tails, size=heads, p=popularity).tolist()
        has = random.random(heads) > (0.0 if link.complete else _WITHOUT)
        return [(i, b) for i, b in enumerate(found) if has[i]]
    counts = random.integers(0, 5, size=heads)
    drawn = random.choice(tails, size=int(counts.sum()), p=popularity)
    return sorted(
        set(zip(np.repeat(np.arange(heads), counts).tolist(), drawn.tolist(), strict=True))
    )
