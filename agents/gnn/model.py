"""The network: what is read of a state, an encoder, and three heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch_geometric.utils import scatter

from graphenv.agents.gnn.encoders import ENCODERS, sees_edges
from graphenv.agents.gnn.features import DIRECTIONS, MATCH, SHAPE, SIZE, plain_size
from graphenv.agents.gnn.schema import Schema
from graphenv.agents.gnn.structure import STRUCTURE
from graphenv.agents.gnn.texts import text_vectors
from graphenv.checks import one_of, whole
from graphenv.errors import ConfigError
from graphenv.seeding import stable_hash

__all__ = ["Heads", "ModelConfig", "ScorerModel", "build_model"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a scorer's network; JSON-able.

    Parameters
    ----------
    encoder
        One of `graphenv.agents.gnn.encoders.ENCODERS`: `rgcn`, `gine`, `gps`; as controls `mlp`
        (degrees and distances, no messages) and `none` (nothing of the edges).
    hidden
        Length of all vectors, 4 to 1,024.
    layers
        Layers of the encoder, 0 to 16.
    bases
        Basis matrices of a layer of `rgcn`, 1 to 64.
    heads
        Attention heads of `gps`; they divide `hidden`.
    dropout
        While training; never while scoring.
    classes
        Names of the classes of the classification head; none for no such head.

    Raises
    ------
    ConfigError
        If one is out of range.
    """

    encoder: str = "rgcn"
    hidden: int = 64
    layers: int = 3
    bases: int = 4
    heads: int = 4
    dropout: float = 0.1
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = "ModelConfig"
        one_of(where, "encoder", self.encoder, ENCODERS)
        whole(where, "hidden", self.hidden, 4, 1024)
        whole(where, "layers", self.layers, 0, 16)
        whole(where, "bases", self.bases, 1, 64)
        whole(where, "heads", self.heads, 1, 64)
        if self.hidden % self.heads:
            raise ConfigError(f"{where}: heads={self.heads} does not divide hidden={self.hidden}")
        rate = self.dropout
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0.0 <= rate < 1.0:
            raise ConfigError(f"{where}: dropout={rate!r} must be a number in [0, 1)")
        if not all(isinstance(name, str) for name in self.classes) or len(self.classes) == 1:
            raise ConfigError(f"{where}: classes={self.classes!r} must be at least two names")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able form; `from_json` is its inverse."""
        return {**asdict(self), "classes": list(self.classes)}

    @classmethod
    def from_json(cls, data: Any) -> ModelConfig:
        """Return the shape that `to_json` wrote.

        Raises
        ------
        ConfigError
            If it is none.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(data, Mapping) or set(data) != names:
            raise ConfigError(f"ModelConfig: an object with {', '.join(sorted(names))} is expected")
        if not isinstance(data["classes"], list):
            raise ConfigError("ModelConfig: classes must be a list of names")
        return cls(**{**data, "classes": tuple(data["classes"])})


class Heads(NamedTuple):
    """What the network says of a batch of B graphs with N nodes."""

    value_logit: Tensor
    """(B,): the log-odds that the state leads to success."""
    nodes: Tensor
    """(N, hidden): what `link_logits` compares."""
    class_logits: Tensor | None
    """(B, classes), if it has that head."""


class ScorerModel(nn.Module):
    """Reads text and numbers of a state, passes messages, and reads out.

    A node starts from its label, kind, attributes, the question, and label times question; an edge
    from its relation, direction, the question, and relation times question. The value is read from
    the mean and the maximum over nodes, the mean over seeds, the question and the numbers of the
    whole graph (`collate`); an empty graph has zeros there. Nothing is a sum over nodes, so that
    size alone does not push the value.
    """

    def __init__(self, config: ModelConfig, schema: Schema) -> None:
        super().__init__()
        self.config = config
        size = config.hidden
        self.passes, self.knows = sees_edges(config.encoder)
        self.read = nn.Linear(text_vectors(schema.text).size, size)
        plain = plain_size(schema) + (STRUCTURE if self.knows else 0)
        self.node = _layer(5 * size + plain, size)
        self.direction = nn.Embedding(DIRECTIONS, size)
        self.edge = _layer(3 * size + MATCH, size)
        self.encoder = ENCODERS[config.encoder](
            size, config.layers, config.bases, config.heads, config.dropout
        )
        read_out = 4 * size + SIZE + (SHAPE if self.knows else 0)
        self.value = _head(read_out, size, 1, config.dropout)
        self.classes = (
            _head(read_out, size, len(config.classes), config.dropout) if config.classes else None
        )
        self.link = _head(5 * size, size, 1, config.dropout)

    def forward(self, batch: Any) -> Heads:
        """Return what it says of a batch that `collate` made with the schema of this model."""
        texts = self.read(batch.text)
        question = texts[batch.question]
        nodes = self._encoded(batch, texts, question)
        graphs = len(question)
        where = batch.batch
        seed = batch.seed.unsqueeze(1)
        seeds = scatter(seed, where, 0, graphs).clamp(min=1.0)
        parts = [
            scatter(nodes, where, 0, graphs, reduce="mean"),
            scatter(nodes, where, 0, graphs, reduce="max"),
            scatter(nodes * seed, where, 0, graphs) / seeds,
            question,
            batch.size_of,
        ]
        seen = torch.cat([*parts, batch.shape_of] if self.knows else parts, dim=1)
        classes = None if self.classes is None else self.classes(seen)
        return Heads(self.value(seen).squeeze(1), nodes, classes)

    def link_logits(
        self, heads: Heads, batch: Any, head: Tensor, relation: Tensor, tail: Tensor
    ) -> Tensor:
        """Return the log-odds (Q,) of edges between nodes of the batch.

        `head` and `tail` (Q,) are rows of `heads.nodes` in one graph each; `relation` (Q, D) the
        vectors of their relations (`text_vectors(schema.text).rows`).
        """
        named = self.read(relation)
        start, end = heads.nodes[head], heads.nodes[tail]
        question = self.read(batch.text[batch.question])[batch.batch[head]]
        seen = torch.cat([start, end, named, start * end * named, named * question], dim=1)
        found: Tensor = self.link(seen).squeeze(1)
        return found

    def _encoded(self, batch: Any, texts: Tensor, question: Tensor) -> Tensor:
        label, asked = texts[batch.label], question[batch.batch]
        parts = [label, texts[batch.kind], texts[batch.note], asked, label * asked, batch.plain]
        x = self.node(torch.cat([*parts, batch.structure] if self.knows else parts, dim=1))
        edge = None
        if self.passes:
            named = texts[batch.relation]
            asked = question[batch.batch[batch.edge_index[1]]]
            seen = torch.cat(
                [named + self.direction(batch.direction), asked, named * asked, batch.edge_match],
                dim=1,
            )
            edge = self.edge(seen)
        found: Tensor = self.encoder(x, batch, edge)
        return found


def build_model(config: ModelConfig, schema: Schema, *, seed: int = 0) -> ScorerModel:
    """Return an untrained network; its weights are a pure function of the arguments.

    Raises
    ------
    ConfigError
        If the text model that the schema names is not there.
    """
    with torch.random.fork_rng(devices=[]):
        # The only way to seed weight initialisation; the caller's generator is restored after it.
        torch.manual_seed(stable_hash("gnn", seed, bits=63))
        return ScorerModel(config, schema)


def _layer(inputs: int, size: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, size), nn.ReLU(), nn.LayerNorm(size))


def _head(inputs: int, size: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, size), nn.ReLU(), nn.Dropout(dropout), nn.Linear(size, outputs)
    )
