"""Objectives: robustness beside a plain loop over networkx, the others beside networkx's own."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv.envs.design.network import Network
from graphenv.envs.design.objectives import OBJECTIVES, make_objective
from graphenv.envs.design.objectives.robustness import TargetedRemoval, falls_apart
from graphenv.errors import ConfigError, UnknownNameError
from graphenv.seeding import rng

OWN = "design_fixture:density"


@st.composite
def networks(draw: st.DrawFn, least: int = 2, most: int = 12) -> Network:
    size = draw(st.integers(least, most))
    pairs = [(a, b) for b in range(size) for a in range(b)]
    return Network.of(size, draw(st.lists(st.sampled_from(pairs), max_size=3 * size)))


def as_networkx(network: Network) -> nx.Graph:
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from(range(len(network)))
    graph.add_edges_from(network.edges)
    return graph


def removed_one_by_one(network: Network, order: list[int]) -> int:
    """The published loop: remove, count components, stop when there are two."""
    graph = as_networkx(network)
    if not nx.is_connected(graph):
        return 0
    for gone, node in enumerate(order, 1):
        graph.remove_node(node)
        if len(graph) and nx.number_connected_components(graph) > 1:
            return gone
    return len(network)


@settings(max_examples=30, deadline=None)
@given(networks(), st.integers(0, 9))
def test_robustness_is_the_published_loop(network: Network, seed: int):
    for name in ("robustness_random", "robustness_targeted"):
        objective = make_objective(name)
        orders = objective.orders(network.adjacency[None], f"k{seed}")[0]  # type: ignore[attr-defined]
        assert orders.shape == (2 * len(network), len(network))
        gone = [removed_one_by_one(network, order) for order in orders.tolist()]
        assert falls_apart(network.adjacency[None], orders[None])[0].tolist() == gone
        expected = float(np.mean(gone)) / len(network)
        assert objective.value(network, f"k{seed}") == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(networks(most=15))
def test_targeted_orders_go_by_initial_degree_with_random_ties(network: Network):
    orders = TargetedRemoval().orders(network.adjacency[None], "k")[0]
    degrees = network.adjacency.sum(axis=1)
    for order in orders:
        assert sorted(order.tolist()) == list(range(len(network)))
        assert all(np.diff(degrees[order]) <= 0)
    if len(set(degrees.tolist())) == 1 and len(network) > 4:
        assert len({tuple(order) for order in orders.tolist()}) > 1


@settings(max_examples=25, deadline=None)
@given(networks(least=4), st.sampled_from([*OBJECTIVES, OWN]), st.randoms())
def test_many_at_once_are_each_by_itself(network: Network, name: str, dice: object):
    objective = make_objective(name)
    for pairs, judge, present in (
        (network.missing, objective.after_adding, True),
        (network.edges, objective.after_removing, False),
    ):
        values = judge(network, pairs, "k")
        assert values.shape == (len(pairs),)
        for edge, value in zip(pairs, values.tolist(), strict=True):
            other = network.changed([edge]) if present else network.changed(remove=[edge])
            assert value == pytest.approx(objective.value(other, "k"), abs=1e-9)
            assert 0.0 <= value <= 1.0


@settings(max_examples=30, deadline=None)
@given(networks())
def test_the_others_are_those_of_networkx(network: Network):
    graph, size = as_networkx(network), len(network)
    value = {name: make_objective(name).value(network, "") for name in OBJECTIVES}
    assert value["efficiency"] == pytest.approx(nx.global_efficiency(graph), abs=1e-9)
    spectrum = np.sort(np.linalg.eigvalsh(nx.laplacian_matrix(graph).toarray().astype(float)))
    assert value["spectral_gap"] == pytest.approx(spectrum[1] / size, abs=1e-6)
    expected = 0.0
    if nx.is_connected(graph):
        expected = (size - nx.diameter(graph)) / (size - 1)
    assert value["diameter"] == pytest.approx(expected)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("size", [2, 5, 20])
def test_the_scale_ends_where_it_says(name: str, size: int):
    full = Network.of(size, [(a, b) for b in range(size) for a in range(b)])
    objective = make_objective(name)
    assert objective.value(full, "k") == 1.0
    pieces = Network.of(size, [])
    assert objective.value(pieces, "k") == 0.0


def test_known_values():
    star = Network.of(5, [(0, i) for i in range(1, 5)])
    assert make_objective("robustness_targeted").value(star, "k") == 1 / 5
    assert make_objective("spectral_gap").value(star, "k") == pytest.approx(1 / 5)
    assert make_objective("diameter").value(star, "k") == 3 / 4
    # Of a star's random orders, the hub's place decides: 1..5 nodes gone, or never (last two).
    expected = np.mean([1, 2, 3, 5, 5]) / 5
    values = [make_objective("robustness_random").value(star, f"k{i}") for i in range(300)]
    assert np.mean(values) == pytest.approx(expected, abs=0.01)


def test_a_flat_objective_is_searched_by_a_finer_one():
    path = Network.of(12, [(i, i + 1) for i in range(11)])
    diameter = make_objective("diameter")
    plain = diameter.after_adding(path, path.missing, "")
    ranks = diameter.promise(path, path.missing, "")
    assert len(set(np.round(ranks, 9).tolist())) > len(set(plain.tolist()))
    assert np.abs(ranks - plain).max() <= 1e-6


def test_the_key_of_a_task_decides_the_draws_and_nothing_else():
    draw = rng("networks", 3)
    edges = [tuple(map(int, draw.choice(20, 2, replace=False))) for _ in range(60)]
    network = Network.of(20, [(a, b) for a, b in edges])
    objective = make_objective("robustness_random")
    first, again, other = (objective.value(network, key) for key in ("a", "a", "b"))
    assert first == again != other
    assert abs(first - other) < 0.2


def test_more_orders_are_a_better_estimate():
    network = Network.of(12, [(i, (i + 1) % 12) for i in range(12)] + [(0, 5), (3, 9)])
    spread = []
    for orders in (2, 50):
        objective = make_objective("robustness_random", orders=orders)
        assert objective.orders(network.adjacency[None], "k").shape == (1, 12 * orders, 12)  # type: ignore[attr-defined]
        spread.append(np.std([objective.value(network, f"k{i}") for i in range(30)]))
    assert spread[1] < spread[0] / 3


def test_objectives_of_the_user():
    own = make_objective(OWN)
    assert own.value(Network.of(4, [(0, 1), (2, 3)]), "k") == pytest.approx(1 / 3)
    assert own.words == "The share of pairs of nodes that have an edge"
    with pytest.raises(ConfigError, match="a number in"):
        make_objective("design_fixture:too_much").value(Network.of(3, [(0, 1), (1, 2)]), "k")
    with pytest.raises(ConfigError, match="not callable"):
        make_objective("design_fixture:PATH")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        make_objective("design_fixture:nothing")
    with pytest.raises(UnknownNameError, match="Did you mean 'efficiency'"):
        make_objective("efficency")
