"""`Credit`: which turn earned what. Maps the scores of a group of episodes to turn advantages.

A *group* is several episodes of one task. Notation used everywhere below: G episodes in the
group, T_i turns of episode i, r[i, t] the score of its turn t (`Score.steps`, which sum to the
value of the episode). A credit gives C[i, t], what turn t of episode i is held responsible for;
`advantages` compares those within the group. Numbers only: nothing here knows about tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from graphenv.errors import ConfigError, UnknownNameError, did_you_mean
from graphenv.score import Reward

__all__ = [
    "CREDITS",
    "EPSILON",
    "Credit",
    "OutcomeCredit",
    "Scale",
    "TurnCredit",
    "advantages",
    "check_credit",
    "make_credit",
]

Floats = npt.NDArray[np.float64]
Scale = Literal["group", "batch", "none"]

EPSILON = 1e-4
"""Added to the standard deviation that advantages are divided by; TRL's value."""


@runtime_checkable
class Credit(Protocol):
    """What every turn of a group of episodes is held responsible for."""

    @property
    def name(self) -> str:
        """Its name in `CREDITS`."""
        ...

    @property
    def sees_turns(self) -> bool:
        """Whether turns of one episode can differ, so that shaping terms have an effect."""
        ...

    def __call__(self, group: Sequence[Sequence[float]]) -> list[Floats]:
        """Return C: for each episode of the group an array with one number per turn.

        Parameters
        ----------
        group
            r: the turn scores of each episode (`Score.steps`), at least one turn each.
        """
        ...


@dataclass(frozen=True)
class OutcomeCredit:
    """Every turn answers for the whole episode: C[i, t] = sum over all u of r[i, u].

    With `advantages` this is the group normalisation of GRPO (Shao et al., DeepSeekMath, 2024),
    the same numbers that TRL computes by itself.

    >>> [c.tolist() for c in OutcomeCredit()([[0.0, 1.0], [0.5]])]
    [[1.0, 1.0], [0.5]]
    """

    name: ClassVar[str] = "outcome"
    sees_turns: ClassVar[bool] = False

    def __call__(self, group: Sequence[Sequence[float]]) -> list[Floats]:
        return [np.full(len(steps), float(np.sum(steps))) for steps in group]


@dataclass(frozen=True)
class TurnCredit:
    """A turn answers for what came after it: C[i, t] = sum over u >= t of lam**(u - t) * r[i, u].

    With `lam=1` this is the return-to-go, the textbook policy gradient. If the reward is a verdict
    paid at the end, it equals `outcome` exactly. If the reward also holds a potential phi, the
    payments from turn t on telescope to -phi(s_t), so C[i, t] = verdict - phi(s_t): the potential
    acts as a *baseline of the state* in which the turn was taken. Such a baseline changes no
    expected gradient, because the state is fixed before the turn is chosen, and lowers its
    variance as far as phi resembles the value of the state (Ng, Harada, Russell, ICML 1999;
    Wiewiora, JAIR 2003).

    With `lam < 1` the same sum is generalised advantage estimation with phi in the place of the
    learned value: r[i, t] + phi(s_{t+1}) - phi(s_t) is its temporal difference (Schulman et al.,
    ICLR 2016). Less variance for a bias where phi is not the value; `lam=0` pays each turn for
    nothing but the step that it made.

    Parameters
    ----------
    lam
        How far credit reaches, in [0, 1].

    Raises
    ------
    ConfigError
        If `lam` is outside [0, 1].

    >>> [c.tolist() for c in TurnCredit()([[0.25, 0.5], [-0.5]])]
    [[0.75, 0.5], [-0.5]]
    """

    name: ClassVar[str] = "turn"
    sees_turns: ClassVar[bool] = True
    lam: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.lam <= 1.0:
            raise ConfigError(f"credit 'turn': lam={self.lam!r} must be in [0, 1]")

    def __call__(self, group: Sequence[Sequence[float]]) -> list[Floats]:
        return [self._to_go(steps) for steps in group]

    def _to_go(self, steps: Sequence[float]) -> Floats:
        to_go = np.array(steps, dtype=np.float64)
        for t in range(len(to_go) - 2, -1, -1):
            to_go[t] += self.lam * to_go[t + 1]
        return to_go


