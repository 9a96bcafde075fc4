"""Prize-collecting Steiner forests on a protein network: which measured proteins are worth joining.

Layout and parameters of Omics Integrator (Tuncbag et al., PLoS Computational Biology 2016).
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from graphenv.checks import is_number, whole
from graphenv.envs.subgraph.sources.base import Play, SubgraphSource, edge_actions, subgraph_task
from graphenv.envs.subgraph.sources.forest import SCALE, Forest, Terms, forest_value
from graphenv.envs.subgraph.sources.interactome import RELATION, Interactome, load_interactome
from graphenv.envs.subgraph.sources.prize_files import prize_files, read_prizes
from graphenv.envs.subgraph.sources.trees import MOST_TERMINALS
from graphenv.envs.subgraph.world import World
from graphenv.errors import ConfigError
from graphenv.graph import Graph, Triple
from graphenv.seeding import rng
from graphenv.task import Task, carve_split

__all__ = ["PrizesSource"]

_KEPT = 256
_TRIES = 20


class PrizesSource(SubgraphSource):
    """Proteins with prizes, edges with costs; build the forest that is worth most.

    A task shows some proteins of one prize file as seeds. A forest is worth the prizes of its
    proteins less the costs of its edges, `mu` times the partners of each protein without a prize,
    and `omega` for each tree; proteins without an edge are in no tree, and a tree with one prize
    brings nothing. Doing nothing is worth 0.
    There is no gold: success is the value as a share of the best known one (`Forest.best_known`, a
    heuristic that is exact but for its first step), in [0, 1]; who beats it gets 1.

    Parameters
    ----------
    root
        The folder with `ppi_iref13` (layouts: `interactome.LAYOUT`, `prize_files.LAYOUT`).
    split
        Each protein of a file is in one split, by a hash (half train, a fifth validation, the rest
        held out), so no prize is met in two.
    files
        Names of prize files without their endings; `None`: all.
    terminals
        Seeds of a task, 2 to 10.
    tasks
        Most tasks of a file: distinct draws of its proteins.
    beta
        The mean prize of a file. The published beta is a factor; files differ in their scales.
    mu, omega
        As published: the charge on hubs, and that on each tree.
    max_nodes, max_edges
        The budget, seeds included.

    Attributes
    ----------
    left_out
        Proteins that the network does not have, and files with too few proteins in the split.

    Raises
    ------
    DataError
        If a file is missing or a row is broken.
    ConfigError
        If an argument is out of range.
    """

    def __init__(
        self,
        *,
        split: str,
        root: str,
        files: list[str] | None = None,
        terminals: int = 8,
        tasks: int = 200,
        beta: float = 1.5,
        mu: float = 0.005,
        omega: float = 1.0,
        max_nodes: int = 32,
        max_edges: int = 36,
    ) -> None:
        super().__init__(split)
        asked = f"prizes in {root}"
        self._count = whole("prizes", "terminals", terminals, 2, MOST_TERMINALS)
        self._most = whole("prizes", "tasks", tasks, 1)
        for name, value in (("beta", beta), ("mu", mu), ("omega", omega)):
            if not is_number(value, 0, 1000):
                raise ConfigError(f"prizes: {name}={value!r} must be a number from 0 to 1000")
        self._beta, self._mu, self._omega = float(beta), float(mu), float(omega)
        self._budget = (
            whole("prizes", "max_nodes", max_nodes, terminals),
            whole("prizes", "max_edges", max_edges, 1),
        )
        self.network: Interactome = load_interactome(root, asked)
        self.terms = Terms.of(self.network, self._mu, self._omega)
        found = prize_files(Path(root), files or (), asked)
        self.prizes = {name: self._scaled(found[name]) for name in files or found}
        self._rows = [row for name in self.prizes for row in self._draws(name)]
        self.note = "Each protein of a prize file belongs to one split, by a hash of its name."
        self._forests: OrderedDict[int, Forest] = OrderedDict()
        if not self._rows:
            raise self.without("sets of prizes", asked)

    def _scaled(self, path: Path) -> dict[int, int]:
        """Return the prizes of a file by protein id, in units of `SCALE`, `beta` on average."""
        number = {name: i for i, name in enumerate(self.network.names)}
        read = read_prizes(path)
        known = {number[name]: value for name, value in read.items() if name in number and value}
        self.left_out["proteins that are not in the network"] += len(read) - len(known)
        mean = math.fsum(known.values()) / max(len(known), 1)
        return {i: round(SCALE * self._beta * value / mean) for i, value in known.items()}

    def _draws(self, name: str) -> list[tuple[str, tuple[int, ...]]]:
        mine = sorted(i for i in self.prizes[name] if self._part(name, i) == self.split)
        if len(mine) < self._count:
            self.left_out[f"files with fewer than {self._count} proteins in the split"] += 1
            return []
        most = min(self._most, math.comb(len(mine), self._count))
        drawn: dict[tuple[int, ...], None] = {}
        draw = rng("prizes", name, self.split, self._count)
        for _ in range(_TRIES * most):
            if len(drawn) == most:
                break
            drawn[tuple(sorted(draw.choice(mine, self._count, replace=False).tolist()))] = None
        return [(name, ids) for ids in drawn]

    def _part(self, file: str, protein: int) -> str:
        name = self.network.names[protein]
        return carve_split("prizes", file, name, validation=0.2, heldout=0.3)

    # -- tasks --------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        told = (self.split, self._beta, self._mu, self._omega, self._budget, self._rows)
        digest = hashlib.sha256(f"prizes/0 {told} {self.network.fingerprint}".encode())
        digest.update(self.network.scores.tobytes())
        digest.update(repr(sorted(self.prizes.items())).encode())
        return digest.hexdigest()

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.objective"})

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Task:
        at = range(len(self._rows))[index]
        file, ids = self._rows[at]
        names = [self.network.names[i] for i in ids]
        return subgraph_task(
            id=f"prizes/{file}/{'+'.join(names)}",
            index=at,
            question=self._question(file, ids),
            seeds=names,
            goal="objective",
            max_nodes=self._budget[0],
            max_edges=self._budget[1],
            file=file,
        )

    def _question(self, file: str, ids: Sequence[int]) -> str:
        prizes = self.prizes[file]
        told = ", ".join(f"{self.network.names[i]} {prizes[i] / SCALE:.2f}" for i in ids)
        return (
            f"Proteins with prizes: {told}. Build the forest that is worth most: the prizes of its "
            f"proteins, less the costs of its edges, less {self._mu:g} times the `degree` of each "
            f"protein without a prize, less {self._omega:g} for each tree. Only a tree that joins "
            "two prizes or more brings them; a protein without an edge is in no tree."
        )

    def world(self, index: int) -> World:
        """Return the network with costs and degrees; prizes are told by the question."""
        return self._world

    @cached_property
    def _world(self) -> World:
        bare = self.network.world
        return World(
            bare.store,
            bare.types,
            feature_names=("degree",),
            feature_values=self.network.degrees.astype(np.float64)[:, None],
            weights=self.network.weights(self.terms.costs / SCALE),
            undirected=True,
            weight_name="cost",
        )

    # -- how it is judged and won -------------------------------------------------------------

    def task_prizes(self, index: int) -> dict[int, int]:
        """Return the prizes of task `index` by protein id, in units of `SCALE`."""
        file, ids = self._rows[index]
        return {i: self.prizes[file][i] for i in ids}

    def best_known(self, index: int) -> Forest:
        """Return the best known forest of task `index`, found on first use."""
        at = range(len(self._rows))[index]
        if at not in self._forests:
            nodes, edges = self._budget
            self._forests[at] = Forest.best_known(
                self.terms, self.task_prizes(at), max_nodes=nodes, max_edges=edges
            )
            if len(self._forests) > _KEPT:
                self._forests.popitem(last=False)
        return self._forests[at]

    def value(self, index: int, graph: Graph) -> tuple[float, Mapping[str, float]]:
        """Return what a graph is worth in task `index`, and the parts of that.

        Edges that the network does not have are no edges; a graph that has an edge twice, or is
        over the budget, is worth nothing.
        """
        ids = self.network.world.store.find_entity
        pairs = []
        for head, relation, tail in graph.triples:
            if self.network.world.edge(head, relation, tail) is not None:
                pairs.append((ids(head), ids(tail)))
        known = [(min(a, b), max(a, b)) for a, b in pairs if a is not None and b is not None]
        over = len(graph) > self._budget[0] or graph.num_edges > self._budget[1]
        if over or len(set(known)) < len(known):
            known = []
        value, parts = forest_value(self.terms, self.task_prizes(index), known)
        scaled = {key: n if key == "trees" else n / SCALE for key, n in parts.items()}
        return value / SCALE, scaled

    def truth(
        self, task: Task, graph: Graph, ranking: Sequence[str] | None
    ) -> tuple[float, dict[str, float]]:
        """Return the share of the best known value in [0, 1]; value and parts as metrics.

        Where nothing is known that is worth anything, doing nothing is right.
        """
        value, parts = self.value(task.index, graph)
        best = self.best_known(task.index).value / SCALE
        share = min(max(value / best, 0.0), 1.0) if best > 0 else float(value >= 0)
        return share, {"value": value, "best_known": best, **parts}

    def reach(self, task: Task, graph: Graph) -> float:
        """Return the share of the best known value, in [0, 1]."""
        return self.truth(task, graph, None)[0]

    def play(self, index: int) -> Play:
        """Return the edges of the best known forest."""
        names = self.network.names
        triples: list[Triple] = [(names[a], RELATION, names[b]) for a, b in self._edges(index)]
        return Play(edge_actions(self._world, self[index].meta["seeds"], triples))

    def _edges(self, index: int) -> tuple[tuple[int, int], ...]:
        return self.best_known(index).edges

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_forests": OrderedDict()}
