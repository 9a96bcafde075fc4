"""What the link head learns from: an edge hidden from a state, and one that was made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphenv.agents.gnn.examples import Example
from graphenv.agents.gnn.features import collate
from graphenv.agents.gnn.model import ScorerModel
from graphenv.agents.gnn.schema import Schema
from graphenv.agents.gnn.texts import text_vectors
from graphenv.graph import Graph
from graphenv.scorers import View
from graphenv.seeding import rng

__all__ = ["Pair", "hidden_edges", "link_logits", "pair_logits"]

Floats = NDArray[np.float64]
Pair = tuple[tuple[int, str, int], tuple[int, str, int]]
"""A right edge and a wrong one, between rows of a graph."""


def link_logits(
    model: ScorerModel,
    schema: Schema,
    examples: Sequence[Example],
    success: float,
    *,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """Return the log-odds of hidden edges and corrupted ones, and which are right (1 or 0).

    One pair of each state that led to success, for calibration.
    """
    model.eval()
    draw = rng("links", seed)
    found = [np.zeros(0)]
    with torch.inference_mode():
        for i in range(0, len(examples), 256):
            views, pairs = hidden_edges(examples[i : i + 256], schema, success, draw)
            if views:
                found.append(pair_logits(model, schema, views, pairs).double().numpy())
    logits = np.concatenate(found)
    return logits, np.tile([1.0, 0.0], len(logits) // 2)


def hidden_edges(
    rows: Sequence[Example], schema: Schema, success: float, draw: np.random.Generator
) -> tuple[list[View], list[Pair]]:
    """Return states with an outcome of `success` or more, each without one edge, and the pairs."""
    views: list[View] = []
    pairs: list[Pair] = []
    for example in rows:
        graph = example.view.graph
        if example.outcome < success or not graph.edges:
            continue
        hidden = graph.edges[int(draw.integers(graph.num_edges))]
        right = (hidden.head, hidden.relation, hidden.tail)
        wrong = _corrupted(graph, right, schema.relations, draw)
        if wrong is not None:
            rest = tuple(edge for edge in graph.edges if edge != hidden)
            views.append(View(example.view.question, replace(graph, edges=rest)))
            pairs.append((right, wrong))
    return views, pairs


def pair_logits(
    model: ScorerModel, schema: Schema, views: Sequence[View], pairs: Sequence[Pair]
) -> Tensor:
    batch = collate(views, schema)
    first = batch.ptr[:-1].tolist()
    asked = [(at, *triple) for at, pair in zip(first, pairs, strict=True) for triple in pair]
    head = torch.tensor([at + h for at, h, _, _ in asked])
    tail = torch.tensor([at + t for at, _, _, t in asked])
    relation = torch.from_numpy(text_vectors(schema.text).rows([r for _, _, r, _ in asked]))
    return model.link_logits(model(batch), batch, head, relation, tail)


def _corrupted(
    graph: Graph,
    edge: tuple[int, str, int],
    relations: Sequence[str],
    draw: np.random.Generator,
) -> tuple[int, str, int] | None:
    """Return the edge with another end or relation, one that the graph does not have."""
    head, relation, tail = edge
    known = {(e.head, e.relation, e.tail) for e in graph.edges}
    for _ in range(4):
        kind = int(draw.integers(3))
        other = int(draw.integers(len(graph)))
        if kind == 0 and relations:
            made = (head, relations[int(draw.integers(len(relations)))], tail)
        elif kind == 1:
            made = (other, relation, tail)
        else:
            made = (head, relation, other)
        if made not in known and made[0] != made[2]:
            return made
    return None
