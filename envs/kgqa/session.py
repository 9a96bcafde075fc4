"""One KGQA episode in play: tools that walk, or one program that is run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graphenv.encodings import encode_graph
from graphenv.envs.kgqa.program import (
    MAX_BRANCHES,
    MAX_MOVES,
    OPERATORS,
    Filter,
    Program,
    parse_program,
)
from graphenv.envs.kgqa.public import public_world
from graphenv.envs.kgqa.walk import Ids, Move, Walk, walk_program
from graphenv.envs.session import Session
from graphenv.envs.tools import ToolSpec, tool
from graphenv.episode import Episode, Outcome, Status, ToolCall
from graphenv.graph import Graph
from graphenv.knowledge import TripleStore
from graphenv.seeding import stable_hash
from graphenv.text import NO_BLOCK, bounded, normalize, parse_turn

__all__ = ["KGQASession", "make_walk"]

MAX_NAME = 200
"""Longest name of an entity or value that is looked up, in characters."""
Distances = npt.NDArray[np.int16]
_quoted = json.JSONEncoder(ensure_ascii=False).encode  # made once; `json.dumps` makes it anew


def _shortened(where: str) -> str:
    """Return a place that fits into a fact; two long ones that differ stay different."""
    if len(where) <= MAX_NAME:
        return where
    return f"{where[:MAX_NAME]}#{stable_hash(where):x}"


def make_walk(world: TripleStore, topics: list[str], *, drop_topic: bool) -> Walk:
    """Return a walk at the first topic entity."""
    return Walk(world, world.entity_id(topics[0]), drop_topic=drop_topic)


class KGQASession(Session):
    """A frontier of entities, moved by tools or by a program; ends with a set of answers.

    Parameters
    ----------
    template, tools, max_observation
        See `Session`.
    world
        The knowledge graph.
    mode
        `tools` or `program`.
    drop_topic
        The traversal rule (see `Walk`).
    page_size
        Items per page of a list.
    encoding
        How `neighbors` writes facts (see `graphenv.encodings`).
    ignored
        Answers that are neither right nor wrong.
    needs
        The facts that the reward reads; costly ones are made only if they are in here.
    gold_distances
        Returns hop distances to the gold answers (shared between episodes of one task).
    """

    def __init__(
        self,
        template: Episode,
        tools: Mapping[str, ToolSpec],
        *,
        max_observation: int,
        world: TripleStore,
        mode: str,
        drop_topic: bool,
        page_size: int,
        encoding: str,
        ignored: frozenset[str],
        needs: frozenset[str],
        gold_distances: Callable[[int], Distances | None],
    ) -> None:
        super().__init__(template, tools, max_observation=max_observation)
        self._world = world
        self._mode = mode
        self._page_size = page_size
        self._encoding = encoding
        # Two entities may differ in case alone: what is gold is never ignored.
        gold = {normalize(name) for name in self.task.target.answer or ()} if ignored else set()
        self._ignored = frozenset(normalize(name) for name in ignored) - gold
        self._needs = needs
        self._gold_distances = gold_distances
        self._to_gold: Distances | None = None
        self._nearness: tuple[Ids, float | None] | None = None
        self._moves: list[Move] = []
        self.walk = make_walk(world, self.task.meta["topics"], drop_topic=drop_topic)

    @property
    def world(self) -> TripleStore:
        """The knowledge graph, read-only and without what a view of it hides."""
        return public_world(self._world)

    # -- facts --------------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        """Return the program so far, the frontier's size and the moves tried this turn."""
        moves, self._moves = self._moves, []
        return {
            "program": self.walk.text,
            "frontier_size": len(self.walk.frontier),
            "moves": [[_shortened(where), move, exists] for where, move, exists in moves],
        }

    def state(self, facts: Mapping[str, Any]) -> str:
        """Return the program so far; the moves of the turn are attempts."""
        program: str = facts["program"]
        return program

    def values(self) -> dict[str, float]:
        """Return the nearness of the frontier to the gold, if the reward asks for it."""
        if "step.reach" not in self._needs:
            return {}
        frontier = self.walk.frontier
        if self._nearness is None or self._nearness[0] is not frontier:  # else nothing has moved
            self._nearness = (frontier, self._reach(frontier))
        reach = self._nearness[1]
        return {} if reach is None else {"reach": reach}

    def _reach(self, frontier: Ids) -> float | None:
        limit = (self.task.meta.get("hops") or 3) + 1
        if self._to_gold is None:  # kept: with many episodes open the shared ones may be gone
            self._to_gold = self._gold_distances(limit)
        to_gold = self._to_gold
        if to_gold is None:
            return None
        hops = to_gold[frontier]
        near = hops[hops >= 0]
        if not len(near):
            return 0.0
        d = int(near.min())
        precision = float(np.count_nonzero(near <= d)) / len(frontier)
        gold = np.flatnonzero(to_gold == 0)
        # At distance 0 the gold answers that are reached are those that stand on the frontier.
        reached = near == 0 if d == 0 else self._world.distances(frontier, d)[gold] >= 0
        recall = float(np.count_nonzero(reached)) / len(gold)
        if not recall:
            return 0.0
        return (1.0 - d / (limit + 1)) * 2 * precision * recall / (precision + recall)

    def graph(self) -> Graph | None:
        """Return the walked subgraph, if the reward asks for it."""
        return self.walk.graph() if "step.graph" in self._needs else None

    # -- the end ------------------------------------------------------------------------------

    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Return the outcome of an answer list given by the agent."""
        return self._outcome(self._resolved(items), self.walk.program())

    def _outcome(
        self,
        answer: tuple[str, ...] | None,
        program: Program,
        status: Status = "ok",
        reason: str = "",
    ) -> Outcome:
        graph: Graph | None = None
        if "outcome.graph" in self._needs:
            graph = self.walk.graph()
        return Outcome(status, reason, answer, graph, program.path, str(program))

    def _resolved(self, items: tuple[str, ...]) -> tuple[str, ...]:
        """Return the items as entity names where they are such, distinct, without ignored ones."""
        names: dict[str, str] = {}
        for item in items:
            found = self._world.find_entity(item) if len(item) <= MAX_NAME else None
            name = item if found is None else self._world.entity_name(found)
            names.setdefault(normalize(name), name)
        return tuple(name for key, name in names.items() if key not in self._ignored)

    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return exact match of the answer set, and F1 and Hits@1 beside it."""
        gold = {normalize(item) for item in self.task.target.answer or ()}
        predicted = [normalize(item) for item in outcome.answer or ()]
        right = gold.intersection(predicted)
        size = len(gold) + len(set(predicted))
        f1 = 2 * len(right) / size if size else float(outcome.answer is not None)
        hits = float(bool(predicted) and predicted[0] in gold)
        exact = float(outcome.answer is not None and set(predicted) == gold)
        rank = next((i for i, item in enumerate(predicted, 1) if item in gold), None)
        return exact, {"answer_f1": f1, "hits_at_1": hits, "mrr": 1.0 / rank if rank else 0.0}

    # -- program mode -------------------------------------------------------------------------

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Parse and execute one turn; in program mode the turn is the whole episode."""
        if self._mode == "tools":
            return super().read(text)
        self.outcome = self._run(text)
        return (), "", self.outcome.status, self.outcome.reason

    def _run(self, text: str) -> Outcome:
        parsed = parse_turn(text)
        if parsed.answer is not None:
            if parsed.programs or parsed.answer.items is None:
                reason = parsed.answer.reason or "both an <answer> and a <program> block"
                return Outcome("malformed", reason)
            return self.conclude(parsed.answer.items)
        if len(parsed.programs) > 1:
            return Outcome("malformed", "more than one <program> block")
        if parsed.reason and (parsed.reason != NO_BLOCK or not parsed.bare):
            return Outcome("malformed", parsed.reason)
        if parsed.calls:
            return Outcome("malformed", "there are no tools here; a program is asked for")
        program, reason = parse_program(parsed.programs[0] if parsed.programs else parsed.bare)
        if program is None:
            return Outcome("malformed", reason)
        if not parsed.programs and (words := self._prose(program)):
            return Outcome("malformed", f"{bounded(words, 80)!r} is prose, not a move")
        self._moves, reason = walk_program(self.walk, program)
        if reason:
            return self._outcome(None, program, "infeasible", bounded(reason, 300))
        # As walked, with names in the world's spelling: what path rewards compare.
        program = self.walk.program(count=program.count)
        ends = self.walk.entities
        if program.count:
            return self._outcome((str(len(ends)),), program)
        return self._outcome(self._resolved_ids(ends), program)

    def _prose(self, program: Program) -> str | None:
        """Return an unknown move of several words: a turn without tags that holds one is prose.

        Without this every sentence would count as a well-formed program of one unknown relation.
        """
        for branch in program.branches:
            for move in branch.moves:
                words = isinstance(move, str) and len(move.split()) > 1
                if words and self._world.find_move(str(move)) is None:
                    return str(move)
        return None

    def _resolved_ids(self, ends: Ids) -> tuple[str, ...]:
        names = self._world.entity_names(ends)
        if not self._ignored:
            return tuple(names)
        return tuple(name for name in names if normalize(name) not in self._ignored)

    # -- tools --------------------------------------------------------------------------------

    @tool
    def relations(self, entity: str = "") -> tuple[str, Status]:
        """List the relations that can be followed from the frontier, or from one entity.

        Args:
            entity: Name of an entity; leave out for the frontier.
        """
        if not entity:
            moves = self._world.moves(self.walk.frontier)
            return f"Relations from the frontier: {', '.join(moves) or 'none'}", "ok"
        found, problem = self._entity(entity)
        if found is None:
            return problem, "infeasible"
        moves = self._world.moves([found])
        name = self._world.entity_name(found)
        return f"Relations of {name}: {', '.join(moves) or 'none'}", "ok"

    @tool
    def neighbors(self, entity: str, relation: str, page: int = 1) -> tuple[str, Status]:
        """List the facts of one entity under a relation, without moving the frontier.

        Args:
            entity: Name of the entity.
            relation: Relation name; put ^ before it for the inverse direction.
            page: Page of the list, from 1.
        """
        found, problem = self._entity(entity)
        if found is None:
            return problem, "infeasible"
        if self._world.find_move(relation) is None:
            return self._no_relation(relation), "infeasible"
        names = self._world.entity_names(self._world.neighbors(found, relation))
        shown, note = self._page(names, page)
        name = self._world.entity_name(found)
        if relation.startswith("^"):
            triples = [(other, relation[1:], name) for other in shown]
        else:
            triples = [(name, relation, other) for other in shown]
        facts = encode_graph(Graph.from_triples(triples), self._encoding) if triples else "none"
        return f"{note}\n{facts}" if note else facts, "ok"

    @tool
    def follow(self, relation: str) -> tuple[str, Status]:
        """Move the frontier along a relation: every entity is replaced by those it leads to.

        Args:
            relation: Relation name; put ^ before it for the inverse direction.
        """
        return self._move(relation, lambda: self.walk.follow(relation), relation)

    @tool
    def keep(self, relation: str, operator: str, value: str) -> tuple[str, Status]:
        """Filter the frontier: keep the entities whose value of a relation fits.

        Args:
            relation: Relation name; put ^ before it for the inverse direction.
            operator: One of < <= > >= = !=.
            value: A number, or a name for = and !=.
        """
        if operator not in OPERATORS:
            return f"{bounded(operator, 20)!r} is none of {' '.join(OPERATORS)}", "infeasible"
        if len(value) > MAX_NAME:
            return f"The value has {len(value)} characters; at most {MAX_NAME} fit.", "infeasible"
        condition = Filter(relation, operator, value)
        return self._move(relation, lambda: self.walk.keep(condition), str(condition))

    @tool
    def start_at(self, entity: str) -> tuple[str, Status]:
        """Start a second path at another entity; the answer is what all paths have in common.

        Args:
            entity: Name of an entity of the question.
        """
        found, problem = self._entity(entity)
        if found is None:
            return problem, "infeasible"
        if self.walk.num_branches >= MAX_BRANCHES:
            return f"At most {MAX_BRANCHES} paths; use back() to drop one.", "infeasible"
        self.walk.begin(found)
        return f"Path {self.walk.num_branches} starts at {self._world.entity_name(found)}.", "ok"

    @tool
    def frontier(self, page: int = 1) -> tuple[str, Status]:
        """List the entities of the frontier.

        Args:
            page: Page of the list, from 1.
        """
        return self._frontier(page), "ok"

    @tool
    def back(self) -> tuple[str, Status]:
        """Undo the last move of the frontier."""
        if not self.walk.back():
            return "The frontier is at its start; there is nothing to undo.", "infeasible"
        return self._frontier(1), "ok"

    @tool
    def answer_frontier(self) -> tuple[str, Status]:
        """Give the entities of the frontier as the final answer."""
        return self._answer_walk(count=False)

    @tool
    def answer_count(self) -> tuple[str, Status]:
        """Give the number of entities of the frontier as the final answer."""
        return self._answer_walk(count=True)

    def _answer_walk(self, *, count: bool) -> tuple[str, Status]:
        ends = self.walk.entities
        answer = (str(len(ends)),) if count else self._resolved_ids(ends)
        self.outcome = self._outcome(answer, self.walk.program(count=count))
        return self._closing(), "ok"

    # -- what the tools share -----------------------------------------------------------------

    def _move(self, relation: str, move: Callable[[], bool], shown: str) -> tuple[str, Status]:
        if self.walk.depth >= MAX_MOVES:
            return f"The path has {MAX_MOVES} moves, which is the limit.", "infeasible"
        where = self.walk.text
        if self._world.find_move(relation) is None:
            self._moves.append((where, bounded(shown, MAX_NAME), False))
            return self._no_relation(relation), "infeasible"
        moved = move()
        self._moves.append((where, shown, moved))
        if not moved:
            possible = ", ".join(self._world.moves(self.walk.frontier)) or "none"
            return (
                f"{bounded(shown, 80)!r} leads nowhere from here. Relations: {possible}",
                "infeasible",
            )
        return self._frontier(1), "ok"

    def _frontier(self, page: int) -> str:
        ends = self.walk.frontier
        size = len(ends)
        shown, note = self._page_ids(ends, page)
        names = ", ".join(_quoted(name) for name in shown)
        return f"Frontier ({size}): {names}{f' ({note})' if note else ''}"

    def _page_ids(self, ids: Ids, page: int) -> tuple[list[str], str]:
        begin, note = self._span(len(ids), page)
        return self._world.entity_names(ids[begin : begin + self._page_size]), note

    def _page(self, items: list[str], page: int) -> tuple[list[str], str]:
        begin, note = self._span(len(items), page)
        return items[begin : begin + self._page_size], note

    def _span(self, size: int, page: int) -> tuple[int, str]:
        pages = max(1, -(-size // self._page_size))
        page = min(max(page, 1), pages)
        return (page - 1) * self._page_size, f"page {page} of {pages}" if pages > 1 else ""

    def _entity(self, name: str) -> tuple[int | None, str]:
        found = self._world.find_entity(name) if len(name) <= MAX_NAME else None
        if found is not None:
            return found, ""
        near = self._world.nearest_entities(name[:MAX_NAME])
        hint = f" Nearest: {', '.join(repr(n) for n in near)}." if near else ""
        return None, f"There is no entity {bounded(name, 80)!r}.{hint}"

    def _no_relation(self, name: str) -> str:
        near = self._world.nearest_moves(name[:MAX_NAME])
        hint = f" Nearest: {', '.join(near)}." if near else ""
        return f"There is no relation {bounded(name, 80)!r}.{hint}"
