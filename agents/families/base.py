"""`Family`: the plays of a family that need more than text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from graphenv.agents.base import Agent
from graphenv.envs.base import GraphEnv

__all__ = ["MAX_ERRORS", "Family"]

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

    def everything(self, index: int) -> Sequence[str]:
        """Return an answer that lists every option, empty where there is no such thing."""
        return ()
