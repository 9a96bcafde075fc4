"""Targets in a cancer cell line: gene dependencies, ranked from a subgraph of a protein network.

Screens: Pacini et al., Integrated cross-study datasets of genetic dependencies in cancer, Nature
Communications 2021. Network: iRefIndex 13 with the scores of Omics Integrator (Tuncbag et al.,
PLoS Computational Biology 2016).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from graphenv.checks import flag, is_number, whole
from graphenv.envs.subgraph.sources.base import Play, SubgraphSource, subgraph_task
from graphenv.envs.subgraph.sources.interactome import Interactome, load_interactome
from graphenv.envs.subgraph.sources.ranked import play_ranking, ranking_reach, targets_truth
from graphenv.envs.subgraph.sources.screens import (
    CellLine,
    Counts,
    Screens,
    held_out_tissues,
    load_screens,
)
from graphenv.envs.subgraph.world import World
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.task import Task, carve_split

__all__ = ["FEATURES", "TargetsSource"]

FEATURES = ("degree", "frequency", "frequency_in_cancer_type", "frequency_in_tissue")
"""Numbers at each protein: partners in the network, and the share of training lines (of all, of
the same cancer type, of the same tissue) that selectively depend on its gene."""

_ENOUGH = 5  # lines that a group must have before seeds are taken from it
_KEPT = 64


class TargetsSource(SubgraphSource):
    """Cell lines in words; which genes does the line depend on, and how are they connected?

    A task is a cell line. Seeds are the proteins whose genes training lines of the nearest context
    (same type of cancer, else same tissue, else same kind of cancer) depend on more often than
    others do: public, and right or wrong as it happens. Gold are the *context-specific* genes on
    which the line depends: those of the network that were screened, are not pan-essential, and are
    selective in few training lines. A list of the genes that are needed most often says nothing
    of a line and yet is right in three of four places where all genes count.

    Whatever the agent can read is counted over training lines; a training line leaves the counts
    before its own task shows them.

    Parameters
    ----------
    root
        The folder with `gene_dependency` and `ppi_iref13` (layouts: `screens.LAYOUT`,
        `interactome.LAYOUT`). All files `cell_lines*.jsonl` are read.
    split
        `heldout` is the tissues of `held_out`; `validation` is a tenth of the other lines, by a
        hash of the line, so its tissues are known from training and those of `heldout` are not.
    specific
        A gene is context-specific if at most this share of training lines depends on it.
    k
        How many targets are asked for; success is precision at k.
    grounded
        Whether a target counts only where an edge of the subgraph that was built holds it; else the
        subgraph is evidence that nobody asks for, as in the published measure.
    seeds
        How many seeds a task gives.
    held_out
        Tissues of the held-out split. `None`: Breast and Large Intestine, as the data set is
        split; where the files have no line of them, tissues chosen by a hash stand in for them, and
        `note` says so.
    max_nodes, max_edges
        The budget of the subgraph.

    Attributes
    ----------
    left_out
        Lines of the split with fewer than `k` gold genes.

    Raises
    ------
    DataError
        If files are missing or broken.
    ConfigError
        If an argument is out of range, or `held_out` names a tissue without a line.
    """

    def __init__(
        self,
        *,
        split: str,
        root: str,
        specific: float = 0.2,
        k: int = 10,
        grounded: bool = False,
        seeds: int = 5,
        held_out: list[str] | None = None,
        max_nodes: int = 40,
        max_edges: int = 60,
    ) -> None:
        super().__init__(split)
        asked = f"targets in {root}"
        if not is_number(specific, 0, 1) or not specific:
            raise ConfigError(f"targets: specific={specific!r} must be a share above 0, at most 1")
        self.specific, self.k = float(specific), whole("targets", "k", k, 1)
        self._grounded = flag("targets", "grounded", grounded)
        self._seeds = whole("targets", "seeds", seeds, 1)
        least = seeds + 2 * k
        self._budget = (
            whole("targets", "max_nodes", max_nodes, least),
            whole("targets", "max_edges", max_edges, least - 1),
        )
        self.screens: Screens = load_screens(root, asked)
        self.network: Interactome = load_interactome(root, asked)
        self.held_out, self.note = held_out_tissues(self.screens, held_out)
        parts: dict[str, list[CellLine]] = {"train": [], "validation": [], "heldout": []}
        for line in self.screens.lines:
            parts[self._part(line)].append(line)
        if not parts["train"]:
            raise ConfigError(f"targets: held_out={list(self.held_out)} leaves no training line")
        self.counts = Counts(parts["train"], self.network.names)
        self._rows = [line for line in parts[split] if self._enough(line)]
        self._worlds: OrderedDict[int, World] = OrderedDict()
        if not self._rows:
            raise self.without("cell lines", asked)

    def _part(self, line: CellLine) -> str:
        if line.tissue in self.held_out:
            return "heldout"
        return carve_split("targets", "cell line", line.id, heldout=0.0)

    def _enough(self, line: CellLine) -> bool:
        enough = len(self.gold(line)) >= self.k
        self.left_out[f"cell lines with fewer than {self.k} gold genes"] += not enough
        return enough

    # -- what screens say ---------------------------------------------------------------------

    @cached_property
    def candidates(self) -> NDArray[np.bool_]:
        """Which proteins may be gold, by entity id: screened, not pan-essential, specific."""
        few = self.counts.total <= self.specific * self.counts.size
        both: NDArray[np.bool_] = self._listed & few
        return both

    @cached_property
    def _listed(self) -> NDArray[np.bool_]:
        known = self.screens.screened.difference(self.screens.essential)
        return np.array([name in known for name in self.network.names], np.bool_)

    def gold(self, line: CellLine) -> list[str]:
        """Return the context-specific genes of the network that a line depends on, by name."""
        chosen = np.flatnonzero(self.candidates & (self.counts.row(line) > 0))
        return [self.network.names[i] for i in chosen.tolist()]

    def line(self, index: int) -> CellLine:
        """Return the cell line of task `index`."""
        return self._rows[index]

    def nearest_group(self, line: CellLine) -> tuple[str, str] | None:
        """Return the most specific group of a line with enough other training lines, or `None`."""
        for group in line.groups:
            if self.counts.size_of(group, line) >= _ENOUGH:
                return group
        return None

    def seeds(self, line: CellLine) -> list[str]:
        """Return the specific genes that the nearest context needs more often than all lines do.

        Which genes are specific is counted without the line too.
        """
        usual = self.counts.share(None, line)
        may = self._listed & (usual <= self.specific)
        group = self.nearest_group(line)
        more = usual if group is None else self.counts.share(group, line) - usual
        ranked = np.argsort(-np.where(may, more, -np.inf), kind="stable")
        return [self.network.names[i] for i in ranked[: self._seeds].tolist()]

    # -- tasks --------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"targets/0 {self.split} {self.specific} {self.k}".encode())
        told = f"{self._grounded} {self._seeds} {self._budget} {sorted(self.held_out)}"
        digest.update(f"{told} {self.network.fingerprint}".encode())
        for line in self.screens.lines:
            digest.update(f"{line.id}|{line.groups}|{sorted(line.genes)}".encode())
        digest.update(repr([sorted(self.screens.screened), self.screens.essential]).encode())
        return digest.hexdigest()

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.answer"})

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Task:
        at = range(len(self._rows))[index]
        line = self._rows[at]
        return subgraph_task(
            id=f"targets/{line.id}",
            index=at,
            question=self._question(line),
            seeds=self.seeds(line),
            goal="ranking",
            max_nodes=self._budget[0],
            max_edges=self._budget[1],
            answer=self.gold(line),
            k=self.k,
            tissue=line.tissue,
            cancer_type=line.cancer,
        )

    def _question(self, line: CellLine) -> str:
        detail = f" ({line.detail})" if line.detail and line.detail != line.cancer else ""
        ground = (
            "Build the part of the protein network that explains them: a gene counts only if an "
            "edge of your graph holds it. "
            if self._grounded
            else "Build the part of the protein network that explains them. "
        )
        return (
            f"A cancer cell line from the tissue {line.tissue}: {line.cancer}{detail}. Rank "
            f"{self.k} genes on which it depends and that are specific to its context: at most "
            f"{100 * self.specific:g}% of cell lines depend on each of them (`frequency` at "
            f"each protein). {ground}The first {self.k} of your ranking are judged."
        )

    def world(self, index: int) -> World:
        """Return the network with the counts that task `index` may show."""
        at = range(len(self._rows))[index]
        if at not in self._worlds:
            line = self._rows[at]
            cancer, tissue = line.groups[:2]
            columns = [
                self.network.degrees.astype(np.float64),
                *(self.counts.share(group, line) for group in (None, cancer, tissue)),
            ]
            values = np.stack(columns, axis=1)
            values[~self._screened, 1:] = np.nan
            self._worlds[at] = self._described.with_features(FEATURES, values)
            if len(self._worlds) > _KEPT:
                self._worlds.popitem(last=False)
        return self._worlds[at]

    @cached_property
    def _screened(self) -> NDArray[np.bool_]:
        screened = self.screens.screened
        return np.array([name in screened for name in self.network.names], np.bool_)

    @cached_property
    def _described(self) -> World:
        told = dict.fromkeys(self.network.names, "Not screened.")
        told |= dict.fromkeys(self.screens.screened.intersection(told), "")
        for name, tier in self.screens.essential.items():
            if name in told:
                told[name] = f"Pan-essential in screens ({tier})." if tier else "Pan-essential."
        world = self.network.world
        return World(
            world.store,
            world.types,
            {name: text for name, text in told.items() if text},
            weights=world.weights,
            undirected=True,
            weight_name=world.weight_name,
        )

    # -- how it is judged and won -------------------------------------------------------------

    def truth(
        self, task: Task, graph: Graph, ranking: Sequence[str] | None
    ) -> tuple[float, dict[str, float]]:
        """Return precision at k over context-specific genes; see `ranked.targets_truth`."""
        return targets_truth(
            task, graph, ranking, self.network.world, k=self.k, grounded=self._grounded
        )

    def reach(self, task: Task, graph: Graph) -> float:
        """Return the F1 of the proteins that were added, where any k gold genes are enough."""
        return ranking_reach(task, graph, self.k)

    def play(self, index: int) -> Play:
        """Return gold genes near the seeds, each joined by a shortest path."""
        return play_ranking(self[index], self.network.world, self.k)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_worlds": OrderedDict()}
