"""`ScorerConfig`: all that decides what a training run of a scorer gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from graphenv.agents.gnn.adversary import AttackConfig
from graphenv.agents.gnn.examples import Rollouts
from graphenv.agents.gnn.fitting import FitConfig
from graphenv.agents.gnn.model import ModelConfig
from graphenv.agents.gnn.schema import DEFAULT_TEXT
from graphenv.agents.gnn.sets import Worlds
from graphenv.checks import whole
from graphenv.errors import ConfigError

__all__ = ["ScorerConfig"]


@dataclass(frozen=True, kw_only=True)
class ScorerConfig:
    """All that decides what a training run gives; saved with it as `config.json`.

    Parameters
    ----------
    worlds
        Where states come from.
    rollouts
        Who plays, and how outcomes are measured.
    model, fit
        The network and how it is fitted.
    text
        How words become vectors (`Schema.text`).
    attack
        The search for overrated states; its `states` and `seed` are those of the training round.
    hard_negatives
        Rounds in which states that the search found are added and the network is fitted on.
    baselines
        Whether a network without edges is trained too, to be beaten.
    threshold
        Outcome from which a state counts as a success; `None`: 0.5, or the median outcome of
        training states if nine in ten of them lie on one side of 0.5.
    """

    worlds: Worlds = field(default_factory=Worlds)
    rollouts: Rollouts = field(default_factory=Rollouts)
    model: ModelConfig = field(default_factory=ModelConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    text: str = DEFAULT_TEXT
    attack: AttackConfig = field(default_factory=lambda: AttackConfig(states=200))
    hard_negatives: int = 1
    baselines: bool = True
    threshold: float | None = None

    def __post_init__(self) -> None:
        whole("train_scorer", "hard_negatives", self.hard_negatives, 0, 10)
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise ConfigError(f"train_scorer: threshold={self.threshold!r} must lie in (0, 1]")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form."""
        return asdict(self)
