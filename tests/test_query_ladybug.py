"""Ladybug in its cage: what it answers, what it is asked to do to us, how its files are written."""

from __future__ import annotations

import dataclasses
import datetime
import os
import resource
import stat
import time
from pathlib import Path

import pytest
from attack_tables import PROBE, SECRET, Attack, people, read_attacks, state
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphenv.envs.queries.engines.backend import ENGINES, backend
from graphenv.envs.queries.engines.cypher_words import Unreadable, words
from graphenv.envs.queries.engines.guard_cypher import refuse_cypher
from graphenv.envs.queries.engines.ladybug_casts import with_casts
from graphenv.envs.queries.engines.ladybug_values import error, value
from graphenv.envs.queries.engines.protocol import Database, Limits, QueryBackend
from graphenv.envs.queries.files.contents import Contents, link_key
from graphenv.envs.queries.files.ladybug import write_ladybug
from graphenv.errors import DataError
from graphenv.query.results import QueryError, Rows
from graphenv.query.schema import EntityType, Property, RelationType, Schema

pytest.importorskip("ladybug", reason="the engine ladybug is not installed")

SMALL = Limits(seconds=0.3, memory_mb=2_048)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ladybug")


@pytest.fixture(scope="module")
def database(folder: Path) -> Database:
    (folder / "canary.csv").write_text(f"{SECRET}\n")
    return write_ladybug(people(), folder / "people.lbug")


def attacks(folder: Path, database: Database, *, slow: bool = False) -> list[Attack]:
    names = {"canary": folder / "canary.csv", "out": folder / "out", "folder": folder}
    table = read_attacks("cypher.txt", db=database.location, **names)
    return [attack for attack in table if slow or not attack.slow]


def let_through(query: str) -> None:
    """A guard that is asleep."""


# What it answers


def answer(queries: QueryBackend, query: str) -> tuple[tuple[object, ...], ...]:
    result = queries.run(query)
    assert isinstance(result, Rows), (query, result)
    return result.rows


def odd() -> Contents:
    """Awkward names and cells of every type."""
    texts = ["", "a,b", 'a"b', "a\nb", "a'b", "é✓𝄞", "\\", "\\n", " x ", "NULL", "null", "\t", '""']
    texts += ["a\r\nb", "[x]", "`", "NaN", "{a: 1}", "-", "\x01", "//", "🂡" * 50]
    thing = EntityType(
        "odd thing",
        (
            *(Property("the `key`"), Property("Order"), Property("b", "boolean")),
            *(Property("d", "date"), Property("match", "real"), Property("i", "integer")),
        ),
    )
    person = EntityType("Person", (Property("i", "integer"), Property("tags", "list")))
    since = (Property("since", "date"),)
    schema = Schema(
        "odd",
        (thing, person),
        (
            RelationType("KNOWS", "Person", "Person", since),
            RelationType("KNOWS", "Person", "odd thing", since),
            RelationType("a`b", "odd thing", "Person", (Property("l", "list"),)),
        ),
    )
    rows = tuple(
        (f"k{i}", text, i % 3 == 0, datetime.date(2020, 1, 1 + i), i / 7, -i)
        for i, text in enumerate(texts)
    )
    return Contents(
        schema,
        {
            "odd thing": (*rows, ("none", None, None, None, None, None)),
            "Person": ((1, ("x", "a,b", None)), (2, ()), (3, None)),
        },
        {
            "KNOWS (Person, Person)": ((1, 2, datetime.date(2020, 1, 1)), (2, 3, None)),
            "KNOWS (Person, odd thing)": ((1, "k1", None),),
            "a`b": (("k0", 1, ("x,y",)), ("k0", 2, None)),
        },
    )


@pytest.fixture(scope="module")
def odds(folder: Path) -> QueryBackend:
    return backend(write_ladybug(odd(), folder / "odd.lbug"))


def test_every_cell_comes_back_as_it_was_written(odds: QueryBackend) -> None:
    rows = answer(
        odds, "MATCH (n:`odd thing`) RETURN n.`the ``key```, n.`Order`, n.b, n.d, n.`match`, n.i"
    )
    written = odd().entities["odd thing"]
    assert [tuple(str(x) if isinstance(x, datetime.date) else x for x in r) for r in written] == [
        *rows
    ]
    assert answer(odds, "MATCH (p:Person) RETURN p.i, p.tags") == (
        (1, ("x", "a,b", None)),
        (2, ()),
        (3, None),
    )


