"""The graph scorer: what it sees, what it must not depend on, its files, what it refuses."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoder_fixture import tiny_encoder
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch_geometric")

import safetensors.torch
import torch
from torch_geometric.nn import RGCNConv

from graphenv.agents.gnn import files, links, scorer, structure, texts
from graphenv.agents.gnn.encoders import ENCODERS, BasisConv
from graphenv.agents.gnn.features import collate
from graphenv.agents.gnn.files import Calibration
from graphenv.agents.gnn.model import ModelConfig, build_model
from graphenv.agents.gnn.schema import Attribute, Schema
from graphenv.agents.gnn.scorer import GNNScorer
from graphenv.benchmarks.machine import machine
from graphenv.benchmarks.scorer.report import markdown
from graphenv.benchmarks.scorer.share import timed_scorer
from graphenv.benchmarks.scorer.speed import scoring_speed
from graphenv.errors import ConfigError, DataError
from graphenv.graph import Edge, Graph, Node
from graphenv.scorers import SCORER_FILE, Judged, StateScorer, View, load_scorer
from graphenv.seeding import rng

KINDS = ("gene", "drug", "")
CLOSE = 1.5e-6
QUESTION = "Which drug treats heat stroke?"

words = st.text(st.characters(), max_size=6) | st.sampled_from(["heat stroke", "treats", "\ud800"])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(0, 6))
    nodes = tuple(
        Node(
            str(i),
            draw(words),
            draw(st.sampled_from(KINDS)),
            tuple(
                draw(st.lists(st.tuples(st.sampled_from(["x", "seed", "new"]), words), max_size=2))
            ),
        )
        for i in range(count)
    )
    ends = st.integers(0, max(count - 1, 0))
    edges = draw(st.lists(st.builds(Edge, ends, words, ends), max_size=8 if count else 0))
    return Graph(nodes, tuple(edges), directed=draw(st.booleans()))


states = st.builds(View, words, graphs())


def gene(name: str, *attributes: tuple[str, str], kind: str = "gene") -> Node:
    return Node(name, name, kind, attributes)


def made(index: int, *, most: int = 9) -> View:
    """Return a drawn state, with isolated nodes, loops and parallel edges among them."""
    draw = rng("tests.gnn_scorer", index)
    count = int(draw.integers(1, most))
    nodes = tuple(
        gene(f"thing {i}", ("x", str(draw.normal())), ("seed", str(i % 2)), kind=KINDS[i % 3])
        for i in range(count)
    )
    edges = tuple(
        Edge(int(draw.integers(count)), f"rel {draw.integers(3)}", int(draw.integers(count)))
        for _ in range(int(draw.integers(0, 12)))
    )
    return View(f"where is thing {index % 4}?", Graph(nodes, edges, directed=index % 3 > 0))


MADE = [made(index) for index in range(64)]
SCHEMA = Schema.of(MADE)


def small(encoder: str = "rgcn", schema: Schema = SCHEMA, **settings: Any) -> GNNScorer:
    config = ModelConfig(encoder=encoder, hidden=16, layers=2, **settings)
    return GNNScorer(build_model(config, schema, seed=1), schema, device="cpu")


SCORERS = {encoder: small(encoder) for encoder in ENCODERS}


def value(asked: StateScorer, view: View) -> float:
    found = asked.values([view])[0].value
    assert found is not None
    return found


# -- what it says ----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", ENCODERS)
@settings(max_examples=15)
@given(drawn=st.lists(states, max_size=3), order=st.randoms(use_true_random=False))
def test_it_depends_on_the_state_alone(encoder: str, drawn: list[View], order: Any):
    asked = SCORERS[encoder]
    asked.forget()
    alone = [asked.values([view])[0] for view in drawn]
    assert all(judged.value is not None and 0.0 <= judged.value <= 1.0 for judged in alone)
    asked.forget()
    beside = [*drawn, *MADE[:5]]
    order.shuffle(beside)
    found = dict(zip(beside, asked.values(beside), strict=True))
    for view, judged in zip(drawn, alone, strict=True):
        assert found[view].value == pytest.approx(judged.value, abs=CLOSE)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_alone_and_in_a_batch_of_64(encoder: str):
    asked = small(encoder)
    torch.manual_seed(0)
    together = asked.values(MADE)
    asked.forget()
    apart = [asked.values([view])[0] for view in MADE]
    assert [a.value for a in apart] == pytest.approx([t.value for t in together], abs=1e-6)
    assert len({judged.value for judged in apart}) > 32, "it tells states apart"


@pytest.mark.parametrize("encoder", ENCODERS)
@settings(max_examples=20)
@given(graph=graphs(), order=st.randoms(use_true_random=False))
def test_the_order_of_nodes_and_edges_means_nothing(encoder: str, graph: Graph, order: Any):
    rows = list(range(len(graph)))
    order.shuffle(rows)
    place = {row: i for i, row in enumerate(rows)}
    edges = [Edge(place[e.head], e.relation, place[e.tail]) for e in graph.edges]
    order.shuffle(edges)
    mixed = Graph(tuple(graph.nodes[row] for row in rows), tuple(edges), directed=graph.directed)
    asked = SCORERS[encoder]
    first, second = asked.values([View(QUESTION, graph), View(QUESTION, mixed)])
    assert first.value == pytest.approx(second.value, abs=CLOSE)


def test_which_encoder_sees_what():
    """Two graphs with the same degrees and distances; the same without edges."""
    nodes = tuple(gene(name) for name in "abcd")
    square = [(0, "r", 1), (1, "r", 2), (2, "r", 3), (3, "r", 0)]
    other = [(0, "r", 2), (2, "r", 1), (1, "r", 3), (3, "r", 0)]
    renamed = [(head, "treats", tail) for head, _, tail in square]
    made = [
        View(QUESTION, Graph(nodes, tuple(Edge(*edge) for edge in edges)))
        for edges in (square, other, renamed, [])
    ]
    schema = Schema.of(made)
    for encoder in ENCODERS:
        found = [judged.value for judged in small(encoder, schema).values(made)]
        different = len(set(found))
        assert different == {"none": 1, "mlp": 2}.get(encoder, 4), (encoder, found)


def test_it_learns_what_only_messages_can_tell():
    """Which of two nodes the named edge leads to: all else is the same in both classes."""
    names = [f"film {i}" for i in range(12)]

    def case(name: str, right: bool) -> View:
        nodes = (gene(name), gene("good"), gene("bad"))
        edges = (Edge(0, "directed by", 1 if right else 2), Edge(0, "shot in", 2 if right else 1))
        return View("who directed it?", Graph(nodes, edges))

    views = [case(name, right) for name in names for right in (True, False)]
    wanted = torch.tensor([1.0, 0.0] * len(names))
    schema = Schema.of(views)
    losses = {}
    for encoder in ("rgcn", "mlp"):
        model = build_model(ModelConfig(encoder=encoder, hidden=16, layers=2, dropout=0.0), schema)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        batch = collate(views[:16], schema)
        for _ in range(60):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                model(batch).value_logit, wanted[:16]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        held_out = [value(GNNScorer(model, schema), view) for view in views[16:]]
        losses[encoder] = np.abs(np.array(held_out) - wanted[16:].numpy()).mean()
    assert losses["rgcn"] < 0.2 and losses["mlp"] == pytest.approx(0.5, abs=0.01), losses


def test_the_relational_layer_is_that_of_torch_geometric():
    """With one row of coefficients for each relation, and each relation's mean into a node."""
    torch.manual_seed(3)
    relations, bases, size, nodes = 4, 3, 8, 7
    theirs = RGCNConv(size, size, relations, num_bases=bases)
    ours = BasisConv(size, bases)
    with torch.no_grad():
        ours.weight.copy_(theirs.weight)
        ours.root.weight.copy_(theirs.root.T)
        ours.root.bias.copy_(theirs.bias)
    x, ends = torch.randn(nodes, size), torch.randint(nodes, (2, 40))
    relation = torch.randint(relations, (40,))
    weight = 1.0 / torch.from_numpy(structure.repeats((ends[1] * relations + relation).numpy()))
    mix = theirs.comp[relation] * weight.unsqueeze(1).float()
    assert torch.allclose(ours(x, ends, mix), theirs(x, ends, relation), atol=1e-5)


