"""What tasks share whose answer is a ranking of proteins: how it is judged, and how it is won."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.envs.subgraph.sources.base import Play
from graphenv.envs.subgraph.truths import ranking_truth
from graphenv.envs.subgraph.world import World
from graphenv.graph import Graph
from graphenv.knowledge import TripleStore
from graphenv.task import Task

__all__ = ["play_ranking", "ranking_reach", "targets_truth"]


def targets_truth(
    task: Task,
    graph: Graph,
    ranking: Sequence[str] | None,
    world: World,
    *,
    k: int,
    grounded: bool,
) -> tuple[float, dict[str, float]]:
    """Return precision at k, and P/R/Hit at 5 and k with `joined` beside it.

    Parameters
    ----------
    ranking
        Names, the best first; repeated and unknown ones included.
    grounded
        Whether a right name counts only where an edge of the graph (and of the world) holds it.
        Its place is lost otherwise, and every place is where the graph is over its budget.

    Metrics `p@k` ... do not look at the graph; `joined` is the share of the k places whose name
    has an edge there.
    """
    names = list(dict.fromkeys(world.find(name) or name for name in ranking or ()))
    gold = task.target.answer or ()
    metrics = ranking_truth(names, gold, ks=sorted({5, k}))
    budget = task.meta["budget"]
    fits = len(graph) <= budget["nodes"] and graph.num_edges <= budget["edges"]
    joined = (_joined(graph, world) if fits else set()).intersection(names[:k])
    right = joined.intersection(gold) if grounded else set(names[:k]).intersection(gold)
    return len(right) / k, {**metrics, "joined": len(joined) / k}


def _joined(graph: Graph, world: World) -> set[str]:
    """Return the names that an edge of the world holds."""
    known = (triple for triple in graph.triples if world.edge(*triple) is not None)
    return {end for head, _, tail in known for end in (head, tail)}


def ranking_reach(task: Task, graph: Graph, k: int) -> float:
    """Return the F1 of the proteins with an edge, where k gold ones are enough.

    With g gold proteins among n that are joined by edges, seeds that are not gold aside:
    2 g / (max(k, g) + n). Each protein that is not gold lowers it.

    >>> from graphenv.task import Target
    >>> task = Task("x", 0, (), Target(answer=("a", "b")), {"seeds": ["s"]})
    >>> ranking_reach(task, Graph.from_triples([("s", "r", "a"), ("s", "r", "b")]), 2)
    1.0
    >>> ranking_reach(task, Graph.from_triples([("s", "r", "a"), ("s", "r", "x")]), 2)
    0.5
    """
    gold = set(task.target.answer or ())
    ends = {end for head, _, tail in graph.triples for end in (head, tail)}
    names = ends - set(task.meta["seeds"]).difference(gold)
    right = len(names & gold)
    return 2.0 * right / (max(k, right) + len(names))


def play_ranking(task: Task, world: World, k: int) -> Play:
    """Return how k gold names are joined to the seeds, nearest first, and then ranked.

    One that is further than two steps away is joined to a neighbour of its own; names that the
    world does not have, or has without edges, are ranked last.
    """
    store = world.store
    ids = {name: store.find_entity(name) for name in task.target.answer or ()}
    left = {i for i in ids.values() if i is not None and store.degree(i)}
    apart = [name for name, i in ids.items() if i not in left]
    known = {store.entity_id(name) for name in task.meta["seeds"]}
    held: set[int] = set()
    joined: list[int] = []
    actions: list[tuple[str, dict[str, str]]] = []

    def join(one: int, other: int) -> None:
        ends = store.entity_name(one), store.entity_name(other)
        edges = (world.edge(ends[0], relation, ends[1]) for relation in store.relation_names)
        edge = next(edge for edge in edges if edge is not None)
        actions.append(("add_edge", dict(zip(("head", "relation", "tail"), edge, strict=True))))
        known.update((one, other))
        held.update((one, other))

    while left and len(joined) < k:
        near = set(store.around(sorted(known)).tolist())
        here = sorted(left & known) or sorted(left & near)
        if here:
            goal = here[0]
            if goal not in held:  # a seed that is gold, or a neighbour of what is there
                around = set(store.around([goal]).tolist()) - {goal}
                join(min(around & known or around), goal)
        else:
            goal, between = _two_steps(store, near, left)
            if between >= 0:
                join(min(known.intersection(store.around([between]).tolist())), between)
            join(goal, between if between >= 0 else int(store.around([goal])[0]))
        left.discard(goal)
        joined.append(goal)
    return Play(tuple(actions), (*store.entity_names(joined), *apart)[:k])


def _two_steps(store: TripleStore, near: set[int], left: set[int]) -> tuple[int, int]:
    """Return the first protein that is a step from `near`, and the one between, -1 if none is."""
    for goal in sorted(left):
        between = near.intersection(store.around([goal]).tolist())
        if between:
            return goal, min(between)
    return min(left), -1
