"""SQL as queries: what may be written in several ways is one query, any change is another."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphenv.errors import ConfigError, DataError
from graphenv.query.model import Entity, Expr, Query, QueryIssue, Scope
from graphenv.query.schema import EntityType, Property, RelationType, Schema
from graphenv.query.sql import read_sql, spider_schema
from graphenv.seeding import sample

sqlglot = pytest.importorskip("sqlglot")
exp = sqlglot.exp


def _entity(name: str, columns: str, *key: str) -> EntityType:
    return EntityType(name, tuple(Property(column) for column in columns.split()), key)


CINEMA = Schema(
    "cinema",
    (
        _entity("Film", "id title Year director_id", "id"),
        _entity("person", "id name age boss_id", "id"),
        _entity("award", "film_id year prize"),
    ),
    (
        RelationType("directed_by", "Film", "person", joins=(("Film.director_id", "person.id"),)),
        RelationType("boss", "person", "person", joins=(("person.boss_id", "person.id"),)),
        RelationType("award.film_id", "award", "Film", joins=(("award.film_id", "Film.id"),)),
        RelationType(
            *("acted_in", "person", "Film", (Property("role"),)),
            (("cast.person_id", "person.id"), ("cast.film_id", "Film.id")),
            via="cast",
        ),
    ),
)


# -- queries up to order and handles --------------------------------------------------------------

_UNORDERED = {"=", "<>", "and", "or", "+", "*", "list"}
_SETS = {"union", "union all", "intersect"}


def _scopes(scope: Scope) -> Iterator[Scope]:
    yield scope
    for below in (*scope.inputs, *(e.scope for e in scope.entities if e.scope is not None)):
        yield from _scopes(below)
    keys = [order.key for order in scope.order]
    for expr in (*scope.select, *scope.where, *scope.group, *scope.having, *keys):
        for part in expr.walk():
            if part.scope is not None:
                yield from _scopes(part.scope)


class _Writer:
    """Writes a query as text, with parts that have no order sorted."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names

    def expr(self, expr: Expr) -> str:
        args = [self.expr(arg) for arg in expr.args]
        if expr.name in _UNORDERED or expr.kind == "list":
            args.sort()
        of = "" if expr.of is None else self.names.get(expr.of, "?")
        scope = "" if expr.scope is None else self.scope(expr.scope)
        return f"{expr.kind}:{expr.name}:{of}:{'d' * expr.distinct}({', '.join(args)}){scope}"

    def entity(self, entity: Entity) -> str:
        scope = "" if entity.scope is None else self.scope(entity.scope)
        items = "" if entity.items is None else self.expr(entity.items)
        return f"{self.names[entity.handle]}{'?' * entity.optional}{scope}{items}"

    def scope(self, scope: Scope) -> str:
        entities = sorted(self.entity(entity) for entity in scope.entities)
        relations = sorted(
            f"{r.name}{'?' * r.optional}{self._ends(r.head, r.tail, r.directed)}"
            for r in scope.relations
        )
        inputs = [self.scope(part) for part in scope.inputs]
        order = [f"{self.expr(o.key)}{'-' * o.descending}" for o in scope.order]
        bounds = [None if b is None else self.expr(b) for b in (scope.limit, scope.offset)]
        return repr(
            [entities, relations, scope.combine, *bounds, order]
            + [sorted(inputs) if scope.combine in _SETS else inputs, scope.distinct]
            + [
                sorted(self.expr(part) for part in parts)
                for parts in (scope.select, scope.where, scope.group, scope.having)
            ]
        )

    def _ends(self, head: int, tail: int, directed: bool) -> str:
        ends = [self.names.get(head, "?"), self.names.get(tail, "?")]
        return str(ends if directed else sorted(ends))


def form(query: Query) -> str:
    """Return a text that two queries share just if they differ in order and handles alone."""
    groups: dict[str, list[int]] = {}
    fixed: dict[int, str] = {}
    for scope in _scopes(query.scope):
        for entity in scope.entities:
            if entity.handle not in groups.setdefault(entity.name, []):
                groups[entity.name].append(entity.handle)
        fixed.update((r.handle, f"<{r.name}>") for r in scope.relations)
    texts = []
    places = [list(itertools.permutations(range(len(g)))) for g in groups.values()]
    for places_of in itertools.islice(itertools.product(*places), 800):
        names = dict(fixed)
        for (name, handles), numbers in zip(groups.items(), places_of, strict=True):
            names.update((h, f"{name}#{n}") for h, n in zip(handles, numbers, strict=True))
        texts.append(_Writer(names).scope(query.scope))
    return min(texts)


def read(text: str, schema: Schema | None = CINEMA) -> Query:
    query = read_sql(text, schema)
    assert isinstance(query, Query), (text, query)
    return query


# -- the same query -------------------------------------------------------------------------------

