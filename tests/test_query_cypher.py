"""Cypher text to queries: what is the same, what is not, what is refused, and how fast."""

from __future__ import annotations

import csv
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_forms import changed, form, places, tree, tree_form

from graphenv.query.cypher import read_cypher, to_ladybug
from graphenv.query.cypher.reader import parse
from graphenv.query.cypher.tree import (
    Body,
    Item,
    Labels,
    Match,
    Node,
    Projection,
    Step,
    Term,
    Unwind,
)
from graphenv.query.cypher.tree import (
    Path as Pattern,
)
from graphenv.query.model import Query, QueryIssue
from graphenv.query.schema import EntityType, Property, RelationType, Schema

SCHEMA = Schema(
    "cinema",
    (
        EntityType("Film", (Property("title"), Property("year", "integer"))),
        EntityType("Person", (Property("name"), Property("born", "integer"))),
    ),
    (
        RelationType("MADE", "Person", "Film", (Property("since", "integer"),)),
        RelationType("KNOWS", "Person", "Person"),
    ),
)

SAME = [
    # names, arrows, order of patterns
    ("MATCH (a:P)-[r:R]->(b:Q) RETURN b.x", "match (n:P)-[:R]->(m:Q) return m.x AS y"),
    ("MATCH (a:P)-[:R]->(b:Q) RETURN b.x", "MATCH (b:Q)<-[:R]-(a:P) RETURN b.x"),
    ("MATCH (a:P)-[:R]->()<-[:S]-(c) RETURN c", "MATCH (m)<-[:R]-(:P), (c)-[:S]->(m) RETURN c"),
    ("MATCH (a)-[:R]->(b)-[:S]->(c) RETURN c", "MATCH (a)-[:R]->(b) MATCH (b)-[:S]->(c) RETURN c"),
    ("MATCH (a:P)-[:R]-(b:Q) RETURN b", "MATCH (b:Q)-[:R]-(a:P) RETURN b"),
    ("MATCH (a)-[:R|S]->(b) RETURN a", "MATCH (a)-[:S|:R]->(b) RETURN a"),
    ("MATCH (a:B:A) RETURN a", "MATCH (a:A&B) RETURN a"),
    ("MATCH (a)-[:R*1]->(b) RETURN a", "MATCH (a)-[:R]->(b) RETURN a"),
    ("MATCH (a)-[:R*..3]->(b) RETURN a", "MATCH (a)-[:R]->{1,3}(b) RETURN a"),
    ("MATCH (`a`:`P`) RETURN a . x // the end", "/* x */ MATCH (a:P) RETURN a.x;"),
    # conditions
    ("MATCH (a:P {x: 1}) RETURN a", "MATCH (a:P) WHERE 1 = a.x RETURN a"),
    ("MATCH (a:P WHERE a.x > 1) RETURN a", "MATCH (a:P) WHERE 1 < a.x RETURN a"),
    ("MATCH (a)-[r:R {x: 1}]->() RETURN a", "MATCH (a)-[r:R]->() WHERE r.x = 1 RETURN a"),
    ("MATCH (a)-[r:R WHERE r.x = 1]->() RETURN a", "MATCH (a)-[r:R]->() WHERE r.x = 1 RETURN a"),
    ("MATCH (a) WHERE a:P RETURN a", "MATCH (a:P) RETURN a"),
    ("MATCH (a) WHERE NOT (a.x > 1 AND a.y = 2) RETURN a",
     "MATCH (a) WHERE a.y <> 2 OR a.x <= 1 RETURN a"),
    ("MATCH (a) WHERE NOT NOT a.x != 1 RETURN a", "MATCH (a) WHERE a.x <> 1 RETURN a"),
    ("MATCH (a) WHERE 1 < a.x <= 3 RETURN a", "MATCH (a) WHERE a.x <= 3 AND a.x > 1 RETURN a"),
    ("MATCH (a), (b) WHERE a.x > b.y RETURN a", "MATCH (a), (b) WHERE b.y < a.x RETURN a"),
    ("MATCH (a) WHERE a.x = 1 AND a.y = 2 RETURN a", "MATCH (a {y: 2, x: 1}) RETURN a"),
    ("MATCH (a) WHERE a.x IN ['u', 'v'] RETURN a", "MATCH (a) WHERE a.x IN ['v', 'u'] RETURN a"),
    ("MATCH (a) WHERE a.x IN ['u'] RETURN a", "MATCH (a {x: 'u'}) RETURN a"),
    ("MATCH (a) WHERE exists(a.x) RETURN a", "MATCH (a) WHERE NOT a.x IS NULL RETURN a"),
    ("MATCH (a {x: \"it's\"}) RETURN a", "MATCH (a {x: 'it\\'s'}) RETURN a"),
    ("MATCH (a {x: -1}) RETURN a", "MATCH (a {x: -01}) RETURN a"),
    # WITH
    ("MATCH (a:P) WITH a RETURN a.x", "MATCH (a:P) RETURN a.x"),
    ("MATCH (a:P) WITH a AS b WHERE b.x = 1 MATCH (b)-[:R]->(c) WITH c AS d, b RETURN d, b",
     "MATCH (a:P {x: 1})-[:R]->(c) RETURN c, a"),
    ("MATCH (a:P)-[:R]->(b) WITH a, count(b) AS n WHERE n > 1 RETURN a.x, n",
     "MATCH (a:P)-[:R]->(b) WITH count(*) AS n, a WHERE 1 < n WITH n, a RETURN a.x, n"),
    ("MATCH (a:P) WITH a.x AS x, count(*) AS n ORDER BY n DESC LIMIT 3 RETURN x, n",
     "MATCH (a:P) RETURN a.x, count(*) AS n ORDER BY n DESC LIMIT 3"),
    ("MATCH (a:P) WITH a ORDER BY a.x DESC LIMIT 3 RETURN a.y",
     "MATCH (a:P) RETURN a.y ORDER BY a.x DESC LIMIT 3"),
    ("MATCH (a:P) WITH a.x AS x, avg(a.y) AS y WHERE x > 1 RETURN x, y",
     "MATCH (a:P) WHERE a.x > 1 RETURN a.x, avg(a.y)"),
    ("MATCH (a:P) WITH DISTINCT a.x AS x RETURN x", "MATCH (a:P) RETURN DISTINCT a.x"),
    ("MATCH (a:P) WITH DISTINCT a.x AS x RETURN count(x)",
     "MATCH (a:P) RETURN count(DISTINCT a.x)"),
    ("MATCH (a:P) WITH a, a.x + 1 AS y WHERE y > 3 RETURN y",
     "MATCH (a:P) WHERE a.x + 1 > 3 RETURN a.x + 1"),
    ("MATCH (a:P)-[:R]->(b) RETURN a, count(b)", "MATCH (a:P)-[:R]->(b) RETURN a, count(*)"),
    ("MATCH (a:P) RETURN a.x AS x ORDER BY x", "MATCH (a:P) RETURN a.x ORDER BY a.x ASC"),
    # subqueries
    ("MATCH (a) WHERE (a)-[:R]->(:Q) RETURN a",
     "MATCH (a) WHERE EXISTS { MATCH (a)-[:R]->(b:Q) RETURN b } RETURN a"),
    ("MATCH (a) WHERE exists((a)-[:R]->()) RETURN a",
     "MATCH (a) WHERE exists { ()<-[:R]-(a) } RETURN a"),
    ("MATCH (a) WHERE EXISTS { (a)-[:R]->(b) WHERE b.x = 1 } RETURN a",
     "MATCH (a) WHERE EXISTS { MATCH (a)-[:R]->({x: 1}) } RETURN a"),
    ("MATCH (a) RETURN size((a)-[:R]->())", "MATCH (a) RETURN COUNT { (a)-[:R]->() }"),
    ("MATCH (a) RETURN [(a)-[:R]->(b) WHERE b.x = 1 | b.y]",
     "MATCH (a) RETURN COLLECT { MATCH (a)-[:R]->(b {x: 1}) RETURN b.y }"),
    ("MATCH (a) WHERE all(x IN a.l WHERE x > 1) RETURN [x IN a.l | x + 1]",
     "MATCH (a) WHERE all(y IN a.l WHERE 1 < y) RETURN [z IN a.l | z + 1]"),
    ("MATCH (a) RETURN CASE a.x WHEN 1 THEN 2 END",
     "MATCH (a) RETURN CASE WHEN a.x = 1 THEN 2 END"),
    ("MATCH (a) RETURN {k: a.x, j: 1}", "MATCH (a) RETURN {j: 1, k: a.x}"),
    ("MATCH (a)-[r:R]->(b) RETURN startNode(r).x", "MATCH (a)-[:R]->() RETURN a.x"),
    ("MATCH (a) RETURN a['x']", "MATCH (a) RETURN a.x"),
    ("RETURN 1 AS x UNION RETURN 2 AS x", "RETURN 2 AS x UNION DISTINCT RETURN 1 AS x"),
    ("MATCH (a:P) RETURN a.x UNION MATCH (a:Q) RETURN a.x",
     "MATCH (b:Q) RETURN b.x UNION MATCH (a:P) RETURN a.x"),
    ("MATCH (a:P) CALL { MATCH (b) RETURN b.x AS x UNION MATCH (b:Q) RETURN b.y AS x } RETURN x",
     "MATCH (a:P) CALL { MATCH (b) RETURN b.x AS x UNION MATCH (c:Q) RETURN c.y AS x } RETURN x"),
]  # fmt: skip

