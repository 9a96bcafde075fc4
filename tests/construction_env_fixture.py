"""Hand-made documents for the corners of graph construction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from graphenv import envs
from graphenv.corpus import CorpusQuestion, Passage
from graphenv.envs.base import GraphEnv
from graphenv.envs.construction import SOURCES
from graphenv.envs.construction.sources import DocumentSource, document_task
from graphenv.graph import Triple
from graphenv.task import Task

RELATIONS = ("directed_by", "release_year", "born_in", "located_in")
TASKS: list[dict[str, Any]] = [
    {
        "passages": [
            Passage("Heat", "Heat is a film of 1995. Michael Mann, the Captain, directed it."),
            Passage("Trains", "It is said that trains are late."),
            Passage("Michael Mann", "The Captain was born in Chicago, and Chicago is in the USA."),
        ],
        "triples": [
            ("Heat", "release_year", "1995"),
            ("Heat", "directed_by", "Michael Mann"),
            ("Michael Mann", "born_in", "Chicago"),
            ("Chicago", "located_in", "USA"),
        ],
        "aliases": [("Michael Mann", "The Captain")],
        "questions": [
            CorpusQuestion(
                "Where was the director of Heat born?",
                topics=("Heat",),
                path=("directed_by", "born_in"),
                answers=("Chicago",),
                supporting=("Heat", "Michael Mann"),
            )
        ],
    },
    {"passages": [Passage("", "It rained all day.")], "triples": []},
    {
        "passages": [Passage("Café", "The Café Zoë Brno is in Brno (Czech Republic).")],
        "triples": [("Café Zoë Brno", "located_in", "Brno (Czech Republic)")],
    },
    {
        "passages": [Passage("", "Ann directed Ann, was born in Ann and stars Ann.")],
        "triples": [("Ann", "directed_by", "Ann"), ("Ann", "born_in", "Ann")],
    },
]
FILMS, NOTHING, UNICODE, LOOPS = range(4)
GOLD: list[Triple] = TASKS[FILMS]["triples"]


class FixtureDocuments(DocumentSource):
    """The documents above; every split holds all of them."""

    def __init__(self, *, split: str) -> None:
        super().__init__(split)

    @property
    def fingerprint(self) -> str:
        return f"fixture/{self.split}"

    @property
    def provides(self) -> frozenset[str]:
        return super().provides | {"target.questions", "target.supporting"}

    def __len__(self) -> int:
        return len(TASKS)

    def __getitem__(self, index: int) -> Task:
        return document_task(
            id=f"fixture/{index}", index=index, relations=RELATIONS, **TASKS[index]
        )


def make_env(**kwargs: Any) -> GraphEnv:
    """Return an environment over the hand-made documents."""
    with patch.dict(SOURCES, fixture="construction_env_fixture:FixtureDocuments"):
        return envs.make("kg-construction", **{"source": "fixture", **kwargs})


def block(triples: Sequence[Sequence[Any]], mark: str = "json") -> str:
    """Return triples in a fenced block."""
    return f"```{mark}\n{json.dumps([list(triple) for triple in triples])}\n```"
