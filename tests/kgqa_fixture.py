"""A hand-made world with a question for every corner of the conformance table."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from unittest.mock import patch

from graphenv import envs
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa import SOURCES
from graphenv.envs.kgqa.sources import KGQASource, question_task
from graphenv.knowledge import KnowledgeGraph, TripleStore
from graphenv.task import Task
from graphenv.text import format_answer, format_call

FILLERS = 1_100

TRIPLES = [
    ("Heat", "directed_by", "Michael Mann"),
    ("Thief", "directed_by", "Michael Mann"),
    ("Heat", "written_by", "Michael Mann"),  # a second edge between the same two
    ("Heat", "has_genre", "Crime"),
    ("Heat", "has_genre", "Drama"),
    ("Thief", "has_genre", "Crime"),
    ("Heat", "release_year", "1995"),
    ("Thief", "release_year", "1981"),
    ("Alien", "directed_by", "Ridley Scott"),
    ("Alien", "has_genre", "Horror"),
    ("Aliens", "directed_by", "James Cameron"),
    ("Aliens", "has_genre", "Horror"),
    ("No", "in_language", "Spanish"),
    ("Know", "in_language", "English"),
    ("Amélie", "directed_by", "Jean-Pierre Jeunet"),
    ("Ouroboros", "remake_of", "Ouroboros"),  # a self-loop
    *((f"Filler {i}", "has_genre", "Filler genre") for i in range(FILLERS)),
]

QUESTIONS: list[dict[str, Any]] = [
    {
        "question": "what genres do the films directed by [Michael Mann] have",
        "topics": ["Michael Mann"],
        "answers": ["Crime", "Drama"],
        "path": ["^directed_by", "has_genre"],
    },
    {
        "question": "which film is in [Spanish]",
        "topics": ["Spanish"],
        "answers": ["No"],
        "path": ["^in_language"],
    },
    {
        "question": "which film was directed by [Jean-Pierre Jeunet]",
        "topics": ["Jean-Pierre Jeunet"],
        "answers": ["Amélie"],
        "path": ["^directed_by"],
    },
    {
        "question": "what is [Ouroboros] a remake of",
        "topics": ["Ouroboros"],
        "answers": ["Ouroboros"],
        "path": ["remake_of"],
    },
    {
        "question": "which films of [Ridley Scott] have no genre",
        "topics": ["Ridley Scott"],
        "answers": [],
        "path": None,
    },
]
GENRES, SPANISH, AMELIE, OUROBOROS, EMPTY = range(5)


@lru_cache(maxsize=1)
def world() -> KnowledgeGraph:
    return KnowledgeGraph.from_triples(TRIPLES)


class FixtureSource(KGQASource):
    """The questions above; every split holds all of them."""

    features = frozenset({"branch", "filter", "count"})

    def __init__(self, *, split: str) -> None:
        super().__init__(split)

    @property
    def fingerprint(self) -> str:
        return f"fixture/{self.split}/{world().fingerprint}"

    def __len__(self) -> int:
        return len(QUESTIONS)

    def __getitem__(self, index: int) -> Task:
        row = QUESTIONS[index]
        hops = len(row["path"]) if row["path"] else 2
        return question_task(id=f"fixture/{index}", index=index, hops=hops, **row)

    def world(self, index: int) -> TripleStore:
        return world()


def fixture_source() -> Any:
    """Make `source="fixture"` known for a while."""
    return patch.dict(SOURCES, fixture="kgqa_fixture:FixtureSource")


def make_env(**kwargs: Any) -> GraphEnv:
    """Return a KGQA environment over the hand-made world."""
    with fixture_source():
        return envs.make("kgqa", source="fixture", **kwargs)


def follow(*moves: str) -> list[str]:
    """Return one turn per move."""
    return [format_call("follow", relation=move) for move in moves]


def answer(*items: str) -> str:
    return format_answer(items)


def walk_to_gold(index: int) -> list[str]:
    """Return the turns that walk the gold path of a question, without the answer."""
    return follow(*QUESTIONS[index]["path"])


def constant_half(_episode: Any) -> float:
    return 0.5


def crashing(_episode: Any) -> float:
    raise ZeroDivisionError("the verifier is broken")


def out_of_range(_episode: Any) -> float:
    return 1.5