_BY = "JOIN person p ON f.director_id = p.id"
SAME: dict[str, tuple[str, ...]] = {
    "aliases": (
        f"SELECT p.name FROM Film f {_BY} WHERE f.title = 'Heat'",
        "SELECT name FROM film JOIN person ON director_id = person.id WHERE title = 'Heat'",
        "SELECT Q.NAME AS x FROM FILM AS Z, PERSON Q WHERE 'Heat' = Z.TITLE AND Q.ID=Z.DIRECTOR_ID",
        'SELECT "p"."name" FROM `Film` f CROSS JOIN person p '
        'WHERE f.director_id == p.id AND title = "Heat"',
        "SELECT name FROM person INNER JOIN film ON id = director_id WHERE title IN ('Heat');",
    ),
    "join syntax": (
        "SELECT title FROM Film f JOIN award a ON f.year = a.year",
        "SELECT title FROM award JOIN Film USING (year)",
        "SELECT title FROM Film NATURAL JOIN award",
        "SELECT title FROM Film f, award a WHERE a.year = f.year",
        "SELECT title FROM Film f JOIN award a WHERE (a.year = f.year)",
    ),
    "equal columns": (
        "SELECT a.film_id FROM Film f JOIN award a ON f.id = a.film_id GROUP BY f.id, a.prize",
        "SELECT f.id FROM award a JOIN Film f ON f.id = a.film_id GROUP BY a.film_id, prize",
    ),
    "chain and star": (
        "SELECT 1 FROM Film f, award a, cast c WHERE f.id = a.film_id AND f.id = c.film_id",
        "SELECT 1 FROM Film f, award a, cast c WHERE f.id = a.film_id AND a.film_id = c.film_id",
        "SELECT 1 FROM award a JOIN cast c USING (film_id) JOIN Film f ON c.film_id = f.id",
    ),
    "link table": (
        "SELECT name, role FROM person p JOIN cast c ON p.id = c.person_id "
        "JOIN Film f ON c.film_id = f.id",
        "SELECT p.name, c.role FROM Film f, cast c, person p "
        "WHERE f.id = c.film_id AND c.person_id = p.id",
    ),
    "link table, key columns": (
        "SELECT c.film_id, count(c.person_id) FROM person p JOIN cast c ON p.id = c.person_id "
        "JOIN Film f ON c.film_id = f.id GROUP BY c.film_id",
        "SELECT f.id, count(p.id) FROM person p JOIN cast c ON p.id = c.person_id "
        "JOIN Film f ON c.film_id = f.id GROUP BY f.id",
    ),
    "optional link": (
        "SELECT name, title FROM person p LEFT JOIN cast c ON p.id = c.person_id "
        "LEFT JOIN Film f ON c.film_id = f.id",
        "SELECT name, title FROM person p LEFT JOIN (Film f JOIN cast c ON f.id = c.film_id) "
        "ON p.id = c.person_id",
        "SELECT name, title FROM Film f JOIN cast c ON f.id = c.film_id "
        "RIGHT JOIN person p ON p.id = c.person_id",
    ),
    "outer joins": (
        "SELECT name FROM person p LEFT JOIN Film f ON f.director_id = p.id AND year > 3",
        "SELECT name FROM Film f RIGHT JOIN person p ON f.director_id = p.id AND year > 3",
        "SELECT name FROM person p LEFT OUTER JOIN (SELECT * FROM Film WHERE year > 3) f "
        "ON f.director_id = p.id",
    ),
    "comparisons": (
        "SELECT name FROM person p, Film f WHERE age > year AND 30 <= age AND age <> 31",
        "SELECT name FROM Film f, person p WHERE 31 != age AND year < age AND age >= 30",
        "SELECT name FROM Film f, person p WHERE NOT (age = 31 OR age <= year OR NOT age >= 30)",
    ),
    "between": (
        "SELECT name FROM person WHERE age BETWEEN 20 AND 30",
        "SELECT name FROM person WHERE age >= 20 AND age <= 30",
        "SELECT name FROM person WHERE NOT age NOT BETWEEN 20 AND 30",
    ),
    "not": (
        "SELECT name FROM person WHERE NOT name LIKE 'A%' AND boss_id IS NOT NULL",
        "SELECT name FROM person WHERE boss_id NOTNULL AND name NOT LIKE 'A%'",
        "SELECT name FROM person WHERE NOT (boss_id IS NULL OR name LIKE 'A%')",
    ),
    "and, or": (
        "SELECT 1 FROM person WHERE (age = 1 OR (age = 2 OR age = 3)) AND (name = 'x' AND id = 1)",
        "SELECT 1 FROM person WHERE id = 1 AND name = 'x' AND (age = 2 OR age = 1 OR age = 3)",
    ),
    "in": (
        "SELECT name FROM person WHERE age IN (1, 2, 2)",
        "SELECT name FROM person WHERE age IN (2, 1)",
    ),
    "not in one": (
        "SELECT name FROM person WHERE age NOT IN (1)",
        "SELECT name FROM person WHERE age <> 1",
    ),
    "in a subquery": (
        "SELECT title FROM Film WHERE director_id IN (SELECT id FROM person WHERE age > 3)",
        "SELECT title FROM Film f WHERE f.director_id IN "
        "(SELECT DISTINCT q.id FROM person q WHERE 3 < q.age ORDER BY q.id)",
        "SELECT title FROM Film WHERE director_id = ANY (SELECT id FROM person WHERE age > 3)",
    ),
    "exists": (
        "SELECT title FROM Film f WHERE EXISTS (SELECT 1 FROM award WHERE film_id = f.id)",
        "SELECT title FROM Film WHERE EXISTS (SELECT * FROM award a WHERE film.id = a.film_id)",
        "SELECT title FROM Film WHERE EXISTS (SELECT prize FROM award WHERE id = film_id)",
    ),
    "count": (
        "SELECT count(*) FROM person",
        "SELECT COUNT(1) FROM person AS p",
        "SELECT DISTINCT count(*) FROM person",
    ),
    "distinct and group": (
        "SELECT DISTINCT year FROM Film",
        "SELECT year FROM Film GROUP BY year",
        "SELECT DISTINCT year FROM Film GROUP BY 1",
    ),
    "having on keys": (
        "SELECT year, count(*) FROM Film WHERE year > 3 GROUP BY year HAVING count(*) > 1",
        "SELECT DISTINCT year, count(*) FROM Film GROUP BY 1 HAVING count(*) > 1 AND 3 < year",
    ),
    "order": (
        "SELECT year, count(*) FROM Film GROUP BY year ORDER BY count(*) DESC, year ASC LIMIT 3",
        "SELECT year, count(*) AS n FROM Film GROUP BY year ORDER BY n DESC, year LIMIT 3 OFFSET 0",
        "SELECT year y, count(*) FROM Film GROUP BY y ORDER BY 2 DESC, 1, y DESC LIMIT 0, 3",
    ),
    "subquery that passes rows on": (
        "SELECT title FROM Film WHERE year > 3",
        "SELECT title FROM (SELECT * FROM Film WHERE year > 3)",
        "SELECT t.x FROM (SELECT title AS x, year AS y FROM Film ORDER BY y) t WHERE t.y > 3",
        "WITH late AS (SELECT * FROM Film WHERE year > 3), z AS (SELECT 1) SELECT title FROM late",
        "WITH late(a, b) AS (SELECT title, year FROM Film) SELECT a FROM late l WHERE l.b > 3",
    ),
    "subquery that computes": (
        "SELECT d.n FROM (SELECT year, count(*) AS n FROM Film GROUP BY year) AS d WHERE d.n > 3",
        "WITH d AS (SELECT count(*) AS c, year FROM Film f GROUP BY 2) SELECT c FROM d WHERE 3 < c",
    ),
    "subquery that is repeated": (
        "SELECT year, count(*) FROM Film GROUP BY year",
        "SELECT * FROM (SELECT year, count(*) FROM Film GROUP BY year)",
        "WITH d AS (SELECT year, count(*) AS n FROM Film GROUP BY year) SELECT year, n FROM d",
    ),
    "union": (
        "SELECT name FROM person UNION SELECT title FROM Film",
        "SELECT DISTINCT title AS t FROM Film f UNION SELECT name FROM person",
    ),
    "case": (
        "SELECT CASE WHEN age > 3 THEN 'a' ELSE NULL END FROM person",
        "SELECT IIF(3 < age, 'a', NULL) FROM person",
        "SELECT CASE WHEN age > 3 THEN 'a' END FROM person",
    ),
    "case with a value": (
        "SELECT CASE age WHEN 1 THEN 'a' WHEN 2 THEN 'b' END FROM person",
        "SELECT CASE WHEN age = 1 THEN 'a' WHEN 2 = age THEN 'b' END FROM person",
    ),
    "self join": (
        "SELECT a.name, b.age FROM person a JOIN person b ON a.boss_id = b.id",
        "SELECT x.name, y.age FROM person y, person x WHERE y.id = x.boss_id",
    ),
    "signs apart": (
        "SELECT name FROM person WHERE age >= 3 AND name <> 'x' AND id <= 4 AND boss_id <> 1",
        "SELECT name FROM person WHERE age > = 3 AND name ! = 'x' AND id < = 4 AND boss_id < > 1",
    ),
    "numbers and notes": (
        "SELECT name FROM person WHERE age > 3 AND id > -0.5 -- a note",
        "SELECT /* all */ ALL name FROM person WHERE age > 03 AND id > - .50",
    ),
    "parentheses": ("SELECT (age + 1) * 2 FROM person", "(SELECT ((age + 1)) * (2) FROM person)"),
}


