"""Scopes while they are being built, and the nodes and relationships in them."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.query.cypher.tree import Labels
from graphenv.query.model import Entity, Expr, Order, Relation, Scope

__all__ = ["Part", "Slot"]


class Slot:
    """A node, a relationship, or the rows of UNWIND or CALL, as long as labels may be added."""

    __slots__ = (
        *("directed", "element", "ends", "handle", "hops", "items", "name", "optional"),
        *("part", "plain", "scope", "shortest", "written"),
    )

    def __init__(self, handle: int, part: Part, optional: bool) -> None:
        self.handle = handle
        self.part = part
        self.optional = optional
        self.name = ""
        self.plain: tuple[str, ...] = ()  # labels or types of which the thing has at least one
        self.written: Labels | None = None
        self.element = Expr("element", of=handle)
        self.ends: tuple[int, int] | None = None
        self.directed = True
        self.hops: tuple[int, int | None] | None = None
        self.shortest = False
        self.items: Expr | None = None
        self.scope: Scope | None = None

    @property
    def is_relation(self) -> bool:
        """Whether it is a relationship."""
        return self.ends is not None

    def label(self, labels: Labels) -> None:
        """Take labels or types, beside those that are already there."""
        if self.written is not None:
            labels = _both(self.written, labels)
        self.written = labels
        self.name = labels.text
        self.plain = labels.all_of or labels.any_of


def _both(one: Labels, other: Labels) -> Labels:
    if one.text == other.text:
        return one
    if one.all_of and other.all_of:
        names = tuple(sorted({*one.all_of, *other.all_of}))
        return Labels("&".join(names), names, names, names if len(names) == 1 else ())
    texts = sorted(f"({x.text})" if "|" in x.text else x.text for x in (one, other))
    return Labels("&".join(texts), (*one.names, *other.names))


class Part:
    """A scope that is being built: what a query does up to a WITH that cannot be merged."""

    __slots__ = (
        *("by_distinct", "distinct", "group", "grouped", "having", "inputs", "limit", "offset"),
        *("order", "select", "slots", "where"),
    )

    def __init__(self, inputs: tuple[Scope, ...] = ()) -> None:
        self.inputs = inputs
        self.slots: list[Slot] = []
        self.where: dict[Expr, None] = {}
        self.select: tuple[Expr, ...] = ()
        self.distinct = False
        self.grouped = False
        self.by_distinct = False  # grouped by WITH DISTINCT, without aggregates
        self.group: tuple[Expr, ...] = ()
        self.having: dict[Expr, None] = {}
        self.order: tuple[Order, ...] = ()
        self.limit: Expr | None = None
        self.offset: Expr | None = None

    @property
    def cut(self) -> bool:
        """Whether rows were cut off, so that what follows sees only the rest."""
        return self.limit is not None or self.offset is not None

    @property
    def open(self) -> bool:
        """Whether patterns may still be added."""
        return not (self.grouped or self.order or self.limit or self.offset)

    def holds(self, conditions: Sequence[Expr]) -> None:
        """Add conditions on rows."""
        for condition in conditions:
            self.where[condition] = None

    def scope(self) -> Scope:
        """Return the scope."""
        entities: list[Entity] = []
        relations: list[Relation] = []
        for slot in self.slots:
            handle, name, optional = slot.handle, slot.name, slot.optional
            if slot.ends is None:
                entities.append(Entity(handle, name, optional, slot.scope, slot.items))
            else:
                head, tail = slot.ends
                relations.append(
                    Relation(
                        *(handle, name, head, tail, slot.directed, optional),
                        *(slot.hops, slot.shortest),
                    )
                )
        group, distinct = self.group, self.distinct
        if self.grouped and not self.having and self._only_keys():
            # One row for each value of the keys: what DISTINCT says.
            group, distinct = (), True
        return Scope(
            tuple(entities),
            tuple(relations),
            tuple(self.where),
            self.select,
            distinct,
            group,
            tuple(self.having),
            self.order,
            self.limit,
            self.offset,
            "",
            self.inputs,
        )

    def _only_keys(self) -> bool:
        keys = set(self.group)
        return bool(keys) and keys == set(self.select) and all(o.key in keys for o in self.order)
