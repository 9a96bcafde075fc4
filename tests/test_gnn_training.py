"""Scorers are trained, calibrated, assessed and attacked; tiny here, of full size in the soak."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv import envs
from graphenv.cli import main
from graphenv.errors import ConfigError
from graphenv.graph import Graph
from graphenv.scorers import View, load_scorer

pytest.importorskip("torch_geometric")

from graphenv.agents.gnn.adversary import AttackConfig, attack, hard_negatives
from graphenv.agents.gnn.assessment import assess, verdict
from graphenv.agents.gnn.calibration import (
    calibration_error,
    draw_calibration,
    fit_calibration,
    reliability,
)
from graphenv.agents.gnn.collecting import collect, watched
from graphenv.agents.gnn.edits import EDITS
from graphenv.agents.gnn.examples import PLAYERS, Collection, Example, Rollouts
from graphenv.agents.gnn.fitting import FitConfig, fit, value_logits
from graphenv.agents.gnn.heuristics import HEURISTICS, Binned, degree, distance, size
from graphenv.agents.gnn.measures import auc, auc_gain, spearman
from graphenv.agents.gnn.model import ModelConfig, build_model
from graphenv.agents.gnn.schema import Schema
from graphenv.agents.gnn.sets import HELDOUT_WORLDS, Worlds, gather
from graphenv.agents.gnn.training import ScorerConfig, train_scorer

SMALL = {"entities": 300, "relations": 8, "distractors": 0}
WORLDS = Worlds(
    env_kwargs=SMALL,
    train=(0,),
    validation=(1,),
    heldout=(2,),
    tasks=8,
    test_tasks=4,
    larger={},
)
CONFIG = ScorerConfig(
    worlds=WORLDS,
    rollouts=Rollouts(continuations=2),
    model=ModelConfig(hidden=16, layers=1, bases=2),
    fit=FitConfig(epochs=2),
    text="hashed:32",
    attack=AttackConfig(states=8, rounds=2, proposals=3),
    baselines=False,
)


@pytest.fixture(scope="module")
def collection() -> Collection:
    return collect(envs.make("kgqa", **SMALL), range(12), Rollouts(continuations=2))


def made(triples: Any, outcome: float, group: str = "a", question: str = "?") -> Example:
    graph = Graph.from_triples(triples)
    return Example(View(question, graph), outcome, group, "oracle", 0, 1, outcome, ("s",))


# -- states ---------------------------------------------------------------------------------------


def test_states_are_the_same_every_time_and_know_their_task(collection: Collection) -> None:
    again = collect(envs.make("kgqa", **SMALL), range(12), Rollouts(continuations=2))
    assert again == collection
    one = collect(envs.make("kgqa", **SMALL), [5], Rollouts(continuations=2)).examples
    group = one[0].group
    assert one == tuple(e for e in collection.examples if e.group == group)  # order plays no part
    assert len({(e.group, e.view.graph) for e in collection.examples}) == len(collection.examples)
    assert pickle.loads(pickle.dumps(collection)) == collection


def test_a_scorer_never_sees_the_target(collection: Collection) -> None:
    env = envs.make("kgqa", **SMALL)
    for example in collection.examples:
        index = int(example.group.rpartition("/")[2])
        assert example.view.question == env.tasks[index].meta["question"]


def test_outcomes_follow_the_gold_path() -> None:
    env = envs.make("kgqa", **SMALL)
    found = collect(env, range(8), Rollouts(players={"oracle": 1, "mixed": 3}, epsilon=0.0))
    assert {e.outcome for e in found.examples if e.origin == "oracle"} == {1.0}
    assert {e.outcome for e in found.examples} == {0.0, 1.0}  # without strays nothing is uncertain
    strayed = collect(env, range(8), Rollouts(players={"oracle": 1}, epsilon=1.0))
    assert np.mean([e.outcome for e in strayed.examples]) < 0.5


def test_continuations_are_counted_and_dead_ends_are_not_played_on(collection: Collection) -> None:
    assert {e.continuations for e in collection.examples if e.outcome > 0} == {2}
    assert any(e.continuations == 1 and e.outcome == 0 for e in collection.examples)
    assert collection.turns_played > len(collection.examples)


@pytest.mark.parametrize("player", PLAYERS)
def test_every_player_leads_to_states(player: str) -> None:
    env = envs.make("kgqa", **SMALL)
    found = collect(env, [0, 1], Rollouts(players={player: 1}, continuations=1)).examples
    assert found and {e.origin for e in found} == {player}


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [("scene-graph", {"mode": "steps"}), ("kg-construction", {"mode": "turns"}), ("subgraph", {})],
)
def test_other_families_have_states_too(name: str, kwargs: dict[str, Any]) -> None:
    env = envs.make(name, **kwargs)
    players = {"oracle": 1, "planted": 1, "mixed": 1}
    found = collect(env, [0], Rollouts(players=players, continuations=1)).examples
    assert len(found) >= 2
    assert all(0.0 <= e.outcome <= 1.0 for e in found)
    assert any(e.progress is not None for e in found)


def test_large_states_are_left_out_and_counted() -> None:
    env = envs.make("kgqa", **SMALL)
    found = collect(env, range(4), Rollouts(continuations=1, max_nodes=1))
    assert found.left_out > 0
    assert all(len(e.view.graph) <= 1 for e in found.examples)


def test_a_family_without_turns_is_refused() -> None:
    with pytest.raises(ConfigError, match="no graph is built turn by turn"):
        watched(envs.make("kgqa", mode="program"))
    with pytest.raises(ConfigError, match="no graph is built turn by turn"):
        watched(envs.make("text2sql"))


@pytest.mark.parametrize(
    "kwargs",
    [
        {"players": {"oracel": 1}},
        {"players": {"oracle": -1}},
        {"continuations": 0},
        {"epsilon": 1.5},
        {"strays": -0.1},
    ],
)
def test_wrong_rollouts_are_refused(kwargs: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="scorer examples"):
        Rollouts(**kwargs)


def test_sets_share_no_task_and_no_world() -> None:
    sets = gather(replace(WORLDS, tasks=4, test_tasks=4), Rollouts(continuations=1))
    groups = [
        {e.group for e in found} for found in (sets.train, sets.validation, *sets.tests.values())
    ]
    for i, a in enumerate(groups):
        assert all(not a & b for b in groups[i + 1 :])
    names = [
        {label for e in found for label in e.view.graph.labels if not label.isdigit()}
        for found in (sets.train, sets.tests[HELDOUT_WORLDS])
    ]
    assert len(names[0] & names[1]) < 0.1 * len(names[1])


def test_worlds_on_two_sides_are_refused() -> None:
    with pytest.raises(ConfigError, match="two sides"):
        Worlds(train=(0, 1), heldout=(1,))
    with pytest.raises(ConfigError, match="split"):
        Worlds(env_kwargs={"split": "train"})
    with pytest.raises(ConfigError, match="one world"):
        Worlds(env_kwargs={"seed": 1})


# -- measures -------------------------------------------------------------------------------------

NUMBERS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30)


@settings(max_examples=40, deadline=None)
@given(NUMBERS)
def test_auc_counts_pairs(rows: list[tuple[int, bool]]) -> None:
    wins = [
        1.0 if x > y else 0.5 if x == y else 0.0
        for x, good in rows
        for y, other in rows
        if good and not other
    ]
    found = auc([x for x, _ in rows], [good for _, good in rows])
    assert found is None if not wins else found == pytest.approx(np.mean(wins))


@settings(max_examples=20, deadline=None)
@given(NUMBERS)
def test_rank_correlation_is_that_of_scipy(rows: list[tuple[int, bool]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    x, y = [float(a) for a, _ in rows], [float(b) for _, b in rows]
    found = spearman(x, y)
    if len(set(x)) < 2 or len(set(y)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(stats.spearmanr(x, y).statistic)


def test_a_gain_is_judged_by_tasks_not_by_states() -> None:
    positive = [True, False] * 20
    ours, groups = [1.0, 0.0] * 20, [f"g{i // 2}" for i in range(40)]
    interval = auc_gain(ours, [0.0] * 40, positive, groups)
    assert interval == (0.5, 0.5)
    noise = np.linspace(0, 1, 40)[np.argsort(np.sin(np.arange(40) * 7.0))]
    low, high = auc_gain(noise, noise[::-1], positive, groups) or (1.0, 1.0)
    assert low < 0 < high


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0.3, 5.0),
    st.floats(-1.0, 1.0),
    st.lists(st.floats(-6, 6), min_size=8, max_size=60, unique=True),
)
def test_calibration_is_found_again(temperature: float, shift: float, logits: list[float]) -> None:
    x = np.array(logits)
    told = 1 / (1 + np.exp(-(x / temperature + shift)))
    found, moved = fit_calibration(x, told)

    def loss(t: float, b: float) -> float:
        z = x / t + b
        return float(np.sum(np.logaddexp(0, z) - told * z))

    assert loss(found, moved) <= loss(temperature, shift) + 0.02
    assert loss(found, moved) <= loss(1.0, 0.0) + 1e-9


def test_calibration_of_hopeless_and_of_perfect_scorers_stays_finite() -> None:
    for outcomes in ([0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1], [0.5, 0.5, 0.5, 0.5]):
        temperature, shift = fit_calibration([-9.0, -8.0, 8.0, 9.0], outcomes)
        assert 0.05 <= temperature <= 20 and math.isfinite(shift)
    assert fit_calibration([], []) == (1.0, 0.0)


def test_calibration_error_by_hand(tmp_path: Path) -> None:
    values, outcomes = [0.1, 0.1, 0.9], [0.0, 1.0, 1.0]
    assert calibration_error(values, outcomes) == pytest.approx((2 * 0.4 + 0.1) / 3)
    assert calibration_error([1.0], [1.0]) == 0.0
    pytest.importorskip("matplotlib")
    drawn = draw_calibration([("a", reliability(values, outcomes))], tmp_path / "c.png")
    assert drawn.stat().st_size > 1_000


def test_heuristics_by_hand() -> None:
    chain = made([("s", "r", "a"), ("a", "r", "b")], 1.0)
    assert (size(chain), degree(chain), distance(chain)) == (5.0, 4 / 3, 1.0)
    lost = made([("x", "r", "y")], 0.0)
    assert distance(lost) == 2.0
    assert [h(made([], 0.0)) for h in HEURISTICS.values()] == [0.0, 0.0, 0.0]
    rate = Binned({"size": size}, [chain, lost, *[made([], 0.5)] * 3])
    assert rate([chain, lost]).tolist() == [1.0, 0.0]


def test_binned_heuristics_learn_what_is_neither_small_nor_large() -> None:
    rows = [made([("s", "r", str(i)) for i in range(n)], float(n == 5)) for n in range(1, 11)] * 4
    rate = Binned({"size": size}, rows)
    assert auc(rate(rows), [e.outcome > 0.5 for e in rows]) == 1.0


# -- the verdict ----------------------------------------------------------------------------------


def rows_of(count: int) -> list[Example]:
    return [made([("s", "r", f"{i}")], float(i % 2), f"g{i // 4}") for i in range(count)]


def test_the_verdict_says_when_the_network_adds_nothing() -> None:
    def right(found: Any) -> Any:
        return np.array([e.outcome for e in found])

    def wrong(found: Any) -> Any:
        return 1 - right(found)

    def flat(found: Any) -> Any:
        return np.full(len(found), 0.5)

    rows = {"worlds": rows_of(40)}
    better = assess({"gnn": right, "size": flat}, rows)
    assert "adds something" in better["verdict"] and "below the aim" not in better["verdict"]
    same = assess({"gnn": flat, "size": flat}, rows)
    assert "adds nothing here that these states can show" in same["verdict"]
    worse = assess({"gnn": wrong, "size": right}, rows)
    assert "adds nothing here: size is better" in worse["verdict"]
    json.dumps(better)
    gain = {"over": "size", "value": 0.1, "low": 0.05, "high": 0.2}
    low = {"raters": {"gnn": {"auc": 0.7}, "size": {"auc": 0.6}}, "gain": gain}
    assert "stays below the aim of .800" in verdict(low, "worlds")


def test_what_a_scorer_does_not_know_is_left_out_and_told() -> None:
    def half(found: Any) -> Any:
        x = np.array([e.outcome for e in found])
        x[: len(x) // 2] = np.nan
        return x

    row = assess({"gnn": half, "size": half}, {"w": rows_of(40)})["sets"]["w"]["raters"]["gnn"]
    assert row["known"] == 0.5 and row["auc"] == 1.0


def test_assess_needs_the_scorer() -> None:
    with pytest.raises(ConfigError, match="gnn"):
        assess({}, {"w": rows_of(4)})


# -- the adversary --------------------------------------------------------------------------------


def by_edges(views: Any) -> Any:
    return np.array([min(1.0, 0.05 * v.graph.num_edges) for v in views])


def test_the_search_finds_what_a_gullible_scorer_overrates(collection: Collection) -> None:
    config = AttackConfig(states=12, rounds=6, proposals=8)
    found = attack(by_edges, collection.examples, collection.examples, config)
    told = found.to_json()
    assert told["fooled_after"] > 0.8 > told["fooled_before"]
    assert attack(by_edges, collection.examples, collection.examples, config) == found
    for state in found.found:
        assert state.example.outcome < 0.5
        assert state.after >= state.before
        assert state.view.question == state.example.view.question
    honest = attack(lambda views: np.zeros(len(views)), collection.examples, collection.examples)
    assert honest.to_json()["fooled_after"] == 0.0


def test_edits_only_add_and_add_nothing_that_touches_the_state(collection: Collection) -> None:
    config = AttackConfig(states=20, rounds=3, proposals=8)
    found = attack(by_edges, collection.examples, collection.examples, config)
    used = {name for state in found.found for name in state.edits}
    assert len(used) >= 3
    for state in found.found:
        old, new = state.example.view.graph, state.view.graph
        assert new.nodes[: len(old)] == old.nodes and new.edges[: old.num_edges] == old.edges
        for edge in new.edges[old.num_edges :]:
            inside = edge.head < len(old), edge.tail < len(old)
            assert edge in old.edges if all(inside) else not any(inside)
        assert state.example.size + config.max_added >= len(new) + new.num_edges


def test_every_edit_works_on_any_state() -> None:
    donor = Graph.from_triples([("a", "r", "b"), ("b", "q", "c"), ("c", "r", "a")])
    for name, edit in EDITS.items():
        for graph in (Graph(), donor, Graph.from_triples([("x", "r", "x")])):
            for question in ("", "who is it", "é " * 50):
                for seed in range(5):
                    made_graph = edit(View(question, graph), donor, np.random.default_rng(seed))
                    assert len(made_graph) >= len(graph), name


def test_hard_negatives_keep_the_outcome(collection: Collection) -> None:
    config = AttackConfig(states=6, rounds=3)
    found = attack(by_edges, collection.examples, collection.examples, config)
    negatives = hard_negatives(found)
    assert negatives and all(e.origin == "adversary" for e in negatives)
    known = {(s.example.group, s.example.outcome) for s in found.found}
    assert {(e.group, e.outcome) for e in negatives} <= known
    assert not {e.view for e in negatives} & {s.example.view for s in found.found}


# -- training -------------------------------------------------------------------------------------


def told_by_relation(count: int) -> list[Example]:
    """States whose outcome is whether their edge is the one that the question names."""
    relations = ("made", "seen", "lent", "sold")
    return [
        made(
            [(f"s{i}", relations[i % 4], f"t{i}")],
            float(i % 4 == i // 4 % 4),
            f"g{i}",
            f"what was {relations[i // 4 % 4]} by s{i}",
        )
        for i in range(count)
    ]


def test_a_network_learns_what_heuristics_cannot_see() -> None:
    import torch

    rows = told_by_relation(160)
    schema = Schema.of([e.view for e in rows], text="hashed:32")
    model = build_model(ModelConfig(hidden=16, layers=1, dropout=0.0), schema)
    before = torch.random.get_rng_state(), torch.get_num_threads()
    config = FitConfig(epochs=25, learning_rate=5e-3, link_weight=0.0, batch_size=32)
    history = fit(model, schema, rows[:120], rows[120:], config)
    assert torch.equal(torch.random.get_rng_state(), before[0])  # the global generator is left
    assert torch.get_num_threads() == before[1]
    assert history[-1].train < history[0].train
    logits = value_logits(model, schema, [e.view for e in rows[120:]])
    positive = [e.outcome > 0.5 for e in rows[120:]]
    assert (auc(logits, positive) or 0) > 0.9
    assert (auc(Binned(HEURISTICS, rows[:120])(rows[120:]), positive) or 0) < 0.7


def test_fitting_stops_early_and_keeps_the_best() -> None:
    rows = told_by_relation(40)
    other = [replace(e, outcome=1 - e.outcome) for e in rows]  # what is learned is wrong there
    schema = Schema.of([e.view for e in rows], text="hashed:16")
    model = build_model(ModelConfig(hidden=8, layers=1), schema)
    ticks: list[int] = []
    history = fit(
        model,
        schema,
        rows,
        other,
        FitConfig(epochs=30, patience=2),
        on_epoch=lambda: ticks.append(1),
    )
    assert len(history) == len(ticks) < 30
    with pytest.raises(ConfigError, match="states to train"):
        fit(model, schema, [], rows)


def test_classes_are_learned_where_they_are_given() -> None:
    rows = [replace(e, label="even" if i % 2 else "odd") for i, e in enumerate(rows_of(20))]
    schema = Schema.of([e.view for e in rows], text="hashed:16")
    model = build_model(ModelConfig(hidden=8, layers=1, classes=("even", "odd")), schema)
    assert model.classes is not None
    weights = next(model.classes.parameters())
    before = weights.detach().clone()
    fit(model, schema, rows, rows, FitConfig(epochs=1))
    assert not np.array_equal(before.numpy(), weights.detach().numpy())


def test_a_run_writes_a_scorer_that_can_be_loaded(tmp_path: Path) -> None:
    stages: list[str] = []
    found = train_scorer(CONFIG, tmp_path / "a", on_stage=stages.append)
    assert {"play", "fit", "attack", "assess"} <= set(stages)
    scorer = load_scorer(tmp_path / "a")
    assert scorer.fingerprint == found.scorer.fingerprint
    report = json.loads((tmp_path / "a" / "assessment.json").read_text())
    assert report["verdict"] == found.report["verdict"]
    assert set(report["adversary"]) == {"before", "after"}
    saved = json.loads((tmp_path / "a" / "config.json").read_text())
    assert saved["worlds"]["tasks"] == 8 and saved["fit"]["epochs"] == 2
    env = envs.make("kgqa", **SMALL, split="heldout", seed=2)
    states = collect(env, [0], Rollouts(continuations=1)).examples
    judged = scorer.values([state.view for state in states])
    assert all(one.value is not None for one in judged)


def test_the_same_settings_give_the_same_scorer(tmp_path: Path) -> None:
    sets = gather(replace(WORLDS, tasks=4, test_tasks=2), CONFIG.rollouts)
    short = replace(CONFIG, fit=FitConfig(epochs=1))
    found = train_scorer(short, tmp_path / "a", sets=sets)
    again = train_scorer(short, tmp_path / "b", sets=sets)
    assert again.scorer.fingerprint == found.scorer.fingerprint
    assert again.report == found.report


def test_the_command_says_what_it_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["train-scorer", "kgqa"]) == 2
    assert "--out" in capsys.readouterr().err
    assert main(["train-scorer", "kgqa", "--mode", "program", "--out", str(tmp_path)]) == 2
    assert "turn by turn" in capsys.readouterr().err
    assert main(["train-scorer", "kgqa", "--encoder", "rcgn", "--out", str(tmp_path)]) == 2
    assert "rgcn" in capsys.readouterr().err


def test_the_command_trains(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    given = {
        "entities": 300, "relations": 8, "hops": 1, "worlds": 1, "tasks": 4, "test_tasks": 2,
        "epochs": 1, "hidden": 8, "layers": 1, "text": "hashed:16", "continuations": 1,
        "hard_negatives": 0,
    }  # fmt: skip
    words = ["train-scorer", "kgqa", "--no_baselines"]
    words += [word for name, value in given.items() for word in (f"--{name}", str(value))]
    assert main([*words, "--out", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["main"] == HELDOUT_WORLDS and told["fingerprint"]
    assert (tmp_path / "scorer.json").is_file()


@pytest.mark.soak
def test_held_out_worlds_reach_the_aim(tmp_path: Path) -> None:
    found = train_scorer(ScorerConfig(baselines=False), tmp_path)
    report = found.report["sets"][HELDOUT_WORLDS]
    assert report["raters"]["gnn"]["auc"] >= 0.8
    assert report["gain"]["low"] > 0
    after, before = found.report["adversary"]["after"], found.report["adversary"]["before"]
    assert after["fooled_after"] <= before["fooled_after"]
