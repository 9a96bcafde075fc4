"""Seeded copies of databases, and what makes a result the only right one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_sources_fixture import FILMS, write_cinema

from graphenv.envs.queries.engines.protocol import Limits
from graphenv.envs.queries.files.contents import Contents
from graphenv.envs.queries.files.tables import read_only
from graphenv.envs.queries.gold.columns import Cell, fresh_values, shuffled
from graphenv.envs.queries.gold.findings import Finding, Looked, content_of, telling_copies
from graphenv.envs.queries.gold.graph_audit import tie_query
from graphenv.envs.queries.gold.graph_copies import vary_contents
from graphenv.envs.queries.gold.sqlite_audit import audit_sqlite, tie_breaks
from graphenv.envs.queries.gold.sqlite_copies import Witness, vary_sqlite, write_variation
from graphenv.envs.queries.gold.uniqueness import Cut, worst_cut
from graphenv.envs.queries.gold.witnesses import witnesses
from graphenv.errors import DataError
from graphenv.query.cypher import read_cypher
from graphenv.query.model import Query
from graphenv.query.results import Rows
from graphenv.query.schema import EntityType, Property, RelationType, Schema
from graphenv.seeding import rng


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHENV_CACHE", str(tmp_path / "cache"))


def _all(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(read_only(path)) as connection:
        return connection.execute(query).fetchall()


def _dump(path: Path) -> list[str]:
    with closing(read_only(path)) as connection:
        return list(connection.iterdump())


# -- copies of SQLite files -----------------------------------------------------------------------


def test_a_copy_is_a_function_of_its_seed(tmp_path: Path) -> None:
    cinema = write_cinema(tmp_path / "cinema.sqlite")
    before = cinema.read_bytes()
    first, again, other = (tmp_path / name for name in ("a", "b", "c"))
    write_variation(cinema, first, 1)
    write_variation(cinema, again, 1)
    write_variation(cinema, other, 2)
    assert _dump(first) == _dump(again)
    assert _dump(first) != _dump(other)
    assert _dump(first) != _dump(cinema)
    assert cinema.read_bytes() == before


@pytest.mark.parametrize("seed", range(6))
def test_keys_and_foreign_keys_hold_in_a_copy(tmp_path: Path, seed: int) -> None:
    copy = vary_sqlite(write_cinema(tmp_path / "cinema.sqlite"), seed)
    assert _all(copy, "pragma foreign_key_check") == []
    assert _all(copy, "pragma integrity_check") == [("ok",)]
    for key in ("id from person", "id from film", "film_id, person_id from seen"):
        assert (
            _all(copy, f"select {key} group by {key.split(' from')[0]} having count(*) > 1") == []
        )
    joined = "film join person on made_by = person.id"
    assert _all(copy, f"select count(*) from {joined}") == _all(copy, "select count(*) from film")
    assert len(_all(copy, "select * from seen natural join old")) >= 0  # the view came along
    # No trigger did: this one would have emptied the films.
    assert _all(copy, "select name from sqlite_master where type = 'trigger'") == []


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) from film",
        "select title from film where year > 1990",
        "select name from person order by age desc limit 1",
        "select avg(stars) from seen",
        "select count(*) from seen where person_id = 2",
    ],
)
def test_an_answer_learned_by_heart_fails_on_some_copy(tmp_path: Path, query: str) -> None:
    cinema = write_cinema(tmp_path / "cinema.sqlite")
    known = sorted(_all(cinema, query))
    assert any(sorted(_all(vary_sqlite(cinema, seed), query)) != known for seed in range(3))


def test_witnesses_are_found_in_the_copy(tmp_path: Path) -> None:
    cinema = write_cinema(tmp_path / "cinema.sqlite")
    zoe = Witness(
        (("film", (("year", 2050),)), ("PERSON", (("name", "Zoe"),))),
        joins=(((0, "made_by"), (1, "id")),),
    )
    film = Witness((("film", (("id", 77), ("title", "Heat"))),))
    nowhere = Witness((("opera", (("id", 1),)),))
    query = "select name from film join person on made_by = person.id where year = 2050"
    for seed in range(4):
        copy = vary_sqlite(cinema, seed, witnesses=[zoe, film, nowhere])
        assert ("Zoe",) in _all(copy, query)
        assert _all(copy, "select title from film where id = 77") == [("Heat",)]
        assert _all(copy, "pragma foreign_key_check") == []


def test_undeclared_joins_match_too(tmp_path: Path) -> None:
    path = tmp_path / "loose.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("create table a (k text primary key); create table b (ak text)")
        connection.executemany("insert into a values (?)", [(f"key {i}",) for i in range(20)])
        connection.executemany("insert into b values (?)", [(f" key {i}",) for i in range(40)])
        connection.commit()
    lost = "select count(*) from b where ak not in (select k from a)"
    assert _all(vary_sqlite(path, 0), lost) != [(0,)]
    assert _all(vary_sqlite(path, 0, joins=[("b.ak", "a.k")]), lost) == [(0,)]


def test_empty_tables_and_odd_text(tmp_path: Path) -> None:
    path = tmp_path / "odd & even.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            create table "a table" ("a ""column" text, d date, r real, i integer primary key,
                g int generated always as (i * 2));
            create table pair (x int, y int, primary key (x, y));
            create table child (x int, y int, foreign key (x, y) references pair (x, y));
            insert into pair values (1, 2), (1, 3), (2, 2), (5, 6), (7, 8), (9, 10), (11, 12);
            insert into child values (1, 2), (1, 3), (null, 2), (5, 6), (7, 8), (9, 10), (1, 2);
            create table bytes (b);
            insert into bytes values (x'00ff'), (cast(x'80' as text)), (1.5), (null);
            """
        )
    copy = vary_sqlite(path, 3)
    rows = _all(copy, 'select * from "a table"')
    assert len(rows) >= 6 and all(row[4] == 2 * row[3] for row in rows)
    assert _all(copy, "pragma foreign_key_check") == []
    assert len(_all(copy, "select * from child where x is not null")) > 0
    assert _all(copy, "select count(*) from bytes") != [(0,)]


