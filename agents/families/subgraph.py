"""How subgraphs are played: the best known way, with nested mistakes, by random growth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from graphenv.agents.base import Agent
from graphenv.agents.families.base import Family, RandomTurns
from graphenv.envs.session import Session
from graphenv.envs.subgraph.env import SubgraphEnv
from graphenv.envs.subgraph.reading import MAX_PARTS, answer_text
from graphenv.envs.subgraph.session import SubgraphSession
from graphenv.envs.subgraph.sources.base import Play
from graphenv.envs.subgraph.views import neighborhood
from graphenv.envs.subgraph.world import World
from graphenv.fences import fenced
from graphenv.graph import Triple
from graphenv.seeding import rng
from graphenv.task import Task
from graphenv.text import MAX_CALLS_PER_TURN, format_call

__all__ = ["SubgraphFamily"]

_RANKED = 10
"""Names that a random ranking has, and places of a ranking in which mistakes are planted."""
_AROUND = 200
"""Edges near the seeds and the gold among which wrong ones are drawn."""


class SubgraphFamily(Family):
    """Calls that let the graph grow and `submit`; in single mode the whole answer."""

    env: SubgraphEnv

    def gold(self, index: int) -> list[str]:
        """Return the best known play of the source, as calls or as an answer.

        Where edges may be proposed, those that the network lacks are.
        """
        source = self.env.subgraph_source
        missing = sorted(source.missing(index)) if self.env.proposals else ()
        return self._turns(index, source.play(index), missing)

    def planted(self, index: int, errors: int) -> list[str]:
        """Return the gold with mistakes: an edge is wrong, one is surplus, one is missing, again.

        Wrong edges are edges of the network near the gold. Of a ranking the first right name is
        replaced by a wrong one, then the next. Where no gold graph is known, the last actions are
        missing.
        """
        source = self.env.subgraph_source
        task, play = source[index], source.play(index)
        if task.meta["goal"] == "ranking":
            names = _spoilt(task, source.world(index), play.ranking, errors)
            return self._turns(index, Play(play.actions, names))
        if task.target.graph is None:
            kept = max(0, len(play.actions) - errors)
            return self._turns(index, Play(play.actions[:kept]))
        edges = _with_mistakes(task, source.world(index), errors)
        actions = tuple(
            ("add_edge", {"head": head, "relation": relation, "tail": tail})
            for head, relation, tail in edges
        )
        return self._turns(index, Play(actions, play.ranking))

    def random(self, world: Any, seed: int, max_moves: int) -> Agent:
        """Return a policy that lets the graph grow by 1 to `max_moves` random edges, and ends."""
        return RandomTurns(seed, partial(self._drawn, world, max_moves))

    def _drawn(self, world: World, moves: int, draw: np.random.Generator) -> list[str]:
        nodes = list(world.seeds)
        edges: dict[Triple, None] = {}
        for _ in range(1 + int(draw.integers(moves))):
            edge = _random_edge(world, nodes, draw)
            if edge is not None and edge not in edges:
                edges[edge] = None
                nodes += [end for end in (edge[0], edge[2]) if end not in nodes]
        actions = tuple(("add_edge", dict(zip(_EDGE, edge, strict=True))) for edge in edges)
        names = [name for name in nodes if name not in world.seeds] or nodes
        goal = self.env.subgraph_source[0].meta["goal"]  # a source has one
        return self._said(Play(actions, tuple(names[:_RANKED])), list(edges), goal)

    def stray(self, session: Session, draw: np.random.Generator) -> str:
        """Return a random edge at the graph so far; one time in five a node is removed."""
        if not isinstance(session, SubgraphSession) or not session.tools:
            return super().stray(session, draw)
        world, nodes = session.world, list(session.graph_so_far.labels)
        loose = [name for name in nodes if name not in world.seeds]
        if loose and draw.random() < 0.2:
            return format_call("remove", node=loose[int(draw.integers(len(loose)))])
        edge = _random_edge(world, nodes, draw)
        if edge is None:
            return format_call("candidates")
        return format_call("add_edge", **dict(zip(_EDGE, edge, strict=True)))

    def everything(self, index: int) -> Sequence[Any]:
        """Return the edges around the seeds, or the names there, as many as an answer may hold."""
        source = self.env.subgraph_source
        task = source[index]
        edges = neighborhood(
            source.world(index), task.meta["seeds"], MAX_PARTS, (), "everything", task.id
        )
        if task.meta["goal"] != "ranking":
            return [list(edge) for edge in edges]
        return list(dict.fromkeys(end for h, _, t in edges for end in (h, t)))[:MAX_PARTS]

    # -- turns --------------------------------------------------------------------------------

    def _turns(self, index: int, play: Play, proposed: Sequence[Triple] = ()) -> list[str]:
        """Return the turns of a play, and of proposals behind it."""
        edges = [] if self.env.tools else self._edges(index, play)
        if self.env.tools and proposed:
            more = tuple(("add_edge", dict(zip(_EDGE, edge, strict=True))) for edge in proposed)
            play = Play((*play.actions, *more), play.ranking)
        goal = self.env.subgraph_source[index].meta["goal"]
        return self._said(play, edges, goal, proposed)

    def _said(
        self,
        play: Play,
        edges: Sequence[Triple],
        goal: str,
        proposed: Sequence[Triple] = (),
    ) -> list[str]:
        if not self.env.tools:
            text = answer_text(edges, play.ranking, goal, proposed)
            # A name that holds a tag or a fence must not open or close one.
            return [fenced(text.replace("<", "\\u003c").replace("`", "\\u0060"), "json")]
        ranking = {"ranking": answer_text((), play.ranking, goal)} if goal == "ranking" else {}
        if goal != "ranking" and self.env.subgraph_source.ranked:
            ranking = {"ranking": ""}
        calls = [format_call(name, **arguments) for name, arguments in play.actions]
        calls.append(format_call("submit", **ranking))
        size = min(-(-len(calls) // self.env.max_turns), MAX_CALLS_PER_TURN)
        return ["".join(calls[at : at + size]) for at in range(0, len(calls), size)]

    def _edges(self, index: int, play: Play) -> list[Triple]:
        """Return the edges that actions add, as an answer tells them."""
        world = self.env.subgraph_source.world(index)
        edges: dict[Triple, None] = {}
        for name, arguments in play.actions:
            if name == "add_edge":
                edge = (arguments["head"], arguments["relation"], arguments["tail"])
                edges[world.edge(*edge) or edge] = None
            elif name == "expand":
                edges.update(dict.fromkeys(world.along(arguments["node"], arguments["relation"])))
        return list(edges)


_EDGE = ("head", "relation", "tail")


def _random_edge(world: World, nodes: Sequence[str], draw: np.random.Generator) -> Triple | None:
    """Return a random edge at one of some nodes, `None` if the drawn node has none."""
    if not nodes:
        return None
    node = nodes[int(draw.integers(len(nodes)))]
    moves = world.moves(node)
    if not moves:
        return None
    found = world.along(node, moves[int(draw.integers(len(moves)))])
    return found[int(draw.integers(len(found)))]


def _with_mistakes(task: Task, world: World, errors: int) -> list[Triple]:
    gold = task.target.graph
    assert gold is not None
    triples = list(gold.triples)
    order = rng("planted subgraph", task.id).permutation(len(triples)).tolist()
    right = [triples[i] for i in order]
    wrong = _wrong_edges(task, world)
    surplus: list[Triple] = []
    for error in range(errors):
        kind = error % 3
        if kind != 1 and right:
            right.pop()
            if kind == 2:
                continue
        surplus.append(next(wrong))
    kept = set(right)
    return [*(triple for triple in triples if triple in kept), *surplus]


def _wrong_edges(task: Task, world: World) -> Iterator[Triple]:
    """Yield edges of the network that are not gold: those near it, then any, then invented ones."""
    gold = task.target.graph
    assert gold is not None
    held = set(gold.triples)
    names = [*task.meta["seeds"], *gold.labels]
    near = [e for e in neighborhood(world, names, _AROUND, (), task.id) if e not in held]
    draw = rng("wrong edges", task.id)
    yield from (near[i] for i in draw.permutation(len(near)).tolist())
    yield from ((names[0], "no_such_relation", f"nothing {i}") for i in range(100))


def _spoilt(task: Task, world: World, ranking: Sequence[str], errors: int) -> tuple[str, ...]:
    gold = set(task.target.answer or ())
    draw = rng("planted ranking", task.id)
    names = list(ranking)
    places = [i for i, name in enumerate(names[:_RANKED]) if name in gold]
    order = [places[i] for i in draw.permutation(len(places)).tolist()]
    taken = {*names, *gold}
    for place in order[:errors]:
        while True:
            other = world.store.entity_name(int(draw.integers(world.store.num_entities)))
            if other not in taken:
                break
        taken.add(other)
        names[place] = other
    return tuple(names)
