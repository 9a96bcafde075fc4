"""`Credit`: which turn earned what. Maps the scores of a group of episodes to turn advantages.

A *group* is several episodes of one task. Notation used everywhere below: G episodes in the
group, T_i turns of episode i, r[i, t] the score of its turn t (`Score.steps`, which sum to the
value of the episode). A credit gives C[i, t], what turn t of episode i is held responsible for;
`advantages` compares those within the group. Numbers only: nothing here knows about tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, Protocol, runtime_checkable

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

_TEXT = re.compile(r"(\w+)(?:\((\w+)=([0-9.]+)\))?")

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

    Take a reward "verdict + potential phi". Its turn scores are the temporal differences of phi,
    phi(s_{t+1}) - phi(s_t), with the verdict in the place of phi at the end, so C is generalised
    advantage estimation with phi in the place of the learned value (Schulman et al., ICLR 2016):

    - `lam=0`: a turn is paid for its own step towards the goal and for nothing else.
    - `lam=1`: the return-to-go. The differences telescope to C[i, t] = verdict - phi(s_t), and phi
      is a *baseline of the state* in which the turn was taken. That changes no expected gradient,
      because the state is fixed before the turn is chosen (Ng, Harada, Russell, ICML 1999;
      Wiewiora, JAIR 2003), but where phi is far from the value, as it is for a policy that mostly
      fails, it only adds variance. Without a potential it equals `outcome`.
    - between: a bias where phi is not the value, for a signal that tells turns apart.

    Parameters
    ----------
    lam
        How far credit reaches back, in [0, 1].

    Raises
    ------
    ConfigError
        If `lam` is outside [0, 1].

    >>> [c.tolist() for c in TurnCredit(lam=0.5)([[0.25, 0.5], [-0.5]])]
    [[0.5, 0.5], [-0.5]]
    """

    name: ClassVar[str] = "turn"
    sees_turns: ClassVar[bool] = True
    lam: float = 0.5

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

    A turn is compared with what the members of its group are held responsible for at the same
    turn; a member that has ended stands there with its last:

        D[i, t] = C[i, t] - mean over all j of C[j, min(t, T_j)]
        A[i, t] = D[i, t] / (sigma + eps)
        sigma^2 = sum over i of (mean over t of D[i, t]^2) / (G - 1)

    So episodes that are alike get nothing, every episode weighs the same however many turns it has,
    and where all turns of an episode share one number these are the advantages of GRPO. The share
    of i in its own mean scales D by 1 - 1/G; what is left of the mean does not depend on what i
    did, so the expected update (before the division) is that of C itself.

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

    >>> advantages(TurnCredit(lam=1), [[0.0, 1.0], [0.0]], 2, scale="none")
    [array([0.5, 0.5]), array([-0.5])]
    """
    if group_size < 1 or len(scores) % group_size:
        raise ConfigError(f"{len(scores)} episodes do not make groups of {group_size}")
    found: list[Floats | None] = [None] * len(scores)
    groups = [range(begin, begin + group_size) for begin in range(0, len(scores), group_size)]
    credited: list[Floats] = []
    for places in groups:
        known = [(place, steps) for place in places if (steps := scores[place]) is not None]
        group = credit([steps for _, steps in known])
        credited += group
        differences = _centred(group)
        divisor = 1.0 if scale != "group" else _spread(differences) + EPSILON
        for (place, _), difference in zip(known, differences, strict=True):
            found[place] = difference / divisor
    if scale == "batch":
        divisor = _spread(_centred(credited)) + EPSILON
        found = [None if turns is None else turns / divisor for turns in found]
    return found


def _centred(group: Sequence[Floats]) -> list[Floats]:
    """Return D: each turn minus the mean of the group at that turn, ended ones at their last."""
    length = max((len(turns) for turns in group), default=0)
    held = [np.pad(turns, (0, length - len(turns)), mode="edge") for turns in group]
    mean = np.mean(held, axis=0) if held else np.zeros(0)
    return [turns - mean[: len(turns)] for turns in group]


def _spread(differences: Sequence[Floats]) -> float:
    """Return sigma: every difference weighs one over the turns of its episode."""
    if len(differences) < 2:
        return 0.0
    squares = sum(float(np.mean(turns**2)) for turns in differences)
    return float(np.sqrt(squares / (len(differences) - 1)))


CREDITS: dict[str, type[OutcomeCredit] | type[TurnCredit]] = {
    "outcome": OutcomeCredit,
    "turn": TurnCredit,
}
"""Every credit by name; one row each."""


def make_credit(credit: str | Credit) -> Credit:
    """Return a credit by its text: `outcome`, `turn`, `turn(lam=0.9)`. A made one stays as it is.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    ConfigError
        If the text cannot be read, or it does not take that argument or value.

    >>> make_credit("turn(lam=0.9)")
    TurnCredit(lam=0.9)
    """
    if not isinstance(credit, str):
        return credit
    match = _TEXT.fullmatch(credit.strip())
    if match is None:
        raise ConfigError(f"credit {credit!r} is not of the form NAME or NAME(ARGUMENT=NUMBER)")
    name, argument, number = match.groups()
    if name not in CREDITS:
        raise UnknownNameError(f"credit {name!r} is unknown.{did_you_mean(name, CREDITS)}")
    if argument is None:
        return CREDITS[name]()
    known = [field.name for field in fields(CREDITS[name])]
    if argument not in known:
        hint = did_you_mean(argument, known) or " It takes none."
        raise ConfigError(f"credit {name!r}: unknown argument {argument!r}.{hint}")
    return CREDITS[name](**{argument: float(number)})


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
