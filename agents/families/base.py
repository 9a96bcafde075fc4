"""`Family`: the plays of a family that need more than text; `RandomTurns`: the random ones."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphenv.agents.base import Agent
from graphenv.agents.script import Script, opening
from graphenv.envs.base import GraphEnv
from graphenv.envs.session import Session
from graphenv.seeding import rng
from graphenv.task import Message

__all__ = ["MAX_ERRORS", "Family", "RandomTurns", "drawn_for"]

MAX_ERRORS = 5


class Family(ABC):
    """What the oracle, the random agent and validation play in one family.

    Parameters
    ----------
    env
        An environment of the family.
    """

    has_classes: ClassVar[bool] = False
    """Whether gold programs are few enough to be the classes of a bag of words."""

    def __init__(self, env: GraphEnv) -> None:
        self.env = env

    @abstractmethod
    def gold(self, index: int) -> list[str]:
        """Return the assistant turns that solve task `index`."""

    @abstractmethod
    def planted(self, index: int, errors: int) -> list[str]:
        """Return turns with `errors` mistakes (1..5): those of `errors - 1` and one more.

        Nested mistakes let no verdict rise with their number on any task.
        """

    @abstractmethod
    def random(self, world: Any, seed: int, max_moves: int) -> Agent:
        """Return a policy that makes valid moves at random in `world`.

        The draw is a pure function of (seed, prompt).
        """

    def stray(self, session: Session, draw: np.random.Generator) -> str:
        """Return a random turn for the present state: what a careless player does next.

        Here the turn that a random policy says at this place; a family that knows which moves are
        possible now draws one of them.
        """
        policy = self.random(session.world, int(draw.integers(2**31)), 4)
        return policy.act(session.episode().messages)

    def everything(self, index: int) -> Sequence[str]:
        """Return an answer that lists every option, empty where there is no such thing."""
        return ()


def drawn_for(seed: int, prompt: Sequence[Message]) -> np.random.Generator:
    """Return the random stream of a prompt."""
    said = json.dumps([dict(message) for message in prompt], sort_keys=True)
    return rng("random agent", seed, said)


class RandomTurns(Agent):
    """Says turns that are drawn for each prompt, and are the same whenever it is given again."""

    def __init__(self, seed: int, turns: Callable[[np.random.Generator], list[str]]) -> None:
        self._seed = seed
        self._turns = turns

    def act(self, messages: Sequence[Message]) -> str:
        turns = self._turns(drawn_for(self._seed, opening(messages)))
        return Script(turns).act(messages)
