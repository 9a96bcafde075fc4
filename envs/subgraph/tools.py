"""The tools with which a subgraph grows, and how it is submitted."""

from __future__ import annotations

import json

from graphenv.envs.subgraph.reading import FORMS, MAX_NAME, Answer, read_names
from graphenv.envs.subgraph.session import SubgraphSession
from graphenv.envs.subgraph.views import candidate_lines, entity_text
from graphenv.envs.tools import tool
from graphenv.episode import Status
from graphenv.graph import Triple
from graphenv.text import bounded

__all__ = ["GraphSession", "GrowingSession", "RankingSession"]

_SHOWN = 80


class GrowingSession(SubgraphSession):
    """A subgraph in the making: look, add, expand, remove."""

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
                return f"Not listed: {problem or f'{found!r} is not in the graph.'}", "infeasible"
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
            return f"Not found: {problem}", "infeasible"
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
            return f"Not added: {problem}", "infeasible"
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
        builder = self._builder
        nodes, edges = len(builder.nodes), len(builder.edges) + len(builder.proposed)
        said = f"{what.capitalize()} {shown}. Now {nodes} of {builder.max_nodes} nodes and "
        return f"{said}{edges} of {builder.max_edges} edges.", "ok"


class GraphSession(GrowingSession):
    """The graph is the answer."""

    @tool
    def submit(self) -> tuple[str, Status]:
        """End with the graph as it is now."""
        self.outcome = self._ended(Answer())
        return self._closing(), "ok"


class RankingSession(GrowingSession):
    """A ranking is the answer; it is submitted with the graph."""

    @tool
    def submit(self, ranking: str) -> tuple[str, Status]:
        """End with the graph as it is now, and a ranking.

        Args:
            ranking: Names, best first: a JSON list, or separated by commas.
        """
        names, reason = read_names(ranking)
        if reason or (self._goal == "ranking" and not names):
            why = reason or "a ranking is asked for"
            return f"Not submitted: {why}. Give {FORMS['ranking']}.", "infeasible"
        self.outcome = self._ended(Answer(ranking=names or None))
        return self._closing(), "ok"


def _told(edge: Triple) -> str:
    return json.dumps([bounded(part, 200) for part in edge], ensure_ascii=False)
