"""Target-QA, the benchmark of GALAX: multi-omic evidence about a cell line -> ranked targets.

Zhang et al., GALAX: Graph-Augmented Language Model for Explainable Reinforcement-Guided Subgraph
Reasoning in Precision Medicine, arXiv 2509.20935, 2025. The layout is what the authors' programs
read. It was tried on small files of this layout only: the set is not public where this was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from graphenv.checks import flag, whole
from graphenv.envs.subgraph.sources.base import Play, SubgraphSource, subgraph_task
from graphenv.envs.subgraph.sources.ranked import play_ranking, ranking_reach, targets_truth
from graphenv.envs.subgraph.sources.target_qa_files import Sample, read_samples
from graphenv.envs.subgraph.world import World
from graphenv.graph import Graph
from graphenv.knowledge import KnowledgeGraph
from graphenv.task import Task, carve_split

__all__ = ["FEATURES", "TargetQASource"]

FEATURES = ("copy_number_rank", "expression_rank", "protein_rank")
"""Place of a protein in the three lists of a sample: 1 for the first, towards 0 for the last."""

_RELATIONS = ("associated_with", "interacts_with")


class TargetQASource(SubgraphSource):
    """Target-QA by folder. Rank the genes whose knockout harms a cell line most.

    The network is what the inputs of all samples state: interactions of proteins, and proteins of
    diseases. Seeds are the disease and the first proteins of the three lists of the sample. Gold
    are the published genes, also those that the network does not have.

    Parameters
    ----------
    root
        The folder (see `target_qa_files.LAYOUT`), or the one above its `QA_Data`.
    split
        `heldout` is the test file; `train` and `validation` are carved from the other by a hash of
        the sample, without samples that stand in the test file too.
    k
        Success is precision at k (the paper calls it Hit@k).
    grounded
        Whether a target counts only where an edge of the subgraph holds it.
    seeds
        How many proteins of each list are seeds.
    max_nodes, max_edges
        The budget of the subgraph.

    Raises
    ------
    DataError
        If a file is missing or a sample is not of this layout.
    """

    def __init__(
        self,
        *,
        split: str,
        root: str,
        k: int = 10,
        grounded: bool = False,
        seeds: int = 2,
        max_nodes: int = 40,
        max_edges: int = 60,
    ) -> None:
        super().__init__(split)
        asked = f"target_qa in {root}"
        self.k, self._grounded = (
            whole("target_qa", "k", k, 1),
            flag("target_qa", "grounded", grounded),
        )
        self._seeds = whole("target_qa", "seeds", seeds, 0)
        least = 1 + 3 * seeds + 2 * k
        self._budget = (
            whole("target_qa", "max_nodes", max_nodes, least),
            whole("target_qa", "max_edges", max_edges, least - 1),
        )
        train, test = (read_samples(Path(root), part, asked) for part in ("tr", "te"))
        self._world = _network([*train, *test], [gene for s in train for gene in s.gold])
        held = {sample.id for sample in test}
        self.left_out["samples that stand in the test file"] = 0
        parts: dict[str, list[Sample]] = {"train": [], "validation": [], "heldout": test}
        for sample in train:
            if sample.id in held:
                self.left_out["samples that stand in the test file"] += split != "heldout"
            else:
                parts[carve_split("target_qa", sample.id, heldout=0.0)].append(sample)
        self._rows = parts[split]
        self.note = "train and validation are carved from the training file by a hash."
        told = (split, k, grounded, seeds, self._budget, self._rows, self._world.store.fingerprint)
        self._fingerprint = hashlib.sha256(f"target_qa/0 {told}".encode()).hexdigest()
        if not self._rows:
            raise self.without("samples", asked)

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.answer"})

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Task:
        at = range(len(self._rows))[index]
        sample = self._rows[at]
        proteins = [name for names in sample.lists for name in names[: self._seeds]]
        ground = " A gene counts only if an edge of your graph holds it." if self._grounded else ""
        return subgraph_task(
            id=f"target_qa/{sample.id}",
            index=at,
            question=(
                f"Rank the {self.k} genes whose knockout harms the cell line {sample.cell_line} "
                f"({sample.disease}) most, the strongest effect first.{ground}"
            ),
            seeds=list(dict.fromkeys([sample.disease, *proteins])),
            goal="ranking",
            max_nodes=self._budget[0],
            max_edges=self._budget[1],
            answer=sample.gold,
            k=self.k,
        )

    def world(self, index: int) -> World:
        """Return the network with the places of proteins in the lists of task `index`."""
        values = np.full((self._world.store.num_entities, len(FEATURES)), np.nan)
        for column, names in enumerate(self._rows[index].lists):
            ids = [self._world.store.entity_id(name) for name in names]
            values[ids, column] = 1.0 - np.arange(len(names)) / max(len(names), 1)
        return self._world.with_features(FEATURES, values)

    def truth(
        self, task: Task, graph: Graph, ranking: Sequence[str] | None
    ) -> tuple[float, dict[str, float]]:
        """Return precision at k; metrics as `ranked.targets_truth`, and `precision` and `recall`.

        These two are of the whole list, as published.
        """
        value, metrics = targets_truth(
            task, graph, ranking, self._world, k=self.k, grounded=self._grounded
        )
        named, gold = set(ranking or ()), set(task.target.answer or ())
        right = len(named & gold)
        precision = right / len(named) if named else 0.0
        return value, {**metrics, "precision": precision, "recall": right / len(gold)}

    def reach(self, task: Task, graph: Graph) -> float:
        """Return the F1 of the proteins that were added, where any k gold genes are enough."""
        return ranking_reach(task, graph, self.k)

    def play(self, index: int) -> Play:
        """Return gold genes near the seeds, each joined by a shortest path."""
        return play_ranking(self[index], self._world, self.k)


def _network(samples: Iterable[Sample], further: Iterable[str]) -> World:
    """Return what the inputs of all samples state; `further` proteins stand in it without edges.

    Gold genes of the test file are in it only where some input names them.
    """
    edges: dict[tuple[str, int, str], None] = {}
    proteins, diseases = set(further), set()
    for sample in samples:
        diseases.add(sample.disease)
        proteins.update(sample.associated, *sample.lists, *sample.pairs)
        edges.update(((sample.disease, 0, name), None) for name in sample.associated)
        for head, tail in sample.pairs:
            if head != tail:
                edges[min(head, tail), 1, max(head, tail)] = None
    names = sorted(proteins | diseases)
    number = {name: i for i, name in enumerate(names)}
    rows = np.array([(number[h], r, number[t]) for h, r, t in edges], np.int64).reshape(-1, 3)
    store = KnowledgeGraph.from_arrays(rows[:, 0], rows[:, 1], rows[:, 2], names, _RELATIONS)
    types = dict.fromkeys(proteins, "protein") | dict.fromkeys(diseases, "disease")
    return World(store, types, undirected=True)
