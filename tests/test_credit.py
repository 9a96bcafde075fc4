"""Credit: the numbers that turns get, and the theory that they rest on. No torch needed."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv import rewards
from graphenv.agents.credit import (
    CREDITS,
    EPSILON,
    Credit,
    OutcomeCredit,
    Scale,
    TurnCredit,
    advantages,
    check_credit,
    make_credit,
)
from graphenv.errors import ConfigError, UnknownNameError

NUMBERS = st.floats(-2, 2, allow_nan=False, width=32)
STEPS = st.lists(NUMBERS, min_size=1, max_size=6)
GROUP = st.lists(STEPS, min_size=2, max_size=5)


def known(found: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """Advantages of a batch in which every episode is known."""
    assert all(turns is not None for turns in found)
    return [turns for turns in found if turns is not None]


def close(one: Sequence[np.ndarray | None], other: Sequence[np.ndarray | None]) -> None:
    for a, b in zip(known(one), known(other), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def grpo(values: Sequence[float], scale: Scale, batch: Sequence[float]) -> np.ndarray:
    """The group normalisation as TRL computes it, written from its formula."""
    centred = np.asarray(values, dtype=float) - np.mean(values)
    if scale == "none":
        return centred
    return centred / (np.std(values if scale == "group" else batch, ddof=1) + EPSILON)


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
@given(groups=st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=2, max_size=3))
def test_outcome_is_the_normalisation_of_grpo(scale: Scale, groups: list[list[float]]) -> None:
    values = [value for group in groups for value in group]
    found = advantages(OutcomeCredit(), [[0.0, v] for v in values], 3, scale=scale)
    expected = np.concatenate([grpo(group, scale, values) for group in groups])
    close(found, [np.array([value, value]) for value in expected])


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
@given(group=st.lists(st.tuples(NUMBERS, st.integers(1, 5)), min_size=2, max_size=5))
def test_the_return_to_go_of_a_verdict_is_the_outcome(
    scale: Scale, group: list[tuple[float, int]]
) -> None:
    steps = [[0.0] * (turns - 1) + [value] for value, turns in group]
    outcome = advantages(OutcomeCredit(), steps, len(steps), scale=scale)
    turn = advantages(TurnCredit(lam=1), steps, len(steps), scale=scale)
    close(outcome, turn)


def test_turn_credit_pays_for_what_came_after() -> None:
    [first, second] = TurnCredit(lam=1)([[0.5, -0.5, 1.0], [0.0]])
    assert first.tolist() == [1.0, 0.5, 1.0]
    assert second.tolist() == [0.0]
    [discounted] = TurnCredit(lam=0.5)([[0.5, -0.5, 1.0]])
    assert discounted.tolist() == [0.5, 0.0, 1.0]
    [own] = TurnCredit(lam=0.0)([[0.5, -0.5, 1.0]])
    assert own.tolist() == [0.5, -0.5, 1.0]


@given(group=GROUP, constant=NUMBERS)
def test_a_constant_of_the_task_changes_nothing(group: list[list[float]], constant: float) -> None:
    moved = [[*steps[:-1], steps[-1] + constant] for steps in group]
    for credit in (OutcomeCredit(), TurnCredit(lam=1)):
        before = advantages(credit, group, len(group), scale="none")
        after = advantages(credit, moved, len(group), scale="none")
        close(before, after)


def test_a_turn_is_compared_with_the_same_turn_of_the_others() -> None:
    [short, long] = known(advantages(TurnCredit(lam=0), [[1.0], [0.0, 3.0]], 2, scale="none"))
    assert short.tolist() == [0.5]
    assert long.tolist() == [-0.5, 1.0]  # the first has ended, and stands with its last


@given(group=GROUP)
def test_an_episode_that_is_not_known_is_left_out(group: list[list[float]]) -> None:
    without = advantages(TurnCredit(), group, len(group))
    found = advantages(TurnCredit(), [group[0], None, *group[1:]], len(group) + 1)
    assert found[1] is None
    close(without, [found[0], *found[2:]])


def test_nothing_to_compare_with_is_nothing_to_learn() -> None:
    [alone, crashed] = advantages(TurnCredit(), [[0.0, 1.0], None], 2)
    assert crashed is None
    assert alone is not None and alone.tolist() == [0.0, 0.0]
    same = advantages(TurnCredit(), [[0.0, 1.0]] * 3, 3)
    assert all(turns is not None and not turns.any() for turns in same)


@given(group=GROUP)
def test_advantages_have_unit_scale_and_episodes_weigh_the_same(group: list[list[float]]) -> None:
    found = known(advantages(TurnCredit(), group, len(group)))
    spread = np.sqrt(sum(np.mean(a**2) for a in found) / (len(found) - 1))
    assert spread <= 1.0 + 1e-9
    twice = known(advantages(TurnCredit(), group * 2, 2 * len(group), scale="none"))
    close(twice, known(advantages(TurnCredit(), group, len(group), scale="none")) * 2)


# -- shaping: the theory, on a decision process small enough to sum over ---------------------------

STATES, ACTIONS, HORIZON = 3, 2, 3
Trajectory = tuple[tuple[int, ...], tuple[int, ...]]


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

    def trajectories(self) -> list[tuple[float, Trajectory]]:
        policy = np.exp(self.logits) / np.exp(self.logits).sum(axis=1, keepdims=True)
        found: dict[Trajectory, float] = {}
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

    def steps(self, path: Trajectory, *, shaped: bool) -> list[float]:
        states, actions = path
        pay = [0.0] * len(actions)
        pay[-1] = float(self.verdict[states[-1]])
        if shaped:
            levels = [*(self.phi[s] for s in states[:-1]), 0.0]  # 0 at the end
            pay = [
                p + after - before
                for p, before, after in zip(pay, levels, levels[1:], strict=False)
            ]
        return pay

    def score(self, path: Trajectory, weights: np.ndarray) -> np.ndarray:
        """Sum over turns of weight times the gradient of the action's log-probability."""
        policy = np.exp(self.logits) / np.exp(self.logits).sum(axis=1, keepdims=True)
        total = np.zeros_like(self.logits)
        for state, action, weight in zip(path[0][:-1], path[1], weights, strict=True):
            total[state] -= weight * policy[state]
            total[state, action] += weight
        return total

    def gradient(self, credit: Credit, *, shaped: bool, group_size: int = 2) -> np.ndarray:
        """The expected update of a group, summed over all groups that can be drawn."""
        paths = self.trajectories()
        total = np.zeros_like(self.logits)
        for group in itertools.product(paths, repeat=group_size):
            chance = float(np.prod([p for p, _ in group]))
            pay = [self.steps(path, shaped=shaped) for _, path in group]
            found = advantages(credit, pay, group_size, scale="none")
            for (_, path), turns in zip(group, found, strict=True):
                assert turns is not None
                total += chance * self.score(path, turns)
        return total


