"""`gated`: turns are paid only in episodes that succeed, as in G-RA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphenv.agents.credit.base import Credit, Floats, to_go
from graphenv.agents.credit.trajectory import Trajectory
from graphenv.agents.credit.turn import check_lam

__all__ = ["GatedCredit"]


@dataclass(frozen=True)
class GatedCredit(Credit):
    """`turn`, but what turns earned counts only where the verdict reaches a threshold.

        g[i, t] = p[i, t] if verdict[i] >= threshold, else min(p[i, t], 0)
        C[i, t] = sum over u >= t of lam**(u - t) * (g[i, u] + verdict[i] at the last turn)

    p is what turns earned by themselves. So turns that look good lead to nothing unless the
    episode is good, and a policy cannot live on them (gated reward accumulation, G-RA, 2025). The
    published gate drops everything; here a failed episode keeps what it was charged, as under the
    operator `gate(...)`, or failing would be a way out of a cost.

    Range: as `turn`. A potential loses its guarantee under a gate: successes pay its constant and
    failures do not.

    Parameters
    ----------
    threshold
        The verdict that opens the gate.
    lam
        As in `turn`.

    Raises
    ------
    ConfigError
        If `lam` is outside [0, 1].

    >>> won, lost = Trajectory((0.5, 1.5), settled=1.0), Trajectory((0.5, -0.5), settled=0.0)
    >>> [c.tolist() for c in GatedCredit(lam=1)([won, lost])]
    [[2.0, 1.5], [-0.5, -0.5]]
    """

    name = "gated"
    threshold: float = 0.5
    lam: float = 0.5

    def __post_init__(self) -> None:
        check_lam(self.name, self.lam)

    def __call__(self, group: Sequence[Trajectory]) -> list[Floats]:
        return [to_go(self._gated(one).rewards, self.lam) for one in group]

    def _gated(self, one: Trajectory) -> Trajectory:
        if one.verdict >= self.threshold:
            return one
        return one.with_process([min(earned, 0.0) for earned in one.process])
