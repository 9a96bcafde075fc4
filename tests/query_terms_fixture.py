"""Hand-made queries, and episodes that answer with them, without an environment or an engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from graphenv.episode import Episode, Outcome, Step
from graphenv.query.graphs import query_graph
from graphenv.query.model import Entity, Expr, Language, Order, Query, Relation, Scope
from graphenv.query.results import QueryError, Result, Rows
from graphenv.task import Target, Task


def prop(of: int, name: str) -> Expr:
    return Expr("property", name, of=of)


def lit(value: object) -> Expr:
    return Expr("literal", f"'{value}'" if isinstance(value, str) else str(value))


def op(name: str, *args: Expr) -> Expr:
    return Expr("operator", name, args)


def agg(name: str, *args: Expr, distinct: bool = False) -> Expr:
    return Expr("aggregate", name, args, distinct=distinct)


STAR = Expr("star")


def query(scope: Scope, text: str = "", language: Language = "sql") -> Query:
    return Query(language, text, scope)


PERSON, FILM = Entity(0, "person"), Entity(1, "film")
DIRECTED = Relation(2, "directed_by", 1, 0)
AFTER_1990 = op("<", lit(1990), prop(1, "year"))
CRIME = op("=", prop(1, "genre"), lit("Crime"))

SCOPE = Scope(
    entities=(PERSON, FILM),
    relations=(DIRECTED,),
    where=(AFTER_1990, CRIME),
    select=(prop(0, "name"), agg("count", prop(1, "title"))),
    group=(prop(0, "name"),),
    having=(op("<", lit(1), agg("count", prop(1, "title"))),),
    order=(Order(agg("count", prop(1, "title")), True), Order(prop(0, "name"))),
    limit=lit(3),
)
"""Who directed more than one crime film after 1990, most first: every clause has something."""

TEXT = (
    "SELECT p.name, count(f.title) FROM person AS p JOIN film AS f ON f.director_id = p.id "
    "WHERE f.year > 1990 AND f.genre = 'Crime' GROUP BY p.name HAVING count(f.title) > 1 "
    "ORDER BY count(f.title) DESC, p.name LIMIT 3"
)

NAMES = Scope((PERSON,), select=(prop(0, "name"),))
OLD = Scope(
    (Entity(9, "person"),), select=(prop(9, "name"),), where=(op("<", prop(9, "born"), lit(1950)),)
)

ROWS = Rows(("name", "n"), (("Mann", 4), ("Scott", 3), ("Nolan", 2)), work=100)
OTHER_ROWS = Rows(("name", "n"), (("Lee", 5), ("Mann", 2)), work=80)
NO_ROWS = Rows(("name", "n"), (), work=10)


def gold_task(
    scope: Scope = SCOPE,
    *,
    text: str = TEXT,
    results: tuple[Result, ...] | None = (ROWS, OTHER_ROWS),
    language: Language = "sql",
    **meta: Any,
) -> Task:
    """Return a task whose gold is a query."""
    gold = query(scope, text, language)
    target = Target(program=text, query=gold, results=results, graph=query_graph(gold))
    question = {"role": "user", "content": "Who directed most crime films after 1990?"}
    return Task("hand-made", 0, (question,), target, {"ordered": True, **meta})


def answered(
    task: Task,
    scope: Scope | None,
    *,
    text: str | None = TEXT,
    results: tuple[Result, ...] | None = (ROWS, OTHER_ROWS),
    language: Language = "sql",
    **outcome: Any,
) -> Episode:
    """Return a finished episode with a query as its answer; no scope: it could not be read."""
    read = None if scope is None else query(scope, text or "", language)
    graph = None if read is None else query_graph(read)
    end = Outcome("ok", program=text, query=read, results=results, graph=graph)
    step = Step(text or "", (), "", {})
    return Episode(
        "graphenv/Text2SQL-v0", {}, "", task, 1, steps=(step,), outcome=replace(end, **outcome)
    )


def failed(kind: Any, count: int = 2) -> tuple[Result, ...]:
    return (QueryError(kind, "no"),) * count