def test_a_long_table_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "long.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table t (n int)")
        connection.executemany("insert into t values (?)", [(i,) for i in range(5_000)])
        connection.commit()
    ((count,),) = _all(vary_sqlite(path, 0, max_rows=100), "select count(*) from t")
    assert count <= 125


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        vary_sqlite(tmp_path / "missing.sqlite", 0)
    (tmp_path / "text.sqlite").write_text("hello " * 100)
    with pytest.raises(DataError, match=r"text\.sqlite cannot be read as an SQLite database"):
        vary_sqlite(tmp_path / "text.sqlite", 0)


CELLS = st.one_of(
    st.none(), st.integers(-(2**40), 2**40), st.floats(-1e9, 1e9), st.text(max_size=6)
)


@given(st.lists(CELLS, min_size=1, max_size=30), st.integers(1, 40), st.integers(0, 9))
def test_a_shuffled_column_keeps_its_kind(values: list[Cell], count: int, seed: int) -> None:
    made = shuffled(values, count, rng("test", seed))
    assert made == shuffled(values, count, rng("test", seed))
    assert len(made) == count
    assert {type(cell) for cell in made} <= {type(cell) for cell in values} | {int, str}
    if None not in values:
        assert None not in made
    if len(set(values)) == len(values) > 1 and None not in values:
        assert len(set(made)) == count
    fresh = fresh_values(values, 5, rng("test", seed))
    assert len(set(fresh)) == 5 and not set(fresh) & set(values)


# -- copies of graphs -----------------------------------------------------------------------------

_SCHEMA = Schema(
    "graph",
    (
        EntityType("P", (Property("id", "integer"), Property("name"), Property("age", "integer"))),
        EntityType("C", (Property("id", "integer"), Property("date"))),
    ),
    (
        RelationType("DID", "P", "C", (Property("how"),)),
        RelationType("KNOWS", "P", "P"),
    ),
)
_GRAPH = Contents(
    _SCHEMA,
    {
        "P": tuple((i, f"N{i % 9}", 20 + i) for i in range(60)),
        "C": tuple((i, f"D{i % 30}") for i in range(50)),
    },
    {
        "DID": tuple((i, (i * 3) % 50, "x") for i in range(60)),
        "KNOWS": tuple((i, (i * 7 + 1) % 60) for i in range(60)),
    },
)