# Seeds whose process can both succeed and fail, in episodes of several lengths.
SEEDS = [5, 7, 9]
RETURN_TO_GO = TurnCredit(lam=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_shaping_is_a_baseline_of_the_return_to_go(seed: int) -> None:
    """A potential leaves the expected gradient as it is: to the last digit, not approximately."""
    chain = Chain(seed)
    plain = chain.gradient(RETURN_TO_GO, shaped=False)
    shaped = chain.gradient(RETURN_TO_GO, shaped=True)
    assert np.abs(plain).max() > 1e-3
    np.testing.assert_allclose(shaped, plain, atol=1e-12)
    np.testing.assert_allclose(plain, chain.gradient(OutcomeCredit(), shaped=False), atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_shaping_cannot_be_seen_under_outcome_credit(seed: int) -> None:
    """Not only in expectation: in every single group the advantages are the same."""
    chain = Chain(seed)
    paths = [path for _, path in chain.trajectories()]
    plain = advantages(OutcomeCredit(), [chain.steps(p, shaped=False) for p in paths], len(paths))
    shaped = advantages(OutcomeCredit(), [chain.steps(p, shaped=True) for p in paths], len(paths))
    close(plain, shaped)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_potential_lowers_the_variance(seed: int) -> None:
    """With phi close to the value of a state, single updates scatter less."""
    chain = Chain(seed)
    paths = chain.trajectories()
    reach: dict[int, list[tuple[float, float]]] = {}
    for chance, path in paths:
        for state in path[0][:-1]:
            reach.setdefault(state, []).append((chance, float(chain.verdict[path[0][-1]])))
    for state, seen in reach.items():
        chain.phi[state] = np.average([v for _, v in seen], weights=[c for c, _ in seen])

    def scatter(shaped: bool) -> float:
        mean = chain.gradient(RETURN_TO_GO, shaped=shaped)
        total = 0.0
        for group in itertools.product(paths, repeat=2):
            pay = [chain.steps(path, shaped=shaped) for _, path in group]
            found = advantages(RETURN_TO_GO, pay, 2, scale="none")
            update = sum(
                chain.score(path, turns)
                for (_, path), turns in zip(group, found, strict=True)
                if turns is not None
            )
            total += group[0][0] * group[1][0] * float(((update - mean) ** 2).sum())
        return total

    assert scatter(shaped=True) < scatter(shaped=False)


# -- the table, and what is refused ----------------------------------------------------------------


@pytest.mark.parametrize("name", CREDITS)
def test_every_credit_has_a_name_and_pickles(name: str) -> None:
    credit = make_credit(name)
    assert credit.name == name
    assert isinstance(credit, Credit)
    assert pickle.loads(pickle.dumps(credit)) == credit
    assert make_credit(credit) is credit
    assert make_credit(" turn(lam=0.25) ") == TurnCredit(lam=0.25)
    assert [len(turns) for turns in credit([[1.0], [0.0, 1.0, 2.0]])] == [1, 3]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: make_credit("trun"), UnknownNameError, "'turn'"),
        (lambda: make_credit("turn(lamb=1)"), ConfigError, "'lam'"),
        (lambda: make_credit("outcome(lam=1)"), ConfigError, "takes none"),
        (lambda: make_credit("turn(lam=1.5)"), ConfigError, r"\[0, 1\]"),
        (lambda: make_credit("turn(lam=__import__('os'))"), ConfigError, "not of the form"),
        (lambda: advantages(TurnCredit(), [[0.0]] * 3, 2), ConfigError, "groups of 2"),
    ],
)
def test_bad_settings_are_refused(
    make: Callable[[], object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make()


def test_shaping_without_step_credit_is_refused_with_the_reason() -> None:
    shaped, plain = rewards.parse("exact + progress"), rewards.parse("exact")
    with pytest.raises(ConfigError, match=r"(?s)telescopes.*credit='turn'"):
        check_credit(OutcomeCredit(), [plain, shaped])
    check_credit(OutcomeCredit(), [plain])
    check_credit(OutcomeCredit(), [shaped], control=True)
    check_credit(TurnCredit(), [shaped])
