"""How text-to-query is played: the gold query, nested mistakes in it, random queries."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np

from graphenv.agents.base import Agent
from graphenv.agents.families.base import Family, RandomTurns
from graphenv.envs.queries.session import PublicSchema
from graphenv.fences import fenced
from graphenv.query.schema import EntityType, RelationType, Schema
from graphenv.seeding import rng
from graphenv.text import format_call

__all__ = ["QueryFamily", "with_mistakes"]

_TOKEN = re.compile(
    r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"|`[^`]*`|\d+(?:\.\d+)?|\w+|\s+|.", re.S
)


class QueryFamily(Family):
    """One query in a fenced block; in tool mode it is run first."""

    def gold(self, index: int) -> list[str]:
        """Return the gold query; in tool mode with data, a look at what it gives before."""
        task = self.env.tasks[index]
        assert task.target.program is not None
        return self._turns(task.target.program)

    def planted(self, index: int, errors: int) -> list[str]:
        """Return the gold query with mistakes (see `with_mistakes`)."""
        session = self.env.begin(index)
        world: PublicSchema = session.world
        gold = session.task.target.program
        assert gold is not None
        return self._turns(with_mistakes(gold, world.schema, errors, session.task.id))

    def random(self, world: Any, seed: int, max_moves: int) -> Agent:
        """Return a policy that writes a random projection or count of one table or label."""
        return RandomTurns(seed, partial(self._drawn, world))

    def _drawn(self, world: PublicSchema, draw: np.random.Generator) -> list[str]:
        entities = [e for e in world.schema.entities if e.properties]
        entity = entities[int(draw.integers(len(entities)))]
        column = entity.properties[int(draw.integers(len(entity.properties)))].name
        counted = bool(draw.random() < 0.5)
        if world.language == "sql":
            what = "count(*)" if counted else _quoted(column, '"')
            query = f"SELECT {what} FROM {_quoted(entity.name, chr(34))}"
        else:
            what = "count(n)" if counted else f"n.{_quoted(column, '`')}"
            query = f"MATCH (n:{_quoted(entity.name, '`')}) RETURN {what}"
        return self._turns(query)

    def _turns(self, query: str) -> list[str]:
        text = fenced(query, str(getattr(self.env, "language", "")))
        return [format_call("run", query=query), text] if "run" in self.env.tools else [text]


def with_mistakes(query: str, schema: Schema, errors: int, name: str) -> str:
    """Return `query` with that many of its literals and names replaced by wrong ones.

    Texts go first, in an order that the task's `name` draws; then names of the schema, which become
    names that it does not have; numbers last, as several wrong ones can make a right query again.
    Where there are fewer, all are wrong. Mistakes are nested.

    >>> from graphenv.query.schema import EntityType, Property, Schema
    >>> schema = Schema("s", (EntityType("film", (Property("title"),)),))
    >>> with_mistakes("SELECT title FROM film WHERE title = 'Heat'", schema, 1, "t")
    "SELECT title FROM film WHERE title = 'Heat?'"
    """
    tokens = _TOKEN.findall(query)
    types: list[EntityType | RelationType] = [*schema.entities, *schema.relations]
    known = {item.name for item in types} | {p.name for item in types for p in item.properties}
    texts, names, numbers = [], [], []
    for at, token in enumerate(tokens):
        bare = token.strip("\"`'")
        if bare in known:
            names.append(at)
        elif token[0] in "'\"":
            texts.append(at)
        elif token[0].isdigit():
            numbers.append(at)
    draw = rng("planted queries", name)
    groups = (texts, names, numbers)
    order = [group[i] for group in groups for i in draw.permutation(len(group)).tolist()]
    for at in order[:errors]:
        token = tokens[at]
        if token[0] in "'\"`":
            tokens[at] = f"{token[:-1]}?{token[-1]}"
        else:
            tokens[at] = f"{token}77" if token[0].isdigit() else f"no_such_{token}_{at}"
    return "".join(tokens)


def _quoted(name: str, mark: str) -> str:
    return name if name.isidentifier() else mark + name.replace(mark, mark * 2) + mark
