"""`graphenv/KGQA-v0`: answer questions by walking a knowledge graph."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, ClassVar

from graphenv.checks import one_of, whole
from graphenv.encodings import ENCODINGS
from graphenv.envs.arguments import offered, recorded, turn_limit
from graphenv.envs.base import MAX_OPENINGS, GraphEnv
from graphenv.envs.kgqa.program import parse_program
from graphenv.envs.kgqa.prompts import chat, system_text
from graphenv.envs.kgqa.session import Distances, KGQASession, make_walk
from graphenv.envs.kgqa.sources import KGQASource, make_source
from graphenv.envs.kgqa.walk import walk_program
from graphenv.envs.tools import ToolSpec, tool_specs
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.task import Message, Task
from graphenv.text import text_of

__all__ = ["KGQAEnv"]

MODES = ("tools", "program")
_ALL_TOOLS = tool_specs(KGQASession)
_FEATURE_OF = {"keep": "filter", "start_at": "branch", "answer_count": "count"}


class KGQAEnv(GraphEnv):
    """Answer multi-hop questions over a knowledge graph.

    Description
    -----------
    A question names one or more topic entities; its answers lie a few relations away. In *tool
    mode* the agent moves a frontier of entities with tools and then answers; in *program mode* it
    writes a relation path program in a single turn, which is run for it.

    Observation
    -----------
    Text: the prompt, then what each turn's tool calls answered. Long lists are paged, and an
    observation has at most `max_observation` characters.

    Actions
    -------
    Text. Tool mode: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, and at the end
    `answer_frontier` or `<answer>["..."]</answer>`. Program mode: a program such as
    `^directed_by > has_genre` (see `graphenv.envs.kgqa.program`), or an answer list.

    Rewards
    -------
    Any expression over the terms of family `kgqa`, default `exact`. Truth (`info["success"]`):
    exact match of the answer set, after Unicode, case and spacing are normalised.

    Termination
    -----------
    Terminated by an answer or a program; truncated after `max_turns` turns.

    Arguments
    ---------
    source, split
        Where the questions come from (`graphenv.envs.kgqa.sources.SOURCES`) and which part.
    reward
        A reward expression.
    mode
        `tools` or `program`.
    max_turns
        Turn limit of tool mode (default 12; program mode has one turn).
    page_size
        Items per page of a list.
    encoding
        How facts are written (`graphenv.encodings.ENCODINGS`).
    instructions
        How much the prompt explains: `full`, `short`, `none` (the bare question).
    max_observation
        Longest observation, in characters.
    source_arguments
        All further arguments go to the source (`root=`, `hops=` ...).

    Version history
    ---------------
    v0: first version.

    Examples
    --------
    >>> import gymnasium as gym, graphenv
    >>> env = gym.make("graphenv/KGQA-v0", mode="program")
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, truncated, info = env.step("no_such_relation")
    >>> reward, terminated, info["status"]
    (0.0, True, 'infeasible')
    """

    family: ClassVar[str] = "kgqa"

    def __init__(
        self,
        *,
        source: str = "synthetic",
        split: str = "train",
        reward: str = "exact",
        mode: str = "tools",
        max_turns: int | None = None,
        page_size: int = 20,
        encoding: str = "triples",
        instructions: str = "full",
        max_observation: int = 4_000,
        render_mode: str | None = None,
        env_id: str = "graphenv/KGQA-v0",
        **source_arguments: Any,
    ) -> None:
        kwargs = recorded(locals())
        self.mode = one_of(env_id, "mode", mode, MODES)
        self.page_size = whole(env_id, "page_size", page_size, 1)
        self.encoding = one_of(env_id, "encoding", encoding, ENCODINGS)
        self._kg_source = make_source(source, split, source_arguments, also=offered(KGQAEnv))
        self._distances: OrderedDict[tuple[int, int], Distances | None] = OrderedDict()
        super().__init__(
            env_id=env_id,
            source=self._kg_source,
            kwargs=kwargs,
            max_turns=turn_limit(env_id, max_turns, 12, mode=mode, single="program"),
            render_mode=render_mode,
        )

    @cached_property
    def _tools(self) -> dict[str, ToolSpec]:
        if self.mode == "program":
            return {}
        features = self._kg_source.features
        return {n: s for n, s in _ALL_TOOLS.items() if _FEATURE_OF.get(n, n) in {*features, n}}

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        return self._tools

    @property
    def kg_source(self) -> KGQASource:
        """The source, with the worlds of its tasks."""
        return self._kg_source

    def prompt(self, task: Task) -> tuple[Message, ...]:
        return chat(text_of(task.messages[0]["content"]), task.meta["topics"], self._system)

    @cached_property
    def _system(self) -> str | None:
        return system_text(
            mode=self.mode,
            instructions=self.instructions,
            tools=self.tools.values(),
            relations=self._kg_source.vocabulary,
            features=self._kg_source.features,
            drop_topic=self._kg_source.drop_topic,
        )

    def make_session(self, template: Episode) -> KGQASession:
        index = template.task.index
        return KGQASession(
            template,
            self.tools,
            max_observation=self.max_observation,
            world=self._kg_source.world(index),
            mode=self.mode,
            drop_topic=self._kg_source.drop_topic,
            page_size=self.page_size,
            encoding=self.encoding,
            ignored=self._kg_source.ignored(index),
            needs=self.reward.needs,
            gold_distances=partial(self._gold_distances, template.task),
        )

    def target(self, task: Task) -> Task:
        """Fill in the gold subgraph (the edges that the gold program walks) if it is needed."""
        if "target.graph" not in self.reward.needs or task.target.program is None:
            return task
        program, reason = parse_program(task.target.program)
        if program is None:
            raise ConfigError(f"task {task.id}: its gold program does not parse: {reason}")
        world = self._kg_source.world(task.index)
        walk = make_walk(world, task.meta["topics"], drop_topic=self._kg_source.drop_topic)
        _, reason = walk_program(walk, program)
        if reason:  # published gold whose path does not exist in the published graph
            return task
        return replace(task, target=replace(task.target, graph=walk.graph()))

    def _gold_distances(self, task: Task, limit: int) -> Distances | None:
        """Return hop distances to the gold; `None` if an answer is no entity (a count)."""
        key = (task.index, limit)
        if key not in self._distances:
            world = self._kg_source.world(task.index)
            ids = [world.find_entity(name) for name in task.target.answer or ()]
            known = [i for i in ids if i is not None]
            entire = bool(known) and len(known) == len(ids)
            self._distances[key] = world.distances(known, limit) if entire else None
            if len(self._distances) > MAX_OPENINGS:
                self._distances.popitem(last=False)
        return self._distances[key]
