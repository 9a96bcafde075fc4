"""Published sources of query questions: small layouts written here, and the published files."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from query_sources_fixture import (
    GOLD,
    write_bird,
    write_cinema,
    write_neo4j,
    write_spider,
    write_zograscope,
)

from graphenv.benchmarks.queries.mutants import mutants
from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.gold.findings import content_of
from graphenv.envs.queries.gold.sqlite_audit import audit_sqlite
from graphenv.envs.queries.gold.sqlite_copies import vary_sqlite
from graphenv.envs.queries.sources import LANGUAGES, SOURCES, QuerySource, make_source
from graphenv.envs.queries.sources.bird import BirdQueries
from graphenv.envs.queries.sources.inferred import schema_of_file, schema_of_queries
from graphenv.envs.queries.sources.neo4j_labs import Neo4jText2Cypher
from graphenv.envs.queries.sources.published import carve_databases
from graphenv.envs.queries.sources.spider import SpiderQueries
from graphenv.envs.queries.sources.zograscope import ZograscopeQueries
from graphenv.errors import ConfigError, DataError, UnknownNameError
from graphenv.query.cypher import read_cypher
from graphenv.query.matching import execution_match, same_rows
from graphenv.query.model import Query
from graphenv.query.results import Result, Rows
from graphenv.query.sql import read_sql
from graphenv.task import SPLITS

FIVE = ["ape", "bee", "cat", "dog", "elk"]


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    # One folder for the whole run: the second test that asks for a database finds it made.
    folder = tmp_path_factory.getbasetemp() / "graphenv-cache"
    monkeypatch.setenv("GRAPHENV_CACHE", str(folder))


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a small copy of every layout."""
    root = tmp_path_factory.mktemp("layouts")
    write_spider(root / "spider", dev=["dev_a", "dev_b"], train=FIVE, without=("bee",))
    write_spider(root / "dev_only", dev=FIVE)
    write_bird(root / "bird", databases=True)
    write_bird(root / "bird_text", databases=False)
    write_zograscope(root / "zograscope")
    write_neo4j(root / "neo4j")
    return root


def _programs(source: QuerySource) -> list[tuple[str, str]]:
    return [(task.meta["database"], str(task.target.program)) for task in source]


MAKERS: dict[str, Callable[[Path, str], QuerySource]] = {
    "spider": lambda root, split: SpiderQueries(split=split, root=str(root / "spider")),
    "spider, dev only": lambda root, split: SpiderQueries(split=split, root=str(root / "dev_only")),
    "bird": lambda root, split: BirdQueries(split=split, root=str(root / "bird")),
    "bird without data": lambda root, split: BirdQueries(split=split, root=str(root / "bird_text")),
    "zograscope": lambda root, split: ZograscopeQueries(split=split, root=str(root / "zograscope")),
    "neo4j": lambda root, split: Neo4jText2Cypher(split=split, root=str(root / "neo4j")),
}


# -- what every source keeps ----------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
def test_tasks_are_complete_and_splits_disjoint(layouts: Path, name: str) -> None:
    seen: dict[str, str] = {}
    for split in SPLITS:
        source = MAKERS[name](layouts, split)
        assert len(source) == len(list(source)) > 0
        again = pickle.loads(pickle.dumps(source))
        assert again.fingerprint == source.fingerprint
        for index, task in enumerate(source):
            assert task == source[index] == again[index]
            assert task.index == index
            assert seen.setdefault(task.id, split) == split
            assert str(task.target.program) not in task.prompt
            assert isinstance(task.meta["ordered"], bool)
            json.dumps(task.meta)
            schema = source.schema(index)
            read = (read_sql if source.language == "sql" else read_cypher)(
                str(task.target.program), schema
            )
            assert isinstance(read, Query)
            if name != "bird without data":  # its schemas are what some gold names
                assert read.unknown == ()
        assert source[-1].index == len(source) - 1
        with pytest.raises(IndexError):
            source[len(source)]


@pytest.mark.parametrize("name", ["spider", "bird", "zograscope"])
def test_gold_runs_in_the_cage_on_the_database_and_its_copies(layouts: Path, name: str) -> None:
    source = MAKERS[name](layouts, "train")
    assert source.executes and "target.results" in source.provides
    for index in range(0, len(source), 3):
        gold = str(source[index].target.program)
        databases = source.databases(index)
        assert len({database.digest for database in databases}) == len(databases) > 1
        assert databases == source.databases(index)
        results = [_run(source, index, gold, number) for number in range(len(databases))]
        assert all(isinstance(result, Rows) for result in results)
        assert all(result.rows for result in results[1:] if isinstance(result, Rows))
        assert len({content_of(result) for result in results if isinstance(result, Rows)}) > 1


