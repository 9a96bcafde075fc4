"""The embedded documents: a reader that knows the wording finds exactly the gold in the text."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv.corpus import Corpus
from graphenv.envs.construction.sources.synthetic import SyntheticDocuments
from graphenv.envs.construction.sources.synthetic.distractors import (
    DENIALS,
    OTHER_TIES,
    SMALL_TALK,
)
from graphenv.envs.construction.sources.synthetic.mentions import INTRODUCTIONS, NOUNS
from graphenv.envs.construction.sources.synthetic.source import SIZES
from graphenv.envs.construction.sources.synthetic.wording import WORDINGS, fill
from graphenv.envs.kgqa.sources.synthetic.schema import RELATIONS
from graphenv.errors import ConfigError
from graphenv.graph import Triple
from graphenv.task import SPLITS, Task
from graphenv.text import normalize

HARD: dict[str, Any] = {"documents": 4, "facts": 6, "distractors": 2, "hops": [2, 3]}


@lru_cache(maxsize=64)
def source(split: str = "train", **kwargs: Any) -> SyntheticDocuments:
    return SyntheticDocuments(split=split, **kwargs)


def tasks(split: str, count: int, **kwargs: Any) -> list[Task]:
    made = SyntheticDocuments(split=split, **kwargs)
    return [made[i] for i in range(0, len(made), len(made) // count)][:count]


def corpus_of(task: Task) -> Corpus:
    assert task.target.corpus is not None
    return task.target.corpus


def gold_of(task: Task) -> set[Triple]:
    assert task.target.graph is not None
    return set(task.target.graph.triples)


def folded(triples: Any) -> set[Triple]:
    return {(normalize(head), relation, normalize(tail)) for head, relation, tail in triples}


# -- a reader that knows the wording --------------------------------------------------------------


def pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(h|t|name|alias|fact|s|o)\}", text)
    source = "".join(
        f"(?P<{part}>.+)" if at % 2 else re.escape(part) for at, part in enumerate(parts)
    )
    return re.compile(source, re.IGNORECASE)


def longest_literal(text: str) -> str:
    return max(re.split(r"\{[ht]\}", text), key=len).lower()


FACTS = [
    (longest_literal(text), pattern(text), relation, len(text))
    for (relation, _), texts in WORDINGS.items()
    for text in texts
]
FRAMES = [pattern(text) for text in DENIALS]
INTRODUCED = [pattern(text) for texts in INTRODUCTIONS.values() for text in texts]
STAND_INS = ("He", "She", "It", *(f"The {noun}" for noun in NOUNS.values() if noun))


def parse(sentence: str) -> Triple | None:
    """Return what a sentence states: of several readings the one with most words of its own."""
    if any(frame.fullmatch(sentence) for frame in FRAMES):
        return None
    lower = sentence.lower()
    found = [(size, p.fullmatch(sentence), r) for own, p, r, size in FACTS if own in lower]
    readings = sorted(((s, r, m) for s, m, r in found if m), key=lambda row: -row[0])
    if not readings:
        return None
    size, relation, match = readings[0]
    assert len(readings) == 1 or readings[1][0] < size, f"two readings: {sentence}"
    return match["h"], relation, match["t"]


def read(corpus: Corpus) -> set[Triple]:
    """Return what documents state, from their texts and titles alone."""
    names: dict[str, str] = {}
    raw: list[Triple] = []
    for passage in corpus.passages:
        # A full stop behind a single capital letter belongs to a name.
        for at, sentence in enumerate(re.split(r"(?<!\b[A-Z])\.(?: |$)", passage.text)[:-1]):
            text = sentence
            for opening in INTRODUCED if at == 0 else ():
                found = re.match(f"{opening.pattern.replace('.+', '.+?')} (.*)", text, re.I)
                if found and found["name"] == passage.title:
                    names[normalize(found["alias"])] = passage.title
                    text = f"{passage.title} {found[3]}"
            for word in () if any(f.fullmatch(text) for f in FRAMES) else STAND_INS:
                if text.startswith(f"{word} "):
                    text = f"{passage.title}{text[len(word) :]}"
            triple = parse(text)
            if triple is not None:
                raw.append(triple)
    return {
        (names.get(normalize(head), head), relation, names.get(normalize(tail), tail))
        for head, relation, tail in raw
    }


@pytest.mark.parametrize(
    ("split", "kwargs"),
    [
        ("train", {}),
        ("train", HARD),
        ("train", {"aliases": False, "coreference": False, "distractors": 0}),
        ("validation", {"documents": 6, "facts": 8, "distractors": 4}),
        ("heldout", HARD),
        ("heldout", {"paraphrases": "unseen"}),
    ],
)
def test_a_reader_that_knows_the_wording_finds_exactly_the_gold(
    split: str, kwargs: dict[str, Any]
) -> None:
    for task in tasks(split, 30, **kwargs):
        assert folded(read(corpus_of(task))) == folded(gold_of(task)), task.prompt


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 49_999), st.integers(2, 6), st.integers(1, 12), st.integers(0, 4),
    st.booleans(), st.booleans(),
)  # fmt: skip
def test_any_difficulty(
    index: int, documents: int, facts: int, more: int, aliases: bool, coreference: bool
) -> None:
    made = source(
        documents=documents, facts=facts, distractors=more, aliases=aliases,
        coreference=coreference,
    )  # fmt: skip
    task = made[index]
    corpus = corpus_of(task)
    assert len(corpus.passages) == documents + more
    assert folded(read(corpus)) == folded(gold_of(task)), task.prompt
    assert bool(corpus.aliases) <= aliases
    check_questions(task)


# -- gold -----------------------------------------------------------------------------------------


def test_every_name_of_the_gold_or_an_alias_stands_in_a_text_with_a_wording_of_its_relation():
    for task in tasks("heldout", 40, **HARD):
        corpus = corpus_of(task)
        texts = [f" {re.sub('[.,()]', ' ', normalize(p.text))} " for p in corpus.passages]
        groups = {names[0]: names for names in corpus.aliases}
        for head, relation, tail in gold_of(task):
            ends = [[normalize(n) for n in groups.get(name, (name,))] for name in (head, tail)]
            # One document names both, by name, alias or, its own entity, by a pronoun.
            assert any(
                all(
                    normalize(passage.title) in end
                    or any(f" {re.sub('[.,()]', ' ', name)} " in text for name in end)
                    for end in ends
                )
                for passage, text in zip(corpus.passages, texts, strict=True)
            ), (head, relation, tail, task.prompt)
            assert relation in task.meta["relations"]


def test_an_alias_is_brought_in_by_a_text_and_means_one_entity():
    seen = 0
    for task in tasks("train", 40, **HARD):
        corpus = corpus_of(task)
        titles = {passage.title for passage in corpus.passages}
        everything = [normalize(name) for names in corpus.aliases for name in names]
        assert len(set(everything)) == len(everything)
        for name, alias, *_ in corpus.aliases:
            seen += 1
            assert name in titles
            text = next(p.text for p in corpus.passages if p.title == name)
            assert text.startswith(name)
            assert alias in text[: len(name) + len(alias) + 40]
            for other in titles - {name}:
                assert f" {normalize(alias)} " not in f" {normalize(other)} "
    assert seen > 40


def test_what_is_denied_or_only_tied_is_no_gold():
    denied = tied = 0
    for task in tasks("train", 60, documents=3, distractors=3):
        gold = folded(gold_of(task))
        for passage in corpus_of(task).passages:
            for sentence in re.split(r"(?<!\b[A-Z])\.(?: |$)", passage.text):
                for frame in FRAMES:
                    found = frame.fullmatch(sentence)
                    if found:
                        fact = parse(found["fact"])
                        assert fact is not None
                        assert not folded([fact]) & gold, sentence
                        denied += 1
                tied += any(pattern(text).fullmatch(sentence) for text in OTHER_TIES)
    assert denied > 30 and tied > 30


def test_no_pronoun_and_no_alias_where_they_are_switched_off():
    nouns = "|".join(noun for noun in NOUNS.values() if noun)
    words = re.compile(rf"(?:^|\. )(?:He|She|It(?! is not true)|The (?:{nouns})) ")
    on = off = 0
    for index in range(0, 1_500, 30):
        on += bool(words.search(source()[index].prompt))
        plain = source(aliases=False, coreference=False)[index]
        off += bool(words.search(plain.prompt))
        assert not corpus_of(plain).aliases
    assert on > 30 and off == 0


# -- questions ------------------------------------------------------------------------------------


def follow(triples: set[Triple], topic: str, path: tuple[str, ...]) -> set[str]:
    here = {topic}
    for move in path:
        relation = move.removeprefix("^")
        steps = [(t, h) if move.startswith("^") else (h, t) for h, r, t in triples if r == relation]
        here = {there for start, there in steps if start in here}
    return here


def check_questions(task: Task) -> None:
    corpus, gold = corpus_of(task), gold_of(task)
    assert 1 <= len(corpus.questions) <= 3
    assert len({question.text for question in corpus.questions}) == len(corpus.questions)
    # Which document states what, by the reader: one document at a time, aliases known.
    names = {normalize(name): group[0] for group in corpus.aliases for name in group}
    graph = {normalize(name): name for h, _, t in gold for name in (h, t)}

    def own(name: str) -> str:
        known = names.get(normalize(name), name)
        return graph.get(normalize(known), known)

    parts = [
        {(own(h), r, own(t)) for h, r, t in read(Corpus((passage,), aliases=corpus.aliases))}
        for passage in corpus.passages
    ]
    by_title = dict(zip((p.title for p in corpus.passages), parts, strict=True))
    for question in corpus.questions:
        (topic,) = question.topics
        assert topic in question.text
        assert follow(gold, topic, question.path) == set(question.answers)
        assert 1 <= len(question.answers) <= 8 and topic not in question.answers
        assert len(set(question.supporting)) >= 2
        for part in parts:
            assert not follow(part, topic, question.path), task.prompt
        support = set().union(*(by_title[title] for title in question.supporting))
        assert follow(support, topic, question.path) == set(question.answers)
        for title in question.supporting:  # each of them is needed for some answer
            less = set().union(*(by_title[t] for t in question.supporting if t != title))
            assert follow(less, topic, question.path) < set(question.answers) or any(
                follow(less, topic, question.path[:n]) < follow(support, topic, question.path[:n])
                for n in range(1, len(question.path))
            )


@pytest.mark.parametrize("split", SPLITS)
def test_questions_have_the_answers_that_their_path_leads_to_and_need_several_documents(split: str):
    lengths = set()
    for task in tasks(split, 40, documents=3, hops=[2, 3]):
        check_questions(task)
        lengths.add(len(corpus_of(task).questions[0].path))
        assert lengths <= {2, 3} and task.meta["hops"] == len(corpus_of(task).questions[0].path)
    assert lengths == {2, 3}


# -- tasks ----------------------------------------------------------------------------------------


def test_texts_are_distinct_and_splits_share_none():
    seen: set[str] = set()
    count = 0
    for split in SPLITS:
        made = source(split)
        assert len(made) == SIZES[split]
        for index in range(0, len(made), len(made) // 100):
            seen.add(hashlib.sha256(made[index].prompt.encode()).hexdigest())
            count += 1
    assert len(seen) == count >= 300


def test_splits_share_no_person_and_no_document():
    names = []
    for split in SPLITS:
        made = source(split)
        titles = {p.title for i in range(60) for p in corpus_of(made[i]).passages}
        names.append({title for title in titles if len(title.split()) > 1})
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert len(names[a] & names[b]) <= 0.02 * min(map(len, names))


@pytest.mark.soak
@pytest.mark.parametrize("split", SPLITS)
def test_all_tasks(split: str):
    made = source(split)
    seen = set()
    for index in range(len(made)):
        task = made[index]
        seen.add(hashlib.sha256(task.prompt.encode()).digest())
        if index % 5 == 0:
            assert folded(read(corpus_of(task))) == folded(gold_of(task)), task.prompt
            check_questions(task)
    assert len(seen) == len(made)


def digest() -> str:
    text = []
    for split in SPLITS:
        made = SyntheticDocuments(split=split, hops=[2, 3], documents=3)
        for index in (0, 17, 4_999):
            task = made[index]
            text.append(repr((task.prompt, task.target, task.meta)))
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def test_tasks_are_the_same_in_every_process_order_and_after_pickling():
    code = "import test_construction_synthetic as t; print(t.digest())"
    env = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": os.path.dirname(__file__)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == digest()
    made = source(**{**HARD, "hops": 3})
    again = pickle.loads(pickle.dumps(made))
    assert again.fingerprint == made.fingerprint
    assert [made[i] for i in (5, 3, 5)] == [again[i] for i in (5, 3, 5)]


def test_fingerprints_tell_sources_apart():
    kinds = [source(), source("heldout"), source(seed=1), source(facts=5), source(aliases=False)]
    assert len({made.fingerprint for made in kinds}) == len(kinds)


def test_held_out_wordings_stay_out_of_training():
    held = [(pattern(text), len(text)) for (_, kind), texts in WORDINGS.items()
            for text in texts if kind == "unseen"]  # fmt: skip

    def uses(task: Task) -> bool:
        sentences = [
            sentence
            for passage in corpus_of(task).passages
            for sentence in re.split(r"(?<!\b[A-Z])\.(?: |$)", passage.text)
        ]
        for sentence in sentences:
            longest = max((s for _, p, _, s in FACTS if p.fullmatch(sentence)), default=0)
            if any(size == longest and p.fullmatch(sentence) for p, size in held):
                return True
        return False

    plain: dict[str, Any] = {"aliases": False, "distractors": 0}
    assert not any(map(uses, tasks("train", 25, **plain)))
    assert all(map(uses, tasks("heldout", 25, paraphrases="unseen", **plain)))
    assert not any(map(uses, tasks("heldout", 25, paraphrases="seen", **plain)))
    both = {task.meta["wording"] for task in tasks("heldout", 25, **plain)}
    assert both == {"seen", "unseen"}


def test_a_task_is_json_and_its_prompt_holds_no_gold():
    for task in tasks("train", 20, **HARD):
        json.dumps(dict(task.meta))
        assert "directed_by" not in task.prompt and "born_in" not in task.prompt
        assert not any(question.text in task.prompt for question in corpus_of(task).questions)
        assert set(task.meta["relations"]) == {relation.name for relation in RELATIONS[:36]}


# -- the tables -----------------------------------------------------------------------------------


def test_every_relation_has_five_wordings_and_two_held_out_ones_from_both_ends():
    covered = {relation for relation, _ in WORDINGS}
    assert covered == {relation.name for relation in RELATIONS[:36]}
    everything = [text for texts in WORDINGS.values() for text in texts]
    assert len(set(everything)) == len(everything)
    for relation in RELATIONS[:36]:
        for kind, least in (("seen", 5), ("unseen", 2)):
            texts = WORDINGS[relation.name, kind]
            assert len(texts) >= least
            assert all(text.count("{h}") == text.count("{t}") == 1 for text in texts)
            # "The band heard on ..." would look like a pronoun.
            stand_ins = tuple(f"{word.lower()} " for word in STAND_INS)
            assert not any(text.startswith(stand_ins) for text in texts)
            assert any(text.startswith("{h}") for text in texts)
            assert relation.numeric or any(text.startswith("{t}") for text in texts)


def test_no_wording_reads_as_another_relation_and_no_small_talk_as_a_fact():
    for (relation, _), texts in WORDINGS.items():
        for text in texts:
            assert parse(fill(text, "Ada", "Bob")) == ("Ada", relation, "Bob")
    for texts in (*SMALL_TALK.values(), OTHER_TIES):
        for text in texts:
            assert parse(text.replace("{s}", "Ada").replace("{o}", "Bob")) is None, text


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"documents": 1}, "documents=1 must be a whole number from 2 to 6"),
        ({"documents": 2, "hops": 3}, "set documents to the largest of hops"),
        ({"facts": 0}, "facts=0"),
        ({"distractors": 9}, "distractors=9"),
        ({"hops": 1}, "hops=1 must be 2, 3"),
        ({"hops": []}, r"hops=\[\]"),
        ({"aliases": "yes"}, "aliases='yes' must be true or false"),
        ({"relations": 40}, "relations=40 must be a whole number from 8 to 36"),
        ({"paraphrases": "unseen"}, "split='heldout' only"),
        ({"paraphrases": "other"}, "is not one of split, seen, unseen"),
        ({"entities": 300, "worlds": 1}, "Set tasks="),
        ({"split": "test"}, "is not a split"),
    ],
)
def test_bad_arguments_say_what_to_do(kwargs: dict[str, Any], reason: str):
    with pytest.raises(ConfigError, match=reason):
        SyntheticDocuments(**{"split": "train", **kwargs})


def test_an_index_outside_is_refused():
    with pytest.raises(IndexError, match="outside the 5000 tasks"):
        source("heldout")[5_000]


@pytest.mark.parametrize("relations", [8, 20])
def test_small_worlds_work(relations: int):
    made = SyntheticDocuments(split="train", entities=600, relations=relations, worlds=2, tasks=50)
    for index in range(50):
        assert folded(read(corpus_of(made[index]))) == folded(gold_of(made[index]))
