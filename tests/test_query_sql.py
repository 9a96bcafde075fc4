"""What is read of SQL: relations, names and scopes, with the schema of a set or without."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from query_sql_forms import CINEMA, SAME, read

from graphenv.errors import ConfigError, DataError
from graphenv.query.model import Expr, Query
from graphenv.query.schema import EntityType, Property, Schema
from graphenv.query.sql import read_sql, spider_schema

sqlglot = pytest.importorskip("sqlglot")


def test_a_link_table_is_one_relation_that_has_its_properties() -> None:
    scope = read(SAME["link table"][0]).scope
    (relation,) = scope.relations
    ends = {entity.handle: entity.name for entity in scope.entities}
    assert (relation.name, ends[relation.head], ends[relation.tail]) == (
        "acted_in",
        "person",
        "Film",
    )
    assert scope.select[1] == Expr("property", "role", of=relation.handle)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM person p, cast c, Film f WHERE p.id = c.person_id AND f.id = c.film_id",
        "SELECT count(*) FROM person p, cast c WHERE p.id = c.person_id",
        "SELECT 1 FROM person p LEFT JOIN cast c ON p.id = c.person_id AND c.role = 'x' "
        "LEFT JOIN Film f ON c.film_id = f.id AND f.year = 1",
        "SELECT 1 FROM person p, cast c, Film f, award a "
        "WHERE p.id = c.person_id AND f.id = c.film_id AND a.prize = c.role",
        "SELECT 1 FROM person p, cast c, Film f WHERE p.id = c.person_id AND f.id = c.film_id "
        "AND EXISTS (SELECT 1 FROM award WHERE prize = c.role)",
    ],
)
def test_a_link_table_used_for_more_stays_a_table(text: str) -> None:
    assert "cast" in [entity.name for entity in read(text).scope.entities]


def test_relations_are_named_by_the_schema_or_by_columns() -> None:
    scope = read("SELECT 1 FROM Film f, person p, award a WHERE p.id = director_id AND "
                 "a.prize = p.name AND a.year = f.year").scope  # fmt: skip
    names = {entity.handle: entity.name for entity in scope.entities}
    found = {(r.name, names[r.head], names[r.tail]) for r in scope.relations}
    assert found == {
        ("directed_by", "Film", "person"),
        ("award.prize=person.name", "award", "person"),
        ("Film.Year=award.year", "Film", "award"),
    }


def test_correlation_is_a_relation_to_the_outer_table() -> None:
    scope = read(SAME["exists"][0]).scope
    inner = scope.where[0].scope
    assert inner is not None and inner.select == () and inner.where == ()
    assert inner.relations[0].name == "award.film_id"
    assert inner.relations[0].tail == scope.entities[0].handle


def test_a_subquery_that_refers_to_itself_ends() -> None:
    scope = read(
        "WITH RECURSIVE up(id, n) AS (SELECT id, 1 FROM person UNION ALL SELECT p.boss_id, n + 1 "
        "FROM up JOIN person p ON p.id = up.id) SELECT max(n) FROM up"
    ).scope
    inner = scope.entities[0].scope
    assert inner is not None and inner.combine == "union all"
    assert sorted(entity.name for entity in inner.inputs[1].entities) == ["", "person"]


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("SELECT nme FROM person", {("column", "nme")}),
        ("SELECT p.nme FROM person p", {("column", "person.nme")}),
        ("SELECT x FROM persons", {("table", "persons")}),
        ("SELECT q.name FROM person p", {("column", "q.name")}),
        ("SELECT person.name FROM person p", {("column", "person.name")}),
        ("SELECT d.x FROM (SELECT name AS y FROM person) d", {("column", "d.x")}),
        ("SELECT 1 FROM person JOIN Film USING (boss)", {("column", "boss")}),
        ("SELECT name FROM person, other.Film", {("table", "other.Film")}),
        ("SELECT rowid, name FROM main.person WHERE name = \"no column\"", set()),
        ("SELECT name, (SELECT max(YEAR) FROM film WHERE director_id = p.id) FROM person p", set()),
    ],
)  # fmt: skip
def test_names_that_the_schema_lacks_are_told(text: str, unknown: set[tuple[str, str]]) -> None:
    query = read(text)
    assert set(query.unknown) == unknown
    assert read(text, None).unknown == ()


def test_double_quotes_are_text_only_where_no_column_is_meant() -> None:
    both = read('SELECT "name" FROM person WHERE "age" = "Age x" OR name IN ("a", "b")').scope
    assert both.select[0] == Expr("property", "name", of=0)
    assert [part.name for part in both.where[0].walk()].count("'Age x'") == 1
    # As other dialects have it, and where columns cannot be known.
    assert read_sql('SELECT 1 FROM person WHERE name = "x"', CINEMA, "duckdb").unknown  # type: ignore[union-attr]
    assert read('SELECT 1 FROM t WHERE name = "x"', None).scope.where[0].args[1].kind == "property"


@pytest.mark.data
def test_all_gold_of_spider_and_bird_is_read(
    graphenv_data: Path, record_property: Callable[[str, object], None]
) -> None:
    folder = graphenv_data / "query/spider"
    gold = json.loads((folder / "dev.json").read_text())
    entries = json.loads((folder / "tables.json").read_text())
    schemas = {entry["db_id"]: spider_schema(entry) for entry in entries}
    times = []
    for row in gold:
        start = time.perf_counter()
        query = read_sql(row["query"], schemas[row["db_id"]])
        times.append(time.perf_counter() - start)
        assert isinstance(query, Query) and not query.unknown, (row["query"], query)
    assert len(gold) == 1_034
    mini = json.loads((graphenv_data / "query/bird_mini_dev/mini_dev_sqlite.json").read_text())
    assert sum(isinstance(read_sql(row["SQL"]), Query) for row in mini) == len(mini) == 500
    record_property("report", f"read_sql: median {statistics.median(times) * 1e3:.2f} ms (Spider)")


ENTRY: dict[str, Any] = {
    "db_id": "zoo",
    "table_names_original": ["Cage", "animal"],
    "column_names_original": [[-1, "*"], [0, "No"], [0, "Built"], [1, "id"], [1, "cage"], [1, "x"]],
    "column_types": ["text", "number", "time", "number", "number", "others"],
    "primary_keys": [1, [3, 4]],
    "foreign_keys": [[4, 1], [4, 1], [4, 3], [9, 1], [5, 0]],
}


def test_a_schema_of_spider() -> None:
    schema = spider_schema(ENTRY)
    cage, animal = schema.entities
    assert cage == EntityType("Cage", (Property("No", "real"), Property("Built", "date")), ("No",))
    assert animal.key == ("id", "cage") and animal.properties[2].type == "other"
    assert [(r.name, r.joins) for r in schema.relations] == [
        ("animal.cage", (("animal.cage", "Cage.No"),)),
        ("animal.cage=animal.id", (("animal.cage", "animal.id"),)),
    ]
    assert Schema.from_json(schema.to_json()) == schema


@pytest.mark.parametrize("change", [{"primary_keys": None}, {"column_names_original": ["a"]}])
def test_another_file_than_tables_json_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"tables\.json"):
        spider_schema({**ENTRY, **change})
    with pytest.raises(DataError, match="foreign_keys"):
        spider_schema({key: value for key, value in ENTRY.items() if key != "foreign_keys"})


def test_a_dialect_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="dialect='sqlight'"):
        read_sql("SELECT 1", dialect="sqlight")


def _run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_reader_is_light_until_asked_and_says_what_is_missing() -> None:
    out = _run(
        "import sys\n"
        "from graphenv.query.sql import read_sql\n"
        "assert 'sqlglot' not in sys.modules\n"
        "sys.modules['sqlglot'] = None\n"
        "try: read_sql('SELECT 1')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    assert out.startswith("ConfigError") and 'pip install "graphenv[query]"' in out


def test_reading_is_the_same_in_every_process() -> None:
    texts = [texts[-1] for texts in SAME.values()]
    code = f"from graphenv.query.sql import read_sql\nfor t in {texts!r}: print(repr(read_sql(t)))"
    assert _run(code, PYTHONHASHSEED="1") == _run(code, PYTHONHASHSEED="2")
