"""The network as text: an entity, the edges that could come next, a neighbourhood in a prompt."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from graphenv.envs.subgraph.building import Builder
from graphenv.envs.subgraph.world import World
from graphenv.graph import Triple
from graphenv.seeding import rng
from graphenv.text import bounded

__all__ = ["candidate_lines", "entity_text", "neighborhood", "neighborhood_text"]

MAX_LISTED = 400
"""Most edges of a list of candidates, all pages together."""
_HOPS = 3
_LONGEST = 300
_NAME = 120


def entity_text(world: World, name: str, *, inside: bool) -> str:
    """Return an entity in words: type, text, numbers, and its relations with how many edges."""
    ids = [world.store.entity_id(name)]
    lines = [about(world, name)]
    counted = []
    for move in world.moves(name):
        count = len(world.along(name, move)) if world.undirected else None
        counted.append(f"{move} ({world.store.degree(ids[0], move) if count is None else count})")
    lines.append(f"Relations: {', '.join(counted) or 'none'}")
    lines.append("It is in the graph." if inside else "It is not in the graph.")
    return "\n".join(lines)


def about(world: World, name: str) -> str:
    """Return one line: name, type, numbers and text of an entity.

    >>> from graphenv.knowledge import KnowledgeGraph
    >>> store = KnowledgeGraph.from_triples([("a", "r", "b")])
    >>> about(World(store, {"a": "gene"}, {"a": "A small gene."}), "a")
    'a (gene): A small gene.'
    """
    kind = world.type(name)
    numbers = ", ".join(f"{key} {value:.4g}" for key, value in world.features(name).items())
    told = "; ".join(filter(None, [kind, numbers]))
    text = bounded(world.description(name), _LONGEST)
    head = bounded(name, _NAME)
    return f"{head} ({told})" * bool(told) + head * (not told) + (f": {text}" if text else "")


def candidate_lines(world: World, builder: Builder, names: Iterable[str]) -> tuple[list[str], bool]:
    """Return a line per edge at `names` that is not in the graph, and whether there are more.

    Edges between two nodes of the graph come first, then those of the nodes in their order.
    """
    held = set(builder.edges)
    found: dict[Triple, None] = {}
    more = False
    for name in names:
        for move in world.moves(name):
            for edge in world.along(name, move):
                if edge not in held:
                    found[edge] = None
            if len(found) > MAX_LISTED:
                more = True
                break
        if more:
            break
    inner = [edge for edge in found if edge[0] in builder and edge[2] in builder]
    outer = [edge for edge in found if edge[0] not in builder or edge[2] not in builder]
    lines = []
    for edge in [*inner, *outer][:MAX_LISTED]:
        new = [end for end in dict.fromkeys((edge[0], edge[2])) if end not in builder]
        lines.append(_edge_text(world, edge, world.type(new[0]) if new else ""))
    return lines, more


def _edge_text(world: World, edge: Triple, *notes: str) -> str:
    """Return an edge as JSON, with its weight and further notes behind it."""
    weight = world.weight(*edge) if world.weights else None
    told = [
        *filter(None, notes),
        *([] if weight is None else [f"{world.weight_name} {weight:.4g}"]),
    ]
    text = json.dumps([bounded(part, _NAME) for part in edge], ensure_ascii=False)
    return f"{text} ({'; '.join(told)})" if told else text


def neighborhood(
    world: World, seeds: Sequence[str], limit: int, kept: Collection[Triple], *key: object
) -> list[Triple]:
    """Return at most `limit` edges around the seeds (or all of `kept`, if these are more), sorted.

    Edges come hop by hop, each hop (of three, or as many as `kept` has) with its share of the room;
    where a hop has more edges than fit, some are drawn by `key`. Those of `kept` are always among
    them, and as every hop has others, how far an edge is tells nothing.
    """
    found: dict[Triple, None] = dict.fromkeys(sorted(kept))
    hops = max(_HOPS, _depth(seeds, kept))
    level = list(seeds)
    seen = set(seeds)
    for hop in range(limit):
        edges: dict[Triple, None] = {}
        for name in level:
            for move in world.moves(name):
                edges.update(dict.fromkeys(world.along(name, move)))
        new = sorted(edge for edge in edges if edge not in found)
        room = -(-(limit - len(found)) // max(1, hops - hop))
        if len(new) > max(0, room):
            chosen = rng("neighbourhood", hop, *key).choice(len(new), max(0, room), replace=False)
            new = [new[i] for i in sorted(chosen.tolist())]
        found.update(dict.fromkeys(new))
        shown = [edge for edge in edges if edge in found]
        ends = sorted({end for head, _, tail in shown for end in (head, tail)} - seen)
        level, seen = ends, seen.union(ends)
        if not level or len(found) >= limit:
            break
    return sorted(found)


def _depth(seeds: Sequence[str], kept: Collection[Triple]) -> int:
    """Return how many hops from the seeds the edges reach, by themselves."""
    reached, left, hops = set(seeds), set(kept), 0
    while left:
        near = {edge for edge in left if edge[0] in reached or edge[2] in reached}
        if not near:
            break
        left -= near
        reached.update(end for head, _, tail in near for end in (head, tail))
        hops += 1
    return hops


def neighborhood_text(world: World, edges: Sequence[Triple], seeds: Sequence[str]) -> str:
    """Return edges as lines of JSON, after a line about each entity of which something is known."""
    names = sorted({*seeds, *(end for head, _, tail in edges for end in (head, tail))})
    known = [about(world, name) for name in names]
    lines = [line for line, name in zip(known, names, strict=True) if line != name]
    told = [_edge_text(world, edge) for edge in edges]
    entities = ["Entities:", *lines] if lines else []
    return "\n".join([*entities, "Edges:", *told])
