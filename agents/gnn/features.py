"""States to tensors: one PyTorch Geometric batch with everything that a scorer sees of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Batch

from graphenv.agents.gnn.schema import Schema, number, switched_on
from graphenv.agents.gnn.texts import overlap, text_vectors
from graphenv.graph import Node
from graphenv.scorers import View

__all__ = ["DIRECTIONS", "MATCH", "SHAPE", "SIZE", "STRUCTURE", "collate", "plain_size"]

DIRECTIONS = 3
"""Forward, backward, and the edges of an undirected graph."""

MATCH = 3
"""Of a label or relation and the question: share of words, whole, cosine of their vectors."""

STRUCTURE = 8
"""Of a node and its edges: see `_structure`."""

SIZE = 3
"""Of a graph without its edges: log of its nodes, share of repeated labels, any seed."""

SHAPE = 4
"""Of a graph with its edges: log of them, edges a node, share isolated, share not reached."""

_FAR = 8
_CLIP = 8.0

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def plain_size(schema: Schema) -> int:
    """Return how many plain numbers a node has: `Batch.plain` is (N, this)."""
    return MATCH + 2 + len(schema.marks) + 2 * len(schema.numeric)


def collate(views: Sequence[View], schema: Schema) -> Any:
    """Return the batch of some states (at least one), in their order.

    Every edge stands there in both directions, told apart by `direction`; a self-loop too. With N
    nodes, E edges and U different texts in B graphs, the batch has

    - `text` (U, D): the vectors of all texts; `label`, `kind`, `note` (N,), `relation` (2E,) and
      `question` (B,) are rows of it, `note` the attributes that are read as words;
    - `plain` (N, `plain_size(schema)`): match of label and question, whether the label stands in
      the graph again, seed, marks, numeric attributes ((value - mean) / scale within 8, and a flag
      for a missing one);
    - `structure` (N, 8): log degrees, isolated, self-loop, parallel edges, nearness to the seeds
      (two numbers), not reached;
    - `edge_index`, `direction`, `edge_match` (2E, 3) and `edge_weight` (2E,): 1 over the number of
      edges of that relation and direction into that node, so that a repeated edge adds nothing;
    - `size_of` (B, 3) and `shape_of` (B, 4): numbers of whole graphs; `seed` and `batch` (N,), `ptr`
      (B+1,).

    Seeds are the nodes marked `seed`; in a graph without one, the nodes whose whole label stands in
    the question.
    """
    vectors = text_vectors(schema.text)
    index: dict[str, int] = {"": 0}
    label, kind, note, question = [], [], [], []
    head, tail, relation, directed = [], [], [], []
    match, counts, edges = [], [], []
    described = bool(schema.texts)
    offset = 0
    for view in views:
        graph, asked = view.graph, view.question
        question.append(index.setdefault(asked, len(index)))
        for node in graph.nodes:
            label.append(index.setdefault(node.label, len(index)))
            kind.append(index.setdefault(node.kind, len(index)))
            match.append(overlap(asked, node.label))
            if described and node.attributes:
                words = _note(node, schema)
                note.append(index.setdefault(words, len(index)))
            else:
                note.append(0)
        for edge in graph.edges:
            head.append(edge.head + offset)
            tail.append(edge.tail + offset)
            relation.append(index.setdefault(edge.relation, len(index)))
        directed.append(graph.directed)
        counts.append(len(graph.nodes))
        edges.append(len(graph.edges))
        offset += len(graph.nodes)

    of_node = np.repeat(np.arange(len(views)), counts)
    of_edge = np.repeat(np.arange(len(views)), edges)
    text = vectors.rows(list(index))
    rows = np.asarray(label, dtype=np.int64)
    asked_by = np.asarray(question, dtype=np.int64)
    alike = np.einsum("nd,nd->n", text[rows], text[asked_by[of_node]])
    matched = np.column_stack([np.asarray(match, dtype=np.float32).reshape(-1, 2), alike])
    again = _again(of_node, rows)
    on, numbers = _attributes([node for view in views for node in view.graph.nodes], schema)
    seed = _seeds(on[:, list(schema.marks).index("seed")], matched[:, 1], of_node, len(views))

    start, end = np.asarray(head, dtype=np.int64), np.asarray(tail, dtype=np.int64)
    names = np.asarray(relation, dtype=np.int64)
    source, target = np.concatenate([start, end]), np.concatenate([end, start])
    both = np.concatenate([names, names])
    plainly = np.asarray(directed, dtype=bool)[of_edge]
    direction = np.concatenate([np.where(plainly, 0, 2), np.where(plainly, 1, 2)])
    structure = _structure(start, end, seed, offset)
    asked_edge = asked_by[np.concatenate([of_edge, of_edge])]

    batch = Batch(
        text=torch.from_numpy(text),
        label=torch.from_numpy(rows),
        kind=torch.tensor(kind, dtype=torch.long),
        note=torch.tensor(note, dtype=torch.long),
        question=torch.from_numpy(asked_by),
        plain=_tensor(np.column_stack([matched, again, seed, on, numbers])),
        structure=_tensor(structure),
        seed=_tensor(seed),
        edge_index=torch.from_numpy(np.stack([source, target])),
        relation=torch.from_numpy(both),
        direction=torch.from_numpy(direction),
        edge_match=_tensor(_edge_match(both, asked_edge, text, list(index))),
        edge_weight=_tensor(_weights(target, both, direction)),
        size_of=_tensor(_sizes(np.asarray(counts), again, seed, of_node)),
        shape_of=_tensor(_shapes(np.asarray(counts), np.asarray(edges), structure, of_node)),
        batch=torch.from_numpy(of_node.astype(np.int64)),
        ptr=torch.from_numpy(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)),
        num_nodes=offset,
    )
    batch._num_graphs = len(views)
    return batch


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _note(node: Node, schema: Schema) -> str:
    words = [value for name, value in node.attributes if name in schema.texts]
    return "\n".join(words)


def _attributes(nodes: Sequence[Node], schema: Schema) -> tuple[Floats, Floats]:
    """Return the marks (N, M) and the numeric attributes, each with a flag if missing (N, 2A)."""
    marks = {name: i for i, name in enumerate(schema.marks)}
    columns = {a.name: (i, a) for i, a in enumerate(schema.numeric)}
    on = np.zeros((len(nodes), len(marks)), dtype=np.float32)
    values = np.zeros((len(nodes), 2 * len(columns)), dtype=np.float32)
    values[:, 1::2] = 1.0
    for row, node in enumerate(nodes):
        for name, text in node.attributes:
            if name in marks:
                on[row, marks[name]] = switched_on(text)
            elif name in columns and (value := number(text)) is not None:
                column, known = columns[name]
                scaled = min(max((value - known.mean) / known.scale, -_CLIP), _CLIP)
                values[row, 2 * column : 2 * column + 2] = scaled, 0.0
    return on, values


def _again(of_node: Ints, label: Ints) -> Floats:
    """Return for each node the log of how many nodes of its graph share its label."""
    if not len(label):
        return np.zeros(0, dtype=np.float32)
    key = of_node * (int(label.max()) + 1) + label
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(np.log(count[place]), dtype=np.float32)


def _seeds(marked: Floats, named: Floats, of_node: Ints, graphs: int) -> Floats:
    any_marked = np.bincount(of_node, weights=marked, minlength=graphs) > 0
    return np.asarray(np.where(any_marked[of_node], marked, named), dtype=np.float32)


def _structure(start: Ints, end: Ints, seed: Floats, count: int) -> Floats:
    out = np.bincount(start, minlength=count)
    into = np.bincount(end, minlength=count)
    loops = np.bincount(start[start == end], minlength=count)
    pairs = np.minimum(start, end) * max(count, 1) + np.maximum(start, end)
    _, place, times = np.unique(pairs, return_inverse=True, return_counts=True)
    extra = (times[place] - 1).astype(np.float64)
    parallel = np.bincount(start, weights=extra, minlength=count)
    distance = _distances(start, end, seed > 0)
    reached = distance <= _FAR
    return np.column_stack(
        [
            np.log1p(out),
            np.log1p(into),
            out + into == 0,
            loops > 0,
            np.log1p(parallel),
            np.where(reached, 1.0 / (1.0 + distance), 0.0),
            np.where(reached, distance / _FAR, 1.0),
            ~reached,
        ]
    ).astype(np.float32)


def _distances(start: Ints, end: Ints, seed: NDArray[np.bool_]) -> Ints:
    """Return the steps from the nearest seed, whatever the direction; `_FAR + 1` if more."""
    distance = np.where(seed, 0, _FAR + 1)
    reached = seed.copy()
    for step in range(1, _FAR + 1):
        new = np.zeros_like(reached)
        new[end[reached[start]]] = True
        new[start[reached[end]]] = True
        new &= ~reached
        if not new.any():
            break
        distance[new] = step
        reached |= new
    return distance


def _edge_match(relation: Ints, asked: Ints, text: Floats, texts: list[str]) -> Floats:
    if not len(relation):
        return np.zeros((0, MATCH), dtype=np.float32)
    keys, place = np.unique(asked * len(texts) + relation, return_inverse=True)
    question, name = np.divmod(keys, len(texts))
    shared = [overlap(texts[q], texts[r]) for q, r in zip(question, name, strict=True)]
    alike = np.einsum("nd,nd->n", text[question], text[name])
    found = np.column_stack([np.asarray(shared, dtype=np.float32), alike])
    return np.asarray(found[place], dtype=np.float32)


def _weights(target: Ints, relation: Ints, direction: Ints) -> Floats:
    if not len(target):
        return np.zeros(0, dtype=np.float32)
    key = (target * (int(relation.max()) + 1) + relation) * DIRECTIONS + direction
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[place], dtype=np.float32)


def _mean(values: NDArray[Any], of_node: Ints, counts: Ints) -> NDArray[np.float64]:
    total = np.bincount(of_node, weights=values, minlength=len(counts))
    return np.asarray(total / np.maximum(counts, 1))


def _sizes(counts: Ints, again: Floats, seed: Floats, of_node: Ints) -> Floats:
    repeated = _mean(again > 0, of_node, counts)
    seeded = _mean(seed, of_node, counts) > 0
    return np.column_stack([np.log1p(counts), repeated, seeded]).astype(np.float32)


def _shapes(counts: Ints, edges: Ints, structure: Floats, of_node: Ints) -> Floats:
    isolated = _mean(structure[:, 2], of_node, counts)
    unreached = _mean(structure[:, 7], of_node, counts)
    density = edges / np.maximum(counts, 1)
    return np.column_stack(
        [np.log1p(edges), density / (1.0 + density), isolated, unreached]
    ).astype(np.float32)
