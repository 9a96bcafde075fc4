"""Graph edit distance: against brute force and networkx, in intervals, batches, threads, sizes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import Graph
from graphenv.errors import ConfigError
from graphenv.graph import Edge, Node

pytest.importorskip("numba")

from graphenv.benchmarks.ged.peers import brute_force, networkx_ged, to_networkx
from graphenv.rewards.ged import EditCosts, GEDResult, apply_edits, ged, ged_batch

Alike = Callable[[str, str], float]
MODELS = (
    EditCosts(),
    EditCosts(2, 1, 1, 2, 1, 1),
    EditCosts(1, 0.5, 2, 0.5, 1.5, 0.25),
    EditCosts(0, 0, 0, 2, 1, 1),
    EditCosts(kind_weights={"literal": 0.3}),
    EditCosts(0.7, 0.4, 0.9, 0, 0.3, 0.3, {"literal": 2.5}),
)
SYMMETRIC = tuple(model for model in MODELS if model.symmetric)


def alike(a: str, b: str) -> float:
    """Some labels are half the same."""
    return 1.0 if a == b else {"ab": 0.5, "bc": 0.25}.get("".join(sorted(a + b)), 0.0)


@st.composite
def graphs(draw: st.DrawFn, most: int = 4, directed: bool = True) -> Graph:
    size = draw(st.integers(0, most))
    labels = draw(st.lists(st.sampled_from("abc"), min_size=size, max_size=size))
    kinds = draw(st.lists(st.sampled_from(("", "literal")), min_size=size, max_size=size))
    node = st.integers(0, max(size - 1, 0))
    edge = st.tuples(node, st.sampled_from("rs"), node)
    edges = draw(st.lists(edge, max_size=2 * size)) if size else []
    return Graph.from_edges(labels, edges, kinds=kinds, directed=directed)


@st.composite
def pairs(draw: st.DrawFn, most: int = 4) -> tuple[Graph, Graph]:
    directed = draw(st.booleans())
    return draw(graphs(most, directed)), draw(graphs(most, directed))


def proves_itself(result: GEDResult, a: Graph, b: Graph) -> None:
    """The interval is one, and the edits cost its upper end and do what they say."""
    assert 0 <= result.lower <= result.upper
    assert result.exact == (result.reason == "")
    assert round(sum(edit.cost for edit in result.edit_path), 6) == round(result.upper, 6)
    made = apply_edits(a, result.edit_path)
    assert made.wl_hash() == b.wl_hash()
    assert len(b) > 100 or made.isomorphic_to(b)


def shuffled(graph: Graph, rng: np.random.Generator) -> Graph:
    order = [int(i) for i in rng.permutation(len(graph))]
    place = {old: new for new, old in enumerate(order)}
    nodes = tuple(
        Node(f"other {new}", graph.nodes[old].label, graph.nodes[old].kind)
        for new, old in enumerate(order)
    )
    edges = [Edge(place[e.head], e.relation, place[e.tail]) for e in graph.edges]
    return Graph(
        nodes, tuple(edges[int(i)] for i in rng.permutation(len(edges))), directed=graph.directed
    )


def random_graph(
    rng: np.random.Generator, size: int, labels: int = 6, relations: int = 4, density: float = 1.5
) -> Graph:
    names = [f"n{x}" for x in rng.integers(labels, size=size)]
    ends = rng.integers(size, size=(round(density * size), 2))
    edges = [(int(h), f"r{int(rng.integers(relations))}", int(t)) for h, t in ends]
    return Graph.from_edges(names, edges)


def result_key(result: GEDResult) -> tuple[object, ...]:
    return (result.lower, result.upper, result.expansions, result.reason, result.mapping)


# -- the right number -------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(pairs(), st.sampled_from(MODELS), st.sampled_from((None, alike)))
def test_equals_brute_force(
    pair: tuple[Graph, Graph], costs: EditCosts, similar: Alike | None
) -> None:
    a, b = pair
    result = ged(a, b, costs=costs, similarity=similar, budget=10**6)
    assert result.exact
    assert result.upper == pytest.approx(brute_force(a, b, costs, similar), abs=1e-9)
    proves_itself(result, a, b)


@settings(max_examples=60, deadline=None)
@given(
    pairs(),
    st.sampled_from(MODELS),
    st.sampled_from((None, alike)),
    st.sampled_from(("search", "bipartite", "counts")),
    st.integers(1, 12),
)
def test_every_interval_holds_the_distance(
    pair: tuple[Graph, Graph], costs: EditCosts, similar: Alike | None, method: str, budget: int
) -> None:
    a, b = pair
    result = ged(a, b, costs=costs, similarity=similar, method=method, budget=budget)  # type: ignore[arg-type]
    truth = brute_force(a, b, costs, similar)
    assert result.lower - 1e-9 <= truth <= result.upper + 1e-9
    proves_itself(result, a, b)


def test_agrees_with_networkx_on_asymmetric_costs() -> None:
    rng = np.random.default_rng(5)
    costs = EditCosts(1, 0.5, 1.5, 0.75, 1.25, 0.5)
    for _ in range(40):
        made = []
        for _ in range(2):
            simple = random_graph(rng, int(rng.integers(2, 5)), 3, 2, 1.2)
            once = {(e.head, e.tail): e for e in simple.edges if e.head != e.tail}
            made.append(Graph(simple.nodes, tuple(once.values())))
        a, b = made
        expected = networkx_ged(to_networkx(a), to_networkx(b), costs, limit=60).value
        assert ged(a, b, costs=costs).upper == pytest.approx(expected)


def test_a_similarity_array_is_taken_as_it_is() -> None:
    a = Graph.from_edges(["x", "x"], [(0, "r", 1)])
    b = Graph.from_edges(["x", "x"], [(1, "r", 0)])
    straight = ged(a, b, similarity=np.array([[1.0, 0.0], [0.0, 1.0]]))
    crossed = ged(a, b, similarity=np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert (straight.upper, crossed.upper) == (2.0, 0.0)
    assert crossed.mapping == ((0, 1), (1, 0))


def test_kind_weights_do_not_depend_on_the_batch() -> None:
    heavy = Graph.from_edges(["a"], kinds=["Literal"]), Graph.from_edges([])
    light = Graph.from_edges(["a"], kinds=["literal"]), Graph.from_edges([])
    costs = EditCosts(kind_weights={"literal": 0.5})
    for batch in ([heavy, light], [light, heavy]):
        found = ged_batch(batch, costs=costs, normalized=True)
        assert [result.upper for result in found] == [0.5, 0.5]
    assert ged(*heavy, costs=costs).upper == 1.0


def test_an_array_prices_equal_labels_in_every_method() -> None:
    one = Graph.from_edges(["a"])
    for method in ("search", "bipartite", "counts"):
        result = ged(one, one, similarity=np.array([[0.0]]), method=method)
        assert result.lower <= 1.0 == result.upper
        assert sum(edit.cost for edit in result.edit_path) == 1.0
    many, more = Graph.from_edges(["a"] * 20), Graph.from_edges(["a"] * 70)
    result = ged(many, more, similarity=np.zeros((20, 70)))
    assert result.lower <= 70 <= result.upper == sum(edit.cost for edit in result.edit_path)


def test_a_slow_similarity_is_asked_for_searched_pairs_only() -> None:
    rng = np.random.default_rng(0)
    asked = []

    def ask(a: str, b: str) -> float:
        asked.append((a, b))
        return float(a == b)

    ged(random_graph(rng, 5000), random_graph(rng, 10), similarity=ask)
    assert asked == []


def test_what_else_stands_in_the_batch_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    odd = Graph.from_edges(["x"], kinds=["literal"])
    costs = EditCosts(kind_weights={"literal": 0.3337})
    for pair in [(random_graph(rng, 13), random_graph(rng, 13)) for _ in range(6)]:
        alone = ged(*pair, costs=costs, budget=120)
        beside = ged_batch([(odd, odd), pair], costs=costs, budget=120)[1]
        assert result_key(alone) == result_key(beside)


def test_a_result_speaks_of_its_own_graphs() -> None:
    gold = Graph.from_edges([])
    spellings = [Graph.from_edges(["HEAT"]), Graph.from_edges(["heat"])]
    found = ged_batch([(graph, gold) for graph in spellings], normalized=True)
    assert [str(r.edit_path[0]) for r in found] == [
        "remove the node 'HEAT'",
        "remove the node 'heat'",
    ]


def test_the_text_of_an_edit_is_short() -> None:
    long = Graph.from_edges(["x" * 100_000, "y\n" * 1000], [(0, "r\n" * 900, 1)] * 50)
    path = ged(long, Graph()).edit_path
    assert len(path) == 52 and all(len(str(edit)) < 500 and "\n" not in str(edit) for edit in path)


# -- structure, not names or order ------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(graphs(8), st.integers(0, 99))
def test_the_same_structure_is_at_distance_zero(graph: Graph, seed: int) -> None:
    other = shuffled(graph, np.random.default_rng(seed))
    assert ged(graph, other, budget=1000).upper == 0.0


@pytest.mark.parametrize("size", [20, 60])
@pytest.mark.parametrize("labels", [1, 6])
def test_large_shuffled_graphs_are_recognised(size: int, labels: int) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        graph = random_graph(rng, size, labels, 2)
        assert ged(graph, shuffled(graph, rng), budget=1000).upper == 0.0


@settings(max_examples=60, deadline=None)
@given(pairs(6), st.sampled_from(SYMMETRIC), st.integers(1, 40), st.integers(0, 99))
def test_symmetric_costs_give_symmetric_intervals(
    pair: tuple[Graph, Graph], costs: EditCosts, budget: int, seed: int
) -> None:
    a, b = pair
    one, two = (ged(x, y, costs=costs, budget=budget) for x, y in ((a, b), (b, a)))
    assert (one.lower, one.upper, one.reason) == (two.lower, two.upper, two.reason)


# -- budgets, batches, threads, processes -----------------------------------------------------


def hard_pairs(count: int, size: int = 14) -> list[tuple[Graph, Graph]]:
    rng = np.random.default_rng(11)
    return [(random_graph(rng, size), random_graph(rng, size)) for _ in range(count)]


def test_a_larger_budget_never_widens_the_interval() -> None:
    for a, b in hard_pairs(6):
        last = ged(a, b, budget=1)
        for budget in (2, 5, 20, 99, 100, 101, 103, 110, 130, 170, 230, 400, 900):
            found = ged(a, b, budget=budget)
            assert last.lower <= found.lower <= found.upper <= last.upper
            proves_itself(found, a, b)
            last = found


def test_batches_threads_and_order_change_nothing() -> None:
    given_pairs = [*hard_pairs(12, 11), *hard_pairs(90, 7)]  # enough for three threads
    alone = [result_key(ged(a, b, budget=150)) for a, b in given_pairs]
    for threads in (1, 2, 3):
        assert [result_key(r) for r in ged_batch(given_pairs, budget=150, threads=threads)] == alone
    backwards = ged_batch(given_pairs[::-1], budget=150, threads=2)
    assert [result_key(r) for r in backwards][::-1] == alone


def test_other_hash_seeds_give_the_same_results() -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_ged import hard_pairs, result_key, ged_batch\n"
        "print([result_key(r) for r in ged_batch(hard_pairs(4, 12), budget=200)])"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] != ""


def test_a_pair_given_twice_is_one_result() -> None:
    a, b = hard_pairs(1, 8)[0]
    one, two = ged_batch([(a, b), (Graph(a.nodes, a.edges), b)])
    assert result_key(one) == result_key(two)


def test_the_clock_stops_a_search_with_an_honest_interval() -> None:
    rng = np.random.default_rng(3)
    a, b = random_graph(rng, 40, 1, 1, 4), random_graph(rng, 40, 1, 1, 4)
    result = ged(a, b, budget=10**9, time_limit=0.2)
    assert result.reason == "time limit"
    assert 0 <= result.lower < result.upper
    proves_itself(result, a, b)


# -- sizes ------------------------------------------------------------------------------------


def test_a_huge_prediction_is_bounded_by_counts() -> None:
    rng = np.random.default_rng(0)
    gold, huge = random_graph(rng, 10), random_graph(rng, 5000)
    for a, b in ((huge, gold), (gold, huge)):
        result = ged(a, b)
        assert (result.reason, result.expansions) == ("size", 0)
        assert 4990 <= result.lower <= result.upper
        assert result.similarity == pytest.approx(0.0, abs=0.01)
        proves_itself(result, a, b)


@pytest.mark.parametrize("size", [24, 300, 3000])
@pytest.mark.parametrize("labels", [1, 50])
def test_a_copy_is_recognised_whatever_its_size(size: int, labels: int) -> None:
    rng = np.random.default_rng(1)
    ring = [(i, "r", (i + 1) % size) for i in range(size)]
    names = [f"n{x}" for x in rng.integers(labels, size=size)]
    for graph in (Graph.from_edges(names, ring), random_graph(rng, size, labels)):
        copy = shuffled(graph, rng)
        for method in ("search", "bipartite", "counts"):
            result = ged(graph, copy, method=method)
            assert (result.upper, result.reason) == (0.0, "")
            assert sum(e.cost for e in result.edit_path) == 0.0


def test_many_parallel_edges() -> None:
    a = Graph.from_edges(["x", "y"], [(0, "r", 1)] * 200 + [(1, "s", 0)] * 30)
    b = Graph.from_edges(["y", "x"], [(1, "r", 0)] * 150 + [(0, "s", 1)] * 40)
    assert ged(a, b).upper == 60


def test_many_relations_and_extreme_costs_stay_exact() -> None:
    a = Graph.from_edges(["x"] * 3, [(0, f"r{i}", 1) for i in range(60)])
    b = Graph.from_edges(["x"] * 3, [(1, f"r{i}", 2) for i in range(30, 90)])
    dear = EditCosts(1000, 1000, 1000, 999.9999, 1000, 1000)
    assert ged(a, b, costs=dear).upper == pytest.approx(30 * 999.9999)
    assert ged(a, b, costs=EditCosts(0, 0, 0, 0, 0, 0)).upper == 0.0


def test_empty_graphs() -> None:
    empty, one = Graph(), Graph.from_edges(["a"], [(0, "r", 0)])
    assert ged(empty, empty).upper == 0.0
    assert ged(empty, empty).similarity == 1.0
    assert (ged(one, empty).upper, ged(empty, one).upper) == (2.0, 2.0)
    assert ged(one, empty).similarity == 0.0
    assert ged_batch([]) == []


def test_nothing_falls_off_a_cliff_at_the_size_limits() -> None:
    def path(size: int, step: int) -> Graph:
        """Distinct names, every `step`-th of them wrong."""
        names = [f"wrong {i}" if i % step == 0 else f"n{i}" for i in range(size)]
        return Graph.from_edges(names, [(i, "r", i + 1) for i in range(size - 1)])

    gold = path(300, 10**9)
    sizes = (180, 215, 216, 217, 218, 219, 230, 300)
    values = [ged(path(size, 2), gold).similarity for size in sizes]
    assert values == sorted(values) and values[-1] == pytest.approx(0.75, abs=0.01)
    small = path(70, 10**9)
    at, beyond = (ged(path(size, 10**9), small).similarity for size in (210, 211))
    assert 0 < at - beyond < 0.01


def test_dense_graphs_with_many_relations_stay_within_their_budget() -> None:
    rng = np.random.default_rng(4)
    dense = [
        Graph.from_edges(
            ["x"] * 40,
            [(i, f"r{int(rng.integers(60))}", j) for i in range(40) for j in range(40) if i != j],
        )
        for _ in range(2)
    ]
    result = ged(*dense, budget=50)
    assert 50 <= result.expansions < 2000
    proves_itself(result, *dense)


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: EditCosts(node_substitute=2.5), "exceeds node_delete"),
        (lambda: EditCosts(edge_substitute=2.5), "exceeds edge_delete"),
        (lambda: EditCosts(edge_insert=-1), "outside"),
        (lambda: EditCosts(node_insert=float("nan")), "outside"),
        (lambda: EditCosts(node_insert=0.123456), "4 decimals"),
        (lambda: EditCosts(node_insert="1"), "not a number"),  # type: ignore[arg-type]
        (lambda: EditCosts(kind_weights={"x": -1}), "kind_weights"),
        (lambda: EditCosts(kind_weights="x:1"), "not a mapping"),  # type: ignore[arg-type]
    ],
)
def test_impossible_costs_are_refused(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"budget": 0}, "budget"),
        ({"method": "magic"}, "method"),
        ({"time_limit": 0}, "time_limit"),
        ({"time_limit": "1"}, "time_limit"),
        ({"costs": {"node_substitute": 2}}, "EditCosts"),
        ({"similarity": np.ones((3, 3))}, "shape"),
        ({"similarity": np.full((1, 1), 2.0)}, "outside"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, object], says: str) -> None:
    one = Graph.from_edges(["a"])
    with pytest.raises(ConfigError, match=says):
        ged(one, one, **arguments)  # type: ignore[arg-type]


def test_what_is_no_pair_of_graphs_is_refused() -> None:
    one = Graph.from_edges(["a"])
    with pytest.raises(ConfigError, match=r"\(Graph, list\)"):
        ged(one, [("a", "r", "b")])  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="pairs of graphs"):
        ged_batch([one, one])  # type: ignore[list-item]


def test_directed_and_undirected_graphs_are_not_compared() -> None:
    with pytest.raises(ConfigError, match=r"directed=False"):
        ged(Graph.from_edges(["a"]), Graph.from_edges(["a"], directed=False))


def test_without_numba_the_import_works_and_the_call_says_what_is_missing() -> None:
    program = (
        "import sys; sys.modules['numba'] = None\n"
        "from graphenv import Graph\n"
        "from graphenv.errors import ConfigError\n"
        "from graphenv.rewards.ged import ged\n"
        "try: ged(Graph(), Graph())\n"
        "except ConfigError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert 'pip install "graphenv[ged]"' in said.stdout, said.stderr