def test_gold_that_a_constant_answers_is_left_out(tmp_path: Path) -> None:
    root = write_spider(tmp_path, dev=["one"])
    rows = json.loads((root / "dev.json").read_text())
    more = ["SELECT 4", "SELECT count(*) FROM film WHERE id < 0", "SELECT min(year) > 0 FROM film"]
    rows += [{"db_id": "one", "question": "?", "query": gold} for gold in more]
    (root / "dev.json").write_text(json.dumps(rows))
    source = SpiderQueries(split="train", root=str(root))
    assert source.left_out["a constant is right everywhere"] == 2
    assert sum(task.target.program in more for task in source) == 1  # a row of id < 0 is planted
    alone = SpiderQueries(split="train", root=str(root), variations=0)
    assert alone.left_out["a constant is right everywhere"] == 0  # nobody asked for copies


def _run(source: QuerySource, index: int, query: str, number: int) -> Result:
    database = source.databases(index)[number]
    if source.language == "cypher":
        from graphenv.query.cypher import to_ladybug

        text = to_ladybug(query, source.schema(index))
        assert isinstance(text, str)
        query = text
    return backend(database).run(query)


def test_the_same_in_every_process(layouts: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from graphenv.envs.queries.sources.spider import SpiderQueries as S;"
        "s = S(split='heldout', root=sys.argv[1]);"
        "print(s.fingerprint, *(d.digest for d in s.databases(0)))"
    )
    env = os.environ | {"PYTHONHASHSEED": "17", "GRAPHENV_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", code, str(layouts / "spider")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    here = SpiderQueries(split="heldout", root=str(layouts / "spider"))
    assert done.stdout.split() == [here.fingerprint, *(d.digest for d in here.databases(0))]


def test_a_fingerprint_follows_the_data(layouts: Path, tmp_path: Path) -> None:
    root = write_spider(tmp_path / "s", dev=["dev_a"], train=["ape"])
    first = SpiderQueries(split="heldout", root=str(root)).fingerprint
    assert SpiderQueries(split="heldout", root=str(root), variations=0).fingerprint != first
    path = root / "database" / "dev_a" / "dev_a.sqlite"
    path.unlink()
    write_cinema(path, films=[(i, f"F{i}", 1970 + i, 1 + i % 3) for i in range(9)])
    assert SpiderQueries(split="heldout", root=str(root)).fingerprint != first


# -- Spider ---------------------------------------------------------------------------------------


def test_spider_leaves_out_and_says_what(layouts: Path) -> None:
    source = SpiderQueries(split="heldout", root=str(layouts / "spider"))
    assert Counter(t.meta["database"] for t in source) == {"dev_a": 5, "dev_b": 5}
    assert source.left_out == {"gold does not run": 2, "gold has no unique result": 4}
    assert source.note == "heldout is dev.json."
    questions = {task.prompt for task in source}
    # Nobody in the original is called Zoe; somebody in a copy is.
    assert questions == set(GOLD) - {"The oldest film?", "Any film?", "Broken?"}
    zoe = next(i for i, task in enumerate(source) if "Zoe" in task.prompt)
    results = [_run(source, zoe, str(source[zoe].target.program), n) for n in range(4)]
    counts = [len(result.rows) for result in results if isinstance(result, Rows)]
    assert counts[0] == 0 and min(counts[1:]) > 0
    ordered = {task.prompt: task.meta["ordered"] for task in source}
    assert ordered["Titles by year?"] and not ordered["Films by Ann?"]


def test_spider_counts_questions_without_a_database(layouts: Path) -> None:
    source = SpiderQueries(split="train", root=str(layouts / "spider"))
    assert source.left_out["database file missing"] == len(GOLD)
    assert "bee" not in {task.meta["database"] for task in source}


def test_spider_keeps_ambiguous_gold_on_demand(layouts: Path) -> None:
    source = SpiderQueries(split="heldout", root=str(layouts / "spider"), ambiguous="accept")
    kept = {task.prompt: task.meta for task in source if task.meta.get("ambiguous")}
    assert set(kept) == {"The oldest film?", "Any film?"}
    assert kept["The oldest film?"]["accept"] == ["SELECT title FROM film ORDER BY year"]


def test_spider_without_training_files_is_carved(layouts: Path) -> None:
    sources = [SpiderQueries(split=split, root=str(layouts / "dev_only")) for split in SPLITS]
    assert all("carved by database" in source.note for source in sources)
    parts = [{task.meta["database"] for task in source} for source in sources]
    assert sorted(name for part in parts for name in part) == FIVE


def test_databases_in_one_folder(tmp_path: Path) -> None:
    root = write_spider(tmp_path, dev=["one"], train=["two"])
    (root / "flat").mkdir()
    (root / "database" / "one" / "one.sqlite").rename(root / "flat" / "one.sqlite")
    source = SpiderQueries(split="heldout", root=str(root), databases="flat", variations=1)
    assert source.databases(0)[0].path == (root / "flat" / "one.sqlite").resolve()
    assert len(source.databases(0)) == 2


def test_carving_takes_no_database_apart() -> None:
    names = [name for at, name in enumerate("abcdefghij") for _ in range(5 + at)]
    splits = carve_databases("x", names)
    share = Counter(splits[name] for name in names)
    assert set(share) == set(SPLITS)
    assert 0.1 < share["heldout"] / len(names) < 0.45
    assert splits == carve_databases("x", list(reversed(names)))
    assert "heldout" not in carve_databases("x", names, heldout=0.0).values()


# -- BIRD -----------------------------------------------------------------------------------------


def test_bird_has_evidence_and_difficulty(layouts: Path) -> None:
    for folder in ("bird", "bird_text"):
        tasks = [
            task
            for split in SPLITS
            for task in BirdQueries(split=split, root=str(layouts / folder))
        ]
        asked = {task.prompt for task in tasks if "1990" in task.prompt}
        assert asked == {"Films made after 1990?\nEvidence: old means before 1990"}
        assert {task.meta["difficulty"] for task in tasks} == {"simple"}


def test_bird_without_databases_executes_nothing(layouts: Path) -> None:
    source = BirdQueries(split="train", root=str(layouts / "bird_text"))
    assert not source.executes and "target.results" not in source.provides
    assert source.databases(0) == ()
    assert "what gold queries name" in source.note
    assert source.left_out == {"gold has no unique result": 1}
    assert {entity.name for entity in source.schema(0).entities} == {"film", "person"}


def test_schemas_are_read_from_files_and_queries(tmp_path: Path) -> None:
    schema = schema_of_file(write_cinema(tmp_path / "cinema.sqlite"))
    assert [entity.name for entity in schema.entities] == ["person", "film", "seen"]
    assert {relation.name for relation in schema.relations} == {
        "film.made_by",
        "seen.film_id",
        "seen.person_id",
    }
    assert schema.entities[2].key == ("film_id", "person_id")
    named = schema_of_queries("x", ["with u as (select a from t) select b.c from u join b", "(("])
    assert [(e.name, [p.name for p in e.properties]) for e in named.entities] == [
        ("b", ["c"]),
        ("t", []),
    ]


# -- graphs ---------------------------------------------------------------------------------------


def test_zograscope_checks_published_counts_and_ties(layouts: Path) -> None:
    sources = [ZograscopeQueries(split=s, root=str(layouts / "zograscope")) for s in SPLITS]
    left = sum((source.left_out for source in sources), Counter())
    # Template d has a LIMIT without an order; e was published with another number of rows.
    assert left["not the published number of rows"] == 12
    assert (
        left["gold has no unique result"] + sum("d " in t.prompt for s in sources for t in s) == 12
    )
    assert {t.meta["template"][0] for s in sources for t in s} >= {"a", "b", "c"}
    person = sources[0].schema(0).entity("Person")
    assert person is not None
    assert [(p.name, p.type) for p in person.properties] == [
        ("node_id", "integer"),
        ("name", "text"),
        ("age", "integer"),
    ]
    linked = ZograscopeQueries(split="train", root=str(layouts / "zograscope"), linked=True)
    assert linked[0].prompt.endswith("\n?")


def test_neo4j_leaves_out_and_says_what(layouts: Path) -> None:
    sources = [Neo4jText2Cypher(split=split, root=str(layouts / "neo4j")) for split in SPLITS]
    for source in sources:
        databases = len({task.meta["database"] for task in source})
        assert len(source) == 3 * databases
        assert Counter(t.meta["cut"] for t in source) == {
            "none": databases,
            "ties possible": databases,
            "total order": databases,
        }
        assert source.left_out == {
            "no schema of the database": 7,
            "marked as a syntax error": databases,
            "marked as false to the schema": databases,
            "gold cannot be read (syntax)": databases,
            "gold has no unique result": databases,
        }
        assert not source.executes and source.databases(0) == ()
        (made,) = source.schema(0).relations
        assert (made.name, made.head, made.tail, made.properties[0].type) == (
            *("MADE", "Person", "Film"),
            "date",
        )
    kept = Neo4jText2Cypher(split="train", root=str(layouts / "neo4j"), ambiguous="accept")
    assert sum(bool(task.meta.get("ambiguous")) for task in kept) == len(kept) // 4


# -- errors ---------------------------------------------------------------------------------------


def test_the_table_of_sources(layouts: Path) -> None:
    assert set(SOURCES) == set(LANGUAGES)
    source = make_source("spider", "sql", "heldout", {"root": str(layouts / "spider")})
    assert source.language == "sql" and source.split == "heldout"
    with pytest.raises(UnknownNameError, match="Did you mean 'spider'"):
        make_source("spidr", "sql", "train", {})
    with pytest.raises(ConfigError, match=r"has gold in cypher, not in sql\. In sql: bird, spider"):
        make_source("zograscope", "sql", "train", {})
    with pytest.raises(ConfigError, match="needs root="):
        make_source("bird", "sql", "train", {})
    with pytest.raises(ConfigError, match="Did you mean 'variations'"):
        make_source("spider", "sql", "train", {"root": "x", "variation": 2})


@pytest.mark.parametrize("name", ["spider", "bird", "zograscope", "neo4j_text2cypher"])
def test_a_missing_folder_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "here.txt").touch()
    arguments = {"root": str(tmp_path / "missing")}
    with pytest.raises(
        DataError, match=r"missing is missing; .* holds here\.txt\. Expected layout"
    ):
        make_source(name, LANGUAGES[name][0], "train", arguments)
    with pytest.raises(DataError, match=r"is missing; .* holds here\.txt\. Expected layout"):
        make_source(name, LANGUAGES[name][0], "train", {"root": str(tmp_path)})
    with pytest.raises(ConfigError, match="split='test'"):
        make_source(name, LANGUAGES[name][0], "test", arguments)
    with pytest.raises(ConfigError, match="ambiguous='drop'"):
        make_source(name, LANGUAGES[name][0], "train", {**arguments, "ambiguous": "drop"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[0].pop("query"), r"dev\.json, line 1: 'query' must hold text"),
        (lambda rows: rows[1].update(question=3), r"dev\.json, line 2: 'question' must hold text"),
        (lambda rows: rows.append(7), r"dev\.json, line \d+: a row is a JSON object"),
        (lambda rows: rows.clear(), "has no questions"),
    ],
)
def test_broken_rows_are_named(
    tmp_path: Path, change: Callable[[list[Any]], object], message: str
) -> None:
    root = write_spider(tmp_path, dev=["one"], train=["two"])
    rows = json.loads((root / "dev.json").read_text())
    change(rows)
    (root / "dev.json").write_text(json.dumps(rows))
    with pytest.raises(DataError, match=message):
        SpiderQueries(split="heldout", root=str(root))


