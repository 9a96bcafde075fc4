"""Credit: the numbers that turns get, and the theory that they rest on. No torch needed."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from credit_fixture import Chain, close, compared, group_of, known
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import rewards
from graphenv.agents.credit import (
    CREDITS,
    EPSILON,
    TRANSFORMS,
    Clip,
    Credit,
    Delta,
    MinFormCredit,
    OutcomeCredit,
    PrefixTreeCredit,
    Scale,
    SiblingsCredit,
    Transformed,
    TurnCredit,
    advantages,
    check_credit,
    make_credit,
)
from graphenv.errors import ConfigError, UnknownNameError

NUMBERS = st.floats(-2, 2, allow_nan=False, width=32)
STEPS = st.lists(NUMBERS, min_size=1, max_size=6)
GROUP = st.lists(STEPS, min_size=2, max_size=5)


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
    found = compared(OutcomeCredit(), [[0.0, v] for v in values], 3, scale=scale)
    expected = np.concatenate([grpo(group, scale, values) for group in groups])
    close(found, [np.array([value, value]) for value in expected])


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
@given(group=st.lists(st.tuples(NUMBERS, st.integers(1, 5)), min_size=2, max_size=5))
def test_the_return_to_go_of_a_verdict_is_the_outcome(
    scale: Scale, group: list[tuple[float, int]]
) -> None:
    steps = [[0.0] * (turns - 1) + [value] for value, turns in group]
    outcome = compared(OutcomeCredit(), steps, len(steps), scale=scale)
    turn = compared(TurnCredit(lam=1), steps, len(steps), scale=scale)
    close(outcome, turn)


def test_turn_credit_pays_for_what_came_after() -> None:
    [first, second] = TurnCredit(lam=1)(group_of([[0.5, -0.5, 1.0], [0.0]]))
    assert first.tolist() == [1.0, 0.5, 1.0]
    assert second.tolist() == [0.0]
    [discounted] = TurnCredit(lam=0.5)(group_of([[0.5, -0.5, 1.0]]))
    assert discounted.tolist() == [0.5, 0.0, 1.0]
    [own] = TurnCredit(lam=0.0)(group_of([[0.5, -0.5, 1.0]]))
    assert own.tolist() == [0.5, -0.5, 1.0]


@given(group=GROUP, constant=NUMBERS)
def test_a_constant_of_the_task_changes_nothing(group: list[list[float]], constant: float) -> None:
    moved = [[*steps[:-1], steps[-1] + constant] for steps in group]
    for credit in (OutcomeCredit(), TurnCredit(lam=1)):
        before = compared(credit, group, len(group), scale="none")
        after = compared(credit, moved, len(group), scale="none")
        close(before, after)


def test_a_turn_is_compared_with_the_same_turn_of_the_others() -> None:
    [short, long] = known(compared(TurnCredit(lam=0), [[1.0], [0.0, 3.0]], 2, scale="none"))
    assert short.tolist() == [0.5]
    assert long.tolist() == [-0.5, 1.0]  # the first has ended, and stands with its last


@given(group=GROUP)
def test_an_episode_that_is_not_known_is_left_out(group: list[list[float]]) -> None:
    without = compared(TurnCredit(), group, len(group))
    found = compared(TurnCredit(), [group[0], None, *group[1:]], len(group) + 1)
    assert found[1] is None
    close(without, [found[0], *found[2:]])


def test_nothing_to_compare_with_is_nothing_to_learn() -> None:
    [alone, crashed] = compared(TurnCredit(), [[0.0, 1.0], None], 2)
    assert crashed is None
    assert alone is not None and alone.tolist() == [0.0, 0.0]
    same = compared(TurnCredit(), [[0.0, 1.0]] * 3, 3)
    assert all(turns is not None and not turns.any() for turns in same)


@given(group=GROUP)
def test_advantages_have_unit_scale_and_episodes_weigh_the_same(group: list[list[float]]) -> None:
    found = known(compared(TurnCredit(), group, len(group)))
    spread = np.sqrt(sum(np.mean(a**2) for a in found) / (len(found) - 1))
    assert spread <= 1.0 + 1e-9
    twice = known(compared(TurnCredit(), group * 2, 2 * len(group), scale="none"))
    close(twice, known(compared(TurnCredit(), group, len(group), scale="none")) * 2)


# -- shaping: the theory, on a decision process small enough to sum over ---------------------------

# Seeds whose process can both succeed and fail, in episodes of several lengths.
SEEDS = [5, 7, 9]
RETURN_TO_GO = TurnCredit(lam=1)
BLIND = [name for name in CREDITS if not make_credit(name).sees_turns]


@pytest.mark.parametrize("seed", SEEDS)
def test_shaping_is_a_baseline_of_the_return_to_go(seed: int) -> None:
    """A potential leaves the expected gradient as it is: to the last digit, not approximately."""
    chain = Chain(seed)
    plain = chain.gradient(RETURN_TO_GO, shaped=False)
    shaped = chain.gradient(RETURN_TO_GO, shaped=True)
    assert np.abs(plain).max() > 1e-3
    np.testing.assert_allclose(shaped, plain, atol=1e-12)
    np.testing.assert_allclose(plain, chain.gradient(OutcomeCredit(), shaped=False), atol=1e-12)


@pytest.mark.parametrize("name", BLIND)
@pytest.mark.parametrize("seed", SEEDS)
def test_shaping_cannot_be_seen_by_credits_of_returns(seed: int, name: str) -> None:
    """Not only in expectation: in every single group the advantages are the same."""
    chain = Chain(seed)
    paths = [path for _, path in chain.paths()]
    found = []
    for shaped in (False, True):
        made = [chain.trajectory(path, shaped=shaped) for path in paths]
        found.append(advantages(make_credit(name), made, len(paths)))
    close(*found)


@pytest.mark.parametrize("name", ["trajectory-graph", "prefix-tree"])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_shared_never_turns_the_update_around(seed: int, name: str) -> None:
    chain = Chain(seed)
    exact = chain.gradient(OutcomeCredit(), shaped=False).ravel()
    found = chain.gradient(make_credit(name), shaped=False).ravel()
    assert found @ exact / np.linalg.norm(found) / np.linalg.norm(exact) > 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_potential_lowers_the_variance(seed: int) -> None:
    """With phi close to the value of a state, single updates scatter less."""
    chain = Chain(seed)
    paths = chain.paths()
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
            made = [chain.trajectory(path, shaped=shaped) for _, path in group]
            found = known(advantages(RETURN_TO_GO, made, 2, scale="none"))
            update = sum(
                chain.score(path, turns) for (_, path), turns in zip(group, found, strict=True)
            )
            total += group[0][0] * group[1][0] * float(((update - mean) ** 2).sum())
        return total

    assert scatter(shaped=True) < scatter(shaped=False)


# -- the tables, and what is refused ---------------------------------------------------------------


@pytest.mark.parametrize("text", [*CREDITS, *(f"turn|{name}" for name in TRANSFORMS)])
def test_every_credit_has_a_name_and_pickles(text: str) -> None:
    credit = make_credit(text)
    assert credit.name == text
    assert isinstance(credit, Credit)
    assert pickle.loads(pickle.dumps(credit)) == credit
    assert make_credit(credit) is credit
    assert [len(turns) for turns in credit(group_of([[1.0], [0.0, 1.0, 2.0]]))] == [1, 3]
    assert credit([]) == []


@pytest.mark.parametrize("text", [*CREDITS, *(f"turn|{name}" for name in TRANSFORMS)])
@settings(max_examples=20)
@given(group=GROUP)
def test_every_credit_is_finite_and_bounded_by_what_was_earned(
    text: str, group: list[list[float]]
) -> None:
    found = known(compared(make_credit(text), group, len(group), scale="none"))
    earned = sum(abs(step) for steps in group for step in steps)
    assert [len(turns) for turns in found] == [len(steps) for steps in group]
    for turns in found:
        # |par takes at most 1/2 a turn, whatever turns earned.
        assert np.all(np.abs(turns) <= 4 * earned + 6)


@pytest.mark.parametrize("text", [*CREDITS, *(f"turn|{name}" for name in TRANSFORMS)])
@settings(max_examples=20)
@given(steps=STEPS, size=st.integers(2, 4))
def test_episodes_that_are_alike_get_nothing(text: str, steps: list[float], size: int) -> None:
    same = group_of([steps])[0]
    found = known(advantages(make_credit(text), [same] * size, size))
    np.testing.assert_allclose(np.concatenate(found), 0, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "credit"),
    [
        (" turn(lam=0.25) ", TurnCredit(lam=0.25)),
        ("min-form(temperature=0.5)", MinFormCredit(temperature=0.5)),
        ("prefix-tree( by = token )", PrefixTreeCredit(by="token")),
        ("siblings(ways=3)", SiblingsCredit(ways=3)),
        ("siblings()", SiblingsCredit()),
        ("turn(lam=1e-1)|delta", Transformed(TurnCredit(lam=0.1), Delta())),
        (
            "turn | clip(eta=-0.5) | delta",  # clipped first
            Transformed(Transformed(TurnCredit(), Delta()), Clip(eta=-0.5)),
        ),
    ],
)
def test_texts_are_read(text: str, credit: Credit) -> None:
    assert make_credit(text) == credit


def test_transforms_are_applied_from_left_to_right() -> None:
    group = group_of([[1.0, -1.0, 0.5, 0.0]])
    expected = TurnCredit(lam=1)(Delta()(Clip()(group)))[0]
    assert make_credit("turn(lam=1)|clip|delta")(group)[0].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: make_credit("trun"), UnknownNameError, "'turn'"),
        (lambda: make_credit("turn|delat"), UnknownNameError, "'delta'"),
        (lambda: make_credit("turn(lamb=1)"), ConfigError, "'lam'"),
        (lambda: make_credit("turn(lam=1,lam=0)"), ConfigError, "'lam'"),
        (lambda: make_credit("outcome(lam=1)"), ConfigError, "takes none"),
        (lambda: make_credit("turn(lam=1.5)"), ConfigError, r"\[0, 1\]"),
        (lambda: make_credit("turn(lam=nan)"), ConfigError, "bounds"),
        (lambda: make_credit("clip"), UnknownNameError, "unknown"),
        (lambda: make_credit("turn|clip(eta=inf)"), ConfigError, "bounds"),
        (lambda: make_credit("min-form(temperature=0)"), ConfigError, "above 0"),
        (lambda: make_credit("turn|par(temperature=-1)"), ConfigError, "above 0"),
        (lambda: make_credit("prefix-tree(by=letter)"), ConfigError, "token"),
        (lambda: make_credit("siblings(ways=1)"), ConfigError, "ways"),
        (lambda: make_credit("siblings(ways=2.5)"), ConfigError, "no number"),
        (lambda: make_credit("turn(lam=__import__('os'))"), ConfigError, "not of the form"),
        (lambda: make_credit("turn(lam)"), ConfigError, "not of the form"),
        (lambda: make_credit("turn|"), ConfigError, "not of the form"),
        (lambda: make_credit("|" * 100_000), ConfigError, "not of the form"),
        (lambda: compared(TurnCredit(), [[0.0]] * 3, 2), ConfigError, "groups of 2"),
    ],
)
def test_bad_settings_are_refused(
    make: Callable[[], object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make()


@pytest.mark.parametrize("name", BLIND)
def test_shaping_without_step_credit_is_refused_with_the_reason(name: str) -> None:
    shaped, plain = rewards.parse("exact + progress"), rewards.parse("exact")
    with pytest.raises(ConfigError, match=r"(?s)telescopes.*credit='turn'.*'min-form', 'gated'"):
        check_credit(make_credit(name), [plain, shaped])
    check_credit(make_credit(name), [plain])
    check_credit(make_credit(name), [shaped], control=True)
    for text in ("turn", "min-form", "gated", "turn|delta"):
        check_credit(make_credit(text), [shaped])
