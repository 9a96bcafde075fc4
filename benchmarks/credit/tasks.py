"""Tasks small enough to enumerate: every episode, its chance, and the exact advantage of a turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from graphenv.agents.credit import Floats, Trajectory

__all__ = ["REWARDS", "Enumerated", "Play", "trajectory"]

REWARDS = ("verdict", "verdict + potential", "verdict + process")
"""The rewards that are compared; all judge by the same verdict."""

Place = tuple[int, str]
"""How many turns were played, and the state: all that what comes later depends on."""
Choice = tuple[Place, str]


@dataclass(frozen=True)
class Play:
    """One episode: the states before and after each turn, what was done, how it was judged.

    `levels` are the potential's values of the states, without the 0 that it takes at the end.
    """

    states: tuple[str, ...]
    actions: tuple[str, ...]
    verdict: float
    levels: tuple[float, ...]


def trajectory(play: Play, reward: str) -> Trajectory:
    """Return the trajectory of an episode under one of `REWARDS`.

    A potential pays phi(s') - phi(s) with phi = 0 at the end, so it changes no optimum; `process`
    pays the same differences, and the end keeps what was reached.

    >>> play = Play(("a", "b", "c"), ("x", "y"), 1.0, (0.0, 0.5, 1.0))
    >>> [trajectory(play, reward).rewards for reward in REWARDS]
    [(0.0, 1.0), (0.5, 0.5), (0.5, 1.5)]
    """
    paid = [0.0] * len(play.actions)
    if reward != "verdict":
        last = 0.0 if reward == "verdict + potential" else play.levels[-1]
        levels = [*play.levels[:-1], last]
        paid = [after - before for before, after in pairwise(levels)]
    rewards = (*paid[:-1], paid[-1] + play.verdict)
    return Trajectory(rewards, play.verdict, play.states, play.actions, play.actions)


class Enumerated:
    """All episodes of a task under a softmax policy with one number for each state and action.

    Parameters
    ----------
    plays
        Every episode that can be played. In a state the same actions are always open, and what an
        action leads to depends on the state and the turns played.
    logit
        The policy's number of a state and an action.

    Attributes
    ----------
    edges
        Choices (place, action), numbered; `advantage` and `visits` are in their order.
    after
        The state that a choice leads to, "" at an end; `number` finds an episode by its actions.
    """

    def __init__(self, plays: Sequence[Play], logit: Callable[[str, str], float]) -> None:
        self.plays = list(plays)
        self.number = {play.actions: number for number, play in enumerate(self.plays)}
        self.start: Place = (0, self.plays[0].states[0])
        options: dict[str, dict[str, None]] = {}
        after: dict[Choice, Place | float] = {}
        for play in self.plays:
            for t, (state, action) in enumerate(_steps(play)):
                options.setdefault(state, {})[action] = None
                over = t + 1 == len(play.actions)
                led = play.verdict if over else (t + 1, play.states[t + 1])
                assert after.setdefault(((t, state), action), led) == led
        self.options = {state: list(actions) for state, actions in options.items()}
        self.policy: dict[str, Floats] = {}
        for state, actions in self.options.items():
            weights = np.exp([logit(state, action) for action in actions])
            self.policy[state] = weights / weights.sum()
        self.after = {c: led[1] if isinstance(led, tuple) else "" for c, led in after.items()}
        self._solve(after)

    def _solve(self, after: Mapping[Choice, Place | float]) -> None:
        """Dynamic programming: values from the end, visits from the start."""
        places = sorted({place for place, _ in after})
        worth: dict[Place, Floats] = {}
        self.value: dict[Place, float] = {}
        for place in reversed(places):
            led = [after[place, action] for action in self.options[place[1]]]
            worth[place] = np.array([self.value[x] if isinstance(x, tuple) else x for x in led])
            self.value[place] = float(self.policy[place[1]] @ worth[place])
        reached = dict.fromkeys(places, 0.0)
        reached[self.start] = 1.0
        self.edges: dict[Choice, int] = {}
        advantage: list[float] = []
        visits: list[float] = []
        for place in places:
            chances = self.policy[place[1]]
            for action, chance, q in zip(
                self.options[place[1]], chances, worth[place], strict=True
            ):
                self.edges[place, action] = len(self.edges)
                advantage.append(q - self.value[place])
                visits.append(reached[place] * chance)
                led_to = after[place, action]
                if isinstance(led_to, tuple):
                    reached[led_to] += reached[place] * chance
        self.advantage: Floats = np.array(advantage)
        self.visits: Floats = np.array(visits)
        self.paths = [
            np.array([self.edges[(t, state), action] for t, (state, action) in enumerate(steps)])
            for steps in map(_steps, self.plays)
        ]
        chance_of = {
            (state, action): chance
            for state, actions in self.options.items()
            for action, chance in zip(actions, self.policy[state], strict=True)
        }
        self.chances: Floats = np.array(
            [np.prod([chance_of[step] for step in _steps(play)]) for play in self.plays]
        )

    def scores(self) -> Floats:
        """Return the gradient of log pi for every edge, over the numbers of the policy."""
        column = {
            choice: place
            for place, choice in enumerate(
                (state, action) for state, actions in self.options.items() for action in actions
            )
        }
        found = np.zeros((len(self.edges), len(column)))
        for ((_, state), action), edge in self.edges.items():
            for other, chance in zip(self.options[state], self.policy[state], strict=True):
                found[edge, column[state, other]] -= chance
            found[edge, column[state, action]] += 1.0
        return found

    @property
    def success(self) -> float:
        """The expected verdict."""
        return self.value[self.start]

    def about(self) -> dict[str, float]:
        """Return sizes, and how often the policy succeeds."""
        return {
            "episodes": len(self.plays),
            "choices": len(self.edges),
            "turns": float(sum(self.visits)),
            "success": self.success,
        }


def _steps(play: Play) -> list[tuple[str, str]]:
    return list(zip(play.states, play.actions, strict=False))