def test_broken_databases_and_schemas_are_named(tmp_path: Path) -> None:
    root = write_spider(tmp_path / "a", dev=["one"], train=["two"])
    (root / "tables.json").write_text("[]")
    with pytest.raises(DataError, match="no schema of the database 'one'"):
        SpiderQueries(split="heldout", root=str(root))
    root = write_spider(tmp_path / "b", dev=["one"], train=["two"])
    (root / "database" / "one" / "one.sqlite").write_text("no database")
    with pytest.raises(DataError, match=r"one\.sqlite"):
        SpiderQueries(split="heldout", root=str(root))
    root = write_zograscope(tmp_path / "z")
    (root / "pole-data-importer.zip").write_text("no zip")
    with pytest.raises(DataError, match="cannot be read as a zip"):
        ZograscopeQueries(split="train", root=str(root))
    root = write_neo4j(tmp_path / "n")
    (root / "text2cypher_schemas.csv").write_text("database,structured_schema\none,open('x')\n")
    with pytest.raises(DataError, match=r"row 1 \(one\): structured_schema"):
        Neo4jText2Cypher(split="train", root=str(root))


# -- the published files --------------------------------------------------------------------------


@pytest.mark.data
def test_spider_heldout_of_the_copy_at_hand(graphenv_data: Path) -> None:
    root = graphenv_data / "query" / "spider"
    source = SpiderQueries(split="heldout", root=str(root), databases="database_en", variations=0)
    assert 100 < len(source) < 150
    assert source.left_out["database file missing"] == 362
    assert source.left_out["gold does not run"] == source.left_out["gold cannot be read"] == 0


