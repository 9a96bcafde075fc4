"""Encoders: node vectors and edges in, node vectors out. One table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import GINEConv, GPSConv

__all__ = ["ENCODERS", "MOST_NODES", "BasisConv", "Gine", "Gps", "Mlp", "Rgcn", "sees_edges"]


class BasisConv(nn.Module):
    """R-GCN with basis decomposition whose coefficients are given for each edge.

    x'_i = W_0 x_i + sum_r mean_{j in N_r(i)} sum_b a_rb V_b x_j. In `torch_geometric.nn.RGCNConv`
    the a_rb are a table with a row for each relation; here they come with the edges, made from the
    relation's words, so that a relation that was never seen has some too. With the same
    coefficients both give the same (tests/test_gnn_scorer.py). It is no `MessagePassing`, which
    writes a module into the folder of temporary files for every class of one's own.

    References: Schlichtkrull et al., Modeling Relational Data with Graph Convolutional Networks,
    ESWC 2018, equations 2 and 3.
    """

    def __init__(self, size: int, bases: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(bases, size, size))
        self.root = nn.Linear(size, size)
        for basis in self.weight:
            nn.init.xavier_uniform_(basis)

    def forward(self, x: Tensor, edge_index: Tensor, mix: Tensor) -> Tensor:
        """Return (N, size); `mix` (edges, bases) are coefficients times 1 / |N_r(i)|."""
        bases, size, _ = self.weight.shape
        seen = (x @ self.weight.permute(1, 0, 2).reshape(size, bases * size)).view(-1, bases, size)
        start, end = edge_index
        messages = torch.bmm(mix.unsqueeze(1), seen[start]).squeeze(1)
        found: Tensor = self.root(x).index_add(0, end, messages)
        return found


class Rgcn(nn.Module):
    """Layers of `BasisConv`, each with a residual connection and a layer norm."""

    def __init__(self, size: int, layers: int, bases: int, heads: int, dropout: float) -> None:
        del heads
        super().__init__()
        self.convs = nn.ModuleList(BasisConv(size, bases) for _ in range(layers))
        self.mixes = nn.ModuleList(nn.Linear(size, bases) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(layers))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, batch: Any, edge: Tensor) -> Tensor:
        """Return the node vectors, (N, size); `edge` (edges, size) are the edges' vectors."""
        for conv, mix, norm in zip(self.convs, self.mixes, self.norms, strict=True):
            new = conv(x, batch.edge_index, mix(edge) * batch.edge_weight.unsqueeze(1))
            x = norm(x + self.drop(new.relu()))
        return x


class Gine(nn.Module):
    """Layers of `GINEConv` (Hu et al., Strategies for Pre-training GNNs, ICLR 2020)."""

    def __init__(self, size: int, layers: int, bases: int, heads: int, dropout: float) -> None:
        del bases, heads
        super().__init__()
        self.convs = nn.ModuleList(GINEConv(_two(size), train_eps=True) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(layers))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, batch: Any, edge: Tensor) -> Tensor:
        """Return the node vectors, (N, size); `edge` (edges, size) are the edges' vectors."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = norm(x + self.drop(conv(x, batch.edge_index, edge).relu()))
        return x


class Gps(nn.Module):
    """Layers of `GPSConv` around GINE (Rampasek et al., GraphGPS, NeurIPS 2022).

    Attention runs over all pairs of nodes of a graph: the square of its size.
    """

    def __init__(self, size: int, layers: int, bases: int, heads: int, dropout: float) -> None:
        del bases
        super().__init__()
        self.convs = nn.ModuleList(
            # The norm is a layer norm: a batch norm would let states of one batch see each other.
            GPSConv(
                size,
                GINEConv(_two(size), train_eps=True),
                heads=heads,
                dropout=dropout,
                norm="layer_norm",
                norm_kwargs={"mode": "node"},
            )
            for _ in range(layers)
        )

    def forward(self, x: Tensor, batch: Any, edge: Tensor) -> Tensor:
        """Return the node vectors, (N, size); `edge` (edges, size) are the edges' vectors."""
        if not len(x):
            return x
        # Without empty graphs, whose attention would be over nothing: no number.
        _, graph = torch.unique_consecutive(batch.batch, return_inverse=True)
        for conv in self.convs:
            x = conv(x, batch.edge_index, graph, edge_attr=edge)
        return x


class Mlp(nn.Module):
    """Layers that pass no message: each node is looked at alone."""

    def __init__(self, size: int, layers: int, bases: int, heads: int, dropout: float) -> None:
        del bases, heads
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(size, size) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(layers))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, batch: Any, edge: Tensor | None) -> Tensor:
        """Return the node vectors, (N, size)."""
        del batch, edge
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(x + self.drop(layer(x).relu()))
        return x


ENCODERS: dict[str, Callable[..., nn.Module]] = {
    "rgcn": Rgcn,
    "gine": Gine,
    "gps": Gps,
    "mlp": Mlp,
    "none": Mlp,
}
"""`mlp` knows of edges only degrees, distances and counts; `none` nothing at all: the controls."""

MOST_NODES = {"gps": 6_000}
"""Nodes of the largest graph that an encoder takes, where its cost grows with their square."""


def sees_edges(encoder: str) -> tuple[bool, bool]:
    """Return whether an encoder passes messages, and whether it knows anything of edges."""
    return encoder not in ("mlp", "none"), encoder != "none"


def _two(size: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, size))
