"""The synthetic source of queries: one question, two languages, three ways to the same answer."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graphenv.envs.cache import cache_folder, cached
from graphenv.envs.queries.files.contents import Contents
from graphenv.envs.queries.files.sqlite import contents_digest, write_sqlite
from graphenv.envs.queries.sources.synthetic import SyntheticQueries
from graphenv.envs.queries.sources.synthetic.evaluate import evaluate
from graphenv.envs.queries.sources.synthetic.frames import FRAMES
from graphenv.envs.queries.sources.synthetic.kinds import FEATURES, KINDS
from graphenv.envs.queries.sources.synthetic.plan import Filter, Plan
from graphenv.envs.queries.sources.synthetic.source import WORLDS
from graphenv.envs.queries.sources.synthetic.space import make_space
from graphenv.envs.queries.sources.synthetic.wording import frames_of
from graphenv.envs.queries.sources.synthetic.world import DOMAINS, make_world
from graphenv.errors import ConfigError, DataError
from graphenv.query.results import Rows
from graphenv.query.schema import EntityType, Property, RelationType, Schema
from graphenv.task import SPLITS

Kwargs = dict[str, Any]
SMALL: Kwargs = {"worlds": 2, "tasks": 500, "size": 200}


CHECK_ROOM = SyntheticQueries._check_room


@pytest.fixture(autouse=True, scope="module")
def _cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAPHENV_CACHE", str(tmp_path_factory.mktemp("cache")))
        # A second for every source, and questions that are missing are noticed here anyway.
        patch.setattr(SyntheticQueries, "_check_room", lambda source: None)
        yield


def both(split: str = "train", **kwargs: Any) -> tuple[SyntheticQueries, SyntheticQueries]:
    arguments = {**SMALL, **kwargs}
    return SyntheticQueries("sql", split, **arguments), SyntheticQueries(
        "cypher", split, **arguments
    )


def same(found: Any, wanted: Any, *, ordered: bool) -> bool:
    """Return whether rows are equal, in any order if none was asked for."""
    a, b = ([tuple(map(_cell, row)) for row in rows] for rows in (found, wanted))
    return a == b if ordered else sorted(a, key=repr) == sorted(b, key=repr)


def _cell(value: Any) -> Any:
    # Averages may differ in the last digit.
    return value if value is None or isinstance(value, str) else round(float(value), 6)


# -- the oracle and the engines -------------------------------------------------------------------


def check_sqlite(source: SyntheticQueries, indices: range) -> None:
    for index in indices:
        problem, task = source.problem(index), source[index]
        for database, answer in zip(source.databases(index), problem.answers, strict=True):
            with closing(sqlite3.connect(f"file:{database.path}?mode=ro", uri=True)) as connection:
                rows = connection.execute(str(task.target.program)).fetchall()
            ordered = task.meta["ordered"]
            assert same(rows, answer.rows, ordered=ordered), task.target.program


def check_ladybug(source: SyntheticQueries, indices: range, *, databases: int) -> None:
    pytest.importorskip("ladybug")
    from graphenv.envs.queries.engines.backend import backend

    caged: dict[str, Any] = {}
    for index in indices:
        problem, task = source.problem(index), source[index]
        for database, answer in zip(source.databases(index), problem.answers[:databases]):  # noqa: B905
            if database.location not in caged:
                caged[database.location] = backend(database, workers=1)
            result = caged[database.location].run(str(task.target.program))
            assert isinstance(result, Rows), (task.target.program, result)
            ordered = task.meta["ordered"]
            assert same(result.rows, answer.rows, ordered=ordered), task.target.program


def test_gold_sql_returns_the_answer_of_plain_python_on_every_database():
    check_sqlite(SyntheticQueries("sql", "train", **SMALL), range(120))


def test_gold_cypher_returns_the_answer_of_plain_python():
    source = SyntheticQueries("cypher", "heldout", worlds=1, tasks=300, size=200)
    check_ladybug(source, range(120), databases=1)


@pytest.mark.soak
@pytest.mark.parametrize("split", SPLITS)
def test_many_gold_queries_agree(split: str):
    check_sqlite(SyntheticQueries("sql", split), range(5_000))
    check_ladybug(SyntheticQueries("cypher", split, worlds=3), range(5_000), databases=3)


# -- questions ------------------------------------------------------------------------------------


def test_a_task_is_the_same_question_in_both_languages():
    sql, cypher = both()
    for index in range(60):
        a, b = sql[index], cypher[index]
        assert a.messages == b.messages and a.index == b.index and a.meta == b.meta
        assert str(a.target.program).startswith(("SELECT ", "WITH RECURSIVE "))
        assert str(b.target.program).startswith("MATCH ")
        assert [e.name for e in cypher.schema(index).entities] == [
            e.name for e in sql.schema(index).entities if sql.schema(index).entity(e.name)
        ][: len(cypher.schema(index).entities)]


def literals(plan: Plan) -> list[Filter]:
    found = [*plan.pattern.filters, *(plan.other.filters if plan.other else ())]
    found += plan.absent.filters if plan.absent else ()
    return found + list(plan.compare.inner.filters if plan.compare else ())


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_a_question_says_every_condition_and_every_kind_of_thing(split: str):
    source = SyntheticQueries("sql", split, **SMALL)
    for index in range(120):
        problem, text = source.problem(index), source[index].messages[0]["content"]
        for condition in literals(problem.plan):
            values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            for value in values:
                if isinstance(value, bool) or value is None:
                    continue
                assert str(value) in text, (text, condition)
        assert text[0].isupper() and "{" not in text and "  " not in text, text


def test_answers_are_never_empty_and_differ_on_every_variation():
    source = SyntheticQueries("sql", "validation", **SMALL)
    for index in range(100):
        main, *others = source.problem(index).answers
        assert main.rows and main.unique and len(others) == 2
        for other in others:
            assert other.rows and other.unique and set(other.rows) != set(main.rows)


def test_some_row_stands_on_every_cut():
    """`<` for `<=` is wrong on one of the databases at least."""
    source, over = SyntheticQueries("sql", "train", **SMALL), {"<": "<=", "<=": "<", ">": ">="}
    tried = 0
    for index in range(120):
        problem = source.problem(index)
        filters = problem.plan.pattern.filters
        tables = make_space("train", source._place(index)[0], 0, 200).options.tables
        for at, condition in enumerate(filters):
            if condition.op not in over or problem.plan.compare is not None:
                continue
            moved = replace(condition, op=over[condition.op])
            pattern = replace(
                problem.plan.pattern, filters=(*filters[:at], moved, *filters[at + 1 :])
            )
            answers = [evaluate(replace(problem.plan, pattern=pattern), t) for t in tables]
            pairs = zip(answers, problem.answers, strict=True)
            assert any(set(a.rows) != set(b.rows) for a, b in pairs), source[index].messages
            tried += 1
    assert tried > 20


def test_no_answer_to_a_count_is_common():
    source = SyntheticQueries("sql", "train", features=["aggregation"], **SMALL)
    counts = [
        source.problem(i).answers[0].rows[0][0]
        for i in range(300)
        if source[i].meta["kind"] == "count"
    ]
    assert min(counts) > 1 and max(map(counts.count, counts)) < 0.4 * len(counts)


def test_every_kind_has_five_wordings_and_some_held_out():
    for kind in KINDS:
        assert len(frames_of(kind.name, "seen")) >= 5
        assert len(frames_of(kind.name, "unseen")) >= 2
    for frames in FRAMES.values():
        assert not set(frames["seen"]) & set(frames["unseen"])


def test_held_out_wordings_occur_in_heldout_only():
    for split, wanted in (("train", {"seen"}), ("heldout", {"seen", "unseen"})):
        source = SyntheticQueries("sql", split, **SMALL)
        assert {source[i].meta["wording"] for i in range(40)} == wanted
    unseen = SyntheticQueries("sql", "heldout", paraphrases="unseen", **SMALL)
    assert {unseen[i].meta["wording"] for i in range(20)} == {"unseen"}


@pytest.mark.parametrize("hops", [0, 1, 2, 3])
def test_difficulty_is_what_was_asked_for(hops: int):
    plain = SyntheticQueries("sql", "train", hops=hops, features=[], **SMALL)
    some = SyntheticQueries("sql", "train", hops=hops, features=["negation", "ordering"], **SMALL)
    for index in range(30):
        assert plain[index].meta["features"] == [] and plain[index].meta["hops"] == hops
        assert set(some[index].meta["features"]) <= {"negation", "ordering"}
        plan = some.problem(index).plan
        assert len(plan.pattern.steps) + (plan.absent is not None) == hops


def test_by_default_questions_use_every_feature():
    source = SyntheticQueries("sql", "train", **SMALL)
    assert {f for i in range(150) for f in source[i].meta["features"]} == set(FEATURES)


# -- splits ---------------------------------------------------------------------------------------


def test_splits_share_no_domain_and_no_noun():
    nouns: dict[str, set[str]] = {}
    for split, domains in DOMAINS.items():
        labels = {label for d in domains for e in d.entities for label in e.labels}
        nouns[split] = {word.lower() for pair in labels for word in pair}
    assert not nouns["train"] & nouns["validation"]
    assert not nouns["train"] & nouns["heldout"]
    assert not nouns["validation"] & nouns["heldout"]


def test_slots_are_distinct_plans_and_twelfths_cut_them():
    space = make_space("train", 0, 0, 200)
    kinds = [kind for kind in KINDS if kind.name in ("list", "top", "without", "both", "either")]
    for kind in kinds:
        cell = space.cell(kind, kind.hops[0], 0)
        ranks = range(min(cell.offsets[-1], 3_000))
        plans = [plan for rank in ranks if (plan := space.plan(cell, rank)) is not None]
        assert len(set(plans)) == len(plans) > 10
        regions = [cell.region(split) for split in SPLITS]
        assert [low for low, _ in regions] == [0, regions[0][1], regions[0][1] + regions[1][1]]
        assert sum(count for _, count in regions) == cell.offsets[-1]


@pytest.mark.parametrize(("name", "hops", "extras"), [
    ("list", 0, 1), ("list", 1, 2), ("pairs", 1, 1), ("both", 2, 0), ("either", 1, 0),
])  # fmt: skip
def test_no_two_slots_say_the_same_in_another_order(name: str, hops: int, extras: int):
    space = make_space("train", 2, 0, 200)
    kind = next(kind for kind in KINDS if kind.name == name)
    cell = space.cell(kind, hops, extras)
    plans = [plan for rank in range(4_000) if (plan := space.plan(cell, rank)) is not None]
    assert len(set(map(meaning, plans))) == len(plans) > 200


def meaning(plan: Plan) -> frozenset[Any]:
    """Return the branches of a plan as a set, each with its conditions as a set."""
    patterns = [p for p in (plan.pattern, plan.other) if p is not None]
    if plan.kind == "both":
        first = plan.pattern
        patterns = [
            replace(first, types=(first.types[0], end), steps=(step,), filters=tuple(
                replace(f, at=1 if f.at else 0) for f in first.filters if f.at in (0, at)
            ))
            for at, (end, step) in enumerate(zip(first.types[1:], first.steps, strict=True), 1)
        ]  # fmt: skip
    return frozenset((p.types, p.steps, frozenset(p.filters)) for p in patterns)


@pytest.mark.parametrize("schemas", ["seen", "unseen"])
def test_no_question_is_in_two_splits(schemas: str):
    texts: dict[str, set[str]] = {}
    plans: dict[str, set[Any]] = {}
    for split in SPLITS:
        source = SyntheticQueries("sql", split, schemas=schemas, worlds=1, tasks=500, size=200)
        tasks = [source[i] for i in range(80)]
        texts[split] = {t.messages[0]["content"] for t in tasks}
        plans[split] = {
            (t.meta["database"], source.problem(t.index).plan.pattern.types, t.target.program)
            for t in tasks
        }
        names = {t.meta["database"] for t in tasks}
        assert (names == {"cinema_0"}) == (split == "train" or schemas == "seen")
    for a, b in (("train", "validation"), ("train", "heldout"), ("validation", "heldout")):
        assert not texts[a] & texts[b] and not plans[a] & plans[b]


def test_tasks_hardly_repeat():
    assert len(SyntheticQueries("sql", "train")) == 50_000
    source = SyntheticQueries("sql", "train", worlds=1, tasks=3_000, size=200)
    programs = [(source[i].meta["database"], source[i].target.program) for i in range(250)]
    assert len(set(programs)) > 0.98 * len(programs)


@pytest.mark.soak
def test_fifty_thousand_tasks_are_distinct_and_in_no_other_split():
    found = {}
    for split in SPLITS:
        source = SyntheticQueries("sql", split, schemas="seen")
        rows = [(t.meta["database"], t.target.program, t.messages[0]["content"]) for t in source]
        found[split] = rows
    train = found["train"]
    assert len({row[:2] for row in train}) == len(train) == 50_000
    for at in ((0, 1), (0, 2)):
        keys = [{tuple(row[i] for i in at) for row in found[split]} for split in SPLITS]
        assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]


# -- worlds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
def test_worlds_are_large_enough_and_well_named(split: str):
    worlds = [make_world(split, number, 0, 400) for number in range(WORLDS[split])]
    assert len({world.name for world in worlds}) == len(worlds)
    assert sum(len(rows) for w in worlds for rows in w.contents[0].entities.values()) >= 2_000
    assert len({name for w in worlds for name in w.links}) >= 30
    for world in worlds:
        tables = [e.name.lower() for e in world.sql_schema.entities]
        assert len(set(tables)) == len(tables)
        for entity in world.sql_schema.entities:
            columns = [p.name.lower() for p in entity.properties]
            assert len(set(columns)) == len(columns)
        for thing in world.things.values():
            for contents in world.contents:
                names = [row[1] for row in contents.entities[thing.label]]
                assert len(set(names)) == len(names) and set(thing.core) < set(names)
        digests = {contents_digest(contents) for contents in world.contents}
        assert len(digests) == 3


def test_worlds_of_a_domain_differ_in_their_schema():
    schemas = [make_world("train", 8 * i, 0, 200).graph_schema for i in range(6)]
    assert len({json.dumps(s.to_json()["relations"]) for s in schemas}) > 3


# -- sources as the environments use them ---------------------------------------------------------

SCRIPT = """
from graphenv.envs.queries.sources.synthetic import SyntheticQueries
source = SyntheticQueries("cypher", "heldout", worlds=2, tasks=100, size=200)
print(source.fingerprint)
for i in (0, 7, 42):
    print(source[i].messages[0]["content"], source[i].target.program)