def test_elements_have_no_internal_ids_and_one_form(odds: QueryBackend) -> None:
    assert answer(
        odds, "MATCH (a:Person)-[r:KNOWS]->(b) RETURN a, r, label(b) ORDER BY a.i, b.i"
    ) == (
        (("Person", ("i", 1), ("tags", ("x", "a,b", None))), ("KNOWS",), "odd thing"),
        (
            ("Person", ("i", 1), ("tags", ("x", "a,b", None))),
            ("KNOWS", ("since", "2020-01-01")),
            "Person",
        ),
        (("Person", ("i", 2), ("tags", ())), ("KNOWS",), "Person"),
    )
    path = "MATCH p = (a:Person {i: 1})-[r:KNOWS*2..2]->(:Person) RETURN p, r"
    [(whole, steps)] = answer(odds, path)
    assert isinstance(whole, tuple) and whole[0] == "path" and len(whole) == 6
    assert steps == (("KNOWS", ("since", "2020-01-01")), ("KNOWS",)) == (whole[2], whole[4])


def test_a_node_is_the_same_whatever_else_the_pattern_matches(folder: Path) -> None:
    number = EntityType("A", (Property("id", "integer"), Property("x", "real"), Property("t")))
    text = EntityType("B", (Property("id"), Property("x"), Property("t", "boolean")))
    contents = Contents(
        Schema("ab", (number, text)), {"A": ((7, 0.5, "yes"),), "B": (("7", "s", True),)}
    )
    queries = backend(write_ladybug(contents, folder / "ab.lbug"))
    alone = answer(queries, "MATCH (n:A) RETURN n") + answer(queries, "MATCH (n:B) RETURN n")
    assert answer(queries, "MATCH (n) RETURN n") == alone
    assert alone[0] == (("A", ("id", 7), ("t", "yes"), ("x", 0.5)),)


def test_values_have_one_form(odds: QueryBackend) -> None:
    asked = "RETURN {b: 1, a: [2, NULL]}, map([2, 1], ['x', 'y']), cast(3 AS INT128), 1 = 1, 2.5"
    assert answer(odds, asked) == (
        ((("a", (2, None)), ("b", 1)), ((1, "y"), (2, "x")), 3, True, 2.5),
    )
    assert value({"_ID": 1, "_NODES": 2}, {}) == (("_ID", 1), ("_NODES", 2))


@pytest.mark.parametrize(
    ("query", "kind", "says"),
    [
        ("MATCH (n:Person) RETURN n.age", "schema", "Cannot find property age for n."),
        ("MATCH (n:Persn) RETURN n", "schema", "Table Persn does not exist."),
        ("MATCH (n)-[:LIKES]->() RETURN n", "schema", "Table LIKES does not exist."),
        ("MATCH (n:Person) RETUR n", "syntax", "It cannot be read after: MATCH (n:Person) RETUR"),
        ("RETURN x", "syntax", "Variable x is not in scope."),
        ("RETURN foo(1)", "unsupported", "function FOO does not exist."),
        ("RETURN 1 + 'a'", "runtime", "+(INT64,STRING)."),
        ("RETURN labels([1])", "runtime", "Actual: (INT64[])"),
        ("RETURN 1 / 0", "runtime", "Divide by zero."),
    ],
)
def test_errors_have_a_kind_and_a_short_reason(
    odds: QueryBackend, query: str, kind: str, says: str
) -> None:
    result = odds.run(query)
    assert isinstance(result, QueryError)
    assert result.kind == kind and result.reason.endswith(says) and len(result.reason) < 310
    if kind != "runtime" or "INT64" in says:
        assert odds.check(query) == result


def test_the_plan_names_what_is_done(odds: QueryBackend) -> None:
    plan = odds.check("MATCH (p:Person) WHERE p.i > 1 RETURN p.i")
    assert plan == Rows(
        ("operator", "details"),
        (
            ("RESULT_COLLECTOR", "Expressions: p.i"),
            ("PROJECTION", "Expressions: p.i"),
            ("FILTER", "GREATER_THAN(p.i)"),
            ("SCAN_NODE_TABLE", "Tables: Person Alias: p Properties: p.i"),
        ),
    )


