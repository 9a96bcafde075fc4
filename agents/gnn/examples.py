"""`Example`: a state that was met, and what became of it; `Rollouts`: how both are found out."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphenv.checks import one_of, whole
from graphenv.errors import ConfigError
from graphenv.scorers import View

__all__ = ["PLAYERS", "Collection", "Example", "Rollouts"]

PLAYERS = ("oracle", "planted", "random", "mixed", "search")
"""Who plays the episodes that states are taken from."""


@dataclass(frozen=True, slots=True)
class Example:
    """A state that was met, and what became of it.

    Parameters
    ----------
    view
        What a scorer sees: question and graph.
    outcome
        Mean truth in [0, 1] of the episodes continued from here (Monte-Carlo).
    group
        The task, in its world: examples of one group never stand on both sides of a split.
    origin
        Which player led here.
    turns
        Turns played.
    continuations
        Episodes that `outcome` is the mean of.
    progress
        True nearness to the gold in [0, 1], `None` where the family measures none. Never trained
        on: rank correlations are measured with it.
    seeds
        Names that the task gives, for heuristics.
    label
        Class of the graph, for a scorer with a classification head; empty for none.
    """

    view: View
    outcome: float
    group: str
    origin: str
    turns: int
    continuations: int
    progress: float | None = None
    seeds: tuple[str, ...] = ()
    label: str = ""

    @property
    def size(self) -> int:
        """Nodes and edges of the graph."""
        return len(self.view.graph) + self.view.graph.num_edges


@dataclass(frozen=True)
class Rollouts:
    """How states are met, and how episodes are continued from them.

    Parameters
    ----------
    players
        Episodes of each player on every task, by its name in `PLAYERS`. `mixed` says a stray turn
        in place of the next gold one with probability `strays`; `planted` plays gold with one to
        five mistakes; `search` is the training-free search agent, for KGQA.
    strays
        Share in [0, 1] of stray turns of `mixed` players.
    continuations
        Episodes continued from each state.
    epsilon
        The roll-in policy is an epsilon-oracle: before each gold turn that is still to be said, a
        stray one is said with this probability.
    max_nodes
        States with more nodes are left out, and counted.
    seed
        Of all that is drawn.
    label
        Entry of a task's `meta` that is the class of its graphs, such as `"kind"`.
    """

    players: dict[str, int] = field(
        default_factory=lambda: {"oracle": 1, "planted": 1, "random": 1, "mixed": 4}
    )
    strays: float = 0.4
    continuations: int = 4
    epsilon: float = 0.15
    max_nodes: int = 200
    seed: int = 0
    label: str = ""

    def __post_init__(self) -> None:
        for name, count in self.players.items():
            one_of("scorer examples", "player", name, PLAYERS)
            whole("scorer examples", f"players[{name!r}]", count, 0)
        whole("scorer examples", "continuations", self.continuations, 1)
        whole("scorer examples", "max_nodes", self.max_nodes, 1)
        for name, share in (("strays", self.strays), ("epsilon", self.epsilon)):
            if not 0 <= share <= 1:
                raise ConfigError(f"scorer examples: {name}={share!r} is a share in [0, 1]")


@dataclass(frozen=True)
class Collection:
    """Examples, and what it took: turns played, and states left out because they are too large."""

    examples: tuple[Example, ...]
    turns_played: int
    left_out: int
