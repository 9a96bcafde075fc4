"""`train_scorer`: states, a network, calibration, hard negatives, assessment; a folder with all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from graphenv.agents.gnn.adversary import Attack, attack, hard_negatives
from graphenv.agents.gnn.assessment import Rater, assess
from graphenv.agents.gnn.calibration import draw_calibration, fit_calibration, reliability
from graphenv.agents.gnn.examples import Example
from graphenv.agents.gnn.files import Calibration
from graphenv.agents.gnn.fitting import Epoch, FitConfig, fit, value_logits
from graphenv.agents.gnn.heuristics import HEURISTICS, Binned
from graphenv.agents.gnn.hiding import link_logits
from graphenv.agents.gnn.measures import auc
from graphenv.agents.gnn.model import ModelConfig, ScorerModel, build_model
from graphenv.agents.gnn.schema import Schema
from graphenv.agents.gnn.scorer import GNNScorer
from graphenv.agents.gnn.sets import HELDOUT_TASKS, HELDOUT_WORLDS, Sets, gather
from graphenv.agents.gnn.settings import ScorerConfig
from graphenv.agents.threads import one_thread
from graphenv.errors import ConfigError
from graphenv.scorers import View

__all__ = ["ASSESSMENT_FILE", "ScorerConfig", "Trained", "train_scorer"]

ASSESSMENT_FILE = "assessment.json"
CONFIG_FILE = "config.json"
PLOT_FILE = "calibration.png"
MLP = "MLP without edges"

Floats = NDArray[np.float64]


class Trained(NamedTuple):
    """What a run gives: the folder, the scorer in it, and its assessment."""

    folder: Path
    scorer: GNNScorer
    report: dict[str, Any]


class _Fitted(NamedTuple):
    model: ScorerModel
    calibration: Calibration
    history: tuple[Epoch, ...]

    def values(self, schema: Schema, views: Sequence[View]) -> Floats:
        logits = value_logits(self.model, schema, views)
        scale = self.calibration
        found: Floats = 1 / (1 + np.exp(-(logits / scale.temperature + scale.shift)))
        return found

    def rater(self, schema: Schema) -> Rater:
        return lambda examples: self.values(schema, [example.view for example in examples])


def train_scorer(
    config: ScorerConfig,
    out: str | Path,
    *,
    sets: Sets | None = None,
    on_stage: Callable[[str], object] = lambda _: None,
) -> Trained:
    """Train a scorer, assess it, and write it with everything that was found out into a folder.

    The folder then holds `scorer.json` and `model.safetensors` (the scorer: `load_scorer(out)`),
    `assessment.json`, `config.json`, and, if matplotlib is there, `calibration.png`. A pure
    function of its arguments on one machine. Test sets decide nothing: stopping and
    calibration use the validation set, hard negatives are made from training states.

    Parameters
    ----------
    sets
        States that were gathered before (`gather`), to train several networks on them.
    on_stage
        Called with the name of each stage as it begins, and of each task and epoch.

    Raises
    ------
    ConfigError
        If the environment builds no graph turn by turn, or an argument is out of range.
    """
    if sets is None:
        on_stage("play")
        sets = gather(config.worlds, config.rollouts, on_task=lambda: on_stage("task"))
    schema = Schema.of([example.view for example in sets.train], text=config.text)
    threshold = config.threshold or _threshold(sets.train)
    config = replace(config, threshold=threshold, fit=replace(config.fit, success=threshold))
    stage = _Stage(config, schema, sets, threshold, on_stage)
    on_stage("fit")
    ours = stage.fitted(config.model)
    plain = _aucs(ours.rater(schema), sets, threshold)
    ours, first, last = stage.hardened(ours)
    raters = stage.raters(ours)
    on_stage("assess")
    main = HELDOUT_WORLDS if HELDOUT_WORLDS in sets.tests else HELDOUT_TASKS
    report = assess(raters, sets.tests, threshold=threshold, main=main)
    report["adversary"] = {
        "before": {**first.to_json(), "auc": plain},
        "after": {**last.to_json(), "auc": _aucs(raters["gnn"], sets, threshold)},
    }
    report["training"] = {
        "states": len(sets.train),
        "validation_states": len(sets.validation),
        **sets.work,
        "epochs": [epoch._asdict() for epoch in ours.history],
    }
    notes = {
        "environment": config.worlds.environment,
        "auc": {n: found["raters"]["gnn"]["auc"] for n, found in report["sets"].items()},
        "verdict": report["verdict"],
    }
    scorer = GNNScorer(ours.model, schema, ours.calibration, notes=notes)
    folder = scorer.save(out)
    _write(folder / CONFIG_FILE, config.to_json())
    _write(folder / ASSESSMENT_FILE, report)
    _draw(folder / PLOT_FILE, raters["gnn"], sets.tests)
    return Trained(folder, scorer, report)


class _Stage:
    """What the stages of a run share."""

    def __init__(
        self,
        config: ScorerConfig,
        schema: Schema,
        sets: Sets,
        threshold: float,
        on_stage: Callable[[str], object],
    ) -> None:
        self._config, self._schema, self._sets = config, schema, sets
        self._threshold, self._on_stage = threshold, on_stage
        self._train = list(sets.train)

    def fitted(self, shape: ModelConfig) -> _Fitted:
        """Return a network of some shape, fitted from the start."""
        model = build_model(shape, self._schema, seed=self._config.fit.seed)
        return self._fit(model, self._config.fit, ())

    def _fit(self, model: ScorerModel, how: FitConfig, before: Sequence[Epoch]) -> _Fitted:
        epochs = fit(
            model,
            self._schema,
            self._train,
            self._sets.validation,
            how,
            on_epoch=lambda: self._on_stage("epoch"),
        )
        return _Fitted(model, self._calibrated(model, how), (*before, *epochs))

    def _calibrated(self, model: ScorerModel, how: FitConfig) -> Calibration:
        held = self._sets.validation
        logits = value_logits(model, self._schema, [example.view for example in held])
        temperature, shift = fit_calibration(logits, [example.outcome for example in held])
        if how.link_weight == 0:
            return Calibration(temperature=temperature, shift=shift)
        with one_thread():
            links, right = link_logits(model, self._schema, held, how.success, seed=how.seed)
        link_temperature, link_shift = fit_calibration(links, right)
        return Calibration(
            temperature=temperature,
            shift=shift,
            link_temperature=link_temperature,
            link_shift=link_shift,
        )

    def hardened(self, ours: _Fitted) -> tuple[_Fitted, Attack, Attack]:
        """Return the network after the rounds of hard negatives, and attacks before and after.

        Both attacks are on the same states of the first test set and draw the same edits, but each
        climbs by the values of its own network.
        """
        self._on_stage("attack")
        first = self._attacked(ours, self._tested, 0)
        for turn in range(self._config.hard_negatives):
            found = self._attacked(ours, self._sets.train, 1 + turn)
            self._train += hard_negatives(found)
            how = self._config.fit
            how = replace(
                how,
                # Gently: at half the rate robustness was the same and validation AUC lower.
                epochs=max(1, how.epochs // 2),
                patience=min(2, how.patience),
                learning_rate=how.learning_rate / 4,
                seed=how.seed + 1 + turn,
            )
            self._on_stage("fit")
            ours = self._fit(ours.model, how, ours.history)
        if not self._config.hard_negatives:
            return ours, first, first
        return ours, first, self._attacked(ours, self._tested, 0)

    @property
    def _tested(self) -> Sequence[Example]:
        return self._sets.tests.get(HELDOUT_WORLDS) or self._sets.tests[HELDOUT_TASKS]

    def _attacked(self, ours: _Fitted, examples: Sequence[Example], turn: int) -> Attack:
        how = self._config.attack
        how = replace(
            how,
            states=how.states if turn else min(how.states, 100),
            below=self._threshold,
            seed=how.seed + turn,
        )
        return attack(
            lambda views: ours.values(self._schema, views), examples, self._sets.train, how
        )

    def raters(self, ours: _Fitted) -> dict[str, Rater]:
        """Return the scorer and what it must beat."""
        raters: dict[str, Rater] = {"gnn": ours.rater(self._schema)}
        if self._config.baselines:
            self._on_stage("baselines")
            self._train = list(self._sets.train)
            shape = replace(self._config.model, encoder="none")
            raters[MLP] = self.fitted(shape).rater(self._schema)
        for name, heuristic in HEURISTICS.items():
            raters[name] = Binned({name: heuristic}, self._sets.train)
        raters["size, degree and distance"] = Binned(HEURISTICS, self._sets.train)
        return raters


def _threshold(train: Sequence[Example]) -> float:
    outcomes = np.array([example.outcome for example in train])
    share = float((outcomes >= 0.5).mean()) if len(outcomes) else 0.0
    return 0.5 if 0.1 <= share <= 0.9 else max(1e-6, float(np.median(outcomes)))


def _aucs(rate: Rater, sets: Sets, threshold: float) -> dict[str, float | None]:
    """Return the AUC on every set that was not trained on."""
    found = {"validation": sets.validation, **sets.tests}
    return {
        name: auc(rate(rows), [example.outcome >= threshold for example in rows])
        for name, rows in found.items()
    }


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _draw(path: Path, rate: Rater, tests: Mapping[str, Sequence[Example]]) -> None:
    shown = [
        (name, reliability(rate(found), [example.outcome for example in found]))
        for name, found in tests.items()
        if found
    ]
    try:
        draw_calibration(shown, path)
    except ConfigError:
        return  # without matplotlib the bins stand in the assessment
