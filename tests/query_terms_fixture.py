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


def undecided(request: object) -> float:
    """A judge that cannot tell: what it sees does not matter."""
    return 0.5


# -- the cases of the conformance table -----------------------------------------------------------


def _wide(count: int) -> tuple[Result, ...]:
    """The gold's results with surplus columns."""
    return tuple(
        Rows(rows.columns + ("x",) * count, tuple((*row, *(-1,) * count) for row in rows.rows), 500)
        for rows in (ROWS, OTHER_ROWS)
    )


def _over(count: int, language: Language) -> Episode:
    surplus = tuple(prop(0, f"surplus{i}") for i in range(count))
    text = TEXT.replace(" FROM", "".join(f", p.surplus{i}" for i in range(count)) + " FROM")
    scope = replace(SCOPE, select=(*SCOPE.select, *surplus))
    return answered(
        gold_task(language=language), scope, text=text, results=_wide(count), language=language
    )


RENAMED = replace(
    SCOPE,
    entities=(replace(PERSON, handle=10), replace(FILM, handle=11)),
    relations=(Relation(12, "directed_by", 11, 10),),
    where=(op("<", lit(1990), prop(11, "year")), op("=", prop(11, "genre"), lit("Crime"))),
    select=(prop(10, "name"), agg("count", prop(11, "title"))),
    group=(prop(10, "name"),),
    having=(op("<", lit(1), agg("count", prop(11, "title"))),),
    order=(Order(agg("count", prop(11, "title")), True), Order(prop(10, "name"))),
)
"""The gold with other aliases."""

TURNED = tuple(
    Rows(rows.columns[::-1], tuple(row[::-1] for row in rows.rows), rows.work)
    for rows in (ROWS, OTHER_ROWS)
)
EVERYTHING = Scope(
    (PERSON, FILM, Entity(3, "award")), select=(STAR, *(prop(1, f"c{i}") for i in range(30)))
)
MANY_ROWS = tuple(
    Rows(("a", "b", "c", "d"), tuple(("?", i, "?", "?") for i in range(1_000)), 9_000)
    for _ in range(2)
)
EMPTY = (NO_ROWS, NO_ROWS)
UNREAD: dict[str, Any] = {"status": "malformed"}
SHORT = "SELECT name FROM person WHERE born < 1950"
SHORT_ROWS = (Rows(("name",), (("Lee",), ("Ray",)), 20), Rows(("name",), (("Kay",),), 10))