@pytest.mark.data
def test_neo4j_and_bird_at_hand(graphenv_data: Path) -> None:
    root = graphenv_data / "query"
    neo4j = Neo4jText2Cypher(split="heldout", root=str(root / "neo4j_labs_text2cypher"))
    assert len(neo4j) > 1_500 and 300 < neo4j.left_out["gold has no unique result"] < 400
    bird = BirdQueries(split="heldout", root=str(root / "bird_mini_dev"))
    assert len(bird) == 101 and not bird.executes


@pytest.mark.data
@pytest.mark.soak
def test_spider_gold_and_wrong_queries(
    graphenv_data: Path, record_property: Callable[[str, object], None]
) -> None:
    root = graphenv_data / "query" / "spider"
    left: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    fooled: Counter[str] = Counter()
    tasks = 0
    for split in SPLITS:
        source = SpiderQueries(split=split, root=str(root), databases="database_en")
        left.update(source.left_out)
        tasks += len(source)
        for task in source:
            cages = [backend(database) for database in source.databases(task.index)]
            gold = [cage.run(str(task.target.program)) for cage in cages]
            assert all(isinstance(result, Rows) for result in gold), task.id
            assert execution_match(gold, gold, ordered=task.meta["ordered"]), task.id
            assert isinstance(gold[0], Rows)
            ordered = task.meta["ordered"]
            wrong = mutants(str(task.target.program), source.schema(task.index), gold[0])
            for what, query in dict.fromkeys(wrong):
                results = [cage.run(query) for cage in cages]
                if isinstance(results[0], Rows):
                    tried[what] += 1
                    alone[what] += same_rows(results[0], gold[0], ordered)
                    fooled[what] += execution_match(results, gold, ordered=ordered)
    for what, count in tried.items():
        text = f"{what}: {count} tried, {alone[what]} pass alone, {fooled[what]} with variations"
        record_property("report", f"wrong queries on Spider dev, {text}")
    record_property("report", f"Spider dev: {tasks} tasks, left out {dict(left)}")
    assert tasks >= 610
    assert sum(fooled.values()) < 0.04 * tried.total() < 0.5 * sum(alone.values())


