"""Walks that are searched for ways to be paid for nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence

import kgqa_fixture as fx

from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode
from graphenv.seeding import rng
from graphenv.text import format_call

MOVES = fx.follow("^directed_by", "has_genre", "directed_by", "^has_genre", "remake_of")
BACK = format_call("back")
ACTIONS = (*MOVES, BACK)
END = format_call("answer_frontier")
IDLE = (
    format_call("relations"),
    *fx.follow("nonsense"),
    "not a turn at all",
)
"""Turns after which the state is what it was."""
ROUNDS = [[move, BACK] for move in MOVES[:4]] + [[format_call("start_at", entity="Heat"), BACK]]
"""Turns that go somewhere and come back, where they are possible."""


def states(episode: Episode) -> list[str]:
    """Return what tells the states of a walk apart: T + 1 of them."""
    kept = []
    for turns in range(len(episode) + 1):
        facts = episode.state(turns).facts
        kept.append(json.dumps({k: v for k, v in facts.items() if k != "moves"}, sort_keys=True))
    return kept


def walks(length: int) -> Iterator[list[str]]:
    """Yield every sequence of up to `length` actions."""
    for n in range(length + 1):
        yield from map(list, itertools.product(ACTIONS, repeat=n))


def straight(env: GraphEnv, index: int, turns: Sequence[str]) -> list[str]:
    """Return the turns without those between two visits of one state."""
    played = env.play(index, [*turns])
    seen = states(played)
    kept: list[str] = []
    at = 0
    while at < len(played):
        last = max(i for i, state in enumerate(seen) if state == seen[at])
        if last >= len(played):
            break
        kept.append(turns[last])
        at = last + 1
    return kept


def padded(
    env: GraphEnv, index: int, turns: Sequence[str], times: Sequence[int] = (1, 3)
) -> Iterator[list[str]]:
    """Yield the turns with something inserted that leaves the state as it was."""
    for at in range(len(turns) + 1):
        before, after = list(turns[:at]), list(turns[at:])
        here = states(env.play(index, before))[-1]
        rounds = [list(round_) for round_ in ROUNDS]
        if before and before[-1] in MOVES:
            rounds.append([BACK, before[-1]])
        for extra in [*([idle] for idle in IDLE), *rounds]:
            there = env.play(index, [*before, *extra])
            if states(there)[-1] == here and not there.ended:
                for n in times:
                    yield [*before, *extra * n, *after]


def drawn(count: int, length: int) -> list[list[str]]:
    """Return random sequences of actions; the same in every run."""
    generator = rng("tests.process.search")
    return [
        [ACTIONS[int(i)] for i in generator.integers(len(ACTIONS), size=length)]
        for _ in range(count)
    ]
