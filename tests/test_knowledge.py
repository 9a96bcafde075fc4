"""The triple store against a naive dictionary, its files, its errors and its bounds."""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
from collections import defaultdict
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphenv.errors import ConfigError, DataError, UnknownNameError
from graphenv.knowledge import KnowledgeGraph, KnowledgeView, TripleStore
from graphenv.knowledge.names import NameTable

ENTITIES = [f"e{i}" for i in range(8)]
RELATIONS = ["r", "s", "t"]

name_triples = st.lists(
    st.tuples(st.sampled_from(ENTITIES), st.sampled_from(RELATIONS), st.sampled_from(ENTITIES)),
    max_size=40,
)
seeds = st.integers(0, 2**32 - 1)


class Naive:
    """The same contract in the plainest Python, by names."""

    def __init__(self, triples):
        self.triples = sorted(set(triples), key=lambda t: (t[1], t[0], t[2]))
        self.adjacent = defaultdict(set)
        for h, r, t in self.triples:
            self.adjacent[h, r].add(t)
            self.adjacent[t, "^" + r].add(h)

    def follow(self, frontier, move):
        return sorted(set().union(*(self.adjacent.get((e, move), set()) for e in frontier)))

    def edges(self, frontier, move):
        return [(e, t) for e in frontier for t in sorted(self.adjacent.get((e, move), ()))]

    def moves(self, frontier, moves):
        return [m for m in moves if self.follow(frontier, m)]

    def distances(self, sources, hops):
        found, frontier = dict.fromkeys(sources, 0), set(sources)
        for hop in range(1, hops + 1):
            near = {t for (e, _), ts in self.adjacent.items() if e in frontier for t in ts}
            frontier = near - set(found)
            found |= dict.fromkeys(frontier, hop)
        return found

    def paths(self, source, targets, hops, moves):
        for length in range(1, hops + 1):
            for path in product(moves, repeat=length):
                frontier = [source]
                for move in path:
                    frontier = self.follow(frontier, move)
                if set(frontier) & set(targets):
                    yield path


def check_store(store: TripleStore, naive: Naive, draw: random.Random) -> None:
    moves = [store.move_name(i) for i in range(2 * store.num_relations)]
    everyone = store.entity_names(range(store.num_entities))
    assert list(store.triples()) == naive.triples
    assert len(store) == store.num_triples == len(naive.triples)
    frontiers = [[], everyone, *([e] for e in everyone[:3])]
    frontiers += [[e for e in everyone if draw.random() < 0.5] for _ in range(3)]
    for frontier in frontiers:
        ids = [store.entity_id(e) for e in frontier]
        assert store.moves(ids) == naive.moves(frontier, moves)
        for move in moves:
            shuffled = draw.sample(ids, len(ids)) + ids[:2]
            out = store.follow(shuffled, move)
            assert out.dtype == np.int32 and not out.flags.writeable
            assert out.tolist() == sorted(set(out.tolist()))
            assert sorted(store.entity_names(out)) == naive.follow(frontier, move)
            assert np.array_equal(out, store.follow(np.array(ids, np.int64), store.move_id(move)))
            heads, tails = store.edges(shuffled, move)
            walked = zip(store.entity_names(heads), store.entity_names(tails), strict=True)
            assert sorted(walked) == sorted(naive.edges(frontier, move))
            assert list(zip(heads, tails, strict=True)) == sorted(zip(heads, tails, strict=True))
            if len(ids) == 1:
                assert np.array_equal(store.neighbors(ids[0], move), out)
                assert store.degree(ids[0], move) == len(out)
        around = sorted({t for m in moves for t in naive.follow(frontier, m)})
        assert sorted(store.entity_names(store.around(ids))) == around
        for hops in (0, 1, 3):
            expected = naive.distances(frontier, hops)
            found = store.distances(ids, hops)
            assert found.dtype == np.int16
            assert dict(zip(everyone, found.tolist(), strict=True)) == {
                e: expected.get(e, -1) for e in everyone
            }
        inside = [t for t in naive.triples if t[0] in frontier and t[2] in frontier]
        small = store.subgraph(ids)
        assert sorted(small.triples) == sorted(inside) and len(small) == len(set(ids))
    for e in everyone:
        total = sum(len(naive.follow([e], m)) for m in moves)
        assert store.degree(store.entity_id(e)) == total
    for h, r, t in product(everyone[:4], store.relation_names, everyone[:4]):
        there = (h, r, t) in naive.triples
        a, b = store.entity_id(h), store.entity_id(t)
        assert store.has_edge(a, r, b) == there == store.has_edge(b, "^" + r, a)
    if everyone:
        source, *targets = draw.choices(everyone, k=3)
        ids = [store.entity_id(e) for e in targets]
        walks = list(store.paths(store.entity_id(source), ids, 3, budget=10**9))
        assert walks == list(naive.paths(source, targets, 3, moves))


