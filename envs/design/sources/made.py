"""Drawn networks: Erdos-Renyi and Barabasi-Albert, in the published sizes and others."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from functools import partial
from math import ceil
from typing import Any, ClassVar

import numpy as np

from graphenv.checks import is_number, whole
from graphenv.envs.arguments import recorded
from graphenv.envs.design.network import MAX_NODES, Network
from graphenv.envs.design.sources.base import DesignSource, Start
from graphenv.errors import ConfigError
from graphenv.seeding import rng
from graphenv.task import carve_split

__all__ = ["SIZES", "BarabasiAlbert", "ErdosRenyi"]

SIZES = {"train": 50_000, "validation": 5_000, "heldout": 5_000}
_TRIES = 5_000
_VERSION = 0


class _Made(DesignSource):
    """Task `i` is drawn when asked for, again and again until its start is one of the split."""

    model: ClassVar[str]

    def __init__(
        self, *, split: str, arguments: dict[str, Any], nodes: int, tasks: int | None, seed: int
    ) -> None:
        shared = ("objective", "goal", "percent", "budget", "orders")
        super().__init__(split, **{name: arguments[name] for name in shared})
        self._arguments = arguments
        self._nodes = whole(self.model, "nodes", nodes, 4, MAX_NODES)
        self._length = SIZES[split] if tasks is None else whole(self.model, "tasks", tasks, 1)
        self._seed = whole(self.model, "seed", seed, 0)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self._arguments), ()

    @property
    def fingerprint(self) -> str:
        text = f"{self.model}/{_VERSION} {self._arguments}"
        return hashlib.sha256(text.encode()).hexdigest()

    def __len__(self) -> int:
        return self._length

    def name(self, index: int) -> str:
        return f"{self.model}/{self._nodes}/{self._seed}/{self.split}/{index}"

    def make(self, index: int) -> Start:
        """Return the start of task `index`.

        Raises
        ------
        ConfigError
            If no network of the split turns up: there are too few of this size.
        """
        key = self.name(index)
        draw = rng("design", key)
        for _ in range(_TRIES):
            network = self._drawn(draw)
            if network.connected and network.missing:
                start = self.damaged(network, key)
                if carve_split("design", start.network.shape) == self.split:
                    return start
        raise ConfigError(
            f"{self.model}: {_TRIES} draws for task {index} gave no connected network of split "
            f"{self.split!r} with room for an edge. Ask for more nodes, or for another density"
        )

    @abstractmethod
    def _drawn(self, draw: np.random.Generator) -> Network:
        """Return a network, which need not be connected."""


class ErdosRenyi(_Made):
    """Connected networks with a fixed number of edges, each as likely as any other: G(n, m).

    Parameters
    ----------
    split
        `train` (50,000 tasks), `validation` or `heldout` (5,000 each).
    nodes
        4 to 100 (published: 20, and up to 100 for networks larger than those trained on).
    density
        Edges in per cent of all pairs, rounded up (published: 20).
    objective, goal, percent, budget, orders
        See `DesignSource`.
    tasks
        Number of tasks, if it is not the usual one.
    seed
        Which networks.

    Raises
    ------
    ConfigError
        If an argument is out of range.

    >>> source = ErdosRenyi(split="train")
    >>> source[0].meta["edges"], source[0].meta["budget"]
    (38, 2)
    """

    model: ClassVar[str] = "er"

    def __init__(
        self,
        *,
        split: str,
        nodes: int = 20,
        density: float = 20,
        objective: str = "robustness_random",
        goal: str = "build",
        percent: float = 1,
        budget: int | None = None,
        orders: int = 2,
        tasks: int | None = None,
        seed: int = 0,
    ) -> None:
        arguments = recorded(locals())
        super().__init__(split=split, arguments=arguments, nodes=nodes, tasks=tasks, seed=seed)
        if not is_number(density, 0, 100) or density in (0, 100):
            raise ConfigError(f"er: density={density!r} must be a number above 0 and below 100")
        pairs = nodes * (nodes - 1) // 2
        self._edges = ceil(pairs * density / 100)
        if not nodes - 1 <= self._edges < pairs:
            raise ConfigError(
                f"er: nodes={nodes} with density={density} makes {self._edges} of {pairs} edges; "
                f"a connected network with room for more has {nodes - 1} to {pairs - 1}"
            )
        rows, columns = np.triu_indices(nodes, 1)
        self._pairs = list(zip(rows.tolist(), columns.tolist(), strict=True))

    def _drawn(self, draw: np.random.Generator) -> Network:
        chosen = draw.choice(len(self._pairs), size=self._edges, replace=False).tolist()
        return Network.of(self._nodes, [self._pairs[at] for at in chosen])


class BarabasiAlbert(_Made):
    """Networks that grow: each new node is tied to `attach` others, to those of high degree first.

    The first is the centre of a star of `attach` + 1 nodes; the others are drawn with a chance
    proportional to their degree.

    Parameters
    ----------
    split
        `train` (50,000 tasks), `validation` or `heldout` (5,000 each).
    nodes
        4 to 100 (published: 20, and up to 100 for networks larger than those trained on).
    attach
        Edges of each new node (published: 2).
    objective, goal, percent, budget, orders
        See `DesignSource`.
    tasks
        Number of tasks, if it is not the usual one.
    seed
        Which networks.

    Raises
    ------
    ConfigError
        If an argument is out of range.

    References
    ----------
    Barabasi and Albert, Emergence of scaling in random networks, Science 286, 1999.

    >>> BarabasiAlbert(split="heldout")[0].meta["edges"]
    36
    """

    model: ClassVar[str] = "ba"

    def __init__(
        self,
        *,
        split: str,
        nodes: int = 20,
        attach: int = 2,
        objective: str = "robustness_random",
        goal: str = "build",
        percent: float = 1,
        budget: int | None = None,
        orders: int = 2,
        tasks: int | None = None,
        seed: int = 0,
    ) -> None:
        arguments = recorded(locals())
        super().__init__(split=split, arguments=arguments, nodes=nodes, tasks=tasks, seed=seed)
        self._attach = whole("ba", "attach", attach, 1, nodes - 2)

    def _drawn(self, draw: np.random.Generator) -> Network:
        edges = [(0, other) for other in range(1, self._attach + 1)]
        ends = [end for edge in edges for end in edge]
        for node in range(self._attach + 1, self._nodes):
            chosen: set[int] = set()
            while len(chosen) < self._attach:
                chosen.add(ends[int(draw.integers(len(ends)))])
            edges += [(other, node) for other in chosen]
            ends += [*sorted(chosen), *[node] * self._attach]
        return Network.of(self._nodes, edges)
