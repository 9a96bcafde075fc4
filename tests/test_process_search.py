"""Repetition, padding and cycling cannot raise a return, under any shipped process reward.

Walks are enumerated, and drawn at random where they are long. Each is compared with itself after
turns were put in that leave the state as it was, and with itself without its loops. The scorers
give arbitrary numbers to states: what holds for them holds for a scorer however it was trained.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

import kgqa_fixture as fx
import process_search as search
import pytest
from process_fixture import folder

from graphenv import envs, rewards
from graphenv.agents.families import family_of
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.rewards import parse
from graphenv.seeding import rng
from graphenv.text import format_call

TOL = 1e-9
NEED = "triple_f1 + progress + ged_progress + path_validity"
"""A reward that makes an environment keep everything that is read here."""
QUESTIONS = (fx.GENRES, fx.OUROBOROS)


def _terms(seed: int) -> list[str]:
    scorer = repr(folder("arbitrary", seed=seed))
    return [
        f"gnn_value(scorer={scorer})",
        f"gnn_process(scorer={scorer})",
        f"gnn_process(scorer={scorer}, shape='galax')",
        f"gnn_process(scorer={scorer}, shape='graphia', at=300)",
    ]


SHIPPED = ["progress", "ged_progress", *_terms(0), *_terms(1)[1:3]]
"""Every process reward that is no published formula."""
REWARDS = {term: parse(term) for term in SHIPPED}


@lru_cache(maxsize=16)
def env_for(max_turns: int) -> GraphEnv:
    return fx.make_env(reward=NEED, max_turns=max_turns)


def totals(played: Sequence[Episode]) -> dict[str, list[float]]:
    """Return the value of every episode under each reward; 0 where it does not apply."""
    return {
        term: [score.value or 0.0 for score in reward(played)] for term, reward in REWARDS.items()
    }


def check(pairs: Sequence[tuple[Episode, list[Episode]]]) -> None:
    """Check that nothing made of a walk earns more than the walk, under any reward."""
    first = totals([walk for walk, _ in pairs])
    second = totals([made for _, rows in pairs for made in rows])
    for term in SHIPPED:
        values = iter(second[term])
        for (walk, rows), own in zip(pairs, first[term], strict=True):
            for made in rows:
                texts = [s.text for s in walk.steps], [s.text for s in made.steps]
                assert next(values) <= own + TOL, (term, *texts)


def test_every_shipped_process_reward_is_searched():
    step = {
        n for n in rewards.names("kgqa") if rewards.term_class(n).kind in ("shaping", "process")
    }
    assert {term.partition("(")[0] for term in SHIPPED} == step


@pytest.mark.parametrize("index", QUESTIONS)
def test_no_loop_of_any_short_walk_pays(index: int):
    """All sequences of three actions, beside the same without what lies between two visits."""
    env = env_for(8)
    pairs = []
    for turns in search.walks(3):
        kept = search.straight(env, index, turns)
        if kept != turns:
            walks = [env.play(index, [*some, search.END]) for some in (kept, turns)]
            pairs.append((walks[0], walks[1:]))
    assert len(pairs) > 100
    check(pairs)


@pytest.mark.parametrize("limit", ["roomy", "tight"])
def test_padding_of_short_walks_never_pays(limit: str):
    """With turns to spare, and where what is put in pushes the answer beyond the limit."""
    pairs = []
    for turns in search.walks(2):
        env = env_for(14 if limit == "roomy" else len(turns) + 2)
        longer = search.padded(env_for(14), fx.GENRES, turns, times=(2,))
        made = [env.play(fx.GENRES, [*some, search.END]) for some in longer]
        pairs.append((env.play(fx.GENRES, [*turns, search.END]), made))
    assert sum(len(rows) for _, rows in pairs) > 500
    cut = any(made.status == "truncated" for _, rows in pairs for made in rows)
    assert cut == (limit == "tight")
    check(pairs)


def test_padding_of_walks_that_never_answer_does_not_pay():
    env = env_for(4)
    pairs = []
    for turns in search.drawn(4, 4):
        longer = search.padded(env_for(14), fx.GENRES, turns, times=(1,))
        pairs.append((env.play(fx.GENRES, turns), [env.play(fx.GENRES, some) for some in longer]))
    check(pairs)


def test_a_climb_over_paddings_finds_no_way_up():
    """From long random walks, the best of all single insertions is taken again and again."""
    env = env_for(14)
    for turns in search.drawn(2, 4):
        start = env.play(fx.GENRES, [*turns, search.END])
        for term in (SHIPPED[3], SHIPPED[4]):
            now = turns
            for _ in range(2):
                near = list(search.padded(env, fx.GENRES, now, times=(2,)))
                played = [env.play(fx.GENRES, [*longer, search.END]) for longer in near]
                values = [score.value or 0.0 for score in REWARDS[term](played)]
                best = max(range(len(values)), key=values.__getitem__)
                assert values[best] <= (REWARDS[term]([start])[0].value or 0.0) + TOL
                now = near[best]


@pytest.mark.parametrize(
    "paper", ["gnn_process(scorer={}, paper='galax')", "gnn_process(scorer={}, paper='graphia')"]
)
def test_the_search_finds_what_the_published_formulas_pay_for(paper: str):
    """It is able to fail: both published forms are raised by turns that change nothing."""
    reward = parse(paper.format(repr(folder("constant" if "galax" in paper else "by-size"))))
    env = env_for(14)
    gains = []
    for turns in search.walks(1):
        own = reward([env.play(fx.GENRES, [*turns, search.END])])[0].value or 0.0
        padded = search.padded(env, fx.GENRES, turns)
        played = [env.play(fx.GENRES, [*longer, search.END]) for longer in padded]
        gains += [(score.value or 0.0) - own for score in reward(played)]
    assert max(gains) > 0.1


# -- subgraphs ------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def grown(max_turns: int) -> GraphEnv:
    return envs.make("subgraph", reward=NEED, max_turns=max_turns)


def _rounds(index: int, before: list[str], seed: int) -> list[list[str]]:
    """Return turns that let a subgraph grow, or say it again, and leave it as it was."""
    session = grown(40).begin(index)
    session.play(before)
    here = set(session.episode().state(len(before)).graph.labels)  # type: ignore[union-attr]
    stray = family_of(grown(40), "search").stray(
        session, rng("tests.process.subgraph", index, seed)
    )
    session.turn(stray)
    there = session.episode().steps[-1].graph
    assert there is not None
    taken = [format_call("remove", node=name) for name in there.labels if name not in here]
    found = [[stray, *taken], [format_call("candidates")], ["not a turn"]]
    nowhere = format_call("add_edge", head="nobody", relation="knows", tail="nobody")
    return [*found, [nowhere], *([[before[-1]]] if before else [])]


@pytest.mark.parametrize("limit", ["roomy", "tight"])
def test_padding_of_subgraphs_never_pays(limit: str):
    """The gold play and strays from it, with growth taken back, calls said twice."""
    pairs, ways = [], 0
    for index, errors in itertools.product(range(3), (0, 2)):
        family = family_of(grown(40), "search")
        turns = family.planted(index, errors) if errors else family.gold(index)
        turns, end = turns[:-1], turns[-1]
        env = grown(40 if limit == "roomy" else len(turns) + 2)
        made = []
        for at in range(len(turns) + 1):
            before = list(turns[:at])
            here = search.states(grown(40).play(index, before))[-1]
            for extra in _rounds(index, before, at):
                there = grown(40).play(index, [*before, *extra])
                if search.states(there)[-1] == here and not there.ended:
                    ways += len(extra) > 1
                    made.append(env.play(index, [*before, *extra * 2, *turns[at:], end]))
        pairs.append((env.play(index, [*turns, end]), made))
    assert ways > 5 and sum(len(rows) for _, rows in pairs) > 100
    assert all(own.status == "ok" for own, _ in pairs)
    check(pairs)
