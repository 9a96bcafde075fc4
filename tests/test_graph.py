"""`Graph` and its text encodings, beside networkx."""

from __future__ import annotations

import json
import pickle

import networkx as nx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphenv.encodings import ENCODINGS, encode_graph
from graphenv.errors import ConfigError, UnknownNameError
from graphenv.graph import Edge, Graph, Node

LABELS = st.sampled_from("abc")
RELATIONS = st.sampled_from("rs")


@st.composite
def graphs(draw: st.DrawFn, max_nodes: int = 5, labels: st.SearchStrategy[str] = LABELS) -> Graph:
    names = draw(st.lists(labels, max_size=max_nodes))
    places = st.integers(0, max(0, len(names) - 1))
    edges = draw(st.lists(st.tuples(places, RELATIONS, places), max_size=8)) if names else []
    kinds = [draw(st.sampled_from(["", "k"])) for _ in names]
    return Graph.from_edges(names, edges, kinds=kinds, directed=draw(st.booleans()))


def moved(graph: Graph, order: list[int]) -> Graph:
    """Return the graph with its nodes in another order and under other ids."""
    place = {old: new for new, old in enumerate(order)}
    nodes = [graph.nodes[old] for old in order]
    return Graph(
        tuple(Node(f"n{i}", n.label, n.kind, n.attributes) for i, n in enumerate(nodes)),
        tuple(Edge(place[e.head], e.relation, place[e.tail]) for e in reversed(graph.edges)),
        directed=graph.directed,
    )


def oracle(graph: Graph) -> nx.Graph:
    """Return a simple graph in which every edge is a node of its own: no multigraph matching."""
    plain: nx.Graph = nx.DiGraph()
    for i, node in enumerate(graph.nodes):
        plain.add_node(i, key=("node", node.label, node.kind))
    for j, edge in enumerate(graph.edges):
        plain.add_node(("edge", j), key=("edge", edge.relation))
        ends = ("head", "tail") if graph.directed else ("end", "end")
        for which, (place, end) in enumerate(zip((edge.head, edge.tail), ends, strict=True)):
            plain.add_node(("end", j, which), key=(end,))
            plain.add_edge(("edge", j), ("end", j, which))
            plain.add_edge(("end", j, which), place)
    return plain


@given(graphs(), st.data())
def test_a_renamed_and_reordered_graph_is_the_same(graph: Graph, data: st.DataObject):
    twin = moved(graph, data.draw(st.permutations(range(len(graph)))))
    assert graph.isomorphic_to(twin) and twin.isomorphic_to(graph)
    assert graph.wl_hash() == twin.wl_hash()
    assert graph.wl_hash(iterations=1) == twin.wl_hash(iterations=1)


@given(graphs(max_nodes=4), graphs(max_nodes=4))
def test_isomorphism_agrees_with_networkx(left: Graph, right: Graph):
    same = left.directed == right.directed and nx.is_isomorphic(
        oracle(left), oracle(right), node_match=lambda a, b: a["key"] == b["key"]
    )
    assert left.isomorphic_to(right) == same
    if same:
        assert left.wl_hash() == right.wl_hash()


@given(graphs(), st.data())
def test_one_changed_edge_is_noticed(graph: Graph, data: st.DataObject):
    assume(graph.edges)
    at = data.draw(st.integers(0, graph.num_edges - 1))
    edge = graph.edges[at]
    other = Edge(edge.head, edge.relation + "!", edge.tail)
    changed = Graph(
        graph.nodes, (*graph.edges[:at], other, *graph.edges[at + 1 :]), directed=graph.directed
    )
    fewer = Graph(graph.nodes, graph.edges[:at] + graph.edges[at + 1 :], directed=graph.directed)
    assert not graph.isomorphic_to(changed) and not graph.isomorphic_to(fewer)


def test_wl_hash_may_collide_where_isomorphism_does_not():
    """Two triangles and one hexagon look alike to colour refinement."""
    triangles = [(0, "r", 1), (1, "r", 2), (2, "r", 0), (3, "r", 4), (4, "r", 5), (5, "r", 3)]
    hexagon = [(i, "r", (i + 1) % 6) for i in range(6)]
    left, right = (Graph.from_edges(["x"] * 6, edges) for edges in (triangles, hexagon))
    assert left.wl_hash() == right.wl_hash() and not left.isomorphic_to(right)


@given(graphs(labels=st.text(max_size=5)))
def test_json_round_trip(graph: Graph):
    assert Graph.from_json(json.loads(json.dumps(graph.to_json()))) == graph


@given(graphs())
def test_networkx_round_trip(graph: Graph):
    back = Graph.from_networkx(graph.to_networkx())
    assert back.nodes == graph.nodes
    assert back.isomorphic_to(graph)


def test_networkx_keeps_attributes():
    graph = Graph((Node("1", "film", "movie", (("year", "1995"),)),))
    assert Graph.from_networkx(graph.to_networkx()) == graph