@pytest.mark.parametrize(
    ("query", "repaired"),
    [
        ("RETURN n.a =~ 'x'", "RETURN STRING(n.a) =~ 'x'"),
        ("RETURN 'a' =~ 'x' AND 1 =~ 'x'", "RETURN 'a' =~ 'x' AND STRING(1) =~ 'x'"),
        ("RETURN f(n.a, (1)) =~ n.b.c", "RETURN STRING(f(n.a, (1))) =~ STRING(n.b.c)"),
        ("WHERE (n.a) =~ ('x' + n.b)", "WHERE STRING((n.a)) =~ STRING(('x' + n.b))"),
        ("RETURN {a: 1}.a =~ 'x'", "RETURN STRING({a: 1}.a) =~ 'x'"),
        ("RETURN x.case.`a b` =~ 'x'", "RETURN STRING(x.case.`a b`) =~ 'x'"),
        ("RETURN CASE 1 WHEN 1 THEN 2 END=~'x'", "RETURN STRING(CASE 1 WHEN 1 THEN 2 END)=~'x'"),
        ("RETURN 'a' =~ CASE WHEN a THEN 2 END", "RETURN 'a' =~ STRING(CASE WHEN a THEN 2 END)"),
        ("RETURN a =~ b.c =~ d", "RETURN STRING(a) =~ STRING(STRING(b.c)) =~ STRING(d)"),
        ("RETURN Split_Part(a, 'x', 1)", "RETURN Split_Part(STRING(a), 'x', 1)"),
        ("regexp_replace(f(a, 1), b, 'c')", "regexp_replace(STRING(f(a, 1)), STRING(b), 'c')"),
        ("RETURN '=~' // n.a =~ 'x'", "RETURN '=~' // n.a =~ 'x'"),
        ("=~", "=~"),
        ("x =~", "x =~"),
    ],
)  # fmt: skip
def test_forgotten_casts_are_written(query: str, repaired: str) -> None:
    assert with_casts(query) == repaired


def test_a_pattern_over_a_number_is_a_pattern_over_its_text(database: Database) -> None:
    queries = backend(database)
    for query in (
        "MATCH (n:Person) WHERE n.born =~ '190.' RETURN count(*)",
        "MATCH (n:Person) WHERE n.born STARTS WITH '190' RETURN count(*)",
        "MATCH (n:Person) WITH n.born AS b WHERE regexp_full_match(b, '190.') RETURN count(*)",
    ):
        assert answer(queries, query) == ((10,),), query


# What it is asked to do to us


def test_attacks_end_with_a_status(folder: Path, database: Database) -> None:
    table = attacks(folder, database)
    assert len(table) > 350
    queries = backend(database, limits=SMALL)
    expected = queries.run(PROBE)
    assert isinstance(expected, Rows)
    before = state(folder, database)
    rights = resource.getrlimit(resource.RLIMIT_NOFILE)
    wrong: list[object] = []
    for attack in table:
        started = time.perf_counter()
        result = queries.run(attack.query)
        took = time.perf_counter() - started
        died = isinstance(result, QueryError) and result.kind in ("crash", "timeout", "memory")
        if not attack.ends_well(result) or SECRET in repr(result) or took > 5:
            wrong.append((attack.name, result, round(took, 2)))
        # The next query of somebody else, uncached because of its text.
        if died:
            after = queries.run(f"{PROBE} // {attack.line}")
            if after != expected:
                wrong.append((attack.name, "then", after))
    assert not wrong
    assert state(folder, database) == before
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == rights


