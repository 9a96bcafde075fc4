"""`Schema`: which entity kinds, attributes and text vectors a scorer knows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphenv.errors import DataError
from graphenv.scorers import View
from graphenv.text import bounded

__all__ = ["DEFAULT_TEXT", "MAX_ITEMS", "Attribute", "Schema", "number", "switched_on"]

DEFAULT_TEXT = "hashed:128"
MAX_ITEMS = 100_000
"""Nodes and edges of the largest graph that a scorer reads."""

_ON = frozenset(("1", "true", "yes"))
_OFF = frozenset(("0", "false", "no"))
_MISSING = frozenset(("", "na", "nan", "none", "null"))
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Attribute:
    """A numeric attribute of nodes: it is seen as (value - mean) / scale."""

    name: str
    mean: float
    scale: float


@dataclass(frozen=True)
class Schema:
    """What a scorer was made for; the shapes of its inputs follow from it.

    An entity kind that is not in `kinds` is refused, since nothing was learned about it. A relation
    that is not in `relations` is not refused: relations are read by their words, as labels are, so
    a new one means what its words mean. An attribute in none of the three lists is not seen.

    Parameters
    ----------
    kinds
        Entity kinds (`Node.kind`).
    relations
        Relations that it was made from; kept to say which ones are new.
    numeric
        Attributes whose text is a number; a missing one has a flag of its own.
    marks
        Attributes that are on or off, such as `("seed", "1")`.
    texts
        Attributes that are read as words.
    text
        How text becomes a vector: `"hashed:SIZE"`, or `"embedding:NAME"` with a folder or hub id of
        a transformers encoder (`graphenv.agents.gnn.texts`).

    Examples
    --------
    >>> from graphenv.graph import Graph, Node
    >>> gene = Node("TP53", "TP53", "gene", (("expression", "0.5"), ("seed", "1")))
    >>> schema = Schema.of([View("which target?", Graph((gene,)))])
    >>> schema.kinds, schema.marks, schema.numeric[0].name
    (('gene',), ('seed',), 'expression')
    >>> schema.refuses(View("which target?", Graph((Node("x", "x", "drug"),))))
    "entity kind 'drug' is unknown to this scorer, which knows 'gene'. Train it on graphs that \
have such entities (graphenv train-scorer)."
    """

    kinds: tuple[str, ...]
    relations: tuple[str, ...] = ()
    numeric: tuple[Attribute, ...] = ()
    marks: tuple[str, ...] = ("seed",)
    texts: tuple[str, ...] = ()
    text: str = DEFAULT_TEXT

    @classmethod
    def of(cls, views: Iterable[View], *, text: str = DEFAULT_TEXT) -> Schema:
        """Return the schema of some states.

        An attribute whose values are all on or off (1, true, yes; 0, false, no) is a mark; one
        whose values are all finite numbers is numeric; any other is text. `seed` is always a mark.
        """
        kinds: set[str] = set()
        relations: set[str] = set()
        values: dict[str, dict[str, int]] = {}
        for view in views:
            for node in view.graph.nodes:
                kinds.add(node.kind)
                for name, value in node.attributes:
                    seen = values.setdefault(name, {})
                    seen[value] = seen.get(value, 0) + 1
            relations.update(edge.relation for edge in view.graph.edges)
        marks, numeric, texts = {"seed"}, [], []
        for name, seen in sorted(values.items()):
            given = {value for value in seen if value.strip().lower() not in _MISSING}
            if name in marks or {value.strip().lower() for value in given} <= _ON | _OFF:
                marks.add(name)
            elif all(number(value) is not None for value in given):
                numeric.append(_scaled(name, seen))
            else:
                texts.append(name)
        return cls(
            kinds=tuple(sorted(kinds)),
            relations=tuple(sorted(relations)),
            numeric=tuple(numeric),
            marks=tuple(sorted(marks)),
            texts=tuple(texts),
            text=text,
        )

    def refuses(self, view: View) -> str:
        """Return why a state cannot be scored, what to do about it; empty if it can."""
        graph = view.graph
        for node in graph.nodes:
            if node.kind not in self._known:
                known = ", ".join(repr(kind) for kind in self.kinds[:_SHOWN])
                more = ", ..." if len(self.kinds) > _SHOWN else ""
                return (
                    f"entity kind {bounded(node.kind, 60)!r} is unknown to this scorer, which "
                    f"knows {known or 'none'}{more}. Train it on graphs that have such entities "
                    "(graphenv train-scorer)."
                )
        if len(graph) + graph.num_edges > MAX_ITEMS:
            return (
                f"the graph has {len(graph)} nodes and {graph.num_edges} edges; a scorer reads "
                f"{MAX_ITEMS} in all. Give the environment a smaller budget."
            )
        return ""

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.kinds)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form; `from_json` is its inverse."""
        return {
            "kinds": list(self.kinds),
            "relations": list(self.relations),
            "numeric": [[a.name, a.mean, a.scale] for a in self.numeric],
            "marks": list(self.marks),
            "texts": list(self.texts),
            "text": self.text,
        }

    @classmethod
    def from_json(cls, data: Any) -> Schema:
        """Return the schema that `to_json` wrote.

        Raises
        ------
        DataError
            If it is none; the message says which entry is wrong.
        """
        if not isinstance(data, Mapping):
            raise DataError(f"schema: an object is expected, found {type(data).__name__}")
        names = {key: _names(data, key) for key in ("kinds", "relations", "marks", "texts")}
        text = data.get("text")
        if not isinstance(text, str):
            raise DataError(f"schema: text={text!r} must be a text")
        numeric = data.get("numeric")
        if not isinstance(numeric, list):
            raise DataError("schema: numeric must be a list of [name, mean, scale]")
        return cls(numeric=tuple(_attribute(row) for row in numeric), text=text, **names)


def number(value: str) -> float | None:
    """Return the finite number that a text is, `None` if it is none.

    >>> number("0.5"), number("high"), number("inf")
    (0.5, None, None)
    """
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def switched_on(value: str) -> bool:
    """Return whether the value of a mark says yes."""
    return value.strip().lower() in _ON


def _scaled(name: str, seen: Mapping[str, int]) -> Attribute:
    pairs = [(found, count) for text, count in seen.items() if (found := number(text)) is not None]
    total = sum(count for _, count in pairs)
    mean = math.fsum(value / total * count for value, count in pairs)
    # In units of the largest deviation, whose square may be no number.
    widest = max(abs(value - mean) for value, _ in pairs)
    if not 1e-12 < widest < math.inf:
        return Attribute(name, mean, 1.0)
    spread = math.fsum(((value - mean) / widest) ** 2 * count for value, count in pairs) / total
    return Attribute(name, mean, widest * math.sqrt(spread))


def _names(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = data.get(key)
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise DataError(f"schema: {key} must be a list of names")
    return tuple(found)


def _attribute(row: Any) -> Attribute:
    try:
        name, mean, scale = row
        found = Attribute(name, float(mean), float(scale))
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"schema: numeric entry {row!r} is not [name, mean, scale]") from None
    if not isinstance(name, str) or not math.isfinite(found.mean):
        raise DataError(f"schema: numeric entry {row!r} is not [name, mean, scale]")
    if not 0.0 < found.scale < math.inf:
        raise DataError(f"schema: the scale of {name!r} is {scale!r}, which must be positive")
    return found
