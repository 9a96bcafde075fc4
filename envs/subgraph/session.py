"""One episode of subgraph construction in play: grown with tools, or answered in one turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from graphenv.envs.session import OVER, Session
from graphenv.envs.subgraph.building import Builder
from graphenv.envs.subgraph.outcome import Judge
from graphenv.envs.subgraph.reading import FORMS, MAX_NAME, Answer, find_answer, read_names
from graphenv.envs.subgraph.sources.base import SubgraphSource
from graphenv.envs.subgraph.views import candidate_lines, entity_text
from graphenv.envs.subgraph.world import World
from graphenv.envs.tools import ToolSpec, tool
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
        proposed = sorted(self._builder.proposed)
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
        metrics["proposed"] = float(len(self._builder.proposed))
        return (0.0 if outcome.graph is None or void else success), metrics

    def _closing(self) -> str:
        return "Graph received." if self.outcome and self.outcome.graph is not None else OVER

    def allowed(self) -> str:
        """Say what a turn may hold."""
        names = ", ".join(self.tools)
        calls = f"one of the tools {names} in <tool_call>...</tool_call>, or " if names else ""
        return f"Write {calls}the whole answer, {FORMS[self._goal]}, in one ```json block."

    # -- tools --------------------------------------------------------------------------------

    @tool
    def candidates(self, node: str = "", page: int = 1) -> tuple[str, Status]:
        """List edges of the network that touch the graph and are not in it.

        Args:
            node: Only those at this node of the graph; all without it.
            page: Page of the list, from 1.
        """
        names = self._builder.nodes
        if node.strip():
            found, problem = self._entity(node)
            if found is None or found not in self._builder:
                return problem or f"{found!r} is not in the graph.", "infeasible"
            names = (found,)
        lines, more = candidate_lines(self._world, self._builder, names)
        pages = max(1, -(-len(lines) // self._page_size))
        page = min(max(page, 1), pages)
        shown = lines[(page - 1) * self._page_size : page * self._page_size]
        notes = [f"page {page} of {pages}"] if pages > 1 else []
        notes += ["there are more: name a node"] if more else []
        note = f" ({'; '.join(notes)})" if notes else ""
        return "\n".join([f"Candidates{note}:", *(shown or ["none"])]), "ok"

    @tool
    def inspect(self, node: str) -> tuple[str, Status]:
        """Tell all about an entity: type, text, numbers, and the relations at it.

        Args:
            node: Name of an entity.
        """
        found, problem = self._entity(node)
        if found is None:
            return problem, "infeasible"
        return entity_text(self._world, found, inside=found in self._builder), "ok"

    @tool
    def add_node(self, node: str) -> tuple[str, Status]:
        """Add an entity without any edge.

        Args:
            node: Name of an entity.
        """
        found, problem = self._entity(node)
        self._moves.append(["", bounded(node, _SHOWN), found is not None])
        if found is None:
            return problem, "infeasible"
        return self._done("added", found, self._builder.add_node(found))

    @tool
    def add_edge(self, head: str, relation: str, tail: str) -> tuple[str, Status]:
        """Add an edge of the network; its ends come with it.

        Args:
            head: Name of an entity.
            relation: Name of a relation.
            tail: Name of an entity.
        """
        ends = [self._entity(name) for name in (head, tail)]
        problem = next((told for found, told in ends if found is None), "")
        edge = None if problem else self._world.edge(head, relation, tail)
        shown = bounded(relation, _SHOWN)
        where = bounded(head, _SHOWN)
        if edge is not None:
            self._moves.append([where, shown, True])
            return self._done("added", _told(edge), self._builder.add_edges([edge]))
        self._moves.append([where, f"{shown} {bounded(tail, _SHOWN)}", False])
        if problem:
            return f"Not added: {problem}", "infeasible"
        triple = self._world.named(head, relation, tail)
        if triple is None:
            return f"Not added: {self._no_relation(relation)}", "infeasible"
        kinds = (self._world.type(triple[0]), triple[1], self._world.type(triple[2]))
        if not self._proposals:
            return f"Not added: the network has no edge {_told(triple)}.", "infeasible"
        if kinds not in self._world.signatures:
            said = f"{shown!r} never leads from {kinds[0] or '?'} to {kinds[2] or '?'}"
            return f"Not proposed: {said}.", "infeasible"
        reason = self._builder.add_edges([triple], proposed=True)
        return self._done("proposed", _told(triple), reason)

    @tool
    def expand(self, node: str, relation: str) -> tuple[str, Status]:
        """Add all edges of one relation at a node of the graph.

        Args:
            node: Name of a node of the graph.
            relation: Name of a relation; put ^ before it for the inverse direction.
        """
        found, problem = self._entity(node)
        where, shown = bounded(node, _SHOWN), bounded(relation, _SHOWN)
        edges: list[Triple] = []
        if found is not None and found not in self._builder:
            problem = f"{found!r} is not in the graph; add it first."
        elif found is not None:
            move = self._world.move(relation)
            if move is not None:
                edges = self._world.along(found, self._world.store.move_name(move))
            there = ", ".join(self._world.moves(found))
            said = f"{shown!r} leads nowhere from here. Relations: {there}"
            problem = "" if edges else self._no_relation(relation) if move is None else said
        self._moves.append([where, shown, bool(edges)])
        if problem:
            return f"Not expanded: {problem}", "infeasible"
        reason = self._builder.add_edges(edges)
        what = _told(edges[0]) if len(edges) == 1 else f"{len(edges)} edges"
        return self._done("added", what, reason)

    @tool
    def remove(self, node: str, relation: str = "", tail: str = "") -> tuple[str, Status]:
        """Remove a node with its edges; with relation and tail only this edge.

        Args:
            node: Name of a node of the graph, or the head of an edge.
            relation: Relation of the edge.
            tail: Tail of the edge.
        """
        found, problem = self._entity(node)
        if found is None:
            return f"Not removed: {problem}", "infeasible"
        if not relation and not tail:
            return self._done("removed", found, self._builder.remove_node(found))
        edge = self._world.edge(node, relation, tail) or self._world.named(node, relation, tail)
        if edge is None:
            problem = self._entity(tail)[1] or self._no_relation(relation)
            return f"Not removed: {problem}", "infeasible"
        return self._done("removed", _told(edge), self._builder.remove_edge(edge))

    @tool
    def submit(self, ranking: str = "") -> tuple[str, Status]:
        """End with the graph as it is now, and a ranking where one is asked for.

        Args:
            ranking: Names, best first: a JSON list, or separated by commas.
        """
        names, reason = read_names(ranking)
        if reason or (self._goal == "ranking" and not names):
            why = reason or "a ranking is asked for"
            return f"Not submitted: {why}. Give {FORMS['ranking']}.", "infeasible"
        self.outcome = self._ended(Answer(ranking=names or None))
        return self._closing(), "ok"

    # -- what the tools share -----------------------------------------------------------------

    def _entity(self, name: str) -> tuple[str | None, str]:
        found = self._world.find(name) if len(name) <= MAX_NAME else None
        if found is not None:
            return found, ""
        near = self._world.store.nearest_entities(name[:MAX_NAME])
        hint = f" Nearest: {', '.join(repr(n) for n in near)}." if near else ""
        return None, f"there is no entity {bounded(name, _SHOWN)!r}.{hint}"

    def _no_relation(self, name: str) -> str:
        near = self._world.store.nearest_moves(name[:MAX_NAME])
        hint = f" Nearest: {', '.join(near)}." if near else ""
        return f"there is no relation {bounded(name, _SHOWN)!r}.{hint}"

    def _done(self, what: str, shown: str, reason: str) -> tuple[str, Status]:
        if reason:
            return f"Not {what}: {reason}.", "infeasible"
        left = self._builder.budget
        nodes, edges = len(self._builder.nodes), len(self._builder.edges)
        said = f"{what.capitalize()} {shown}. Graph: {nodes} nodes, {edges} edges; room for "
        return f"{said}{left['nodes']} nodes and {left['edges']} edges.", "ok"


def _told(edge: Triple) -> str:
    return json.dumps([bounded(part, 200) for part in edge], ensure_ascii=False)
