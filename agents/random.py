"""`random`: valid moves drawn at random; the floor of every table."""

from __future__ import annotations

from typing import Any

from graphenv.agents.base import Agent, WorldAgent
from graphenv.agents.families import family_of
from graphenv.checks import whole
from graphenv.envs.base import GraphEnv

__all__ = ["RandomAgent"]


class RandomAgent(WorldAgent):
    """Plays at random: only moves, names and arguments that exist.

    KGQA: a random path of 1 to `max_moves` moves that leads somewhere. Queries: a random projection
    or count with up to `max_moves` conditions. The draw is a pure function of (seed, prompt), so
    the same chat always gets the same turn.

    Parameters
    ----------
    env
        An environment of a family that is known (`graphenv.agents.families`).
    seed
        Other seeds, other moves.
    max_moves
        Most moves, at least 1.

    Raises
    ------
    ConfigError
        If the environment is of another family, or `max_moves` is below 1.

    >>> from graphenv import agents, envs
    >>> env = envs.make("kgqa", mode="program")
    >>> agents.rollout(env, RandomAgent(env, seed=1), index=0).status
    'ok'
    """

    def __init__(self, env: GraphEnv, *, seed: int = 0, max_moves: int = 3) -> None:
        super().__init__(env)
        self._family = family_of(env, "random")
        self.seed = seed
        self.max_moves = whole("random", "max_moves", max_moves, 1)

    def for_world(self, world: Any) -> Agent:
        """Return the policy for episodes in `world` (what `Session.world` gives)."""
        return self._family.random(world, self.seed, self.max_moves)
