"""`turn`: a turn answers for what came after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphenv.agents.credit.base import Credit, Floats, to_go
from graphenv.agents.credit.trajectory import Trajectory
from graphenv.errors import ConfigError

__all__ = ["TurnCredit", "check_lam"]


def check_lam(name: str, lam: float) -> None:
    """Refuse a `lam` outside [0, 1] with a `ConfigError`."""
    if not 0.0 <= lam <= 1.0:
        raise ConfigError(f"credit {name!r}: lam={lam!r} must be in [0, 1]")


@dataclass(frozen=True)
class TurnCredit(Credit):
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

    Range: that of the reward, and of every sum of its last turns.

    Parameters
    ----------
    lam
        How far credit reaches back, in [0, 1].

    Raises
    ------
    ConfigError
        If `lam` is outside [0, 1].

    >>> [c.tolist() for c in TurnCredit(lam=0.5)([Trajectory((0.25, 0.5)), Trajectory((-0.5,))])]
    [[0.5, 0.5], [-0.5]]
    """

    name = "turn"
    lam: float = 0.5

    def __post_init__(self) -> None:
        check_lam(self.name, self.lam)

    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        return [to_go(one.rewards, self.lam) for one in group]