@given(name_triples, seeds)
@settings(max_examples=40)
def test_equals_naive(triples, seed):
    kg = KnowledgeGraph.from_triples(triples)
    check_store(kg, Naive(triples), random.Random(seed))


@given(name_triples, seeds)
@settings(max_examples=40)
def test_view_equals_naive_without_the_hidden(triples, seed):
    draw = random.Random(seed)
    kg = KnowledgeGraph.from_triples(triples)
    heads, relations, tails = kg.triple_arrays()
    every = list(zip(heads.tolist(), relations.tolist(), tails.tolist(), strict=True))
    hidden = draw.sample(every, min(len(every), draw.choice([0, 1, 2, 5])))
    gone = {(kg.entity_name(h), kg.relation_names[r], kg.entity_name(t)) for h, r, t in hidden}
    naive = Naive([t for t in triples if t not in gone])
    view = KnowledgeView(kg, hidden)
    check_store(view, naive, draw)
    check_store(KnowledgeView(KnowledgeView(kg, hidden[:1]), hidden[1:]), naive, draw)
    check_store(pickle.loads(pickle.dumps(view)), naive, draw)


@given(name_triples, seeds)
@settings(max_examples=30)
def test_ids_and_fingerprint_do_not_depend_on_row_order(triples, seed):
    draw = random.Random(seed)
    kg = KnowledgeGraph.from_triples(triples)
    other = KnowledgeGraph.from_triples(draw.sample(triples, len(triples)) + triples[:3])
    assert kg.fingerprint == other.fingerprint
    assert list(kg.triples()) == list(other.triples())
    # Any numbering of the same triples has the same fingerprint, though other ids.
    heads, relations, tails = kg.triple_arrays()
    order = np.array(draw.sample(range(kg.num_entities), kg.num_entities), np.int64)
    names = [""] * kg.num_entities
    for old, new in enumerate(order.tolist()):
        names[new] = kg.entity_name(old)
    same = KnowledgeGraph.from_arrays(
        order[heads], relations, order[tails], names, kg.relation_names
    )
    assert same.fingerprint == kg.fingerprint
    if triples:
        assert KnowledgeGraph.from_triples([*triples, ("new", "r", "e0")]).fingerprint != (
            kg.fingerprint
        )


@pytest.mark.parametrize("frontier_size", [2, 20, 30, 300, 3000])
@pytest.mark.parametrize(("entities", "count"), [(4000, 300), (4000, 40_000), (60, 2000)])
def test_every_size_takes_its_own_way_to_the_same_answer(frontier_size, entities, count):
    rng = np.random.default_rng(frontier_size)
    heads, tails = rng.integers(entities, size=(2, count))
    relations = rng.integers(3, size=count)
    names = [f"{i}" for i in range(entities)]
    kg = KnowledgeGraph.from_arrays(heads, relations, tails, names, list(RELATIONS))
    frontier = np.unique(rng.integers(entities, size=frontier_size))
    for move in range(6):
        near, far, relation = (heads, tails, move) if move < 3 else (tails, heads, move - 3)
        walked = (relations == relation) & np.isin(near, frontier)
        assert np.array_equal(kg.follow(frontier, move), np.unique(far[walked]))
        pairs = np.unique(np.stack([near[walked], far[walked]]), axis=1)
        assert np.array_equal(np.stack(kg.edges(frontier, move)), pairs)
    union = np.isin(heads, frontier), np.isin(tails, frontier)
    around = np.unique(np.concatenate([tails[union[0]], heads[union[1]]]))
    assert np.array_equal(kg.around(frontier), around)


def test_wide_ids_take_the_unpacked_sort():
    from graphenv.knowledge.index import _sorted_triples

    rng = np.random.default_rng(0)
    a, b, c = rng.integers(0, 5, size=(3, 200))
    packed = _sorted_triples(a, b, c, 5, 5)
    unpacked = _sorted_triples(a, b, c, 2**31, 2**31)
    assert all(np.array_equal(a, b) for a, b in zip(packed, unpacked, strict=True))


# -- names ----------------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=12)


@given(st.sets(texts, max_size=30), st.lists(texts, max_size=10))
@settings(max_examples=60)
def test_names_round_trip_and_unknown_ones_are_unknown(known, asked):
    table = NameTable([n.encode("utf-8", "surrogatepass") for n in sorted(known)])
    for i, name in enumerate(sorted(known)):
        assert table.name(i) == name and table.find(name) == i
    for name in asked:
        found = table.find(name)
        assert (found is not None) == (name in known)
        assert set(table.nearest(name)) <= known


