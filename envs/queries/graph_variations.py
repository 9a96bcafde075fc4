"""`vary_contents`: seeded copies of a graph's contents, with other values and other links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from graphenv.envs.queries.columns import Cell, shuffled
from graphenv.envs.queries.contents import Contents, Row, link_key
from graphenv.envs.queries.variations import Witness, in_order
from graphenv.query.schema import Schema
from graphenv.seeding import rng

__all__ = ["VERSION", "vary_contents"]

VERSION = 1
"""Goes up when the same seed gives another copy."""

_DROPPED = 0.2  # share of links that go
_REWIRED = 0.2  # share of links that get another tail


def vary_contents(contents: Contents, seed: int, *, witnesses: Sequence[Witness] = ()) -> Contents:
    """Return a copy in which what was true by chance no longer is.

    Within each label the values of every property but the key are shuffled; a share of the links is
    dropped, and of those that stay a share leads to another node. Nodes and links of `witnesses`
    are added, so that what gold queries ask for is found.

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
    _plant(contents.schema, nodes, links, witnesses, random)
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


def _plant(
    schema: Schema,
    nodes: dict[str, list[list[Cell]]],
    links: dict[str, dict[Row, None]],
    witnesses: Sequence[Witness],
    random: np.random.Generator,
) -> None:
    planted: dict[object, Cell] = {}
    keys = _Keys(nodes)
    for witness in in_order(witnesses, random):
        labels = [schema.entity(label) for label, _ in witness.rows]
        if any(label is None or not nodes.get(label.name) for label in labels):
            continue
        ends: list[tuple[str, Cell]] = []
        for label, (_, cells) in zip(labels, witness.rows, strict=True):
            assert label is not None
            names = [p.name for p in label.properties]
            rows = nodes[label.name]
            key = planted.get((label.name, cells))
            # The same node may not stand for two that a pattern tells apart.
            if not cells or key is None or (label.name, key) in ends:
                row = rows[int(random.integers(len(rows)))]
                key = row[0]
                if cells:
                    row = list(row)
                    key = row[0] = keys.next(label.name, row[0])
                    for column, value in cells:
                        if column in names:
                            row[names.index(column)] = value
                    rows.append(row)
                    planted[label.name, cells] = key
            ends.append((label.name, key))
        for name, one, other in witness.links:
            for relation in schema.relations:
                head, tail = ends[one], ends[other]
                if (relation.head, relation.tail) != (head[0], tail[0]):
                    head, tail = tail, head  # perhaps written against the arrow, or without one
                if relation.name == name and (relation.head, relation.tail) == (head[0], tail[0]):
                    known = links.setdefault(link_key(schema, relation), {})
                    more = next(iter(known), (None,) * (2 + len(relation.properties)))[2:]
                    known.setdefault((head[1], tail[1], *more))
                    break


class _Keys:
    """Keys that no node of a label has."""

    def __init__(self, nodes: Mapping[str, Sequence[Sequence[Cell]]]) -> None:
        self._tops = {
            name: max((row[0] for row in rows if isinstance(row[0], int)), default=0)
            for name, rows in nodes.items()
        }

    def next(self, label: str, example: Cell) -> Cell:
        self._tops[label] += 1
        top = self._tops[label]
        return top if isinstance(example, int) else f"{example!s} {top}"
