"""SQL over a cinema: queries by what they say, and ways to write one query."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from graphenv.query.model import Entity, Expr, Query, Scope
from graphenv.query.schema import EntityType, Property, RelationType, Schema
from graphenv.query.sql import read_sql


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
