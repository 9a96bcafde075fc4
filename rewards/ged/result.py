"""`GEDResult`: an interval that holds the distance, and the edits that prove its upper end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from graphenv.graph import Graph
from graphenv.rewards.ged.edits import EditOp, NodeCost, edit_path

__all__ = ["GEDResult"]


@dataclass(frozen=True, eq=False, repr=False, init=False)
class GEDResult:
    """`lower <= GED <= upper`, and a mapping of nodes that costs `upper`.

    Parameters
    ----------
    lower, upper
        The interval, in cost units; equal where the distance is known.
    expansions
        Work spent: search nodes bounded, and what tightening bounds cost in the same unit.
    reason
        Why the interval is open: `"budget"`, `"time limit"`, `"size"` or `"method"`; empty if
        `exact`.
    size
        The normaliser of `similarity`.
    """

    lower: float
    upper: float
    expansions: int
    reason: str
    size: float
    _graphs: tuple[Graph, Graph]
    _image: npt.NDArray[np.int32]
    _node_cost: NodeCost

    def __init__(
        self,
        lower: float,
        upper: float,
        expansions: int,
        reason: str,
        size: float,
        graphs: tuple[Graph, Graph],
        image: npt.NDArray[np.int32],
        node_cost: NodeCost,
    ) -> None:
        # All at once: the setters of a frozen dataclass take longer than solving a small pair.
        self.__dict__.update(
            lower=lower,
            upper=upper,
            expansions=expansions,
            reason=reason,
            size=size,
            _graphs=graphs,
            _image=image,
            _node_cost=node_cost,
        )

    @property
    def exact(self) -> bool:
        """Whether the distance is known."""
        return self.lower == self.upper

    @property
    def similarity(self) -> float:
        """max(0, 1 - upper / size) in [0, 1]; 1 for two empty graphs.

        The size is the larger of the two summed node costs plus the larger of the two summed edge
        costs: max(n1, n2) + max(m1, m2) at unit costs. So unrelated graphs come out near 0.
        (Dividing by delete-all plus insert-all gives them about 0.5.)
        """
        if self.size <= 0:
            return 1.0
        return max(0.0, 1.0 - self.upper / self.size)

    @cached_property
    def mapping(self) -> tuple[tuple[int, int], ...]:
        """Pairs (node of the first graph, its image in the second); others are deleted."""
        return tuple((i, j) for i, j in enumerate(self._image.tolist()) if j >= 0)

    @cached_property
    def edit_path(self) -> tuple[EditOp, ...]:
        """Edits that turn the first graph into the second; their costs sum to `upper`."""
        return edit_path(*self._graphs, self._image.tolist(), self._node_cost)

    def __repr__(self) -> str:
        span = f"{self.upper:g}" if self.exact else f"[{self.lower:g}, {self.upper:g}]"
        why = "exact" if self.exact else f"stopped by {self.reason}"
        return f"GEDResult({span}, {why}, similarity={self.similarity:.3f})"
