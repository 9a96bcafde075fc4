"""What Cypher gold returns on a graph database, and whether it is the only right result."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.protocol import Database, Limits
from graphenv.envs.queries.gold.findings import Finding, Looked, content_of
from graphenv.envs.queries.gold.uniqueness import Cut
from graphenv.query.results import QueryError, Result, Rows, Value

__all__ = ["VERSION", "audit_cypher", "tie_query"]

VERSION = 2
"""Goes up when a query may be judged otherwise: findings are cached by it."""

_LOOK = 200  # rows after the cut that are looked at
_CUT = re.compile(
    r"(?P<body>.*\bRETURN\b(?P<items>.*?))\bORDER\s+BY\b(?P<keys>[^()'\"]+?)"
    r"\bLIMIT\s+(?P<count>\d+)\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)


def audit_cypher(
    database: Database,
    queries: Sequence[str],
    cuts: Sequence[Cut],
    limits: Limits | None = None,
) -> list[Looked]:
    """Return what every query does on a database in its cage.

    Parameters
    ----------
    queries
        In the dialect of the engine.
    cuts
        What `worst_cut` says of each. Where ties are possible the rows around the cut are looked
        at; a query that does not end in one plain ORDER BY and LIMIT counts as not unique then.
    """
    # Twelve times what an environment allows: what is found must not hang on a busy machine.
    limits = limits or Limits(seconds=60.0)
    cage = backend(database)
    results = cage.run_many(list(queries), limits)
    asked = {
        at: text
        for at, (query, cut, result) in enumerate(zip(queries, cuts, results, strict=True))
        if cut == "ties possible"
        and isinstance(result, Rows)
        and (text := tie_query(query, result.columns)) is not None
    }
    around = dict(zip(asked, cage.run_many(list(asked.values()), limits), strict=True))
    found = []
    for at, (cut, result) in enumerate(zip(cuts, results, strict=True)):
        finding = _finding(result)
        if isinstance(result, Rows):
            loose = cut == "no order" or (
                cut == "ties possible" and _tied(result, around.get(at), queries[at])
            )
            finding = "not unique" if loose and result.rows else finding
            found.append(Looked(finding, len(result.rows), content_of(result)))
        else:
            found.append(Looked(finding))
    return found


def _finding(result: Result) -> Finding:
    if isinstance(result, QueryError):
        return "too long" if result.kind in ("timeout", "memory", "size") else "fails"
    return "rows" if result.rows else "empty"


def tie_query(query: str, columns: Sequence[str]) -> str | None:
    """Return a query with its sort keys as further columns, and rows beyond its cut.

    `None` if the query does not end in a plain ORDER BY and LIMIT.

    >>> tie_query("MATCH (a:A) RETURN a.x ORDER BY a.y DESC LIMIT 1", ["a.x"])
    'MATCH (a:A) RETURN a.x, a.y AS tie0 ORDER BY a.y DESC LIMIT 201'
    """
    match = _CUT.fullmatch(query)
    if match is None:
        return None
    added = [
        f", {key} AS tie{at}" for at, key in enumerate(_keys(match["keys"])) if key not in columns
    ]
    count = int(match["count"]) + _LOOK
    body = match["body"].rstrip() + "".join(added)
    return f"{body} ORDER BY {match['keys'].strip()} LIMIT {count}"


def _keys(text: str) -> list[str]:
    return [
        re.sub(r"\s+(ASC|DESC)(ENDING)?\s*$", "", part, flags=re.I).strip()
        for part in text.split(",")
    ]


def _tied(result: Rows, around: Result | None, query: str) -> bool:
    """Return whether rows that differ in what is returned are equal in the sort at the cut."""
    match = _CUT.fullmatch(query)
    if match is None or not isinstance(around, Rows):
        return True
    count, width = int(match["count"]), len(result.columns)
    if len(around.rows) <= count or count == 0:
        return False
    places = [
        around.columns.index(key) if key in around.columns else around.columns.index(f"tie{at}")
        for at, key in enumerate(_keys(match["keys"]))
    ]

    def keys(row: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(row[at] for at in places)

    cut = keys(around.rows[count - 1])
    if keys(around.rows[count]) != cut:
        return False
    return len({repr(row[:width]) for row in around.rows if keys(row) == cut}) > 1