DIFFERENT = [
    ("MATCH (a:P)-[:R]->(b:Q) RETURN a", "MATCH (a:P)<-[:R]-(b:Q) RETURN a"),
    ("MATCH (a:P)-[:R]->(b:Q) RETURN a", "MATCH (a:P)-[:R]-(b:Q) RETURN a"),
    ("MATCH (a:P)-[:R]->(b:P) RETURN a", "MATCH (a:P)-[:R]->(b:P) RETURN b"),
    ("MATCH (a:A:B) RETURN a", "MATCH (a:A|B) RETURN a"),
    ("MATCH (a)-[:R*1..2]->(b) RETURN a", "MATCH (a)-[:R*1..3]->(b) RETURN a"),
    ("MATCH p = shortestPath((a)-[:R*]->(b)) RETURN p", "MATCH p = (a)-[:R*]->(b) RETURN p"),
    ("MATCH (a {x: 1}) RETURN a", "MATCH (a {x: '1'}) RETURN a"),
    ("MATCH (a {x: 'b'}) RETURN a", "MATCH (a {x: 'B'}) RETURN a"),
    ("MATCH (a:P) RETURN a", "MATCH (a:p) RETURN a"),
    ("MATCH (a) WHERE a.x > 1 RETURN a", "MATCH (a) WHERE a.x < 1 RETURN a"),
    ("MATCH (a) RETURN a.x", "MATCH (a) RETURN DISTINCT a.x"),
    ("MATCH (a) RETURN count(a.x)", "MATCH (a) RETURN count(DISTINCT a.x)"),
    ("MATCH (a) RETURN count(a.x)", "MATCH (a) RETURN count(a)"),
    ("MATCH (a) RETURN a.x SKIP 1", "MATCH (a) RETURN a.x LIMIT 1"),
    ("MATCH (a) RETURN a.x ORDER BY a.x", "MATCH (a) RETURN a.x"),
    ("MATCH (a) OPTIONAL MATCH (a)-[:R]->(b) RETURN b", "MATCH (a) MATCH (a)-[:R]->(b) RETURN b"),
    ("MATCH (a) OPTIONAL MATCH (a)-[:R]->(b) WHERE b.x = 1 RETURN b",
     "MATCH (a) OPTIONAL MATCH (a)-[:R]->(b) WITH a, b WHERE b.x = 1 RETURN b"),
    ("MATCH (a) OPTIONAL MATCH (a)--(b) RETURN count(b)",
     "MATCH (a) OPTIONAL MATCH (a)--(b) RETURN count(*)"),
    ("MATCH (a) WITH a LIMIT 3 MATCH (a)-[:R]->(b) RETURN b",
     "MATCH (a) MATCH (a)-[:R]->(b) RETURN b LIMIT 3"),
    ("MATCH (a) WITH a ORDER BY a.x LIMIT 3 RETURN avg(a.x)",
     "MATCH (a) RETURN avg(a.x) ORDER BY avg(a.x) LIMIT 3"),
    ("MATCH (a)--(b) WITH a, count(b) AS n RETURN avg(n)", "MATCH (a)--(b) RETURN avg(count(b))"),
    ("MATCH (a)--(b) WITH a, count(b) AS n MATCH (a)--(c) RETURN a, n",
     "MATCH (a)--(b) MATCH (a)--(c) RETURN a, count(*)"),
    ("MATCH (a) WITH a ORDER BY a.x LIMIT 3 WHERE a.y = 1 RETURN a",
     "MATCH (a) WHERE a.y = 1 RETURN a ORDER BY a.x LIMIT 3"),
    ("MATCH (a) WITH DISTINCT a RETURN a.x", "MATCH (a) RETURN DISTINCT a.x"),
    ("MATCH (a) WHERE NOT (a)--() RETURN a", "MATCH (a) WHERE (a)--() RETURN a"),
    ("MATCH (a) WHERE any(x IN a.l WHERE x = 1) RETURN a",
     "MATCH (a) WHERE all(x IN a.l WHERE x = 1) RETURN a"),
    ("MATCH (a), (b) RETURN [x IN a.l | [y IN b.l | x]]",
     "MATCH (a), (b) RETURN [x IN a.l | [y IN b.l | y]]"),
    ("UNWIND [1] AS x UNWIND [1] AS y RETURN x", "UNWIND [1] AS x RETURN x"),
    ("RETURN 1 AS x UNION RETURN 2 AS x", "RETURN 1 AS x UNION ALL RETURN 2 AS x"),
    ("MATCH (a) RETURN a.x - 1 - 2", "MATCH (a) RETURN a.x - (1 - 2)"),
    ("MATCH (a) RETURN a.x[0]", "MATCH (a) RETURN a.x[0..]"),
    ("MATCH (a {x: $u}) RETURN a", "MATCH (a {x: $v}) RETURN a"),
    ("MATCH (a) RETURN CASE WHEN a.x THEN 1 ELSE 2 END",
     "MATCH (a) RETURN CASE WHEN a.x THEN 2 ELSE 1 END"),
    ("MATCH (a) CALL { WITH a MATCH (a)--(b) RETURN count(b) AS n } RETURN n",
     "MATCH (a)--(b) RETURN count(b) AS n"),
]  # fmt: skip

