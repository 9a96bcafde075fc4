"""What must hold for every reward expression and every episode."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import kgqa_fixture as fx
import pytest
from conformance import EXPRESSIONS
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import rewards
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode, Outcome
from graphenv.errors import ConfigError, RewardError, UnknownNameError
from graphenv.graph import Graph
from graphenv.rewards import ExpressionReward, parse
from graphenv.seeding import rng
from graphenv.task import Target
from graphenv.text import format_answer, format_call

SHAPING = ["progress", "potential(progress)", "ged_progress", EXPRESSIONS["gnn_value"]]
STEADY = [
    EXPRESSIONS.get(t, t)
    for t in rewards.names("kgqa")
    if t not in ("progress", "ged_progress", "gnn_value")
] + ["hits(k=3)"]
EVERYTHING = " + ".join(STEADY) + " + progress + ged_progress + " + EXPRESSIONS["gnn_value"]
TOL = 1e-9

# -- random episodes ------------------------------------------------------------------------------

_TURNS = (
    *fx.follow("^directed_by", "has_genre", "^has_genre", "^in_language", "remake_of", "nonsense"),
    format_call("back"),
    format_call("relations"),
    format_call("start_at", entity="Heat"),
    format_call("keep", relation="release_year", operator="<", value="1990"),
    format_call("neighbors", entity="Heat", relation="has_genre"),
    "not a turn at all",
    '<tool_call>{"name": "no_such_tool"}</tool_call>',
)
_ENDS = (
    fx.answer("Crime", "Drama"),
    fx.answer("Crime"),
    fx.answer("No"),
    fx.answer("Heat", "Crime", "Crime"),
    fx.answer(),
    format_call("answer_frontier"),
    format_call("answer_count"),
)


@lru_cache(maxsize=1)
def tool_env() -> GraphEnv:
    return fx.make_env(reward=EVERYTHING, max_turns=6)


@lru_cache(maxsize=1)
def pool() -> tuple[Episode, ...]:
    """Episodes of every length, ending and question; the same in every run."""
    found: list[Episode] = []
    generator = rng("tests.rewards.pool")
    for n in range(120):
        length = int(generator.integers(0, 6))
        turns = [_TURNS[int(i)] for i in generator.integers(len(_TURNS), size=length)]
        turns.append(_ENDS[int(generator.integers(len(_ENDS)))])
        found.append(tool_env().play(n % len(fx.QUESTIONS), turns))
    found += [
        tool_env().play(i, [*fx.walk_to_gold(i), format_call("answer_frontier")]) for i in (0, 1)
    ]
    program = fx.make_env(reward=EVERYTHING, mode="program")
    for text in (
        "^directed_by > has_genre",
        "a > b",
        "<answer>[",
        "^directed_by",
        "count ^directed_by",
    ):
        found.append(program.play(0, [text]))
    return tuple(found)


episodes = st.deferred(lambda: st.sampled_from(pool()))
ended = episodes.filter(lambda episode: episode.ended)
numbers = st.sampled_from(["0.1", "0.5", "1", "2", "-0.3", "0"])


def _product(left: str, right: str) -> str:
    """Return a product, of negatives where a factor can be negative: that one is refused."""
    factors = []
    for text in (left, right):
        low, high = parse(text).range
        factors.append(text if low >= 0 else f"-({text})" if high <= 0 else f"({text} - {low})")
    return "({})*({})".format(*factors)


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, inner),
        st.builds("{}*({})".format, numbers, inner),
        st.builds(_product, inner, inner),
        st.builds("({} + {})".format, inner, numbers),
        st.builds("({})/4".format, inner),
        st.builds("-({})".format, inner),
        st.builds("gate({}, {})".format, inner, inner),
        st.builds("gate({}, {}, threshold=0.4)".format, inner, inner),
        st.builds("cap({}, {})".format, inner, numbers),
    )


steady = st.recursive(st.sampled_from(STEADY), _combined, max_leaves=5)
expressions = st.one_of(
    steady,
    st.builds("{} + {}*{}".format, steady, numbers, st.sampled_from(SHAPING)),
    st.sampled_from(SHAPING),
)


# -- the shape of every score ---------------------------------------------------------------------


@given(expressions, ended)
def test_value_lies_in_the_derived_range_and_steps_sum_to_it(text: str, episode: Episode):
    reward = parse(text)
    score = reward([episode])[0]
    assert score.status in ("ok", "not_applicable")
    if score.value is None:
        return
    low, high = reward.range
    assert low - TOL <= score.value <= high + TOL
    assert len(score.steps) == len(episode)
    assert sum(score.steps) == pytest.approx(score.value)
    for part in score.parts.values():
        assert part.value is None or -1.0 - TOL <= part.value <= 1.0 + TOL


@given(expressions, episodes)
def test_prefix_consistency(text: str, episode: Episode):
    """`reward(episode[:t]).steps == reward(episode).steps[:t]`, and so says `last_step`."""
    reward = parse(text)
    whole = reward([episode])[0]
    if whole.value is None:
        return
    for t in range(1, len(episode) + 1):
        prefix = episode[:t]
        assert reward([prefix])[0].steps == whole.steps[:t]
        assert reward.last_step(prefix) == pytest.approx(whole.steps[t - 1], abs=TOL)


@given(expressions, episodes)
@settings(max_examples=40)
def test_gym_step_pays_the_steps(text: str, episode: Episode):
    env = tool_env()
    if episode.kwargs["mode"] != "tools" or not episode.steps:
        return
    reward, before = parse(text), env.reward
    env.reward = reward
    try:
        env.reset(options={"index": episode.task.index})
        paid = [float(env.step(step.text)[1]) for step in episode.steps]
    finally:
        env.reward = before
    steps = reward([episode])[0].steps
    if steps:
        assert paid == pytest.approx(list(steps), abs=TOL)
        assert env.episode.digest() == episode.digest()


@given(expressions, st.lists(episodes, max_size=5), st.randoms(use_true_random=False))
def test_batch_order_does_not_matter(text: str, batch: list[Episode], random: Any):
    reward = parse(text)
    alone = [reward([episode])[0] for episode in batch]
    order = list(range(len(batch)))
    random.shuffle(order)
    mixed = reward([batch[i] for i in order])
    assert [score.to_json() for score in mixed] == [alone[i].to_json() for i in order]
    assert reward([]) == []


@given(expressions, episodes)
def test_rewards_pickle_and_parse_back(text: str, episode: Episode):
    reward = parse(text)
    for twin in (pickle.loads(pickle.dumps(reward)), parse(reward.name)):
        assert isinstance(twin, ExpressionReward)
        assert (twin, hash(twin), twin.range) == (reward, hash(reward), reward.range)
        assert twin([episode])[0].to_json() == reward([episode])[0].to_json()


@given(ended)
def test_a_term_that_does_not_apply_is_left_out_not_zero(episode: Episode):
    without = replace(episode.task, target=Target(answer=episode.task.target.answer))
    bare = replace(episode, task=without)
    assert parse("path_similarity")([bare])[0].value is None
    for text in (
        "path_similarity + exact",
        "exact + path_similarity",
        "exact + 0.5*(path_similarity + 1)",
    ):
        assert parse(text)([bare])[0].value == parse("exact")([bare])[0].value
    alone = parse("path_similarity - 1")([bare])[0]
    assert (alone.value, alone.status) == (None, "not_applicable")
    kept = parse("exact + path_similarity + 1")([bare])[0].value
    assert kept == parse("1 + exact")([bare])[0].value


# -- what a policy may not gain from --------------------------------------------------------------


@given(ended, st.data())
def test_repeating_a_turn_never_raises_a_verdict_or_saves_a_cost(episode: Episode, data: Any):
    """A turn said twice in a row: moves, malformed turns and look-ups alike."""
    if episode.kwargs["mode"] != "tools" or len(episode) < 2:
        return
    turns = [step.text for step in episode.steps]
    at = data.draw(st.integers(0, len(turns) - 2))
    long = fx.make_env(reward=EVERYTHING, max_turns=12)
    once = long.play(episode.task.index, turns)
    if once.steps[at].status == "ok" and once.steps[at].facts["moves"]:
        return  # a second move goes somewhere else: that is no repetition
    if once.steps[at].calls and once.steps[at].calls[0].name in ("back", "start_at"):
        return
    twice = long.play(episode.task.index, [*turns[: at + 1], *turns[at:]])
    for term in STEADY:
        first, second = (parse(term)([e])[0].value for e in (once, twice))
        if first is not None and second is not None:
            assert second <= first + TOL, term


moves = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("pqr"), st.booleans()), max_size=8
)


@given(moves, st.data())
def test_repeating_a_relation_never_raises_path_validity(tried: list[Any], data: Any):
    """Neither the same move again nor a relation that is known to exist, tried elsewhere."""
    template = pool()[0]
    # A place and a move have one outcome in one world.
    known: dict[tuple[str, str], bool] = {}
    facts = [[w, m, known.setdefault((w, m), ok)] for w, m, ok in tried]

    def value(rows: Sequence[Any]) -> float:
        step = replace(template.steps[0], facts={"moves": list(rows)})
        return parse("path_validity")([replace(template, steps=(step,))])[0].value or 0.0

    if not facts:
        assert value(facts) == 0.0
        return
    again = data.draw(st.sampled_from(facts))
    assert value([*facts, again]) <= value(facts) + TOL
    if again[2]:
        assert value([*facts, ["somewhere else", again[1], True]]) <= value(facts) + TOL
    assert value([*facts, ["somewhere else", "s", False]]) <= value(facts)


@given(st.integers(1, 8))
def test_walking_to_and_fro_does_not_pay(times: int):
    env = fx.make_env(mode="program", reward=EVERYTHING)
    loop = "^directed_by > directed_by > "
    once, many = (env.play(0, [loop * n + "nonsense"]) for n in (1, times))
    for term in STEADY:
        first, second = (parse(term)([e])[0].value for e in (once, many))
        assert first is not None and second is not None and second <= first + TOL, term


items = st.lists(st.sampled_from(["Crime", "Drama", "Heat", "x", "CRIME", "y"]), max_size=6)


@given(items, st.data())
def test_repeating_an_answer_item_changes_nothing(answer: list[str], data: Any):
    env = tool_env()
    repeated = [*answer, *(data.draw(st.lists(st.sampled_from(answer))) if answer else [])]
    scores = [
        env.reward([env.play(0, [format_answer(given_items)])])[0].to_json()
        for given_items in (answer, repeated)
    ]
    assert scores[0] == scores[1]


@given(st.sets(st.sampled_from(["Crime", "Drama"]), max_size=1), st.sets(st.sampled_from("xyz")))
def test_a_right_item_more_never_lowers_and_a_wrong_one_never_raises(
    right: set[str], wrong: set[str]
):
    env = tool_env()
    base = sorted(right) + sorted(wrong)
    more_right = sorted({"Crime", "Drama"} - right)[:1]

    def values(answer: list[str]) -> dict[str, float]:
        parts = env.reward([env.play(0, [format_answer(answer)])])[0].parts
        return {t: parts[t].value or 0.0 for t in ("exact", "answer_f1", "hits")}

    for term, value in values(base).items():
        assert values([*base, *more_right])[term] >= value - TOL, term
        assert values([*base, "one more wrong"])[term] <= value + TOL, term


@given(st.permutations(range(4)), st.sampled_from(["node_f1", "edge_f1", "triple_f1", "ged"]))
def test_relabelling_node_ids_changes_nothing(order: list[int], term: str):
    labels, edges = ["a", "b", "b", "c"], [(0, "r", 1), (1, "r", 2), (2, "s", 3), (0, "r", 1)]
    place = {old: new for new, old in enumerate(order)}
    moved = Graph.from_edges(
        [labels[i] for i in order], [(place[h], r, place[t]) for h, r, t in reversed(edges)]
    )
    gold = Graph.from_edges(labels, [*edges[:2], (3, "s", 0)])
    template = pool()[0]
    task = replace(template.task, target=Target(graph=gold))
    values = [
        parse(term)([replace(template, task=task, outcome=Outcome("ok", graph=graph))])[0].value
        for graph in (Graph.from_edges(labels, edges), moved)
    ]
    assert values[0] == values[1]


# -- shaping --------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [fx.GENRES, fx.SPANISH, fx.OUROBOROS])
def test_shaping_changes_no_optimal_policy(index: int):
    """All turn sequences up to three moves: the return moves by one constant of the task."""
    env = fx.make_env(reward="exact + 0.1*turn_cost + progress", max_turns=4)
    plain = parse("exact + 0.1*turn_cost")
    actions = fx.follow("^directed_by", "has_genre", "^in_language", "remake_of")
    actions.append(format_call("back"))
    played = [
        env.play(index, [*turns, format_call("answer_frontier")])
        for length in range(4)
        for turns in itertools.product(actions, repeat=length)
    ]
    # And the same ones cut off by the turn limit, where a potential left standing could be earned.
    played += [
        env.play(index, [*turns, actions[0]]) for turns in itertools.product(actions[:3], repeat=3)
    ]
    assert any(episode.status == "truncated" for episode in played)
    shaped = [score.value or 0.0 for score in env.reward(played)]
    bare = [score.value or 0.0 for score in plain(played)]
    offsets = [s - b for s, b in zip(shaped, bare, strict=True)]
    assert offsets == pytest.approx([-played[0].start_values["reach"]] * len(offsets))
    best = {i for i, v in enumerate(bare) if v == pytest.approx(max(bare))}
    assert best == {i for i, v in enumerate(shaped) if v == pytest.approx(max(shaped))}
    assert len(best) == 1
    assert played[best.pop()].success == 1.0


def test_shaping_pays_the_turn_that_comes_nearer():
    env = fx.make_env(reward="progress", max_turns=6)
    episode = env.play(0, [*fx.walk_to_gold(0), format_call("answer_frontier")])
    steps = env.reward([episode])[0].steps
    assert steps[0] > 0 and steps[1] > 0
    assert steps[2] == -1.0  # at the end the potential is zero again
    away = env.play(0, [*fx.follow("^directed_by"), format_call("back"), fx.answer()])
    first, second, _ = env.reward([away])[0].steps
    assert second == -first


# -- crashes --------------------------------------------------------------------------------------


def crash_on_empty_answers(episode: Episode) -> float:
    if episode.outcome is not None and not episode.outcome.answer:
        raise LookupError("nothing to judge")
    return 0.25


CRASHING = "exact + user(function='test_rewards_properties:crash_on_empty_answers')"


def test_a_crash_costs_no_other_member_of_the_batch_its_score():
    env = fx.make_env()
    batch = [
        env.play(0, [fx.answer(*given_items)]) for given_items in (("Crime", "Drama"), (), ("x",))
    ]
    scores = parse(CRASHING)(batch)
    assert [score.status for score in scores] == ["ok", "error", "ok"]
    assert [score.value for score in scores] == [1.25, None, 0.25]
    assert "LookupError: nothing to judge" in scores[1].reason


def test_a_crash_surfaces_in_gym_step():
    env = fx.make_env(reward=CRASHING)
    env.reset(options={"index": 0})
    with pytest.raises(RewardError, match="nothing to judge"):
        env.step(fx.answer())


@pytest.mark.parametrize("kind", ["pay", "potential"])
def test_a_crash_inside_a_step_term_is_an_error_too(monkeypatch: pytest.MonkeyPatch, kind: str):
    name = {"pay": "turn_cost", "potential": "progress"}[kind]

    def crash(*_: Any) -> float:
        raise ArithmeticError("no number")

    monkeypatch.setattr(rewards.term_class(name), kind, crash)
    reward, episode = parse(f"exact + {name}"), pool()[0]
    score = reward([episode])[0]
    assert (score.value, score.status) == (None, "error") and "no number" in score.reason
    with pytest.raises(RewardError, match="no number"):
        reward.last_step(episode[:1])


# -- expressions that are refused -----------------------------------------------------------------


@given(st.text(max_size=30))
@settings(max_examples=60)
def test_any_text_is_a_reward_or_a_config_error(text: str):
    try:
        reward = parse(text)
    except (ConfigError, UnknownNameError):
        return
    assert all(abs(bound) < float("inf") for bound in reward.range)
