"""Trajectories for tests of credit, and a decision process small enough to sum over."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from graphenv.agents.credit import Credit, Floats, Scale, Trajectory, advantages

__all__ = ["HORIZON", "Chain", "Path", "bare", "close", "compared", "group_of", "known"]

Path = tuple[tuple[int, ...], tuple[int, ...]]
STATES, ACTIONS, HORIZON = 3, 2, 3


def bare(steps: Sequence[float], mark: object = "") -> Trajectory:
    """A trajectory of turn scores, in states of its own behind a common start."""
    keys = tuple(f"{mark}:{t}" for t in range(1, len(steps) + 1))
    return Trajectory(tuple(steps), states=("start", *keys), actions=keys, said=keys)


def group_of(scores: Sequence[Sequence[float]]) -> list[Trajectory]:
    return [bare(steps, place) for place, steps in enumerate(scores)]


def compared(
    credit: Credit,
    scores: Sequence[Sequence[float] | None],
    size: int,
    *,
    scale: Scale = "group",
) -> list[Floats | None]:
    """`advantages` of episodes of which only the scores matter."""
    made = [None if steps is None else bare(steps, i) for i, steps in enumerate(scores)]
    return advantages(credit, made, size, scale=scale)


def known(found: Sequence[Floats | None]) -> list[Floats]:
    """Advantages of a batch in which every episode is known."""
    assert all(turns is not None for turns in found)
    return [turns for turns in found if turns is not None]


def close(one: Sequence[Floats | None], other: Sequence[Floats | None]) -> None:
    for a, b in zip(known(one), known(other), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


class Chain:
    """A random decision process: deterministic moves, softmax policy, a verdict at the end."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.move = rng.integers(STATES, size=(STATES, ACTIONS))
        self.logits = rng.normal(size=(STATES, ACTIONS))
        self.verdict = rng.integers(2, size=STATES).astype(float)
        self.phi = rng.uniform(size=STATES)
        # Some states end the episode early, so that group members differ in length.
        self.ends = rng.integers(2, size=(STATES, ACTIONS)).astype(bool)

    @property
    def policy(self) -> Floats:
        chances: Floats = np.exp(self.logits) / np.exp(self.logits).sum(axis=1, keepdims=True)
        return chances

    def paths(self) -> list[tuple[float, Path]]:
        """Every episode with its chance."""
        policy = self.policy
        found: dict[Path, float] = {}
        for plan in itertools.product(range(ACTIONS), repeat=HORIZON):
            state, chance = 0, 1.0
            states, actions = [0], []
            for action in plan:
                chance *= policy[state, action]
                actions.append(action)
                over = self.ends[state, action]
                state = int(self.move[state, action])
                states.append(state)
                if over:
                    break
            found[tuple(states), tuple(actions)] = chance
        return [(chance, path) for path, chance in found.items()]

    def trajectory(self, path: Path, *, shaped: bool) -> Trajectory:
        states, actions = path
        verdict = float(self.verdict[states[-1]])
        pay = [0.0] * len(actions)
        pay[-1] = verdict
        if shaped:
            levels = [*(self.phi[s] for s in states[:-1]), 0.0]  # 0 at the end
            pay = [
                p + after - before
                for p, before, after in zip(pay, levels, levels[1:], strict=False)
            ]
        keys = tuple(f"{t}:{state}" for t, state in enumerate(states))
        return Trajectory(tuple(pay), verdict, keys, actions, actions)

    def score(self, path: Path, weights: Floats) -> Floats:
        """Sum over turns of weight times the gradient of the action's log-probability."""
        policy = self.policy
        total = np.zeros_like(self.logits)
        for state, action, weight in zip(path[0][:-1], path[1], weights, strict=True):
            total[state] -= weight * policy[state]
            total[state, action] += weight
        return total

    def gradient(self, credit: Credit, *, shaped: bool, group_size: int = 2) -> Floats:
        """The expected update of a group, summed over all groups that can be drawn."""
        total = np.zeros_like(self.logits)
        for group in itertools.product(self.paths(), repeat=group_size):
            chance = float(np.prod([p for p, _ in group]))
            made = [self.trajectory(path, shaped=shaped) for _, path in group]
            found = known(advantages(credit, made, group_size, scale="none"))
            for (_, path), turns in zip(group, found, strict=True):
                total += chance * self.score(path, turns)
        return total
