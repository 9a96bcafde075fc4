"""Networks to design on: published sizes, disjoint splits, files, the best that is known."""

from __future__ import annotations

import pickle
from itertools import combinations
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from graphenv.envs.design.baselines import BASELINES, designed
from graphenv.envs.design.network import Network
from graphenv.envs.design.objectives import make_objective
from graphenv.envs.design.search import EXHAUSTIVE_WORK, best_addition, best_rewiring
from graphenv.envs.design.sources import DesignSource, make_source
from graphenv.errors import ConfigError, DataError, UnknownNameError
from graphenv.seeding import rng
from graphenv.task import SPLITS


@pytest.mark.parametrize(("name", "edges"), [("er", 38), ("ba", 36)])
@pytest.mark.parametrize(("percent", "budget"), [(1, 2), (2.5, 5), (5, 10)])
def test_published_sizes(name: str, edges: int, percent: float, budget: int):
    source = make_source(name, "heldout", {"percent": percent})
    for i in range(3):
        network, meta = source.start(i), source[i].meta
        assert (len(network), len(network.edges), network.connected) == (20, edges, True)
        assert (meta["nodes"], meta["edges"], meta["budget"]) == (20, edges, budget)


@pytest.mark.parametrize(("name", "nodes"), [("er", 40), ("ba", 100), ("er", 100)])
def test_larger_sizes(name: str, nodes: int):
    source = make_source(name, "train", {"nodes": nodes})
    assert len(source.start(0)) == nodes == source[0].meta["nodes"]
    assert source.value(source.start(0), 0) > 0


def test_high_degrees_attract_edges():
    source = make_source("ba", "train", {"nodes": 60})
    degrees = [source.start(i).adjacency.sum(axis=1) for i in range(20)]
    old = sum(d[:10].mean() for d in degrees)
    new = sum(d[-10:].mean() for d in degrees)
    assert old > 2.5 * new
    assert all(int(d.min()) >= 1 and int(d[-1]) == 2 for d in degrees)


@pytest.mark.parametrize(
    ("kwargs", "count"),
    [({}, 20), ({"nodes": 7, "density": 40}, 20), ({"goal": "repair", "density": 30}, 5)],
)
def test_no_two_splits_hold_isomorphic_starts(kwargs: dict[str, Any], count: int):
    shapes = {}
    for split in SPLITS:
        source = make_source("er", split, kwargs)
        shapes[split] = {source.start(i).shape for i in range(count)}
    for one, other in combinations(SPLITS, 2):
        assert not shapes[one] & shapes[other]
    if not kwargs:
        assert all(len(found) == count for found in shapes.values())


def test_a_shape_is_the_same_whatever_nodes_are_called():
    graph = nx.gnm_random_graph(12, 20, seed=4)
    order = rng("names", 1).permutation(12).tolist()
    plain = Network.of(12, [(a, b) for a, b in graph.edges])
    renamed = Network.of(12, [(order[a], order[b]) for a, b in graph.edges])
    assert plain.shape == renamed.shape and plain != renamed
    assert plain.shape != plain.changed([plain.missing[0]]).shape


@pytest.mark.parametrize("name", ["er", "ba"])
def test_tasks_are_a_function_of_their_place(name: str):
    source = make_source(name, "train", {"goal": "repair", "nodes": 12})
    twin = pickle.loads(pickle.dumps(source))
    again = make_source(name, "train", {"goal": "repair", "nodes": 12})
    assert [twin[i] for i in (5, 0)] == [source[i] for i in (5, 0)] == [again[i] for i in (5, 0)]
    assert twin.fingerprint == source.fingerprint
    assert twin.plan(3) == source.plan(3)
    other = make_source(name, "train", {"goal": "repair", "nodes": 12, "seed": 1})
    assert other[0].prompt != source[0].prompt and other.fingerprint != source.fingerprint


@pytest.mark.parametrize("objective", ["robustness_random", "efficiency", "spectral_gap"])
def test_every_published_task_can_be_improved(objective: str):
    source = make_source("er", "heldout", {"objective": objective})
    for i in range(6):
        plan = source.plan(i)
        assert plan.value > plan.values[0] and len(plan.values) == len(plan.edits) + 1
        assert 0 < len(plan.edits) <= 2


def test_a_damaged_network_is_worse_and_can_be_undone():
    source = make_source("ba", "train", {"goal": "repair", "percent": 2.5})
    worse = 0
    for i in range(4):
        network, undo = source.make(i)
        mended = network
        for what, edge in undo:
            change = {"add": [edge]} if what == "add" else {"remove": [edge]}
            mended = mended.changed(**change)
        assert len(undo) == 10 and len(mended.edges) == len(network.edges) == 36
        assert network.connected and mended.connected
        worse += source.value(network, i) < source.value(mended, i)
        assert source.plan(i).value >= source.value(mended, i)
    assert worse >= 3


# -- the best that is known -----------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["robustness_targeted", "efficiency"])
def test_two_edges_of_a_small_network_are_searched_exhaustively(objective: str):
    judge = make_objective(objective)
    network = make_source("er", "train", {"nodes": 8, "density": 35}).start(0)
    sets = [(), *((e,) for e in network.missing), *combinations(network.missing, 2)]
    best = max(judge.value(network.changed(edges), "k") for edges in sets)
    plan = best_addition(network, 2, judge, "k")
    assert plan.value == pytest.approx(best, abs=1e-12)
    assert len(sets) * judge.work(8) < EXHAUSTIVE_WORK


def test_longer_designs_are_no_worse_than_any_baseline():
    judge = make_objective("robustness_random")
    network = make_source("ba", "heldout", {"percent": 2.5}).start(1)
    plan = best_addition(network, 5, judge, "k")
    for name, pick in BASELINES.items():
        edges = designed(pick, network, 5, judge, "k", rng("x", name))
        assert len(set(edges)) == 5 and not set(edges) & set(network.edges)
        assert judge.value(network.changed(edges), "k") <= plan.value + 1e-12, name