def test_entity_lookup_prefers_the_exact_name_and_refuses_to_guess():
    kg = KnowledgeGraph.from_triples(
        [("Heat", "r", "heat"), ("Café Noir", "r", "THIEF"), ("\ud800", "r", "x")]
    )
    assert kg.entity_name(kg.entity_id("Heat")) == "Heat"
    assert kg.entity_name(kg.entity_id("heat")) == "heat"
    assert kg.find_entity("HEAT") is None  # two entities would fit
    assert kg.find_entity("  cafe\u0301   noir ") == kg.find_entity("Café Noir") is not None
    assert kg.find_entity("\udfff") is None
    assert kg.entity_name(kg.entity_id("\ud800")) == "\ud800"
    with pytest.raises(UnknownNameError, match=r"no entity is named 'Theif'.*'THIEF'"):
        kg.entity_id("Theif")


def test_moves_by_name_and_id():
    kg = KnowledgeGraph.from_triples([("a", "made_by", "b"), ("b", "born_in", "c")])
    assert kg.relation_names == ("born_in", "made_by")
    assert [kg.move_id(m) for m in ("born_in", "made_by", "^born_in", "^made_by")] == [0, 1, 2, 3]
    assert kg.find_move("^^made_by") is None
    for move in range(4):
        assert kg.move_id(kg.move_name(move)) == move == kg.inverse(kg.inverse(move))
        assert kg.move_name(kg.inverse(move)).strip("^") == kg.move_name(move).strip("^")
    with pytest.raises(UnknownNameError, match=r"no move is named '\^mde_by'.*'\^made_by'"):
        kg.move_id("^mde_by")
    for call in (kg.move_name, kg.inverse):
        with pytest.raises(IndexError, match=r"0\.\.3"):
            call(4)


@pytest.mark.parametrize("length", [10_000, 1_000_000])
def test_huge_unknown_names_are_answered(length):
    kg = KnowledgeGraph.from_triples((f"entity {i}", "r", f"entity {i + 1}") for i in range(5000))
    for name in ("x" * length, "entity 7 " * (length // 9), "é" * length, " " * length):
        assert kg.find_entity(name) is None
        assert len(kg.nearest_entities(name)) <= 3
        assert len(kg.nearest_moves(name)) <= 3
        with pytest.raises(UnknownNameError) as caught:
            kg.entity_id(name)
        assert len(str(caught.value)) < 1000


# -- bad input ------------------------------------------------------------------------------------


def test_bad_frontiers_and_moves_say_so():
    strange: Any
    kg = KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "r", "c")])
    for wrong in ([3], [-1], [0, 3], [-1, 0], np.array([99])):
        with pytest.raises(IndexError, match=r"outside 0\.\.2"):
            kg.follow(wrong, "r")
    for strange in ([0.5, 1.0], [[0], [1]], ["a", "b"]):
        with pytest.raises(TypeError):
            kg.follow(strange, "r")
    for strange in ([0.5], ["a"], np.array([True, False])):
        with pytest.raises(TypeError):
            kg.follow(strange, "r")
    for move in (-1, 2):
        with pytest.raises(IndexError, match=r"outside 0\.\.1"):
            kg.follow([0], move)
    with pytest.raises(UnknownNameError):
        kg.follow([0], "nope")
    with pytest.raises(ConfigError):
        kg.distances([0], -1)
    with pytest.raises(ConfigError):
        kg.paths(0, [1], 0)
    with pytest.raises(IndexError):
        list(kg.triples([2]))
    with pytest.raises(ValueError, match="read-only"):
        kg.follow([0, 1], "r")[0] = 7


