"""Which names of a query its schema does not have."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from graphenv.query.cypher.parts import Slot
from graphenv.query.schema import Schema

__all__ = ["Names"]


class _Index:
    """The names of a schema. Labels and types are sensitive to case in Cypher."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.labels = {e.name: frozenset(p.name for p in e.properties) for e in schema.entities}
        self.relations: dict[str, list[tuple[str, str]]] = {}
        relation_properties: dict[str, set[str]] = {}
        for relation in schema.relations:
            self.relations.setdefault(relation.name, []).append((relation.head, relation.tail))
            known = relation_properties.setdefault(relation.name, set())
            known.update(p.name for p in relation.properties)
        self.relation_properties = {k: frozenset(v) for k, v in relation_properties.items()}
        self.of_entities = frozenset().union(*self.labels.values())
        self.of_relations = frozenset().union(*self.relation_properties.values())


# By identity, as the hash of a schema is that of all its names; the index keeps its schema alive.
_INDICES: OrderedDict[int, _Index] = OrderedDict()
_KEPT = 64


def _index(schema: Schema) -> _Index:
    found = _INDICES.get(id(schema))
    if found is None or found.schema is not schema:
        found = _INDICES[id(schema)] = _Index(schema)
        while len(_INDICES) > _KEPT:
            _INDICES.popitem(last=False)
    return found


class Names:
    """Collects the names that a schema does not have, in the order in which they are met."""

    def __init__(self, schema: Schema) -> None:
        self._index = _index(schema)
        self._unknown: dict[tuple[str, str], None] = {}

    @property
    def unknown(self) -> tuple[tuple[str, str], ...]:
        """What was not found, each once."""
        return tuple(self._unknown)

    def labels(self, names: Sequence[str]) -> None:
        """Look labels up."""
        for name in names:
            if name not in self._index.labels:
                self._unknown["label", name] = None

    def types(self, names: Sequence[str]) -> None:
        """Look relationship types up."""
        for name in names:
            if name not in self._index.relations:
                self._unknown["relation", name] = None

    def property(self, key: str, slot: Slot) -> None:
        """Look a property of a node or relationship up."""
        index = self._index
        if slot.items is not None:
            return
        if slot.is_relation:
            owners = [index.relation_properties.get(name) for name in slot.plain]
            anywhere = index.of_relations
        else:
            owners = [index.labels.get(name) for name in slot.plain]
            anywhere = index.of_entities
        known = [owner for owner in owners if owner is not None]
        if any(key in owner for owner in known) or (not known and key in anywhere):
            return
        self._unknown["property", f"{slot.name}.{key}" if slot.name else key] = None

    def relation(self, slot: Slot, head: Slot, tail: Slot, directed: bool) -> None:
        """Look up whether one of the types of a relationship joins the nodes at its ends."""
        index = self._index
        pairs = [pair for name in slot.plain for pair in index.relations.get(name, ())]
        heads, tails = self._known(head), self._known(tail)
        if not pairs or (not heads and not tails):
            return
        if any(_fits(pair, heads, tails) for pair in pairs):
            return
        backwards = any(_fits(pair, tails, heads) for pair in pairs)
        if backwards and not directed:
            return
        arrow = "->" if directed else "-"
        name = f"{head.name}-{slot.name}{arrow}{tail.name}"
        self._unknown["direction" if backwards else "relation", name] = None

    def _known(self, slot: Slot) -> frozenset[str]:
        """Return the labels of an end; empty if it may be anything."""
        plain = frozenset(slot.plain)
        return plain if plain <= self._index.labels.keys() else frozenset()


def _fits(pair: tuple[str, str], heads: frozenset[str], tails: frozenset[str]) -> bool:
    return (not heads or pair[0] in heads) and (not tails or pair[1] in tails)
