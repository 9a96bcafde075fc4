"""One design in play: all edges in one answer, or one after another by tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from graphenv.envs.design.editing import Editor
from graphenv.envs.design.network import Network
from graphenv.envs.design.objectives import Objective
from graphenv.envs.design.reading import FORMS, find_edits, read_edits
from graphenv.envs.design.sources.base import DesignSource
from graphenv.envs.design.truths import design_truth
from graphenv.envs.session import OVER, Session
from graphenv.envs.tools import ToolSpec, tool
from graphenv.episode import Episode, Outcome, Status, ToolCall
from graphenv.graph import Graph
from graphenv.seeding import stable_hash
from graphenv.text import bounded, parse_turn

__all__ = ["BuildSession", "DesignSession", "PublicDesign", "RepairSession"]


class PublicDesign(NamedTuple):
    """What an agent may read beside the chat: the start, the rules, and the objective to ask.

    `key` is what the objective wants beside a network, so that removal orders are those of the
    task. Nothing here tells the best design that is known.
    """

    network: Network
    budget: int
    goal: str
    objective: Objective
    key: str


class DesignSession(Session):
    """A network, a budget, an objective; at the end a design.

    Parameters
    ----------
    template, tools, max_observation
        See `Session`.
    source
        Where the task comes from.
    needs
        The facts that the reward reads; the objective is computed on a turn only if it is in here.
    """

    def __init__(
        self,
        template: Episode,
        tools: Mapping[str, ToolSpec],
        *,
        max_observation: int,
        source: DesignSource,
        needs: frozenset[str],
    ) -> None:
        super().__init__(template, tools, max_observation=max_observation)
        self._source = source
        self._needs = needs
        start = source.start(self.task.index)
        self._editor = Editor(start, source.budget(start), source.goal)
        self._known: tuple[Network, float] | None = None

    @property
    def world(self) -> PublicDesign:
        """The start and the rules."""
        editor = self._editor
        key = self._source.name(self.task.index)
        return PublicDesign(editor.start, editor.budget, editor.goal, self._source.objective, key)

    def facts(self) -> dict[str, Any]:
        """Return how many edges were added and removed, and a digest of the network."""
        editor = self._editor
        return {
            "added": len(editor.added),
            "removed": len(editor.removed),
            "network": f"{stable_hash(editor.network.edges):x}",
        }

    def values(self) -> dict[str, float]:
        """Return the objective of the network so far, in [0, 1], if the reward asks for it.

        Beside a design that was submitted stands the best that is known: it takes a search, which
        tasks that are only looked at need not wait for.
        """
        if "step.objective" not in self._needs:
            return {}
        found = {"objective": self._objective()}
        submitted = self.outcome is not None and self.outcome.status == "ok"
        if submitted and "target.objective" in self._needs:
            found["best"] = self._best
        return found

    def graph(self) -> Graph | None:
        """Return the network so far, if the reward asks for it."""
        return self._editor.network.graph if "step.graph" in self._needs else None

    def _objective(self) -> float:
        network = self._editor.network
        if self._known is None or self._known[0] is not network:
            self._known = network, self._source.value(network, self.task.index)
        return self._known[1]

    # -- the end ------------------------------------------------------------------------------

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Parse and execute one turn: tool calls, or the edits that end the episode."""
        parsed = parse_turn(text)
        if self.tools and parsed.calls and not parsed.reason:
            return self.execute(parsed)
        found, reason = find_edits(parsed)
        if found is None and self.tools:
            return (), f"Malformed turn: {reason}. {self.allowed()}", "malformed", reason
        outcome = Outcome("malformed", reason) if found is None else self._judged(found)
        if outcome.status == "malformed" and self.tools:
            said = f"Malformed answer: {outcome.reason}. {self.allowed()}"
            return (), said, "malformed", outcome.reason
        self.outcome = outcome
        return (), "", outcome.status, outcome.reason

    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Return the outcome of an answer list: its only item holds the edits."""
        if len(items) != 1:
            return Outcome("malformed", f"{len(items)} answers; one list of edges is asked for")
        return self._judged(items[0].strip())

    def _judged(self, text: str) -> Outcome:
        edits, reason = read_edits(text)
        if edits is None:
            return Outcome("malformed", bounded(reason, 300))
        broken = self._editor.all_at_once(list(edits.remove), list(edits.add))
        if broken:
            return Outcome("infeasible", bounded(broken, 300))
        return self._submitted()

    def _submitted(self) -> Outcome:
        editor = self._editor
        names = editor.network.names
        told = {
            what: [[names[a], names[b]] for a, b in edges]
            for what, edges in (("remove", editor.removed), ("add", editor.added))
        }
        graph = editor.network.graph if "outcome.graph" in self._needs else None
        return Outcome("ok", graph=graph, program=json.dumps(told, ensure_ascii=False))

    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return the share of the best known gain that was reached, and the gain itself."""
        start = self._source.value(self._editor.start, self.task.index)
        end = self._objective() if outcome.status == "ok" else None
        return design_truth(start, end, start if end is None else self._best)

    @property
    def _best(self) -> float:
        return self._source.plan(self.task.index).value

    def _closing(self) -> str:
        ended = self.outcome is not None and self.outcome.status == "ok"
        return "Design received." if ended else OVER

    def allowed(self) -> str:
        """Say what a turn may hold."""
        names = ", ".join(self.tools)
        calls = f"one of the tools {names} in <tool_call>...</tool_call>, or " if names else ""
        return f"Write {calls}{FORMS[self._editor.goal]}, in one ```json block."

    def _left(self) -> str:
        left = self._editor.left
        return f"{left} edge{'' if left == 1 else 's'} left to add."

    # -- tools --------------------------------------------------------------------------------

    @tool
    def candidates(self) -> tuple[str, Status]:
        """List the nodes with their degrees, lowest first: where edges are few."""
        network = self._editor.network
        degrees = network.adjacency.sum(axis=1).tolist()
        order = sorted(range(len(network)), key=lambda node: (degrees[node], node))
        listed = ", ".join(f"{network.names[node]} ({degrees[node]})" for node in order)
        return f"Nodes (degrees): {listed}. {self._left()}", "ok"

    @tool
    def inspect(self, node: str) -> tuple[str, Status]:
        """Show the neighbours of a node, and the nodes that it could be tied to.

        Args:
            node: The name of a node.
        """
        number, reason = self._editor.number(node)
        if reason:
            return f"Not found: {reason}", "infeasible"
        network = self._editor.network
        tied = network.neighbors(number)
        free = [n for n in range(len(network)) if n != number and n not in set(tied)]
        names = network.names
        near, far = (", ".join(names[n] for n in part) or "none" for part in (tied, free))
        return f"{names[number]} is tied to {near}. Not tied to {far}.", "ok"

    @tool
    def add_edge(self, a: str, b: str) -> tuple[str, Status]:
        """Add an edge between two nodes.

        Args:
            a: The name of a node.
            b: The name of another node.
        """
        reason = self._editor.add(a, b)
        if reason:
            return f"Not added: {reason}", "infeasible"
        return f"Added {a.strip()} - {b.strip()}. {self._left()}", "ok"

    @tool
    def submit(self) -> tuple[str, Status]:
        """End with the network as it is now."""
        self.outcome = self._submitted()
        return self._closing(), "ok"


class BuildSession(DesignSession):
    """A design to which edges are only added."""


class RepairSession(DesignSession):
    """A design whose edges are moved."""

    @tool
    def remove_edge(self, a: str, b: str) -> tuple[str, Status]:
        """Remove the edge between two nodes.

        Args:
            a: The name of a node.
            b: The name of the other node.
        """
        reason = self._editor.remove(a, b)
        if reason:
            return f"Not removed: {reason}", "infeasible"
        return f"Removed {a.strip()} - {b.strip()}. {self._left()}", "ok"