@pytest.mark.parametrize("name", SAME)
def test_ways_to_write_one_query_are_one_query(name: str) -> None:
    forms = {text: form(read(text)) for text in SAME[name]}
    assert len(set(forms.values())) == 1, forms
    assert not any(read(text).unknown for text in SAME[name])


def test_the_groups_differ_from_each_other() -> None:
    first = [form(read(texts[0])) for texts in SAME.values()]
    assert len(set(first)) == len(first)


# -- another query --------------------------------------------------------------------------------

DIFFERENT = (
    ("SELECT name FROM person", "SELECT age FROM person"),
    ("SELECT id FROM person", "SELECT id FROM Film"),
    ("SELECT name FROM person", "SELECT DISTINCT name FROM person"),
    ("SELECT name FROM person", "SELECT name, name FROM person"),
    ("SELECT * FROM person", "SELECT p.* FROM person p JOIN Film f ON f.director_id = p.id"),
    ("SELECT a.* FROM Film a, award b", "SELECT b.* FROM Film a, award b"),
    (
        "SELECT * FROM (SELECT id FROM Film) a, award",
        "SELECT * FROM (SELECT year FROM Film) a, award",
    ),
    ("SELECT 1 FROM person WHERE age > 3", "SELECT 1 FROM person WHERE age >= 3"),
    ("SELECT 1 FROM person WHERE age > 3", "SELECT 1 FROM person WHERE age < 3"),
    ("SELECT 1 FROM person WHERE age > 3", "SELECT 1 FROM person WHERE age > '3'"),
    ("SELECT 1 FROM person WHERE age = 3", "SELECT 1 FROM person WHERE age = 3.0"),
    ("SELECT 1 FROM person WHERE name = 'a'", "SELECT 1 FROM person WHERE name = 'A'"),
    ("SELECT 1 FROM person WHERE name = 'age'", "SELECT 1 FROM person WHERE name = age"),
    ("SELECT 1 FROM person WHERE age IS NULL", "SELECT 1 FROM person WHERE age = NULL"),
    (
        "SELECT 1 FROM person WHERE age = 1 AND id = 2",
        "SELECT 1 FROM person WHERE age = 1 OR id = 2",
    ),
    ("SELECT 1 FROM person WHERE name LIKE 'a%'", "SELECT 1 FROM person WHERE name GLOB 'a%'"),
    ("SELECT 1 FROM person WHERE age IN (1, 2)", "SELECT 1 FROM person WHERE age NOT IN (1, 2)"),
    ("SELECT age - id FROM person", "SELECT id - age FROM person"),
    ("SELECT count(*) FROM person", "SELECT count(age) FROM person"),
    ("SELECT count(age) FROM person", "SELECT count(DISTINCT age) FROM person"),
    ("SELECT max(age) FROM person", "SELECT min(age) FROM person"),
    ("SELECT min(age) FROM person", "SELECT min(age, 3) FROM person"),
    ("SELECT count(*) FROM Film GROUP BY year", "SELECT count(*) FROM Film GROUP BY title"),
    ("SELECT year FROM Film GROUP BY year, title", "SELECT DISTINCT year FROM Film"),
    ("SELECT year FROM Film ORDER BY year", "SELECT year FROM Film ORDER BY year DESC"),
    ("SELECT year FROM Film ORDER BY year, id", "SELECT year FROM Film ORDER BY id, year"),
    ("SELECT year FROM Film ORDER BY year", "SELECT year FROM Film ORDER BY year NULLS LAST"),
    ("SELECT year FROM Film LIMIT 1", "SELECT year FROM Film LIMIT 2"),
    ("SELECT year FROM Film LIMIT 1", "SELECT year FROM Film LIMIT 1 OFFSET 1"),
    (
        "SELECT name FROM person p JOIN Film f ON f.director_id = p.id",
        "SELECT name FROM person p JOIN Film f ON f.id = p.id",
    ),
    (
        "SELECT name FROM person p JOIN Film f ON f.director_id = p.id",
        "SELECT name FROM person p LEFT JOIN Film f ON f.director_id = p.id",
    ),
    (
        "SELECT name FROM person p LEFT JOIN Film f ON f.director_id = p.id",
        "SELECT name FROM person p RIGHT JOIN Film f ON f.director_id = p.id",
    ),
    (
        "SELECT 1 FROM person p LEFT JOIN Film f ON f.director_id = p.id AND year > 3",
        "SELECT 1 FROM person p LEFT JOIN Film f ON f.director_id = p.id WHERE year > 3",
    ),
    (
        "SELECT 1 FROM Film f LEFT JOIN person p ON f.director_id = p.id AND f.year > 3 "
        "LEFT JOIN award a ON a.film_id = f.id",
        "SELECT 1 FROM Film f LEFT JOIN person p ON f.director_id = p.id "
        "LEFT JOIN award a ON a.film_id = f.id AND f.year > 3",
    ),
    (
        "SELECT 1 FROM person p LEFT JOIN cast c ON p.id = c.person_id AND role = 'x' "
        "LEFT JOIN Film f ON c.film_id = f.id",
        "SELECT 1 FROM person p LEFT JOIN cast c ON p.id = c.person_id "
        "LEFT JOIN Film f ON c.film_id = f.id AND role = 'x'",
    ),
    (
        "SELECT a.name FROM person a JOIN person b ON a.boss_id = b.id",
        "SELECT b.name FROM person a JOIN person b ON a.boss_id = b.id",
    ),
    (
        "SELECT count(*) FROM cast",
        "SELECT count(*) FROM cast c JOIN person p ON p.id = c.person_id",
    ),
    (
        "SELECT id FROM Film UNION SELECT id FROM person",
        "SELECT id FROM Film INTERSECT SELECT id FROM person",
    ),
    (
        "SELECT id FROM Film UNION SELECT id FROM person",
        "SELECT id FROM Film UNION ALL SELECT id FROM person",
    ),
    (
        "SELECT id FROM Film EXCEPT SELECT id FROM person",
        "SELECT id FROM person EXCEPT SELECT id FROM Film",
    ),
    (
        "SELECT 1 FROM Film f WHERE id IN (SELECT film_id FROM award)",
        "SELECT 1 FROM Film f WHERE id NOT IN (SELECT film_id FROM award)",
    ),
    (
        "SELECT 1 FROM Film f WHERE EXISTS (SELECT 1 FROM award WHERE film_id = f.id)",
        "SELECT 1 FROM Film f WHERE EXISTS (SELECT 1 FROM award WHERE film_id = f.year)",
    ),
    (
        "SELECT 1 FROM Film f WHERE EXISTS (SELECT 1 FROM award WHERE year = f.year)",
        "SELECT 1 FROM Film f WHERE EXISTS (SELECT 1 FROM award WHERE year = year)",
    ),
    (
        "SELECT d.n FROM (SELECT count(*) AS n, max(id) AS m FROM Film GROUP BY year) AS d",
        "SELECT d.m FROM (SELECT count(*) AS n, max(id) AS m FROM Film GROUP BY year) AS d",
    ),
    (
        "SELECT d.n FROM (SELECT count(*) AS n FROM Film GROUP BY year) AS d",
        "SELECT count(*) FROM (SELECT count(*) AS n FROM Film GROUP BY year) AS d",
    ),
    (
        "SELECT title FROM (SELECT * FROM Film LIMIT 3) WHERE year > 3",
        "SELECT title FROM (SELECT * FROM Film WHERE year > 3) LIMIT 3",
    ),
    (
        "SELECT rank() OVER (PARTITION BY age ORDER BY id) FROM person",
        "SELECT rank() OVER (PARTITION BY id ORDER BY age) FROM person",
    ),
    ("SELECT sum(age) FROM person", "SELECT sum(age) OVER () FROM person"),
    ("SELECT CAST(age AS REAL) FROM person", "SELECT CAST(age AS INTEGER) FROM person"),
    ("SELECT strftime('%Y', name) FROM person", "SELECT strftime('%m', name) FROM person"),
    ("SELECT date(name) FROM person", "SELECT date(name, '+1 day') FROM person"),
    ("SELECT substr(name, 1, 2) FROM person", "SELECT substr(name, 1) FROM person"),
    ("SELECT name || 'a' FROM person", "SELECT name || 'b' FROM person"),
    ("SELECT round(age, 1) FROM person", "SELECT round(age, 2) FROM person"),
    ("SELECT count(*) FILTER (WHERE age > 3) FROM person", "SELECT count(*) FROM person"),
)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_query_is_another(one: str, other: str) -> None:
    assert form(read(one)) != form(read(other))


