"""Rewards of designs: the table, the published form, what a dense variant pays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import conformance
import design_fixture as fx
import pytest
from design_fixture import PATH, PATH_BEST, PATH_RING, PATH_START, RING, block

from graphenv import rewards
from graphenv.agents.oracle import gold_turns
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.text import format_call

TABLE = conformance.read_table("design")
TURNS = 4
SUBMIT = format_call("submit")


def add(a: object, b: object) -> str:
    return format_call("add_edge", a=str(a), b=str(b))


def edges(*pairs: tuple[Any, Any]) -> str:
    return block([list(pair) for pair in pairs])


EVERY = [(a, b) for a in range(6) for b in range(a + 2, 6)]
CASES: dict[str, tuple[str, ...]] = {
    "gold": (add(0, 4), SUBMIT),
    "gold_in_one_turn": (add(0, 4) + SUBMIT,),
    "gold_at_once": (edges((0, 4)),),
    "mirrored": (edges((1, 5)),),
    "reversed": (edges((4, 0)),),
    "texts": (edges(("0", "4")),),
    "whitespace": (edges((" 0", "4 ")),),
    "duplicates": (edges((0, 4), (4, 0), (0, 4)),),
    "repeated_call": (add(0, 4), add(0, 4), SUBMIT),
    "looked_first": (format_call("candidates") + format_call("inspect", node="0"), edges((0, 4))),
    "ring": (edges((0, 5)),),
    "poor": (edges((0, 2)),),
    "nothing": (SUBMIT,),
    "empty_answer": ("[]",),
    "over_1": (edges((0, 4), (1, 5)),),
    "over_10": (edges(*EVERY),),
    "over_1000": (edges((0, 4), *[(0, f"node {i}") for i in range(1000)]),),
    "list_everything": ("".join(add(*pair) for pair in EVERY), SUBMIT),
    "dangling": (edges((0, 6)),),
    "existing_edge": (edges((0, 1)),),
    "self_loop": (edges((0, 0)),),
    "removed": (block({"remove": [[0, 1]], "add": [[0, 4]]}),),
    "gold_after_mistakes": (add(0, 9), "hm", add(0, 4), SUBMIT),
    "never_submitted": (add(0, 4),) * TURNS,
    "wrong_wrapper": ("<program>[[0, 4]]</program>",) * TURNS,
    "hedged": (edges((0, 4)) + "\n" + edges((0, 5)),) * TURNS,
    "copied_prompt": (fx.make_env().tasks[PATH].prompt,) * TURNS,
    "no_pairs": (block([[0, 4, 5]]),) * TURNS,
    "huge": (edges((0, 4)) + "x" * 1_000_000,) * TURNS,
    "deep_nesting": ("[" * 50_000,) * TURNS,
}


@lru_cache(maxsize=8)
def env_for(reward: str, **kwargs: Any) -> Any:
    return fx.make_env(reward=reward, max_turns=TURNS, **kwargs)


def play(turns: tuple[str, ...], reward: str = TABLE.reward.name) -> Episode:
    episode: Episode = env_for(reward).play(PATH, turns)
    assert episode.ended
    return episode


def value(reward: str, turns: tuple[str, ...]) -> float:
    found = env_for(reward).reward([play(turns, reward)])[0].value
    assert found is not None
    return float(found)


@pytest.mark.parametrize("case", CASES)
def test_value(case: str):
    TABLE.check(case, play(CASES[case]))


def test_every_case_and_every_term_has_its_value():
    TABLE.check_rows([*CASES, "timeout"])
    by_objective = {t for t in rewards.TERMS if "step.objective" in rewards.term_class(t).needs}
    assert by_objective <= set(TABLE.terms)


def test_a_timeout_is_no_design():
    session = env_for(TABLE.reward.name).begin(PATH)
    session.turn(add(0, 4))
    session.time_out("x", "the clock")
    TABLE.check("timeout", session.episode())


@pytest.mark.parametrize("reward", conformance.PRESETS["graph-design"])
def test_too_much_pays_less_than_the_best_and_no_more_than_nothing(reward: str):
    best, less, nothing = (value(reward, CASES[name]) for name in ("gold", "ring", "nothing"))
    assert best > less > nothing
    for name in ("over_1", "over_10", "over_1000", "self_loop", "dangling", "removed"):
        assert value(reward, CASES[name]) <= nothing + 1e-12, name


def test_the_share_of_the_gain_by_hand():
    assert value("objective", CASES["ring"]) == pytest.approx(
        (PATH_RING - PATH_START) / (PATH_BEST - PATH_START)
    )
    episode = play(CASES["ring"])
    assert episode.success == pytest.approx(39 / 44)
    assert episode.metrics["gain"] == pytest.approx(PATH_RING - PATH_START)


def test_the_published_reward_is_the_difference():
    paper = "objective(paper='rnet-dqn')"
    assert value(paper, CASES["ring"]) == pytest.approx(PATH_RING - PATH_START)
    assert value(paper, CASES["never_submitted"]) == 0.0
    env = fx.make_env(reward=paper, goal="repair", mode="single")
    worse = env.play(RING, [block({"remove": [[4, 5]], "add": []})])
    score = env.reward([worse])[0]
    assert worse.status == "ok" and worse.success == 0.0
    assert score.value is not None and -1.0 <= score.value < 0.0
    assert value("objective", ("x",) * TURNS) == 0.0
    with pytest.raises(ConfigError, match="paper="):
        rewards.parse("objective(paper='galax')")


def test_where_nothing_better_is_known_a_design_must_not_be_worse():
    """A star of four nodes has diameter 2, and one edge more leaves it there."""
    env = fx.make_env(objective="diameter", mode="single")
    same, bad, none = (env.play(fx.STAR, [text]) for text in ("[]", edges((0, 0)), "?"))
    assert [e.success for e in (same, bad, none)] == [1.0, 0.0, 0.0]
    assert [s.value for s in env.reward([same, bad, none])] == [1.0, 0.0, 0.0]


def test_potential_pays_each_edge_what_it_gains_and_nothing_in_sum():
    env = env_for("objective + potential(objective_value)")
    episode = env.play(PATH, CASES["gold"])
    first, last = env.reward([episode])[0].steps
    assert first == pytest.approx(PATH_BEST - PATH_START)
    assert last == pytest.approx(1.0 - PATH_BEST)
    partial = env.reward.last_step(episode[:1])
    assert partial == pytest.approx(first)


def test_values_are_computed_only_where_a_reward_reads_them():
    env = fx.make_env(reward="format")
    episode = env.play(PATH, CASES["gold"])
    assert episode.start_values == {} and all(step.values == {} for step in episode.steps)
    assert episode.success == 1.0
    looked = env_for("objective").play(PATH, ("hm",) * TURNS)
    assert all("best" not in step.values for step in looked.steps)


@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize("goal", ["build", "repair"])
def test_gold_earns_the_most(index: int, goal: str):
    env = fx.make_env(reward="objective", goal=goal)
    episode = env.play(index, gold_turns(env, index))
    assert episode.status == "ok" and episode.success == 1.0
    assert env.reward([episode])[0].value == 1.0