def test_a_search_that_would_take_too_long_is_cut_short(monkeypatch: pytest.MonkeyPatch):
    import graphenv.envs.design.search as search

    judge = make_objective("robustness_targeted")
    network = make_source("er", "train", {}).start(0)
    whole = best_addition(network, 3, judge, "k")
    monkeypatch.setattr(search, "GREEDY_WORK", 40 * 3 * judge.work(20))
    listed = best_addition(network, 3, judge, "k")
    monkeypatch.setattr(search, "GREEDY_WORK", 0)
    measured = best_addition(network, 3, judge, "k")
    assert whole.value >= max(listed.value, measured.value) >= measured.value > whole.values[0]
    moved = best_rewiring(network, 2, judge, "k")
    assert moved.value >= moved.values[0]


def test_moving_edges_keeps_their_number():
    source = make_source("er", "train", {"goal": "repair", "objective": "efficiency"})
    plan = source.plan(0)
    kinds = [what for what, _ in plan.edits]
    assert kinds == ["remove", "add"] * (len(kinds) // 2) and 2 <= len(kinds) <= 4


# -- files ----------------------------------------------------------------------------------------


def write(path: Path, graph: nx.Graph) -> str:
    path.write_text("# nodes\n" + "".join(f"n{a}\tn{b}\t1.5\n" for a, b in graph.edges), "utf-8")
    return str(path)


def real(split: str, **kwargs: Any) -> DesignSource:
    return make_source("real", split, kwargs)


def test_whole_networks_of_files(tmp_path: Path):
    files = [
        write(tmp_path / f"net{i}.txt", nx.gnm_random_graph(14, 24, seed=i)) for i in range(12)
    ]
    sources = []
    for split in SPLITS:
        try:
            sources.append(real(split, files=files))
        except DataError:  # of twelve networks a tenth may be none
            continue
    assert sum(map(len, sources)) == 12
    task = sources[0][0]
    assert "n0: " in task.prompt and task.meta["budget"] == 1
    assert sources[0].plan(0).value >= sources[0].plan(0).values[0]
    assert pickle.loads(pickle.dumps(sources[0]))[0] == task


def test_parts_of_a_large_network(tmp_path: Path):
    file = write(tmp_path / "large.txt", nx.barabasi_albert_graph(400, 2, seed=1))
    shapes = {}
    for split in SPLITS:
        source = real(split, files=file, nodes=15, parts=120)
        starts = [source.start(i) for i in range(len(source))]
        assert all(len(n) == 15 and n.connected for n in starts)
        shapes[split] = {n.shape for n in starts}
        assert len(shapes[split]) == len(source)
    assert sum(map(len, shapes.values())) > 90
    assert all(not shapes[a] & shapes[b] for a, b in combinations(SPLITS, 2))
    with pytest.raises(DataError, match=r"not 4 to 100 nodes \(give nodes= for parts\): 1"):
        real("train", files=file)


def test_layouts_that_are_read_and_refused(tmp_path: Path):
    from graphenv.envs.design.sources.real import largest, read_edges

    file = tmp_path / "odd.csv"
    file.write_text("% c\n\na,b,3\nb;c\nc c\nb a\nd e\n", "utf-8")
    network = read_edges(file)
    assert network.names == ("a", "b", "c", "d", "e")
    assert network.edges == ((0, 1), (1, 2), (3, 4))
    assert largest(network).names == ("a", "b", "c")
    file.write_text("a b\nc\n", "utf-8")
    with pytest.raises(DataError, match="line 2: an edge names two ends"):
        read_edges(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        read_edges(file)
    with pytest.raises(DataError, match=r"missing\.txt is missing"):
        real("train", files=str(tmp_path / "missing.txt"))


@pytest.mark.parametrize(
    ("name", "kwargs", "told"),
    [
        ("er", {"nodes": 3}, "nodes=3"),
        ("er", {"nodes": 101}, "nodes=101"),
        ("er", {"density": 0}, "density=0"),
        ("er", {"density": 5}, "a connected network"),
        ("ba", {"attach": 19}, "attach=19"),
        ("ba", {"budget": 0}, "budget=0"),
        ("er", {"percent": 0}, "percent=0"),
        ("er", {"orders": 0}, "orders=0"),
        ("er", {"goal": "destroy"}, "goal='destroy'"),
        ("er", {"tasks": 0}, "tasks=0"),
        ("er", {"nodez": 20}, "unknown argument 'nodez'"),
        ("er", {"nodes": 4, "density": 99, "split": "x"}, "split='x'"),
        ("real", {"files": []}, "files=[]"),
        ("real", {}, "needs files="),
    ],
)
def test_wrong_arguments_are_named(name: str, kwargs: dict[str, Any], told: str):
    kwargs = dict(kwargs)
    with pytest.raises(ConfigError) as error:
        make_source(name, kwargs.pop("split", "train"), kwargs)
    assert told in str(error.value)


def test_a_split_without_networks_of_a_size_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("graphenv.envs.design.sources.made._TRIES", 200)
    kwargs = {"nodes": 4, "density": 50, "tasks": 10}  # three edges: a path or a star
    missing = []
    for split in SPLITS:
        try:
            make_source("er", split, kwargs)[0]
        except ConfigError:
            missing.append(split)
    assert missing
    with pytest.raises(ConfigError, match="Ask for more nodes"):
        make_source("er", missing[0], kwargs)[0]
    with pytest.raises(UnknownNameError, match="source 'es' is unknown"):
        make_source("es", "train", {})