# -- shapes ---------------------------------------------------------------------------------------


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


# -- mutations ------------------------------------------------------------------------------------

Tree = Any
Change = Callable[[Tree], bool]


def _alias(tree: Tree) -> bool:
    """Give every table another alias."""
    new: dict[str, str] = {}
    for table in tree.find_all(exp.Table):
        old = table.alias_or_name.lower()
        new[old] = f"other_{old}"
        table.set("alias", exp.TableAlias(this=exp.to_identifier(new[old])))
    for column in tree.find_all(exp.Column):
        if column.table:
            column.set("table", exp.to_identifier(new.get(column.table.lower(), column.table)))
    return True


def _upper(tree: Tree) -> bool:
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted"):
            name.set("this", name.name.upper())
    return True


def _commas(tree: Tree) -> bool:
    """Write joins as a list of tables, the last first, with conditions in WHERE."""
    done = False
    for select in tree.find_all(exp.Select):
        joins = select.args.get("joins") or []
        if not joins or any(join.side or not join.args.get("on") for join in joins):
            continue
        if any(
            type(column.this) is exp.Star or not column.table
            for column in select.find_all(exp.Column)
        ):
            continue
        tables = [select.args["from_"].this, *(join.this for join in joins)][::-1]
        conditions = [join.args["on"] for join in joins]
        if select.args.get("where"):
            conditions.insert(0, select.args["where"].this)
        select.set("from_", exp.From(this=tables[0]))
        select.set("joins", [exp.Join(this=table, kind="CROSS") for table in tables[1:]])
        select.set("where", exp.Where(this=exp.and_(*conditions)))
        done = True
    return done