def advantages(
    credit: Credit,
    scores: Sequence[Sequence[float] | None],
    group_size: int,
    *,
    scale: Scale = "group",
) -> list[Floats | None]:
    """Return the advantage of every turn of a batch.

    Every episode weighs the same in its group, however many turns it has: with c[i] the mean of
    C[i, t] over its turns,

        A[i, t] = (1 - 1/G) * (C[i, t] - mean of c[j] over the others j != i) / (sigma + eps)
        sigma^2 = sum over i of (mean over t of (C[i, t] - mean of c)^2) / (G - 1)

    The baseline leaves episode i out, so it does not depend on what i did, and the expected
    gradient (before the division) is that of C itself, shaped or not. The factor 1 - 1/G makes it
    the same as subtracting the group's mean where all turns of an episode share one number, so
    that verdicts paid at the end give the advantages of GRPO in every credit.

    Parameters
    ----------
    credit
        How scores become C.
    scores
        B episodes, groups one after another; `None`: nothing is known of this one (a verifier
        crashed). It is left out of its group, as TRL does.
    group_size
        Episodes per group; divides B.
    scale
        sigma of the `group`, of the whole `batch` around its mean, or `none` (no division); TRL's
        `scale_rewards`.

    Returns
    -------
    list
        For each episode an array of its turns' advantages, or `None` where its score is. A group
        with a single known episode has nothing to compare with: zeros.

    Raises
    ------
    ConfigError
        If `group_size` does not divide B.

    >>> advantages(TurnCredit(), [[0.0, 1.0], [0.0]], 2, scale="none")
    [array([0.5, 0.5]), array([-0.5])]
    """
    if group_size < 1 or len(scores) % group_size:
        raise ConfigError(f"{len(scores)} episodes do not make groups of {group_size}")
    found: list[Floats | None] = [None] * len(scores)
    known: list[list[int]] = []
    for begin in range(0, len(scores), group_size):
        places = [p for p in range(begin, begin + group_size) if scores[p] is not None]
        credited = credit([scores[p] or () for p in places])
        for place, turns in zip(places, credited, strict=True):
            found[place] = turns
        known.append(places)
    spread_of_batch = _spread([found[p] for places in known for p in places])
    for places in known:
        group = [c for p in places if (c := found[p]) is not None]
        sigma = _spread(group) if scale == "group" else spread_of_batch
        divisor = 1.0 if scale == "none" else sigma + EPSILON
        means = np.array([turns.mean() for turns in group])
        for place, own, mean in zip(places, group, means, strict=True):
            if len(places) == 1:
                found[place] = np.zeros_like(own)
                continue
            others = (means.sum() - mean) / (len(places) - 1)
            found[place] = (1 - 1 / len(places)) * (own - others) / divisor
    return found


def _spread(group: Iterable[Floats | None]) -> float:
    """Standard deviation (Bessel's correction) around the mean, each episode weighing the same."""
    turns = [c for c in group if c is not None]
    if len(turns) < 2:
        return 0.0
    centre = np.mean([c.mean() for c in turns])
    return float(np.sqrt(sum(np.mean((c - centre) ** 2) for c in turns) / (len(turns) - 1)))


CREDITS: dict[str, type[OutcomeCredit] | type[TurnCredit]] = {
    "outcome": OutcomeCredit,
    "turn": TurnCredit,
}
"""Every credit by name; one row each."""


def make_credit(name: str | Credit, **arguments: Any) -> Credit:
    """Return the credit `name`; a credit that is made already is returned as it is.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    ConfigError
        If it does not take an argument, or not this value.

    >>> make_credit("turn", lam=0.5)
    TurnCredit(lam=0.5)
    """
    if not isinstance(name, str):
        return name
    if name not in CREDITS:
        raise UnknownNameError(f"credit {name!r} is unknown.{did_you_mean(name, CREDITS)}")
    try:
        return CREDITS[name](**arguments)
    except TypeError as error:
        raise ConfigError(f"credit {name!r} does not take {sorted(arguments)}: {error}") from error


def check_credit(credit: Credit, rewards: Iterable[Reward], *, control: bool = False) -> None:
    """Refuse a shaping potential under a credit that cannot see it.

    Parameters
    ----------
    credit
        How scores become advantages.
    rewards
        The rewards in use.
    control
        Let it pass: an experiment that runs the pair on purpose, to see that nothing changes.

    Raises
    ------
    ConfigError
        With the reason, and what to do.
    """
    if credit.sees_turns or control:
        return
    for reward in rewards:
        if reward.has_shaping:
            raise ConfigError(
                f"reward {reward.name!r} holds a shaping potential, but credit={credit.name!r} "
                "sees only the return of an episode. A potential telescopes to the same constant "
                "for every episode of a task, so it cancels within the group and teaches nothing. "
                "Use credit='turn', or drop the potential; to run the pair as a control that must "
                "change nothing, set control=True."
            )
