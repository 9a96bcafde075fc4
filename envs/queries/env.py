"""`graphenv/Text2SQL-v0` and `graphenv/Text2Cypher-v0`: questions to databases, as queries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from graphenv.checks import flag, one_of, whole
from graphenv.envs.arguments import offered, recorded, turn_limit
from graphenv.envs.base import MAX_OPENINGS, GraphEnv
from graphenv.envs.queries.databases import Databases
from graphenv.envs.queries.engines.backend import ENGINES
from graphenv.envs.queries.engines.protocol import Database, Limits
from graphenv.envs.queries.prompts import chat, system_text
from graphenv.envs.queries.reading import read_query
from graphenv.envs.queries.schema_text import schema_text
from graphenv.envs.queries.session import QuerySession
from graphenv.envs.queries.sources import make_source
from graphenv.envs.queries.sources.base import QuerySource
from graphenv.envs.tools import ToolSpec, tool_specs
from graphenv.episode import Episode
from graphenv.errors import ConfigError, DataError
from graphenv.query.graphs import query_graph
from graphenv.query.model import Language, Query
from graphenv.query.results import QueryError
from graphenv.task import Message, Task
from graphenv.text import text_of

__all__ = ["Text2CypherEnv", "Text2SQLEnv"]

_ALL_TOOLS = tool_specs(QuerySession)
_NEED_DATA = {"sample_values", "explain", "run"}
MODES = ("single", "tools")


class _QueryEnv(GraphEnv):
    language: ClassVar[Language]

    def __init__(
        self,
        *,
        source: str = "synthetic",
        split: str = "train",
        reward: str = "execution",
        mode: str = "single",
        max_turns: int | None = None,
        page_size: int = 20,
        show_schema: bool = True,
        work: int = Limits().work,
        seconds: float = Limits().seconds,
        workers: int = 1,
        instructions: str = "full",
        max_observation: int = 4_000,
        render_mode: str | None = None,
        env_id: str,
        **source_arguments: Any,
    ) -> None:
        kwargs = recorded(locals())
        self.mode = one_of(env_id, "mode", mode, MODES)
        turns = turn_limit(env_id, max_turns, 8, mode=mode, single="single")
        self.page_size = whole(env_id, "page_size", page_size, 1)
        self.workers = whole(env_id, "workers", workers, 1)
        self.show_schema = flag(env_id, "show_schema", show_schema)
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not number or not 0 < seconds <= 3600:
            raise ConfigError(f"{env_id}: seconds={seconds!r} must be above 0 and at most 3600")
        self.limits = Limits(work=whole(env_id, "work", work, 1), seconds=float(seconds))
        self._query_source = make_source(
            source, self.language, split, source_arguments, also=offered(_QueryEnv)
        )
        self._caged: OrderedDict[tuple[Database, ...], Databases] = OrderedDict()
        super().__init__(
            env_id=env_id,
            source=self._query_source,
            kwargs=kwargs,
            max_turns=turns,
            render_mode=render_mode,
        )

    @property
    def query_source(self) -> QuerySource:
        """The source, with the schemas and databases of its tasks."""
        return self._query_source

    @property
    def provides(self) -> frozenset[str]:
        found = super().provides
        if not self._query_source.executes:
            found -= {"outcome.results", "outcome.work"}
        elif not ENGINES[self._query_source.engine].counts_work:
            found -= {"outcome.work"}
        return found

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        if self.mode == "single":
            return {}
        if self._query_source.executes:
            return _ALL_TOOLS
        return {name: spec for name, spec in _ALL_TOOLS.items() if name not in _NEED_DATA}

    def prompt(self, task: Task) -> tuple[Message, ...]:
        system = system_text(
            self.language,
            mode=self.mode,
            instructions=self.instructions,
            tools=self.tools.values(),
        )
        schema = None
        if self.show_schema:
            schema = schema_text(self._query_source.schema(task.index), self.language)
        return chat(text_of(task.messages[0]["content"]), schema, system)

    def databases(self, index: int) -> Databases:
        """Return the databases of a task in their cages; tasks about one database share them."""
        found = self._query_source.databases(index)
        if found not in self._caged:
            self._caged[found] = Databases(
                self.language,
                self._query_source.schema(index),
                found,
                workers=self.workers,
                limits=self.limits,
            )
            if len(self._caged) > MAX_OPENINGS:
                self._caged.popitem(last=False)
        return self._caged[found]

    def make_session(self, template: Episode) -> QuerySession:
        index = template.task.index
        return QuerySession(
            template,
            self.tools,
            max_observation=self.max_observation,
            language=self.language,
            schema=self._query_source.schema(index),
            databases=self.databases(index) if self._query_source.executes else None,
            mode=self.mode,
            page_size=self.page_size,
            needs=self.reward.needs,
        )

    def target(self, task: Task) -> Task:
        """Fill in the gold as read, its graph, and what it returns on each database.

        Raises
        ------
        DataError
            If the gold cannot be read, or does not run: a source has to leave such tasks out.
        """
        gold = task.target.program
        assert gold is not None
        read = read_query(gold, self.language, self._query_source.schema(task.index))
        if not isinstance(read, Query):
            raise DataError(f"task {task.id}: its gold cannot be read: {read.reason}")
        target = replace(task.target, query=read)
        if "target.graph" in self.reward.needs:
            target = replace(target, graph=query_graph(read))
        if self._query_source.executes:
            databases = self.databases(task.index)
            results = databases.run(gold)
            failed = next((r for r in results if isinstance(r, QueryError)), None)
            if failed is not None:
                limited = failed.kind in ("timeout", "memory", "size")
                limits = f"work={self.limits.work}, seconds={self.limits.seconds:g}"
                raise DataError(
                    f"task {task.id}: its gold does not run: {failed.kind}: {failed.reason}. "
                    + (f"Raise the limits ({limits}), or leave" if limited else "Leave")
                    + " the task out."
                )
            accepted = tuple(databases.run(text) for text in task.meta.get("accept", ()))
            target = replace(target, results=results, accepted=accepted)
        return replace(task, target=target)


_DOCS = """
    Description
    -----------
    A question and a schema; the policy writes one {name} query. It is run by a real engine in a
    cage on the database and on seeded variations of it, so that a query that is right by luck
    fails. In *single mode* the query is the only turn; in *tool mode* the policy may look at the
    database first (`schema`, `sample_values`, `explain`, `run`).

    Observation
    -----------
    Text: the prompt, then what each turn's tool calls answered: rows by the page, plans, or the
    engine's error. An observation has at most `max_observation` characters.

    Actions
    -------
    Text. The query in one ```{language} block (or in `<program>` or `<answer>` tags); in tool mode
    also `<tool_call>{{"name": ..., "arguments": {{...}}}}</tool_call>`.

    Rewards
    -------
    Any expression over the terms of family `{family}`, default `execution`. Truth
    (`info["success"]`): execution match, the same rows as the gold on every database, in any order
    of columns, in the order of rows only if that was asked for; nothing found is never right by
    itself. Without data: equality of the query graphs. Published metrics stand beside it.

    Termination
    -----------
    Terminated by a query, or when the engine gives up on one (`timeout`); truncated after
    `max_turns` turns.

    Arguments
    ---------
    source, split
        Where the questions come from (`graphenv.envs.queries.sources.SOURCES`) and which part.
    reward
        A reward expression.
    mode
        `single` or `tools`.
    max_turns
        Turn limit of tool mode (default 8; single mode has one turn).
    page_size
        Rows per page.
    show_schema
        Whether the prompt holds the schema; without it the tools tell, or the policy has to know it
        (one world: `worlds=1`), which makes prompts short.
    work, seconds
        What one query may cost: the engine's own count (SQLite: thousands of instructions of its
        machine are a few milliseconds), and seconds by the clock as the outer guard.
    workers
        Engine processes per database.
    instructions
        How much the prompt explains: `full`, `short`, `none` (schema and question alone).
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
    >>> env = gym.make("graphenv/{id}-v0")
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, truncated, info = env.step("I do not know.")
    >>> reward, terminated, info["status"]
    (0.0, True, 'malformed')
    """


class Text2SQLEnv(_QueryEnv):
    __doc__ = "Translate questions into SQL queries.\n" + _DOCS.format(
        name="SQL", language="sql", family="text2sql", id="Text2SQL"
    )

    family: ClassVar[str] = "text2sql"
    language: ClassVar[Language] = "sql"

    def __init__(self, *, env_id: str = "graphenv/Text2SQL-v0", **kwargs: Any) -> None:
        super().__init__(env_id=env_id, **kwargs)


class Text2CypherEnv(_QueryEnv):
    __doc__ = "Translate questions into Cypher queries.\n" + _DOCS.format(
        name="Cypher", language="cypher", family="text2cypher", id="Text2Cypher"
    )

    family: ClassVar[str] = "text2cypher"
    language: ClassVar[Language] = "cypher"

    def __init__(self, *, env_id: str = "graphenv/Text2Cypher-v0", **kwargs: Any) -> None:
        super().__init__(env_id=env_id, **kwargs)
