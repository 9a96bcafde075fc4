"""What a source of subgraph tasks offers: worlds, seeds, a goal, its truth and how it is won."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from graphenv.envs.sources import Source
from graphenv.envs.subgraph.truths import part_f1
from graphenv.envs.subgraph.world import World
from graphenv.graph import Graph, Triple
from graphenv.task import Message, Target, Task

__all__ = ["GOALS", "Goal", "Play", "SubgraphSource", "edge_actions", "subgraph_task"]

Goal = Literal["graph", "ranking", "objective"]
GOALS: tuple[Goal, ...] = ("graph", "ranking", "objective")
"""What is asked for: the gold graph, a ranking of entities, or a graph of high objective value."""


class Play(NamedTuple):
    """The best known way to play a task: actions in order, and the ranking to submit.

    An action is a tool and its arguments: `("add_edge", {"head": ..., "relation": ..., "tail":
    ...})`, `("add_node", {"node": ...})`, `("expand", {"node": ..., "relation": ...})` or
    `("remove", {"node": ...})`.
    """

    actions: tuple[tuple[str, dict[str, str]], ...]
    ranking: tuple[str, ...] = ()


class SubgraphSource(Source):
    """A sequence of tasks that ask for a part of a network.

    `source[i]` has the bare question as its one message and in `meta` at least `question`, `seeds`
    (names), `budget` (`nodes` and `edges`, counted with the seeds) and `goal`: see
    `subgraph_task`. The gold is `target.graph` (a graph over names, made by `World.graph`) where
    it is known, and `target.answer` where a ranking is asked for.
    """

    @abstractmethod
    def world(self, index: int) -> World:
        """Return the network in which task `index` is played; one object for all that share it."""

    @property
    def ranked(self) -> bool:
        """Whether its tasks ask for a ranking; then `submit` takes one."""
        return bool(self[0].meta["goal"] == "ranking")

    def missing(self, index: int) -> frozenset[Triple]:
        """Return edges that are true and that the network does not show: right proposals."""
        return frozenset()

    @abstractmethod
    def play(self, index: int) -> Play:
        """Return the best known way to play task `index`: what the oracle does."""

    @abstractmethod
    def truth(
        self, task: Task, graph: Graph, ranking: Sequence[str] | None
    ) -> tuple[float, dict[str, float]]:
        """Return (success in [0, 1], published metrics by name) of what was built and submitted.

        `graph` holds the seeds and the edges of the world that were added, no proposals; `ranking`
        is `None` where none was submitted.
        """

    def reach(self, task: Task, graph: Graph) -> float | None:
        """Return the nearness of a graph to the goal in [0, 1], `None` where it is not known.

        By default the F1 over edges and lone nodes against the gold graph; a source with an
        objective gives the share of the best known value.
        """
        gold = task.target.graph
        return None if gold is None else part_f1(graph, gold, task.meta["seeds"])


def subgraph_task(
    *,
    id: str,
    index: int,
    question: str,
    seeds: Sequence[str],
    goal: Goal,
    max_nodes: int,
    max_edges: int,
    graph: Graph | None = None,
    answer: Sequence[str] | None = None,
    **meta: Any,
) -> Task:
    """Return the task of one question: the bare question as the only message, gold in the target.

    >>> task = subgraph_task(id="x", index=0, question="Which?", seeds=["a"], goal="graph",
    ...                      max_nodes=4, max_edges=3)
    >>> task.meta["budget"], task.meta["seeds"]
    ({'nodes': 4, 'edges': 3}, ['a'])
    """
    message: Message = {"role": "user", "content": question}
    target = Target(graph=graph, answer=None if answer is None else tuple(answer))
    known = {
        "question": question,
        "seeds": list(seeds),
        "topics": list(seeds),  # the name under which graph terms leave out what is given
        "goal": goal,
        "budget": {"nodes": max_nodes, "edges": max_edges},
        **meta,
    }
    return Task(id=id, index=index, messages=(message,), target=target, meta=known)


def edge_actions(
    world: World, seeds: Sequence[str], triples: Sequence[Triple]
) -> tuple[tuple[str, dict[str, str]], ...]:
    """Return the actions that add these edges, from the seeds outwards.

    Where all edges of a relation at a node that is reached are wanted, they come by one `expand`;
    else each by `add_edge`.

    >>> from graphenv.knowledge import KnowledgeGraph
    >>> store = KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "s", "c"), ("b", "s", "d")])
    >>> edge_actions(World(store), ["a"], [("b", "s", "d"), ("a", "r", "b")])[0]
    ('expand', {'node': 'a', 'relation': 'r'})
    """
    left = list(dict.fromkeys(triples))
    wanted = set(left)
    reached = set(seeds)
    actions: list[tuple[str, dict[str, str]]] = []
    while left:
        near = (e for e in left if e[0] in reached or e[2] in reached)
        edge = next(near, left[0])
        head, relation, tail = edge
        added = [edge]
        action = ("add_edge", {"head": head, "relation": relation, "tail": tail})
        way = relation if world.undirected else f"^{relation}"
        for node, move in ((head, relation), (tail, way)):
            found = world.along(node, move) if node in reached else []
            if found and wanted.issuperset(found):
                added, action = found, ("expand", {"node": node, "relation": move})
                break
        actions.append(action)
        gone = set(added)
        left = [e for e in left if e not in gone]
        reached.update(end for head, _, tail in added for end in (head, tail))
    return tuple(actions)