def test_behind_the_guard_nothing_is_read_written_or_leaked_either(
    folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = dataclasses.replace(ENGINES["ladybug"], guard=f"{__name__}:let_through")
    monkeypatch.setitem(ENGINES, "ladybug", asleep)
    # Another digest: results of the guarded run are not taken from the cache.
    queries = backend(dataclasses.replace(database, digest="behind the guard"), limits=SMALL)

    def settings_now(again: int) -> list[object]:
        asked = (
            "timeout",
            "threads",
            "var_length_extend_max_depth",
            "progress_bar",
            "spill_to_disk",
        )
        calls = [f"CALL current_setting('{name}') RETURN *" for name in asked]
        calls += ["CALL show_attached_databases() RETURN *", "CALL show_macros() RETURN *"]
        calls += ["CALL show_loaded_extensions() RETURN *", "CALL show_projected_graphs() RETURN *"]
        calls += ["CALL show_tables() RETURN *", PROBE]
        return [queries.run(f"{call} // {again}", SMALL) for call in calls]

    before, at_first = state(folder, database), settings_now(0)
    assert sum(isinstance(result, Rows) for result in at_first) >= 8
    wrong: list[object] = []
    for number, attack in enumerate(attacks(folder, database)):
        if refuse_cypher(attack.query) is None or len(attack.query) > 300:
            continue  # what the guard lets through is tried above
        result = queries.run(attack.query)
        if SECRET in repr(result) or "root:" in repr(result):
            wrong.append((attack.name, result))
        taken = attack.query.upper().startswith(("LOAD", "COPY", "EXPORT", "ATTACH", "INSTALL"))
        if taken and isinstance(result, Rows):
            wrong.append((attack.name, result))
        if number % 20 == 0 and (now := settings_now(attack.line)) != at_first:
            wrong.append((attack.name, now))
    assert not wrong
    assert settings_now(-1) == at_first
    # EXPORT makes its folder, which no limit of files forbids, and can put nothing into it.
    if (folder / "out").exists():
        assert list((folder / "out").iterdir()) == []
        (folder / "out").rmdir()
    assert state(folder, database) == before


def test_a_dead_worker_is_back_within_half_a_second(database: Database) -> None:
    queries = backend(database, limits=SMALL)
    queries.run("RETURN 0")
    times = []
    for turn in range(5):
        killed = queries.run(f"RETURN properties(NULL) // {turn}")
        assert isinstance(killed, QueryError) and killed.kind == "crash"
        started = time.perf_counter()
        assert answer(queries, f"RETURN {turn}") == ((turn,),)
        times.append(time.perf_counter() - started)
    # The best of five, and what other processes take of the cores is theirs.
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert min(times) < 0.5 * crowd, times


def test_a_batch_keeps_the_results_beside_a_crash(database: Database) -> None:
    batch = [f"RETURN {i}" if i % 3 else f"RETURN rels(NULL) // {i}" for i in range(9)]
    for workers in (1, 2):
        many = backend(dataclasses.replace(database, digest=f"{workers}"), workers=workers)
        results = many.run_many(batch)
        kinds = [r.kind if isinstance(r, QueryError) else r.rows[0][0] for r in results]
        assert kinds == ["crash", 1, 2, "crash", 4, 5, "crash", 7, 8]


@given(text=st.text(max_size=60))
@settings(max_examples=150)
def test_any_text_is_cut_or_refused(text: str) -> None:
    try:
        found = words(text)
    except Unreadable:
        pass
    else:
        assert all(text[word.start : word.end] == word.text for word in found)
        covered = "".join(word.text for word in found)
        assert not (set(covered) - set(text))
    refused = refuse_cypher(text)
    assert refused is None or (refused.kind in ("refused", "syntax") and refused.reason)


@given(
    clause=st.sampled_from(["CREATE (:X)", "SET n.a = 1", "LOAD FROM 'x' RETURN 1", "DELETE n"]),
    before=st.sampled_from(["MATCH (n)", "MATCH (n) WITH *", "UNWIND [1] AS x", "RETURN n.as"]),
    space=st.sampled_from([" ", "\n", "/**/", "/* ' */", "// `\n", "\t", "\u3000"]),
    case=st.sampled_from([str, str.lower, str.title]),
)  # fmt: skip
@settings(max_examples=100)
def test_a_denied_clause_is_seen_in_any_dress(
    clause: str, before: str, space: str, case: type
) -> None:
    refused = refuse_cypher(f"{before}{space}{case(clause)}")
    assert refused is not None and refused.kind == "refused"


@pytest.mark.data
def test_the_guard_lets_published_gold_through(graphenv_data: Path) -> None:
    import csv

    csv.field_size_limit(2**24)
    with (graphenv_data / "query/zograscope/zograscope_train_v1.csv").open(
        encoding="utf-8"
    ) as file:
        gold = [row["mr"] for row in csv.DictReader(file)]
    assert len(gold) == 2_905
    assert not [query for query in gold if refuse_cypher(query)]


# How its files are written


def test_a_file_is_whole_and_nobody_may_write_it(folder: Path, database: Database) -> None:
    assert stat.S_IMODE(database.path.stat().st_mode) == 0o444
    assert write_ladybug(people(), database.path) == database  # replaces it
    assert write_ladybug(people(61), folder / "more" / "x.lbug").digest != database.digest
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def broken(**changes: object) -> Contents:
    return dataclasses.replace(people(3), **changes)


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (broken(entities={"Person": (("a", 1), ("a", 2))}), "duplicated primary key"),
        (broken(entities={"Person": (("a", "x"),)}, links={}), "Do all rows fit the schema"),
        (broken(links={"KNOWS": (("p0", "nobody"),)}), "nobody"),
        (dataclasses.replace(odd(), links={"a`b": (("k0", 9, ()),)}), "1 links have a key"),
        (broken(links={"LIKES": ()}), "LIKES"),
        (broken(entities={"Dog": ()}), "Dog"),
        (Contents(Schema("s", (EntityType("A"),)), {}, {"KNOWS": ()}), "KNOWS"),
        (Contents(Schema("s", (EntityType("A"), EntityType("a"))), {}), "twice"),
        (Contents(Schema("s", (EntityType("A"),)), {}), "no key"),
    ],
)
def test_contents_that_cannot_be_written_are_said(
    contents: Contents, says: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=says):
        write_ladybug(contents, tmp_path / "x.lbug")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.lbug").write_bytes(b"no database" * 1000)
    with pytest.raises(DataError, match=r"x\.lbug"):
        backend(Database("ladybug", str(tmp_path / "x.lbug"), "x")).run("RETURN 1")
    with pytest.raises(DataError, match=r"missing\.lbug"):
        backend(Database("ladybug", str(tmp_path / "missing.lbug"), "x"))


