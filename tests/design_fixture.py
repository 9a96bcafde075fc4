"""Hand-made networks with known values: a path, a star of odd names, a damaged ring."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from graphenv import envs
from graphenv.envs.base import GraphEnv
from graphenv.envs.design.network import Network
from graphenv.envs.design.sources import SOURCES
from graphenv.envs.design.sources.base import DesignSource, Start
from graphenv.graph import Graph

NETWORKS = (
    Network.of(6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
    Network(("hub </answer>", "Žluť", "a b", "7"), ((0, 1), (0, 2), (0, 3))),
    Network.of(6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 2)]),
)
PATH, STAR, RING = range(3)
"""On the path one edge is to be added for efficiency: 0-4 (or 1-5) is best, 0-5 makes a ring."""

PATH_START, PATH_BEST, PATH_RING = 29 / 50, 61 / 90, 2 / 3


class FixtureDesigns(DesignSource):
    """The networks above; every split holds all of them. The ring was damaged: 0-2 was 0-5."""

    def __init__(
        self,
        *,
        split: str,
        objective: str = "efficiency",
        goal: str = "build",
        percent: float = 1,
        budget: int | None = 1,
    ) -> None:
        super().__init__(split, objective=objective, goal=goal, percent=percent, budget=budget)
        self._rest = (objective, goal, percent, budget)

    @property
    def fingerprint(self) -> str:
        return f"fixture/{self.split}/{self._rest}"

    def __len__(self) -> int:
        return len(NETWORKS)

    def name(self, index: int) -> str:
        return f"fixture/{index}"

    def make(self, index: int) -> Start:
        undo = (("remove", (0, 2)), ("add", (0, 5))) if index == RING else ()
        return Start(NETWORKS[index], undo)


def make_env(**kwargs: Any) -> GraphEnv:
    """Return an environment over the hand-made networks."""
    with patch.dict(SOURCES, fixture="design_fixture:FixtureDesigns"):
        return envs.make("graph-design", **{"source": "fixture", **kwargs})


def block(value: Any) -> str:
    """Return a JSON value in a fenced block."""
    return f"```json\n{json.dumps(value, ensure_ascii=False)}\n```"


def density(graph: Graph) -> float:
    """The share of pairs of nodes that have an edge."""
    pairs = len(graph) * (len(graph) - 1) / 2
    return len(graph.edges) / pairs


def too_much(graph: Graph) -> float:
    """Return a number that is no share."""
    return float(len(graph.edges))
