"""Graphs as the integer arrays that the compiled core reads: names become numbers, once a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from graphenv.graph import Graph
from graphenv.rewards.ged.costs import EditCosts

__all__ = ["Encoder", "node_costs", "same_kinds"]

Ints = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float64]


Name = str | tuple[str, ...]
# Hashes of names, kept between calls. Short ones alone, and so many: more would be a leak.
_HASHES: dict[Name, int] = {}
_SHORT, _MANY = 200, 1 << 16


def _hash64(name: Name) -> int:
    """Return a hash of a name, the same in every process."""
    parts = (name,) if isinstance(name, str) else name
    text = "".join(f"{len(part)}:{part}" for part in parts)
    found = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8)
    number = int.from_bytes(found.digest(), "big")
    if len(text) <= _SHORT and len(_HASHES) < _MANY:
        _HASHES[name] = number
    return number


class _Numbers(dict[Any, int]):
    """Numbers for names, made when first asked for: a lookup is all that a known name costs."""

    def __init__(self, key: Callable[[Any], Any] | None) -> None:
        super().__init__()
        self._key = key
        self._known: dict[Any, int] = {}
        self.names: list[Any] = []
        self.hashes: list[int] = []

    def __missing__(self, name: Any) -> int:
        if self._key is None:
            number = self[name] = self.add(name)
            return number
        keyed = self._key(name)
        known = self._known.get(keyed)
        if known is None:
            known = self._known[keyed] = self.add(keyed)
        self[name] = known
        return known

    def add(self, name: Name) -> int:
        """Return a new number for a name."""
        self.names.append(name)
        known = _HASHES.get(name)
        self.hashes.append(_hash64(name) if known is None else known)
        return len(self.names) - 1


_NAMED, _HEAD = attrgetter("kind", "label"), attrgetter("head")
_RELATION, _TAIL = attrgetter("relation"), attrgetter("tail")


class Encoder:
    """Collects distinct graphs as the words that the core reads (see `core.batch`).

    Names are numbered in order of appearance; what depends on names in the core depends on their
    hashes, so that no result depends on the batch that a pair stands in.

    Parameters
    ----------
    key
        What names are compared by, `None` for themselves.
    apart
        Every node is a class of its own (node costs are given as a matrix).
    """

    def __init__(self, key: Callable[[str], str] | None, *, apart: bool = False) -> None:
        self._key = key
        self._apart = apart
        self._known: dict[tuple[int, ...], int] = {}
        self._by_id: dict[int, int] = {}
        self._classes = _Numbers(key and (lambda named: (key(named[0]), key(named[1]))))
        self._relations = _Numbers(key)
        self._words: list[int] = []
        self._at: list[int] = [0]
        self.graphs: list[Graph] = []

    def add(self, graph: Graph) -> int:
        """Return the number of a graph; graphs that read the same share one."""
        number = self._by_id.get(id(graph))
        if number is not None and not self._apart:
            return number
        # Mapped by built-in functions: a batch of thousands spends much of its time here.
        named, edges = map(_NAMED, graph.nodes), graph.edges
        classes = map(self._classes.__getitem__, named) if not self._apart else self._new(named)
        words = (
            graph.directed,
            len(graph.nodes),
            *classes,
            *map(_HEAD, edges),
            *map(self._relations.__getitem__, map(_RELATION, edges)),
            *map(_TAIL, edges),
        )
        graphs = self.graphs
        number = self._by_id[id(graph)] = self._known.setdefault(words, len(graphs))
        if number == len(graphs):
            graphs.append(graph)
            self._words += words
            self._at.append(len(self._words))
        return number

    def _new(self, named: Iterable[tuple[str, str]]) -> Iterator[int]:
        for kind, label in named:
            kind = kind if self._key is None else self._key(kind)
            yield self._classes.add((kind, label, str(len(self._classes.names))))

    def arrays(self, costs: EditCosts) -> tuple[tuple[Any, ...], npt.NDArray[np.int64]]:
        """Return (words, at, hashes of classes, of relations), and the costs of the classes.

        The costs are (3, classes): substitute, delete, insert in grid units.
        """
        kinds = [name[0] for name in self._classes.names]
        grids = {kind: costs.node_grid(kind) for kind in dict.fromkeys(kinds)}
        grid = np.array([grids[kind] for kind in kinds] or [(0, 0, 0)], np.int64)
        arrays = (
            np.array(self._words, np.int32),
            np.array(self._at, np.int64),
            np.array(self._classes.hashes or [0], np.uint64),
            np.array(self._relations.hashes or [0], np.uint64),
        )
        return arrays, grid.T.copy()


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
