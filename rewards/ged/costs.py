"""`EditCosts`: what each edit costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import gcd

from graphenv.errors import ConfigError

__all__ = ["GRID", "EditCosts"]

GRID = 10_000
"""Costs are whole multiples of 1 / GRID, so that sums are exact on every machine."""

MAX_COST = 1_000.0


@dataclass(frozen=True)
class EditCosts:
    """The cost model of graph edit distance: six constants and a weight per node kind.

    Substituting a node costs `node_substitute` where label or kind differ (times 1 - similarity of
    the labels, where a similarity is given and the kinds agree). All costs of a node are multiplied
    by the weight of its kind; a substitution takes the larger weight of the two, and never more
    than deletion and insertion. Costs are rounded to 4 decimals.

    Parameters
    ----------
    node_substitute, node_insert, node_delete, edge_substitute, edge_insert, edge_delete
        Costs in [0, 1000], at most 4 decimals.
    kind_weights
        Weight per node kind, 1 for kinds that are not named.

    Raises
    ------
    ConfigError
        If a cost is negative, not finite or has more decimals, or if a substitution costs more
        than deletion and insertion together: then no edit path would use it, and every bound
        would have to allow for that.

    Examples
    --------
    >>> EditCosts(edge_substitute=0.5).edge_substitute
    0.5
    >>> EditCosts(node_substitute=3.0)
    Traceback (most recent call last):
        ...
    graphenv.errors.ConfigError: EditCosts: node_substitute=3.0 exceeds node_delete + node_insert \
= 2.0; no edit path would ever substitute. Lower it, or raise the other two.
    """

    node_substitute: float = 1.0
    node_insert: float = 1.0
    node_delete: float = 1.0
    edge_substitute: float = 1.0
    edge_insert: float = 1.0
    edge_delete: float = 1.0
    kind_weights: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for item in fields(self):
            if item.name != "kind_weights":
                _check(item.name, getattr(self, item.name))
        if not isinstance(self.kind_weights, Mapping):
            raise ConfigError(
                f"EditCosts: kind_weights={self.kind_weights!r} is not a mapping; write "
                "{'literal': 0.5}. Text as in 'literal:0.5' is for reward expressions."
            )
        for kind, weight in self.kind_weights.items():
            _check(f"kind_weights[{kind!r}]", weight)
        for part in ("node", "edge"):
            both = getattr(self, f"{part}_delete") + getattr(self, f"{part}_insert")
            substitute = getattr(self, f"{part}_substitute")
            if substitute > both + 1e-9:
                raise ConfigError(
                    f"EditCosts: {part}_substitute={substitute} exceeds {part}_delete + "
                    f"{part}_insert = {both}; no edit path would ever substitute. Lower it, or "
                    "raise the other two."
                )

    def keyed(self, key: Callable[[str], str]) -> EditCosts:
        """Return the same costs with kinds passed through `key`.

        Raises
        ------
        ConfigError
            If two kinds that are then equal have different weights.
        """
        if not self.kind_weights:
            return self
        weights: dict[str, float] = {}
        for kind, weight in self.kind_weights.items():
            if weights.setdefault(key(kind), weight) != weight:
                raise ConfigError(
                    f"EditCosts: kinds that read as {key(kind)!r} have different weights"
                )
        return replace(self, kind_weights=weights)

    @property
    def symmetric(self) -> bool:
        """Whether the distance from a to b equals that from b to a."""
        return self.node_insert == self.node_delete and self.edge_insert == self.edge_delete

    # The grid is asked for by every call, and rounding takes as long as a small search.

    @cached_property
    def unit(self) -> int:
        """The largest number of grid units that divides all costs."""
        kinds = ("", *self.kind_weights)
        weighted = (cost for kind in kinds for cost in self.node_grid(kind))
        return gcd(*self.edge_grid, *weighted) or 1

    def node_grid(self, kind: str) -> tuple[int, int, int]:
        """Return (substitute, delete, insert) of a node kind in units of 1 / GRID."""
        known = self._node_grids.get(kind)
        return self._weighted(kind) if known is None else known

    @cached_property
    def _node_grids(self) -> dict[str, tuple[int, int, int]]:
        return {kind: self._weighted(kind) for kind in ("", *self.kind_weights)}

    def _weighted(self, kind: str) -> tuple[int, int, int]:
        weight = self.kind_weights.get(kind, 1.0)
        constants = (self.node_substitute, self.node_delete, self.node_insert)
        substitute, delete, insert = (round(weight * cost * GRID) for cost in constants)
        return min(substitute, delete + insert), delete, insert

    @cached_property
    def edge_grid(self) -> tuple[int, int, int]:
        """The (substitute, delete, insert) costs of an edge in units of 1 / GRID."""
        constants = (self.edge_substitute, self.edge_delete, self.edge_insert)
        substitute, delete, insert = (round(cost * GRID) for cost in constants)
        return min(substitute, delete + insert), delete, insert


def _check(name: str, value: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ConfigError(f"EditCosts: {name}={value!r} is not a number")
    if not (math.isfinite(value) and 0 <= value <= MAX_COST):
        raise ConfigError(f"EditCosts: {name}={value} is outside [0, {MAX_COST:g}]")
    if abs(value * GRID - round(value * GRID)) > 1e-6:
        raise ConfigError(f"EditCosts: {name}={value} has more than 4 decimals; round it")
