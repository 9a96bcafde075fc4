"""`graphenv/KGQA-v0`: what moves mean, what tools answer, what an agent may see."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import kgqa_fixture as fx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv import envs
from graphenv.agents.oracle import gold_turns
from graphenv.envs.kgqa.program import Branch, Filter, Program, parse_program
from graphenv.envs.kgqa.sources import question_task
from graphenv.envs.kgqa.walk import Walk, compare_values, walk_program
from graphenv.knowledge import KnowledgeGraph
from graphenv.seeding import rng
from graphenv.task import Task
from graphenv.text import format_call


@lru_cache(maxsize=8)
def env_with(**kwargs: Any) -> Any:
    return fx.make_env(**kwargs)


def said(*turns: str, index: int = 0, **kwargs: Any) -> str:
    """Return the last observation after some turns."""
    observation: str = env_with(**kwargs).play(index, turns).steps[-1].observation
    return observation


# -- programs -------------------------------------------------------------------------------------

WORDS = (
    st.text(alphabet="abcxyz_ ^", min_size=1, max_size=8)
    .map(str.strip)
    .filter(lambda w: w.strip("^") and not w.startswith("count"))
)
VALUES = st.text(alphabet="abc123. -", min_size=1, max_size=6).map(str.strip).filter(bool)
MOVES = st.one_of(
    WORDS, st.builds(Filter, WORDS, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), VALUES)
)
BRANCHES = st.builds(
    Branch, st.lists(MOVES, min_size=1, max_size=5).map(tuple), st.one_of(st.none(), VALUES)
)
PROGRAMS = st.builds(Program, st.lists(BRANCHES, min_size=1, max_size=3).map(tuple), st.booleans())


@given(PROGRAMS)
def test_programs_round_trip(program: Program):
    assert parse_program(str(program)) == (program, "")


@given(
    st.lists(st.text(min_size=1, max_size=10).map(str.strip).filter(bool), min_size=1, max_size=5)
)
def test_paths_round_trip_whatever_the_relations(path: list[str]):
    """A user's own relation names may hold every sign of the language."""
    task = question_task(id="x", index=0, question="?", topics=["t"], answers=[], path=path)
    program, reason = parse_program(str(task.target.program))
    assert program is not None, reason
    assert program.branches[0].moves == tuple(path) or "^" in path


@given(st.text(alphabet=st.sampled_from(list('^>&{}[]<>=!"count abc\n,')), max_size=40))
def test_no_text_breaks_the_program_parser(text: str):
    program, reason = parse_program(text)
    assert (program is None) == bool(reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("a > > b", "a move is empty"),
        ("a >", "a move is empty"),
        ("^", "a move is empty"),
        ("a & ", "a move is empty"),
        ("count", "a move is empty"),
        ("{Heat}", "a move is empty"),
        ("{Heat a", "start entity"),
        ("{} a", "start entity"),
        ("[year]", "not a filter"),
        ("[ < 3]", "not a filter"),
        ("[year < ]", "not a filter"),
        ("a > [year < 3", "not a filter"),
        (" > ".join(["a"] * 17), "17 moves"),
        (" & ".join(["a"] * 9), "9 branches"),
        ("a" * 5_000, "longer than"),
        ('["a", 3]', "list of relation names"),
        ('["a"', "not valid JSON"),
        ('["a", ' + "[" * 3_900, "nested deeper"),
        (json.dumps(["a"] * 17), "17 moves"),
    ],
)
def test_programs_that_cannot_be_read(text: str, reason: str):
    program, found = parse_program(text)
    assert program is None and reason in found


def test_filters_are_read_in_linear_work():
    """A lazy group between spaces made this cubic; 4,000 characters would have taken minutes."""
    assert parse_program("[" + " " * 3_990 + "x]")[0] is None
    program, _ = parse_program("[ release year   >=   1990 ]")
    assert program is not None
    assert program.branches[0].moves == (Filter("release year", ">=", "1990"),)


