"""Evidence for the answers to a question: the union of all gold paths from topic to answers."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from graphenv.checks import whole
from graphenv.envs.arguments import recorded
from graphenv.envs.kgqa.program import Branch, Program, parse_program
from graphenv.envs.kgqa.sources import make_source as make_questions
from graphenv.envs.subgraph.sources.base import Play, SubgraphSource, edge_actions, subgraph_task
from graphenv.envs.subgraph.sources.paths import evidence_of
from graphenv.envs.subgraph.truths import graph_truth
from graphenv.envs.subgraph.world import World
from graphenv.errors import ConfigError, DataError
from graphenv.graph import Graph, Triple
from graphenv.knowledge import TripleStore
from graphenv.task import Task

__all__ = ["EvidenceSource"]

_KEPT = 64
_TRIES = 1_000
_HOPS = 3
_PATHS = 64


class EvidenceSource(SubgraphSource):
    """Questions of a KGQA source; asked for are the edges on all gold paths to their answers.

    A gold path is an instance of the gold program from a topic to a gold answer. Where a question
    has no program, its paths are all shortest ones (at most 3 hops) from a topic to an answer, as
    published work on evidence paths takes them (Luo et al., Reasoning on Graphs, ICLR 2024).

    Questions with much evidence are no use for building it edge by edge: of each `block` questions
    the first with 1 to `max_gold` edges is the task (the next one that has, if none of them does).

    Parameters
    ----------
    split
        The split of the questions.
    questions
        Name of a KGQA source (`graphenv.envs.kgqa.sources.SOURCES`).
    arguments
        Arguments of that source.
    max_gold
        Most edges of a gold graph.
    max_nodes, max_edges
        The budget of a graph.
    block
        Questions per task.

    Raises
    ------
    ConfigError
        If an argument is out of range.
    DataError
        If no question has evidence of this size.

    Examples
    --------
    >>> source = EvidenceSource(split="train")
    >>> task = source[0]
    >>> 1 <= task.target.graph.num_edges <= 16, task.meta["goal"]
    (True, 'graph')
    """

    def __init__(
        self,
        *,
        split: str,
        questions: str = "synthetic",
        arguments: Mapping[str, Any] | None = None,
        max_gold: int = 16,
        max_nodes: int = 32,
        max_edges: int = 32,
        block: int = 4,
    ) -> None:
        super().__init__(split)
        told = recorded(locals())
        self._max_gold = whole("evidence", "max_gold", max_gold, 1)
        self._max_nodes = whole("evidence", "max_nodes", max_nodes, 2)
        self._max_edges = whole("evidence", "max_edges", max_edges, 1)
        if max_gold > max_edges or max_gold >= max_nodes:
            raise ConfigError(
                f"evidence: max_gold={max_gold} edges do not fit into max_nodes={max_nodes} and "
                f"max_edges={max_edges}; a path of n edges has n + 1 nodes"
            )
        self._block = whole("evidence", "block", block, 1)
        self._questions = make_questions(questions, split, dict(arguments or {}))
        del told["arguments"]
        parts = repr((sorted(told.items()), self._questions.fingerprint))
        self._fingerprint = hashlib.sha256(f"evidence 1 {parts}".encode()).hexdigest()
        self._worlds: OrderedDict[int, World] = OrderedDict()
        self._found: OrderedDict[int, tuple[int, tuple[Triple, ...]]] = OrderedDict()

    @property
    def fingerprint(self) -> str:
        """Digest of the arguments and of the questions."""
        return self._fingerprint

    @property
    def provides(self) -> frozenset[str]:
        """The gold graph."""
        return frozenset({"target.graph"})

    def __len__(self) -> int:
        return -(-len(self._questions) // self._block)

    def world(self, index: int) -> World:
        """Return the knowledge graph of the question."""
        store = self._questions.world(self._chosen(index)[0])
        known = self._worlds.get(id(store))
        if known is None or known.store is not store:
            known = self._worlds[id(store)] = World(store)
            if len(self._worlds) > _KEPT:
                self._worlds.popitem(last=False)
        return known

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < len(self):
            raise IndexError(f"task {index} is outside 0..{len(self) - 1}")
        place, triples = self._chosen(index)
        asked = self._questions[place]
        world = self.world(index)
        seeds = [world.find(name) or name for name in asked.meta["topics"]]
        return subgraph_task(
            id=f"evidence/{asked.id}",
            index=index,
            question=f"Give the evidence for the answers to: {asked.meta['question']}",
            seeds=list(dict.fromkeys(seeds)),
            goal="graph",
            max_nodes=self._max_nodes,
            max_edges=self._max_edges,
            graph=world.graph(triples, seeds=seeds),
            hops=asked.meta.get("hops"),
        )

    def _chosen(self, index: int) -> tuple[int, tuple[Triple, ...]]:
        """Return the place of the question behind a task, and its evidence."""
        if index not in self._found:
            size = len(self._questions)
            for offset in range(min(_TRIES, size)):
                place = (index * self._block + offset) % size
                triples = self._evidence(place)
                if 1 <= len(triples) <= self._max_gold:
                    self._found[index] = place, triples
                    break
            else:
                raise DataError(
                    f"evidence: none of {min(_TRIES, size)} questions, from question "
                    f"{index * self._block} on, has 1 to {self._max_gold} edges of evidence; raise "
                    "max_gold, or take a source whose gold paths are in its graph"
                )
            if len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return self._found[index]

    def _evidence(self, place: int) -> tuple[Triple, ...]:
        task = self._questions[place]
        world = self._questions.world(place)
        known = [world.find_entity(name) for name in task.target.answer or ()]
        answers = [entity for entity in known if entity is not None]
        topics = [world.find_entity(name) for name in task.meta["topics"]]
        starts = [entity for entity in topics if entity is not None]
        if not starts:
            return ()
        drop = self._questions.drop_topic
        if task.target.program is not None:
            program, _ = parse_program(task.target.program)
            if program is None:
                return ()
            # The answer to a counting question is no entity: all ends are meant.
            ends = None if program.count else answers
            return evidence_of(world, starts[0], program, ends, drop_topic=drop)
        found: dict[Triple, None] = {}
        for start in starts:
            for path in _shortest(world, start, answers):
                program = Program((Branch(path),))
                found.update(
                    dict.fromkeys(evidence_of(world, start, program, answers, drop_topic=drop))
                )
        return tuple(sorted(found))

    def play(self, index: int) -> Play:
        """Return the gold edges from the topic on; `expand` where it adds nothing else."""
        task = self[index]
        assert task.target.graph is not None
        return Play(edge_actions(self.world(index), task.meta["seeds"], task.target.graph.triples))

    def truth(
        self, task: Task, graph: Graph, ranking: Sequence[str] | None
    ) -> tuple[float, dict[str, float]]:
        """Return the F1 of edges and lone nodes against the evidence, and metrics beside it."""
        assert task.target.graph is not None
        return graph_truth(graph, task.target.graph, task.meta["seeds"])


def _shortest(world: TripleStore, start: int, answers: list[int]) -> list[tuple[str, ...]]:
    found = world.paths(start, answers, _HOPS)
    first = next(found, None)
    if first is None:
        return []
    return [first, *takewhile(lambda path: len(path) == len(first), found)][:_PATHS]
