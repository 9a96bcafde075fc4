"""Cheapest trees that join terminals, exactly: the dynamic programme of Dreyfus and Wagner.

S. E. Dreyfus and R. A. Wagner, The Steiner problem in graphs, Networks 1, 1971; here with a charge
on nodes too, and over integers, so that nothing hangs on rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphenv.errors import ConfigError

__all__ = ["MOST_TERMINALS", "UNREACHED", "Arcs", "SteinerTable"]

MOST_TERMINALS = 10
"""A table has 2**T rows, and joining them takes 3**T steps."""
UNREACHED = 2**60
"""The cost of a tree that there is not."""


class Arcs:
    """An undirected network with integer costs of edges and nodes, ready for relaxation.

    Parameters
    ----------
    heads, tails, costs
        Edges by node ids below N, shape (E,); costs >= 1.
    charges
        What a node costs that is in a tree, shape (N,).
    """

    def __init__(
        self,
        heads: NDArray[np.int64],
        tails: NDArray[np.int64],
        costs: NDArray[np.int64],
        charges: NDArray[np.int64],
    ) -> None:
        source, target = np.concatenate([heads, tails]), np.concatenate([tails, heads])
        order = np.lexsort((source, target))
        self.size = len(charges)
        self.source, self.target = source[order], target[order]
        self.step = np.concatenate([costs, costs])[order] + charges[self.target]
        self.charges = charges
        self._reached, self._starts = np.unique(self.target, return_index=True)

    def relax(self, costs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the least costs where each may be walked on along edges; shape (..., N)."""
        while self._starts.size:
            through = np.minimum.reduceat(costs[..., self.source] + self.step, self._starts, -1)
            fresh = costs.copy()
            fresh[..., self._reached] = np.minimum(costs[..., self._reached], through)
            if np.array_equal(fresh, costs):
                break
            costs = fresh
        return costs

    def into(self, node: int) -> list[tuple[int, int]]:
        """Return (from where, cost with the charge of `node`) of the steps to a node."""
        at = slice(*np.searchsorted(self.target, [node, node + 1]).tolist())
        return list(zip(self.source[at].tolist(), self.step[at].tolist(), strict=True))

    def distances(self, node: int) -> NDArray[np.int64]:
        """Return the least cost of a path from a node to every other, charges of both included."""
        start = np.full(self.size, UNREACHED, np.int64)
        start[node] = self.charges[node]
        return self.relax(start)


class SteinerTable:
    """The least cost of a tree through every subset of the terminals.

    Parameters
    ----------
    arcs
        The network.
    terminals
        T node ids, at most `MOST_TERMINALS`.

    Raises
    ------
    ConfigError
        If there are none, too many, or one twice.

    Examples
    --------
    A star is cheaper than the sides of the triangle around it:

    >>> heads, tails = np.array([0, 1, 2, 0, 1, 2]), np.array([1, 2, 0, 3, 3, 3])
    >>> arcs = Arcs(heads, tails, np.array([5, 5, 5, 3, 3, 3]), np.zeros(4, np.int64))
    >>> table = SteinerTable(arcs, [0, 1, 2])
    >>> table.cost(0b111), sorted(table.tree(0b111))
    (9, [(0, 3), (1, 3), (2, 3)])
    >>> table.cost(0b011), table.tree(0b011)
    (5, {(0, 1)})
    """

    def __init__(self, arcs: Arcs, terminals: Sequence[int]) -> None:
        count = len(terminals)
        if not 0 < count <= MOST_TERMINALS or len(set(terminals)) != count:
            raise ConfigError(
                f"Steiner trees: {count} terminals ({list(terminals)[:12]}); 1 to "
                f"{MOST_TERMINALS} distinct ones are asked for"
            )
        self._arcs, self._terminals = arcs, tuple(terminals)
        rows = np.full((1 << count, arcs.size), UNREACHED, np.int64)
        for bit, terminal in enumerate(terminals):
            rows[1 << bit, terminal] = arcs.charges[terminal]
        for bits in range(1, count + 1):
            masks = [mask for mask in range(1 << count) if mask.bit_count() == bits]
            for mask in masks if bits > 1 else ():
                for part in _halves(mask):
                    joined = rows[part] + rows[mask ^ part] - arcs.charges
                    np.minimum(rows[mask], joined, out=rows[mask])
            rows[masks] = np.minimum(arcs.relax(rows[masks]), UNREACHED)
        self._rows = rows

    def cost(self, mask: int) -> int:
        """Return the cost of the cheapest tree through the terminals of a bit mask.

        `UNREACHED` where no tree joins them.
        """
        first = (mask & -mask).bit_length() - 1
        return int(self._rows[mask, self._terminals[first]])

    def tree(self, mask: int) -> set[tuple[int, int]]:
        """Return the edges (smaller id first) of a cheapest tree; empty where there is none."""
        found: set[tuple[int, int]] = set()
        first = (mask & -mask).bit_length() - 1
        todo = [(mask, self._terminals[first])] if self.cost(mask) < UNREACHED else []
        rows, arcs = self._rows, self._arcs
        while todo:
            mask, node = todo.pop()
            here = rows[mask, node]
            charge = arcs.charges[node]
            if not mask & (mask - 1) and here == charge and self._terminal(mask) == node:
                continue
            for part in _halves(mask):
                if rows[part, node] + rows[mask ^ part, node] - charge == here:
                    todo += [(part, node), (mask ^ part, node)]
                    break
            else:
                for other, step in arcs.into(node):
                    if rows[mask, other] + step == here:
                        found.add((min(node, other), max(node, other)))
                        todo.append((mask, other))
                        break
        return found

    def _terminal(self, mask: int) -> int:
        return self._terminals[mask.bit_length() - 1]


def _halves(mask: int) -> list[int]:
    """Return the parts of a bit mask that hold its lowest bit and are not all of it."""
    low = mask & -mask
    rest = mask ^ low
    parts, part = [], rest
    while part:
        part = (part - 1) & rest
        parts.append(part | low)
    return parts
