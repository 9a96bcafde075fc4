"""One episode of subgraph construction in play: grown with tools, or answered in one turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from graphenv.envs.session import OVER, Session
from graphenv.envs.subgraph.building import Builder
from graphenv.envs.subgraph.outcome import Judge
from graphenv.envs.subgraph.reading import FORMS, Answer, find_answer
from graphenv.envs.subgraph.sources.base import SubgraphSource
from graphenv.envs.subgraph.world import World
from graphenv.envs.tools import ToolSpec
from graphenv.episode import Episode, Outcome, Status, ToolCall
from graphenv.graph import Graph, Triple
from graphenv.seeding import stable_hash
from graphenv.text import bounded, parse_turn

__all__ = ["SubgraphSession"]

_SHOWN = 80


class SubgraphSession(Session):
    """Seeds and a goal; a subgraph that grows, and at the end perhaps a ranking.

    Parameters
    ----------
    template, tools, max_observation
        See `Session`.
    source, world
        Where the task comes from, and the network it is played in.
    page_size
        Lines per page of a list.
    proposals
        Whether edges that the world does not have may be proposed.
    needs
        The facts that the reward reads; costly ones are made only if they are in here.
    """

    def __init__(
        self,
        template: Episode,
        tools: Mapping[str, ToolSpec],
        *,
        max_observation: int,
        source: SubgraphSource,
        world: World,
        page_size: int,
        proposals: bool,
        needs: frozenset[str],
    ) -> None:
        super().__init__(template, tools, max_observation=max_observation)
        self._source = source
        self._world = world
        self._page_size = page_size
        self._proposals = proposals
        self._needs = needs
        meta = self.task.meta
        self._goal = str(meta["goal"])
        budget = meta["budget"]
        self._builder = Builder(
            world, meta["seeds"], max_nodes=budget["nodes"], max_edges=budget["edges"]
        )
        self._judge = Judge(world, self._builder.seeds, budget["nodes"], budget["edges"])
        self._moves: list[list[Any]] = []
        self._near: tuple[Graph, float | None] | None = None

    @property
    def world(self) -> World:
        """The network with the seeds, read-only and without what a view of it hides."""
        return self._world.public(self._builder.seeds)

    @property
    def graph_so_far(self) -> Graph:
        """The graph so far; after the end, the one that is graded."""
        graded = self.outcome.graph if self.outcome is not None else None
        return self._builder.graph() if graded is None else graded

    # -- facts --------------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        """Return size and digest of the graph so far, proposals, and the moves of this turn."""
        moves, self._moves = self._moves, []
        graph = self.graph_so_far
        proposed = sorted(self._proposed(self.outcome))
        return {
            "nodes": len(graph),
            "edges": graph.num_edges,
            "graph": f"{stable_hash(*sorted(graph.labels), '|', *sorted(graph.triples)):x}",
            "proposed": [list(triple) for triple in proposed],
            "moves": moves,
        }

    def state(self, facts: Mapping[str, Any]) -> Any:
        """Return the digest of the graph so far and the proposals; moves are attempts."""
        return [facts["graph"], facts["proposed"]]

    def values(self) -> dict[str, float]:
        """Return how near the graph so far is to the goal, if the reward asks for it.

        Where the goal is an objective, nearness is its value as a share of the best known one.
        """
        if not self._needs & {"step.reach", "step.objective"}:
            return {}
        graph = self.graph_so_far
        if self._near is None or self._near[0] is not graph:  # else nothing has changed
            self._near = graph, self._source.reach(self.task, graph)
        near = self._near[1]
        if near is None:
            return {}
        valued = {"objective": near, "best": 1.0} if self._goal == "objective" else {}
        return {"reach": near, **valued}

    def graph(self) -> Graph | None:
        """Return the graph so far, if the reward asks for it."""
        return self.graph_so_far if "step.graph" in self._needs else None

    # -- the end ------------------------------------------------------------------------------

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Parse and execute one turn: tool calls, or the answer that ends the episode."""
        parsed = parse_turn(text)
        if self.tools and parsed.calls and not parsed.reason:
            return self.execute(parsed)
        found, reason = find_answer(parsed, self._goal)
        if found is None:
            if not self.tools:
                self.outcome = Outcome("malformed", bounded(reason, 300))
                return (), "", "malformed", reason
            return (), f"Malformed turn: {reason}. {self.allowed()}", "malformed", reason
        self.outcome = self._ended(found)
        return (), "", self.outcome.status, self.outcome.reason

    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Return the outcome of a list of names: the graph as it is, and the names as ranking."""
        return self._ended(Answer(ranking=items))

    def _ended(self, answer: Answer) -> Outcome:
        if answer.edges is None and not answer.nodes:  # a ranking alone: the graph is as it was
            answer = Answer(
                self._builder.edges, self._builder.nodes, self._builder.proposed, answer.ranking
            )
        return self._judge.outcome(answer, ranked=self._goal == "ranking")

    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return the truth of the source: F1 of parts, a measure of rankings, or an objective.

        0 where nothing was submitted, and for an objective where edges are invented or too many.
        """
        graph = self._builder.graph() if outcome.graph is None else outcome.graph
        success, metrics = self._source.truth(self.task, graph, outcome.answer)
        void = self._goal == "objective" and outcome.status == "infeasible"
        told = {**metrics, **self._proposals_truth(outcome)}
        return (0.0 if outcome.graph is None or void else success), told

    def _proposals_truth(self, outcome: Outcome) -> dict[str, float]:
        """Return the number of proposals, and their F1 where edges are known to be missing."""
        missing = self._source.missing(self.task.index)
        proposed = set(self._proposed(outcome))
        found = {"proposed": float(len(proposed))}
        if missing:
            size = len(proposed) + len(missing)
            found["proposal_f1"] = 2.0 * len(proposed & missing) / size
        return found

    def _proposed(self, outcome: Outcome | None) -> tuple[Triple, ...]:
        if outcome is None or outcome.program is None:
            return self._builder.proposed
        told = json.loads(outcome.program).get("proposed", [])
        return tuple((head, relation, tail) for head, relation, tail in told)

    def _closing(self) -> str:
        return "Graph received." if self.outcome and self.outcome.graph is not None else OVER

    def allowed(self) -> str:
        """Say what a turn may hold."""
        names = ", ".join(self.tools)
        calls = f"one of the tools {names} in <tool_call>...</tool_call>, or " if names else ""
        return f"Write {calls}the whole answer, {FORMS[self._goal]}, in one ```json block."
