"""`Judge`: from a final answer to an outcome; what it names is looked up in the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphenv.envs.subgraph.reading import Answer
from graphenv.envs.subgraph.world import World
from graphenv.episode import Outcome, Status
from graphenv.graph import Graph, Triple
from graphenv.text import bounded

__all__ = ["Judge"]


class Judge:
    """Reads answers in a world: names become the world's own, where it has them.

    An edge that the world does not have, an unknown name and a graph beyond the budget make the
    outcome `infeasible`. It is graded all the same, and what is too much costs what a wrong edge
    costs.

    Parameters
    ----------
    world
        The network.
    seeds
        What every graph holds.
    max_nodes, max_edges
        The budget.
    """

    def __init__(self, world: World, seeds: Sequence[str], max_nodes: int, max_edges: int) -> None:
        self._world = world
        self._seeds = tuple(seeds)
        self._max_nodes, self._max_edges = max_nodes, max_edges

    def outcome(self, answer: Answer, *, ranked: bool) -> Outcome:
        """Return the outcome of an answer; `ranked` says that a ranking is asked for."""
        problems: list[str] = []
        edges = [self._edge(edge, problems) for edge in answer.edges or ()]
        nodes = [self._name(name, problems) for name in answer.nodes]
        ends = [end for head, _, tail in edges for end in (head, tail)]
        graph: Graph = self._world.graph(edges, [*self._seeds, *nodes], self._seeds)
        count = len(edges) + len(answer.proposed)
        if len(graph) > self._max_nodes:
            problems.append(f"{len(graph)} nodes; at most {self._max_nodes} are asked for")
        if count > self._max_edges:
            problems.append(f"{count} edges; at most {self._max_edges} are asked for")
        ranking = None
        if ranked:
            ranking = tuple(dict.fromkeys(self._name(n, problems) for n in answer.ranking or ()))
        status: Status = "infeasible" if problems else "ok"
        told = ""
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            told = f"{problems[0]}{more}"
        lone = tuple(dict.fromkeys(name for name in nodes if name not in ends))
        proposed = tuple(self._meant(edge) for edge in answer.proposed)
        written = replace(
            answer, edges=tuple(edges), nodes=lone, proposed=proposed, ranking=ranking
        )
        return Outcome(status, told, answer=ranking, graph=graph, program=written.text)

    def _edge(self, edge: Triple, problems: list[str]) -> Triple:
        found = self._world.edge(*edge)
        if found is not None:
            return found
        named = self._meant(edge)
        shown = ", ".join(repr(bounded(part, 60)) for part in named)
        problems.append(f"the network has no edge {shown}")
        return named

    def _name(self, name: str, problems: list[str]) -> str:
        found = self._world.find(name)
        if found is None:
            problems.append(f"there is no entity {bounded(name, 60)!r}")
        return name if found is None else found

    def _meant(self, edge: Triple) -> Triple:
        """Return an edge in the world's names, as far as it has them."""
        head, relation, tail = edge
        find = self._world.find
        return self._world.named(*edge) or (find(head) or head, relation, find(tail) or tail)