CELLS = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0")))
LISTS = st.one_of(st.none(), st.lists(CELLS, max_size=3).map(tuple))
NUMBERS = st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1))
REALS = st.one_of(st.none(), st.floats(allow_nan=False, width=64))
DATES = st.one_of(st.none(), st.dates())


@pytest.mark.parametrize("lists", [False, True])
def test_any_contents_come_back(tmp_path: Path, lists: bool) -> None:
    from graphenv.envs.queries.engines.ladybug import LadybugEngine

    kinds = ("integer", "text", "integer", "real", "date", "boolean", "list" if lists else "text")
    thing = EntityType("T", tuple(Property(f"c{i}", kind) for i, kind in enumerate(kinds)))
    row = st.tuples(CELLS, NUMBERS, REALS, DATES, st.booleans(), LISTS if lists else CELLS)

    @given(rows=st.lists(row, max_size=5))
    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    def check(rows: list[tuple[object, ...]]) -> None:
        written = tuple((i, *cells) for i, cells in enumerate(rows))
        engine = LadybugEngine()
        path = tmp_path / "x.lbug"
        engine.open(
            write_ladybug(Contents(Schema("s", (thing,)), {"T": written}), path).location, Limits()
        )
        result = engine.run("MATCH (n:T) RETURN n.*", Limits())
        assert isinstance(result, Rows)
        assert result.rows == tuple(
            tuple(cell.isoformat() if isinstance(cell, datetime.date) else cell for cell in cells)
            for cells in written
        )

    check()


def test_keywords_iso_dates_and_nothing_at_all(tmp_path: Path) -> None:
    a = EntityType("A", (Property("id", "integer"), Property("l", "list"), Property("d", "date")))
    match = EntityType("match", (Property("order"), Property("case", "real")))
    limit = RelationType("LIMIT", "A", "match", (Property("d", "date"), Property("l", "list")))
    schema = Schema("x", (a, match), (limit,))
    contents = Contents(
        schema,
        {"A": ((1, ("a",), "2020-01-02"), (2, None, None)), "match": (("x", 1),)},
        {"LIMIT": ((1, "x", "2020-01-03", ("q",)), (2, "x", None, None))},
    )
    queries = backend(write_ladybug(contents, tmp_path / "x.lbug"))
    node = ("match", ("case", 1.0), ("order", "x"))
    assert answer(queries, "MATCH (a:A)-[r:`LIMIT`]->(b:`match`) RETURN a.d, r, b") == (
        ("2020-01-02", ("LIMIT", ("d", "2020-01-03"), ("l", ("q",))), node),
        (None, ("LIMIT",), node),
    )
    for nothing in (Contents(schema, {}), Contents(Schema("none", ()), {})):
        path = tmp_path / f"{nothing.schema.name}.lbug"
        assert answer(backend(write_ladybug(nothing, path)), "MATCH (n) RETURN n") == ()


def test_keys_of_links() -> None:
    schema = odd().schema
    assert [link_key(schema, relation) for relation in schema.relations] == [*odd().links]


def test_messages_of_the_engine_that_are_rare() -> None:
    assert error("std::bad_alloc").kind == "memory"
    assert error("Interrupted.").kind == "timeout"
    assert error("Catalog exception: s does not exist in catalog.").kind == "schema"
    assert os.sep not in error('Assertion failed in file "/a/b/c.cpp" on line 4').reason
