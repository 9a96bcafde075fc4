"""How designs are played: the best that is known, nested mistakes in it, random edges."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from graphenv.agents.base import Agent
from graphenv.agents.families.base import Family, RandomTurns
from graphenv.envs.design import GraphDesignEnv
from graphenv.envs.design.network import Network
from graphenv.envs.design.search import Edit
from graphenv.envs.design.session import PublicDesign
from graphenv.fences import fenced
from graphenv.text import MAX_CALLS_PER_TURN, format_call

__all__ = ["DesignFamily", "design_answer", "design_turns"]

_TOOLS = {"add": "add_edge", "remove": "remove_edge"}


class DesignFamily(Family):
    """One JSON answer; in tools mode a call for each edge, and `submit`."""

    env: GraphDesignEnv

    def gold(self, index: int) -> list[str]:
        """Return the best design that is known."""
        return self.planted(index, 0)

    def planted(self, index: int, errors: int) -> list[str]:
        """Return the best known design without its last edges, one for each mistake.

        An edge is only given up for a design that is no better, so where the value of a plan does
        not rise all along, one mistake may take several edges.
        """
        plan = self.env.design_source.plan(index)
        stride = 1 if self.env.design_source.goal == "build" else 2  # a move is two edits
        end = len(plan.edits)
        for _ in range(errors):
            now = plan.values[end]
            shorter = range(end - stride, -1, -stride)
            end = next((at for at in shorter if plan.values[at] <= now), end)
        return self.turns(self.env.design_source.start(index), plan.edits[:end])

    def random(self, world: Any, seed: int, max_moves: int) -> Agent:
        """Return a policy that adds (or moves) 1 to `max_moves` random edges."""
        return RandomTurns(seed, partial(self._drawn, world, max_moves))

    def _drawn(self, world: PublicDesign, moves: int, draw: np.random.Generator) -> list[str]:
        now = world.network
        edits: list[Edit] = []
        for _ in range(min(world.budget, 1 + int(draw.integers(moves)))):
            fresh = now.missing[int(draw.integers(len(now.missing)))]
            if world.goal == "repair":
                gone = now.edges[int(draw.integers(len(now.edges)))]
                now = now.changed(remove=[gone])
                edits.append(("remove", gone))
            now = now.changed([fresh])
            edits.append(("add", fresh))
        return self.turns(world.network, edits)

    def everything(self, index: int) -> Sequence[Any]:
        """Return every missing edge as an answer: far more than the budget."""
        network = self.env.design_source.start(index)
        names = network.names
        return [json.dumps([[names[a], names[b]] for a, b in network.missing])]

    def turns(self, network: Network, edits: Sequence[Edit]) -> list[str]:
        """Return the turns that make some edits and submit; see `design_turns`."""
        return design_turns(network, edits, self.env.max_turns if self.env.tools else 0)


def design_turns(network: Network, edits: Sequence[Edit], max_turns: int) -> list[str]:
    """Return the turns that make some edits of a network and submit the design.

    One call a turn where `max_turns` are enough, else several; one answer where there are no tools
    (`max_turns` 0), or calls would not fit.

    >>> design_turns(Network.of(3, [(0, 1), (1, 2)]), [("add", (0, 2))], 0)
    ['```json\\n[["0", "2"]]\\n```']
    """
    names = network.names
    calls = [
        *(format_call(_TOOLS[what], a=names[a], b=names[b]) for what, (a, b) in edits),
        format_call("submit"),
    ]
    size = -(-len(calls) // max_turns) if max_turns else 0
    if not 0 < size <= MAX_CALLS_PER_TURN:
        return [design_answer(network, edits)]
    return ["".join(calls[at : at + size]) for at in range(0, len(calls), size)]


def design_answer(network: Network, edits: Sequence[Edit]) -> str:
    """Return some edits of a network as one answer."""
    names = network.names
    told: dict[str, list[list[str]]] = {"remove": [], "add": []}
    for what, (a, b) in edits:
        told[what].append([names[a], names[b]])
    text = json.dumps(told if told["remove"] else told["add"], ensure_ascii=False)
    # A name that holds a tag or a fence must not open or close one.
    return fenced(text.replace("<", "\\u003c").replace("`", "\\u0060"), "json")
