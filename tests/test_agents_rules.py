"""The rule-based agent: what its patterns read, on any text, with nothing to download."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import agents, envs
from graphenv.agents.base import task_indices
from graphenv.errors import ConfigError

pytest.importorskip("textblob")

from graphenv.agents.rules.captions import caption_facts
from graphenv.agents.rules.documents import document_triples
from graphenv.agents.rules.tags import MAX_TEXT, base_form, sentences

CAPTIONS: list[tuple[str, list[tuple[str, ...]]]] = [
    ("mirror is leaning against the wall", [("mirror", "lean against", "wall")]),
    ("two people walking down a sidewalk",
     [("people", "is", "2"), ("people", "walk down", "sidewalk")]),
    ("the tie is on the shirt .", [("tie", "on", "shirt")]),
    ("a boy is wearing a green and white shirt .",
     [("shirt", "is", "green"), ("shirt", "is", "white"), ("boy", "wear", "shirt")]),
    ("the brown mouth of a giraffe", [("mouth", "is", "brown"), ("giraffe", "have", "mouth")]),
    ("a sailor carried by a tiny nurse", [("nurse", "is", "tiny"), ("nurse", "carry", "sailor")]),
    ("the scooter looks huge", [("scooter", "is", "huge")]),
    ("green tree next to the train", [("tree", "is", "green"), ("tree", "next to", "train")]),
    ("a man in a red shirt is riding a horse and a donkey",
     [("shirt", "is", "red"), ("man", "in", "shirt"), ("man", "ride", "horse"),
      ("man", "ride", "donkey")]),
    ("a small nurse", [("nurse", "is", "small")]),
    ("a dog", [("dog",)]),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("caption", "facts"), CAPTIONS)
def test_captions(caption: str, facts: list[tuple[str, ...]]):
    assert caption_facts(caption) == facts


@pytest.mark.parametrize(
    ("text", "title", "triple"),
    [
        ("Ida was directed by Tom Bell.", "Ida", ("Ida", "directed_by", "Tom Bell")),
        ("Tom Bell directed Ida.", "Ida", ("Ida", "directed_by", "Tom Bell")),
        ("The director of Ida was Tom Bell.", "Ida", ("Ida", "directed_by", "Tom Bell")),
        ("She studied at Mara College.", "Ada Roe", ("Ada Roe", "studied_at", "Mara College")),
        ("Mara is the birthplace of Ada Roe.", "Mara", ("Ada Roe", "birthPlace", "Mara")),
        ("Ada Roe was never directed by Tom Bell.", "Ada Roe", None),
        ("It is not true that Ida was directed by Tom Bell.", "Ida", None),
        ("Nothing of note.", "Ida", None),
    ],
)
def test_documents(text: str, title: str, triple: tuple[str, str, str] | None):
    relations = ["directed_by", "birthPlace", "studied_at", "population"]
    assert document_triples(text, title, relations) == ([triple] if triple else [])


def test_without_relations_to_choose_from_the_words_between_are_the_relation():
    assert document_triples("Ada Roe works for Mara Media.", "", []) == [
        ("Ada Roe", "work_for", "Mara Media")
    ]


def test_base_forms():
    forms = {"worn": "wear", "sits": "sit", "carries": "carry", "watching": "watch", "is": "be"}
    assert {word: base_form(word) for word in forms} == forms


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200) | st.text("ab AB.,'_/0-", max_size=80))
def test_no_text_breaks_it(text: str):
    for fact in caption_facts(text):
        assert len(fact) in (1, 3) and all(isinstance(part, str) and part for part in fact)
    for triple in document_triples(text, "T", ["directed_by"]):
        assert len(triple) == 3


def test_a_long_text_is_cut():
    assert sum(len(s) for s in sentences("dog " * MAX_TEXT)) <= MAX_TEXT / 4 + 1


@pytest.mark.parametrize(
    ("family", "kwargs"),
    [
        ("scene-graph", {}),
        ("scene-graph", {"answer": "triples"}),
        ("scene-graph", {"mode": "steps"}),
        ("scene-graph", {"instructions": "none"}),
        ("scene-graph", {"detected": True}),
        ("scene-graph", {"detected": True, "answer": "triples"}),
        ("kg-construction", {}),
        ("kg-construction", {"mode": "turns"}),
        ("kg-construction", {"show_relations": False}),
        ("kg-construction", {"instructions": "none"}),
    ],
)
def test_it_answers_in_every_mode_and_the_same_again(family: str, kwargs: dict[str, Any]):
    env = envs.make(family, **kwargs)
    episodes = agents.rollout_batch(env, agents.make("rules", env), range(4))
    assert {episode.status for episode in episodes} <= {"ok", "infeasible"}
    again = agents.rollout_batch(env, agents.make("rules", env), range(4), batch_size=2)
    texts = [
        [[step.text for step in episode.steps] for episode in run] for run in (episodes, again)
    ]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("family", ["scene-graph", "kg-construction"])
def test_it_is_a_floor_above_chance_and_below_gold(family: str):
    env = envs.make(family, split="validation")
    indices = task_indices(len(env.tasks), 40, "validation")
    truth = {}
    for name in ("random", "rules", "oracle"):
        episodes = agents.rollout_batch(env, agents.make(name, env), indices)
        truth[name] = sum(e.success or 0.0 for e in episodes) / len(episodes)
    assert truth["random"] + 0.1 < truth["rules"] < 0.9 < truth["oracle"] == 1.0


def test_another_family_is_refused():
    with pytest.raises(ConfigError, match="it plays scene-graph and kg-construction"):
        agents.make("rules", envs.make("kgqa"))


def test_without_textblob_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    from graphenv.agents.rules import tags

    env = envs.make("scene-graph")
    monkeypatch.setitem(sys.modules, "textblob.en", None)
    tags._parser.cache_clear()
    with pytest.raises(ConfigError, match=r"graphenv\[text\]"):
        agents.make("rules", env)
    tags._parser.cache_clear()


def test_it_needs_no_data_beside_its_package(tmp_path: Path):
    """An empty home, no folder of NLTK, and no way out: every connection is an error."""
    code = (
        "import socket, nltk\n"
        "def refuse(*args, **kwargs): raise OSError('no network')\n"
        "socket.socket.connect = refuse\n"
        "nltk.data.path.clear()\n"
        "from graphenv.agents.rules.captions import caption_facts\n"
        "print(caption_facts('a man riding a horse'))\n"
    )
    kept = {k: v for k, v in os.environ.items() if k not in ("NLTK_DATA", "APPDATA")}
    env = {**kept, "HOME": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[('man', 'ride', 'horse')]"
    assert not list(tmp_path.iterdir())