def test_bad_arrays_and_triples_say_so():
    bad: Any
    build = KnowledgeGraph.from_arrays
    with pytest.raises(DataError, match=r"tails hold ids 0\.\.2"):
        build([0, 0], [0, 0], [0, 2], ["a", "b"], ["r"])
    with pytest.raises(DataError, match="equally long"):
        build([0], [0, 0], [1], ["a", "b"], ["r"])
    with pytest.raises(DataError, match="integers"):
        build([0.5], [0], [1], ["a", "b"], ["r"])
    with pytest.raises(DataError, match="'a' repeats"):
        build([0], [0], [1], ["a", "a"], ["r"])
    with pytest.raises(DataError, match="is empty"):
        build([0], [0], [1], ["a", ""], ["r"])
    with pytest.raises(DataError, match=r"'\^r' begins with"):
        KnowledgeGraph.from_triples([("a", "^r", "b")])
    for bad in [("a", "r"), ("a", "", "b"), ("a", 3, "b")]:
        with pytest.raises(DataError, match="triple number 1"):
            KnowledgeGraph.from_triples([("a", "r", "b"), bad])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_arrays_of_any_integer_type(dtype):
    columns = np.array([[0, 1], [0, 0], [1, 2]], dtype)
    kg = KnowledgeGraph.from_arrays(columns[0], columns[1], columns[2], ["c", "b", "a"], ["r"])
    assert list(kg.triples()) == [("c", "r", "b"), ("b", "r", "a")]
    assert kg.follow(columns[0], "r").tolist() == [1, 2]
    assert kg.fingerprint == KnowledgeGraph.from_triples(kg.triples()).fingerprint


def test_paths_budget_cuts_but_never_changes_the_order():
    triples = [(f"e{i}", f"r{i % 3}", f"e{i * 7 % 11}") for i in range(60)]
    kg = KnowledgeGraph.from_triples(triples)
    full = list(kg.paths(0, [5], 4, budget=10**6))
    for budget in (1, 10, 100, 1000):
        part = list(kg.paths(0, [5], 4, budget=budget))
        assert part == full[: len(part)] and len(part) <= budget
    assert [len(p) for p in full] == sorted(len(p) for p in full)


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sep", ["|", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_load_sniffs_and_skips_empty_lines(tmp_path: Path, sep: str, end: str):
    rows = [("Ä b", "r", "c"), ("c", "s", "d e"), ("Ä b", "r", "c")]
    other = "|" if sep == "\t" else " "
    rows.append((f"with{other}other", "r", "c"))
    file = tmp_path / "kb.txt"
    body = "\ufeff" + end.join(["", *(sep.join(row) for row in rows), "", ""])
    file.write_bytes(body.encode())
    assert KnowledgeGraph.load(file).fingerprint == KnowledgeGraph.from_triples(rows).fingerprint
    file.write_bytes(body.strip().encode())  # no mark, no last line end
    again = KnowledgeGraph.load([file, str(file)])
    assert again.fingerprint == KnowledgeGraph.from_triples(rows).fingerprint


def test_load_in_many_chunks_equals_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "kb.txt"
    file.write_text("".join(f"head {i}\tr{i % 5}\ttail {i % 17}\n" for i in range(300)))
    whole = KnowledgeGraph.load(file)
    monkeypatch.setattr("graphenv.knowledge.loading._CHUNK_BYTES", 37)
    assert KnowledgeGraph.load(file).fingerprint == whole.fingerprint
    with file.open("a") as out:
        out.write("lost row\n")
    with pytest.raises(DataError, match=r"line 301: 1 field instead of three.*'lost row'"):
        KnowledgeGraph.load(file)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a|r|b\na|r\nc|r|d|e\n", r"line 2: 2 fields instead of three.*'a\|r'"),
        (b"a|r|b\n\na|r|b|c\n", r"line 3: 4 fields"),
        (b"a|r|b\n|r|b\n", r"line 2: an empty field"),
        (b"a|r|b\na|r|\n", r"line 2: an empty field"),
        (b"a|r|b\n\xff|r|b\n", r"line 2: byte 0 is not UTF-8"),
        (b"a,r,b\n", r"no line among the first 20 .*'a,r,b'.* sep="),
        (b"a|^r|b\n", r"'\^r' begins with"),
        (b"x" * 5000, r"no line among the first 20"),
    ],
)
def test_broken_files_name_the_line(tmp_path: Path, body: bytes, said: str):
    file = tmp_path / "kb.txt"
    file.write_bytes(body)
    with pytest.raises(DataError, match=said) as caught:
        KnowledgeGraph.load(file)
    assert len(str(caught.value)) < 1000


def test_missing_files_say_what_is_there(tmp_path: Path):
    (tmp_path / "kb.tsv").write_text("a\tr\tb\n")
    with pytest.raises(DataError, match=r"does not exist; its folder holds: kb\.tsv"):
        KnowledgeGraph.load(tmp_path / "kb.txt")
    with pytest.raises(DataError, match="nor does the folder"):
        KnowledgeGraph.load(tmp_path / "no" / "kb.txt")
    with pytest.raises(DataError, match="is a folder"):
        KnowledgeGraph.load(tmp_path)
    with pytest.raises(DataError, match="no triple file"):
        KnowledgeGraph.load([])
    with pytest.raises(DataError, match="one character"):
        KnowledgeGraph.load(tmp_path / "kb.tsv", sep="::")