# -- walking --------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(*[st.sampled_from("abcd"), st.sampled_from("rs"), st.sampled_from("abcd")]),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_a_walk_is_plain_set_traversal(triples: list[tuple[str, str, str]], data: Any):
    """Beside a dictionary: forward, backward, filters, intersections, counts, dropped topics."""
    world = KnowledgeGraph.from_triples(triples)
    topic = data.draw(st.sampled_from(sorted({t[0] for t in triples})))
    drop = data.draw(st.booleans())
    path = data.draw(st.lists(st.sampled_from(["r", "s", "^r", "^s", "q"]), min_size=1, max_size=4))
    frontier, moves, dead = {topic}, [], False
    for move in path:
        name = move.strip("^")
        edges = [(t, r, h) if move[0] == "^" else (h, r, t) for h, r, t in triples]
        reached = {t for h, r, t in edges if r == name and h in frontier} - (
            {topic} if drop else set()
        )
        dead = dead or not reached
        frontier = frontier if dead else reached
        moves.append(not dead)
    walk = Walk(world, world.entity_id(topic), drop_topic=drop)
    program, _ = parse_program(" > ".join(path))
    assert program is not None
    tried, reason = walk_program(walk, program)
    assert [(what, ok) for _, what, ok in tried] == list(zip(path, moves, strict=True))
    assert bool(reason) == (not all(moves))
    assert set(world.entity_names(walk.frontier)) == frontier
    graph = walk.graph()
    assert set(graph.triples) <= set(triples)
    if moves[0]:
        assert topic in graph.labels and frontier <= set(graph.labels)
    else:
        assert len(graph) == 0
    depth = walk.depth
    assert depth == sum(moves)
    for _ in range(depth):
        assert walk.back()
    assert not walk.back() and world.entity_names(walk.frontier) == [topic]


def run(text: str, index: int = 0) -> Any:
    return (
        env_with(mode="program", reward="triple_f1 + path_similarity").play(index, [text]).outcome
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("^directed_by", ("Heat", "Thief")),
        ("^directed_by > [release_year < 1990]", ("Thief",)),
        ("^directed_by > [release_year >= 1981.0]", ("Heat", "Thief")),
        ("^directed_by > [release_year = 1995] > has_genre", ("Crime", "Drama")),
        ("^directed_by > [has_genre = drama]", ("Heat",)),
        ("^directed_by & ^written_by", ("Heat",)),
        ("^directed_by & {crime} ^has_genre", ("Heat", "Thief")),
        ("^directed_by & {Drama} ^has_genre", ("Heat",)),
        ("{Ridley Scott} ^directed_by > has_genre", ("Horror",)),
        ("^directed_by & {Ridley Scott} ^directed_by", ()),
        ("count ^directed_by", ("2",)),
        ("count ^directed_by & {Ridley Scott} ^directed_by", ("0",)),
        ('["^directed_by", "has_genre"]', ("Crime", "Drama")),
        ("<program>^directed_by</program>", ("Heat", "Thief")),
        ("<think>hm > hm</think>\n^directed_by\n", ("Heat", "Thief")),
    ],
)  # fmt: skip
def test_what_programs_answer(text: str, answer: tuple[str, ...]):
    outcome = run(text)
    assert outcome.status == "ok", outcome.reason
    assert sorted(outcome.answer) == sorted(answer)


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("no_such", "infeasible", "leads nowhere"),
        ("directed_by", "infeasible", "leads nowhere"),
        ("^directed_by > [release_year > 2000]", "infeasible", "leads nowhere"),
        ("{Nobody} has_genre", "infeasible", "no entity 'Nobody'"),
        ("I think it is Crime", "malformed", "prose"),
        ("<program>a</program><program>b</program>", "malformed", "more than one"),
        ("<answer>[]</answer><program>b</program>", "malformed", "both"),
        (format_call("follow", relation="^directed_by"), "malformed", "no tools here"),
        ("<program>a > > b</program>", "malformed", "a move is empty"),
    ],
)
def test_what_programs_cannot_answer(text: str, status: str, reason: str):
    outcome = run(text)
    assert (outcome.status, outcome.answer) == (status, None)
    assert reason in outcome.reason


def test_paths_are_compared_in_the_spelling_of_the_world():
    assert run("{ridley SCOTT} ^directed_by").path == ("{Ridley Scott}", "^directed_by")
    assert run("{michael mann} ^directed_by").path == ("^directed_by",)  # the topic needs no name


@pytest.mark.parametrize(
    ("left", "op", "right", "holds"),
    [
        ("9", "<", "10", True),
        ("b", "<", "c", False),
        ("A", "=", " a ", True),
        ("1", "=", "1.0", True),
        ("x", "!=", "y", True),
        ("nan", "<", "1", False),
        ("1995", ">=", "1995", True),
        ("1e400", ">", "1", True),
    ],
)
def test_values_compare(left: str, op: str, right: str, holds: bool):
    assert compare_values(left, op, right) is holds


