"""Designers as agents: they read the public world, and say their edges turn by turn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphenv.agents.base import Agent, WorldAgent
from graphenv.agents.families.design import design_turns
from graphenv.agents.script import Script
from graphenv.checks import one_of, whole
from graphenv.envs.base import GraphEnv
from graphenv.envs.design import GraphDesignEnv
from graphenv.envs.design.baselines import BASELINES, designed
from graphenv.envs.design.network import Pair
from graphenv.envs.design.session import PublicDesign
from graphenv.errors import ConfigError
from graphenv.seeding import rng

if TYPE_CHECKING:
    from graphenv.agents.design.picker import Picker

__all__ = ["BaselineDesigner", "Designer", "GNNDesigner"]


class Designer(WorldAgent):
    """An agent that decides on all edges at once; what follows from the start needs no chat.

    Raises
    ------
    ConfigError
        If the environment is of another family, or its goal is to repair.
    """

    def __init__(self, env: GraphEnv) -> None:
        super().__init__(env)
        if not isinstance(env, GraphDesignEnv) or env.design_source.goal != "build":
            raise ConfigError(
                f"designers add edges; {env.env_id} needs to be graphenv/GraphDesign-v0 with "
                "goal='build'"
            )
        self._max_turns = env.max_turns if env.tools else 0

    @abstractmethod
    def edges(self, world: PublicDesign) -> Sequence[Pair]:
        """Return the edges to add to the network of `world`, in order."""

    def for_world(self, world: Any) -> Agent:
        """Return the policy for episodes in `world`."""
        edits = [("add", edge) for edge in self.edges(world)]
        return Script(design_turns(world.network, edits, self._max_turns))


class BaselineDesigner(Designer):
    """Designs by a published rule: random, greedy, degree product, Fiedler vector, resistance.

    Parameters
    ----------
    env
        An environment of family `graph-design` whose goal is to build.
    method
        A name of `graphenv.envs.design.baselines.BASELINES`. `greedy` asks the objective itself.
    seed
        Seed of `random`.

    Raises
    ------
    ConfigError
        If the method is unknown, or the environment has another goal.

    >>> from graphenv import agents, envs
    >>> env = envs.make("graph-design", nodes=8, density=40)
    >>> agents.rollout(env, BaselineDesigner(env, method="fiedler"), index=0).status
    'ok'
    """

    def __init__(self, env: GraphEnv, *, method: str = "greedy", seed: int = 0) -> None:
        super().__init__(env)
        self.method = one_of("design-baseline", "method", method, BASELINES)
        self.seed = whole("design-baseline", "seed", seed, 0)

    def edges(self, world: PublicDesign) -> list[Pair]:
        """Return the edges that the rule picks."""
        draw = rng("design baseline", self.method, self.seed, world.key)
        pick = BASELINES[self.method]
        return designed(pick, world.network, world.budget, world.objective, world.key, draw)


class GNNDesigner(Designer):
    """Designs by a trained graph network: picks one end of an edge, then the other.

    Parameters
    ----------
    env
        An environment of family `graph-design` whose goal is to build.
    model
        A folder that `graphenv.agents.design.picker.save` wrote, or a network.

    Raises
    ------
    ConfigError
        If PyTorch Geometric is missing, or the environment has another goal.
    DataError
        If the folder holds no such network.
    """

    def __init__(self, env: GraphEnv, *, model: str | Path | Picker) -> None:
        super().__init__(env)
        try:
            from graphenv.agents.design.picker import load
        except ImportError as error:
            raise ConfigError(
                f"agent 'design-gnn' needs PyTorch Geometric ({error}): "
                'pip install "graphenv[gnn]"'
            ) from error
        self._picker = load(model) if isinstance(model, str | Path) else model

    def edges(self, world: PublicDesign) -> list[Pair]:
        """Return the edges that the network rates highest, one after another."""
        return self._picker.design(world.network, world.budget)
