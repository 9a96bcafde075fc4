"""Graphs as the integer arrays that the compiled core reads: names become numbers, once a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from graphenv.graph import Graph
from graphenv.rewards.ged.costs import EditCosts

__all__ = ["Encoder", "node_costs", "same_kinds"]

Ints = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float64]


_SHORT = 200  # characters; a cache of labels of a megabyte would be a leak


def _hash64(text: str) -> int:
    return _hashed_short(text) if len(text) <= _SHORT else _hashed(text)


def _hashed(text: str) -> int:
    found = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(found.digest(), "big")


_hashed_short = lru_cache(maxsize=1 << 16)(_hashed)


class _Numbers(dict[Any, int]):
    """Numbers for names, made when first asked for: a lookup is all that a known name costs."""

    def __init__(self, make: Callable[[Any], int]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: Any) -> int:
        number = self[name] = self._make(name)
        return number


_NAMED = attrgetter("kind", "label")
_HEAD, _RELATION, _TAIL = attrgetter("head"), attrgetter("relation"), attrgetter("tail")


class Encoder:
    """Collects distinct graphs; `arrays` gives them in flat form.

    Names are numbered in order of appearance; what depends on names in the core depends on their
    hashes, so that no result depends on the batch that a pair stands in.

    Parameters
    ----------
    costs
        The cost model.
    key
        What names are compared by.
    apart
        Every node is a class of its own (node costs are given as a matrix).
    """

    def __init__(self, costs: EditCosts, key: Callable[[str], str], apart: bool) -> None:
        self._costs = costs
        self._key = key
        self._apart = apart
        self._known: dict[tuple[Any, ...], int] = {}
        self._by_id: dict[int, int] = {}
        self._class_ids: dict[tuple[str, str], int] = {}
        self._relation_ids: dict[str, int] = {}
        self._kinds: list[str] = []
        self._class_hash: list[int] = []
        self._relation_hash: list[int] = []
        self._classes = _Numbers(self._new_class)
        self._relations = _Numbers(self._new_relation)
        self._flat: tuple[list[int], ...] = ([], [], [], [])  # classes, heads, relations, tails
        self._node_at: list[int] = [0]
        self._edge_at: list[int] = [0]
        self._directed: list[bool] = []
        self.graphs: list[Graph] = []

    def add(self, graph: Graph) -> int:
        """Return the number of a graph; graphs that read the same share one."""
        found = self._by_id.get(id(graph))
        if found is not None and not self._apart:
            return found
        # Mapped by built-in functions: a batch of thousands spends much of its time here.
        if self._apart:
            classes = [self._new_class((n.kind, n.label)) for n in graph.nodes]
        else:
            classes = list(map(self._classes.__getitem__, map(_NAMED, graph.nodes)))
        heads = list(map(_HEAD, graph.edges))
        relations = list(map(self._relations.__getitem__, map(_RELATION, graph.edges)))
        tails = list(map(_TAIL, graph.edges))
        text = (graph.directed, len(classes), *classes, *heads, *relations, *tails)
        number = self._known.setdefault(text, len(self.graphs))
        self._by_id[id(graph)] = number
        if number == len(self.graphs):
            self.graphs.append(graph)
            for flat, part in zip(self._flat, (classes, heads, relations, tails), strict=True):
                flat += part
            self._node_at.append(len(self._flat[0]))
            self._edge_at.append(len(self._flat[1]))
            self._directed.append(graph.directed)
        return number

    def _new_class(self, name: tuple[str, str]) -> int:
        known = (self._key(name[0]), self._key(name[1]))
        number = len(self._kinds)
        if not self._apart:
            number = self._class_ids.setdefault(known, number)
        if number == len(self._kinds):
            self._kinds.append(known[0])
            text = f"{len(known[0])}:{known[0]}:{known[1]}"
            self._class_hash.append(_hash64(f"{number} {text}" if self._apart else text))
        return number

    def _new_relation(self, name: str) -> int:
        known = self._key(name)
        number = self._relation_ids.setdefault(known, len(self._relation_hash))
        if number == len(self._relation_hash):
            self._relation_hash.append(_hash64(known))
        return number

    def arrays(self) -> dict[str, Any]:
        """Return the flat arrays: graph g has the nodes `nodes[g]` to `nodes[g + 1]`, so for edges.

        `sub`, `delete` and `insert` are the costs of the node classes in grid units.
        """
        grids = {kind: self._costs.node_grid(kind) for kind in dict.fromkeys(self._kinds)}
        grid = [grids[kind] for kind in self._kinds] or [(0, 0, 0)]
        sub, delete, insert = np.array(grid, np.int64).T.copy()
        classes, heads, relations, tails = (np.array(part, np.int32) for part in self._flat)
        return {
            "classes": classes,
            "nodes": np.array(self._node_at, np.int64),
            "heads": heads,
            "rels": relations,
            "tails": tails,
            "edges": np.array(self._edge_at, np.int64),
            "directed": np.array(self._directed, np.uint8),
            "class_hash": np.array(self._class_hash or [0], np.uint64),
            "rel_hash": np.array(self._relation_hash or [0], np.uint64),
            "sub": sub,
            "delete": delete,
            "insert": insert,
        }


def node_costs(
    g1: Graph, g2: Graph, costs: EditCosts, key: Callable[[str], str], alike: Matrix
) -> Ints:
    """Return the (n1, n2) substitution costs of a pair in grid units.

    `alike` (n1, n2) holds the similarity of labels in [0, 1]; other kinds are not alike.
    """
    kinds1, kinds2 = [key(n.kind) for n in g1.nodes], [key(n.kind) for n in g2.nodes]
    sub1, del1, _ = np.array([costs.node_grid(kind) for kind in kinds1]).reshape(-1, 3).T
    sub2, _, ins2 = np.array([costs.node_grid(kind) for kind in kinds2]).reshape(-1, 3).T
    whole = np.maximum(sub1[:, None], sub2[None, :])
    same = same_kinds(kinds1, kinds2)
    priced = np.where(same, np.rint(whole * (1.0 - alike)), whole)
    return np.asarray(np.minimum(priced, del1[:, None] + ins2[None, :]), np.int64)


def same_kinds(kinds1: list[str], kinds2: list[str]) -> npt.NDArray[np.bool_]:
    """Return where two kinds (already keyed) are equal, (n1, n2)."""
    numbers: dict[str, int] = {}
    one, two = (
        np.array([numbers.setdefault(kind, len(numbers)) for kind in kinds], np.int64)
        for kinds in (kinds1, kinds2)
    )
    return np.asarray(one[:, None] == two[None, :])