"""


def test_tasks_are_the_same_in_every_process():
    outputs = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1 and len(outputs.pop().splitlines()) == 4


def test_sources_pickle_and_have_a_fingerprint_of_their_arguments():
    source, cypher = both()
    again = pickle.loads(pickle.dumps(source))
    assert again[5] == source[5] and again.fingerprint == source.fingerprint
    changes: list[Kwargs] = [
        {"seed": 1},
        {"hops": 1},
        {"features": []},
        {"size": 300},
        {"tasks": 9},
    ]
    others = [SyntheticQueries("sql", "train", **{**SMALL, **change}) for change in changes]
    others.append(cypher)
    assert len({source.fingerprint, *(other.fingerprint for other in others)}) == 7


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"hops": 4}, "from 0 to 3"),
        ({"hops": []}, "from 0 to 3"),
        ({"features": ["agregation"]}, "Did you mean 'aggregation'"),
        ({"features": 3}, "list of names"),
        ({"paraphrases": "unseen"}, "split='heldout' only"),
        ({"paraphrases": "all"}, "not one of"),
        ({"schemas": "both"}, "not one of"),
        ({"size": 10}, "200 to 5000"),
        ({"worlds": 0}, "from 1"),
        ({"tasks": True}, "from 1"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_arguments_are_refused_in_words(arguments: Kwargs, words: str):
    with pytest.raises(ConfigError, match=words):
        SyntheticQueries("sql", "train", **arguments)


def test_more_tasks_than_questions_are_refused_at_once(monkeypatch: pytest.MonkeyPatch):
    plain: Kwargs = {"worlds": 1, "size": 200, "hops": 0, "features": []}
    enough = SyntheticQueries("sql", "train", **plain, tasks=20)
    CHECK_ROOM(enough)
    with pytest.raises(ConfigError, match=r"no 1000000 good .* Set tasks=\d+, raise worlds"):
        CHECK_ROOM(SyntheticQueries("sql", "train", **plain, tasks=1_000_000))
    monkeypatch.delattr(SyntheticQueries, "_fits")  # what was found once is not looked for again
    CHECK_ROOM(SyntheticQueries("cypher", "train", **plain, tasks=20))
    with pytest.raises(AttributeError):
        CHECK_ROOM(SyntheticQueries("sql", "train", **plain, tasks=21))


def test_an_index_outside_is_refused():
    source = SyntheticQueries("sql", "train", **SMALL)
    for index in (-1, 500):
        with pytest.raises(IndexError, match="500 tasks"):
            source[index]


# -- files ----------------------------------------------------------------------------------------

FILM = EntityType("Film", (Property("id", "integer"), Property("title")), ("id",))
ACTOR = EntityType("Actor", (Property("id", "integer"), Property("name")), ("id",))
PLAYS = RelationType(
    *("PLAYS", "Actor", "Film", (Property("role"),)),
    joins=(("plays.actor_id", "Actor.id"), ("plays.film_id", "Film.id")),
    via="plays",
)
SEQUEL = RelationType("SEQUEL_OF", "Film", "Film", joins=(("Film.sequel_of_id", "Film.id"),))


def small_contents(**links: Any) -> Contents:
    return Contents(
        Schema("small", (FILM, ACTOR), (PLAYS, SEQUEL)),
        {"Film": ((1, "Heat"), (2, "It's 'Heat' 2")), "Actor": ((7, "Ida"),)},
        {"PLAYS": ((7, 1, "cop"), (7, 2, "thief")), "SEQUEL_OF": ((2, 1),), **links},
    )


def test_sqlite_files_hold_tables_keys_and_link_tables(tmp_path: Path):
    database = write_sqlite(small_contents(), tmp_path / "small.sqlite")
    assert not os.stat(database.path).st_mode & 0o222
    assert os.listdir(tmp_path) == ["small.sqlite"]
    with closing(sqlite3.connect(f"file:{database.path}?mode=ro", uri=True)) as connection:
        films = connection.execute("SELECT * FROM Film ORDER BY id").fetchall()
        roles = connection.execute("SELECT * FROM plays ORDER BY film_id").fetchall()
        keys = connection.execute("PRAGMA foreign_key_list(plays)").fetchall()
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert films == [(1, "Heat", None), (2, "It's 'Heat' 2", 1)]
    assert roles == [(7, 1, "cop"), (7, 2, "thief")]
    assert {(key[2], key[3], key[4]) for key in keys} == {
        ("Actor", "actor_id", "id"), ("Film", "film_id", "id")
    }  # fmt: skip
    assert write_sqlite(small_contents(), tmp_path / "again.sqlite").digest == database.digest
    other = write_sqlite(small_contents(SEQUEL_OF=()), tmp_path / "other.sqlite")
    assert other.digest != database.digest


def test_contents_that_no_table_can_hold_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="has two of it"):
        write_sqlite(small_contents(SEQUEL_OF=((2, 1), (2, 2))), tmp_path / "a.sqlite")
    bare = Schema("bare", (FILM,), (RelationType("R", "Film", "Film"),))
    with pytest.raises(DataError, match="does not say how tables store it"):
        write_sqlite(Contents(bare, {"Film": ()}), tmp_path / "b.sqlite")
    assert os.listdir(tmp_path) == []


def test_the_cache_makes_a_file_once_and_never_shows_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRAPHENV_CACHE", str(tmp_path / "cache"))
    calls = []

    def make(path: Path) -> None:
        calls.append(path)
        path.write_text("half")
        path.write_text("whole")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: cached("a.txt", "0123", make), range(16)))
    assert len(set(found)) == 1 and found[0].read_text() == "whole"
    before = len(calls)
    assert cached("a.txt", "0123", make) == found[0] and len(calls) == before
    assert cached("a.txt", "4567", make) != found[0]
    assert [p.name for p in found[0].parent.iterdir()] == ["a.txt"]
    assert cache_folder() in found[0].parents


def test_the_cache_keeps_nothing_of_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRAPHENV_CACHE", str(tmp_path))

    def fail(path: Path) -> None:
        path.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cached("a.txt", "89ab", fail)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    with pytest.raises(DataError, match="cannot name a file"):
        cached("../a.txt", "89ab", fail)


def test_database_files_come_from_the_cache():
    source, other = (SyntheticQueries("sql", "train", **{**SMALL, "tasks": n}) for n in (10, 20))
    (first,) = {source.databases(i) for i in range(10) if source[i].meta["database"] == "cinema_0"}
    (again,) = {other.databases(i) for i in range(20) if other[i].meta["database"] == "cinema_0"}
    assert first == again and len({d.digest for d in first}) == 3
    assert all(d.engine == "sqlite" and cache_folder() in d.path.parents for d in first)
