"""Bias and variance of credits, by drawing groups from enumerated tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from graphenv.agents.credit import (
    Credit,
    Floats,
    advantages,
    make_credit,
    shares,
)
from graphenv.benchmarks.credit.made import MADE, made
from graphenv.benchmarks.credit.tasks import REWARDS, Enumerated, trajectory
from graphenv.benchmarks.credit.world import question
from graphenv.seeding import rng

__all__ = ["GROUP", "GROUPS", "PAIRS", "TASKS", "credits_of_tasks", "measure"]

GROUP = 8
GROUPS = 2_000

_VERDICT, _POTENTIAL, _PROCESS = REWARDS
PAIRS: tuple[tuple[str, str], ...] = (
    *((_VERDICT, text) for text in ("outcome", "trajectory-graph", "prefix-tree")),
    *((_VERDICT, text) for text in ("siblings(ways=2)", "siblings(ways=4)")),
    *((_POTENTIAL, f"turn(lam={lam})") for lam in (1, 0.9, 0.5, 0)),
    *((_POTENTIAL, text) for text in ("min-form", "gated(lam=1)")),
    *((_POTENTIAL, f"turn(lam=1)|{name}") for name in ("delta", "clip", "par")),
    *((_PROCESS, text) for text in ("turn(lam=1)", "turn(lam=0.5)", "min-form", "gated(lam=1)")),
    *((_PROCESS, f"turn(lam=1)|{name}") for name in ("delta", "clip", "par")),
)
"""Rewards and credits. A credit of returns gives the same with a potential as without one."""

TASKS: dict[str, Callable[[], Enumerated]] = {
    **{name: lambda name=name: made(name) for name in MADE},  # type: ignore[misc]
    "kgqa": question,
}
"""Tasks by name."""


def credits_of_tasks(*, quick: bool) -> list[dict[str, Any]]:
    """Return a row for every task, reward and credit."""
    rows: list[dict[str, Any]] = []
    for name, make in TASKS.items():
        task = make()
        for reward, text in PAIRS:
            found = measure(task, reward, make_credit(text), 40 if quick else GROUPS, name)
            rows.append({"task": name, "reward": reward, "credit": text, **found, **task.about()})
    return rows


def measure(
    task: Enumerated, reward: str, credit: Credit, groups: int, name: str = ""
) -> dict[str, float | None]:
    """Return how a credit's numbers stand to the exact advantages of the verdict.

    With A the exact advantage of a choice, D what the credit gives for it (before the division by
    sigma), and expectations over groups of `GROUP` episodes:

    - `bias`: the mean of D, less what all choices of a place have in common (a baseline, which
      changes no gradient), is compared with the multiple k A that fits it best. Root mean square
      of what is left, over that of k A. What is left by chance is taken out.
    - `noise`: root mean square of D around its mean for the same choice, over that of k A.
    - `cosine`: of the mean update with the exact policy gradient of the verdict; `one_cosine`: of
      the update of a single group, on average (0 for a group without an update).
    - `groups`: how many groups must be averaged until the noise of the update is as long as its
      part along the exact gradient.
    - `sampled`: turns that are sampled for a group.

    `None`: the credit points away from the gradient, and no positive multiple fits.
    """
    draw = rng("credit benchmark groups", name, credit.branch)  # the same groups for all alike
    bank = [trajectory(play, reward) for play in task.plays]
    size = len(task.edges)
    squares, count, chance = np.zeros(size), np.zeros(size), np.zeros((3, size))
    updates = np.zeros((groups, size))
    sampled = 0
    for number in range(groups):
        if credit.branch > 1:
            leaves, names, turns = _tree(task, credit.branch, draw)
            group = [replace(bank[i], branches=b) for i, b in zip(leaves, names, strict=True)]
        else:
            leaves = draw.choice(len(bank), size=GROUP, p=task.chances).tolist()
            group = [bank[i] for i in leaves]
            turns = sum(len(one.rewards) for one in group)
        sampled += turns
        found = advantages(credit, group, GROUP, scale="none")
        given = np.concatenate([turns for turns in found if turns is not None])
        edges = np.concatenate([task.paths[i] for i in leaves])
        updates[number] = here = np.bincount(edges, given, size)
        times = np.bincount(edges, minlength=size)
        squares += np.bincount(edges, given**2, size)
        count += times
        chance += (here**2, here * times, times**2)
    seen = count > 0
    often = np.where(seen, count, 1)
    mean = updates.sum(axis=0) / often
    spread = squares / often - mean**2
    weight = task.visits * seen
    own = _without_baseline(task, mean, weight)
    signal = float(weight @ task.advantage**2)
    k = float(weight @ (own * task.advantage)) / signal
    scale = abs(k) * np.sqrt(signal)
    # What chance leaves in `mean`: the variance of a ratio of sums over groups, because the rows of
    # one group depend on each other.
    by_chance = (chance[0] - 2 * mean * chance[1] + mean**2 * chance[2]) / often**2
    left = float(weight @ (own - k * task.advantage) ** 2) - float(weight @ by_chance)
    return {
        "bias": float(np.sqrt(max(left, 0.0)) / scale) if k > 0 else None,
        "noise": float(np.sqrt(weight @ spread) / scale) if k > 0 else None,
        **_updates(task, updates),
        "k": k,
        "sampled": sampled / groups,
    }


def _without_baseline(task: Enumerated, mean: Floats, weight: Floats) -> Floats:
    """Return the mean credit of each choice less the policy's mean over choices of its place."""
    place: dict[Any, int] = {}
    owner = np.array([place.setdefault(where, len(place)) for where, _ in task.edges])
    mass = np.bincount(owner, weight)
    middle = np.divide(
        np.bincount(owner, weight * mean), mass, where=mass > 0, out=np.zeros(len(mass))
    )
    found: Floats = (mean - middle[owner]) * (weight > 0)
    return found


def _updates(task: Enumerated, updates: Floats) -> dict[str, float | None]:
    scores = task.scores()
    exact = (task.visits * task.advantage) @ scores
    exact /= np.linalg.norm(exact)
    found = updates @ scores / GROUP
    mean = found.mean(axis=0)
    lengths = np.linalg.norm(found, axis=1)
    along = found @ exact
    single = np.divide(along, lengths, where=lengths > 1e-12, out=np.zeros(len(found)))
    forward = float(along.mean())
    scatter = float(((found - mean) ** 2).sum(axis=1).mean())
    return {
        "cosine": float(mean @ exact / max(np.linalg.norm(mean), 1e-12)),
        "one_cosine": float(single.mean()),
        "groups": scatter / forward**2 if forward > 0 else None,
    }


def _tree(
    task: Enumerated, ways: int, draw: np.random.Generator
) -> tuple[list[int], list[tuple[str, ...]], int]:
    """Draw a tree of rollouts; return its leaves, the branches of their turns, and its turns."""
    leaves: list[int] = []
    names: list[tuple[str, ...]] = []
    turns = 0

    def grow(state: str, actions: tuple[str, ...], branches: tuple[str, ...], left: int) -> None:
        nonlocal turns
        if actions in task.number:
            leaves.extend([task.number[actions]] * left)
            names.extend([branches] * left)
            return
        for share in shares(left, ways):
            turns += 1
            branch = branches[-1] if left == 1 else f"{turns}"
            action = str(draw.choice(task.options[state], p=task.policy[state]))
            after = task.after[(len(actions), state), action]
            grow(after, (*actions, action), (*branches, branch), share)

    grow(task.start[1], (), (), GROUP)
    return leaves, names, turns
