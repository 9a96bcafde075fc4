"""A scene as it is compared: labels normalised, boxes as an array, relations by their ends."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from graphenv.graph import Edge, Graph, Node
from graphenv.scenes.boxes import Matrix, box_array
from graphenv.scenes.model import Scene
from graphenv.text import normalize

__all__ = ["Encoded", "Key", "encoded"]

Key = tuple[str, tuple[float, ...]]
"""Label and box of an object; no box: ()."""

_HAS = "\x1f"  # no normalised relation begins so


class Encoded:
    """What the terms look at, made once for each scene; all text is normalised."""

    def __init__(self, scene: Scene) -> None:
        self.labels = [normalize(thing.label) for thing in scene.objects]
        self.attributes = [tuple(map(normalize, thing.attributes)) for thing in scene.objects]
        self.relations = [(r.head, normalize(r.relation), r.tail) for r in scene.relations]
        self.dangling = tuple(scene.dangling)
        self.boxed = [thing.box for thing in scene.objects]
        self.num_attributes = sum(map(len, self.attributes))
        self.num_relations = len(self.relations) + len(self.dangling)
        self._scene = scene
        self._keys: dict[bool, list[Key]] = {}
        self._orders: dict[bool, NDArray[np.intp] | None] = {}

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def has_boxes(self) -> bool:
        """Whether any object has a box."""
        return any(box is not None for box in self.boxed)

    @cached_property
    def boxes(self) -> Matrix:
        """The boxes as (n, 4), NaN where there is none."""
        return box_array(self._scene.objects)

    @cached_property
    def extent(self) -> tuple[float, float]:
        """The furthest right and bottom edge of a box: what there is to see of the picture."""
        boxes = [box for box in self.boxed if box is not None]
        return max((b[2] for b in boxes), default=1.0), max((b[3] for b in boxes), default=1.0)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The objects of each label."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, label in enumerate(self.labels):
            found[label].append(at)
        return dict(found)

    @cached_property
    def ends(self) -> dict[tuple[int, int], list[str]]:
        """The relations of each pair of objects."""
        found: dict[tuple[int, int], list[str]] = defaultdict(list)
        for head, relation, tail in self.relations:
            found[head, tail].append(relation)
        return dict(found)

    @cached_property
    def said(self) -> tuple[NDArray[np.intp], list[tuple[str, str]], NDArray[np.intp]]:
        """What is said of objects: of which, (direction, name), and the object at the other end.

        Each relation stands twice, once for each end; an attribute has -1 for an object.
        """
        of: list[int] = []
        what: list[tuple[str, str]] = []
        other: list[int] = []
        for head, relation, tail in self.relations:
            of += (head, tail)
            what += (("out", relation), ("in", relation))
            other += (tail, head)
        for at, attributes in enumerate(self.attributes):
            for attribute in attributes:
                of.append(at)
                what.append(("is", attribute))
                other.append(-1)
        return np.array(of, dtype=np.intp), what, np.array(other, dtype=np.intp)

    def keys(self, boxes: bool) -> list[Key]:
        """Return what tells objects apart before their relations do: label, and box if asked."""
        if boxes not in self._keys:
            seen = self.boxed if boxes else [None] * len(self.labels)
            pairs = zip(self.labels, seen, strict=True)
            self._keys[boxes] = [(label, box or ()) for label, box in pairs]
        return self._keys[boxes]

    def order(self, boxes: bool) -> NDArray[np.intp] | None:
        """Return the objects in an order of their own content; `None` if two are alike."""
        if boxes not in self._orders:
            keys = self.keys(boxes)
            order = sorted(range(len(keys)), key=keys.__getitem__)
            alike = len(set(keys)) < len(keys)
            self._orders[boxes] = None if alike else np.array(order, dtype=np.intp)
        return self._orders[boxes]

    def graph(self, boxes: bool) -> Graph:
        """Return objects and relations as a graph, attributes as loops, boxes as kinds if asked."""
        edges = [Edge(*relation) for relation in self.relations]
        for at, attributes in enumerate(self.attributes):
            edges += [Edge(at, _HAS + attribute, at) for attribute in attributes]
        nodes = (Node(str(i), k[0], repr(k[1])) for i, k in enumerate(self.keys(boxes)))
        return Graph(tuple(nodes), tuple(edges))


encoded = lru_cache(maxsize=256)(Encoded)  # a gold scene comes back with its group