def _mirror(tree: Tree) -> bool:
    """Write every comparison from the other side."""
    pairs = {exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE, exp.EQ: exp.EQ}
    found = list(tree.find_all(*pairs))
    for node in found:
        node.replace(pairs[type(node)](this=node.expression.copy(), expression=node.this.copy()))
    return bool(found)


def _turn_conjunctions(tree: Tree) -> bool:
    found = list(tree.find_all(exp.And, exp.Or))
    for node in found:
        left, right = node.this, node.expression
        node.set("this", exp.paren(right.copy()))
        node.set("expression", exp.paren(left.copy()))
    return bool(found)


def _between(tree: Tree) -> bool:
    found = list(tree.find_all(exp.Between))
    for node in found:
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
        node.replace(exp.paren(exp.And(this=low, expression=high)))
    return bool(found)


def _in_from(tree: Tree) -> bool:
    """Put the first table into a subquery that passes everything on."""
    if type(tree) is not exp.Select or not tree.args.get("from_"):
        return False
    if any(type(select) is exp.Star for select in tree.expressions):
        return False
    table = tree.args["from_"].this
    if type(table) is not exp.Table:
        return False
    inner = exp.select("*").from_(exp.Table(this=exp.to_identifier(table.name)))
    alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
    tree.set("from_", exp.From(this=exp.Subquery(this=inner, alias=alias)))
    return True


