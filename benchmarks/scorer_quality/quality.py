"""What is measured: a scorer for each family, and the encoders on the same states."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import Any

from graphenv.agents.gnn.adversary import AttackConfig
from graphenv.agents.gnn.fitting import FitConfig
from graphenv.agents.gnn.model import ModelConfig
from graphenv.agents.gnn.sets import HELDOUT_WORLDS, Worlds, gather
from graphenv.agents.gnn.training import ScorerConfig, train_scorer

__all__ = ["encoders", "kgqa", "subgraph"]

_KGQA = Worlds()
_SUBGRAPH = Worlds(
    environment="subgraph",
    env_kwargs={"shapes": ["path2", "path3", "triangle"]},
    train=(0, 1),
    validation=(10,),
    heldout=(20, 21),
    tasks=160,
    test_tasks=60,
    larger={"shapes": ["star3", "cycle4", "diamond"]},
)


def kgqa(*, quick: bool) -> dict[str, Any]:
    """Return the report of the default scorer: two-hop questions, in tools mode."""
    return _report(ScorerConfig(worlds=_KGQA), quick=quick)


def subgraph(*, quick: bool) -> dict[str, Any]:
    """Return the report of a scorer of motif tasks; the larger tasks are of other shapes."""
    return _report(ScorerConfig(worlds=_SUBGRAPH), quick=quick)


def encoders(*, quick: bool) -> list[dict[str, Any]]:
    """Return a row for each encoder, all fitted to the same states of KGQA."""
    config = _smaller(ScorerConfig(worlds=_KGQA)) if quick else ScorerConfig(worlds=_KGQA)
    config = replace(config, hard_negatives=0, baselines=False, attack=AttackConfig(states=5))
    sets = gather(config.worlds, config.rollouts)
    rows = []
    for name in ("rgcn", "gine", "gps", "mlp", "none"):
        shape = replace(config.model, encoder=name)
        with tempfile.TemporaryDirectory() as folder:
            found = train_scorer(replace(config, model=shape), folder, sets=sets)
        figures = found.report["sets"][HELDOUT_WORLDS]["raters"]["gnn"]
        weights = sum(weight.numel() for weight in found.scorer.model.parameters())
        rows.append({"encoder": name, "weights": weights, **figures})
    return rows


def _report(config: ScorerConfig, *, quick: bool) -> dict[str, Any]:
    config = _smaller(config) if quick else config
    with tempfile.TemporaryDirectory() as folder:
        return train_scorer(config, folder).report


def _smaller(config: ScorerConfig) -> ScorerConfig:
    return replace(
        config,
        worlds=replace(config.worlds, tasks=12, test_tasks=8),
        model=ModelConfig(hidden=16, layers=1),
        fit=FitConfig(epochs=2),
        attack=AttackConfig(states=8, rounds=2),
    )
