"""`graphenv/KGConstruction-v0`: what is read, said and right."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import Any

import construction_env_fixture as fx
import pytest
from construction_env_fixture import FILMS, GOLD, LOOPS, NOTHING, UNICODE, block
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import agents, envs
from graphenv.agents.families import family_of
from graphenv.agents.oracle import gold_turns, planted_turns
from graphenv.benchmarks.validate import validate
from graphenv.corpus import Corpus
from graphenv.envs.construction import SOURCES, KGConstructionEnv
from graphenv.envs.construction.reading import (
    MAX_NAME,
    MAX_TRIPLES,
    find_triples,
    read_triples,
    triples_json,
)
from graphenv.envs.construction.truths import construction_truth
from graphenv.envs.replay import replay
from graphenv.episode import Episode
from graphenv.errors import ConfigError, GraphEnvError, UnknownNameError
from graphenv.graph import Graph, Triple
from graphenv.text import format_call, parse_turn

BOTH = pytest.mark.parametrize("mode", ["single", "turns"])
ONE = [("Heat", "release_year", "1995")]
ROW = json.dumps(ONE)
OBJECT = '[{"head": "Heat", "relation": "release_year", "tail": "1995"}]'


def single(turn: str, index: int = FILMS, **kwargs: Any) -> Episode:
    return fx.make_env(**kwargs).play(index, [turn])


# -- reading --------------------------------------------------------------------------------------

READABLE = {
    "fenced": f"Here it is.\n```json\n{ROW}\n```",
    "tags": f"<answer>{ROW}</answer>",
    "fenced_in_tags": f"<answer>\n```json\n{ROW}\n```\n</answer>",
    "bare": f"  {ROW}\n",
    "objects": f"```json\n{OBJECT}\n```",
    "tags_go_before_blocks": f"```json\n[]\n```<answer>{ROW}</answer>",
}


@pytest.mark.parametrize("kind", READABLE)
def test_forms_of_one_answer(kind: str):
    assert find_triples(parse_turn(READABLE[kind])) == (tuple(ONE), "")


UNREADABLE = {
    "nothing": ("", "no ```json block"),
    "prose": ("Heat is of 1995.", "no ```json block"),
    "two_blocks": (f"```json\n{ROW}\n```\n```json\n{ROW}\n```", "2 fenced blocks"),
    "open_block": (f"```json\n{ROW}", "never closed"),
    "other_mark": (f"```sql\n{ROW}\n```", "'sql'; json is asked for"),
    "empty_answer": ("<answer></answer>", "empty"),
    "program": (f"<program>{ROW}</program>", "<program>"),
    "tool_call": (format_call("add", triple="x") + ROW, "no tools here"),
    "cut": ('[["Heat", "release_year"', "not valid JSON"),
    "single_quotes": ("[['Heat', 'release_year', '1995']]", "not valid JSON"),
    "trailing_text": (f"{ROW} and so on", "not valid JSON"),
    "nan": ('[["Heat", "release_year", NaN]]', "NaN is not a JSON value"),
    "object": (f'{{"triples": {ROW}}}', "the JSON is an object"),
    "flat": ('["Heat", "release_year", "1995"]', "triple 1: it is a string"),
    "pair": ('[["Heat", "1995"]]', "triple 1: it has 2 parts"),
    "four": ('[["Heat", "release_year", "1995", "x"]]', "it has 4 parts"),
    "number": ('[["Heat", "release_year", 1995]]', "the tail is a number"),
    "truth_value": ('[["Heat", true, "1995"]]', "the relation is a truth value"),
    "null": ('[[null, "release_year", "1995"]]', "the head is null"),
    "list_name": ('[[["Heat"], "release_year", "1995"]]', "the head is a list"),
    "object_name": ('[[{}, "release_year", "1995"]]', "the head is an object"),
    "empty_name": ('[["", "release_year", "1995"]]', "the head is empty"),
    "blank_name": ('[["Heat", " ", "1995"]]', "the relation is empty"),
    "underscores": ('[["Heat", "release_year", "_ _"]]', "the tail is empty"),
    "missing_key": ('[{"head": "a", "tail": "b"}]', "the keys are head, tail"),
    "other_key": ('[{"head": "a", "relation": "r", "tail": "b", "p": 1}]', "p, relation"),
    "second": ('[["a", "r", "b"], 3]', "triple 2: it is a number"),
    "long_name": (json.dumps([["a" * 401, "r", "b"]]), "401 characters; at most 400"),
    "too_many": (json.dumps([["a", "r", "b"]] * 2001), "2001 triples; at most 2000"),
    "deep": ("[" * 50_000 + "]" * 50_000, "deeper"),
    "deep_name": ('[["a", "r", ' + "[" * 30 + "]" * 30 + "]]", "the tail is a list"),
    "huge": ("[" + " " * 300_000 + "]", "longer than"),
    "code": ("__import__('os').getcwd()", "no ```json block"),
}


@BOTH
@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_says_why_and_earns_nothing(kind: str, mode: str):
    turn, reason = UNREADABLE[kind]
    env = fx.make_env(mode=mode, reward="triple_f1 + format")
    episode = env.play(FILMS, [turn] * env.max_turns)
    step = episode.steps[0]
    assert step.status == "malformed" and reason in step.reason and len(step.reason) < 300
    assert episode.status == ("malformed" if mode == "single" else "truncated")
    assert (episode.success, env.reward([episode])[0].value) == (0.0, 0.0)
    assert episode.outcome is not None and episode.outcome.graph is None
    if mode == "turns":
        assert reason in step.observation and "Write a JSON list" in step.observation


NAMES = st.text(min_size=1, max_size=12).filter(lambda name: bool(name.replace("_", " ").strip()))
TRIPLES = st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=6)


@given(TRIPLES)
def test_what_is_written_is_read(triples: list[Triple]):
    clean = [tuple(name.encode("utf-8", "replace").decode() for name in t) for t in triples]
    assert read_triples(triples_json(clean)) == (tuple(clean), "")  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
)


@given(st.text() | JSON.map(json.dumps))
def test_any_text_is_triples_or_a_reason(text: str):
    triples, reason = read_triples(text)
    assert (triples is None) == bool(reason)
    for triple in triples or ():
        assert len(triple) == 3 and all(isinstance(n, str) and n.strip() for n in triple)


@BOTH
@pytest.mark.parametrize(
    "piece", ['["a","r","b"],', "[", "```json\n", "```", "_", "<answer>", '{"head":', "\u0301"]
)
def test_work_is_linear_in_the_text(piece: str, mode: str):
    env = fx.make_env(mode=mode)

    def calls(text: str) -> int:
        session, count = env.begin(FILMS), 0

        def profile(_frame: Any, event: str, _arg: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(profile)
        try:
            session.turn(text)
        finally:
            sys.setprofile(None)
        return count

    calls(piece)
    short, long = (calls(f"[{piece * n}]") for n in (400, 1_600))
    assert long <= 5 * short + 2_000


# -- what is said ---------------------------------------------------------------------------------


def test_a_single_answer_ends_the_episode():
    env = fx.make_env()
    episode = env.play(FILMS, gold_turns(env, FILMS))
    assert (episode.status, len(episode), episode.success) == ("ok", 1, 1.0)
    assert episode.steps[0].observation == "Graph received."
    assert episode.metrics == {
        **dict.fromkeys(("entity_f1", "precision", "recall"), 1.0),
        **dict.fromkeys(("size_ratio", "answer_f1"), 1.0),
    }


def test_turns_show_one_document_after_the_other():
    env = fx.make_env(mode="turns", reward="triple_f1 + ged_progress")
    session = env.begin(FILMS)
    assert "Document 1: Heat" in session.task.prompt and "Documents: 3" in session.task.prompt
    assert "Chicago" not in session.task.prompt and "trains" not in session.task.prompt
    second = session.turn(block(GOLD[:2]))
    assert second.observation == "Document 2: Trains\nIt is said that trains are late."
    assert second.graph is not None and second.graph.num_edges == 2
    third = session.turn("[]")
    assert third.status == "ok" and third.observation.startswith("Document 3: Michael Mann")
    asked_again = session.turn("What?")
    assert asked_again.status == "malformed" and "Document" not in asked_again.observation
    last = session.turn(block(GOLD[2:]))
    assert last.observation == "Graph received." and session.outcome is not None
    episode = session.episode()
    assert (episode.success, episode.status, len(episode)) == (1.0, "ok", 4)
    assert [step.facts["documents"] for step in episode.steps] == [1, 2, 2, 3]
    assert [step.facts["triples"] for step in episode.steps] == [2, 2, 2, 4]
    assert replay(episode.record(), env) == episode


def test_the_outcome_keeps_what_was_written_and_merges_aliases():
    written = [
        ("heat", "directed_by", "the_captain"),
        ("The Captain", "born_in", "Chicago"),
        ("Heat", "Directed_By", "Michael Mann"),
    ]
    outcome = single(block(written)).outcome
    assert outcome is not None and outcome.graph is not None and outcome.program is not None
    assert [tuple(triple) for triple in json.loads(outcome.program)] == written
    assert outcome.graph.triples == (
        ("heat", "directed_by", "Michael Mann"),
        ("Michael Mann", "born_in", "Chicago"),
    )
    assert [node.id for node in outcome.graph.nodes] == ["heat", "the captain", "Chicago"]


def test_triples_of_all_turns_together_are_limited():
    env = fx.make_env(mode="turns")
    most = [(f"a{i}", "r", "b") for i in range(MAX_TRIPLES)]
    session = env.begin(FILMS)
    assert session.turn(block(most)).status == "ok"
    step = session.turn(block(ONE))
    assert step.status == "malformed" and step.reason == "more than 2000 triples in all"
    assert session.turn("[]").status == session.turn("[]").status == "ok"
    graph = session.outcome.graph if session.outcome else None
    assert graph is not None and graph.num_edges == MAX_TRIPLES


def test_the_longest_name_is_read():
    assert single(block([("a" * MAX_NAME, "r", "b")])).status == "ok"


def test_prompts():
    full = fx.make_env().tasks[FILMS]
    assert [m["role"] for m in full.messages] == ["system", "user"]
    assert "Relations: directed_by, release_year, born_in, located_in" in full.prompt
    for passage in fx.TASKS[FILMS]["passages"]:
        assert f": {passage.title}\n{passage.text}" in full.prompt
    bare = fx.make_env(instructions="none", show_relations=False).tasks[NOTHING]
    assert bare.prompt == "Document 1:\nIt rained all day."
    short = fx.make_env(instructions="short").tasks[FILMS].prompt
    assert len(bare.prompt) < len(short) < len(full.prompt)


def test_nobody_is_shown_gold():
    env = fx.make_env(mode="turns")
    session = env.begin(FILMS)
    assert session.world == (fx.RELATIONS,)
    assert fx.make_env(show_relations=False).begin(FILMS).world == ((),)
    for text in ("?", "[]", block(ONE), "[]"):
        session.turn(text)
    heard = [str(m["content"]) for m in session.episode().messages if m["role"] != "assistant"]
    asked = fx.TASKS[FILMS]["questions"][0].text
    assert not any(asked in text or '["Heat", "directed_by"' in text for text in heard)
    assert asked not in json.dumps(env.reset(options={"index": FILMS})[1])


# -- what is right --------------------------------------------------------------------------------

A, B, C, D = GOLD


@pytest.mark.parametrize(
    ("written", "success", "why"),
    [
        (GOLD, 1.0, "the gold"),
        (GOLD[::-1], 1.0, "in another order"),
        ([*GOLD, *GOLD], 1.0, "said twice, nothing new is stated"),
        ([(h.upper(), r, f" {t}  ") for h, r, t in GOLD], 1.0, "case and spacing"),
        ([(h.replace(" ", "_"), r, t.replace(" ", "_")) for h, r, t in GOLD], 1.0, "underscores"),
        ([A, ("Heat", "directed_by", "The Captain"), C, D], 1.0, "an alias"),
        ([A, ("Heat", "directed by", "Michael Mann"), C, D], 1.0, "a relation is its words"),
        ([A, ("Heat", "by", "Michael Mann"), C, D], 0.75, "another relation"),
        ([A, ("Michael Mann", "directed_by", "Heat"), C, D], 0.75, "the other direction"),
        ([A, B], 2 / 3, "half of it"),
        ([*GOLD, ("Heat", "set_in", "Mars")], 8 / 9, "one too many"),
        ([*GOLD, *((f"x{i}", "r", "y") for i in range(996))], 8 / 1004, "a thousand"),
        ([("Heat", "x", "y")], 0.0, "all wrong"),
        ([], 0.0, "nothing"),
    ],
)
def test_truth_is_the_f1_of_the_set_of_triples(written: list[Triple], success: float, why: str):
    assert single(block(written)).success == pytest.approx(success), why


@BOTH
def test_stating_nothing_is_right_where_nothing_is_stated(mode: str):
    assert single("[]", NOTHING, mode=mode).success == 1.0
    assert single(block(ONE), NOTHING, mode=mode).success == 0.0


def test_unicode_and_loops():
    decomposed = [("CAFE\u0301 Zoe\u0308_Brno", "located_in", "Brno\u00a0(Czech Republic)")]
    assert single(block(decomposed), UNICODE).success == 1.0
    assert single(block(fx.TASKS[LOOPS]["triples"]), LOOPS).success == 1.0
    assert single(block([("Ann", "born_in", "Ann")]), LOOPS).success == pytest.approx(2 / 3)


@given(
    st.lists(st.sampled_from(GOLD), max_size=6),
    st.lists(st.tuples(*[st.sampled_from(["Heat", "x", "Chicago"])] * 3), max_size=6),
    st.randoms(),
)
@settings(max_examples=60)
def test_truth_is_bounded_blind_to_order_and_lower_for_wrong_triples(
    right: list[Triple], wrong: list[Triple], random: Any
):
    corpus = Corpus((), aliases=(("Michael Mann", "The Captain"),))
    gold = corpus.graph(GOLD)

    def truth(triples: list[Triple]) -> float:
        return construction_truth(corpus.graph(triples), gold, corpus)[0]

    mixed = [*right, *wrong]
    random.shuffle(mixed)
    assert 0.0 <= truth(mixed) <= truth(right) <= truth(GOLD) == 1.0
    assert truth(mixed) == truth([*right, *wrong]) == truth([*mixed, *right])


# -- who plays it ---------------------------------------------------------------------------------


@BOTH
def test_gold_is_right_and_every_planted_mistake_costs(mode: str):
    reward = "0.5*triple_f1 + 0.5*ged"
    env = envs.make("kg-construction", mode=mode, reward=reward, tasks=500, worlds=1)
    for index in (0, 7, 499):
        played = [env.play(index, gold_turns(env, index))]
        played += [env.play(index, planted_turns(env, index, n)) for n in range(1, 6)]
        assert [episode.status for episode in played] == ["ok"] * 6
        truths = [episode.success or 0.0 for episode in played]
        earned = [score.value or 0.0 for score in env.reward(played)]
        assert truths[0] == earned[0] == 1.0
        assert all(a > b for a, b in pairwise(truths)) and all(a > b for a, b in pairwise(earned))


def test_gold_turns_put_facts_where_they_are_stated():
    first, second, third = gold_turns(fx.make_env(mode="turns"), FILMS)
    assert (json.loads(first[8:-4]), json.loads(second[8:-4])) == ([[*A], [*B]], [])
    assert json.loads(third[8:-4]) == [[*C], [*D]]


@BOTH
def test_players_come_out_in_order(mode: str):
    env = envs.make("kg-construction", mode=mode, tasks=500, worlds=1)
    found = validate(env, range(8))
    assert found.ok, found.problems
    by_name = {player.name: player for player in found.players}
    assert by_name["list-everything"].statuses == by_name["random"].statuses == {"ok": 8}
    assert by_name["list-everything"].success.value < 0.05


@BOTH
def test_random_triples_are_valid_and_a_function_of_the_chat(mode: str):
    env = envs.make("kg-construction", mode=mode, tasks=500, worlds=1, show_relations=False)
    policy = agents.make("random", env, seed=3, max_moves=9)
    first, again = (agents.rollout_batch(env, policy, range(4)) for _ in range(2))
    assert first == again and {episode.status for episode in first} == {"ok"}
    said = [read_triples(step.text[8:-4])[0] or () for e in first for step in e.steps]
    assert any(said) and {r for triples in said for _, r, _ in triples} == {"related to"}
    assert len({episode.steps[0].text for episode in first}) == 4


def test_everything_fits_into_an_answer():
    env = envs.make("kg-construction", mode="turns", tasks=500, worlds=1)
    listed = family_of(env, "test").everything(0)
    corpus = env.source[0].target.corpus
    assert corpus is not None
    assert 0 < len(listed) * len(corpus.passages) <= MAX_TRIPLES


# -- what users get wrong -------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], type[GraphEnvError], str]] = [
    ({"source": "webnlgg"}, UnknownNameError, "Did you mean 'webnlg'"),
    ({"source": "webnlg"}, ConfigError, "needs root="),
    ({"soruce": "webnlg"}, ConfigError, "Did you mean 'source'"),
    ({"mode": "multi"}, ConfigError, "single.*turns"),
    ({"mode": "single", "max_turns": 4}, ConfigError, "single mode has one turn"),
    ({"mode": "turns", "max_turns": 0}, ConfigError, "max_turns=0"),
    ({"show_relations": "yes"}, ConfigError, "show_relations='yes'"),
    ({"split": "test"}, ConfigError, "train, validation, heldout"),
    ({"reward": "exact"}, ConfigError, "Terms that work here: .*triple_f1"),
]


@pytest.mark.parametrize(("kwargs", "error", "match"), WRONG, ids=lambda x: str(x)[:40])
def test_wrong_arguments_are_one_clear_error(
    kwargs: dict[str, Any], error: type[Exception], match: str
):
    with pytest.raises(error, match=f"(?s){match}"):
        envs.make("kg-construction", **kwargs)


def test_more_documents_than_turns_is_an_error_of_the_user():
    env = fx.make_env(mode="turns", max_turns=2)
    with pytest.raises(ConfigError, match="3 documents, and an episode 2 turns"):
        env.reset(options={"index": FILMS})
    assert env.play(NOTHING, ["[]"]).success == 1.0


def test_every_source_stands_in_the_table():
    assert set(SOURCES) == {"synthetic", "webnlg", "conll04", "redocred", "retrieval"}
    env = fx.make_env()
    assert isinstance(env, KGConstructionEnv) and env.kwargs["reward"] == "kg_f1"
    assert env.document_source.relations(FILMS) == fx.RELATIONS


def test_a_graph_without_documents_is_compared_all_the_same():
    gold = Graph.from_triples(GOLD)
    assert construction_truth(gold, gold, Corpus(()))[0] == 1.0
    assert construction_truth(None, gold, Corpus(()))[0] == 0.0