def case(name: str, language: Language = "sql") -> Episode:
    """Return the episode of a row of the conformance table."""
    if name.startswith("over_"):
        return _over(int(name.removeprefix("over_")), language)
    task = gold_task(language=language)

    def say(
        scope: Scope | None, text: str | None = TEXT, results: Any = None, **rest: Any
    ) -> Episode:
        found = (ROWS, OTHER_ROWS) if results is None else results
        return answered(task, scope, text=text, results=found, language=language, **rest)

    def but(text: str, results: Any = None, **changes: Any) -> Episode:
        return say(replace(SCOPE, **changes), text, results)

    def short(literal: str, gold: str) -> Episode:
        """A one-literal question: who is called so."""
        gold_scope = replace(NAMES, where=(op("=", prop(0, "name"), lit(gold)),))
        mine = replace(NAMES, where=(op("=", prop(0, "name"), lit(literal)),))
        form = "SELECT name FROM person WHERE name = '{}'"
        right = (Rows(("name",), ((gold,),), 10),) * 2
        found = right if literal == gold else EMPTY
        other = gold_task(gold_scope, text=form.format(gold), results=right, language=language)
        return answered(other, mine, text=form.format(literal), results=found, language=language)

    fewer = (Rows(ROWS.columns, ROWS.rows[:2], 60), Rows(ROWS.columns, OTHER_ROWS.rows[:1], 60))
    broken = failed("syntax")
    if name == "both_empty" or name == "both_empty_unanswered":
        nothing = replace(task, target=replace(task.target, results=EMPTY))
        if name == "both_empty":
            return answered(nothing, SCOPE, results=EMPTY, language=language)
        return answered(nothing, None, text=None, results=None, language=language, **UNREAD)
    made: dict[str, Any] = {
        "gold": lambda: say(SCOPE),
        "renamed": lambda: say(RENAMED, TEXT.replace("p.", "a.").replace("AS p", "AS a")),
        "reordered": lambda: but(
            TEXT.replace("p.name, count(f.title) FROM", "count(f.title), p.name FROM"),
            TURNED,
            select=SCOPE.select[::-1],
            where=SCOPE.where[::-1],
        ),
        "whitespace": lambda: say(SCOPE, "\n  ".join(TEXT.split(" "))),
        "case": lambda: say(SCOPE, TEXT.replace("SELECT", "select").replace("FROM", "From")),
        "slower": lambda: say(
            SCOPE, TEXT, tuple(replace(r, work=(r.work or 0) * 4) for r in (ROWS, OTHER_ROWS))
        ),
        "empty_answer": lambda: say(None, "", broken, **UNREAD),
        "nothing": lambda: answered(
            task, None, text=None, results=None, language=language, **UNREAD
        ),
        "no_rows": lambda: but(
            TEXT.replace("1990", "2990"), EMPTY, where=(op("<", lit(2990), prop(1, "year")), CRIME)
        ),
        "duplicates": lambda: but(
            TEXT.replace("'Crime'", "'Crime' AND f.genre = 'Crime'"), where=(*SCOPE.where, CRIME)
        ),
        "duplicate_column": lambda: but(
            TEXT.replace("SELECT p.name", "SELECT p.name, p.name"),
            tuple(
                Rows(("n", *r.columns), tuple((row[0], *row) for row in r.rows), 100)
                for r in (ROWS, OTHER_ROWS)
            ),
            select=(prop(0, "name"), *SCOPE.select),
        ),
        "list_everything": lambda: say(EVERYTHING, "SELECT * FROM person, film, award", MANY_ROWS),
        "missing_column": lambda: but(
            TEXT.replace(", count(f.title) FROM", " FROM"),
            tuple(
                Rows(("name",), tuple(row[:1] for row in r.rows), 90) for r in (ROWS, OTHER_ROWS)
            ),
            select=SCOPE.select[:1],
        ),
        "wrong_limit": lambda: but(TEXT.replace("LIMIT 3", "LIMIT 2"), fewer, limit=lit(2)),
        "wrong_order": lambda: but(
            TEXT.replace(" DESC", ""),
            tuple(Rows(r.columns, r.rows[::-1], 100) for r in (ROWS, OTHER_ROWS)),
            order=(replace(SCOPE.order[0], descending=False), SCOPE.order[1]),
        ),
        "wrong_table": lambda: but(
            TEXT.replace("film", "play"), EMPTY, entities=(PERSON, Entity(1, "play"))
        ),
        "lucky": lambda: say(OLD, SHORT, (ROWS, NO_ROWS)),
        "another_query": lambda: say(OLD, SHORT, SHORT_ROWS),
        "dangling": lambda: but(
            TEXT.replace("p.name", "p.fame"),
            failed("schema"),
            select=(prop(0, "fame"), SCOPE.select[1]),
        ),
        "wrong_direction": lambda: but(TEXT, EMPTY, relations=(replace(DIRECTED, head=0, tail=1),)),
        "parallel_edge": lambda: but(
            TEXT, EMPTY, relations=(DIRECTED, Relation(3, "written_by", 1, 0))
        ),
        "self_loop": lambda: but(TEXT, EMPTY, relations=(replace(DIRECTED, tail=1),)),
        "wrong_wrapper_answer": lambda: say(None, f'["{TEXT}"]', broken, **UNREAD),
        "wrong_wrapper_program": lambda: say(None, "person > ^directed_by", broken, **UNREAD),
        "copied_topic": lambda: say(None, "films", broken, **UNREAD),
        "copied_question": lambda: say(None, str(task.messages[0]["content"]), broken, **UNREAD),
        "substring_of_gold": lambda: short("no", "know"),
        "gold_is_substring": lambda: short("know", "no"),
        "unicode": lambda: short("Ame\u0301lie", "Am\u00e9lie"),
        "case_of_a_literal": lambda: short("CRIME", "Crime"),
        "huge": lambda: say(None, "x" * 1_000_000, failed("refused"), **UNREAD),
        "deep_nesting": lambda: say(None, "(" * 50_000, failed("refused"), **UNREAD),
        "write": lambda: say(None, "DROP TABLE person", failed("refused"), status="infeasible"),
        "timeout": lambda: say(SCOPE, TEXT, failed("timeout"), status="timeout"),
        "crash": lambda: say(SCOPE, TEXT, failed("crash"), status="infeasible"),
        "fails_on_a_variation": lambda: say(
            SCOPE, TEXT, (ROWS, *failed("runtime", 1)), status="infeasible"
        ),
    }
    episode: Episode = made[name]()
    return episode


CASES = (
    *("gold", "renamed", "reordered", "whitespace", "case", "duplicates", "slower"),
    *("nothing", "empty_answer", "no_rows", "both_empty", "both_empty_unanswered"),
    *("over_1", "over_10", "over_1000", "duplicate_column", "list_everything", "missing_column"),
    *("wrong_limit", "wrong_order", "wrong_table", "lucky", "another_query", "dangling"),
    *("wrong_direction", "parallel_edge", "self_loop", "wrong_wrapper_answer"),
    *("wrong_wrapper_program", "copied_topic", "copied_question", "substring_of_gold"),
    *("gold_is_substring", "unicode", "case_of_a_literal", "huge", "deep_nesting", "write"),
    *("timeout", "crash", "fails_on_a_variation"),
)
