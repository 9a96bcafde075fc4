"""Statistics for few runs: known values, properties, and coverage by simulation."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv.benchmarks.comparison.stats import (
    Interval,
    bootstrap,
    interquartile_mean,
    paired_difference,
    pass_at_k,
    probability_of_improvement,
    rank_correlation,
    student_quantile,
    success_interval,
    verdict,
    wilson,
)
from graphenv.seeding import rng

FINITE = st.floats(-1e3, 1e3)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], 7.0),
        ([1.0, 3.0], 2.0),
        ([0.0, 1.0, 5.0], (0.25 * 0 + 1 + 0.25 * 5) / 1.5),
        ([-100.0, 1.0, 2.0, 100.0], 1.5),
        ([0.0, 1.0, 2.0, 3.0, 100.0], (0.75 * 1 + 2 + 0.75 * 3) / 2.5),
        (list(range(8)), 3.5),
    ],
)
def test_interquartile_mean_of_known_values(values: list[float], expected: float) -> None:
    assert float(interquartile_mean(values)) == pytest.approx(expected)


@given(st.lists(FINITE, min_size=1, max_size=12), FINITE)
def test_interquartile_mean_lies_inside_and_moves_along(values: list[float], shift: float) -> None:
    found = float(interquartile_mean(values))
    assert min(values) - 1e-9 <= found <= max(values) + 1e-9
    assert float(interquartile_mean(values[::-1])) == pytest.approx(found)
    moved = float(interquartile_mean([v + shift for v in values]))
    assert moved == pytest.approx(found + shift, abs=1e-6)


def test_interquartile_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        interquartile_mean([])


# Tables of Student's distribution.
@pytest.mark.parametrize(
    ("level", "freedom", "expected"),
    [
        (0.95, 1, 12.7062),
        (0.95, 2, 4.3027),
        (0.95, 4, 2.7764),
        (0.99, 4, 4.6041),
        (0.90, 10, 1.8125),
        (0.95, 120, 1.9799),
        (0.95, math.inf, 1.9600),
    ],
)
def test_student_quantile_as_in_the_tables(level: float, freedom: float, expected: float) -> None:
    assert student_quantile(level, freedom) == pytest.approx(expected, abs=2e-3)


def test_bootstrap_depends_on_its_generator_alone() -> None:
    scores = rng("scores").random((4, 30))
    assert bootstrap(scores, rng("a")) == bootstrap(scores, rng("a"))
    assert bootstrap(scores, rng("a")) != bootstrap(scores, rng("b"))


def test_bootstrap_keeps_to_bounds_and_widens_with_the_level() -> None:
    scores = (rng("wide").random((3, 20)) < 0.95).astype(float)
    narrow = bootstrap(scores, rng("x"), level=0.5, bounds=(0, 1))
    wide = bootstrap(scores, rng("x"), level=0.99, bounds=(0, 1))
    assert 0 <= wide.low < narrow.low < narrow.value < narrow.high <= wide.high <= 1


def test_one_run_speaks_of_its_tasks() -> None:
    truth = (rng("one").random(400) < 0.3).astype(float)
    found, textbook = bootstrap(truth, rng("x")), wilson(float(truth.sum()), 400)
    assert found.low == pytest.approx(textbook.low, abs=0.01)
    assert found.high == pytest.approx(textbook.high, abs=0.01)


def test_strata_take_out_what_differs_between_them() -> None:
    labels = ["easy"] * 100 + ["hard"] * 100
    chance = np.array([0.95] * 100 + [0.05] * 100)
    scores = (rng("strata").random((5, 200)) < chance).astype(float)
    plain, layered = bootstrap(scores, rng("x")), bootstrap(scores, rng("x"), strata=labels)
    assert layered.high - layered.low < 0.7 * (plain.high - plain.low)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_no_scores_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one run and one task"):
        bootstrap(np.zeros(shape), rng("x"))


def _simulated(
    generator: np.random.Generator, runs: int, tasks: int, spread: float, ease: np.ndarray
) -> np.ndarray:
    logit = 0.5 + generator.normal(0, spread, size=(runs, 1)) + ease
    return (generator.random((runs, tasks)) < 1 / (1 + np.exp(-logit))).astype(float)


@pytest.mark.parametrize("spread", [0.05, 0.5], ids=["tasks dominate", "seeds dominate"])
@pytest.mark.parametrize("runs", [3, 5])
def test_intervals_cover_what_they_claim(runs: int, spread: float) -> None:
    """Nominal 95%: at least 88% of 150 trials (three standard errors below), for mean and pair."""
    generator = rng("coverage", runs, spread)
    logits = 0.5 + generator.normal(0, math.hypot(spread, 1.0), size=100_000)
    truth = float((1 / (1 + np.exp(-logits))).mean())
    trials = 150
    covered = clear = 0
    for _ in range(trials):
        ease = generator.normal(0, 1, size=(1, 80))
        a = _simulated(generator, runs, 80, spread, ease)
        b = _simulated(generator, runs, 80, spread, ease)
        mean = bootstrap(a, generator, bounds=(0, 1), replicates=200)
        covered += mean.low <= truth <= mean.high
        # Both are trained alike: every verdict would be false.
        gap = paired_difference(a, b, generator, replicates=200)
        clear += verdict(gap) != "undecided"
    assert covered >= 0.88 * trials
    assert clear <= 0.12 * trials


def test_a_real_difference_is_found() -> None:
    generator = rng("power")
    ease = generator.normal(0, 1, size=(1, 300))
    a = _simulated(generator, 5, 300, 0.1, ease + 0.8)
    b = _simulated(generator, 5, 300, 0.1, ease)
    gap = paired_difference(a, b, generator)
    assert verdict(gap, "a", "b") == "a better"
    assert verdict(paired_difference(b, a, generator), "b", "a") == "a better"
    assert probability_of_improvement(a, b, generator).value == 1.0


def test_no_difference_at_all_is_undecided() -> None:
    scores = rng("same").random((5, 40))
    assert verdict(paired_difference(scores, scores, rng("x"))) == "undecided"
    assert probability_of_improvement(scores, scores, rng("x")).value == 0.5


def test_a_difference_agrees_with_the_table_it_stands_beside() -> None:
    a, b = (rng("table", name).random((3, 40)) for name in "ab")
    gap = paired_difference(a, b, rng("x"))
    each = [bootstrap(scores, rng("x")).value for scores in (a, b)]
    assert gap.value == pytest.approx(each[0] - each[1])
    turned = paired_difference(b, a, rng("x"))
    assert (turned.low, turned.high) == pytest.approx((-gap.high, -gap.low))


def test_unpaired_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="not paired"):
        paired_difference(np.zeros((3, 4)), np.zeros((2, 4)), rng("x"))


def test_verdict_needs_a_clear_interval() -> None:
    assert verdict(Interval(0.1, 0.0, 0.2)) == "undecided"
    assert verdict(Interval(-0.1, -0.2, -0.01), "x", "y") == "y better"


@given(st.integers(1, 200), st.data())
def test_wilson_holds_the_share(total: int, data: st.DataObject) -> None:
    found = wilson(data.draw(st.integers(0, total)), total)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0


def test_wilson_refuses_what_is_no_proportion() -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(3, 2)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_all_wrong_or_all_right_is_not_certain(level: float) -> None:
    found = success_interval(np.full((3, 50), level), rng("x"))
    assert found.value == level
    assert found.high - found.low == pytest.approx(0.0713, abs=1e-3)


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_pass_at_k_equals_counting(samples: int) -> None:
    for right in range(samples + 1):
        flags = [i < right for i in range(samples)]
        for k in range(1, samples + 1):
            groups = list(combinations(flags, k))
            counted = sum(any(group) for group in groups) / len(groups)
            assert pass_at_k(samples, right, k) == pytest.approx(counted)


@pytest.mark.parametrize(("samples", "right", "k"), [(3, 1, 4), (3, 4, 1), (3, 1, 0)])
def test_pass_at_k_refuses_impossible_counts(samples: int, right: int, k: int) -> None:
    with pytest.raises(ValueError, match="not defined"):
        pass_at_k(samples, right, k)


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 31]) == 1.0
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == -1.0
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
    # By hand: ranks (0, 1.5, 1.5, 3) and (0, 1, 2, 3).
    assert rank_correlation([1, 2, 2, 9], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-4)