@pytest.mark.parametrize("seed", range(3))
def test_a_copy_of_a_graph_has_links_between_its_nodes(seed: int) -> None:
    copy = vary_contents(_GRAPH, seed)
    assert copy == vary_contents(_GRAPH, seed)
    assert copy.links["DID"] != _GRAPH.links["DID"]
    ids = {name: {row[0] for row in rows} for name, rows in copy.entities.items()}
    for name, head, tail in (("DID", "P", "C"), ("KNOWS", "P", "P")):
        rows = copy.links[name]
        assert 20 < len(rows) < 60 and len(set(rows)) == len(rows)
        assert all(row[0] in ids[head] and row[1] in ids[tail] for row in rows)
    names = [row[1] for row in copy.entities["P"]]
    assert names != [row[1] for row in _GRAPH.entities["P"]] and len(names) == 60


def test_a_graph_copy_holds_what_gold_asks_for() -> None:
    gold = (
        "MATCH (a:P WHERE a.name = 'Zoe')-[:DID]-(c:C WHERE c.date = 'D99'), (a)-[:KNOWS]->(b:P) "
        "WHERE b.age > 70 RETURN b.name"
    )
    query = read_cypher(gold, _SCHEMA)
    assert isinstance(query, Query)
    planted = tuple(witnesses(query, _SCHEMA))
    copy = vary_contents(_GRAPH, 0, witnesses=planted)
    zoe = {row[0] for row in copy.entities["P"] if row[1] == "Zoe"}
    dates = {row[0] for row in copy.entities["C"] if row[1] == "D99"}
    old = {row[0] for row in copy.entities["P"] if row[2] > 70}
    assert any(head in zoe and tail in dates for head, tail, _ in copy.links["DID"])
    assert any(head in zoe and tail in old for head, tail in copy.links["KNOWS"])


@pytest.mark.parametrize(
    "gold",
    [
        "MATCH (a:P WHERE a.name = 'Zoe')-[:DID]-(c:C WHERE c.date = 'D99') RETURN {}",
        "MATCH (a:P WHERE a.name = 'Zoe')-[:KNOWS]->(c:P WHERE c.name = 'Max') RETURN {}",
    ],
)
def test_no_constant_counts_what_is_planted(gold: str) -> None:
    query = read_cypher(gold.format("count(*)"), _SCHEMA)
    assert isinstance(query, Query)
    planted = tuple(witnesses(query, _SCHEMA))
    for seed in range(4):
        counted = []
        for copy in (vary_contents(_GRAPH, at, witnesses=planted) for at in (seed, seed + 1)):
            relation, tails = ("DID", "C") if ":DID" in gold else ("KNOWS", "P")
            zoe = {row[0] for row in copy.entities["P"] if row[1] == "Zoe"}
            other = {row[0] for row in copy.entities[tails] if row[1] in ("D99", "Max")}
            links = [row for row in copy.links[relation] if row[0] in zoe and row[1] in other]
            heads, ends = {row[0] for row in links}, {row[1] for row in links}
            assert len(heads) >= 2 and len(ends) >= 2 and len(heads) != len(ends)
            counted.append((len(heads), len(ends)))
        assert all(one != other for one, other in zip(*counted, strict=True))


# -- is there one right result? -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "finding"),
    [
        ("select title from film", "rows"),
        ("select title from film where year > 3000", "empty"),
        ("select nothing from film", "fails"),
        ("select 1; select 2", "fails"),
        ("pragma table_info(film)", "fails"),
        ("delete from film", "fails"),
        ("attach 'x' as y", "fails"),
        ("select printf('%.*c', 500000000, 'x')", "fails"),
        ("select title from film order by year desc, title limit 1", "rows"),
        ("select title from film order by year limit 1", "not unique"),  # two of 1980 and more
        ("select year from film order by year limit 1", "rows"),  # ties with one result
        ("select * from film order by year limit 1", "not unique"),
        ("select title from film limit 1", "not unique"),
        ("select count(*) from film limit 1", "rows"),
        ("select title from film limit 1000", "rows"),
        ("select year, count(*) from film group by year order by count(*) limit 1", "not unique"),
        ("select title, made_by from film group by made_by", "not unique"),
        ("select name from person union select title from film order by 1 limit 2", "rows"),
        ("select name, age from person order by age", "order not unique"),
        (
            "select count(*) from film where id > (select id from film order by year limit 1)",
            "not unique",
        ),
        (
            "with recursive n(i) as (select 1 union all select i + 1 from n) select * from n",
            "too long",
        ),
    ],
)
def test_what_gold_does_is_found_out(tmp_path: Path, query: str, finding: Finding) -> None:
    cinema = write_cinema(tmp_path / "cinema.sqlite")
    (looked,) = audit_sqlite(cinema, [query], Limits(work=300_000))
    assert looked.finding == finding
    if finding == "rows":
        rows = Rows((), tuple(_all(cinema, query)))
        assert looked == ("rows", len(rows.rows), content_of(rows))


