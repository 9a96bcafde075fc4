"""Ways to say no more with more words: none of them may raise a partial reward.

Each takes a query and what there is to stuff it with (names of the schema, words of the gold), and
returns a longer one that asks for the same, or for the same over and over; `None` where it does not
fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from graphenv.query.schema import Schema

__all__ = ["CHANGING", "CYPHER", "SQL", "Padding"]

Padding = Callable[[str, Schema, str], str | None]
"""(query, schema, gold query) to a padded query."""

CHANGING = frozenset(
    (
        *("column twice", "column ten times", "text as a column", "null as a column"),
        "itself again",
    )
)
"""Those after which the rows are others: the rest leaves a right query right."""

_CLAUSE = re.compile(
    r" (?=WHERE |GROUP BY |ORDER BY |LIMIT |UNION |RETURN |(?<!STARTS )WITH |MATCH |OPTIONAL )"
)


def _names(schema: Schema) -> str:
    return " ".join(
        f"{entity.name} {' '.join(p.name for p in entity.properties)}" for entity in schema.entities
    )


def _words(gold: str) -> str:
    return re.sub(r"['\"`/*]", " ", gold)


def _end(query: str, condition: str) -> str | None:
    """Add a condition to the last WHERE, where nothing stands around it."""
    if query.count("WHERE ") != 1 or " UNION " in query or "{" in query or "(SELECT" in query:
        return None
    head, tail = query.split("WHERE ", 1)
    conditions, *rest = _CLAUSE.split(tail, maxsplit=1)
    return f"{head}WHERE {condition.replace('{0}', conditions)}{' ' if rest else ''}{''.join(rest)}"


def _selected(query: str, keyword: str) -> re.Match[str] | None:
    if " UNION " in query or "(SELECT" in query or query.startswith("WITH RECURSIVE"):
        return None
    return re.search(rf"{keyword} (DISTINCT )?(?P<item>[\w.()*]+)", query)


def _twice(query: str, keyword: str, more: str) -> str | None:
    found = _selected(query, keyword)
    if (
        found is None
        or "*" in found["item"]
        or found["item"].count("(") != found["item"].count(")")
    ):
        return None
    return f"{query[: found.end()]}{more.replace('{0}', found['item'])}{query[found.end() :]}"


def _around(query: str, times: int) -> str | None:
    # The order of rows is not kept by a query around it.
    return None if " ORDER " in query else "SELECT * FROM (" * times + query + ")" * times


def _again(query: str) -> str | None:
    return None if " ORDER " in query or query.startswith("WITH") else f"{query} UNION ALL {query}"


SQL: dict[str, Padding] = {
    "comment of the schema": lambda q, s, g: f"{q} -- {_names(s)}",
    "comment of the gold": lambda q, s, g: f"{q} /* {_words(g)} */",
    "line comment of the gold": lambda q, s, g: f"{q} -- {_words(g)}",
    "comment in front": lambda q, s, g: f"/* {_words(g)} */ {q}",
    "condition twice": lambda q, s, g: _end(q, "{0} AND {0}"),
    "condition ten times": lambda q, s, g: _end(q, "{0}" + " AND {0}" * 9),
    "condition or itself": lambda q, s, g: _end(q, "(({0}) OR ({0}))"),
    "one is one": lambda q, s, g: _end(q, "1 = 1 AND {0}"),
    "or not one": lambda q, s, g: _end(q, "({0} OR 1 = 2)"),
    "text of the gold": lambda q, s, g: _end(q, f"{{0}} AND '{_words(g)}' = '{_words(g)}'"),
    "text of the gold is there": lambda q, s, g: _end(q, f"{{0}} AND '{_words(g)}' IS NOT NULL"),
    "not not": lambda q, s, g: _end(q, "NOT (NOT ({0}))"),
    "constant case": lambda q, s, g: _end(q, "{0} AND CASE WHEN 1 THEN 1 ELSE 0 END"),
    "column twice": lambda q, s, g: _twice(q, "SELECT", ", {0}"),
    "column ten times": lambda q, s, g: _twice(q, "SELECT", ", {0}" * 9),
    "alias of the gold": lambda q, s, g: _twice(q, "SELECT", f' AS "{_words(g)}"'),
    "text as a column": lambda q, s, g: _twice(q, "SELECT", f", '{_words(g)}'"),
    "null as a column": lambda q, s, g: _twice(q, "SELECT", ", NULL"),
    "itself again": lambda q, s, g: _again(q),
    "around it": lambda q, s, g: _around(q, 1),
    "around it ten times": lambda q, s, g: _around(q, 10),
    "with, unused": lambda q, s, g: (
        None
        if q.startswith("WITH")
        else f"WITH x AS (SELECT * FROM {', '.join(e.name for e in s.entities)}) {q}"
    ),
    "with the gold, unused": lambda q, s, g: None if "WITH" in q + g else f"WITH x AS ({g}) {q}",
    "space": lambda q, s, g: re.sub(r"('(?:[^'\\]|\\.)*')| ", lambda m: m[1] or "\n  ", q),
    "semicolon": lambda q, s, g: f"{q} ;",
}

CYPHER: dict[str, Padding] = {
    "comment of the schema": lambda q, s, g: f"{q} // {_names(s)}",
    "comment of the gold": lambda q, s, g: f"{q} /* {_words(g)} */",
    "line comment of the gold": lambda q, s, g: f"{q} // {_words(g)}",
    "comment in front": lambda q, s, g: f"/* {_words(g)} */ {q}",
    "condition twice": lambda q, s, g: _end(q, "{0} AND {0}"),
    "condition ten times": lambda q, s, g: _end(q, "{0}" + " AND {0}" * 9),
    "condition or itself": lambda q, s, g: _end(q, "(({0}) OR ({0}))"),
    "one is one": lambda q, s, g: _end(q, "1 = 1 AND {0}"),
    "true": lambda q, s, g: _end(q, "true AND {0}"),
    "or not one": lambda q, s, g: _end(q, "({0} OR 1 = 2)"),
    "text of the gold": lambda q, s, g: _end(q, f"{{0}} AND '{_words(g)}' = '{_words(g)}'"),
    "text of the gold is there": lambda q, s, g: _end(q, f"{{0}} AND '{_words(g)}' IS NOT NULL"),
    "not not": lambda q, s, g: _end(q, "NOT (NOT ({0}))"),
    "column twice": lambda q, s, g: _twice(q, "RETURN", " AS x1, {0} AS x2"),
    "column ten times": lambda q, s, g: _twice(
        q, "RETURN", " AS x0, " + ", ".join(f"{{0}} AS x{i}" for i in range(1, 10))
    ),
    "alias of the gold": lambda q, s, g: _twice(q, "RETURN", f" AS `{_words(g)}`"),
    "text as a column": lambda q, s, g: _twice(q, "RETURN", f", '{_words(g)}' AS x"),
    "null as a column": lambda q, s, g: _twice(q, "RETURN", ", null AS x"),
    "itself again": lambda q, s, g: _again(q),
    "with everything": lambda q, s, g: (
        q.replace(" RETURN ", " WITH * RETURN ") if q.count(" RETURN ") == 1 else None
    ),
    "space": lambda q, s, g: re.sub(r"('(?:[^'\\]|\\.)*')| ", lambda m: m[1] or "\n  ", q),
    "semicolon": lambda q, s, g: f"{q} ;",
}