def test_a_repeated_edge_changes_no_message():
    once = collate([View("q", Graph.from_triples([("a", "r", "b"), ("c", "r", "b")]))], SCHEMA)
    twice = collate([View("q", Graph.from_triples([("a", "r", "b")] * 2))], SCHEMA)
    assert once.edge_weight.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert twice.edge_weight.tolist() == [0.5] * 4


# -- what it sees ----------------------------------------------------------------------------------


def test_features_of_a_small_graph():
    nodes = (
        gene("heat stroke", ("level", "3"), ("seed", "1")),
        gene("aspirin", ("level", "1"), ("about", "a pain killer"), kind="drug"),
        gene("aspirin 2", ("level", "high"), ("seed", "0"), kind="drug"),
        gene("far"),
    )
    edges = (Edge(1, "treats", 0), Edge(1, "treats", 0), Edge(2, "like", 1), Edge(2, "like", 2))
    view = View(QUESTION, Graph(nodes, edges))
    schema = replace(Schema.of([view]), numeric=(Attribute("level", 2.0, 0.5),), texts=("about",))
    batch = collate([view, View("", Graph()), view], schema)
    assert batch.num_graphs == 3 and batch.ptr.tolist() == [0, 4, 4, 8]
    plain = batch.plain[:4]
    assert plain[:, :2].tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert plain[:, 4].tolist() == plain[:, 5].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert plain[:, 6:].tolist() == [[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    assert batch.note[0] == batch.note[2] == 0 != batch.note[1]
    assert batch.edge_index[:, :4].tolist() == [[1, 1, 2, 2], [0, 0, 1, 2]]
    assert batch.edge_index[:, 8:12].tolist() == [[0, 0, 1, 2], [1, 1, 2, 2]]
    assert batch.direction.tolist() == [0] * 8 + [1] * 8
    assert batch.edge_match[0, :2].tolist() == [1.0, 1.0] and batch.edge_match[2, 0] == 0.0
    shown = batch.structure[:4]
    log = np.log1p
    assert shown[:, 0].tolist() == pytest.approx([0.0, log(2), log(2), 0.0])
    assert shown[:, 1].tolist() == pytest.approx([log(2), log(1), log(1), 0.0])
    assert shown[:, 2].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert shown[:, 3].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert shown[:, 4].tolist() == pytest.approx([0.0, log(2), 0.0, 0.0])
    assert shown[:, 5].tolist() == pytest.approx([1.0, 1 / 2, 1 / 3, 0.0])
    assert batch.size_of[:, 2].tolist() == [1.0, 0.0, 1.0]
    assert torch.equal(batch.structure[4:], shown) and torch.equal(batch.plain[4:], plain)
    assert torch.allclose(batch.text.norm(dim=1)[1:].round(decimals=5), torch.ones(1))


def test_without_marks_the_nodes_that_the_question_names_are_seeds():
    view = View(
        "Who directed Heat?", Graph.from_triples([("Heat", "r", "Mann"), ("Mann", "r", "x")])
    )
    assert collate([view], SCHEMA).seed.tolist() == [1.0, 0.0, 0.0]
    assert collate([view], SCHEMA).structure[:, 5].tolist() == pytest.approx([1.0, 1 / 2, 1 / 3])


def test_an_undirected_edge_has_no_direction():
    triples = [("a", "r", "b")]
    batch = collate([View("q", Graph.from_triples(triples, directed=False))], SCHEMA)
    assert batch.direction.tolist() == [2, 2]
    one, other = (
        View("q", Graph.from_edges(["a", "b"], [edge], directed=False))
        for edge in ((0, "r", 1), (1, "r", 0))
    )
    batches = [collate([view], SCHEMA) for view in (one, other)]
    ends = [sorted(batch.edge_index.T.tolist()) for batch in batches]
    assert ends[0] == ends[1]


@given(st.lists(st.integers(0, 5), max_size=100))
def test_repeats(keys: list[int]):
    assert structure.repeats(np.array(keys, dtype=np.int64)).tolist() == [
        keys.count(key) for key in keys
    ]


def test_hashed_vectors_are_the_same_everywhere():
    row = texts.Hashed(16).rows(["Michael Mann"])[0]
    assert row.tolist() == pytest.approx(HASHED, abs=1e-3)
    assert np.array_equal(texts.Hashed(16).rows(["michael_mann"])[0], row), "spelling is folded"
    assert not texts.Hashed(16).rows(["", "?!"]).any()


HASHED = [
    -0.229,
    -0.229,
    0.303,
    0.0,
    0.303,
    0.229,
    0.303,
    0.0,
    -0.303,
    0.0,
    -0.229,
    0.0,
    0.0,
    -0.607,
    0.0,
    -0.229,
]


def test_a_table_of_vectors_stays_small(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(texts, "_KEPT", 300)
    table = texts.Hashed(8)
    for i in range(20):
        names = [f"text {i} {k}" for k in range(40)]
        found = table.rows(names)
        assert np.array_equal(found, texts.Hashed(8).rows(names))
    assert len(table._number) <= 300 and len(table._table) <= 512


def test_text_vectors_of_a_named_model(tmp_path: Path):
    folder = tmp_path / "encoder"
    folder.mkdir()
    tiny_encoder(folder)
    view = View("a man on a horse", Graph((gene("man"), gene("horse"))))
    schema = Schema.of([view], text=f"embedding:{folder}")
    asked = small(schema=schema)
    again = GNNScorer.load(asked.save(tmp_path / "scorer"), device="cpu")
    assert again.values([view]) == asked.values([view]) != small().values([view])
    batch = collate([view], schema)
    assert batch.text.shape[1] == 16 and torch.allclose(batch.text.norm(dim=1)[1:], torch.ones(1))
    with pytest.raises(ConfigError, match="cannot be loaded"):
        small(schema=replace(schema, text=f"embedding:{tmp_path / 'nothing'}"))
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match="cannot be loaded"):
        texts.Named(str(folder))


@pytest.mark.parametrize("spec", ["", "hashed", "hashed:4", "hashed:x", "hashed:99999", "words:64"])
def test_unknown_text_vectors(spec: str):
    with pytest.raises(ConfigError, match="hashed:SIZE"):
        texts.text_vectors(spec)


# -- what it knows ---------------------------------------------------------------------------------


def test_the_schema_of_attributes():
    nodes = (
        gene("a", ("seed", "1"), ("level", "1"), ("hub", "yes"), ("about", "x"), ("huge", "1e300")),
        gene("b", ("seed", "no"), ("level", "3"), ("hub", "0"), ("about", "1"), ("huge", "-1e300")),
        gene("c", ("level", "nan"), ("same", "7"), ("huge", "0")),
    )
    schema = Schema.of([View("q", Graph(nodes))])
    assert schema.marks == ("hub", "seed") and schema.texts == ("about",)
    huge, level, same = schema.numeric
    assert (level.mean, level.scale) == (2.0, 1.0) and (same.mean, same.scale) == (7.0, 1.0)
    assert huge.mean == 0.0 and 8e299 < huge.scale < 9e299


@settings(max_examples=30)
@given(st.lists(states, max_size=4))
def test_a_schema_takes_what_it_was_made_from(drawn: list[View]):
    schema = Schema.of(drawn)
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert not any(schema.refuses(view) for view in drawn)


def test_an_unknown_kind_is_refused_alone():
    strange = View("q", Graph((gene("a"), gene("b", kind="planet"))))
    judged = small().values([MADE[0], strange, MADE[1]])
    assert judged[0].value is not None and judged[2].value is not None
    assert judged[1].value is None
    assert "'planet' is unknown" in judged[1].reason and "train-scorer" in judged[1].reason
    assert small().links([strange], [("a", "r", "b")])[0] == judged[1]


def test_a_new_relation_is_read_by_its_words():
    views = [
        View(QUESTION, Graph.from_triples([("a", relation, "b")]))
        for relation in ("treats", "treats_", "walks")
    ]
    treats, spelt, walks = small(schema=Schema.of(views[:1])).values(views)
    assert treats == spelt != walks and not walks.reason


def test_large_graphs():
    count = 5_000
    draw = rng("tests.gnn_scorer.large")
    ends = draw.integers(count, size=(15_000, 2)).tolist()
    nodes = tuple(gene(f"gene {i}") for i in range(count))
    large = View("q", Graph(nodes, tuple(Edge(h, "r", t) for h, t in ends)))
    hub = View("q", Graph(nodes, tuple(Edge(0, "r", t) for t in range(count))))
    schema = Schema.of([large])
    for encoder in ("rgcn", "gine"):
        asked = small(encoder, schema)
        first = asked.values([large, hub])
        asked.forget()
        assert asked.values([hub, large]) == first[::-1]
        assert all(judged.value is not None for judged in first)
    too_large = View("q", Graph(nodes, hub.graph.edges * 20))
    assert "reads 100000" in small("rgcn", schema).values([too_large])[0].reason
    many = View("q", Graph(tuple(gene(str(i)) for i in range(6_001))))
    assert "takes 6000" in small("gps", schema).values([many])[0].reason


# -- links and classes -----------------------------------------------------------------------------


def test_an_edge_is_judged_without_itself():
    triples = [("a", "r", "b"), ("b", "r", "c"), ("c", "s", "a")]
    views = [
        View("q", Graph.from_triples(triples)),
        View("q", Graph.from_triples(triples[1:], entities=["a"])),
    ]
    for encoder in ("rgcn", "gine", "mlp"):
        asked = small(encoder)
        with_it = asked.links(views[:1], triples[:1])[0].value
        without = asked.links(views[1:], triples[:1])[0].value
        assert with_it == pytest.approx(without, abs=CLOSE)
        other = asked.links(views[:1], [("a", "s", "b")])[0].value
        assert other != with_it


@settings(max_examples=25)
@given(drawn=st.lists(states, min_size=1, max_size=4), data=st.data())
def test_links_depend_on_their_state_alone(drawn: list[View], data: st.DataObject):
    asked = SCORERS["rgcn"]
    ends = st.sampled_from(["0", "1", "2", "nowhere"])
    cases = data.draw(st.lists(st.tuples(st.sampled_from(drawn), ends, words, ends), max_size=6))
    views = [case[0] for case in cases]
    triples = [(head, relation, tail) for _, head, relation, tail in cases]
    together = asked.links(views, triples)
    for view, triple, judged in zip(views, triples, together, strict=True):
        alone = asked.links([view], [triple])[0]
        there = {node.id for node in view.graph.nodes}
        if {triple[0], triple[2]} <= there:
            assert alone.value is not None and 0.0 <= alone.value <= 1.0
            assert judged.value == pytest.approx(alone.value, abs=CLOSE)
            if not view.graph.directed:
                back = asked.links([view], [triple[::-1]])[0].value
                assert back == pytest.approx(alone.value, abs=CLOSE)
        else:
            assert judged == alone and "in the graph" in alone.reason and alone.value is None


def test_absent_links_are_read_from_one_graph():
    names = [str(i) for i in range(6)]
    view = View("q", Graph.from_triples(list(zip(names, "rrrrr", names[1:], strict=False))))
    every = [(a, "r", b) for a in names for b in names]
    _, asked = links.plan([view] * len(every), every, lambda _: "")
    assert sorted(case.view.graph.num_edges for case in asked) == [4, 4, 4, 4, 4, 5]
    assert sorted(query.place for case in asked for query in case.queries) == list(range(36))
    with pytest.raises(ConfigError, match="1 states but 0 triples"):
        small().links([view], [])


def test_classes():
    asked = small(classes=("yes", "no", "maybe"))
    strange = View("q", Graph((gene("b", kind="planet"),)))
    found = asked.classify([*MADE[:3], strange])
    assert found[3] is None
    assert all(row is not None and sum(row) == pytest.approx(1.0, abs=1e-5) for row in found[:3])
    with pytest.raises(ConfigError, match="no classes"):
        small().classify(MADE[:1])


# -- remembering -----------------------------------------------------------------------------------


def test_repeated_states_are_read_once(monkeypatch: pytest.MonkeyPatch):
    asked = small()
    read: list[View] = []
    ask = asked._ask

    def counted(views: Sequence[View]) -> list[float]:
        read.extend(views)
        return ask(views)

    monkeypatch.setattr(asked, "_ask", counted)
    same = View(MADE[0].question, Graph.from_json(MADE[0].graph.to_json()))
    first = asked.values([MADE[0], same, MADE[1]])
    assert len(read) == 2 and first[0] == first[1]
    assert asked.values([same]) == first[:1] and len(read) == 2
    other = replace(MADE[0], question="another?")
    assert asked.values([other]) != first[:1] and len(read) == 3
    asked.forget()
    assert asked.values([same]) == first[:1] and len(read) == 4


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch):
    model = build_model(ModelConfig(hidden=16, layers=1), SCHEMA)
    asked = GNNScorer(model, SCHEMA, remember=10)
    asked.values(MADE)
    assert len(asked._known) == 10
    monkeypatch.setattr(scorer, "_REMEMBERED_ITEMS", 200)
    asked = GNNScorer(model, SCHEMA)
    asked.values(MADE)
    kept = sum(len(view.graph) + view.graph.num_edges + 1 for view in asked._known)
    assert 0 < kept == asked._items <= 200
    asked = GNNScorer(model, SCHEMA, remember=0)
    asked.values(MADE)
    assert not asked._known


def test_the_network_is_a_copy():
    model = build_model(ModelConfig(hidden=16, layers=1, dropout=0.5), SCHEMA).train()
    asked = GNNScorer(model, SCHEMA, remember=0)
    first, name = asked.values(MADE), asked.fingerprint
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1.0)
    assert asked.values(MADE) == first and asked.fingerprint == name and model.training


