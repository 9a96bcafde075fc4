"""The best design that is known of a task: what success is measured by, and the oracle plays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np

from graphenv.envs.design.baselines import BASELINES, MEASURES, designed, shortlist
from graphenv.envs.design.network import Network, Pair
from graphenv.envs.design.objectives import Objective
from graphenv.seeding import rng

__all__ = ["Edit", "Plan", "best_addition", "best_rewiring", "cut"]

GREEDY_WORK = 100_000_000
EXHAUSTIVE_WORK = 10_000_000
"""Operations on numbers that a search may cost, as `Objective.work` counts them."""
FEWEST = 8
"""A greedy search that can look at fewer edges a pick is left out."""

Edit = tuple[str, Pair]
"""`("add", edge)` or `("remove", edge)`."""


class Plan(NamedTuple):
    """Edits one after another, and the value after each: `values[0]` is that of the start."""

    edits: tuple[Edit, ...]
    values: tuple[float, ...]

    @property
    def value(self) -> float:
        """The value at the end."""
        return self.values[-1]


def cut(plan: Plan, stops: Sequence[int] | None = None) -> Plan:
    """Return the shortest beginning of a plan with its highest value.

    `stops` are the numbers of edits after which a design may end (by default: after any).
    """
    allowed = range(len(plan.values)) if stops is None else stops
    end = max(allowed, key=lambda at: (plan.values[at], -at))
    return Plan(plan.edits[:end], plan.values[: end + 1])


def best_addition(network: Network, budget: int, objective: Objective, key: str) -> Plan:
    """Return the best known way to add at most `budget` edges.

    Every set of edges is tried where that costs little (`EXHAUSTIVE_WORK`; one or two edges in a
    small network). Else it is the best of the greedy search and of the three measures in
    `baselines`; where the greedy search would cost too much (`GREEDY_WORK`), it looks at a short
    list of edges for each pick, or is left out.
    """
    budget = min(budget, len(network.missing))
    sets = sum(comb(len(network.missing), size) for size in range(1, min(budget, 3) + 1))
    if budget <= 2 and sets * objective.work(len(network)) <= EXHAUSTIVE_WORK:
        return _exhaustive(network, budget, objective, key)
    draw = rng("best design", key)  # the measures draw nothing
    found = [designed(BASELINES[name], network, budget, objective, key, draw) for name in MEASURES]
    greedy = _greedy(network, budget, objective, key)
    if greedy:
        found.insert(0, greedy)
    ends = [objective.value(network.changed(edges), key) for edges in found]
    edges = found[int(np.argmax(ends))]
    return cut(_valued(network, [("add", edge) for edge in edges], objective, key))


def best_rewiring(
    network: Network, budget: int, objective: Objective, key: str, undo: Sequence[Edit] = ()
) -> Plan:
    """Return the best known way to move at most `budget` edges: remove one, add one, and again.

    The better of undoing the damage, if it is known, and of a greedy search: the removal that costs
    least, then the addition that gains most, both from short lists where all would cost too much.
    """
    plans = [_valued(network, list(undo), objective, key)] if undo else []
    work = objective.work(len(network))
    count = max(FEWEST, GREEDY_WORK // max(1, 2 * budget * work))
    edits: list[Edit] = []
    now = network
    for _ in range(budget):
        edges = _spread(now.edges, count)
        if not edges:
            break
        gone = edges[int(np.argmax(objective.after_removing(now, edges, key)))]
        now = now.changed(remove=[gone])
        places = [edge for edge in shortlist(now, count) if edge != gone]
        if not places:
            break
        fresh = places[int(np.argmax(objective.promise(now, places, key)))]
        now = now.changed([fresh])
        edits += [("remove", gone), ("add", fresh)]
    plans.append(_valued(network, edits, objective, key))
    ends = (cut(plan, range(0, len(plan.values), 2)) for plan in plans)
    return max(ends, key=lambda plan: plan.value)


def _spread(items: Sequence[Pair], count: int) -> Sequence[Pair]:
    if len(items) <= count:
        return items
    return [items[at * len(items) // count] for at in range(count)]


def _greedy(network: Network, budget: int, objective: Objective, key: str) -> list[Pair]:
    count = len(network.missing)
    while count >= FEWEST and budget * objective.search_work(len(network), count) > GREEDY_WORK:
        count //= 2
    if count < FEWEST and count < len(network.missing):
        return []
    added: list[Pair] = []
    for _ in range(budget):
        places = shortlist(network, count)
        added.append(places[int(np.argmax(objective.promise(network, places, key)))])
        network = network.changed(added[-1:])
    return added


def _exhaustive(network: Network, budget: int, objective: Objective, key: str) -> Plan:
    best = cut(_valued(network, [], objective, key))
    for first in _firsts(network, budget):
        base = network.changed(first)
        places = [edge for edge in base.missing if not first or edge > first[-1]]
        if not places:
            continue
        values = objective.after_adding(base, places, key)
        at = int(np.argmax(values))
        if values[at] > best.value:
            edits: list[Edit] = [("add", edge) for edge in (*first, places[at])]
            best = _valued(network, edits, objective, key)
    if len(best.edits) == 2:  # the better of the two first, so that mistakes are nested
        other = _valued(network, best.edits[::-1], objective, key)
        best = max(best, other, key=lambda plan: plan.values[1])
    return best


def _firsts(network: Network, budget: int) -> Iterator[tuple[Pair, ...]]:
    for size in range(budget):
        yield from combinations(network.missing, size)


def _valued(network: Network, edits: Sequence[Edit], objective: Objective, key: str) -> Plan:
    values = [objective.value(network, key)]
    for what, edge in edits:
        network = network.changed([edge]) if what == "add" else network.changed(remove=[edge])
        values.append(objective.value(network, key))
    return Plan(tuple(edits), tuple(values))