KEEP: tuple[Change, ...] = (
    *(_alias, _upper, _commas, _mirror, _turn_conjunctions, _between, _in_from),
)


def _swap_type(pairs: dict[type, type]) -> Change:
    def change(tree: Tree) -> bool:
        found = next(tree.find_all(*pairs), None)
        if found is not None:
            found.__class__ = pairs[type(found)]  # the root has no parent to replace it in
        return found is not None

    return change


def _literal(tree: Tree) -> bool:
    """Change a literal; which one EXISTS selects means nothing."""
    literals = (node for node in tree.find_all(exp.Literal) if not node.find_ancestor(exp.Exists))
    found = next(literals, None)
    if found is None:
        return False
    found.set("this", found.this + "7")
    return True


def _aggregate(tree: Tree) -> bool:
    found = next(tree.find_all(exp.Max, exp.Min, exp.Sum, exp.Avg), None)
    if found is None:
        return False
    found.replace((exp.Sum if type(found) is exp.Avg else exp.Avg)(this=found.this.copy()))
    return True


def _no_part(name: str) -> Change:
    def change(tree: Tree) -> bool:
        return tree.args.pop(name, None) is not None

    return change


def _direction(tree: Tree) -> bool:
    order = tree.args.get("order")
    if order is None:
        return False
    first = order.expressions[0]
    first.set("desc", not first.args.get("desc"))
    first.set("nulls_first", not first.args["desc"])
    return True


def _distinct(tree: Tree) -> bool:
    """Add or take DISTINCT, where it is not added to groups or to one row."""
    if type(tree) is not exp.Select or tree.args.get("group"):
        return False
    if any(item.find(exp.AggFunc) for item in tree.expressions):
        return False
    tree.set("distinct", None if tree.args.get("distinct") else exp.Distinct())
    return True


def _one_more_output(tree: Tree) -> bool:
    if type(tree) is not exp.Select:
        return False
    tree.append("expressions", exp.Literal.number(7))
    return True


def _another_column(schema: Schema) -> Change:
    """Return a change of one column that is no key to another of its table."""
    keys = {side.lower() for r in schema.relations for join in r.joins for side in join}
    columns = {
        entity.name.lower(): [
            p.name for p in entity.properties if f"{entity.name}.{p.name}".lower() not in keys
        ]
        for entity in schema.entities
    }

    def change(tree: Tree) -> bool:
        tables = list(tree.find_all(exp.Table))
        if len(tables) != 1 or tables[0].name.lower() not in columns:
            return False
        names = columns[tables[0].name.lower()]
        for column in tree.find_all(exp.Column):
            others = [name for name in names if name.lower() != column.name.lower()]
            if column.name.lower() in map(str.lower, names) and others:
                old = column.name.lower()
                for same in tree.find_all(exp.Column):  # or a copy in GROUP BY would stay
                    if same.name.lower() == old:
                        same.set("this", exp.to_identifier(others[0], quoted=True))
                return True
        return False

    return change


