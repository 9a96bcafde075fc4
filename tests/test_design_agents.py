"""Designers: the published rules beside plain definitions, and a network that learns a little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from graphenv import agents, envs
from graphenv.agents.design.agent import BaselineDesigner, GNNDesigner
from graphenv.envs.design import GraphDesignEnv
from graphenv.envs.design.baselines import (
    BASELINES,
    degree_product,
    designed,
    fiedler,
    resistance,
    shortlist,
)
from graphenv.envs.design.network import Network
from graphenv.envs.design.objectives import make_objective
from graphenv.envs.design.sources import make_source
from graphenv.errors import ConfigError, DataError
from graphenv.seeding import rng


def make_env(split: str = "train", **kwargs: Any) -> GraphDesignEnv:
    env = envs.make("graph-design", split=split, **kwargs)
    assert isinstance(env, GraphDesignEnv)
    return env


def starts(count: int) -> list[Network]:
    source = make_source("er", "train", {"nodes": 12, "density": 25})
    return [source.start(i) for i in range(count)]


# -- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", starts(4))
def test_measures_are_their_definitions(network: Network):
    graph: nx.Graph = nx.Graph()
    graph.add_nodes_from(range(len(network)))
    graph.add_edges_from(network.edges)
    vector = nx.fiedler_vector(graph, method="tracemin_lu", seed=1)
    for at, (a, b) in enumerate(network.missing):
        assert degree_product(network)[at] == -graph.degree[a] * graph.degree[b]
        assert resistance(network)[at] == pytest.approx(nx.resistance_distance(graph, a, b))
        assert fiedler(network)[at] == pytest.approx(abs(vector[a] - vector[b]), abs=1e-5)


@pytest.mark.parametrize("objective", ["robustness_random", "spectral_gap"])
def test_greedy_takes_the_best_edge_each_time(objective: str):
    judge = make_objective(objective)
    for network in starts(2):
        edges = designed(BASELINES["greedy"], network, 2, judge, "k", rng("x"))
        for edge in edges:
            values = [judge.value(network.changed([e]), "k") for e in network.missing]
            network = network.changed([edge])
            assert judge.value(network, "k") == pytest.approx(max(values), abs=1e-12)


def test_rules_stop_when_nothing_is_missing():
    almost = Network.of(4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)])
    for pick in BASELINES.values():
        assert designed(pick, almost, 5, make_objective("efficiency"), "", rng("x")) == [(2, 3)]


def test_a_short_list_keeps_the_order_and_the_best():
    network = starts(1)[0]
    listed = shortlist(network, 10)
    assert len(listed) == 10 and list(listed) == sorted(listed)
    for measure in (degree_product, fiedler):
        assert network.missing[int(np.argmax(measure(network)))] in listed
    assert shortlist(network, 10_000) == network.missing


@pytest.mark.parametrize("method", BASELINES)
def test_rules_play_the_environment(method: str):
    for mode in ("tools", "single"):
        env = make_env("train", mode=mode, nodes=9, density=30, budget=2)
        designer = agents.make("design-baseline", env, method=method)
        episodes = agents.rollout_batch(env, designer, range(2))
        assert all(e.status == "ok" and e.steps[-1].facts["added"] == 2 for e in episodes)
        again = agents.rollout(env, designer, index=1)
        assert again.outcome == episodes[1].outcome


def test_designers_say_what_they_cannot_do():
    repair = make_env(goal="repair")
    with pytest.raises(ConfigError, match="designers add edges"):
        BaselineDesigner(repair)
    with pytest.raises(ConfigError, match="method='gredy'"):
        BaselineDesigner(make_env(), method="gredy")
    with pytest.raises(ConfigError, match="designers add edges"):
        agents.make("design-baseline", envs.make("kgqa"))


# -- a network that learns ------------------------------------------------------------------------

torch: Any = pytest.importorskip("torch")
pytest.importorskip("torch_geometric")

TINY: dict[str, Any] = {
    "source": "ba",
    "nodes": 8,
    "attach": 1,
    "budget": 1,
    "objective": "efficiency",
}


def test_which_nodes_may_be_picked():
    from graphenv.agents.design.picker import allowed

    network = Network.of(4, [(0, 1), (0, 2), (0, 3), (1, 2)])
    stack = np.stack([network.adjacency] * 2)
    free = allowed(stack, np.array([-1, 3]))
    assert free.tolist() == [[False, True, True, True], [False, True, True, False]]


def test_values_belong_to_nodes_whatever_their_order_and_batch():
    from graphenv.agents.design.picker import Picker

    torch.manual_seed(0)
    picker = Picker(hidden=16, layers=2)
    network = starts(1)[0]
    order = rng("order", 1).permutation(len(network))
    renamed = network.adjacency[np.ix_(order, order)]
    stack = torch.from_numpy(np.stack([network.adjacency, renamed]))
    first = torch.tensor([int(order[3]), 3])
    values = picker(stack, first, torch.tensor([2, 2])).detach().numpy()
    assert values[1] == pytest.approx(values[0][order], abs=1e-4)
    alone = picker(stack[1:], first[1:], torch.tensor([2])).detach().numpy()
    assert alone[0] == pytest.approx(values[1], abs=1e-5)


def learned(rounds: int) -> Any:
    from graphenv.agents.design.learning import LearningConfig, learn

    config = LearningConfig(
        rounds=rounds, batch=16, graphs=40, validation=10, hidden=16, layers=2, rate=3e-3
    )
    return learn(make_env(**TINY), config, validation=make_env("validation", **TINY))


@pytest.fixture(scope="module")
def picker() -> Any:
    return learned(30)


def test_it_learns_to_beat_random_on_networks_it_never_saw(picker: Any):
    env = make_env("heldout", **TINY)
    designers = {
        "gnn": GNNDesigner(env, model=picker),
        "random": BaselineDesigner(env, method="random"),
    }
    success = {
        name: float(np.mean([e.success for e in agents.rollout_batch(env, designer, range(30))]))
        for name, designer in designers.items()
    }
    assert success["gnn"] > success["random"] + 0.1, success


def test_learning_is_a_function_of_its_seed():
    one, again = (learned(3).state_dict() for _ in range(2))
    assert all(torch.equal(weight, again[name]) for name, weight in one.items())


def test_a_network_is_saved_and_opened(picker: Any, tmp_path: Path):
    from graphenv.agents.design.picker import load, save

    save(picker, tmp_path / "one")
    env = make_env("heldout", **TINY)
    ours, theirs = (
        GNNDesigner(env, model=picker),
        agents.make("design-gnn", env, model=str(tmp_path / "one")),
    )
    for index in range(3):
        assert agents.rollout(env, ours, index=index) == agents.rollout(env, theirs, index=index)
    (tmp_path / "one" / "model.safetensors").write_bytes(b"x")
    with pytest.raises(DataError, match="is not the file"):
        load(tmp_path / "one")
    (tmp_path / "one" / "picker.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="does not describe"):
        load(tmp_path / "one")
    with pytest.raises(DataError, match="no designing network"):
        load(tmp_path / "two")


def test_what_cannot_be_learned_is_refused():
    from graphenv.agents.design.learning import LearningConfig, learn

    with pytest.raises(ConfigError, match="rounds=0"):
        LearningConfig(rounds=0)
    with pytest.raises(ConfigError, match="rate=2"):
        LearningConfig(rate=2)
    with pytest.raises(ConfigError, match="'build'"):
        learn(make_env(goal="repair"))


@pytest.mark.soak
def test_the_benchmark_runs():
    from graphenv.benchmarks.design.__main__ import SUITE

    results = SUITE.measure(SUITE.sections, quick=True)
    assert {row["designer"] for row in results["learned"]} == {"gnn", *BASELINES}
    assert len(results["baselines"]) == 4 * len(BASELINES)
    assert "| er | robustness_targeted | 2 | 2 |" in SUITE.markdown(results)
