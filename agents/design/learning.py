"""Deep Q-learning of designs: a short loop over networks of the train split."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch.nn.functional import smooth_l1_loss

from graphenv.agents.design.picker import Picker, allowed
from graphenv.agents.threads import one_thread
from graphenv.checks import whole
from graphenv.envs.design import GraphDesignEnv
from graphenv.envs.design.network import Network
from graphenv.envs.design.sources import DesignSource
from graphenv.errors import ConfigError
from graphenv.seeding import rng, sample, stable_hash

__all__ = ["LearningConfig", "learn", "mean_gain"]

SCALE = 100.0
"""Gains are small; the published training multiplies them, too."""


@dataclass(frozen=True, kw_only=True)
class LearningConfig:
    """How a network learns to design.

    Parameters
    ----------
    rounds
        Rounds of `batch` episodes each.
    batch
        Episodes played at once, and transitions in a gradient step.
    steps
        Gradient steps for each pick of an episode.
    graphs
        Starts of the train split that are played, again and again.
    validation
        Starts of the validation split; the best network by them is kept.
    memory
        Transitions remembered.
    rate
        Learning rate of Adam.
    exploration
        Share of random picks at the end of the first half; it falls from 1.
    hidden, layers
        The network.
    seed
        Of the weights and of all draws.

    Raises
    ------
    ConfigError
        If one is out of range.
    """

    rounds: int = 160
    batch: int = 32
    steps: int = 2
    graphs: int = 500
    validation: int = 50
    memory: int = 20_000
    rate: float = 5e-4
    exploration: float = 0.1
    hidden: int = 64
    layers: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("rate", "exploration"):
                if not isinstance(value, int | float) or not 0 < value < 1:
                    raise ConfigError(f"learn: {field.name}={value!r} must lie between 0 and 1")
            else:
                whole("learn", field.name, value, 0 if field.name == "seed" else 1)


class _Memory:
    """Transitions in a ring: states before and after a pick, what it was, what it gained."""

    def __init__(self, room: int, size: int) -> None:
        self.before = np.zeros((room, size, size), dtype=bool)
        self.after = np.zeros((room, size, size), dtype=bool)
        self.numbers = np.zeros((room, 5), dtype=np.int64)  # first, left, pick, first', left'
        self.gain = np.zeros(room, dtype=np.float32)
        self.known = 0

    def add(
        self, before: np.ndarray, after: np.ndarray, numbers: np.ndarray, gain: np.ndarray
    ) -> None:
        places = (self.known + np.arange(len(before))) % len(self.before)
        self.before[places], self.after[places] = before, after
        self.numbers[places], self.gain[places] = numbers, gain
        self.known += len(before)

    def draw(self, draw: np.random.Generator, count: int) -> np.ndarray:
        return draw.integers(min(self.known, len(self.before)), size=count)


def learn(
    env: GraphDesignEnv,
    config: LearningConfig | None = None,
    *,
    validation: GraphDesignEnv | None = None,
    on_report: Callable[[int, float], None] | None = None,
) -> Picker:
    """Return a network that learned to add edges in the starts of `env`.

    Double Q-learning with a memory and a slow copy of the network. An edge is two picks; after the
    second, the gain of the objective is paid, so that an episode earns F(end) - F(start), as
    published, and every edge its part of it (the potential `objective_value`, undiscounted).

    Parameters
    ----------
    env
        An environment that builds networks of one size; its split should be `train`.
    config
        How to learn.
    validation
        An environment whose starts choose among the networks met on the way; without, the last
        one is returned.
    on_report
        Called now and then with the round and the mean gain on the validation starts.

    Raises
    ------
    ConfigError
        If the goal is to repair, or the starts differ in size.

    References
    ----------
    Darvariu, Hailes and Musolesi, Goal-directed graph construction using reinforcement learning,
    Proceedings of the Royal Society A 477, 2021; van Hasselt, Guez and Silver, Deep reinforcement
    learning with double Q-learning, AAAI 2016.
    """
    config = config or LearningConfig()
    source = env.design_source
    if source.goal != "build":
        raise ConfigError("learn: the goal of the environment needs to be 'build'")
    chosen = sample(len(source), config.graphs, "learn designs", config.seed)
    starts = [(i, source.start(i)) for i in chosen]
    size = len(starts[0][1])
    if any(len(start) != size for _, start in starts):
        raise ConfigError("learn: the starts differ in size; give nodes=")
    draw = rng("learn designs", config.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stable_hash("learn designs", config.seed, bits=32))
        picker = Picker(hidden=config.hidden, layers=config.layers)
    slow = copy.deepcopy(picker)
    optimizer = torch.optim.Adam(picker.parameters(), lr=config.rate)
    memory = _Memory(config.memory, size)
    kept: dict[str, torch.Tensor] = {}
    best = -np.inf
    first_values = {i: source.value(start, i) for i, start in starts}
    report = max(1, config.rounds // 8)
    for number in range(config.rounds):
        dice = max(config.exploration, 1 - (1 - config.exploration) * 2 * number / config.rounds)
        batch = [starts[at] for at in draw.integers(len(starts), size=config.batch)]
        with one_thread():
            picks = _play(picker, source, batch, first_values, dice, draw, memory)
            for _ in range(config.steps * picks):
                _improve(picker, slow, optimizer, memory, memory.draw(draw, config.batch))
                with torch.no_grad():
                    for old, new in zip(slow.parameters(), picker.parameters(), strict=True):
                        old.lerp_(new, 0.02)
        if validation is not None and (number + 1) % report == 0:
            gain = mean_gain(picker, validation.design_source, config.validation)
            if on_report is not None:
                on_report(number + 1, gain)
            if gain > best:
                best, kept = gain, copy.deepcopy(picker.state_dict())
    if kept:
        picker.load_state_dict(kept)
    return picker.eval()


def mean_gain(picker: Picker, source: DesignSource, count: int) -> float:
    """Return the mean F(end) - F(start) of a network on starts of a source."""
    gains = []
    with one_thread():
        for i in sample(len(source), count, "design gain"):
            start = source.start(i)
            end = start.changed(picker.design(start, source.budget(start)))
            gains.append(source.value(end, i) - source.value(start, i))
    return float(np.mean(gains))


def _play(
    picker: Picker,
    source: DesignSource,
    batch: list[tuple[int, Network]],
    first_values: dict[int, float],
    dice: float,
    draw: np.random.Generator,
    memory: _Memory,
) -> int:
    """Play one episode on each start, all in step; return how many picks an episode has."""
    now = np.stack([start.adjacency for _, start in batch])
    values = np.array([first_values[i] for i, _ in batch])
    rows = np.arange(len(batch))
    budget = min(source.budget(start) for _, start in batch)
    for left in range(budget, 0, -1):
        lefts = np.full(len(batch), left)
        none = np.full(len(batch), -1)
        one = _picked(picker, now, none, lefts, dice, draw)
        idle = np.zeros(len(batch), dtype=np.float32)
        memory.add(now, now, np.stack([none, lefts, one, one, lefts], axis=1), idle)
        other = _picked(picker, now, one, lefts, dice, draw)
        after = now.copy()
        after[rows, one, other] = after[rows, other, one] = True
        found = np.array(
            [
                source.objective.values(after[at][None], source.name(i))[0]
                for at, (i, _) in enumerate(batch)
            ]
        )
        gain = ((found - values) * SCALE).astype(np.float32)
        memory.add(now, after, np.stack([one, lefts, other, none, lefts - 1], axis=1), gain)
        now, values = after, found
    return 2 * budget


def _picked(
    picker: Picker,
    now: np.ndarray,
    first: np.ndarray,
    left: np.ndarray,
    dice: float,
    draw: np.random.Generator,
) -> np.ndarray:
    chosen = picker.best(now, first, left)
    free = allowed(now, first)
    wild = np.nonzero(draw.random(len(now)) < dice)[0]
    for at in wild.tolist():
        options = np.nonzero(free[at])[0]
        chosen[at] = options[int(draw.integers(len(options)))]
    return chosen


def _improve(
    picker: Picker,
    slow: Picker,
    optimizer: torch.optim.Optimizer,
    memory: _Memory,
    places: np.ndarray,
) -> None:
    first, left, pick, next_first, next_left = memory.numbers[places].T.copy()
    after = memory.after[places]
    free = allowed(after, next_first)
    on = (next_left > 0) & free.any(axis=1)
    state = torch.from_numpy(after), torch.from_numpy(next_first), torch.from_numpy(next_left)
    with torch.no_grad():
        open_ = torch.from_numpy(free)
        choice = picker(*state).masked_fill(~open_, -torch.inf).argmax(dim=1, keepdim=True)
        later = slow(*state).gather(1, choice).squeeze(1) * torch.from_numpy(on)
        target = torch.from_numpy(memory.gain[places]) + later
    said = picker(
        torch.from_numpy(memory.before[places]), torch.from_numpy(first), torch.from_numpy(left)
    )
    value = said.gather(1, torch.from_numpy(pick)[:, None]).squeeze(1)
    loss = smooth_l1_loss(value, target)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(picker.parameters(), 5.0)
    optimizer.step()