def _another_table(schema: Schema) -> Change:
    names = [entity.name for entity in schema.entities]

    def change(tree: Tree) -> bool:
        table = next(tree.find_all(exp.Table))
        others = [name for name in names if name.lower() != table.name.lower()]
        alias = table.alias_or_name
        table.set("this", exp.to_identifier(others[0]))
        table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        return True

    return change


def _breaking(schema: Schema) -> tuple[Change, ...]:
    return (
        _another_table(schema),
        _another_column(schema),
        *(_literal, _aggregate, _direction, _distinct, _one_more_output),
        *(_no_part(name) for name in ("order", "limit", "where", "having")),
        _swap_type({exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.GT: exp.GTE, exp.GTE: exp.GT}),
        _swap_type({exp.LT: exp.LTE, exp.LTE: exp.LT, exp.Like: exp.Glob}),
        _swap_type({exp.Union: exp.Except, exp.Intersect: exp.Union, exp.Except: exp.Union}),
        _swap_type({exp.Sub: exp.Add, exp.Add: exp.Sub, exp.Div: exp.Mul, exp.Mul: exp.Div}),
    )


def _mutants(text: str, changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        tree = sqlglot.parse_one(text, dialect="sqlite")
        if change(tree):
            yield tree.sql("sqlite")


def _check_mutants(text: str, schema: Schema) -> tuple[int, int]:
    """Check a query's mutants, both ways; return how many there were of each."""
    gold = form(read(text, schema))
    same = list(_mutants(text, KEEP))
    for mutant in same:
        assert form(read(mutant, schema)) == gold, (text, mutant)
    other = list(_mutants(text, _breaking(schema)))
    for mutant in other:
        assert form(read(mutant, schema)) != gold, (text, mutant)
    return len(same), len(other)


def test_mutants_of_queries_made_by_hand() -> None:
    found = [_check_mutants(texts[0], CINEMA) for texts in SAME.values()]
    assert sum(same for same, _ in found) > 60
    assert sum(other for _, other in found) > 100


# -- what is no query -----------------------------------------------------------------------------

ISSUES = {
    "": "empty",
    " ;; -- nothing": "empty",
    "SELEC name FROM person": "syntax",
    "SELECT FROM WHERE": "syntax",
    "SELECT 'open": "syntax",
    "SELECT name FROM person WHERE": "syntax",
    "how old is Ann?": "syntax",
    "DROP TABLE person": "unsupported",
    "INSERT INTO person VALUES (1)": "unsupported",
    "PRAGMA table_info(person)": "unsupported",
    "EXPLAIN SELECT 1": "unsupported",
    "ATTACH 'x' AS y": "unsupported",
    "VALUES (1)": "unsupported",
    "SELECT 1; SELECT 2": "unsupported",
    "SELECT a INTO b FROM c": "unsupported",
    "SELECT DISTINCT ON (a) a FROM b": "unsupported",
    "SELECT a FROM b GROUP BY ROLLUP (a)": "unsupported",
    "SELECT a FROM b SEMI JOIN c ON b.x = c.x": "unsupported",
    "WITH x AS (DELETE FROM y RETURNING z) SELECT z FROM x": "unsupported",
    "SELECT a FROM b TABLESAMPLE (3 ROWS)": "unsupported",
    "SELECT " + "(" * 51 + "1" + ")" * 51: "limit",
    "SELECT 1 -- " + "x" * 4_000: "limit",
}


@pytest.mark.parametrize("text", ISSUES)
def test_what_is_no_query_is_said_in_words(text: str) -> None:
    issue = read_sql(text)
    assert isinstance(issue, QueryIssue) and issue.kind == ISSUES[text], issue
    assert 10 < len(issue.reason) < 400 and "class" not in issue.reason
    assert "\x1b" not in issue.reason


def _nested(before: str, middle: str, after: str) -> Callable[[int], str]:
    return lambda n: before * n + middle + after * n


BOMBS = {
    "parentheses": _nested("SELECT * FROM (", "SELECT 1", ")"),
    "sum": lambda n: "SELECT " + "1+" * n + "1",
    "difference": lambda n: "SELECT " + "1-" * n + "1",
    "and": lambda n: "SELECT 1 WHERE " + "a AND " * n + "a",
    "not": lambda n: "SELECT " + "NOT " * n + "1",
    "case": lambda n: "SELECT " + "CASE WHEN " * n + "1" + " THEN 1 END" * n,
    "union": lambda n: "SELECT 1 " + "UNION SELECT 1 " * n,
    "exists": lambda n: "SELECT 1 WHERE " + "EXISTS (SELECT 1 WHERE " * n + "1" + ")" * n,
    "joins": lambda n: "SELECT 1 FROM a" + " JOIN a" * n,
    "equalities": lambda n: "SELECT 1 FROM a, b WHERE " + " AND ".join(
        f"a.c{i} = b.d{i // 2}" for i in range(n)
    ),
    "doubling tables": lambda n: "WITH t0 AS (SELECT 1 AS x)" + "".join(
        f", t{i + 1} AS (SELECT * FROM t{i} a, t{i} b)" for i in range(n)
    ) + f" SELECT * FROM t{n}",
    "doubling values": lambda n: "WITH t0 AS (SELECT x FROM y)" + "".join(
        f", t{i + 1} AS (SELECT x + x AS x FROM t{i})" for i in range(n)
    ) + f" SELECT x FROM t{n}",
    "doubling groups": lambda n: "WITH t0 AS (SELECT x FROM y)" + "".join(
        f", t{i + 1} AS (SELECT max(x || x) AS x FROM t{i})" for i in range(n)
    ) + f" SELECT x FROM t{n}",
    "doubling names": lambda n: "SELECT a AS b0" + "".join(
        f", b{i} + b{i} AS b{i + 1}" for i in range(n)
    ) + " FROM t",
    "brackets before UNION": lambda n: "SELECT 1" + " UNION SELECT (SELECT 1" * n + ")" * n,
    "open brackets": lambda n: "SELECT 1" if n < 9 else "SELECT " + "( UNION " * n,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_deep_and_long_text_ends_soon(name: str) -> None:
    for n in (3, 20, 48, 100, 1_000):
        start = time.perf_counter()
        found = read_sql(BOMBS[name](n)[:4_000])
        assert time.perf_counter() - start < 2.0, n
        if isinstance(found, QueryIssue):
            assert found.kind in ("limit", "syntax"), found
        else:  # shallow enough for whoever walks it
            hash(found)
            repr(found)
    assert isinstance(read_sql(BOMBS[name](3)), Query)


_WORDS = (
    *(
        "SELECT",
        "FROM",
        "WHERE",
        "JOIN",
        "LEFT",
        "NATURAL",
        "USING",
        "ON",
        "AND",
        "OR",
        "NOT",
        "IN",
    ),
    *(
        "EXISTS",
        "(",
        ")",
        ",",
        ".",
        "*",
        "+",
        "-",
        "||",
        "=",
        "<>",
        "<",
        "> =",
        "IS",
        "NULL",
        "LIKE",
    ),
    *("BETWEEN", "CASE", "WHEN", "THEN", "END", "GROUP BY", "HAVING", "ORDER BY", "DESC", "LIMIT"),
    *(
        "UNION",
        "EXCEPT",
        "WITH",
        "AS",
        "DISTINCT",
        "count",
        "OVER",
        "CAST",
        "1",
        "2.5",
        "'x'",
        '"x"',
    ),
    *("`x`", "[", "]", ";", "--", "/*", "?", ":x", "person", "Film", "p", "f", "name", "id", "ANY"),
    *(
        "INTERVAL",
        "DATE",
        "FILTER",
        "VALUES",
        "QUALIFY",
        "PIVOT",
        "{",
        "}",
        "::",
        "\0",
        "\ud800",
        "ß",
    ),
)


@given(
    st.one_of(st.text(max_size=60), st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join))
)
def test_no_text_raises(text: str) -> None:
    for query in (text, f"SELECT {text}", f"SELECT name FROM person p WHERE {text}"):
        found = read_sql(query, CINEMA)
        assert isinstance(found, Query | QueryIssue)


@given(st.data())
def test_no_broken_query_raises(data: st.DataObject) -> None:
    texts = [text for texts in SAME.values() for text in texts]
    words = data.draw(st.sampled_from(texts)).split()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(words)))
        words[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.lists(st.sampled_from(_WORDS), max_size=2)
        )
    for dialect in ("sqlite", "duckdb"):
        assert isinstance(read_sql(" ".join(words), CINEMA, dialect), Query | QueryIssue)


# -- published queries ----------------------------------------------------------------------------


def _spider(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Schema]]:
    entries = json.loads((folder / "tables.json").read_text())
    return (
        json.loads((folder / "dev.json").read_text()),
        {entry["db_id"]: spider_schema(entry) for entry in entries},
    )


@pytest.mark.data
def test_all_gold_of_spider_and_bird_is_read(
    graphenv_data: Path, record_property: Callable[[str, object], None]
) -> None:
    gold, schemas = _spider(graphenv_data / "query/spider")
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


@pytest.mark.data
def test_mutants_of_spider_gold(graphenv_data: Path) -> None:
    gold, schemas = _spider(graphenv_data / "query/spider")
    counts = [
        _check_mutants(gold[i]["query"], schemas[gold[i]["db_id"]])
        for i in sample(len(gold), 70, "sql mutants")
    ]
    assert sum(same for same, _ in counts) > 180
    assert sum(other for _, other in counts) > 300


# -- schemas, packages ----------------------------------------------------------------------------

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
