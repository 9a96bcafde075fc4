"""`Editor`: the edits of one episode, and the rules that they keep."""

from __future__ import annotations

from graphenv.envs.design.network import Network, Pair, pair
from graphenv.envs.design.search import Edit
from graphenv.errors import did_you_mean
from graphenv.text import bounded

__all__ = ["GOALS", "Editor"]

GOALS = ("build", "repair")
_SHOWN = 40


class Editor:
    """A network that is edited within a budget.

    In `build` at most `budget` edges are added and none removed. In `repair` at most `budget` edges
    are moved: at most so many of the start are gone, at most so many are where none was, and there
    are never more edges than at the start.

    >>> editor = Editor(Network.of(3, [(0, 1), (1, 2)]), 1, "build")
    >>> editor.add("2", "0"), editor.network.edges, editor.left
    ('', ((0, 1), (0, 2), (1, 2)), 0)
    >>> editor.add("1", "1")
    "both ends are '1'; an edge ties two nodes"
    """

    def __init__(self, start: Network, budget: int, goal: str) -> None:
        self.start = start
        self.budget = budget
        self.goal = goal
        self._old = frozenset(start.edges)
        self._added: set[Pair] = set()
        self._removed: set[Pair] = set()
        self._network: Network | None = start
        self._numbers = {name: number for number, name in enumerate(start.names)}

    @property
    def network(self) -> Network:
        """The network as it is now; one object as long as nothing changes."""
        if self._network is None:
            self._network = self.start.changed(self._added, self._removed)
        return self._network

    @property
    def added(self) -> tuple[Pair, ...]:
        """The edges that the start has not, sorted."""
        return tuple(sorted(self._added))

    @property
    def removed(self) -> tuple[Pair, ...]:
        """The edges of the start that are gone, sorted."""
        return tuple(sorted(self._removed))

    @property
    def left(self) -> int:
        """How many edges may still be added."""
        return self.budget - len(self._added)

    def number(self, name: str) -> tuple[int, str]:
        """Return (number, "") of the node called `name`, or -1 and the reason why there is none."""
        found = self._numbers.get(name.strip())
        if found is not None:
            return found, ""
        hint = did_you_mean(name[:200], self._numbers)
        return -1, f"there is no node {bounded(name, _SHOWN)!r}.{hint}"

    def add(self, a: str, b: str) -> str:
        """Add an edge; return "" or the reason why it was not added."""
        edge, reason = self._edge(a, b)
        if reason:
            return reason
        if self._has(edge):
            return f"there is an edge between {a.strip()} and {b.strip()} already"
        if edge not in self._old and self.left <= 0:
            return f"the budget of {self.budget} edges is used up"
        if self.goal == "repair" and len(self._added) >= len(self._removed):
            return "there may not be more edges than at the start; remove one first"
        if edge in self._old:
            self._removed.discard(edge)
        else:
            self._added.add(edge)
        self._network = None
        return ""

    def remove(self, a: str, b: str) -> str:
        """Remove an edge; return "" or the reason why it was not removed."""
        edge, reason = self._edge(a, b)
        if reason:
            return reason
        if self.goal == "build":
            return "edges are only added here"
        if not self._has(edge):
            return f"there is no edge between {a.strip()} and {b.strip()}"
        if edge in self._old and len(self._removed) >= self.budget:
            return f"the budget of {self.budget} edges is used up: so many are removed"
        if edge in self._old:
            self._removed.add(edge)
        else:
            self._added.discard(edge)
        self._network = None
        return ""

    def all_at_once(self, remove: list[tuple[str, str]], add: list[tuple[str, str]]) -> str:
        """Make many edits, removals first; return "" or the reason why none was made.

        An edge that is listed twice counts once.
        """
        before = self.network, self._added.copy(), self._removed.copy()
        done: set[Edit] = set()
        for what, ends in (("remove", remove), ("add", add)):
            for a, b in ends:
                edge, reason = self._edge(a, b)
                if not reason and (what, edge) in done:
                    continue
                done.add((what, edge))
                reason = self.remove(a, b) if what == "remove" else self.add(a, b)
                if reason:
                    self._network, self._added, self._removed = before
                    return reason
        return ""

    def _has(self, edge: Pair) -> bool:
        return edge in self._added or (edge in self._old and edge not in self._removed)

    def _edge(self, a: str, b: str) -> tuple[Pair, str]:
        one, reason = self.number(a)
        other, also = self.number(b)
        if reason or also:
            return (-1, -1), reason or also
        if one == other:
            return (-1, -1), f"both ends are {bounded(a.strip(), _SHOWN)!r}; an edge ties two nodes"
        return pair(one, other), ""
