"""What a source of designs offers: networks to start from, and the best design that is known."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from graphenv.checks import is_number, one_of, whole
from graphenv.envs.design.editing import GOALS
from graphenv.envs.design.network import Network
from graphenv.envs.design.objectives import make_objective
from graphenv.envs.design.search import Edit, Plan, best_addition, best_rewiring
from graphenv.envs.sources import Source
from graphenv.errors import ConfigError
from graphenv.seeding import rng
from graphenv.task import Message, Target, Task

__all__ = ["DesignSource", "Start", "neighbor_lines"]

_KEPT = 2_048
_DAMAGES = 4


class Start(NamedTuple):
    """The network of a task, and the edits that undo its damage (repair only)."""

    network: Network
    undo: tuple[Edit, ...] = ()


class DesignSource(Source):
    """A sequence of networks to build on or to repair.

    `source[i]` has the task in words and the network as its one message, and in `meta` at least
    `question`, `nodes`, `edges`, `budget`, `goal` and `objective`. No two splits hold isomorphic
    starts: a start belongs to the split that its Weisfeiler-Leman hash names.

    Parameters
    ----------
    split
        One of `graphenv.task.SPLITS`.
    objective
        A name of `OBJECTIVES`, or `"module:attribute"` of a function of a `Graph`.
    goal
        `build` (edges are added) or `repair`: as many edges of the network as the budget has were
        moved at random, in the worst of four ways; edges may be moved back, or elsewhere.
    percent
        The budget in per cent of all pairs of nodes, rounded up (published: 1, 2.5 and 5).
    budget
        The budget as a number of edges, instead.
    orders
        Removal orders for each node, 1 to 100 (published: 2, so 40 for 20 nodes). More orders are
        a better estimate, which a search fits less; work grows with them.

    Raises
    ------
    ConfigError
        If an argument is out of range.
    """

    def __init__(
        self,
        split: str,
        *,
        objective: str,
        goal: str,
        percent: float,
        budget: int | None,
        orders: int = 2,
    ) -> None:
        super().__init__(split)
        self.objective_name = objective
        self.objective = make_objective(objective, orders=whole("design", "orders", orders, 1, 100))
        self.goal = one_of("design", "goal", goal, GOALS)
        if budget is not None:
            whole("design", "budget", budget, 1)
        if not is_number(percent, 0, 100) or not percent:
            raise ConfigError(f"design: percent={percent!r} must be a number above 0, up to 100")
        self._percent = percent
        self._budget = budget
        self._starts: OrderedDict[int, Start] = OrderedDict()
        self._plans: OrderedDict[int, Plan] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_starts": OrderedDict(), "_plans": OrderedDict()}

    @property
    def provides(self) -> frozenset[str]:
        """The facts about the target that its tasks carry."""
        return frozenset({"target.objective"})

    @abstractmethod
    def make(self, index: int) -> Start:
        """Return the start of task `index`; a pure function of the arguments."""

    @abstractmethod
    def name(self, index: int) -> str:
        """Return the id of task `index`."""

    def start(self, index: int) -> Network:
        """Return the network that task `index` begins with."""
        return self._start(index).network

    def _start(self, index: int) -> Start:
        if index not in self._starts:
            self._starts[index] = self.make(index)
            if len(self._starts) > _KEPT:
                self._starts.popitem(last=False)
        return self._starts[index]

    def plan(self, index: int) -> Plan:
        """Return the best design that is known for task `index` (see `search`)."""
        if index not in self._plans:
            network, undo = self._start(index)
            budget, key = self.budget(network), self.name(index)
            self._plans[index] = (
                best_addition(network, budget, self.objective, key)
                if self.goal == "build"
                else best_rewiring(network, budget, self.objective, key, undo)
            )
            if len(self._plans) > _KEPT:
                self._plans.popitem(last=False)
        return self._plans[index]

    def value(self, network: Network, index: int) -> float:
        """Return the objective of a network in task `index`, in [0, 1]."""
        return self.objective.value(network, self.name(index))

    def budget(self, network: Network) -> int:
        """Return how many edges may be added to (or moved in) a network."""
        pairs = len(network) * (len(network) - 1) // 2
        wanted = self._budget or max(1, ceil(pairs * self._percent / 100))
        room = len(network.missing)
        return min(wanted, room if self.goal == "build" else min(room, len(network.edges)))

    def damaged(self, network: Network, key: str) -> Start:
        """Return a network as a task begins with it: as it is, or with edges moved (repair)."""
        if self.goal == "build":
            return Start(network)
        count = self.budget(network)
        draw = rng("damaged network", key)
        found: list[Start] = []
        for _ in range(20 * _DAMAGES):
            lost = [network.edges[i] for i in _some(draw, len(network.edges), count)]
            false = [network.missing[i] for i in _some(draw, len(network.missing), count)]
            other = network.changed(false, lost)
            if other.connected:
                pairs = zip(false, lost, strict=True)
                undo = [edit for f, t in pairs for edit in (("remove", f), ("add", t))]
                found.append(Start(other, tuple(undo)))
            if len(found) == _DAMAGES:
                break
        if not found:
            return Start(network)
        stack = np.stack([start.network.adjacency for start in found])
        return found[int(np.argmin(self.objective.values(stack, key)))]

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < len(self):
            raise IndexError(f"task index {index} is outside the {len(self)} tasks of this split")
        network = self.start(index)
        budget = self.budget(network)
        edges = "1 edge" if budget == 1 else f"up to {budget} edges"
        what = f"Add {edges}" if self.goal == "build" else f"Move {edges}"
        question = f"{what} to raise this objective: {self.objective.words}."
        shown = f"{question}\nNodes and their neighbours:\n{neighbor_lines(network)}"
        message: Message = {"role": "user", "content": shown}
        meta = {
            "question": question,
            "nodes": len(network),
            "edges": len(network.edges),
            "budget": budget,
            "goal": self.goal,
            "objective": self.objective_name,
        }
        return Task(self.name(index), index, (message,), Target(), meta)


def _some(draw: np.random.Generator, size: int, count: int) -> list[int]:
    found: list[int] = draw.choice(size, size=count, replace=False).tolist()
    return found


def neighbor_lines(network: Network) -> str:
    """Return a network as text: each node with its neighbours.

    >>> print(neighbor_lines(Network.of(3, [(0, 1), (1, 2)])))
    0: 1
    1: 0, 2
    2: 1
    """
    names = network.names
    return "\n".join(
        f"{name}: {', '.join(names[other] for other in network.neighbors(number))}".rstrip()
        for number, name in enumerate(names)
    )
