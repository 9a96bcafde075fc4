"""The embedded default: a motif that is described in words, planted in a made network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from graphenv.checks import flag, one_of, whole
from graphenv.choices import Choices, Permutation
from graphenv.envs.arguments import recorded
from graphenv.envs.sources import check_paraphrases
from graphenv.envs.subgraph.sources.base import Play, SubgraphSource, edge_actions, subgraph_task
from graphenv.envs.subgraph.sources.motif.names import STYLES
from graphenv.envs.subgraph.sources.motif.network import Instance, Network, make_network
from graphenv.envs.subgraph.sources.motif.patterns import SHAPES
from graphenv.envs.subgraph.sources.motif.questions import WORDINGS, question
from graphenv.envs.subgraph.sources.motif.schema import RELATIONS
from graphenv.envs.subgraph.sources.motif.unique import made_unique
from graphenv.envs.subgraph.truths import graph_truth
from graphenv.envs.subgraph.world import World
from graphenv.errors import ConfigError
from graphenv.graph import Graph, Triple
from graphenv.knowledge import KnowledgeGraph, KnowledgeView
from graphenv.seeding import stable_hash
from graphenv.task import Task

__all__ = ["MotifSource"]

_WORLDS = {"train": 16, "validation": 2, "heldout": 2}
_DEFAULT_SHAPES = ("path2", "path3", "star3", "triangle", "cycle4", "diamond")
_LEAST = 16


class MotifSource(SubgraphSource):
    """Find the chain, star, triangle, ring or diamond that a question describes.

    A network of enzymes, compounds, strains, tissues, pathways and labs, with 34 relations, words
    that describe each entity and three numbers. Motifs are planted among other edges. A question
    names one entity of a motif and tells its edges, with variables for the others and conditions on
    what they are like. The gold is the only match in the network, which an exhaustive search checks
    when the task is made; where conditions cannot single it out, more of its entities are named.

    Splits have networks of their own. Task `i` is a pure function of the arguments; each motif is
    asked about from two of its entities at most once each. `heldout` words half of its questions by
    frames that no other split uses (`meta["wording"]`).

    Parameters
    ----------
    split
        `train` (57,600 tasks with the other defaults), `validation` or `heldout` (7,200 each).
    entities
        Entities of a network, from 16.
    relations
        Its relations, 2 to 34.
    shapes
        Names of `SHAPES`.
    worlds
        Networks of the split (16 for `train`, 2 for the others).
    names
        `invented` (some are long and odd) or `short` (e1, c2), for small models.
    wording
        `sentences`, or `short` (a list of edges with variables), for small models.
    hide
        Whether the network lacks one edge of each motif that has a cycle: what is left is to be
        found, and the edge to be proposed (`proposals=True`, metric `proposal_f1`).
    conditions
        Whether questions may tell what entities are like. Without, further entities are named, and
        the network has types alone, no texts and numbers: short prompts for small models.
    max_nodes, max_edges
        The budget of a graph.
    paraphrases
        `split`: as said above; `seen`: only frames that training uses; `unseen` (with `heldout`):
        only the held-out ones.
    seed
        Which networks.

    Raises
    ------
    ConfigError
        If an argument is out of range, or the relations do not allow a shape.

    Examples
    --------
    >>> source = MotifSource(split="train", worlds=1)
    >>> task = source[0]
    >>> task.meta["shape"], task.target.graph.num_edges, source.world(0).store.num_relations
    ('path2', 2, 34)
    """

    def __init__(
        self,
        *,
        split: str,
        entities: int = 2_400,
        relations: int = len(RELATIONS),
        shapes: Sequence[str] = _DEFAULT_SHAPES,
        worlds: int | None = None,
        names: str = "invented",
        wording: str = "sentences",
        hide: bool = False,
        conditions: bool = True,
        max_nodes: int = 12,
        max_edges: int = 16,
        paraphrases: str = "split",
        seed: int = 0,
    ) -> None:
        super().__init__(split)
        arguments = recorded({**locals(), "shapes": list(shapes)})
        self._entities = whole("motif", "entities", entities, _LEAST)
        self._relations = whole("motif", "relations", relations, 2, len(RELATIONS))
        if isinstance(shapes, str) or not shapes or len(set(shapes)) != len(shapes):
            raise ConfigError(f"motif: shapes={shapes!r} must be a list of distinct shapes")
        self._shapes = tuple(one_of("motif", "shapes", shape, SHAPES) for shape in shapes)
        count = _WORLDS[split] if worlds is None else worlds
        self._worlds = whole("motif", "worlds", count, 1)
        self._names = one_of("motif", "names", names, STYLES)
        self._wording = one_of("motif", "wording", wording, WORDINGS)
        self._hide = flag("motif", "hide", hide)
        self._conditions = flag("motif", "conditions", conditions)
        self._max_nodes = whole("motif", "max_nodes", max_nodes, 5)
        self._max_edges = whole("motif", "max_edges", max_edges, 4)
        self._paraphrases = check_paraphrases(paraphrases, split)
        self._seed = seed
        self._per_shape = self._entities // 4
        self._fingerprint = hashlib.sha256(
            repr(("motif 1", sorted(arguments.items()))).encode()
        ).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Digest of the arguments; the networks follow from them."""
        return self._fingerprint

    @property
    def provides(self) -> frozenset[str]:
        """The gold graph."""
        return frozenset({"target.graph"})

    def __len__(self) -> int:
        return self._worlds * len(self._shapes) * self._per_shape

    def _network(self, index: int) -> Network:
        number = index // (len(self._shapes) * self._per_shape)
        return make_network(
            f"{self._seed} {number}",
            self.split,
            entities=self._entities,
            relations=self._relations,
            shapes=self._shapes,
            names=self._names,
            plain=not self._conditions,
        )

    def world(self, index: int) -> World:
        """Return the network of a task, without the edge that is hidden from it."""
        network = self._network(index)
        hidden = self._hidden(index)
        if hidden is None or not isinstance(network.world.store, KnowledgeGraph):
            return network.world
        return replace(network.world, store=KnowledgeView(network.world.store, [hidden]))

    def missing(self, index: int) -> frozenset[Triple]:
        """Return the edge of the motif that the network does not show."""
        hidden = self._hidden(index)
        if hidden is None:
            return frozenset()
        names = self._network(index).names
        return frozenset({(names[hidden[0]], RELATIONS[hidden[1]].name, names[hidden[2]])})

    def _hidden(self, index: int) -> tuple[int, int, int] | None:
        instance, _ = self._drawn(index)
        if not self._hide or len(instance.edges) < len(instance.bound):
            return None  # without a cycle the rest would fall apart
        a, relation, b = Choices(stable_hash("hide", self._seed, self.split, index)).of(
            instance.edges
        )
        return instance.bound[a], relation, instance.bound[b]

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < len(self):
            raise IndexError(f"task {index} is outside 0..{len(self) - 1}")
        network = self._network(index)
        shape = self._shapes[index % len(self._shapes)]
        instance, seed = self._drawn(index)
        key = ("motif", self._seed, self.split, index)
        choose = Choices(stable_hash(*key))
        wording = self._frames(choose)
        spare = self._conditions and choose(2) == 0
        pattern = made_unique(
            instance, seed, network, choose, spare=spare, conditions=self._conditions
        )
        names = network.names
        types = [network.world.type(names[entity]) for entity in instance.bound]
        missing = self.missing(index)
        triples = [triple for triple in _named(network, instance) if triple not in missing]
        seeds = [names[entity] for entity in pattern.named.values()]
        return subgraph_task(
            id=f"motif-{self._seed}-{self.split}-{index}",
            index=index,
            question=question(
                pattern, shape, names, types, choose, wording=self._wording, frames=wording
            ),
            seeds=seeds,
            goal="graph",
            max_nodes=self._max_nodes,
            max_edges=self._max_edges,
            graph=network.world.graph(triples, seeds=seeds),
            shape=shape,
            wording=wording,
            conditions=len(pattern.constraints),
        )

    def _drawn(self, index: int) -> tuple[Instance, int]:
        """Return the planted motif of a task, and the variable that is named."""
        shape = self._shapes[index % len(self._shapes)]
        number, place = divmod(index // len(self._shapes), self._per_shape)
        planted = self._network(index).planted[shape]
        order = Permutation(2 * len(planted), "motif", self._seed, self.split, shape, number)
        which, end = divmod(order(place), 2)
        instance = planted[which]
        return instance, 0 if end == 0 else len(instance.bound) - 1

    def _frames(self, choose: Choices) -> str:
        if self._paraphrases != "split":
            return self._paraphrases
        return "unseen" if self.split == "heldout" and choose(2) else "seen"

    def play(self, index: int) -> Play:
        """Return the edges of the motif from the seed on; `expand` where it adds just that edge."""
        task = self[index]
        assert task.target.graph is not None
        return Play(edge_actions(self.world(index), task.meta["seeds"], task.target.graph.triples))

    def truth(
        self, task: Task, graph: Graph, ranking: Sequence[str] | None
    ) -> tuple[float, dict[str, float]]:
        """Return the F1 of edges and lone nodes against the motif, and metrics beside it."""
        assert task.target.graph is not None
        return graph_truth(graph, task.target.graph, task.meta["seeds"])


def _named(network: Network, instance: Instance) -> list[Triple]:
    names, bound = network.names, instance.bound
    return [(names[bound[a]], RELATIONS[r].name, names[bound[b]]) for a, r, b in instance.edges]
