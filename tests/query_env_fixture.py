"""A hand-made cinema in three variations, and questions to it with gold in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import pytest

from graphenv import envs
from graphenv.envs.cache import cached
from graphenv.envs.queries.engines.protocol import Database
from graphenv.envs.queries.env import Text2CypherEnv, Text2SQLEnv
from graphenv.envs.queries.files.contents import Contents
from graphenv.envs.queries.files.ladybug import write_ladybug
from graphenv.envs.queries.files.sqlite import contents_digest, write_sqlite
from graphenv.envs.queries.sources import LANGUAGES, SOURCES
from graphenv.envs.queries.sources.base import QuerySource
from graphenv.episode import Episode
from graphenv.query.model import Language
from graphenv.query.schema import EntityType, Property, RelationType, Schema
from graphenv.task import Target, Task
from graphenv.text import format_call

QueryEnv = Text2SQLEnv | Text2CypherEnv

ID, NAME = Property("id", "integer"), Property("name")
_FILM = (ID, Property("title"), Property("year", "integer"))
_MADE = RelationType("MADE", "Person", "Film", (Property("share", "real"),))
GRAPH = Schema(
    "cinema", (EntityType("Person", (ID, NAME), ("id",)), EntityType("Film", _FILM, ("id",))),
    (_MADE,),
)  # fmt: skip
TABLES = Schema(
    "cinema",
    (*GRAPH.entities, EntityType("made", (Property("share", "real"),), ())),
    (
        RelationType("MADE", "Person", "Film", (Property("share", "real"),),
                     (("made.person_id", "Person.id"), ("made.film_id", "Film.id")), "made"),
    ),
)  # fmt: skip
_STORED = Schema("cinema", GRAPH.entities, TABLES.relations)

FILMS, AFTER, BY_YEAR, PAIRS, OLDEST, NOWHERE, ELSEWHERE, PEOPLE = range(8)
QUESTIONS: dict[int, dict[str, Any]] = dict(
    enumerate(
        [
            {
                "question": "How many films are there?",
                "sql": "SELECT count(*) AS canary FROM Film",
                "cypher": "MATCH (canary:Film) RETURN count(canary)",
            },
            {
                "question": "Which films were made after 1990?",
                "sql": "SELECT title FROM Film WHERE year > 1990",
                "cypher": "MATCH (f:Film) WHERE f.year > 1990 RETURN f.title",
            },
            {
                "question": "List the films by year.",
                "sql": "SELECT title FROM Film ORDER BY year, title",
                "cypher": "MATCH (f:Film) RETURN f.title ORDER BY f.year, f.title",
                "ordered": True,
            },
            {
                "question": "Which films have which year?",
                "sql": "SELECT title, year FROM Film",
                "cypher": "MATCH (f:Film) RETURN f.title, f.year",
            },
            {
                "question": "Name one of the two oldest films.",
                "sql": "SELECT title FROM Film WHERE id = 1",
                "cypher": "MATCH (f:Film) WHERE f.id = 1 RETURN f.title",
                "accept": {
                    "sql": ["SELECT title FROM Film WHERE id = 2"],
                    "cypher": ["MATCH (f:Film) WHERE f.id = 2 RETURN f.title"],
                },
            },
            {
                "question": "Which films did Zoe make?",
                "sql": "SELECT title FROM Film WHERE year < 1900",
                "cypher": "MATCH (f:Film) WHERE f.year < 1900 RETURN f.title",
            },
            {
                "question": "Which films were made after 2020?",
                "sql": "SELECT title FROM Film WHERE year > 2020",
                "cypher": "MATCH (f:Film) WHERE f.year > 2020 RETURN f.title",
            },
            {
                "question": "Who is there?",
                "sql": "SELECT name FROM Person",
                "cypher": "MATCH (p:Person) RETURN p.name",
            },
        ]
    )
)


def contents(variation: int) -> Contents:
    """Return the cinema: 4 films, or 5 and 6 in the variations; 25 people."""
    films = [(1, "Alien", 1979), (2, "Mad Max", 1979), (3, "Heat", 1995), (4, 'The "X"', 2001)]
    films += [(5, "Dune", 2021), (6, "Tenet", 2022)][:variation]
    people = [(i, f"Person {i:02}") for i in range(1, 26)]
    links = [(1 + i % 7, 1 + i % len(films), 0.25 * (1 + i % 3)) for i in range(12)]
    return Contents(
        _STORED, {"Film": tuple(films), "Person": tuple(people)}, {"MADE": tuple(links)}
    )


@lru_cache(maxsize=2)
def databases(language: Language) -> tuple[Database, ...]:
    made = []
    for variation in range(3):
        found = contents(variation)
        digest = contents_digest(found)
        if language == "sql":
            path = cached(f"cinema_{variation}.sqlite", digest, partial(write_sqlite, found))
            made.append(Database("sqlite", str(path), digest))
        else:
            graph = Contents(GRAPH, found.entities, found.links)
            path = cached(f"cinema_{variation}.ladybug", digest, partial(write_ladybug, graph))
            made.append(Database("ladybug", str(path), digest))
    return tuple(made)


class FixtureQueries(QuerySource):
    """`QUESTIONS` as a source; with `data=False` there is nothing to run them on."""

    def __init__(self, language: Language, split: str, *, data: bool = True) -> None:
        super().__init__(language, split)
        self.data = data

    @property
    def fingerprint(self) -> str:
        return f"cinema/{self.language}/{self.data}"

    @property
    def executes(self) -> bool:
        return self.data

    def __len__(self) -> int:
        return len(QUESTIONS)

    def __getitem__(self, index: int) -> Task:
        row = QUESTIONS[index]
        return Task(
            id=f"cinema/{index}",
            index=index,
            messages=({"role": "user", "content": row["question"]},),
            target=Target(program=row[self.language]),
            meta={
                "database": "cinema",
                "ordered": row.get("ordered", False),
                "accept": row.get("accept", {}).get(self.language, []),
                "note": "canary",
            },
        )

    def schema(self, index: int) -> Schema:
        return TABLES if self.language == "sql" else GRAPH

    def databases(self, index: int) -> tuple[Database, ...]:
        return databases(self.language) if self.data else ()


@contextmanager
def cinema_source() -> Iterator[None]:
    """Make `source="cinema"` known for a while."""
    known = "cinema" in SOURCES
    SOURCES["cinema"] = "query_env_fixture:FixtureQueries"
    LANGUAGES["cinema"] = ("sql", "cypher")
    try:
        yield
    finally:
        if not known:
            del SOURCES["cinema"], LANGUAGES["cinema"]


def make_env(language: Language, **kwargs: Any) -> Any:
    """Return an environment over the cinema."""
    with cinema_source():
        return envs.make(f"text2{language}", **{"source": "cinema", **kwargs})


def block(query: str, language: Language = "sql") -> str:
    """Return a query as the prompt asks for it."""
    return f"```{language}\n{query}\n```"


BOTH = pytest.mark.parametrize("language", ["sql", "cypher"])


@pytest.fixture(autouse=True)
def known_source() -> Iterator[None]:
    """Know `source="cinema"` in every test of a module that has this under its own name."""
    with cinema_source():
        yield


@lru_cache(maxsize=16)
def env_with(language: Language = "sql", **kwargs: Any) -> Any:
    return make_env(language, **kwargs)


def gold(index: int, language: Language = "sql") -> str:
    return str(QUESTIONS[index][language])


def asked(query: str, index: int = FILMS, language: Language = "sql", **kwargs: Any) -> Episode:
    """Return the episode that answers with a query, and nothing before it."""
    episode: Episode = env_with(language, **kwargs).play(index, [block(query, language)])
    return episode


def said(*turns: str, language: Language = "sql", **kwargs: Any) -> str:
    """Return the last observation after some turns in tool mode."""
    episode: Episode = env_with(language, mode="tools", **kwargs).play(AFTER, turns)
    return episode.steps[-1].observation


def run(query: str, **more: Any) -> str:
    return format_call("run", query=query, **more)
