"""Constraints that leave a pattern one match: found by exhaustive search, checked by it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphenv.choices import Choices
from graphenv.envs.subgraph.sources.motif.network import Instance, Network
from graphenv.envs.subgraph.sources.motif.patterns import Constraint, Pattern, matches
from graphenv.envs.subgraph.sources.motif.schema import FEATURES

__all__ = ["edge_sets", "made_unique"]

IdEdges = frozenset[tuple[int, int, int]]
_MOST = 3
"""Constraints tried before further entities are named."""


def edge_sets(pattern: Pattern, network: Network) -> set[IdEdges]:
    """Return the distinct sets of edges that match a pattern, all of them."""
    found = matches(pattern, network.around, network.entities)
    return {_edges(pattern, bound) for bound in found}


def _edges(pattern: Pattern, bound: dict[int, int]) -> IdEdges:
    return frozenset((bound[a], r, bound[b]) for a, r, b in pattern.edges)


def made_unique(
    instance: Instance,
    seed: int,
    network: Network,
    choose: Choices,
    *,
    spare: bool,
    conditions: bool = True,
) -> Pattern:
    """Return a pattern that names the variable `seed` and whose only match is the instance.

    Constraints are added one by one, each the one that leaves the fewest other matches; where they
    do not suffice (or `conditions` are not wanted), further entities are named. `spare` adds one
    that is not needed.
    """
    pattern = Pattern(instance.edges, {seed: instance.bound[seed]})
    gold = _edges(pattern, dict(enumerate(instance.bound)))
    while True:
        others = [
            bound
            for bound in matches(pattern, network.around, network.entities)
            if _edges(pattern, bound) != gold
        ]
        free = [v for v in range(len(instance.bound)) if v not in pattern.named]
        wanted = bool(others) or (spare and not pattern.constraints and bool(free))
        if not wanted:
            return pattern
        rule = None
        if conditions and len(pattern.constraints) < _MOST:
            rule = _best(instance, free, others, network, choose)
        if rule is not None:
            pattern = replace(pattern, constraints=(*pattern.constraints, rule))
            continue
        name = choose.of(free)
        kept = tuple(r for r in pattern.constraints if r.variable != name)
        named = {**pattern.named, name: instance.bound[name]}
        pattern = replace(pattern, named=named, constraints=kept)


def _best(
    instance: Instance,
    free: Sequence[int],
    others: Sequence[dict[int, int]],
    network: Network,
    choose: Choices,
) -> Constraint | None:
    """Return a constraint that the gold keeps and that leaves the fewest of the others."""
    options = choose.shuffled(
        [rule for v in free for rule in _options(v, instance.bound[v], others, network, choose)]
    )
    entities = network.entities

    def left(rule: Constraint) -> int:
        ends = (bound[rule.variable] for bound in others)
        return sum(rule.holds(entities.traits[e], entities.numbers[e]) for e in ends)

    if not others:
        return options[0] if options else None
    best = min(options, key=left, default=None)
    return best if best is not None and left(best) < len(others) else None


def _options(
    variable: int,
    entity: int,
    others: Sequence[dict[int, int]],
    network: Network,
    choose: Choices,
) -> list[Constraint]:
    entities = network.entities
    found = [Constraint(variable, "trait", trait) for trait in entities.traits[entity]]
    for name, (low, high, _) in FEATURES.items():
        value = entities.numbers[entity][name]
        rivals = [entities.numbers[bound[variable]][name] for bound in others]
        # A bound somewhere between the value and the nearest rival, not at either.
        below = max((rival for rival in rivals if rival < value), default=max(low, value // 2))
        above = min((rival for rival in rivals if rival > value), default=(value + high) // 2 + 1)
        if below < value:
            found.append(Constraint(variable, "above", name, below + choose(value - below)))
        if above > value:
            found.append(Constraint(variable, "below", name, above - choose(above - value)))
    return found
