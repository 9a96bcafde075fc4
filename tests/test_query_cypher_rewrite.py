"""Neo4j's Cypher rewritten for ladybug: the engine returns what Neo4j would, or is not asked."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from graphenv.query.cypher import to_ladybug
from graphenv.query.model import QueryIssue
from graphenv.query.schema import EntityType, Property, RelationType, Schema

ladybug = pytest.importorskip("ladybug", reason="needs the extra `query`")

Rows = list[tuple[Any, ...]]


class Small:
    """The small database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def raw(self, text: str) -> Rows:
        """Return what the engine answers."""
        found = self._connection.execute(text)
        return [tuple(map(_plain, row)) for row in found.get_all()]

    def rows(self, query: str) -> Rows:
        """Return what the engine answers to a query of Neo4j."""
        text = to_ladybug(query, SCHEMA)
        assert isinstance(text, str), text
        return self.raw(text)


SCHEMA = Schema(
    "small",
    (
        EntityType(
            "Person",
            (
                *(Property("id", "integer"), Property("name"), Property("age", "integer")),
                *(Property("born", "date"), Property("nums", "list"), Property("score", "real")),
            ),
        ),
        EntityType("Film", (Property("id", "integer"), Property("title"))),
        EntityType("Order", (Property("id", "integer"),)),
    ),
    (
        RelationType("KNOWS", "Person", "Person", (Property("since", "integer"),)),
        RelationType("MADE", "Person", "Film"),
        RelationType("IN", "Person", "Order"),
    ),
)
PEOPLE = [("Ann", 30, [5, 6, 7]), ("Bob", 25, [1]), ("Cid", 41, [9, 2]), ("Dan", 41, [3])]
KNOWS = [(0, 1), (1, 2), (2, 3), (0, 2)]
MADE = [(0, 0), (0, 1), (1, 1), (2, 2)]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    path = tmp_path_factory.mktemp("small") / "db"
    database = ladybug.Database(str(path), max_num_threads=1, max_db_size=2**30)
    connection = ladybug.Connection(database)
    for statement in (
        "CREATE NODE TABLE Person(id INT64 PRIMARY KEY, name STRING, age INT64, born DATE,"
        " nums INT64[], score DOUBLE)",
        "CREATE NODE TABLE Film(id INT64 PRIMARY KEY, title STRING)",
        "CREATE NODE TABLE `Order`(id INT64 PRIMARY KEY)",
        "CREATE REL TABLE KNOWS(FROM Person TO Person, since INT64)",
        "CREATE REL TABLE MADE(FROM Person TO Film)",
        "CREATE REL TABLE `IN`(FROM Person TO `Order`)",
        "CREATE (:`Order` {id: 0})",
        *(
            f"CREATE (:Person {{id: {i}, name: '{name}', age: {age},"
            f" born: date('199{i}-0{i + 1}-05'), nums: {nums}, score: {i}.5}})"
            for i, (name, age, nums) in enumerate(PEOPLE)
        ),
        *(f"CREATE (:Film {{id: {i}, title: 'f{i}'}})" for i in range(3)),
        *(
            f"MATCH (a:Person {{id: {a}}}), (b:Person {{id: {b}}})"
            f" CREATE (a)-[:KNOWS {{since: {2000 + b}}}]->(b)"
            for a, b in KNOWS
        ),
        *(
            f"MATCH (a:Person {{id: {a}}}), (b:Film {{id: {b}}}) CREATE (a)-[:MADE]->(b)"
            for a, b in MADE
        ),
        "MATCH (a:Person {id: 1}), (b:`Order`) CREATE (a)-[:`IN`]->(b)",
    ):
        connection.execute(statement)

    yield Small(connection)
    connection.close()
    database.close()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict) and "_LABEL" in value:
        return value.get("name") or value.get("title")
    return [_plain(item) for item in value] if isinstance(value, list) else value


