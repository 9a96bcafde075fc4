"""`QuerySource`: questions with a schema, gold queries and (mostly) databases to run them on."""

from __future__ import annotations

from abc import abstractmethod

from graphenv.envs.queries.engines.protocol import Database, EngineName
from graphenv.envs.sources import Source
from graphenv.query.model import Language
from graphenv.query.schema import Schema

__all__ = ["QuerySource"]


class QuerySource(Source):
    """A sequence of tasks in one language.

    `source[i]` has the bare question as its one message, the gold query as `target.program`, and in
    `meta`: `database` (its name), `ordered` (whether the order of rows was asked for), difficulty
    attributes; further accepted gold as `meta["accept"]` (a list of queries whose result is also
    right, such as the un-limited form of a gold with ties).

    Parameters
    ----------
    language
        `sql` or `cypher`.
    split
        One of `graphenv.task.SPLITS`.
    """

    def __init__(self, language: Language, split: str) -> None:
        super().__init__(split)
        self.language = language

    @property
    def provides(self) -> frozenset[str]:
        """The facts about the target that its tasks carry."""
        facts = {"target.program", "target.query", "target.graph"}
        return frozenset(facts | {"target.results"} if self.executes else facts)

    @property
    def executes(self) -> bool:
        """Whether there are databases to run queries on."""
        return True

    @property
    def engine(self) -> EngineName:
        """The engine that runs its queries."""
        return "sqlite" if self.language == "sql" else "ladybug"

    @abstractmethod
    def schema(self, index: int) -> Schema:
        """Return the schema of the database that task `index` asks about."""

    @abstractmethod
    def databases(self, index: int) -> tuple[Database, ...]:
        """Return the database of task `index`, then seeded variations of it; () without data.

        Files are made on first use, in the cache folder.
        """
