"""The benchmark of credits: its exact side, and what its figures must show."""

from __future__ import annotations

import numpy as np
import pytest

from graphenv.agents.credit import make_credit
from graphenv.benchmarks.credit.__main__ import SUITE
from graphenv.benchmarks.credit.made import MADE, made
from graphenv.benchmarks.credit.measure import measure
from graphenv.benchmarks.credit.report import summary
from graphenv.benchmarks.credit.tasks import REWARDS, Enumerated, trajectory
from graphenv.benchmarks.credit.world import question


@pytest.mark.parametrize("name", MADE)
def test_the_exact_gradient_is_the_derivative_of_success(name: str) -> None:
    """Dynamic programming against finite differences of the policy's numbers."""
    task = made(name)
    exact = (task.visits * task.advantage) @ task.scores()
    logits = {
        (state, action): float(np.log(chance))
        for state, actions in task.options.items()
        for action, chance in zip(actions, task.policy[state], strict=True)
    }
    choices = [(s, a) for s, actions in task.options.items() for a in actions]
    assert task.chances.sum() == pytest.approx(1.0)
    assert task.success == pytest.approx(
        float(task.chances @ [play.verdict for play in task.plays])
    )
    for place, choice in list(enumerate(choices))[::5]:
        ends = []
        for step in (1e-4, -1e-4):
            moved = {**logits, choice: logits[choice] + step}
            ends.append(Enumerated(task.plays, lambda s, a, m=moved: m[s, a]).success)  # type: ignore[misc]
        assert (ends[0] - ends[1]) / 2e-4 == pytest.approx(exact[place], abs=1e-6)


def test_a_potential_pays_the_same_constant_in_every_episode() -> None:
    for name in MADE:
        task = made(name)
        plain, shaped = ([trajectory(p, r).value for p in task.plays] for r in REWARDS[:2])
        assert np.ptp(np.subtract(plain, shaped)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.soak
def test_the_question_is_that_of_the_environment() -> None:
    task = question()
    won = [play for play in task.plays if play.verdict == 1.0]
    assert won
    assert min(len(play.actions) for play in won) == 3  # two moves and the answer
    assert {play.verdict for play in task.plays} == {0.0, 1.0}


def test_figures_tell_what_theory_says() -> None:
    task = made("first choice")

    def found(reward: str, text: str) -> dict[str, float | None]:
        return measure(task, reward, make_credit(text), 300, "test")

    outcome = found(REWARDS[0], "outcome")
    baseline = found(REWARDS[1], "turn(lam=1)")
    for row in (outcome, baseline):
        assert row["k"] == pytest.approx(1 - 1 / 8, abs=0.05)
        assert row["bias"] == pytest.approx(0.0, abs=0.1)
        assert row["cosine"] is not None and row["cosine"] > 0.98
    assert outcome["noise"] is not None and baseline["noise"] is not None
    assert baseline["noise"] < outcome["noise"]  # the potential knows the door
    siblings = found(REWARDS[0], "siblings(ways=2)")
    assert siblings["k"] == pytest.approx(1.0, abs=0.1)
    assert siblings["sampled"] == 2 + 4 + 8 + 8


@pytest.mark.soak
def test_the_suite_runs() -> None:
    results = SUITE.measure(SUITE.sections, quick=True)
    page = SUITE.markdown(results)
    assert "## kgqa" in page
    assert len(summary(results)) == 2 + len(
        {(r["reward"], r["credit"]) for r in results["credits"]}
    )
