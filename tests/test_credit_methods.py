"""Every credit on groups that were computed by hand, and what its formula promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from credit_fixture import HORIZON, Chain, Path, known
from hypothesis import given
from hypothesis import strategies as st

from graphenv.agents.credit import (
    Clip,
    Delta,
    GatedCredit,
    MinFormCredit,
    OutcomeCredit,
    Par,
    PrefixTreeCredit,
    SiblingsCredit,
    Trajectory,
    TrajectoryGraphCredit,
    TurnCredit,
    advantages,
    make_credit,
    shares,
)
from graphenv.errors import GraphEnvError

LN2, LN3 = math.log(2), math.log(3)


def rounded(found: list[np.ndarray]) -> list[list[float]]:
    return [[round(float(value), 9) for value in turns] for turns in found]


# -- min-form (PURE) -------------------------------------------------------------------------------


def test_min_form_by_hand() -> None:
    # T = 1: weights 2/3 and 1/3, so r* = (0, ln 2 / 3); the verdict stands behind every turn.
    one = Trajectory((0.0, LN2 + 1.0), settled=1.0)
    assert rounded(MinFormCredit(temperature=1.0)([one])) == [[round(1 + LN2 / 3, 9)] * 2]
    # T = 0.1: the worst turn is all that counts, up to where it stands.
    worst = Trajectory((1.0, -1.0, 1.0, 2.0), settled=1.0)
    [turns] = MinFormCredit()([worst])
    assert turns == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=1e-6)


@given(
    process=st.lists(st.floats(-1, 1, allow_nan=False, width=32), min_size=1, max_size=5),
    paid=st.floats(0, 1, allow_nan=False, width=32),
    times=st.integers(1, 20),
)
def test_padding_with_paid_turns_does_not_raise_the_min_form(
    process: list[float], paid: float, times: int
) -> None:
    """Turns that earn at least the worst one leave the return at most where it was, plus T."""
    credit = MinFormCredit()
    before = float(credit.weighed(process).sum())
    after = float(credit.weighed([*process, *[max(paid, min(process))] * times]).sum())
    assert min(process) - 1e-6 <= before
    # A soft minimum of n numbers lies less than T * n above the hard one; a sum knows no bound.
    assert after <= min(process) + 0.1 * (len(process) + times)
    same = float(credit.weighed([paid] * times).sum())
    assert same == pytest.approx(paid, abs=1e-6)


# -- trajectory-graph (SALT) -----------------------------------------------------------------------


def walk(value: float, *places: str, actions: str = "") -> Trajectory:
    turns = len(places) - 1
    did = tuple(actions) if actions else tuple(f"to {place}" for place in places[1:])
    return Trajectory((*[0.0] * (turns - 1), value), states=places, actions=did)


def test_trajectory_graph_by_hand() -> None:
    group = [
        walk(1.0, "s", "a", "won"),
        walk(0.0, "s", "a", "lost"),
        walk(0.0, "s", "b", "a", "lost"),  # comes to a by another way, and ends as the second did
        walk(1.0, "s", "c"),
    ]
    # A = (1, -1, -1, 1) / 2; s-a is of 1 and 2; a-lost of 2 and 3, in different turns.
    assert rounded(TrajectoryGraphCredit()(group)) == [
        [0.0, 0.5],
        [0.0, -0.5],
        [-0.5, -0.5, -0.5],
        [0.5],
    ]


def test_a_shared_step_is_the_same_deed_between_the_same_states() -> None:
    looks = [walk(1.0, "s", "s", "x", actions="ab"), walk(0.0, "s", "s", "x", actions="cd")]
    assert rounded(TrajectoryGraphCredit()(looks)) == [[0.5, 0.5], [-0.5, -0.5]]
    # A step that one episode takes twice counts once for it: (1/2 - 1/2) / 2.
    twice = [walk(1.0, "s", "s", "s", actions="aa"), walk(0.0, "s", "s", actions="a")]
    assert rounded(TrajectoryGraphCredit()(twice)) == [[0.0, 0.0], [0.0]]


def test_keys_that_are_missing_are_said() -> None:
    for name in ("trajectory-graph", "prefix-tree"):
        with pytest.raises(GraphEnvError, match=r"holds 0 .*Trajectory\.of"):
            make_credit(name)([Trajectory((1.0,))])


# -- prefix-tree (TEMPO) ---------------------------------------------------------------------------


def test_prefix_tree_by_hand() -> None:
    group = [
        Trajectory((0.0, 1.0), said=("a", "x")),
        Trajectory((0.0, 0.0), said=("a", "y")),
        Trajectory((0.0, 1.0), said=("a", "z")),
        Trajectory((0.0,), said=("b",)),
    ]
    # mean R = 1/2, V(a) = 2/3, V(b) = 0.
    expected = [[2 / 3, 5 / 6], [-1 / 3, -7 / 6], [2 / 3, 5 / 6], [-1.0]]
    for turns, values in zip(PrefixTreeCredit()(group), expected, strict=True):
        assert turns == pytest.approx(values)


def test_the_same_turn_behind_another_beginning_is_another_prefix() -> None:
    group = [
        Trajectory((0.0, 1.0), said=("a", "x")),
        Trajectory((0.0, 0.0), said=("b", "x")),
    ]
    assert rounded(PrefixTreeCredit()(group)) == [[1.0, 0.5], [-1.0, -0.5]]


def test_prefix_tree_of_tokens_by_hand() -> None:
    credit = PrefixTreeCredit(by="token")
    assert credit.by_token
    one, two = Trajectory((1.0,)), Trajectory((0.0,))
    group = [one.by_token([5, 6, 7]), one.by_token([5, 6]), two.by_token([5, 9])]
    # mean R = 2/3; 5 is common to all, then 6 (V = 1) and 9 (V = 0).
    expected = [[1 / 3, 2 / 3, 1 / 3], [1 / 3, 2 / 3], [-2 / 3, -4 / 3]]
    for tokens, values in zip(credit(group), expected, strict=True):
        assert tokens == pytest.approx(values)


# -- siblings (TreeRPO) ----------------------------------------------------------------------------


def leaf(value: float, *branches: str) -> Trajectory:
    return Trajectory((*[0.0] * (len(branches) - 1), value), branches=branches)


def test_siblings_by_hand() -> None:
    group = [leaf(1, "a", "aa"), leaf(0, "a", "ab"), leaf(0, "b", "ba"), leaf(0, "b", "bb")]
    # V(a) = 1/2, V(b) = 0; aa and ab are compared with each other.
    expected = [[0.5, 1.0], [0.5, -1.0], [-0.5, 0.0], [-0.5, 0.0]]
    assert rounded(SiblingsCredit()(group)) == expected
    assert rounded(known(advantages(SiblingsCredit(), group, 4, scale="none"))) == expected


def test_turns_behind_the_last_branching_belong_to_it() -> None:
    group = [leaf(1, "a", "aa", "aa", "aa"), leaf(0, "a", "ab"), leaf(0, "b", "b")]
    expected = [[0.5, 1.0, 1.0, 1.0], [0.5, -1.0], [-0.5, -0.5]]
    assert rounded(SiblingsCredit()(group)) == expected


def test_an_episode_that_ended_early_is_one_child_however_many_rows_it_fills() -> None:
    group = [leaf(1, "a"), leaf(1, "a"), leaf(1, "b", "ba"), leaf(0, "b", "bb")]
    assert rounded(SiblingsCredit()(group)) == [[0.5], [0.5], [-0.5, 1.0], [-0.5, -1.0]]


def test_three_siblings_and_one_that_is_alone() -> None:
    group = [leaf(1, "a"), leaf(0, "b"), leaf(0, "c", "ca")]
    # c went on in a branch without siblings (the other crashed): nothing to compare it with.
    assert rounded(SiblingsCredit(ways=3)(group)) == [[1.0], [-0.5], [-0.5, 0.0]]


def test_without_branches_siblings_are_the_outcome() -> None:
    group = [Trajectory((0.0, 1.0)), Trajectory((0.5,)), Trajectory((0.0, 0.0, 0.25))]
    outcome = known(advantages(OutcomeCredit(), group, 3, scale="none"))
    for one, other in zip(SiblingsCredit()(group), outcome, strict=True):
        assert one == pytest.approx(other * 3 / 2)  # the mean of the others, not of all


@given(leaves=st.integers(1, 64), ways=st.integers(2, 5))
def test_every_leaf_is_shared_out_once(leaves: int, ways: int) -> None:
    found = shares(leaves, ways)
    assert sum(found) == leaves
    assert len(found) == min(leaves, ways)
    assert max(found) - min(found) <= 1


Leaf = tuple[Path, tuple[str, ...]]


def trees(chain: Chain, leaves: int, ways: int) -> list[tuple[float, list[Leaf]]]:
    """Every tree of rollouts that can be drawn, with its chance."""
    policy = chain.policy

    def grow(
        states: tuple[int, ...], actions: tuple[int, ...], names: tuple[str, ...], left: int
    ) -> list[tuple[float, list[Leaf]]]:
        over = bool(actions) and bool(chain.ends[states[-2], actions[-1]])
        if over or len(actions) == HORIZON:
            return [(1.0, [((states, actions), names)] * left)]
        found: list[tuple[float, list[Leaf]]] = [(1.0, [])]
        for place, share in enumerate(shares(left, ways)):
            name = f"{names[-1] if names else ''}{place}" if left > 1 else names[-1]
            options = []
            for action, chance in enumerate(policy[states[-1]]):
                after = (*states, int(chain.move[states[-1], action]))
                for below, rest in grow(after, (*actions, action), (*names, name), share):
                    options.append((float(chance) * below, rest))
            found = [(a * b, [*some, *more]) for a, some in found for b, more in options]
        return found

    return grow((0,), (), (), leaves)


@pytest.mark.parametrize(("leaves", "ways"), [(2, 2), (3, 2), (4, 2), (4, 3)])
@pytest.mark.parametrize("seed", [5, 7, 9])
def test_the_expected_update_of_siblings_is_the_policy_gradient(
    seed: int, leaves: int, ways: int
) -> None:
    """Summed over all trees: the gradient, once for each row.

    It holds because `shares` does not look at what was played; rows given to what is still open
    would pull the update towards long episodes.
    """
    chain = Chain(seed)
    exact = chain.gradient(OutcomeCredit(), shaped=False)  # of two episodes, times 1 - 1/2
    total = np.zeros_like(exact)
    mass = 0.0
    for chance, drawn in trees(chain, leaves, ways):
        group = []
        for path, names in drawn:
            one = chain.trajectory(path, shaped=True)
            group.append(Trajectory(one.rewards, one.settled, branches=names))
        mass += chance
        found = known(advantages(SiblingsCredit(ways), group, leaves, scale="none"))
        for (path, _), turns in zip(drawn, found, strict=True):
            total += chance * chain.score(path, turns)
    assert mass == pytest.approx(1.0)
    np.testing.assert_allclose(total, exact * leaves, atol=1e-12)


# -- gated (G-RA), and transforms ------------------------------------------------------------------

WON = Trajectory((0.5, -0.25, 1.25), settled=1.0)  # the turns themselves: 0.5, -0.25, 0.25
LOST = Trajectory((0.5, -0.25, 0.25), settled=0.0)


def test_gated_by_hand() -> None:
    assert rounded(GatedCredit(lam=1)([WON, LOST])) == [[1.5, 1.0, 1.25], [-0.25, -0.25, 0.0]]
    assert rounded(GatedCredit(lam=0)([WON, LOST])) == [[0.5, -0.25, 1.25], [0.0, -0.25, 0.0]]
    # Nobody reaches the threshold: only charges are left.
    assert rounded(GatedCredit(threshold=2, lam=0)([WON])) == [[0.0, -0.25, 1.0]]


@pytest.mark.parametrize(
    ("transform", "process"),
    [
        (Delta(), (0.75, -0.25, 0.0)),
        (Clip(), (0.0, -0.25, 0.0)),
        (Clip(eta=0.5), (0.0, -0.75, -0.25)),
        (Par(), (0.0, 0.0, 0.0)),  # alone, there is nobody to beat
    ],
)
def test_transforms_by_hand(transform: Delta | Clip | Par, process: tuple[float, ...]) -> None:
    [changed] = transform([WON])
    assert changed.process == pytest.approx(process)
    assert changed.verdict == WON.verdict == 1.0


def test_par_by_hand() -> None:
    ahead = Trajectory((LN3, 0.0), settled=0.0)
    even = Trajectory((0.0, 1.0), settled=1.0)
    behind = Trajectory((0.0,), settled=0.0)
    # sigmoid(ln 3) = 3/4: a quarter above even, against both; against oneself nothing.
    first, second, third = Par()([ahead, even, behind])
    assert first.process == pytest.approx((0.25, 0.0))
    assert second.rewards == pytest.approx((-0.125, 1.0))
    assert third.process == pytest.approx((-0.125,))


def test_delta_gives_a_turn_its_own_score_under_the_return_to_go() -> None:
    [found] = make_credit("turn(lam=1)|delta")([WON])
    assert found.tolist() == pytest.approx([1.5, 0.75, 1.0])


@given(turns=st.integers(1, 30), earned=st.floats(0.0, 1.0, allow_nan=False, width=32))
def test_repetition_is_not_paid_behind_a_transform(turns: int, earned: float) -> None:
    """The same paid turn again and again: a sum grows, these do not."""

    def paid(text: str) -> float:
        one = Trajectory((*[earned] * turns, 0.0), settled=0.0)
        return float(make_credit(text)([one])[0][0])

    assert paid("turn(lam=1)") == pytest.approx(earned * turns)
    assert paid("turn(lam=1)|delta") <= earned + 1e-6
    assert paid("turn(lam=1)|clip") <= 1e-6
    assert paid("gated(lam=1)") <= 1e-6
    assert paid("min-form") <= earned + 1e-6
    # Beside another episode that does the same, beating nobody earns nothing.
    twice = [Trajectory((*[earned] * turns, 0.0), settled=0.0)] * 2
    assert TurnCredit(lam=1)(Par()(twice))[0][0] == pytest.approx(0.0, abs=1e-6)
