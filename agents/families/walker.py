"""A random walk over a knowledge graph, as turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphenv.agents.base import Agent
from graphenv.agents.families.base import drawn_for
from graphenv.agents.script import Script, opening, topics_of
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa.program import Filter
from graphenv.envs.kgqa.walk import Walk
from graphenv.knowledge import TripleStore
from graphenv.task import Message
from graphenv.text import format_answer, format_call

__all__ = ["RandomWalker"]

STOP, LOOK = 0.3, 0.25
"""Chances, at every turn after the first move, to answer, and (else) to look before moving."""


class RandomWalker(Agent):
    """Walks at random in one world: only moves, entities and arguments that exist."""

    def __init__(
        self,
        env: GraphEnv,
        world: TripleStore,
        seed: int,
        max_moves: int,
        *,
        drop_topic: bool,
    ) -> None:
        self._env = env
        self._world = world
        self._seed = seed
        self._max_moves = max_moves
        self._drop_topic = drop_topic

    def act(self, messages: Sequence[Message]) -> str:
        """Return the next turn of the walk that this prompt leads to."""
        prompt = opening(messages)
        draw = drawn_for(self._seed, prompt)
        topics = topics_of(prompt, self._world)
        start = self._world.find_entity(topics[0]) if topics else None
        if start is None:
            start = int(draw.integers(self._world.num_entities))
        walk = Walk(self._world, start, drop_topic=self._drop_topic)
        tools = set(self._env.tools)
        if not tools:
            return self._program(walk, draw)
        return Script(self._turns(walk, draw, tools)).act(messages)

    def _program(self, walk: Walk, draw: np.random.Generator) -> str:
        for _ in range(int(draw.integers(1, self._max_moves + 1))):
            if not self._step(walk, draw):
                break
        program = walk.program()
        if not program.path:
            return format_answer([self._world.entity_name(walk.topic)])
        return str(program)

    def _step(self, walk: Walk, draw: np.random.Generator) -> str | None:
        """Follow a random move that leads somewhere; `None` if there is none."""
        moves = self._world.moves(walk.frontier)
        for i in draw.permutation(len(moves)).tolist():
            if walk.follow(moves[i]):
                name: str = moves[i]
                return name
        return None

    def _turns(self, walk: Walk, draw: np.random.Generator, tools: set[str]) -> list[str]:
        turns: list[str] = []
        for _ in range(self._env.max_turns - 1):
            if walk.depth and draw.random() < STOP:
                break
            if draw.random() < LOOK:
                turns.append(self._look(walk, draw, tools))
                continue
            moved = self._step(walk, draw) if walk.depth < self._max_moves else None
            if moved is None:
                break
            turns.append(format_call("follow", relation=moved))
        return [*turns, format_call("answer_frontier")]

    def _look(self, walk: Walk, draw: np.random.Generator, tools: set[str]) -> str:
        """Return a call that changes nothing, or undoes a move, or keeps what has a drawn value."""
        names = self._world.entity_names(draw.choice(walk.frontier, 1))
        moves = self._world.moves(walk.frontier)
        kinds = ["relations", "frontier"]
        kinds += ["back"] * bool(walk.depth)
        kinds += ["neighbors", *(["keep"] * ("keep" in tools))] if moves else []
        kind = kinds[int(draw.integers(len(kinds)))]
        if kind == "back":
            walk.back()
        if kind == "neighbors":
            entity = self._world.entity_id(names[0])
            own = self._world.moves([entity]) or moves
            relation = own[int(draw.integers(len(own)))]
            return format_call("neighbors", entity=names[0], relation=relation)
        if kind == "keep":
            relation = moves[int(draw.integers(len(moves)))]
            _, tails = self._world.edges(walk.frontier, relation)
            value = self._world.entity_name(int(draw.choice(tails)))
            if walk.keep(Filter(relation, "=", value)):
                return format_call("keep", relation=relation, operator="=", value=value)
        if kind == "relations" and draw.random() < 0.5:
            return format_call("relations", entity=names[0])
        return format_call("relations" if kind == "keep" else kind)
