"""Targets of cell lines, Target-QA and prizes: layouts, splits, what is told, what wins."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from subgraph_layouts import (
    PROTEINS,
    lines,
    screens_and_network,
    target_qa,
    write_lines,
    write_prizes,
)

from graphenv import envs
from graphenv.benchmarks.subgraph.__main__ import SUITE
from graphenv.envs.subgraph.sources import SubgraphSource, make_source
from graphenv.envs.subgraph.sources.interactome import load_interactome
from graphenv.envs.subgraph.sources.prize_files import read_prizes
from graphenv.envs.subgraph.sources.targets import FEATURES, TargetsSource
from graphenv.errors import ConfigError, DataError
from graphenv.graph import Graph
from graphenv.task import SPLITS, Task
from graphenv.text import format_call

TARGETS = {"grounded": True, "k": 4, "seeds": 2, "max_nodes": 14, "max_edges": 16}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "targets": TARGETS,
    "target_qa": {"k": 4, "seeds": 1, "max_nodes": 14, "max_edges": 16},
    "prizes": {"terminals": 4, "tasks": 10, "max_nodes": 16},
}
MAKERS = {"targets": screens_and_network, "target_qa": target_qa, "prizes": write_prizes}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in MAKERS.items()}


def made(name: str, root: Path, split: str = "train", **more: Any) -> Any:
    return make_source(name, split, {"root": str(root), **ARGUMENTS[name], **more})


def graph_of(source: SubgraphSource, task: Task, pairs: list[tuple[str, str]]) -> Graph:
    edges = [(a, "interacts_with", b) for a, b in pairs]
    return source.world(task.index).graph(edges, task.meta["seeds"], task.meta["seeds"])


# -- what all of them keep ------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
def test_the_best_known_play_wins_in_the_environment(roots: dict[str, Path], name: str) -> None:
    reward = "objective" if name == "prizes" else "hits(k=4)"
    arguments: dict[str, Any] = {"root": str(roots[name]), **ARGUMENTS[name]}
    for split in SPLITS:
        env = envs.make("subgraph", source=name, split=split, reward=reward, **arguments)
        source = env.unwrapped.subgraph_source  # type: ignore[attr-defined]
        for index in range(min(3, len(source))):
            play = source.play(index)
            calls = [format_call(tool, **given) for tool, given in play.actions]
            end = {"ranking": ", ".join(play.ranking)} if play.ranking else {}
            episode = env.unwrapped.play(index, [*calls, format_call("submit", **end)])  # type: ignore[attr-defined]
            assert (episode.status, episode.success) == ("ok", 1.0)
            assert all(step.status == "ok" for step in episode.steps)
            assert env.unwrapped.reward([episode])[0].value == 1.0  # type: ignore[attr-defined]
            wrong = {"ranking": "P00, NOBODY"} if play.ranking else {}
            nothing = env.unwrapped.play(index, [format_call("submit", **wrong)])  # type: ignore[attr-defined]
            assert nothing.success == 0.0 or name == "target_qa"


@pytest.mark.parametrize("name", MAKERS)
def test_splits_share_no_problem_and_tasks_are_stable(roots: dict[str, Path], name: str) -> None:
    ids: dict[str, set[str]] = {}
    for split in SPLITS:
        source = made(name, roots[name], split)
        ids[split] = {task.id for task in source}
        assert len(ids[split]) == len(source) > 0
        copy = pickle.loads(pickle.dumps(source))
        assert copy.fingerprint == source.fingerprint
        assert copy[0] == source[0] and copy.play(0) == source.play(0)
        for task in source:
            json.dumps(task.meta)
            assert task.index == source[task.index].index
    assert not ids["train"] & ids["heldout"] and not ids["validation"] & ids["heldout"]
    assert not ids["train"] & ids["validation"]


def test_same_in_every_process(roots: dict[str, Path]) -> None:
    arguments = {name: {"root": str(roots[name]), **ARGUMENTS[name]} for name in MAKERS}
    code = (
        "from graphenv.envs.subgraph.sources import make_source\n"
        f"for name, arguments in {arguments!r}.items():\n"
        "    s = make_source(name, 'heldout', arguments)\n"
        "    print(s.fingerprint, s[1].id, s[1].prompt, s.play(1))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "7")
    ]
    assert told[0] == told[1]
    for name in MAKERS:
        source = made(name, roots[name], "heldout")
        assert f"{source.fingerprint} {source[1].id}" in told[0]


# -- the network ----------------------------------------------------------------------------------


def test_network_has_each_pair_once_and_is_read_once(tmp_path: Path) -> None:
    root = screens_and_network(tmp_path)
    network = load_interactome(root, "test")
    assert network.dropped == {"a protein with itself": 1, "a pair again": 4}
    assert network.world.weight("P01", "interacts_with", "P00") == 0.99  # the best of three
    assert network.world.weight("P00", "interacts_with", "P00") is None
    assert len(network.names) == 60 == len(set(network.names))
    pairs = set(zip(network.heads.tolist(), network.tails.tolist(), strict=True))
    assert len(pairs) == len(network.scores) and all(head < tail for head, tail in pairs)
    assert network.degrees.sum() == 2 * len(pairs)
    assert load_interactome(root / "ppi_iref13", "test") is network
    path = root / "ppi_iref13" / "iref13_interactome.tsv"
    path.write_text("A\tB\t0.5\n")
    os.utime(path, (1, 1))
    assert load_interactome(root, "test").names == ("A", "B")


@pytest.mark.parametrize("row", ["A\tB", "A\tB\tmuch", "\tB\t0.5", "A\tB\tnan", "A B 0.5"])
def test_broken_network_is_told_with_its_line(tmp_path: Path, row: str) -> None:
    path = screens_and_network(tmp_path) / "ppi_iref13" / "iref13_interactome.tsv"
    path.write_text(f"A\tB\t0.5\n\n{row}\n")
    with pytest.raises(DataError, match=r"line 3: expected protein<TAB>protein<TAB>score"):
        load_interactome(tmp_path, "test")


# -- targets --------------------------------------------------------------------------------------


def test_gold_is_specific_screened_and_in_the_network(roots: dict[str, Path]) -> None:
    source = made("targets", roots["targets"], specific=0.3)
    lung = next(t for t in source if t.meta["tissue"] == "Lung")
    gold = set(lung.target.answer or ())
    assert "P52" in gold  # needed by Lung alone
    assert not gold & {"P50", "P51", "P54", "P55", "NOT_IN_NETWORK"}
    everything = made("targets", roots["targets"], specific=1)
    more = set(everything[lung.index].target.answer or ())
    assert more - gold >= {"P50", "P51"} and not more & {"P54", "P55"}
    none = made("targets", roots["targets"], specific=0.15)
    line = none.line(0)
    counted = dict(zip(none.counts.genes, none.counts.total.tolist(), strict=True))
    assert all(counted[gene] <= 0.15 * none.counts.size for gene in none.gold(line))


def test_heldout_tissues_are_the_published_ones_or_stand_ins(tmp_path: Path) -> None:
    root = screens_and_network(tmp_path)
    heldout = made("targets", root, "heldout")
    assert {task.meta["tissue"] for task in heldout} == {"Breast"}
    assert heldout.note == "Held out by tissue: Breast."
    for split in ("train", "validation"):
        assert "Breast" not in {t.meta["tissue"] for t in made("targets", root, split)}
    write_lines(root, [row for row in lines() if row["tissue"] != "Breast"])
    stand_in = made("targets", root, "heldout")
    assert "no cell line of Breast or Large Intestine" in stand_in.note
    named = {task.meta["tissue"] for task in stand_in}
    assert named and named == stand_in.held_out
    chosen = made("targets", root, "heldout", held_out=["Skin"])
    assert {task.meta["tissue"] for task in chosen} == {"Skin"}
    with pytest.raises(ConfigError, match=r"\['Eye'\], of which there is no cell line"):
        made("targets", root, held_out=["Eye"])
    # A file that is added is read too, so that the published split comes back.
    write_lines(root, [row for row in lines() if row["tissue"] == "Breast"], "cell_lines_hidden")
    assert {task.id for task in made("targets", root, "heldout")} == {t.id for t in heldout}


@pytest.mark.parametrize("specific", [0.195, 1])  # at 0.195 the line tips a gene over
@pytest.mark.parametrize("number", [0, 1], ids=["held out", "training"])
def test_nothing_of_a_line_is_told_before_it_is_asked_for(
    tmp_path: Path, number: int, specific: float
) -> None:
    """Prompt, seeds and numbers of a task are the same whatever its line depends on."""
    root = screens_and_network(tmp_path)
    rows = lines()

    def told() -> dict[str, tuple[Any, ...]]:
        found = {}
        for split in SPLITS:
            source = made("targets", root, split, specific=specific, k=1)
            for task in source:
                values = source.world(task.index).feature_values
                found[task.id] = (split, task.prompt, task.meta, values.tobytes())
        return found

    before = told()
    rows[number]["selective_dependencies"] = [*PROTEINS[20:36], "P50"]
    write_lines(root, rows)
    after, own = told(), f"targets/{rows[number]['cell_line_id']}"
    assert after[own] == before[own] and before[own][0] == ("heldout", "train")[number]
    others = [after[key][3] == before[key][3] for key in before if key != own]
    assert all(others) if number == 0 else not any(others)  # training lines are counted


def test_numbers_are_shares_of_training_lines(roots: dict[str, Path]) -> None:
    source = made("targets", roots["targets"], "heldout")
    told = source.world(0).features("P50")
    assert told["frequency"] == 1.0
    assert set(told) == {"degree", "frequency"}  # its tissue is new, so nothing is known of it
    assert source.world(0).features("P55") == {"degree": source.world(0).features("P55")["degree"]}
    assert "Not screened" in source.world(0).description("P55")
    assert "Pan-essential" in source.world(0).description("P54")
    train = made("targets", roots["targets"])
    lung = next(t for t in train if t.meta["tissue"] == "Lung" and "P53" not in t.target.answer)
    assert set(train.world(lung.index).features("P52")) == set(FEATURES)
    assert train.world(lung.index).features("P52")["frequency_in_tissue"] == 1.0


def test_rankings_that_are_cheap_do_not_win(roots: dict[str, Path]) -> None:
    source = made("targets", roots["targets"], "heldout")
    task = source[0]
    gold = list(task.target.answer)
    wrong = [name for name in PROTEINS if name not in gold]
    play = source.play(0)
    pairs = [(given["head"], given["tail"]) for _, given in play.actions]
    graph = graph_of(source, task, pairs)

    def success(ranking: list[str] | None, built: Graph = graph) -> float:
        value: float = source.truth(task, built, ranking)[0]
        return value

    best = list(play.ranking)
    assert success(best) == success([name.lower() for name in best]) == 1.0
    assert success(best[::-1]) == 1.0
    assert success([*best, *wrong]) == 1.0  # the first k are judged
    assert success([*wrong[:2], *best]) == 0.5
    assert success([best[0]] * 4) == success(best[:1]) == 0.25
    assert success(None) == success([]) == success(["", "NOBODY"]) == 0.0
    assert success(wrong) == 0.0
    # A gene counts only where an edge holds it: not as a lone node, not by an invented edge.
    assert success(best, graph_of(source, task, [])) == 0.0
    lone = source.world(0).graph([], [*task.meta["seeds"], *best], task.meta["seeds"])
    assert success(best, lone) == 0.0
    invented = Graph.from_triples([(best[0], "likes", name) for name in best[1:]])
    assert success(best, invented) == 0.0
    everything = source.world(0).graph(source.network.world.store.triples())
    assert success(best, everything) == 0.0  # over the budget
    plain = made("targets", roots["targets"], "heldout", grounded=False)
    assert plain.truth(task, lone, best)[0] == 1.0
    _, metrics = source.truth(task, lone, best)
    assert metrics["p@4"] == 1.0 and metrics["hit@5"] == 1.0 and metrics["joined"] == 0.0
    assert metrics["r@4"] == 4 / len(gold)


def test_reach_grows_with_gold_and_falls_with_junk(roots: dict[str, Path]) -> None:
    source = made("targets", roots["targets"], "heldout")
    task, play = source[0], source.play(0)
    pairs = [(given["head"], given["tail"]) for _, given in play.actions]
    reached = [source.reach(task, graph_of(source, task, pairs[:n])) for n in range(len(pairs) + 1)]
    assert reached[0] == 0.0 and max(reached) == reached[-1] > 0.6
    junk = [e for e in source.network.world.store.triples() if not {e[0], e[2]} & set(play.ranking)]
    more = [*pairs, *((head, tail) for head, _, tail in junk[:6])]
    assert source.reach(task, graph_of(source, task, more)) < reached[-1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"specific": 0}, "specific=0"),
        ({"specific": True}, "specific=True"),
        ({"specific": "few"}, "specific=.few."),
        ({"k": 0}, "k=0"),
        ({"max_nodes": 5}, "max_nodes=5"),
        ({"grounded": 1}, "grounded=1"),
    ],
)
def test_arguments_out_of_range(roots: dict[str, Path], arguments: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        made("targets", roots["targets"], **arguments)


def test_missing_and_broken_screens(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Expected layout: gene_dependency/"):
        made("targets", tmp_path / "nowhere")
    root = screens_and_network(tmp_path / "data")
    rows = lines()
    write_lines(root, rows[:1], "cell_lines_again")
    with pytest.raises(DataError, match="'ACH-000000' stands in the files twice"):
        made("targets", root)
    (root / "gene_dependency" / "cell_lines_again.jsonl").unlink()
    write_lines(root, [{**rows[0], "tissue": None}])
    with pytest.raises(DataError, match="line 1: 'tissue' must hold text"):
        made("targets", root)
    write_lines(root, [{**rows[0], "selective_dependencies": "P00"}])
    with pytest.raises(DataError, match="'selective_dependencies' must be a list"):
        made("targets", root)
    write_lines(root, rows)
    (root / "gene_dependency" / "pan_essential.tsv").unlink()
    with pytest.raises(DataError, match=r"pan_essential.tsv is missing"):
        made("targets", root)


# -- prizes ---------------------------------------------------------------------------------------


def test_prize_files_are_read_by_size_of_change(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("A\t-2.5\n\nB /// C\t0.5\nA\t1\nD 1e-3\n")
    assert read_prizes(path) == {"A": 2.5, "B /// C": 0.5, "D": 0.001}
    path.write_text("A\t1\nB\tmuch\n")
    with pytest.raises(DataError, match="line 2: expected protein<TAB>number"):
        read_prizes(path)


def test_prizes_meet_in_one_split_only_and_are_scaled(roots: dict[str, Path]) -> None:
    met: dict[str, set[tuple[str, str]]] = {}
    for split in SPLITS:
        source = made("prizes", roots["prizes"], split)
        met[split] = {(t.meta["file"], name) for t in source for name in t.meta["seeds"]}
        for name in ("a__exp", "b__path"):
            mean = np.mean(list(source.prizes[name].values())) / 1e6
            assert mean == pytest.approx(1.5, abs=1e-5)
        assert source.left_out["proteins that are not in the network"] == 1
        assert set(source.prizes) == {"a__exp", "b__path"}
    assert not met["train"] & met["heldout"] and not met["train"] & met["validation"]
    only = made("prizes", roots["prizes"], files=["b__path"])
    assert {task.meta["file"] for task in only} == {"b__path"}
    with pytest.raises(DataError, match=r"nothing_here.txt is missing"):
        made("prizes", roots["prizes"], files=["nothing_here"])


def test_only_a_good_forest_is_worth_something(roots: dict[str, Path]) -> None:
    source = made("prizes", roots["prizes"], "heldout")
    for index in range(4):
        task = source[index]
        best = source.best_known(index)
        assert best.value > 0
        names = source.network.names
        pairs = [(names[a], names[b]) for a, b in best.edges]
        assert source.truth(task, graph_of(source, task, pairs), None)[0] == 1.0
        assert source.truth(task, graph_of(source, task, []), None)[0] == 0.0
        triples = list(source.network.world.store.triples())
        everything = source.world(index).graph(triples)
        junk = graph_of(source, task, [(h, t) for h, _, t in triples[:30]])
        twice = graph_of(source, task, [*pairs, *pairs])
        invented = Graph.from_triples([(pairs[0][0], "likes", name) for name in task.meta["seeds"]])
        for graph in (everything, junk, twice, invented):
            assert source.truth(task, graph, None)[0] == 0.0
        shorter = source.truth(task, graph_of(source, task, pairs[:-1]), None)
        assert shorter[0] < 1.0 and shorter[1]["value"] < shorter[1]["best_known"]


# -- Target-QA ------------------------------------------------------------------------------------


def test_target_qa_layout(roots: dict[str, Path]) -> None:
    train = made("target_qa", roots["target_qa"])
    validation = made("target_qa", roots["target_qa"], "validation")
    heldout = made("target_qa", roots["target_qa"], "heldout")
    assert len(heldout) == 11 and len(train) + len(validation) == 29
    assert train.left_out["samples that stand in the test file"] == 1
    task = heldout[2]
    assert len(task.target.answer) == 13 and "L31" in task.prompt
    world = heldout.world(2)
    assert world.type(task.meta["seeds"][0]) == "disease"
    first = world.features(task.meta["seeds"][1])
    assert first["copy_number_rank"] == 1.0
    assert world.find("ONLY_31") is None  # gold of the test file is no part of the network
    assert world.find("ONLY_3") is not None
    ranking = ["ONLY_31", *heldout.play(2).ranking[:3], "P59"]
    value, metrics = heldout.truth(task, world.graph([], task.meta["seeds"]), ranking)
    assert value == 1.0 and metrics["precision"] == 0.8 and metrics["recall"] == 4 / 13
    grounded = made("target_qa", roots["target_qa"], "heldout", grounded=True)
    assert grounded.truth(task, world.graph([], task.meta["seeds"]), ranking)[0] == 0.0


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("disease",), None, "'disease' must hold text"),
        (("input", "top_k_gene"), {}, "input.top_k_gene.hgnc_symbols must be a list"),
        (("input", "knowledge_graph", "protein_relationships"), ["A B"], "relationship 'A -> B'"),
        (("ground_truth_answer",), {"top_bm_gene": {"hgnc_symbols": []}}, "names no gene"),
    ],
)
def test_broken_target_qa(tmp_path: Path, path: tuple[str, ...], value: Any, why: str) -> None:
    file = target_qa(tmp_path) / "QA_Data" / "multi_sample_qa_info_k5_bm13_te.json"
    rows = json.loads(file.read_text())
    inner = rows["ACH-000030"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    file.write_text(json.dumps(rows))
    with pytest.raises(DataError, match=f"sample 'ACH-000030': .*{why}"):
        made("target_qa", tmp_path)
    file.rename(file.with_name("other.json"))
    with pytest.raises(DataError, match=r"_te.json is missing"):
        made("target_qa", tmp_path)


# -- the published data ---------------------------------------------------------------------------


@pytest.mark.data
def test_published_targets(graphenv_data: Path) -> None:
    source = make_source("targets", "heldout", {"root": str(graphenv_data / "subgraph")})
    assert isinstance(source, SubgraphSource)
    found: Any = source
    assert len(found.network.names) == 15_404 and len(found.network.scores) == 175_820
    assert len(found.screens.screened) == 16_827 and len(found.screens.essential) == 1_977
    assert len(found.screens.lines) >= 698 and not sum(found.left_out.values())
    sizes = [len(task.target.answer) for task in found]
    assert min(sizes) >= 10 and 100 < np.median(sizes) < 300
    play = found.play(0)
    edges = [tuple(given.values()) for _, given in play.actions]
    task = found[0]
    graph = found.world(0).graph(edges, task.meta["seeds"], task.meta["seeds"])
    assert found.truth(task, graph, play.ranking)[0] == 1.0
    again = make_source("targets", "train", {"root": str(graphenv_data / "subgraph")})
    assert again.network is found.network  # type: ignore[attr-defined]


@pytest.mark.data
def test_published_prizes(graphenv_data: Path) -> None:
    source: Any = make_source("prizes", "heldout", {"root": str(graphenv_data / "subgraph")})
    known = {name: len(prizes) for name, prizes in source.prizes.items()}
    assert known["a549__Tgfb_phos"] in (49, 52) and known["GBM__gbm_prize"] == 77
    assert known["CPDB__pyr_rho_mrna_noUBC"] == 169 and len(known) == 4
    assert source.best_known(0).value > 0


# -- the benchmark --------------------------------------------------------------------------------


def test_benchmark_has_a_row_for_every_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("scipy")  # networkx ranks with it
    write_prizes(tmp_path / "subgraph")
    monkeypatch.setenv("GRAPHENV_DATA", str(tmp_path))
    monkeypatch.setattr("graphenv.benchmarks.subgraph.targets.K", 4)
    small: dict[str, Any] = {"k": 4, "max_nodes": 20}
    monkeypatch.setattr(
        "graphenv.benchmarks.subgraph.targets.TargetsSource", partial(TargetsSource, **small)
    )
    results = SUITE.measure(SUITE.sections, quick=True)
    rows = {(r["split"], r["genes"], r["ranking"]): r["p"] for r in results["targets"]}
    assert len(rows) == 2 * (2 + 6) and all(0 <= value <= 1 for value in rows.values())
    assert rows["heldout", "all", "popularity"] >= 0.5  # two genes that every line needs
    assert rows["heldout", "specific", "popularity"] < rows["heldout", "all", "popularity"]
    for row in results["forests"]:
        assert row["value"] <= 1e-6 if row["heuristic"] == "nothing" else row["share"] <= 1
    best = {r["file"]: r["value"] for r in results["forests"] if r["heuristic"] == "best known"}
    assert all(r["value"] <= best[r["file"]] + 1e-6 for r in results["forests"])
    assert all(row["cost_ratio"] <= 1 for row in results["trees"])
    page = SUITE.markdown(results)
    assert "| heldout | 4 | specific, network | walk from seeds |" in page