@pytest.mark.parametrize(
    ("copies", "most", "seeds"),
    [
        ("aab", 1, (2,)),  # the first two return what the database returns
        ("aab", 3, (2, 0, 1)),
        ("bcd", 2, (0, 1)),
        ("aaa", 3, None),
        ("", 3, None),
        ("aaa", 0, ()),
    ],
)
def test_a_copy_tells_if_gold_returns_something_else_there(
    copies: str, most: int, seeds: tuple[int, ...] | None
) -> None:
    looked = [Looked("rows", 1, content) for content in "a" + copies]
    assert telling_copies(looked, most) == seeds


def test_copies_on_which_gold_has_no_rows_tell_nothing() -> None:
    one, other = Looked("rows", 1, "a"), Looked("rows", 1, "b")
    silent = [Looked("empty"), Looked("fails"), Looked("not unique", 1, "c")]
    assert telling_copies([one, *silent, other], 3) == (3,)
    assert telling_copies([one, *silent], 3) is None
    assert telling_copies([Looked("empty"), one], 3) == (0,)
    loose = Looked("order not unique", 1, "b")
    assert telling_copies([one, loose, other], 1) == (1,)


def test_tie_breaks_of_a_query_without_a_cut() -> None:
    assert list(tie_breaks("select a from t", 1)) == []
    assert list(tie_breaks("not sql (", 1)) == []
    union = "select a, b from t union select c, d from u limit 1"
    up, down = tie_breaks(union, 2)
    assert up.endswith("ORDER BY 1 ASC, 2 ASC LIMIT 1")
    assert down.endswith("ORDER BY 1 DESC, 2 DESC LIMIT 1")


@pytest.mark.parametrize(
    ("query", "cut"),
    [
        ("MATCH (a:P) RETURN a.name", "none"),
        ("MATCH (a:P) RETURN a.name LIMIT 3", "no order"),
        ("MATCH (a:P) RETURN a.name ORDER BY a.age LIMIT 3", "ties possible"),
        ("MATCH (a:P) RETURN a.name ORDER BY a.name LIMIT 3", "total order"),
        ("MATCH (a:P) RETURN count(a) LIMIT 1", "total order"),
        ("MATCH (a:P) RETURN a.name, count(*) AS n ORDER BY n LIMIT 1", "ties possible"),
        ("MATCH (a:P) RETURN a.name, count(*) AS n ORDER BY n, a.name LIMIT 1", "total order"),
        ("MATCH (a:P) WITH a LIMIT 3 MATCH (a)-[:DID]->(c) RETURN c.date", "no order"),
    ],
)
def test_a_cut_is_judged_by_the_query(query: str, cut: Cut) -> None:
    read = read_cypher(query, _SCHEMA)
    assert isinstance(read, Query)
    assert worst_cut(read, _SCHEMA) == cut


def test_the_key_makes_an_order_total() -> None:
    keyed = Schema("x", (EntityType("P", (Property("id"), Property("name")), ("id",)),))
    for key, cut in (("a.id", "total order"), ("a.name", "ties possible")):
        read = read_cypher(f"MATCH (a:P) RETURN a ORDER BY {key} LIMIT 2", keyed)
        assert isinstance(read, Query)
        assert worst_cut(read, keyed) == cut


def test_sort_keys_become_columns() -> None:
    query = "MATCH (a:A)\nRETURN a.x, count(*) AS n\nORDER BY n DESC, a.x ASC\nLIMIT 3"
    assert tie_query(query, ["a.x", "n"]) == (
        "MATCH (a:A)\nRETURN a.x, count(*) AS n ORDER BY n DESC, a.x ASC LIMIT 203"
    )
    assert tie_query("MATCH (a:A) RETURN a.x LIMIT 3", ["a.x"]) is None
    assert tie_query("MATCH (a) RETURN a ORDER BY toLower(a.x) LIMIT 3", ["a"]) is None


def test_films_of_the_fixture_tie() -> None:
    assert sum(year == min(f[2] for f in FILMS) for _, _, year, _ in FILMS) > 1