@given(st.lists(st.tuples(LABELS, RELATIONS, LABELS), max_size=8))
def test_triples_round_trip(triples: list[tuple[str, str, str]]):
    graph = Graph.from_triples(triples, entities=["c", "lonely"])
    assert list(graph.triples) == triples
    assert {"c", "lonely"} <= set(graph.labels)
    assert hash(graph) == hash(Graph.from_triples(triples, entities=["c", "lonely"]))


def test_parallel_edges_self_loops_and_emptiness():
    graph = Graph.from_edges(["a", "b"], [(0, "r", 1), (0, "r", 1), (0, "s", 1), (1, "r", 1)])
    assert graph.num_edges == 4
    single = Graph.from_edges(["a", "b"], [(0, "r", 1), (0, "s", 1), (1, "r", 1)])
    assert not graph.isomorphic_to(single)
    assert bool(Graph()) and len(Graph()) == 0 and Graph().isomorphic_to(Graph())


def test_direction_matters_unless_undirected():
    for directed in (True, False):
        there, back = (
            Graph.from_edges(["a", "b"], [edge], directed=directed)
            for edge in ((0, "r", 1), (1, "r", 0))
        )
        assert there.isomorphic_to(back) is not directed


def test_normalized_compares_labels_by_sense():
    left = Graph.from_triples([("HEAT", "Directed_By", "Michael  Mann")]).normalized()
    right = Graph.from_triples([("heat", "directed_by", "michael mann")]).normalized()
    assert left.isomorphic_to(right)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Graph((Node("a", "x"), Node("a", "y"))), "distinct"),
        (lambda: Graph((Node("a", "x"),), (Edge(0, "r", 1),)), "points outside"),
        (lambda: Graph.from_edges(["x"], [(-1, "r", 0)]), "points outside"),
        (lambda: Graph.from_edges(["x"], kinds=["a", "b"]), "2 kinds"),
    ],
)
def test_broken_graphs_are_refused(make, match: str):
    with pytest.raises(ConfigError, match=match):
        make()


def test_pyg():
    pytest.importorskip("torch_geometric")
    graph = Graph.from_edges(["a", "b"], [(0, "r", 1), (1, "s", 1)], directed=False)
    data = graph.to_pyg()
    assert data.edge_index.tolist() == [[0, 1, 1], [1, 1, 0]]
    assert data.edge_type.tolist() == [0, 1, 0]
    assert (data.num_nodes, data.labels) == (2, ["a", "b"])
    assert Graph().to_pyg().edge_index.shape == (2, 0)
    with pytest.raises(ConfigError, match="not in"):
        graph.to_pyg(relations=["r"])


# -- encodings ------------------------------------------------------------------------------------

FILM = Graph.from_triples([("Heat", "by", "Mann"), ("Heat", "in", "1995")], entities=["Alone"])


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("triples", "(Heat, by, Mann)\n(Heat, in, 1995)"),
        ("edge_list", "Heat ->[by] Mann\nHeat ->[in] 1995"),
        ("adjacency", "Heat: Mann, 1995\nMann: \n1995: \nAlone: "),
        ("incident", "Heat: by Mann; in 1995\nMann: \n1995: \nAlone: "),
    ],
)
def test_encodings_by_example(encoding: str, text: str):
    assert encode_graph(FILM, encoding) == text


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(graph=graphs())
def test_every_encoding_tells_every_edge(encoding: str, graph: Graph):
    """Two nodes of one label stay two nodes, and every edge is told."""
    text = encode_graph(graph, encoding)
    if encoding in ("triples", "edge_list"):
        assert len(text.splitlines()) == graph.num_edges
    elif encoding == "json":
        told = json.loads(text)
        assert (len(told["nodes"]), len(told["edges"])) == (len(graph), graph.num_edges)
    else:
        lines = text.splitlines()
        assert len(lines) == len(graph)
        facts = sum(
            len([f for f in line.partition(": ")[2].replace(";", ",").split(", ") if f])
            for line in lines
        )
        loops = sum(e.head == e.tail for e in graph.edges)
        assert facts == (graph.num_edges if graph.directed else 2 * graph.num_edges - loops)


@given(graphs(), st.sampled_from(["triples", "adjacency"]))
def test_encodings_differ_where_edges_join_other_nodes(graph: Graph, encoding: str):
    """Labels alone must not hide which of two namesakes an edge belongs to."""
    assume(len(set(graph.labels)) < len(graph) and graph.edges)
    twice = next(label for label in graph.labels if graph.labels.count(label) > 1)
    ids = [node.id for node in graph.nodes if node.label == twice]
    text = encode_graph(graph, encoding)
    used = {graph.nodes[i].id for e in graph.edges for i in (e.head, e.tail)}
    for name in ids:
        assert (f"{twice}#{name}" in text) or name not in used


def test_an_unknown_encoding_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'triples'"):
        encode_graph(FILM, "triple")


def test_a_pickled_graph_forgets_its_hash() -> None:
    graph = Graph.from_edges(["a"])
    hash(graph)
    assert "_hash" not in graph.__getstate__()
    copy = pickle.loads(pickle.dumps(graph))
    assert copy == graph and hash(copy) == hash(graph)
