"""Fitting a network to examples: batches, three losses, early stopping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from graphenv.agents.gnn.calibration import fit_calibration
from graphenv.agents.gnn.examples import Example
from graphenv.agents.gnn.features import collate
from graphenv.agents.gnn.hiding import hidden_edges, pair_logits
from graphenv.agents.gnn.model import ScorerModel
from graphenv.agents.gnn.schema import Schema
from graphenv.agents.threads import one_thread
from graphenv.checks import whole
from graphenv.errors import ConfigError
from graphenv.scorers import View
from graphenv.seeding import rng, stable_hash

__all__ = ["Epoch", "FitConfig", "fit", "value_logits"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How a network is fitted.

    Parameters
    ----------
    epochs, patience
        At most so many passes; stops when the validation loss has not fallen for `patience` of
        them. The best weights are kept.
    batch_size
        States in a batch.
    learning_rate, weight_decay
        Of AdamW.
    link_weight
        Weight of the link loss beside that of the value; 0 leaves the link head untrained.
    success
        Outcome from which the edges of a state are right ones for the link head.
    seed
        Of the order, of dropout and of hidden edges.
    """

    epochs: int = 16
    patience: int = 4
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    link_weight: float = 0.2
    success: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch_size"):
            whole("FitConfig", name, getattr(self, name), 1)
        for name in ("learning_rate", "weight_decay", "link_weight", "success"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise ConfigError(f"FitConfig: {name}={value!r} must be a number from 0")


class Epoch(NamedTuple):
    """A pass over the training states: cross-entropy there, and on validation once calibrated."""

    train: float
    validation: float


def fit(
    model: ScorerModel,
    schema: Schema,
    train: Sequence[Example],
    validation: Sequence[Example],
    config: FitConfig | None = None,
    *,
    on_epoch: Callable[[], object] = lambda: None,
) -> list[Epoch]:
    """Fit `model` in place and return its epochs; it ends with the weights of the best one.

    The value learns by cross-entropy with outcomes, which are probabilities. The link head learns
    to tell an edge hidden from a state that led to success from the same edge with another end or
    relation (Bordes et al., NeurIPS 2013). A classification head learns `Example.label`.

    Raises
    ------
    ConfigError
        If there are no training or no validation states.
    """
    config = config or FitConfig()
    if not train or not validation:
        raise ConfigError(
            f"a scorer needs states to train and to stop on; got {len(train)} and {len(validation)}"
        )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    outcomes = np.array([example.outcome for example in validation])
    history: list[Epoch] = []
    best, kept, waited = float("inf"), _weights(model), 0
    with torch.random.fork_rng(devices=[]), one_thread():
        # Dropout draws from torch's global generator; the caller's is restored afterwards.
        torch.manual_seed(stable_hash("fit", config.seed, bits=63))
        for epoch in range(config.epochs):
            loss = _pass(model, schema, train, config, optimizer, epoch)
            logits = value_logits(model, schema, [example.view for example in validation])
            held = _calibrated_loss(logits, outcomes)
            history.append(Epoch(loss, held))
            on_epoch()
            if held < best - 1e-4:
                best, kept, waited = held, _weights(model), 0
            else:
                waited += 1
                if waited >= config.patience:
                    break
    model.load_state_dict(kept)
    model.eval()
    return history


def value_logits(
    model: ScorerModel, schema: Schema, views: Sequence[View], batch_size: int = 256
) -> Floats:
    """Return the log-odds of success of some states, before calibration."""
    model.eval()
    found = [np.zeros(0)]
    with torch.inference_mode(), one_thread():
        for i in range(0, len(views), batch_size):
            batch = collate(views[i : i + batch_size], schema)
            found.append(model(batch).value_logit.double().numpy())
    return np.concatenate(found)


def _calibrated_loss(logits: Floats, outcomes: Floats) -> float:
    """Return the cross-entropy once calibrated: base rates should not decide when to stop."""
    temperature, shift = fit_calibration(logits, outcomes)
    z = logits / temperature + shift
    return float(np.mean(np.logaddexp(0.0, z) - outcomes * z))


def _weights(model: ScorerModel) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _pass(
    model: ScorerModel,
    schema: Schema,
    train: Sequence[Example],
    config: FitConfig,
    optimizer: torch.optim.Optimizer,
    epoch: int,
) -> float:
    model.train()
    draw = rng("fit", config.seed, epoch)
    hides = config.link_weight > 0
    total = 0.0
    for rows in _shuffled(train, config.batch_size, draw):
        batch = collate([example.view for example in rows], schema)
        outcomes = torch.tensor([example.outcome for example in rows], dtype=torch.float32)
        heads = model(batch)
        value = functional.binary_cross_entropy_with_logits(heads.value_logit, outcomes)
        total += float(value.detach()) * len(rows)
        loss = value
        if heads.class_logits is not None:
            loss = loss + _class_loss(heads.class_logits, rows, model.config.classes)
        if hides:
            loss = loss + config.link_weight * _link_loss(model, schema, rows, config.success, draw)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return total / len(train)


def _shuffled(
    train: Sequence[Example], size: int, draw: np.random.Generator
) -> Iterator[list[Example]]:
    order = draw.permutation(len(train)).tolist()
    for i in range(0, len(order), size):
        yield [train[j] for j in order[i : i + size]]


def _class_loss(logits: Tensor, rows: Sequence[Example], classes: Sequence[str]) -> Tensor:
    place = {name: i for i, name in enumerate(classes)}
    labels = torch.tensor([place.get(example.label, -1) for example in rows])
    if not bool((labels >= 0).any()):
        return logits.sum() * 0.0
    return functional.cross_entropy(logits, labels, ignore_index=-1)


def _link_loss(
    model: ScorerModel,
    schema: Schema,
    rows: Sequence[Example],
    success: float,
    draw: np.random.Generator,
) -> Tensor | float:
    """Return the cross-entropy of hidden edges against corrupted ones, one pair a state."""
    views, pairs = hidden_edges(rows, schema, success, draw)
    if not views:
        return 0.0
    logits = pair_logits(model, schema, views, pairs)
    right = torch.tensor([1.0, 0.0] * len(pairs))
    return functional.binary_cross_entropy_with_logits(logits, right)