@pytest.mark.data
@pytest.mark.soak
def test_copies_of_spider_databases_keep_gold_alive(
    graphenv_data: Path, record_property: Callable[[str, object], None]
) -> None:
    rows = json.loads((graphenv_data / "query" / "spider" / "dev.json").read_text())
    found: dict[str, Counter[str]] = {}
    for path in sorted((graphenv_data / "query" / "spider" / "database_en").glob("*.sqlite")):
        golds = [row["query"] for row in rows if row["db_id"] == path.stem]
        for name, file in (
            ("original", path),
            *((f"bare copy {seed}", vary_sqlite(path, seed)) for seed in range(3)),
        ):
            found.setdefault(name, Counter()).update(
                looked.finding for looked in audit_sqlite(file, golds)
            )
    for name, counts in found.items():
        record_property("report", f"Spider gold on {name}: {dict(counts)}")
        assert counts.total() == 672 and counts["fails"] == counts["too long"] == 0


@pytest.mark.data
@pytest.mark.soak
def test_all_zograscope_gold_runs(
    graphenv_data: Path, record_property: Callable[[str, object], None]
) -> None:
    from graphenv.query.cypher import to_ladybug

    root = graphenv_data / "query" / "zograscope"
    limits = Limits(rows=40_000, chars=50_000_000, seconds=60)
    same = total = tasks = 0
    left: Counter[str] = Counter()
    for split in SPLITS:
        source = ZograscopeQueries(split=split, root=str(root))
        left.update(source.left_out)
        tasks += len(source)
    cage = backend(source.databases(0)[0], limits=limits)
    from graphenv.envs.queries.sources.neo4j_labs import csv_rows

    for _, row in csv_rows(root / "zograscope_train_v1.csv"):
        text = to_ladybug(row["mr"], source.schema(0))
        assert isinstance(text, str), row["mr"]
        result = cage.run(text, limits)
        assert isinstance(result, Rows), (row["mr"], result)
        total += 1
        same += len(result.rows) == int(row["return_count"])
    record_property("report", f"ZOGRASCOPE: {same} of {total} gold have the published row count")
    record_property("report", f"ZOGRASCOPE: {tasks} tasks, left out {dict(left)}")
    assert total == 2_905 and same >= 2_903
