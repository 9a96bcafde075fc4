"""What may be written in several ways in SQL is one query; any change is another."""

from __future__ import annotations

import pytest
from query_sql_forms import SAME, form, read

pytest.importorskip("sqlglot")


@pytest.mark.parametrize("name", SAME)
def test_ways_to_write_one_query_are_one_query(name: str) -> None:
    forms = {text: form(read(text)) for text in SAME[name]}
    assert len(set(forms.values())) == 1, forms
    assert not any(read(text).unknown for text in SAME[name])


def test_the_groups_differ_from_each_other() -> None:
    first = [form(read(texts[0])) for texts in SAME.values()]
    assert len(set(first)) == len(first)


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
