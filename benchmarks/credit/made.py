"""Made tool tasks of a few turns, each with its own trouble for credit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphenv.benchmarks.credit.tasks import Enumerated, Play
from graphenv.seeding import rng

__all__ = ["MADE", "made"]

OVER = "over"


@dataclass(frozen=True)
class Rules:
    """A task: how a state goes on, which states are right in the end, how near a state is.

    `after` returns the next state; one that begins with `OVER` ends the episode.
    """

    about: str
    start: str
    actions: Callable[[str], list[str]]
    after: Callable[[str, str], str]
    right: Callable[[str], bool]
    near: Callable[[str], float]
    turns: int


def _walk_after(state: str, action: str) -> str:
    at = int(state)
    return {
        "on": str(min(at + 1, 3)),
        "back": str(max(at - 1, 0)),
        "look": state,
        "answer": f"{OVER} {at}",
    }[action]


def _open_after(state: str, action: str) -> str:
    if action == "open":
        return f"{OVER} {state}"
    return "".join(sorted({*state.replace("-", ""), *action[0]})) if action != "wait" else state


def _door_after(state: str, action: str) -> str:
    if state == "start":
        return f"{action} 1"
    door, turn = state.split()
    return f"{OVER} {door}" if turn == "3" else f"{door} {int(turn) + 1}"


MADE: dict[str, Rules] = {
    "walk": Rules(
        "go on three times and answer; looking and going back are in vain",
        "0",
        lambda state: ["on", "back", "look", "answer"],
        _walk_after,
        lambda end: end == f"{OVER} 3",
        lambda state: int(state.removeprefix(OVER)) / 3,
        6,
    ),
    "two tools": Rules(
        "use tool k and tool m, in any order, then open; ways meet again",
        "-",
        lambda state: ["k", "m", "wait", "open"],
        _open_after,
        lambda end: end == f"{OVER} km",
        lambda state: len(state.removeprefix(OVER).strip(" -")) / 2,
        5,
    ),
    "first choice": Rules(
        "one of three doors at the start is right; the three turns behind it change nothing",
        "start",
        lambda state: ["left", "middle", "right"] if state == "start" else ["talk", "nod"],
        _door_after,
        lambda end: end == f"{OVER} middle",
        lambda state: 0.25 if "middle" in state else 0.0,
        4,
    ),
}
"""Tasks by name."""


def made(name: str) -> Enumerated:
    """Return a task of `MADE` under a policy that is better than chance, drawn with a fixed seed.

    >>> task = made("first choice")
    >>> task.about()["episodes"], 0.3 < task.success < 0.9
    (24, True)
    """
    rules = MADE[name]
    plays: list[Play] = []

    def play(states: tuple[str, ...], actions: tuple[str, ...]) -> None:
        over = states[-1].startswith(OVER)
        if over or len(actions) == rules.turns:
            levels = tuple(rules.near(state) for state in states)
            plays.append(Play(states, actions, float(rules.right(states[-1])), levels))
            return
        for action in rules.actions(states[-1]):
            play((*states, rules.after(states[-1], action)), (*actions, action))

    play((rules.start,), ())
    draw = rng("credit benchmark", name)
    logits: dict[tuple[str, str], float] = {}

    def logit(state: str, action: str) -> float:
        if (state, action) not in logits:
            rise = rules.near(rules.after(state, action)) - rules.near(state)
            logits[state, action] = float(draw.normal(0.0, 0.5)) + 3.0 * rise
        return logits[state, action]

    return Enumerated(plays, logit)