REFUSED = [
    ("", "empty", "no query"),
    (" // only this", "empty", "only comments"),
    ("MATCH (a) RETURN", "syntax", "expected an expression, found the end of the query"),
    ("MATCH (a RETURN a", "syntax", "found 'RETURN' at line 1, column 10"),
    ("MATCH (a)\nRETURN a GROUP BY a", "syntax", "found 'GROUP' at line 2, column 10"),
    ("MATCH (a) RETURN 'x", "syntax", "the quote ' opened at line 1, column 18 is open"),
    ("MATCH (a) /* RETURN a", "syntax", "the comment opened at line 1, column 11 is open"),
    ("MATCH (a)", "syntax", "does not end with RETURN"),
    ("MATCH (a) WITH a.x RETURN 1", "syntax", "needs a name"),
    ("MATCH (a) WITH a WHERE count(a) > 1 RETURN a", "syntax", "aggregate"),
    ("SELECT * FROM film", "syntax", "expected MATCH or another reading clause"),
    ("MATCH (a) WHERE a.x NOT IN [1] RETURN a", "syntax", "found 'NOT'"),
    ("CREATE (a) RETURN a", "unsupported", "CREATE"),
    ("MATCH (a) DETACH DELETE a", "unsupported", "DETACH"),
    ("MATCH (a) SET a.x = 1 RETURN a", "unsupported", "SET"),
    ("MERGE (a) RETURN a", "unsupported", "MERGE"),
    ("LOAD CSV FROM 'x' AS r RETURN r", "unsupported", "LOAD"),
    ("CALL db.labels() YIELD label RETURN label", "unsupported", "procedure ('db')"),
    ("MATCH (a) CALL { CREATE (b) } RETURN a", "unsupported", "CREATE"),
    ("MATCH (a) FOREACH (x IN [1] | SET a.x = x)", "unsupported", "FOREACH"),
    ("MATCH (a) RETURN a; MATCH (b) RETURN b", "unsupported", "more than one statement"),
    ("MATCH ((a)-[:R]->(b)){1,3} RETURN a", "unsupported", "quantified"),
    ("RETURN " + "(" * 60 + "1" + ")" * 60, "limit", "deeper than 50"),
    ("RETURN " + "1 + 1 - " * 60 + "1", "limit", "deeper than 50"),
    ("RETURN '" + "x" * 5000 + "'", "limit", "5009 characters; at most 4000"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_means_the_same_has_one_form(one: str, other: str) -> None:
    assert form(read_cypher(one)) == form(read_cypher(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_has_two_forms(one: str, other: str) -> None:
    assert form(read_cypher(one)) != form(read_cypher(other))


@pytest.mark.parametrize(("text", "kind", "reason"), REFUSED)
def test_what_is_no_reading_query_is_an_issue_that_says_why(
    text: str, kind: str, reason: str
) -> None:
    issue = read_cypher(text)
    assert isinstance(issue, QueryIssue)
    assert issue.kind == kind
    assert reason in issue.reason
    assert to_ladybug(text) == issue


def _unknown(text: str, schema: Schema | None = SCHEMA) -> tuple[tuple[str, str], ...]:
    query = read_cypher(text, schema)
    assert isinstance(query, Query), query
    return query.unknown


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("MATCH (p:Person)-[:MADE]->(f:Film) RETURN p.name, f.title", ()),
        ("MATCH (f:Film)<-[r:MADE]-(p) RETURN p.name, r.since", ()),
        ("MATCH (p:Person)-[:MADE]-(f:Film) RETURN f", ()),
        ("MATCH (p:person) RETURN p.name", (("label", "person"),)),
        ("MATCH (p:Person) RETURN p.title", (("property", "Person.title"),)),
        ("MATCH (p:Person {Name: 'x'}) RETURN p", (("property", "Person.Name"),)),
        ("MATCH (n) RETURN n.title, n.size", (("property", "size"),)),
        ("MATCH (p:Person)-[:Made]->(f) RETURN f", (("relation", "Made"),)),
        ("MATCH ()-[r:MADE]->() RETURN r.title", (("property", "MADE.title"),)),
        ("MATCH (f:Film)-[:MADE]->(p:Person) RETURN f", (("direction", "Film-MADE->Person"),)),
        ("MATCH (f:Film)-[:MADE]->(p) RETURN f", (("direction", "Film-MADE->"),)),
        ("MATCH (f:Film)-[:KNOWS]-(p:Person) RETURN f", (("relation", "Film-KNOWS-Person"),)),
        ("MATCH (f:Film)-[:KNOWS|MADE]-(p:Person) RETURN f", ()),
        ("MATCH (f:Film) WHERE EXISTS { (f)-[:MADE]->() } RETURN f.titel",
         (("property", "Film.titel"), ("direction", "Film-MADE->"))),
        ("MATCH (f:Film) RETURN g.title", (("variable", "g"),)),
    ],
)  # fmt: skip
def test_names_that_the_schema_does_not_have_are_listed(
    text: str, unknown: tuple[tuple[str, str], ...]
) -> None:
    assert _unknown(text) == unknown


def test_without_a_schema_only_variables_can_be_unknown() -> None:
    assert _unknown("MATCH (a:Any)-[:THING]->(b) RETURN a.x, c", None) == (("variable", "c"),)


# Trees of real queries, changed in place. `None`: the part stays as it is.
Change = Callable[[Any], Any]
_OPERATORS = {
    "=": "<>", "<>": "=", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "and": "or", "or": "and",
    "in": "contains", "contains": "starts with", "starts with": "ends with",
    "ends with": "contains",
}  # fmt: skip
_AGGREGATES = {
    "count": "collect", "sum": "avg", "avg": "sum", "max": "min", "min": "max", "collect": "count",
}  # fmt: skip


def _term(kind: str, change: Callable[[Term], Term | None]) -> Change:
    return lambda part: change(part) if isinstance(part, Term) and part.kind == kind else None


def _other_aggregate(part: Any) -> Any:
    if isinstance(part, Term) and part.kind in ("call", "distinct"):
        other = _AGGREGATES.get(part.name.lower())
        return part._replace(name=other) if other else None
    return None


def _other_literal(term: Term) -> Term | None:
    if term.name in ("true", "false", "null"):
        return None
    return term._replace(name="'other'" if term.name[0] == "'" else "98765")


BREAKING: dict[str, Change] = {
    "label or type": lambda part: (
        Labels("Zz", ("Zz",), ("Zz",), ("Zz",)) if isinstance(part, Labels) else None
    ),
    "property": _term("property", lambda term: term._replace(name=f"{term.name}X")),
    "key": _term(
        "map", lambda t: t._replace(names=(f"{t.names[0]}X", *t.names[1:])) if t.names else None
    ),
    "operator": _term(
        "operator",
        lambda t: t._replace(name=_OPERATORS[t.name]) if t.name in _OPERATORS else None,
    ),
    "literal": _term("literal", _other_literal),
    "aggregate": _other_aggregate,
    "order": lambda part: (
        part._replace(order=tuple((key, not down) for key, down in part.order))
        if isinstance(part, Projection) and part.order
        else None
    ),
    "limit": lambda part: (
        part._replace(limit=None) if isinstance(part, Projection) and part.limit else None
    ),
}
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_TURNED = {"<": ">", ">": "<", "-": "-"}


def _renamed(part: Any) -> Any:
    if isinstance(part, Term) and part.kind == "variable":
        return part._replace(name=f"_{part.name}")
    if isinstance(part, Term) and part.kind in ("comprehension", "reduce"):
        return part._replace(names=tuple(f"_{name}" for name in part.names))
    if isinstance(part, Node | Step | Pattern) and part.variable:
        return part._replace(variable=f"_{part.variable}")
    if isinstance(part, Item):
        return part._replace(name=f"_{part.name}")
    if isinstance(part, Unwind):
        return part._replace(variable=f"_{part.variable}")
    return None


def _turned(part: Any) -> Any:
    if not isinstance(part, Pattern) or part.variable:
        return None
    steps = tuple(step._replace(arrow=_TURNED[step.arrow]) for step in part.steps[::-1])
    return part._replace(nodes=part.nodes[::-1], steps=steps)


def _mirrored(part: Any) -> Any:
    if isinstance(part, Term) and part.kind == "operator":
        if part.name in _MIRROR:
            return part._replace(name=_MIRROR[part.name], args=part.args[::-1])
        if part.name in ("and", "or"):
            return part._replace(args=part.args[::-1])
    return None


class _Splitter:
    """Writes each relationship as a pattern of its own, with nodes named and in another order."""

    def __init__(self, seed: int) -> None:
        self._shuffle = random.Random(seed).shuffle
        self._fresh = 0

    def named(self, node: Node) -> Node:
        self._fresh += not node.variable
        return node if node.variable else node._replace(variable=f"split{self._fresh}")

    def __call__(self, part: Any) -> Any:
        if not isinstance(part, Match) or any(p.variable or p.shortest for p in part.paths):
            return None
        found = []
        for path in part.paths:
            nodes = [self.named(node) for node in path.nodes]
            if not path.steps:
                found.append(path._replace(nodes=tuple(nodes)))
            for i, step in enumerate(path.steps):
                head = nodes[0] if i == 0 else Node(nodes[i].variable, None, None, None)
                found.append(Pattern("", (head, nodes[i + 1]), (step,)))
        self._shuffle(found)
        return part._replace(paths=tuple(found))


def _lifted(part: Any) -> Any:
    """Write maps in patterns as conditions."""
    if not isinstance(part, Match):
        return None
    conditions = [part.where] if part.where is not None else []
    count = 0

    def without(thing: Any) -> Any:
        nonlocal count
        if thing.properties is None:
            return thing
        count += not thing.variable
        named = thing._replace(variable=thing.variable or f"lifted{count}", properties=None)
        for key, value in zip(thing.properties.names, thing.properties.args, strict=True):
            of = Term("property", key, (Term("variable", named.variable),))
            conditions.append(Term("operator", "=", (of, value)))
        return named

    paths = tuple(
        path._replace(
            nodes=tuple(without(node) for node in path.nodes),
            steps=tuple(without(step) for step in path.steps),
        )
        for path in part.paths
    )
    where = Term("operator", "and", tuple(conditions)) if len(conditions) > 1 else None
    return part._replace(paths=paths, where=where or next(iter(conditions), None))


KEEPING: dict[str, Change] = {
    "variables renamed": _renamed,
    "patterns written from the other end": _turned,
    "comparisons turned": _mirrored,
    "patterns split and reordered": _Splitter(0),
    "maps lifted to WHERE": _lifted,
}

HAND_MADE = [
    "MATCH (a:Film {year: 1990, title: 'x'})<-[m:MADE {since: 3}]-(b:Person)-[:KNOWS]-(c:Person) "
    "WHERE a.year > b.born AND (b.name STARTS WITH 'A' OR c.born IS NULL) AND c.born IN [1, 2] "
    "RETURN DISTINCT b.name AS n, c ORDER BY n DESC, c.born SKIP 2 LIMIT 7",
    "MATCH (a:Person)-[:MADE]->(f:Film) WITH a, count(f) AS n, collect(DISTINCT f.year) AS years "
    "WHERE n >= 2 AND size(years) < 9 RETURN a.name, n ORDER BY n LIMIT 3",
    "MATCH (a:Person) OPTIONAL MATCH (a)-[:MADE]->(f:Film {year: 5}) WHERE f.title <> 'y' "
    "WITH a, max(f.year) AS last ORDER BY last LIMIT 4 MATCH (a)-[:KNOWS*1..3]->(b:Person) "
    "WHERE b.born < last RETURN b.name, avg(last) AS mean",
    "MATCH (a:Person) WHERE NOT EXISTS { (a)-[:MADE]->(f:Film) WHERE f.year = 3 } "
    "AND COUNT { (a)-[:KNOWS]->(:Person) } > 2 RETURN a.name UNION "
    "MATCH (f:Film) WHERE any(x IN split(f.title, ' ') WHERE x ENDS WITH 'z') RETURN f.title",
    "UNWIND [1, 2] AS y MATCH (f:Film {year: y}) RETURN y, "
    "CASE WHEN f.year > 1 THEN 'new' ELSE 'old' END AS age, [p IN [3] WHERE p > y | p * 2]",
]


def _check_changes(text: str) -> tuple[int, int]:
    """Return how many changes that break the meaning were made, and how many went unseen."""
    body = tree(text)
    before = tree_form(body)
    for name, change in KEEPING.items():
        assert tree_form(changed(body, change)) == before, (name, text)
    made = [
        tree_form(changed(body, change, at)) == before
        for change in BREAKING.values()
        for at in range(places(body, change))
    ]
    return len(made), sum(made)


@pytest.mark.parametrize("text", HAND_MADE)
def test_changes_of_hand_made_queries(text: str) -> None:
    assert form(read_cypher(text)) == tree_form(tree(text))
    made, unseen = _check_changes(text)
    assert made > 10
    assert unseen == 0


def _zograscope(root: Path) -> list[str]:
    with (root / "query/zograscope/zograscope_train_v1.csv").open(encoding="utf-8") as file:
        return [row["mr"] for row in csv.DictReader(file)]


def _neo4j_labs(root: Path) -> list[str]:
    folder = root / "query/neo4j_labs_text2cypher"
    with (folder / "text2cypher_gpt4turbo.csv").open(encoding="utf-8") as file:
        return [row["cypher"] for row in csv.DictReader(file) if row["syntax_error"] == "False"]


# Marked as valid in the data, and no Cypher: SQL (GROUP BY, SELECT, NOT IN), size{...}, a condition
# between the patterns of EXISTS, a node without a pattern as a value.
NOT_CYPHER = 46


@pytest.mark.data
def test_all_gold_is_read(graphenv_data: Path) -> None:
    gold = _zograscope(graphenv_data)
    assert len(gold) == 2905
    assert all(isinstance(read_cypher(text), Query) for text in gold)
    gold = _neo4j_labs(graphenv_data)
    assert len(gold) == 9557
    issues = [found for text in gold if isinstance(found := read_cypher(text), QueryIssue)]
    assert len(issues) == NOT_CYPHER
    assert {issue.kind for issue in issues} == {"syntax"}


def _changes(root: Path, count: int) -> tuple[int, int]:
    draw = random.Random(1)
    gold = draw.sample(_neo4j_labs(root), count) + draw.sample(_zograscope(root), count // 4)
    pairs = [_check_changes(text) for text in gold if isinstance(parse(text), Body)]
    return sum(made for made, _ in pairs), sum(unseen for _, unseen in pairs)


@pytest.mark.data
def test_changes_of_gold(graphenv_data: Path) -> None:
    made, unseen = _changes(graphenv_data, 60)
    assert made > 500
    assert unseen == 0


@pytest.mark.soak
@pytest.mark.data
def test_changes_of_much_gold(graphenv_data: Path) -> None:
    made, unseen = _changes(graphenv_data, 6000)
    assert made > 60_000
    # What a WITH names and nothing uses is no part of the meaning: 11 changes in 8 queries.
    assert unseen < made * 0.0003


@pytest.mark.data
def test_reading_takes_time_linear_in_the_text(graphenv_data: Path) -> None:
    gold = _neo4j_labs(graphenv_data)[:1500]
    times = []
    for text in gold:
        start = time.perf_counter()
        read_cypher(text)
        times.append(time.perf_counter() - start)
    # 0.06 ms on a quiet core; the bound allows for a busy one.
    assert sorted(times)[len(times) // 2] < 0.001


_PIECES = st.sampled_from(
    [
        *("MATCH ", "OPTIONAL MATCH ", "WHERE ", "RETURN ", "WITH ", "UNWIND ", "ORDER BY ", "AS "),
        *("(a)", "(", ")", "[", "]", "{", "}", "-[:R]->", "<-[r*1..2]-", "--", "-", ">", "<", "|"),
        *("a", "b.x", "a:P", "'t'", '"', "'", "`", "1", "1.5e3", "..", "*", "+", "=", "<>", "=~"),
        *("EXISTS {", "COUNT {", "CASE ", "WHEN ", "THEN ", "END ", "any(x IN ", "count(", "NOT "),
        *(", ", " AND ", " OR ", " IN ", " IS NULL", "$p", "//", "/*", "*/", ";", "\n", "\\", "é"),
        *("CALL {", "UNION ", "LIMIT 1 ", "DISTINCT ", "[x IN ", "reduce(s = 0, x IN ", "\ud800"),
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=60).map("".join)))
@settings(max_examples=200)
def test_no_text_raises(text: str) -> None:
    for found in (read_cypher(text, SCHEMA), to_ladybug(text, SCHEMA)):
        assert isinstance(found, Query | QueryIssue | str)
        if isinstance(found, QueryIssue):
            assert found.reason


@given(st.sampled_from(HAND_MADE), st.data())
@settings(max_examples=120)
def test_no_broken_query_raises(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    to = data.draw(st.integers(at, min(len(text), at + 12)))
    broken = text[:at] + data.draw(_PIECES) + text[to:]
    assert isinstance(read_cypher(broken, SCHEMA), Query | QueryIssue)
    assert isinstance(to_ladybug(broken, SCHEMA), str | QueryIssue)


@pytest.mark.parametrize(
    "piece",
    [
        *("(", "[", "{a:", "NOT ", "-", "a.", "a[", "1+", "1-1+", "a AND b OR ", "f("),
        *("EXISTS {", "COUNT { MATCH ", "[x IN ", "(a)--", "(a)-[", "any(x IN ", "/*", "'", "`"),
        *("CALL { ", "MATCH (a) ", "WITH 1 AS x ", "UNION RETURN 1 ", ":A|", "&", ":!", "x=y "),
        *("reduce(a=1,b IN c|", "MATCH (a)--(b), ", "RETURN 1 AS a UNION ", "a:B ", "--", "$"),
        *("UNWIND x AS y ", "WHERE EXISTS { (a)--(b) ", "(:!(", "a OR b XOR c AND NOT d=e+f*g^("),
        *("CASE WHEN ", "{.", "({a:", "."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("start", ["", "RETURN ", "MATCH (a) WHERE ", "MATCH "])
def test_repetitions_are_read_in_bounded_time_and_depth(start: str, piece: str) -> None:
    text = (start + piece * 4000)[:4000]
    room = sys.getrecursionlimit()
    sys.setrecursionlimit(_depth() + 700)  # a trainer's stack is not empty either
    try:
        begin = time.perf_counter()
        assert isinstance(read_cypher(text), Query | QueryIssue)
        assert isinstance(to_ladybug(text), str | QueryIssue)
        assert time.perf_counter() - begin < 2
    finally:
        sys.setrecursionlimit(room)


def _depth() -> int:
    frame, count = sys._getframe(), 0
    while frame.f_back is not None:
        frame, count = frame.f_back, count + 1
    return count
