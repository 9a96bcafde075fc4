"""`graphenv/Subgraph-v0`: cut the part out of a network that a question asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from graphenv.checks import flag, one_of, whole
from graphenv.envs.arguments import offered, recorded, turn_limit
from graphenv.envs.base import GraphEnv
from graphenv.envs.subgraph.prompts import chat, system_text
from graphenv.envs.subgraph.session import SubgraphSession
from graphenv.envs.subgraph.sources import SubgraphSource, make_source
from graphenv.envs.subgraph.tools import GraphSession, RankingSession
from graphenv.envs.subgraph.views import neighborhood, neighborhood_text
from graphenv.envs.tools import ToolSpec, tool_specs
from graphenv.episode import Episode
from graphenv.task import Message, Task

__all__ = ["SubgraphEnv"]

MODES = ("tools", "single")
_SESSIONS = {False: GraphSession, True: RankingSession}
_TOOLS = {ranked: tool_specs(session) for ranked, session in _SESSIONS.items()}
_OBJECTIVE = frozenset({"step.objective", "target.objective"})


class SubgraphEnv(GraphEnv):
    """Grow a subgraph from seeds, edge by edge, or write it down in one turn.

    Description
    -----------
    A network of typed entities with texts and numbers, some seeds in it, and a goal: the part that
    a question describes, a ranking of entities, or a graph of high value. In *tools mode* the graph
    grows from the seeds with tools, so that process rewards have steps to judge; in *single mode* a
    part of the network is shown and the whole answer is one turn.

    Observation
    -----------
    Text: the prompt, then what each turn's tool calls answered. Lists are paged, and an observation
    has at most `max_observation` characters.

    Actions
    -------
    Text. Tools mode: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>` with `candidates`,
    `inspect`, `add_node`, `add_edge`, `expand`, `remove`, and `submit` at the end. Or, in a turn
    without calls (in single mode always), JSON in a fenced block, in `<answer>` tags or bare: a
    list of `[head, relation, tail]`, a list of names where a ranking is asked for, or an object
    with `edges`, `nodes`, `proposed` and `ranking`.

    Rewards
    -------
    Any expression over the terms of family `subgraph`, default `triple_f1`, which needs a gold
    graph; where the goal is a ranking name another (`hits`, `answer_f1`), and `objective` where a
    value is to be large. Truth (`info["success"]`) is of the source: F1 of edges and lone nodes
    against the gold graph, a measure of the ranking, or the value reached as a share of the best
    known one.

    Termination
    -----------
    Terminated by `submit` or an answer; truncated after `max_turns` turns, which is graded as no
    graph. An edge that the network does not have is refused by the tools; in an answer it makes
    the outcome `infeasible`, and is graded as a wrong edge.

    Arguments
    ---------
    source, split
        Where the tasks come from (`graphenv.envs.subgraph.sources.SOURCES`) and which part.
    reward
        A reward expression.
    mode
        `tools` or `single`.
    proposals
        Whether edges that the network does not have may be proposed. They are kept apart, never
        part of the graph, and counted in the metrics.
    max_turns
        Turn limit of tools mode (default 24; single mode has one turn).
    page_size
        Lines per page of a list of candidates.
    shown
        Edges that the prompt of single mode shows, the gold ones among them.
    instructions
        How much the prompt explains: `full` (with an example), `short`, `none` (the bare question).
    max_observation
        Longest observation, in characters.
    source_arguments
        All further arguments go to the source (`root=`, `shapes=` ...).

    Version history
    ---------------
    v0: first version.

    Examples
    --------
    >>> import gymnasium as gym, graphenv
    >>> env = gym.make("graphenv/Subgraph-v0")
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, truncated, info = env.step("<answer>[]</answer>")
    >>> reward, terminated, info["status"]
    (0.0, True, 'ok')
    """

    family: ClassVar[str] = "subgraph"

    def __init__(
        self,
        *,
        source: str = "motif",
        split: str = "train",
        reward: str = "triple_f1",
        mode: str = "tools",
        proposals: bool = False,
        max_turns: int | None = None,
        page_size: int = 20,
        shown: int = 40,
        instructions: str = "full",
        max_observation: int = 4_000,
        render_mode: str | None = None,
        env_id: str = "graphenv/Subgraph-v0",
        **source_arguments: Any,
    ) -> None:
        kwargs = recorded(locals())
        self.mode = one_of(env_id, "mode", mode, MODES)
        self.proposals = flag(env_id, "proposals", proposals)
        self.page_size = whole(env_id, "page_size", page_size, 1)
        self.shown = whole(env_id, "shown", shown, 1)
        self.subgraph_source: SubgraphSource = make_source(
            source, split, source_arguments, also=offered(SubgraphEnv)
        )
        super().__init__(
            env_id=env_id,
            source=self.subgraph_source,
            kwargs=kwargs,
            max_turns=turn_limit(env_id, max_turns, 24, mode=mode, single="single"),
            render_mode=render_mode,
        )

    @cached_property
    def _ranked(self) -> bool:
        return self.subgraph_source.ranked

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        return {} if self.mode == "single" else _TOOLS[self._ranked]

    @property
    def provides(self) -> frozenset[str]:
        """The facts that reward terms may read here: where there is an objective, also that."""
        has = "target.objective" in self.source.provides
        return super().provides | (_OBJECTIVE if has else frozenset())

    @cached_property
    def _system(self) -> str | None:
        world = self.subgraph_source.world(0)
        return system_text(
            mode=self.mode,
            goal=str(self.subgraph_source[0].meta["goal"]),
            instructions=self.instructions,
            tools=self.tools.values(),
            relations=world.store.relation_names,
            undirected=world.undirected,
            proposals=self.proposals,
        )

    def prompt(self, task: Task) -> tuple[Message, ...]:
        shown = ""
        if self.mode == "single":
            world = self.subgraph_source.world(task.index)
            seeds = task.meta["seeds"]
            gold = () if task.target.graph is None else task.target.graph.triples
            edges = neighborhood(world, seeds, self.shown, gold, task.id)
            shown = neighborhood_text(world, edges, seeds)
        return chat(task, shown, self._system)

    def make_session(self, template: Episode) -> SubgraphSession:
        return _SESSIONS[self._ranked](
            template,
            self.tools,
            max_observation=self.max_observation,
            source=self.subgraph_source,
            world=self.subgraph_source.world(template.task.index),
            page_size=self.page_size,
            proposals=self.proposals,
            needs=self.reward.needs,
        )