def test_weights_are_a_function_of_the_arguments():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (build_model(ModelConfig(hidden=16), SCHEMA, seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert files.packed(one) == files.packed(same) != files.packed(other)


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", ENCODERS)
def test_saved_and_loaded(encoder: str, tmp_path: Path):
    schema = Schema.of([*MADE, View("q", Graph((gene("\ud800", ("about", "\u2603")),)))])
    model = build_model(ModelConfig(encoder=encoder, hidden=16, layers=2), schema)
    calibration = Calibration(temperature=2.0, shift=0.1, link_temperature=0.5)
    asked = GNNScorer(model, schema, calibration, notes={"auc": 0.9}, device="cpu")
    asked.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", SCORER_FILE]
    again = load_scorer(tmp_path)
    assert isinstance(again, GNNScorer) and isinstance(again, StateScorer)
    assert again is load_scorer(tmp_path), "opened once"
    assert again.values(MADE) == asked.values(MADE)
    triple = (MADE[0].graph.nodes[0].id, "r", MADE[0].graph.nodes[-1].id)
    assert again.links(MADE[:1], [triple]) == asked.links(MADE[:1], [triple])
    assert again.fingerprint == asked.fingerprint and again.notes == {"auc": 0.9}
    assert (again.schema, again.calibration) == (schema, calibration)
    assert GNNScorer(model, schema).fingerprint != asked.fingerprint, "calibration counts"
    again.save(tmp_path / "copy")
    for name in (SCORER_FILE, files.WEIGHTS_FILE):
        assert (tmp_path / "copy" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_calibration_moves_the_values():
    plain, scaled = small(), small()
    scaled.calibration = Calibration(temperature=2.0, shift=0.3)
    for view in MADE[:4]:
        p, q = value(plain, view), value(scaled, view)
        assert np.log(q / (1 - q)) == pytest.approx(np.log(p / (1 - p)) / 2.0 + 0.3, abs=1e-4)


BROKEN: dict[str, tuple[Any, str]] = {
    "format": (99, "format 99"),
    "weights": ("00", "is not the file"),
    "schema": ({"kinds": "gene"}, "kinds must be a list"),
    "model": ({"hidden": 16}, "is expected"),
    "calibration": ({"temperature": 1.0}, "calibration"),
    "probe": ([10**400] * 128, "not those that this scorer was trained with"),
}


@pytest.mark.parametrize("key", BROKEN)
def test_a_description_that_is_wrong(key: str, tmp_path: Path):
    small().save(tmp_path)
    file = tmp_path / SCORER_FILE
    described = json.loads(file.read_text())
    described[key], message = BROKEN[key]
    file.write_text(json.dumps(described))
    with pytest.raises(DataError, match=message):
        GNNScorer.load(tmp_path)


NESTED: dict[str, tuple[Any, str]] = {
    "model.hidden": (10**9, "hidden"),
    "model.encoder": ("os.system", "not one of"),
    "model.layers": ("2", "layers"),
    "model.classes": ("ab", "classes"),
    "schema.text": (7, "text=7"),
    "schema.numeric": ([["x", 0.0, 0.0]], "must be positive"),
    "schema.marks": ([1], "marks must be"),
    "calibration.temperature": (-1.0, "must be positive"),
    "calibration.shift": (None, "finite number"),
    "calibration.temperature ": (10**400, "finite number"),
}


@pytest.mark.parametrize("key", NESTED)
def test_a_description_that_cannot_be_built(key: str, tmp_path: Path):
    small().save(tmp_path)
    file = tmp_path / SCORER_FILE
    described = json.loads(file.read_text())
    outer, inner = key.strip().split(".")
    described[outer][inner], message = NESTED[key]
    file.write_text(json.dumps(described))
    with pytest.raises(DataError, match=message):
        GNNScorer.load(tmp_path)


def test_weights_that_do_not_fit(tmp_path: Path):
    small().save(tmp_path)
    file, weights = tmp_path / SCORER_FILE, tmp_path / files.WEIGHTS_FILE
    described = json.loads(file.read_text())
    good = weights.read_bytes()

    def put(data: bytes) -> None:
        weights.write_bytes(data)
        file.write_text(json.dumps({**described, "weights": files.digest(data)}))

    class Bad:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("a file was unpickled",))

    put(pickle.dumps(Bad()))
    with pytest.raises(DataError, match="no safetensors file"):
        GNNScorer.load(tmp_path)
    put(good[: len(good) // 2])
    with pytest.raises(DataError, match="no safetensors file"):
        GNNScorer.load(tmp_path)
    put(files.packed(small("gine").model))
    with pytest.raises(DataError, match="do not fit"):
        GNNScorer.load(tmp_path)
    put(safetensors.torch.save({k: v * np.nan for k, v in safetensors.torch.load(good).items()}))
    with pytest.raises(DataError, match="no numbers"):
        GNNScorer.load(tmp_path)
    half = {k: v.to(torch.float8_e4m3fn) for k, v in safetensors.torch.load(good).items()}
    put(safetensors.torch.save(half))
    with pytest.raises(DataError, match="float8_e4m3fn"):
        GNNScorer.load(tmp_path)
    put(good)
    assert GNNScorer.load(tmp_path).values(MADE[:1]) == small().values(MADE[:1])
    weights.unlink()
    with pytest.raises(DataError, match="does not exist"):
        GNNScorer.load(tmp_path)


def test_a_shape_is_not_made_before_its_weights_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    small().save(tmp_path)
    file = tmp_path / SCORER_FILE
    described = json.loads(file.read_text())
    described["model"].update(hidden=1024, layers=16, bases=64)  # 4 GB in 3 kB
    file.write_text(json.dumps(described))
    made: list[str] = []

    def watched(*args: Any, **kwargs: Any) -> Any:
        model = build_model(*args, **kwargs)
        made.extend({str(weight.device) for weight in model.parameters()})
        return model

    monkeypatch.setattr(files, "build_model", watched)
    with pytest.raises(DataError, match="do not fit"):
        GNNScorer.load(tmp_path)
    assert made == ["meta"]


def test_a_folder_that_is_none(tmp_path: Path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / SCORER_FILE).mkdir(parents=True)
    for path in (tmp_path / "file", tmp_path / "folder", tmp_path / ("a" * 5_000)):
        with pytest.raises(DataError, match="no scorer in"):
            load_scorer(path)


@pytest.mark.parametrize("text", ['{"kind": ["gnn"]}', '{"kind": {}}', "[" * 200_000])
def test_a_description_without_a_known_kind(text: str, tmp_path: Path):
    (tmp_path / SCORER_FILE).write_text(text)
    with pytest.raises(DataError if "[[" in text else ConfigError):
        load_scorer(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"kind": "other"}', "[" * 20_000, "\x00"])
def test_a_description_that_is_none(text: str, tmp_path: Path):
    (tmp_path / SCORER_FILE).write_text(text)
    with pytest.raises(DataError):
        GNNScorer.load(tmp_path)
    with pytest.raises(DataError, match="holds no scorer"):
        GNNScorer.load(tmp_path / "nothing")


def test_devices():
    model = build_model(ModelConfig(hidden=16), SCHEMA)
    with pytest.raises(ConfigError, match="not one of"):
        GNNScorer(model, SCHEMA, device="tpu")
    if not torch.cuda.is_available():
        assert GNNScorer(model, SCHEMA).device.type == "cpu"
        with pytest.raises(ConfigError, match="finds no GPU"):
            GNNScorer(model, SCHEMA, device="cuda")
        return
    on_gpu, on_cpu = (GNNScorer(model, SCHEMA, device=name) for name in ("cuda", "cpu"))
    for ours, theirs in zip(on_gpu.values(MADE), on_cpu.values(MADE), strict=True):
        assert ours.value == pytest.approx(theirs.value, abs=CLOSE)
    assert on_gpu.fingerprint == on_cpu.fingerprint


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": "compgcn"},
        {"hidden": 0},
        {"hidden": 18, "heads": 4},
        {"layers": -1},
        {"dropout": 1.0},
        {"dropout": "x"},
        {"classes": ("one",)},
    ],
)
def test_shapes_that_cannot_be(settings: dict[str, Any]):
    with pytest.raises(ConfigError, match="ModelConfig"):
        ModelConfig(**settings)


def test_a_shape_round_trips():
    config = ModelConfig(encoder="gps", hidden=32, classes=("a", "b"))
    assert ModelConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert Judged(0.5).reason == ""


# -- how fast --------------------------------------------------------------------------------------


def test_what_a_scorer_spends_is_measured(tmp_path: Path):
    small().save(tmp_path)
    opened: Any = load_scorer(tmp_path)
    with timed_scorer(tmp_path) as spent:
        load_scorer(tmp_path).values(MADE)
        load_scorer(tmp_path).links(MADE[:1], [("thing 0", "r", "thing 0")])
    assert spent.states == 65 and 0.0 < spent.share < 1.0 and spent.per_s > 0.0
    opened.values(MADE[:1])
    assert spent.states == 65, "afterwards it is not measured"


@pytest.mark.soak
def test_the_benchmark_runs():
    rows = scoring_speed(quick=True)
    page = markdown({"values": rows, "date": "today", "machine": machine("torch")})
    assert page.count("| rgcn |") == len(rows) == 2