def trails(length: int) -> int:
    """Return in how many ways that many distinct KNOWS can be walked, in any direction."""
    ends = [(a, b, i) for i, (a, b) in enumerate(KNOWS)] + [
        (b, a, i) for i, (a, b) in enumerate(KNOWS)
    ]

    def onward(at: int, used: tuple[int, ...]) -> int:
        if len(used) == length:
            return 1
        return sum(onward(b, (*used, i)) for a, b, i in ends if a == at and i not in used)

    return sum(onward(person, ()) for person in range(len(PEOPLE)))


ANSWERS: list[tuple[str, Rows]] = [
    # patterns
    ("MATCH (a:Person WHERE a.age < 31) RETURN a.name", [("Ann",), ("Bob",)]),
    ("MATCH (a:Person)-[k:KNOWS WHERE k.since = 2003]->(b) RETURN a.name", [("Cid",)]),
    ("MATCH (a:Person {name: 'Ann'})-[:KNOWS {since: 2002}]->(b) RETURN b.name", [("Cid",)]),
    ("MATCH (a)-[:KNOWS]-()-[:KNOWS]-(b) RETURN count(*)", [(trails(2),)]),
    ("MATCH (a)-[:KNOWS]-(x), (x)-[:KNOWS]-(b) RETURN count(*)", [(trails(2),)]),
    ("MATCH (a)-[:KNOWS]-(x) MATCH (x)-[:KNOWS]-(b) RETURN count(*)", [(18,)]),
    ("MATCH (a)-[:KNOWS*1..4]-(b) RETURN count(*)", [(sum(map(trails, range(1, 5))),)]),
    ("MATCH (a)-[:KNOWS*]-(b) RETURN count(*)", [(sum(map(trails, range(1, 5))),)]),
    ("MATCH (a)-[:KNOWS*2]-(b) RETURN count(*)", [(trails(2),)]),
    ("MATCH (a)-[:KNOWS]-(x)-[:KNOWS*1..2]-(b) RETURN count(*)", [(trails(2) + trails(3),)]),
    ("MATCH (a)-[:KNOWS*1..2]-(x)-[:KNOWS*1..2]-(b) RETURN count(*)",
     [(trails(2) + 2 * trails(3) + trails(4),)]),
    ("MATCH (a:Person)-[:KNOWS]->(b)-[:MADE]->(f) RETURN a.name, f.title",
     [("Ann", "f1"), ("Ann", "f2"), ("Bob", "f2")]),
    ("MATCH (a:Person)-[:MADE]->(f)<-[:MADE]-(b) RETURN a.name, b.name",
     [("Ann", "Bob"), ("Bob", "Ann")]),
    ("MATCH p = shortestPath((a:Person {name: 'Ann'})-[:KNOWS*]-(b:Person {name: 'Dan'})) "
     "RETURN length(p), [x IN nodes(p) | x.name]", [(2, ["Ann", "Cid", "Dan"])]),
    ("MATCH p = allShortestPaths((a:Person {name: 'Ann'})-[:KNOWS*..5]->(b:Person)) "
     "WHERE b.name = 'Cid' RETURN length(p)", [(1,)]),
    ("MATCH (a:Person:Film) RETURN count(*)", [(0,)]),
    ("MATCH (a:Person|Film) RETURN count(*)", [(7,)]),
    ("MATCH (a:!Person) RETURN count(*)", [(4,)]),
    ("MATCH (a) WHERE a:Film OR a:Order RETURN count(*)", [(4,)]),
    ("MATCH (a)-[:IN]->(order:Order) RETURN order.id AS order", [(0,)]),
    ("MATCH (a:Person {name: 'Ann'})-[:KNOWS]->(A) RETURN A.name", [("Bob",), ("Cid",)]),
    ("MATCH (a:Person {id: 0})-->(f:Film) RETURN *", [("Ann", "f0"), ("Ann", "f1")]),
    ("MATCH (a:Person {id: 1})-[r]->(x) RETURN type(r), labels(x)",
     [("IN", ["Order"]), ("KNOWS", ["Person"]), ("MADE", ["Film"])]),
    ("MATCH (a:Person) WHERE 'Person' IN labels(a) RETURN count(a)", [(4,)]),
    ("MATCH (:Person {id: 1})-[r]->(x) RETURN head(labels(x)), labels(x)[0]",
     [("Film", "Film"), ("Order", "Order"), ("Person", "Person")]),
    # subqueries
    ("MATCH (a:Person) WHERE EXISTS { (a)-[:MADE]->(:Film {title: 'f1'}) } RETURN a.name",
     [("Ann",), ("Bob",)]),
    ("MATCH (a:Person) WHERE NOT (a)-[:MADE]->() RETURN a.name", [("Dan",)]),
    ("MATCH (a:Person) WHERE exists((a)-[:IN]->()) RETURN a.name", [("Bob",)]),
    ("MATCH (a:Person) WHERE EXISTS { MATCH (a)-[:KNOWS]->(b) MATCH (b)-[:KNOWS]->(c) "
     "WHERE c.name = 'Dan' RETURN c } RETURN a.name", [("Ann",), ("Bob",)]),
    ("MATCH (a:Person) RETURN a.name, count{(a)-[:MADE]->()} AS n",
     [("Ann", 2), ("Bob", 1), ("Cid", 1), ("Dan", 0)]),
    ("MATCH (a:Person) WHERE size((a)-[:KNOWS]->()) > 1 RETURN a.name", [("Ann",)]),
    ("MATCH (a:Person) RETURN a.name ORDER BY COUNT { (a)-[:KNOWS]-() } DESC, a.name LIMIT 2",
     [("Cid",), ("Ann",)]),
    ("MATCH (a:Person) WHERE COUNT { (a)-[:KNOWS]-()-[:KNOWS]-() } = 3 RETURN a.name",
     [("Ann",), ("Bob",)]),
    # WITH
    ("MATCH (a:Person) WITH a ORDER BY a.age, a.name DESC RETURN a.name",
     [("Bob",), ("Ann",), ("Dan",), ("Cid",)]),
    ("MATCH (a:Person) WITH a.name AS n ORDER BY a.id DESC RETURN n",
     [("Dan",), ("Cid",), ("Bob",), ("Ann",)]),
    ("MATCH (a:Person) WITH a ORDER BY a.id DESC LIMIT 2 RETURN sum(a.id)", [(5,)]),
    ("MATCH (a:Person) WITH a ORDER BY a.id DESC LIMIT 3 WITH a SKIP 1 RETURN collect(a.name)",
     [(["Cid", "Bob"],)]),
    ("MATCH (a:Person) WITH a ORDER BY a.id DESC RETURN collect(a.name)",
     [(["Dan", "Cid", "Bob", "Ann"],)]),
    ("MATCH (a:Person) WITH a ORDER BY a.id DESC RETURN a.age AS x, collect(a.name) ORDER BY x",
     [(25, ["Bob"]), (30, ["Ann"]), (41, ["Dan", "Cid"])]),
    ("MATCH (a:Person)-[:MADE]->(f) WITH a, count(f) AS n WHERE n > 1 RETURN a.name, n",
     [("Ann", 2)]),
    ("MATCH (a:Person) OPTIONAL MATCH (a)-[:MADE]->(f WHERE f.title = 'f1') "
     "RETURN a.name, f.title", [("Ann", "f1"), ("Bob", "f1"), ("Cid", None), ("Dan", None)]),
    ("MATCH (a:Person) WHERE a.id < 2 RETURN a.name AS x UNION MATCH (f:Film) RETURN f.title AS x",
     [("Ann",), ("Bob",), ("f0",), ("f1",), ("f2",)]),
    # lists
    ("MATCH (a:Person) RETURN a.name, a.nums[0], a.nums[1], a.nums[-1], last(a.nums)",
     [("Ann", 5, 6, 7, 7), ("Bob", 1, None, 1, 1), ("Cid", 9, 2, 2, 2), ("Dan", 3, None, 3, 3)]),
    ("MATCH (a:Person {id: 0}) RETURN a.nums[1..], a.nums[..1], a.nums[1..2], a.nums[-2..], "
     "a.nums[..-1], tail(a.nums), a.nums[0..0]",
     [([6, 7], [5], [6], [6, 7], [5, 6], [6, 7], [])]),
    ("MATCH (a:Person) OPTIONAL MATCH (a)-[:MADE]->(f) WITH a, collect(f) AS fs "
     "RETURN a.name, head(fs).title, size(fs)",
     [("Ann", "f0", 2), ("Bob", "f1", 1), ("Cid", "f2", 1), ("Dan", None, 0)]),
    ("MATCH (a:Person) RETURN a.id, [x IN a.nums WHERE x > 2 | x * 10]",
     [(0, [50, 60, 70]), (1, []), (2, [90]), (3, [30])]),
    ("MATCH (a:Person) WHERE any(x IN a.nums WHERE x > 6) AND all(x IN a.nums WHERE x > 4) "
     "RETURN a.name", [("Ann",)]),
    ("MATCH (a:Person) WHERE all(x IN [5, 7] WHERE x IN a.nums) RETURN a.name", [("Ann",)]),
    ("MATCH (a:Person) WHERE NOT any(x IN [30, 25] WHERE x = a.age OR a.name = 'Dan') "
     "RETURN a.name", [("Cid",)]),
    ("MATCH (a:Person) WHERE none(x IN a.nums WHERE x > 4) RETURN a.name", [("Bob",), ("Dan",)]),
    ("MATCH (a:Person) WHERE single(x IN a.nums WHERE x > 4) RETURN a.name", [("Cid",)]),
    ("MATCH (a:Person)-[:MADE]->(f) WITH a, collect(f) AS fs RETURN a.name, [x IN fs | x.title]",
     [("Ann", ["f0", "f1"]), ("Bob", ["f1"]), ("Cid", ["f2"])]),
    ("MATCH (a:Person)-[:MADE]->(f) WITH a, collect(f) AS fs "
     "WHERE any(x IN fs WHERE x.title = 'f1') RETURN a.name", [("Ann",), ("Bob",)]),
    ("MATCH (a:Person)-[:MADE]->(f) WITH a, collect(f) AS fs "
     "RETURN a.name, size([x IN fs WHERE x.title <> 'f0'])", [("Ann", 1), ("Bob", 1), ("Cid", 1)]),
    ("MATCH p = (a:Person {id: 0})-[r:KNOWS*1..2]->(b) WHERE all(x IN r WHERE x.since > 2001) "
     "RETURN b.name, size(r)", [("Cid", 1), ("Dan", 2)]),
    ("MATCH p = (a:Person {id: 0})-[*1..2]->(b) WHERE all(r IN relationships(p) "
     "WHERE type(r) = 'KNOWS') RETURN count(*)", [(4,)]),
    ("MATCH (a:Person) RETURN reduce(s = 1, x IN a.nums | s + x)", [(4,), (12,), (19,), (2,)]),
    ("MATCH (a:Person)-[:MADE]->(f) WITH collect(f) AS fs UNWIND fs AS f RETURN DISTINCT f.title",
     [("f0",), ("f1",), ("f2",)]),
    # values
    ("MATCH (a:Person) WHERE 25 < a.age <= 30 RETURN a.name", [("Ann",)]),
    ("MATCH (a:Person) WHERE a.age != 41 AND NOT a.name IN ['Ann'] RETURN a.name", [("Bob",)]),
    ("RETURN toInteger('5.7'), toInteger(-5.7), toInteger('12'), toFloat('2.5')",
     [(5, -5, 12, 2.5)]),
    ("RETURN substring('hello', 1, 3), substring('hello', 2), split('a b', ' ')[1]",
     [("ell", "llo", "b")]),
    ("RETURN round(2.5), round(-1.5), round(1.25, 1), 7 / 2, -(-3), 2 ^ 3, log(1)",
     [(3.0, -1.0, 1.3, 3, 3, 8.0, 0.0)]),
    ("MATCH (a:Person {id: 1}) RETURN 'x' + a.age, toString(a.age) || '!', toString(a.age = 25)",
     [("x25", "25!", "true")]),
    ("RETURN 'it\\'s', \"a\\\\b\", 'q\"', 'x\\ny'", [("it's", "a\\b", 'q"', "x\ny")]),
    ("MATCH (a:Person) WHERE a.born.year > 1991 RETURN a.born.month, a.born.dayOfWeek",
     [(3, 4), (4, 1)]),
    ("MATCH (a:Person) WHERE a.born >= date('1992-01-01') RETURN count(*)", [(2,)]),
    ("RETURN date({year: 2020, month: 3}), date('2020-01-31') + duration({days: 1}), "
     "datetime('2020-01-02T03:04:05Z').hour",
     [(datetime.date(2020, 3, 1), datetime.date(2020, 2, 1), 3)]),
    ("MATCH (a:Person {id: 1}) RETURN a {.name, old: a.age > 30}",
     [({"name": "Bob", "old": False},)]),
    ("MATCH (a:Person) RETURN sum(CASE a.age WHEN 41 THEN 1 ELSE 0 END)", [(2,)]),
    ("MATCH (a:Person) WHERE exists(a.age) AND a.name =~ '[AB].*' RETURN a.name",
     [("Ann",), ("Bob",)]),
    ("MATCH (a:Person)-[k:KNOWS]->(b) WHERE startNode(k).name = 'Ann' RETURN endNode(k).name",
     [("Bob",), ("Cid",)]),
    ("MATCH (a:Person) RETURN a.age - 1 - 1, a.age - (1 - 1), (a.age > 30) = true",
     [(23, 25, False), (28, 30, False), (39, 41, True), (39, 41, True)]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), ANSWERS)