# -- tools ----------------------------------------------------------------------------------------


def test_what_tools_answer():
    go = fx.follow("^directed_by")[0]
    assert said(go) == 'Frontier (2): "Heat", "Thief"'
    assert said(format_call("relations")).startswith("Relations from the frontier: ^directed_by")
    assert "has_genre" in said(format_call("relations", entity="heat"))
    assert said(format_call("neighbors", entity="Heat", relation="has_genre")) == (
        "(Heat, has_genre, Crime)\n(Heat, has_genre, Drama)"
    )
    assert said(format_call("neighbors", entity="Crime", relation="^has_genre")) == (
        "(Heat, has_genre, Crime)\n(Thief, has_genre, Crime)"
    )
    assert said(format_call("neighbors", entity="Crime", relation="has_genre")) == "none"
    assert said(go, format_call("back")) == 'Frontier (1): "Michael Mann"'
    assert "nothing to undo" in said(format_call("back"))
    kept = format_call("keep", relation="release_year", operator="<", value="1990")
    assert said(go, kept) == 'Frontier (1): "Thief"'
    assert said(format_call("start_at", entity="drama")) == "Path 2 starts at Drama."
    assert said(format_call("frontier")) == 'Frontier (1): "Michael Mann"'


def test_intersections_and_counts_by_tools():
    turns = [
        *fx.follow("^directed_by"),
        format_call("start_at", entity="Drama"),
        *fx.follow("^has_genre"),
    ]
    both = env_with().play(0, [*turns, format_call("answer_frontier")]).outcome
    assert both.answer == ("Heat",) and both.program == "^directed_by & {Drama} ^has_genre"
    assert env_with().play(0, [*turns, format_call("answer_count")]).outcome.answer == ("1",)
    assert run(both.program).answer == both.answer


def test_long_lists_are_paged():
    fillers = {"index": fx.GENRES, "page_size": 7}
    start = format_call("start_at", entity="Filler genre")
    first = said(start, *fx.follow("^has_genre"), **fillers)
    assert first.startswith(f"Frontier ({fx.FILLERS}): ") and first.endswith("(page 1 of 158)")
    pages = [
        said(start, *fx.follow("^has_genre"), format_call("frontier", page=p), **fillers)
        for p in (2, 158, 999, -5)
    ]
    assert "page 2 of 158" in pages[0] and pages[0].count('"') == 14
    assert pages[1] == pages[2] and pages[1].count('"') == 2 * (fx.FILLERS - 7 * 157)
    assert pages[3] == first
    near = said(
        format_call("neighbors", entity="Filler genre", relation="^has_genre", page=3), **fillers
    )
    assert near.startswith("page 3 of 158\n(Filler ") and near.count("\n") == 7


@pytest.mark.parametrize("limit", [100, 500])
def test_observations_are_bounded(limit: int):
    many = "".join([format_call("neighbors", entity="Filler genre", relation="^has_genre")] * 60)
    env = env_with(max_observation=limit, page_size=1000)
    for turns in (
        [many],
        ["x" * 100_000],
        [format_call("follow", relation="y" * 100_000)],
        ["<answer>["],
    ):
        episode = env.play(0, turns)
        step = episode.steps[0]
        assert len(step.observation) <= limit + 40
        heard = sum(len(str(m["content"])) for m in step.messages[1:])
        # Beside the limit every call may say how much it left out.
        assert heard <= limit + 40 * max(1, len(step.calls))


def test_encodings_reach_the_agent():
    ask = format_call("neighbors", entity="Heat", relation="has_genre")
    assert said(ask, encoding="incident").startswith("Heat: has_genre Crime; has_genre Drama")
    assert json.loads(said(ask, encoding="json"))["edges"][0]["relation"] == "has_genre"


def test_tools_that_no_question_needs_are_not_offered():
    plain = envs.make("kgqa", hops=2)
    assert set(plain.tools) == {
        "relations",
        "neighbors",
        "follow",
        "frontier",
        "back",
        "answer_frontier",
    }
    assert {"keep", "start_at", "answer_count"} <= set(env_with().tools)
    assert envs.make("kgqa", mode="program").tools == {}


def test_limits_of_a_walk():
    loops = fx.follow(*["remake_of"] * 17)
    assert "16 moves" in said(*loops, index=fx.OUROBOROS, max_turns=30)
    starts = [format_call("start_at", entity="Heat")] * 8
    assert "At most 8 paths" in said(*starts, max_turns=30)
    long = format_call("keep", relation="release_year", operator="!=", value="x" * 500)
    assert "at most 200" in said(*fx.follow("^directed_by"), long)


