"""`vary_contents`: seeded copies of a graph's contents, with other values and other links."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphenv.envs.queries.files.contents import Contents, Row, link_key
from graphenv.envs.queries.gold.columns import Cell, shuffled
from graphenv.envs.queries.gold.sqlite_copies import Witness, in_order
from graphenv.query.schema import EntityType, Schema
from graphenv.seeding import rng

__all__ = ["VERSION", "vary_contents"]

VERSION = 2
"""Goes up when the same seed gives another copy."""

_End = tuple[str, Cell]  # a label and a key
_DROPPED = 0.2  # share of links that go
_REWIRED = 0.2  # share of links that get another tail


def vary_contents(contents: Contents, seed: int, *, witnesses: Sequence[Witness] = ()) -> Contents:
    """Return a copy in which what was true by chance no longer is.

    Within each label the values of every property but the key are shuffled; a share of the links is
    dropped, and of those that stay a share leads to another node. Nodes and links of `witnesses`
    are added, so that what gold queries ask for is found, in each place of a pattern another number
    of times, and in the copy of the next seed another number again: what is counted is told from
    its neighbours and from a constant.

    Parameters
    ----------
    witnesses
        Those with `links`; rows that ask for the same values are one node.

    Examples
    --------
    >>> from graphenv.query.schema import EntityType, Property, Schema
    >>> town = EntityType("Town", (Property("id", "integer"), Property("name")))
    >>> world = Contents(Schema("x", (town,)), {"Town": ((1, "Rome"), (2, "Oslo"), (3, "Bern"))})
    >>> sorted(name for _, name in vary_contents(world, 0).entities["Town"])
    ['Bern', 'Oslo', 'Rome']
    """
    random = rng("graph variation", VERSION, contents.schema.name, seed)
    nodes: dict[str, list[list[Cell]]] = {}
    for name, rows in contents.entities.items():
        columns = [list(column) for column in zip(*rows, strict=True)]
        made = columns[:1] + [shuffled(column, len(rows), random) for column in columns[1:]]
        nodes[name] = [list(row) for row in zip(*made, strict=True)]
    links: dict[str, dict[Row, None]] = {}
    tails = {link_key(contents.schema, r): r.tail for r in contents.schema.relations}
    for name, rows in contents.links.items():
        links[name] = dict.fromkeys(_rewired(rows, nodes[tails[name]], random))
    planting = _Planting(contents.schema, nodes, links, random, seed)
    for witness in in_order(witnesses, random):
        planting.plant(witness)
    return Contents(
        contents.schema,
        {name: tuple(map(tuple, rows)) for name, rows in nodes.items()},
        {name: tuple(rows) for name, rows in links.items()},
    )


def _rewired(
    rows: Sequence[Row], tails: Sequence[Sequence[Cell]], random: np.random.Generator
) -> list[Row]:
    kept = np.flatnonzero(random.random(len(rows)) >= _DROPPED).tolist()
    moves = (random.random(len(kept)) < _REWIRED).tolist()
    targets = random.integers(max(1, len(tails)), size=len(kept)).tolist()
    return [
        (rows[at][0], tails[to][0], *rows[at][2:]) if moved else rows[at]
        for at, moved, to in zip(kept, moves, targets, strict=True)
    ]


class _Planting:
    """Adds the nodes and links of witnesses to a copy."""

    def __init__(
        self,
        schema: Schema,
        nodes: dict[str, list[list[Cell]]],
        links: dict[str, dict[Row, None]],
        random: np.random.Generator,
        seed: int,
    ) -> None:
        self._schema, self._nodes, self._links, self._random = schema, nodes, links, random
        self._seed = seed
        self._tops = {
            name: max((row[0] for row in rows if isinstance(row[0], int)), default=0)
            for name, rows in nodes.items()
        }
        self._planted: dict[object, Cell] = {}

    def plant(self, witness: Witness) -> None:
        labels = [self._schema.entity(label) for label, _ in witness.rows]
        if any(label is None or not self._nodes.get(label.name) for label in labels):
            return
        ends: list[_End] = []
        for label, (_, cells) in zip(labels, witness.rows, strict=True):
            assert label is not None
            end = (label.name, self._planted.get((label.name, cells)))
            # The same node may not stand for two that a pattern tells apart.
            if not cells or end[1] is None or end in ends:
                end = self._new(label, cells) if cells else self._any(label)
                self._planted[label.name, cells] = end[1]
            ends.append(end)
        self._link(witness, ends)
        if not witness.near_miss:
            for at, (label, (_, cells)) in enumerate(zip(labels, witness.rows, strict=True)):
                assert label is not None
                for _ in range((at + self._seed) % max(2, len(ends)) + 1):
                    more = [*ends[:at], self._new(label, cells), *ends[at + 1 :]]
                    self._link(witness, more)

    def _any(self, label: EntityType) -> _End:
        rows = self._nodes[label.name]
        return label.name, rows[int(self._random.integers(len(rows)))][0]

    def _new(self, label: EntityType, cells: Sequence[tuple[str, Cell]]) -> _End:
        rows = self._nodes[label.name]
        row = list(rows[int(self._random.integers(len(rows)))])
        self._tops[label.name] += 1
        top = self._tops[label.name]
        row[0] = top if isinstance(row[0], int) else f"{row[0]!s} {top}"
        names = [p.name for p in label.properties]
        for column, value in cells:
            if column in names:
                row[names.index(column)] = value
        rows.append(row)
        return label.name, row[0]

    def _link(self, witness: Witness, ends: Sequence[_End]) -> None:
        for name, one, other in witness.links:
            for relation in self._schema.relations:
                head, tail = ends[one], ends[other]
                if (relation.head, relation.tail) != (head[0], tail[0]):
                    head, tail = tail, head  # perhaps written against the arrow, or without one
                if relation.name == name and (relation.head, relation.tail) == (head[0], tail[0]):
                    known = self._links.setdefault(link_key(self._schema, relation), {})
                    more = next(iter(known), (None,) * (2 + len(relation.properties)))[2:]
                    known.setdefault((head[1], tail[1], *more))
                    break