def test_the_engine_answers_as_neo4j_would(small: Small, query: str, expected: Rows) -> None:
    found = small.rows(query)
    if "ORDER BY" not in query:
        found, expected = sorted(found, key=str), sorted(expected, key=str)
    assert found == expected, to_ladybug(query, SCHEMA)


def test_the_reasons_for_other_words_are_still_there(small: Small) -> None:
    """As the engine has them in 0.22; one that is gone makes a rewriting unnecessary."""
    # Sorting before an aggregate over all rows is forgotten, and other rows are cut off.
    top = "MATCH (a:Person) WITH a ORDER BY a.id DESC LIMIT 2 RETURN sum(a.id)"
    assert small.raw(top) == [(0 + 1,)]
    assert small.rows(top) == [(2 + 3,)]
    # A relationship is met twice in one pattern.
    walks = "MATCH (a)-[x:KNOWS]-()-[y:KNOWS]-(b) RETURN count(*)"
    assert small.raw(walks) == [(18,)]
    assert small.rows(walks) == [(trails(2),)]
    # Variables that differ in case only are one.
    cases = "MATCH (a:Person)-[:KNOWS]->(A:Person) RETURN count(*)"
    assert small.raw(cases) == [(0,)]
    assert small.rows(cases) == [(len(KNOWS),)]
    # Names in another case are found.
    assert small.raw("MATCH (a:PERSON) RETURN count(*)") == [(4,)]
    # An offset is not looked at.
    two = "RETURN timestamp('2020-01-01T00:00:00+02:00') = timestamp('2020-01-01T00:00:00')"
    assert small.raw(two) == [(True,)]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("MATCH (a) RETURN [(a)-->(b) | b.name]", "pattern comprehension"),
        ("MATCH (a) RETURN COLLECT { MATCH (a)-->(b) RETURN b }", "COLLECT"),
        ("MATCH (a) CALL { WITH a MATCH (a)-->(b) RETURN b } RETURN b", "CALL { }"),
        ("MATCH (a:Person) RETURN [x IN a.nums WHERE x > a.age]", "'a' of the row"),
        ("MATCH (a:Person) RETURN [x IN a.nums | [y IN [1] | y + 1]]", "inside another"),
        ("MATCH p = (a)-->(b) RETURN [x IN nodes(p) WHERE x.age > x.id | x.name]", "one property"),
        ("MATCH p = (a)-->(b) RETURN [x IN nodes(p) WHERE x.age > 3]", "picked from a list"),
        ("MATCH (a) RETURN stDev(a.age)", "no function 'stDev'"),
        ("MATCH (a) RETURN apoc.text.join([a.name], ' ')", "'apoc.text.join'"),
        ("MATCH (a)-[:KNOWS*1..40]->(b) RETURN b", "follows 30"),
        ("MATCH p = shortestPath((a)-[:KNOWS*0..3]->(b)) RETURN p", "from one step on"),
        ("MATCH (a) RETURN length(shortestPath((a)-[:KNOWS*]->(:Person)))", "in MATCH p"),
        ("RETURN datetime('2020-01-01T00:00:00+02:00')", "not \"'2020"),
        ("RETURN toString(1.5)", "fractions as text"),
        ("RETURN reduce(s = 1, x IN [1, 2] | s * x)", "sums only"),
        ("MATCH (a) RETURN a.nums[a.id]", "number as its index"),
        ("MATCH (a:person) RETURN a", "no label 'person'; the schema has 'Person'"),
        ("MATCH ()-[:knows]->() RETURN 1", "no relation 'knows'; the schema has 'KNOWS'"),
        ("MATCH (a:Person) RETURN a.Name", "no property 'Name'; the schema has 'name'"),
        ("OPTIONAL MATCH p = (a:Film)-[:KNOWS]->() RETURN nodes(p)", "a path that MATCH found"),
        ("MATCH (a)-[r]->(b) MATCH (c)-[r]->(d) RETURN r", "matched again"),
        ("MATCH (a:Person) RETURN properties(a)", "no function 'properties'"),
        ("MATCH (a) WITH a ORDER BY a.x RETURN DISTINCT a.y LIMIT 3", "made distinct"),
    ],
)
def test_what_cannot_be_said_is_refused(query: str, reason: str) -> None:
    issue = to_ladybug(query, SCHEMA)
    assert isinstance(issue, QueryIssue), issue
    assert issue.kind == "unsupported"
    assert reason in issue.reason


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("MATCH (n:Film) RETURN n.title", "MATCH (n:Film) RETURN n.title"),
        ("MATCH (a:Film), (b:Film) WHERE a.x = 1 OR b.x = 2 RETURN a AS `a b`",
         "MATCH (a:Film), (b:Film) WHERE (a.x = 1 OR b.x = 2) RETURN a AS `a b`"),
        ("MATCH (a {x: 1})-[:R]->() WHERE NOT (a.y > 1 AND a.z < 2) RETURN count(DISTINCT a) AS n",
         "MATCH (a {x: 1})-[_e1:R]->() WHERE NOT (a.y > 1 AND a.z < 2) "
         "RETURN count(DISTINCT a) AS n"),
        ("MATCH (_e1)-[:R]->(b) RETURN b.table", "MATCH (_e1)-[_e2:R]->(b) RETURN b.`table`"),
    ],
)  # fmt: skip
def test_what_needs_no_other_words_keeps_its_own(query: str, expected: str) -> None:
    assert to_ladybug(query) == expected


@pytest.mark.soak
@pytest.mark.data
def test_all_zograscope_gold_runs(graphenv_data: Path, tmp_path: Path) -> None:
    from graphenv.envs.queries.files.ladybug import write_ladybug
    from graphenv.envs.queries.sources.importer_zip import read_importer_zip

    folder = graphenv_data / "query/zograscope"
    contents = read_importer_zip(folder / "pole-data-importer.zip", "pole")
    write_ladybug(contents, tmp_path / "pole")
    database = ladybug.Database(str(tmp_path / "pole"), read_only=True, max_num_threads=1)
    connection = ladybug.Connection(database)
    with (folder / "zograscope_train_v1.csv").open(encoding="utf-8") as file:
        gold = list(csv.DictReader(file))
    right = 0
    for row in gold:
        text = to_ladybug(row["mr"], contents.schema)
        assert isinstance(text, str), row["mr"]
        found = connection.execute(text)
        assert not isinstance(found, list)
        right += str(len(found.get_all())) == row["return_count"]
    assert (len(gold), right) == (2905, 2903)
