"""Patterns: shapes with variables, and the exhaustive search for all their places in a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["SHAPES", "Adjacency", "Constraint", "Entities", "Pattern", "PatternEdge", "matches"]

PatternEdge = tuple[int, int, int]
"""Variable, relation id, variable."""

SHAPES: dict[str, tuple[tuple[int, int], ...]] = {
    "edge": ((0, 1),),
    "path2": ((0, 1), (1, 2)),
    "path3": ((0, 1), (1, 2), (2, 3)),
    "star3": ((0, 1), (0, 2), (0, 3)),
    "triangle": ((0, 1), (1, 2), (2, 0)),
    "cycle4": ((0, 1), (1, 2), (2, 3), (3, 0)),
    "diamond": ((0, 1), (0, 2), (1, 3), (2, 3)),
}
"""Pairs of variables that are joined. A diamond has the same two relations on both arms."""

Adjacency = tuple[Mapping[tuple[int, int], Sequence[int]], Mapping[tuple[int, int], Sequence[int]]]
"""Tails by (relation, head), heads by (relation, tail)."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a variable must be like: a trait, or a number above or below a bound.

    `kind` is "trait", "above" or "below"; `what` is the trait, or the name of the number, whose
    bound (in its smallest units) is `bound`.
    """

    variable: int
    kind: str
    what: str
    bound: int = 0

    def holds(self, traits: Sequence[str], numbers: Mapping[str, int]) -> bool:
        """Return whether an entity with these traits and numbers fits."""
        if self.kind == "trait":
            return self.what in traits
        value = numbers[self.what]
        return value > self.bound if self.kind == "above" else value < self.bound


@dataclass(frozen=True, slots=True)
class Pattern:
    """Joined variables, what they must be like, and those that are named (variable -> entity)."""

    edges: tuple[PatternEdge, ...]
    named: Mapping[int, int]
    constraints: tuple[Constraint, ...] = ()


def matches(pattern: Pattern, around: Adjacency, entity: Entities) -> Iterator[dict[int, int]]:
    """Yield every assignment of entities to variables; two variables may be one entity.

    That is more than a reader would count as a match, so what is unique here is so for everybody.
    Every variable is joined, over others, to a named one.
    """
    rules: dict[int, list[Constraint]] = {}
    for rule in pattern.constraints:
        rules.setdefault(rule.variable, []).append(rule)
    order = _joined(pattern)
    tails, heads = around

    def fits(variable: int, found: int) -> bool:
        return all(
            rule.holds(entity.traits[found], entity.numbers[found])
            for rule in rules.get(variable, ())
        )

    def search(at: int, bound: dict[int, int]) -> Iterator[dict[int, int]]:
        if at == len(order):
            yield dict(bound)
            return
        a, relation, b = order[at]
        if a in bound and b in bound:
            if bound[b] in tails.get((relation, bound[a]), ()):
                yield from search(at + 1, bound)
            return
        new = b if a in bound else a
        known = tails.get((relation, bound[a])) if new == b else heads.get((relation, bound[b]))
        for found in known or ():
            if fits(new, found):
                bound[new] = found
                yield from search(at + 1, bound)
                del bound[new]

    yield from search(0, dict(pattern.named))


def _joined(pattern: Pattern) -> list[PatternEdge]:
    """Return the edges in an order in which each has an end that is named or came before."""
    left, order = list(pattern.edges), []
    bound = set(pattern.named)
    while left:
        place = next(i for i, (a, _, b) in enumerate(left) if a in bound or b in bound)
        edge = left.pop(place)
        order.append(edge)
        bound |= {edge[0], edge[2]}
    return order


@dataclass(frozen=True, slots=True)
class Entities:
    """What entities are like, by id."""

    traits: Sequence[Sequence[str]]
    numbers: Sequence[Mapping[str, int]]
