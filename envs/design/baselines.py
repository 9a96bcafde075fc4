"""The published ways to pick the next edge without learning; one row each.

References: Darvariu, Hailes and Musolesi, Goal-directed graph construction using reinforcement
learning, Proceedings of the Royal Society A 477, 2021, compare against these five.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from graphenv.envs.design.network import Network, Pair
from graphenv.envs.design.objectives import Objective
from graphenv.envs.design.objectives.spectrum import laplacians

__all__ = [
    "BASELINES",
    "MEASURES",
    "Baseline",
    "degree_product",
    "designed",
    "fiedler",
    "resistance",
    "shortlist",
]

Baseline = Callable[[Network, Objective, str, np.random.Generator], Pair]
"""Picks a missing edge of a network: (network, objective, key of the task, generator)."""


def degree_product(network: Network) -> np.ndarray:
    """Return minus the product of the degrees of the ends of each missing edge, (C,)."""
    degrees = network.adjacency.sum(axis=1)
    ends = _ends(network)
    products: np.ndarray = degrees[ends[:, 0]] * degrees[ends[:, 1]]
    return -products.astype(float)


def fiedler(network: Network) -> np.ndarray:
    """Return |v_a - v_b| for each missing edge, v the Fiedler vector, (C,).

    The edge with the largest difference raises the algebraic connectivity most, to first order.
    """
    _, vectors = np.linalg.eigh(laplacians(network.adjacency[None])[0])
    ends = _ends(network)
    return _rounded(np.abs(vectors[ends[:, 0], 1] - vectors[ends[:, 1], 1]))


def resistance(network: Network) -> np.ndarray:
    """Return the effective resistance between the ends of each missing edge, (C,).

    With L+ the pseudo-inverse of the Laplacian: L+_aa + L+_bb - 2 L+_ab.
    """
    inverse = np.linalg.pinv(laplacians(network.adjacency[None])[0], hermitian=True)
    ends = _ends(network)
    own = np.diag(inverse)
    return _rounded(own[ends[:, 0]] + own[ends[:, 1]] - 2 * inverse[ends[:, 0], ends[:, 1]])


MEASURES: dict[str, Callable[[Network], np.ndarray]] = {
    "lowest_degree_product": degree_product,
    "fiedler": fiedler,
    "effective_resistance": resistance,
}
"""What rates missing edges by the network alone; the highest is picked, the first of equals."""


def _ends(network: Network) -> np.ndarray:
    return np.array(network.missing, dtype=int).reshape(-1, 2)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.round(values, 9)  # equals stay equal, whichever library solved it


def _random(network: Network, _: Objective, __: str, draw: np.random.Generator) -> Pair:
    return network.missing[int(draw.integers(len(network.missing)))]


def _greedy(network: Network, objective: Objective, key: str, _: np.random.Generator) -> Pair:
    return network.missing[int(np.argmax(objective.promise(network, network.missing, key)))]


def _measured(name: str) -> Baseline:
    def pick(network: Network, _: Objective, __: str, ___: np.random.Generator) -> Pair:
        return network.missing[int(np.argmax(MEASURES[name](network)))]

    return pick


BASELINES: dict[str, Baseline] = {
    "random": _random,
    "greedy": _greedy,
    **{name: _measured(name) for name in MEASURES},
}
"""Ways to pick the next edge. `greedy` asks the objective of every missing edge, each time."""


def designed(
    baseline: Baseline,
    network: Network,
    budget: int,
    objective: Objective,
    key: str,
    draw: np.random.Generator,
) -> list[Pair]:
    """Return the edges that a baseline adds one after another.

    >>> from graphenv.envs.design.objectives import make_objective
    >>> from graphenv.seeding import rng
    >>> path, near = Network.of(4, [(0, 1), (1, 2), (2, 3)]), make_objective("efficiency")
    >>> designed(BASELINES["fiedler"], path, 1, near, "", rng("x"))
    [(0, 3)]
    """
    added: list[Pair] = []
    while len(added) < budget and network.missing:
        added.append(baseline(network, objective, key, draw))
        network = network.changed(added[-1:])
    return added


def shortlist(network: Network, count: int) -> Sequence[Pair]:
    """Return the missing edges that look best by degree product and Fiedler vector, half each."""
    missing = network.missing
    if len(missing) <= count:
        return missing
    found: dict[int, None] = {}
    orders = [np.argsort(-rate(network), kind="stable") for rate in (degree_product, fiedler)]
    for places in zip(*orders, strict=True):
        found.update(dict.fromkeys(int(place) for place in places))
        if len(found) >= count:
            break
    return [missing[place] for place in sorted(found)][:count]
