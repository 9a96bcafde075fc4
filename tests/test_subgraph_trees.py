"""Steiner trees and prize-collecting forests: exact against every subset, and what wins a task."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import envs
from graphenv.envs.subgraph.sources import forest as forests
from graphenv.envs.subgraph.sources.forest import SCALE, Forest, Terms, forest_value
from graphenv.envs.subgraph.sources.interactome import RELATION, Interactome
from graphenv.envs.subgraph.sources.planted import Problem
from graphenv.envs.subgraph.sources.steiner import SteinerSource
from graphenv.envs.subgraph.sources.trees import UNREACHED, Arcs, SteinerTable
from graphenv.envs.subgraph.world import World
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.knowledge import KnowledgeGraph
from graphenv.task import SPLITS
from graphenv.text import format_call

Edges = dict[tuple[int, int], int]


@st.composite
def networks(draw: st.DrawFn, most: int = 6) -> tuple[int, Edges, list[int]]:
    """Draw a small network with edge costs and charges of nodes; it may fall apart."""
    size = draw(st.integers(2, most))
    pairs = list(combinations(range(size), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1))
    costs = draw(st.lists(st.integers(1, 9), min_size=len(chosen), max_size=len(chosen)))
    charges = draw(st.lists(st.integers(0, 4), min_size=size, max_size=size))
    return size, dict(zip(chosen, costs, strict=True)), charges


def arcs_of(edges: Edges, charges: list[int]) -> Arcs:
    ends = np.array(sorted(edges), np.int64).reshape(-1, 2)
    costs = np.array([edges[pair] for pair in sorted(edges)], np.int64)
    return Arcs(ends[:, 0], ends[:, 1], costs, np.array(charges, np.int64))


def tree_cost(nodes: tuple[int, ...], edges: Edges, charges: list[int]) -> int | None:
    """Return what the cheapest tree on exactly these nodes costs, `None` if there is none."""
    inner: nx.Graph[int] = nx.Graph()
    inner.add_nodes_from(nodes)
    inner.add_weighted_edges_from((a, b, w) for (a, b), w in edges.items() if {a, b} <= set(nodes))
    if not nx.is_connected(inner):
        return None
    tree = nx.minimum_spanning_tree(inner)
    return int(tree.size(weight="weight")) + sum(charges[node] for node in nodes)


@given(networks(), st.data())
@settings(max_examples=50)
def test_tables_hold_the_cheapest_trees(
    network: tuple[int, Edges, list[int]], data: st.DataObject
) -> None:
    size, edges, charges = network
    ends = data.draw(
        st.lists(st.integers(0, size - 1), min_size=1, max_size=min(4, size), unique=True)
    )
    table = SteinerTable(arcs_of(edges, charges), ends)
    for mask in range(1, 1 << len(ends)):
        wanted = {end for bit, end in enumerate(ends) if mask >> bit & 1}
        costs = [
            cost
            for count in range(len(wanted), size + 1)
            for nodes in combinations(range(size), count)
            if wanted <= set(nodes) and (cost := tree_cost(nodes, edges, charges)) is not None
        ]
        assert table.cost(mask) == min(costs, default=UNREACHED)
        tree = table.tree(mask)
        if costs and len(wanted) > 1:
            held = {node for edge in tree for node in edge}
            plain: nx.Graph[int] = nx.Graph(tree)
            assert nx.is_tree(plain) and wanted <= held
            paid = sum(edges[edge] for edge in tree) + sum(charges[node] for node in held)
            assert paid == table.cost(mask)
        else:
            assert not tree


def test_tables_refuse_what_they_cannot_hold() -> None:
    arcs = arcs_of({(0, 1): 1}, [0] * 12)
    for ends in ([], [0, 0], list(range(11))):
        with pytest.raises(ConfigError, match="1 to 10 distinct ones"):
            SteinerTable(arcs, ends)


# -- forests --------------------------------------------------------------------------------------


def interactome(size: int, edges: Edges) -> Interactome:
    """Return a network with scores, of which a cost of n is n / 10."""
    ends = np.array(sorted(edges), np.int64).reshape(-1, 2)
    scores = np.array([1 - edges[pair] / 10 for pair in sorted(edges)])
    names = [f"P{i}" for i in range(size)]
    store = KnowledgeGraph.from_arrays(
        ends[:, 0], np.zeros(len(ends), int), ends[:, 1], names, [RELATION]
    )
    degrees = np.bincount(ends.ravel(), minlength=size)
    world = World(store, undirected=True)
    return Interactome(world, tuple(names), ends[:, 0], ends[:, 1], scores, degrees, {})


@given(networks(), st.data())
@settings(max_examples=60)
def test_best_known_forest_against_every_forest(
    network: tuple[int, Edges, list[int]], data: st.DataObject
) -> None:
    size, edges, _ = network
    terms = Terms.of(interactome(size, edges), mu=0.1, omega=0.5)
    ends = data.draw(
        st.lists(st.integers(0, size - 1), min_size=1, max_size=min(4, size), unique=True)
    )
    prizes = {end: data.draw(st.integers(1, 20)) * SCALE // 10 for end in ends}
    every = max(
        forest_value(terms, prizes, chosen)[0]
        for count in range(min(len(edges), size - 1) + 1)
        for chosen in combinations(sorted(edges), count)
    )
    with pytest.MonkeyPatch.context() as patch:
        found = Forest.best_known(terms, prizes, max_nodes=99, max_edges=99)
        assert 0 <= found.value <= every
        patch.setattr(forests, "_DETOUR", 1000 * SCALE)  # nothing is put aside: exact
        exact = Forest.best_known(terms, prizes, max_nodes=99, max_edges=99)
    assert exact.value == every == forest_value(terms, prizes, exact.edges)[0]
    assert set(exact.edges) <= set(edges)


def test_value_of_a_forest_by_hand() -> None:
    edges = {(0, 1): 2, (1, 2): 3, (0, 2): 4, (3, 4): 5}
    terms = Terms.of(interactome(6, edges), mu=0.1, omega=0.5)
    prizes = {0: SCALE, 2: 2 * SCALE, 3: SCALE, 5: 9 * SCALE}
    value, parts = forest_value(terms, prizes, [(0, 1), (1, 2)])
    # 1 + 2, less .2 + .3, less .1 for each of two partners of node 1, less .5 for the tree
    assert value == round(1.8 * SCALE)
    assert parts == {"prizes": 3 * SCALE, "costs": SCALE // 2, "charges": SCALE // 5, "trees": 1}
    assert forest_value(terms, prizes, [(0, 1), (2, 1), (2, 0)])[0] == round(1.4 * SCALE)  # a cycle
    assert forest_value(terms, prizes, [(4, 3)])[0] == round(-1.1 * SCALE)  # one prize alone
    assert forest_value(terms, prizes, [(0, 1), (1, 2), (3, 4)])[0] == round(0.7 * SCALE)
    assert forest_value(terms, prizes, [])[0] == 0  # node 5 alone collects nothing
    capped = Forest.best_known(terms, prizes, max_nodes=4, max_edges=9)
    assert capped.edges == ((0, 2),) and capped.value == round(2.1 * SCALE)
    none = Forest.best_known(terms, {0: 1, 1: 1}, max_nodes=9, max_edges=9)
    assert none == Forest((), 0)


# -- tasks ----------------------------------------------------------------------------------------


def drawn(source: SteinerSource, index: int) -> nx.Graph[str]:
    world = source.world(index)
    graph: nx.Graph[str] = nx.Graph()
    for head, relation, tail in world.store.triples():
        weight = world.weight(head, relation, tail)
        graph.add_edge(head, tail, weight=weight, triple=(head, relation, tail))
    return graph


@pytest.mark.parametrize("method", ["kou", "mehlhorn"])
def test_gold_is_never_dearer_than_an_approximation(method: str) -> None:
    source = SteinerSource(split="train", nodes=40, terminals=4)
    ratios = []
    for index in range(25):
        task, graph = source[index], drawn(source, index)
        found = nx.algorithms.approximation.steiner_tree(graph, task.meta["seeds"], method=method)
        triples = [data["triple"] for _, _, data in found.edges(data=True)]
        near = source.world(index).graph(triples, seeds=task.meta["seeds"])
        value, metrics = source.truth(task, near, None)
        assert 0.5 < metrics["cost_ratio"] <= 1.0
        assert (value == 1.0) == (metrics["optimal"] == 1.0)
        ratios.append(metrics["cost_ratio"])
    assert min(ratios) < 1.0  # otherwise the tasks would be too easy


def test_tasks_fit_their_budget_and_gold_is_a_tree() -> None:
    planted = []
    for split in SPLITS:
        source = SteinerSource(split=split, nodes=32, terminals=4, seed=3)
        for index in range(20):
            task = source[index]
            gold = task.target.graph
            assert gold is not None and not gold.directed
            plain: nx.Graph[str] = nx.Graph((h, t) for h, _, t in gold.triples)
            assert nx.is_tree(plain) and set(task.meta["seeds"]) <= set(plain)
            leaves = {name for name, degree in plain.degree() if degree == 1}
            assert leaves <= set(task.meta["seeds"])
            assert len(gold) <= task.meta["budget"]["nodes"]
            assert all(name in task.prompt for name in task.meta["seeds"])
            paid = sum(source.world(index).weight(*triple) or 0.0 for triple in gold.triples)
            assert paid == pytest.approx(task.meta["cost"])
            assert source.truth(task, gold, None)[0] == 1.0
            assert source.world(index).store.num_triples % 3 == SPLITS.index(split)
            planted.append(task.meta["planted"])
    assert 0.2 < np.mean(planted) < 0.95


def test_tasks_do_not_depend_on_order_and_wordings_are_held_out() -> None:
    one, other = (SteinerSource(split="train", nodes=24, terminals=3) for _ in range(2))
    assert [one[i].id for i in (5, 2)] == [other[i].id for i in (5, 2)]
    assert one[2] == other[2] and one.fingerprint == other.fingerprint
    assert (
        one.fingerprint != SteinerSource(split="train", nodes=24, terminals=3, seed=1).fingerprint
    )
    held = SteinerSource(split="heldout", nodes=24, terminals=3)

    def wordings(source: SteinerSource) -> set[str]:
        texts = set()
        for index in range(20):
            text = source[index].prompt
            for name in source[index].meta["seeds"]:
                text = text.replace(name, "?")
            texts.add(text)
        return texts

    assert len(wordings(one)) == 3 and len(wordings(held)) == 2
    assert not wordings(one) & wordings(held)


def test_what_is_built_carelessly_loses() -> None:
    source = SteinerSource(split="train", nodes=24, terminals=3)
    task, world = source[0], source.world(0)
    seeds = task.meta["seeds"]
    gold = task.target.graph
    assert gold is not None

    def truth(triples: Any, names: Any = ()) -> tuple[float, dict[str, float]]:
        return source.truth(task, world.graph(triples, [*seeds, *names], seeds), None)

    triples = list(gold.triples)
    spare = next(t for t in world.store.triples() if t not in triples)
    assert truth([])[0] == 0.0 and truth([])[1]["cost_ratio"] == 0.0
    assert truth(triples)[0] == 1.0
    for worse in ([*triples, spare], triples[1:], [*triples, triples[0]]):
        value, metrics = truth(worse)
        assert value < 1.0 and metrics["optimal"] == 0.0
    lone = next(n for n in world.store.entity_names(range(24)) if n not in gold.labels)
    assert truth(triples, [lone])[0] < 1.0
    everything = truth(world.store.triples())
    assert everything[0] < 0.35 and everything[1]["cost_ratio"] < 0.35
    invented = [(seeds[0], "binds", name) for name in seeds[1:]]
    if not any(world.edge(*triple) for triple in invented):
        free = source.truth(task, Graph.from_triples(invented, directed=False), None)
        assert free[0] == 0.0 and free[1]["optimal"] == 0.0


def test_another_tree_of_the_same_cost_is_as_right(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["A", "B", "C", "D"]
    store = KnowledgeGraph.from_triples(
        [("A", "binds", "C"), ("C", "binds", "B"), ("A", "binds", "D"), ("D", "binds", "B")]
    )
    ids = {name: store.entity_id(name) for name in names}
    weights = {(ids[h], store.move_id(r), ids[t]): 0.2 for h, r, t in store.triples()}
    world = World(store, weights=weights, undirected=True)
    gold = (("A", "binds", "C"), ("C", "binds", "B"))
    problem = Problem(world, ("A", "B"), gold, 400, True)
    monkeypatch.setattr(
        "graphenv.envs.subgraph.sources.steiner.planted_problem", lambda *_: problem
    )
    source = SteinerSource(split="train", nodes=12, terminals=2)
    other = world.graph([("A", "binds", "D"), ("D", "binds", "B")], seeds=("A", "B"))
    value, metrics = source.truth(source[0], other, None)
    assert value == 1.0 and metrics["optimal"] == 1.0 and metrics["exact"] == 0.0


def test_steiner_in_the_environment() -> None:
    env = envs.make("subgraph", source="steiner", split="heldout", nodes=24, terminals=3)
    inner: Any = env.unwrapped
    play = inner.subgraph_source.play(1)
    calls = [format_call(tool, **arguments) for tool, arguments in play.actions]
    episode = inner.play(1, [*calls, format_call("submit")])
    assert episode.success == 1.0 and inner.reward([episode])[0].value == 1.0
    seed = inner.tasks[1].meta["seeds"][0]
    listed = inner.play(1, [format_call("candidates", node=seed)]).steps[0].calls[0].result
    assert "cost 0." in listed
    shown = envs.make("subgraph", source="steiner", mode="single", nodes=24, terminals=3)
    assert "cost 0." in shown.unwrapped.tasks[0].prompt  # type: ignore[attr-defined]


@pytest.mark.parametrize("arguments", [{"terminals": 1}, {"terminals": 9}, {"nodes": 5}])
def test_arguments_out_of_range(arguments: Any) -> None:
    with pytest.raises(ConfigError, match="steiner: "):
        SteinerSource(split="train", **arguments)