def test_an_answer_beside_a_call_waits():
    episode = env_with().play(0, [fx.follow("^directed_by")[0] + fx.answer("Crime", "Drama")])
    assert not episode.ended and "was not read" in episode.steps[0].observation


# -- truth ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reward", ["exact", "1 - exact", "turn_cost", "gate(format, 0*exact)"])
def test_no_reward_changes_the_truth(reward: str):
    env = fx.make_env(reward=reward)
    right = env.play(0, [fx.answer("Drama", "crime")])
    partly = env.play(0, [fx.answer("Crime", "Heat")])
    assert (right.success, right.metrics) == (1.0, {"answer_f1": 1.0, "hits_at_1": 1.0, "mrr": 1.0})
    assert (partly.success, partly.metrics["answer_f1"]) == (0.0, 0.5)


# -- leaks ----------------------------------------------------------------------------------------


class CanarySource(fx.FixtureSource):
    """Gold that occurs nowhere else: wherever it shows up, it leaked."""

    def __getitem__(self, index: int) -> Task:
        row = {
            **fx.QUESTIONS[index],
            "answers": ["CANARY one", "CANARY two"],
            "path": ["canary_move", "CANARY"],
        }
        return question_task(id=f"leak/{index}", index=index, hops=2, kind="CANARY kind", **row)


@pytest.fixture
def canary_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fx, "FixtureSource", CanarySource)


@pytest.mark.parametrize("mode", ["tools", "program"])
@pytest.mark.parametrize("instructions", ["full", "short", "none"])
def test_gold_never_reaches_the_agent(mode: str, instructions: str, canary_source: None):
    env = fx.make_env(
        mode=mode,
        instructions=instructions,
        reward="exact + answer_f1 + path_similarity + node_f1 + path_validity + progress",
        render_mode="ansi",
    )
    generator = rng("tests.canary", mode)
    turns = [
        *fx.follow("^directed_by", "has_genre", "canary"),
        format_call("relations"),
        "oops",
        format_call("start_at", entity="Canary one"),
        format_call("frontier"),
        format_call("answer_frontier"),
    ]
    for n in range(30):
        observation, info = env.reset(options={"index": n % len(fx.QUESTIONS)})
        ended = False
        while not ended:
            assert info["success"] is None and info["score"] == {} and info["metrics"] == {}
            _no_canary(observation, info, env.render())
            text = turns[int(generator.integers(len(turns)))].replace("anary", "anari")
            observation, _, terminated, truncated, info = env.step(text)
            ended = terminated or truncated
        _no_canary(observation, info, env.render())


def _no_canary(*seen: Any) -> None:
    assert "canary" not in json.dumps(seen, ensure_ascii=False).lower()


@pytest.mark.parametrize("mode", ["tools", "program"])
def test_prompts_of_the_default_source_hold_no_answer(mode: str):
    env = envs.make("kgqa", mode=mode)
    for index in range(0, len(env.tasks), len(env.tasks) // 150):
        task = env.tasks[index]
        assert task.target.answer and task.target.program
        question = str(task.messages[-1]["content"])
        assert not [
            a
            for a in task.target.answer
            if len(a) > 3 and a in question and a not in task.meta["topics"]
        ]
        assert len(task.target.path or ()) < 2 or task.target.program not in task.prompt


def test_the_last_observation_does_not_say_how_it_went():
    ends = {said(fx.answer("Crime", "Drama")), said(fx.answer("wrong")), said(fx.answer())}
    assert ends == {"Answer received."}


# -- published data -------------------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.parametrize("mode", ["tools", "program"])
@pytest.mark.parametrize("hops", [1, 2, 3])
def test_gold_of_metaqa_is_right_by_walking(graphenv_data: Any, mode: str, hops: int):
    root = str(graphenv_data / "kgqa" / "metaqa")
    env = envs.make("kgqa", source="metaqa", root=root, hops=hops, mode=mode, split="heldout",
                    reward="exact + triple_f1 + path_similarity")  # fmt: skip
    for index in range(0, len(env.tasks), max(1, len(env.tasks) // 20)):
        episode = env.play(index, gold_turns(env, index))
        assert episode.success == 1.0
        assert env.reward([episode])[0].value == pytest.approx(3.0)
