"""`Comparer`: edit distances under one cost model, each distinct pair solved once."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.util import find_spec
from threading import Lock
from typing import Any, Generic, TypeVar, get_args

from graphenv.checks import one_of, whole
from graphenv.details import listed
from graphenv.errors import ConfigError
from graphenv.graph import Graph, Node
from graphenv.rewards.ged import EditCosts, GEDResult, ged_batch
from graphenv.rewards.ged.solver import BUDGET, Method
from graphenv.rewards.similarity.labels import label_similarity
from graphenv.text import bounded, normalize

__all__ = ["Comparer", "Details", "Settings", "check_core", "comparer", "read_weights"]

MAX_OPERATION = 300  # characters; a label may be a megabyte of model text
METHODS: tuple[Method, ...] = get_args(Method)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Pair = tuple[Graph, Graph]


def check_core(term: str) -> None:
    """Refuse a term whose compiled core is not installed.

    Raises
    ------
    ConfigError
        If numba is missing.
    """
    if find_spec("numba") is None:
        raise ConfigError(
            f"reward term {term!r} needs a compiled core, and numba is not installed. "
            'Install it with: pip install "graphenv[ged]"'
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How graphs are compared: what `ged` takes, and whether kinds of nodes are looked at.

    `normalized=False` compares names as they stand, where they have a canonical form already.

    Raises
    ------
    ConfigError
        If a value is of the wrong kind.
    """

    costs: EditCosts = field(default_factory=EditCosts)
    budget: int = BUDGET
    similarity: str | None = None
    method: Method = "search"
    kinds: bool = True
    normalized: bool = True

    def __post_init__(self) -> None:
        whole("ged", "budget", self.budget, 1)
        one_of("ged", "method", self.method, METHODS)
        if self.similarity is not None:
            label_similarity(self.similarity)


def read_weights(text: str) -> dict[str, float]:
    """Return the weights of node kinds that an expression gives as text.

    Raises
    ------
    ConfigError
        If the text is not of that form.

    >>> read_weights("literal:0.5, entity:2")
    {'literal': 0.5, 'entity': 2.0}
    """
    weights: dict[str, float] = {}
    try:
        for part in filter(None, (part.strip() for part in text.split(","))):
            kind, weight = part.rsplit(":", 1)
            if weights.setdefault(normalize(kind), float(weight)) != float(weight):
                raise ConfigError(f"ged: kind_weights={text!r} gives one kind two weights")
    except ConfigError:
        raise
    except (AttributeError, ValueError):
        raise ConfigError(
            f"ged: kind_weights={text!r} is not of the form 'literal:0.5, entity:2'"
        ) from None
    return weights


class Recent(Generic[K, V]):
    """The most recently used values, at most `limit` weight of them together.

    >>> kept = Recent(2)
    >>> for name in "abc":
    ...     kept.put(name, name.upper(), weight=1)
    >>> kept.get("a"), kept.get("c")
    (None, 'C')
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._total = 0
        self._lock = Lock()
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return a value that was put, `None` if it is gone."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: K, value: V, *, weight: int) -> None:
        """Keep a value for a while; one heavier than the limit is not kept at all."""
        with self._lock:
            old = self._kept.pop(key, None)
            self._total -= old[1] if old else 0
            if weight > self._limit:
                return
            self._kept[key] = (value, weight)
            self._total += weight
            while self._total > self._limit:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._total -= dropped


class Comparer:
    """Edit distances under one cost model; labels, kinds and relations are compared normalised
    unless the settings say otherwise.

    Solved pairs are kept for a while, so that a running episode, its final grading and the rest of
    its group pay for each distinct pair once. Keeping changes no value: the solver is
    deterministic.
    """

    KEPT = 400_000  # weight of the graphs that are held (`_size`): some tens of megabytes

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._solved: Recent[Pair, GEDResult] = Recent(self.KEPT)

    def results(self, pairs: Sequence[Pair]) -> list[GEDResult]:
        """Return the result of each (predicted, gold) pair, in order.

        A prediction is read with the directedness of the gold graph: what is asked for decides
        whether an edge has a direction. Where it has one and the prediction gives none, the edge
        points as it was written.
        """
        found: dict[Pair, GEDResult] = {}
        missing: dict[Pair, Pair] = {}
        for pair in pairs:
            if pair in found or pair in missing:
                continue
            known = self._solved.get(pair)
            if known is not None:
                found[pair] = known
            else:
                missing[pair] = self._prepared(*pair)
        if missing:
            made = ged_batch(
                list(missing.values()),
                costs=self._settings.costs,
                similarity=self._settings.similarity,
                budget=self._settings.budget,
                method=self._settings.method,
                normalized=self._settings.normalized,
            )
            for pair, result in zip(missing, made, strict=True):
                found[pair] = result
                self._solved.put(pair, result, weight=sum(map(_size, pair)))
        return [found[pair] for pair in pairs]

    def _prepared(self, predicted: Graph, gold: Graph) -> Pair:
        first, second = predicted, gold
        if not self._settings.kinds:
            first, second = _without_kinds(predicted), _without_kinds(gold)
        if first.directed != second.directed:
            first = replace(first, directed=second.directed)
        return first, second


def _without_kinds(graph: Graph) -> Graph:
    return replace(graph, nodes=tuple(Node(node.id, node.label) for node in graph.nodes))


def _size(graph: Graph) -> int:
    """Return roughly what holding a graph takes, in hundreds of bytes; labels may be long."""
    text = sum(len(node.label) + len(node.kind) for node in graph.nodes)
    text += sum(len(edge.relation) for edge in graph.edges)
    return len(graph.nodes) + len(graph.edges) + 1 + text // 100


@lru_cache(maxsize=32)
def comparer(settings: Settings) -> Comparer:
    """Return the comparer of some settings, the same for every term that has them."""
    return Comparer(settings)


if hasattr(os, "register_at_fork"):
    # A lock that another thread holds at the moment of the fork stays locked in the child for ever.
    os.register_at_fork(after_in_child=comparer.cache_clear)


class Details(Mapping[str, Any]):
    """Interval, exactness and edit path of a result; the path is made when it is looked at.

    Making it costs more than solving a small pair, and a training step shows none of thousands.
    """

    __slots__ = ("_made", "_result")

    def __init__(self, result: GEDResult) -> None:
        self._result = result
        self._made: dict[str, Any] = {
            "measure": "GED",
            "interval": [result.lower, result.upper],
            "exact": result.exact,
            "reason": result.reason,
        }

    def __getitem__(self, key: str) -> Any:
        if key == "edit_path" and key not in self._made:
            path = self._result.edit_path
            texts = (bounded(str(operation), MAX_OPERATION) for operation in path)
            self._made[key] = listed(texts, len(path))
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(("measure", "interval", "exact", "reason", "edit_path"))

    def __len__(self) -> int:
        return 5

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)