def test_empty_file_and_other_separators(tmp_path: Path):
    file = tmp_path / "kb.txt"
    file.write_text("")
    kg = KnowledgeGraph.load(file)
    assert (len(kg), kg.num_entities, list(kg.triples()), kg.nearest_entities("a")) == (
        0,
        0,
        [],
        [],
    )
    assert kg.subgraph([]).num_edges == 0
    file.write_text("a;r;b\n")
    assert list(KnowledgeGraph.load(file, sep=";").triples()) == [("a", "r", "b")]
    file.write_text("a→r→b\n")
    assert list(KnowledgeGraph.load(file, sep="→").triples()) == [("a", "r", "b")]


# -- processes ------------------------------------------------------------------------------------


def test_same_in_another_process_and_through_pickle():
    code = (
        "from graphenv.knowledge import KnowledgeGraph; import json\n"
        "kg = KnowledgeGraph.from_triples([(f'e{i * 7 % 13}', f'r{i % 3}', f'e{i}')"
        " for i in range(40)])\n"
        "print(json.dumps([kg.fingerprint, list(kg.triples()), kg.nearest_entities('e111')]))"
    )
    answers = set()
    for hash_seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        answers.add(done.stdout)
    kg = KnowledgeGraph.from_triples((f"e{i * 7 % 13}", f"r{i % 3}", f"e{i}") for i in range(40))
    twin = pickle.loads(pickle.dumps(kg))
    assert len(answers) == 1
    assert json.loads(answers.pop())[0] == twin.fingerprint == kg.fingerprint
    assert list(twin.triples()) == list(kg.triples())
    assert twin.follow([0, 1], 0).tolist() == kg.follow([0, 1], 0).tolist()
    assert not twin.follow([0], 0).flags.writeable


def test_views_are_small():
    kg = KnowledgeGraph.from_triples((f"e{i}", "r", f"e{i + 1}") for i in range(20_000))
    hidden = list(zip(*(c.tolist() for c in kg.triple_arrays()), strict=True))[:100]
    views = [KnowledgeView(kg, [triple]) for triple in hidden]
    together = len(pickle.dumps((kg, views)))
    assert together - len(pickle.dumps(kg)) < 300 * len(views)
    assert {v.fingerprint for v in views}.isdisjoint({kg.fingerprint})
    assert KnowledgeView(kg, [(0, 0, 0)]).fingerprint == kg.fingerprint  # hides nothing
    with pytest.raises(IndexError):
        KnowledgeView(kg, [(0, 5, 0)])
    assert isinstance(views[0], TripleStore) and isinstance(kg, TripleStore)


# -- published data -------------------------------------------------------------------------------


@pytest.mark.data
def test_metaqa_paths_give_the_published_answers(graphenv_data: Path):
    root = graphenv_data / "kgqa" / "metaqa"
    kg = KnowledgeGraph.load(root / "kb.txt")
    assert (len(kg), kg.num_relations) == (129_659, 9)
    for hops in (1, 2, 3):
        with (root / f"{hops}hop_dev_exact.jsonl").open(encoding="utf-8") as file:
            for line in islice(file, 0, None, 97):
                row = json.loads(line)
                topic = kg.entity_id(row["topic_entity"])
                frontier = np.array([topic], np.int32)
                for move in row["path"]:
                    frontier = kg.follow(frontier, move)
                    frontier = frontier[frontier != topic]
                assert sorted(kg.entity_names(frontier)) == sorted(row["answers"])


@pytest.mark.data
@pytest.mark.parametrize("name", ["countries_S1", "kinship", "umls"])
def test_link_prediction_sets_load(graphenv_data: Path, name: str):
    file = graphenv_data / "kgqa" / "link_prediction" / name / "graph.txt"
    kg = KnowledgeGraph.load(file)
    rows = {tuple(line.split("\t")) for line in file.read_text().splitlines() if line}
    assert set(kg.triples()) == rows


# -- benchmark ------------------------------------------------------------------------------------


def test_benchmark_runs_small(tmp_path: Path):
    command = [sys.executable, "-m", "graphenv.benchmarks.knowledge", "--only", "synthetic"]
    command += ["--triples", "3000", "--entities", "400", "--relations", "5"]
    subprocess.run([*command, "--without", "ladybug", "--out", str(tmp_path)], check=True)
    data = json.loads((tmp_path / "results.json").read_text())["datasets"]["synthetic"]
    assert set(data["load"]) == {"graphenv", "networkx"}
    assert {row["frontier"] for row in data["follow"]} == {1, 10, 100, 400}
    assert "| 400 | 3 |" in (tmp_path / "results.md").read_text()
