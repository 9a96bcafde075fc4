"""`Scene`: objects with attributes and boxes, and the relations between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphenv.errors import ConfigError
from graphenv.graph import Edge, Graph, Node
from graphenv.text import normalize

__all__ = ["ATTRIBUTE", "IS", "MISSING", "OBJECT", "Box", "Scene", "SceneObject", "SceneRelation"]

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels; left < right, top < bottom."""

OBJECT, ATTRIBUTE, MISSING = "object", "attribute", "missing"
"""Kinds of nodes of a scene's graph."""

IS = "is"
"""The relation between an object and its attribute."""


@dataclass(frozen=True, slots=True)
class SceneObject:
    """An object: an `id` unique in its scene, what it is, what it is like, where it is."""

    id: str
    label: str
    attributes: tuple[str, ...] = ()
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class SceneRelation:
    """A relation from the object with index `head` to the object with index `tail`."""

    head: int
    relation: str
    tail: int


@dataclass(frozen=True)
class Scene:
    """A scene graph.

    Parameters
    ----------
    objects
        The objects; ids are distinct.
    relations
        Head index, relation, tail index; parallel relations and loops are legal.
    dangling
        Relations as a model wrote them (subject, predicate, object) of which an end is no object of
        the scene. They cost what a wrong relation costs and match nothing.

    Raises
    ------
    ConfigError
        If two objects share an id, or a relation points outside the objects.

    Examples
    --------
    >>> scene = Scene.from_triples([("man", "ride", "horse"), ("horse", "is", "brown")])
    >>> [o.label for o in scene.objects], scene.objects[1].attributes
    (['man', 'horse'], ('brown',))
    >>> scene.graph.triples
    (('horse', 'is', 'brown'), ('man', 'ride', 'horse'))
    """

    objects: tuple[SceneObject, ...] = ()
    relations: tuple[SceneRelation, ...] = ()
    dangling: tuple[tuple[str, str, str], ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if len({thing.id for thing in self.objects}) != len(self.objects):
            raise ConfigError("Scene: object ids must be distinct")
        count = len(self.objects)
        for relation in self.relations:
            if not (0 <= relation.head < count and 0 <= relation.tail < count):
                raise ConfigError(f"Scene: {relation} points outside the {count} objects")

    @classmethod
    def from_triples(cls, facts: Iterable[Sequence[str]]) -> Scene:
        """Return the scene of facts: (object,), (object, "is", attribute), (head, relation, tail).

        Objects with one normalised name are one object; a fact given twice counts once.

        Raises
        ------
        ConfigError
            If a fact has neither one nor three parts.
        """
        labels: dict[str, str] = {}
        attributes: dict[str, dict[str, str]] = {}
        relations: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        for fact in facts:
            if len(fact) not in (1, 3):
                raise ConfigError(f"Scene: a fact has one or three parts, not {fact!r}")
            head = normalize(fact[0])
            labels.setdefault(head, fact[0])
            if len(fact) == 1:
                continue
            if normalize(fact[1]) == IS:
                attributes.setdefault(head, {}).setdefault(normalize(fact[2]), fact[2])
                continue
            tail = normalize(fact[2])
            labels.setdefault(tail, fact[2])
            relations.setdefault((head, normalize(fact[1]), tail), (head, fact[1], tail))
        index = {name: at for at, name in enumerate(labels)}
        objects = tuple(
            SceneObject(label, label, tuple(attributes.get(name, {}).values()))
            for name, label in labels.items()
        )
        return cls(
            objects, tuple(SceneRelation(index[h], r, index[t]) for h, r, t in relations.values())
        )

    @cached_property
    def facts(self) -> tuple[tuple[str, ...], ...]:
        """Attributes and relations as triples of labels, then labels that occur in neither.

        What `from_triples` reads. Dangling relations are left out.
        """
        labels = [thing.label for thing in self.objects]
        found: list[tuple[str, ...]] = [
            (thing.label, IS, attribute) for thing in self.objects for attribute in thing.attributes
        ]
        found += [(labels[r.head], r.relation, labels[r.tail]) for r in self.relations]
        told = {labels[end] for r in self.relations for end in (r.head, r.tail)}
        told |= {thing.label for thing in self.objects if thing.attributes}
        return (*found, *((label,) for label in dict.fromkeys(labels) if label not in told))

    @cached_property
    def graph(self) -> Graph:
        """The scene as a `Graph`: a node for each object and for each of its attributes.

        Kinds are `object` and `attribute`; an attribute hangs on its object by `is`. Each end of a
        dangling relation is a node of kind `missing` with a label that no gold has. Boxes are not
        in it.
        """
        nodes = [Node(f"o{at}", o.label, OBJECT) for at, o in enumerate(self.objects)]
        edges = []
        for at, thing in enumerate(self.objects):
            for attribute in thing.attributes:
                edges.append(Edge(at, IS, len(nodes)))
                nodes.append(Node(f"a{len(nodes)}", attribute, ATTRIBUTE))
        edges += [Edge(r.head, r.relation, r.tail) for r in self.relations]
        for head, relation, tail in self.dangling:
            edges.append(Edge(len(nodes), relation, len(nodes) + 1))
            for name in (head, tail):
                nodes.append(Node(f"m{len(nodes)}", f"(not listed: {name})", MISSING))
        return Graph(tuple(nodes), tuple(edges))

    @cached_property
    def _hash(self) -> int:
        return hash((self.objects, self.relations, self.dangling))

    def __hash__(self) -> int:
        return self._hash

    def __getstate__(self) -> dict[str, Any]:
        # A hash of strings means nothing in another process.
        return {key: value for key, value in self.__dict__.items() if key != "_hash"}

    @property
    def has_boxes(self) -> bool:
        """Whether every object has a box (and there is one)."""
        return bool(self.objects) and all(thing.box is not None for thing in self.objects)
