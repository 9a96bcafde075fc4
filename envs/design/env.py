"""`graphenv/GraphDesign-v0`: build or repair a network for an objective."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from graphenv.checks import one_of
from graphenv.envs.arguments import offered, recorded, turn_limit
from graphenv.envs.base import GraphEnv
from graphenv.envs.design.prompts import chat, system_text
from graphenv.envs.design.session import BuildSession, DesignSession, RepairSession
from graphenv.envs.design.sources import DesignSource, make_source
from graphenv.envs.tools import ToolSpec, tool_specs
from graphenv.episode import Episode
from graphenv.task import Message, Task
from graphenv.text import text_of

__all__ = ["GraphDesignEnv"]

MODES = ("single", "tools")
_SESSIONS: dict[str, type[DesignSession]] = {"build": BuildSession, "repair": RepairSession}
_TOOLS = {goal: tool_specs(session) for goal, session in _SESSIONS.items()}


class GraphDesignEnv(GraphEnv):
    """Build or repair a network for an objective, under a budget of edges.

    Description
    -----------
    A network is shown, and an objective in words: robustness to random or targeted removal of nodes
    (as published), efficiency, diameter, algebraic connectivity, or a function of the user's. To
    *build* is to add a few edges; to *repair* is to move a few edges of a network that was damaged.
    In *single mode* all edges are one answer; in *tools mode* they are added one by one, so that
    process rewards have steps to pay.

    Observation
    -----------
    Text: the prompt, then what each turn's tool calls answered. The value of the objective is never
    shown. An observation has at most `max_observation` characters.

    Actions
    -------
    Text. `[["a", "b"], ...]`, the edges to add, or `{"remove": [...], "add": [...]}`, in one
    ```json block, in `<answer>` tags, or bare. In tools mode
    `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`; `submit` ends, and so does a JSON
    answer, whose edits come on top of those made before. The two picks of a node in the published
    environment are one `add_edge` here.

    Rewards
    -------
    Any expression over the terms of family `graph-design`, default `objective`: the share of the
    best known gain. `objective(paper='rnet-dqn')` is the published F(end) - F(start), and
    `objective_value` is F as a potential. Truth (`info["success"]`): the share of the best known
    gain, in [0, 1] (`graphenv.envs.design.truths`); the best is found by trying all sets of edges
    where they are few, else by search (`graphenv.envs.design.search`), so there is no gold network,
    and a design may beat it: the metric `relative` tells, and `gain` is what is published.

    Termination
    -----------
    Terminated by an answer or `submit`, which may leave edges of the budget unused; truncated, with
    no design, after `max_turns` turns. An answer that breaks a rule (unknown node, edge that is
    there, budget exceeded) is `infeasible` and no design; a tool call that does changes nothing.

    Arguments
    ---------
    source, split
        Where the networks come from (`graphenv.envs.design.sources.SOURCES`) and which part.
    reward
        A reward expression.
    mode
        `single` or `tools`.
    max_turns
        Turn limit of tools mode (default 24; single mode has one turn).
    instructions
        How much the prompt explains: `full`, `short`, `none` (task and network alone).
    max_observation
        Longest observation, in characters.
    source_arguments
        All further arguments go to the source (`objective=`, `goal=`, `nodes=`, `percent=` ...).

    Version history
    ---------------
    v0: first version.

    Examples
    --------
    >>> import gymnasium as gym, graphenv
    >>> env = gym.make("graphenv/GraphDesign-v0", nodes=8, density=40, mode="single")
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, truncated, info = env.step('[["0", "0"]]')
    >>> reward, terminated, info["status"]
    (0.0, True, 'infeasible')
    """

    family: ClassVar[str] = "graph-design"

    def __init__(
        self,
        *,
        source: str = "er",
        split: str = "train",
        reward: str = "objective",
        mode: str = "tools",
        max_turns: int | None = None,
        instructions: str = "full",
        max_observation: int = 4_000,
        render_mode: str | None = None,
        env_id: str = "graphenv/GraphDesign-v0",
        **source_arguments: Any,
    ) -> None:
        kwargs = recorded(locals())
        self.mode = one_of(env_id, "mode", mode, MODES)
        self.design_source: DesignSource = make_source(
            source, split, source_arguments, also=offered(GraphDesignEnv)
        )
        super().__init__(
            env_id=env_id,
            source=self.design_source,
            kwargs=kwargs,
            max_turns=turn_limit(env_id, max_turns, 24, mode=mode, single="single"),
            render_mode=render_mode,
        )

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        return {} if self.mode == "single" else _TOOLS[self.design_source.goal]

    @cached_property
    def _system(self) -> str | None:
        return system_text(
            mode=self.mode,
            goal=self.design_source.goal,
            instructions=self.instructions,
            tools=self.tools.values(),
        )

    def prompt(self, task: Task) -> tuple[Message, ...]:
        return chat(text_of(task.messages[0]["content"]), self._system)

    def make_session(self, template: Episode) -> DesignSession:
        return _SESSIONS[self.design_source.goal](
            template,
            self.tools,
            max_observation=self.max_observation,
            source=self.design_source,
            needs=self.reward.needs,
        )
