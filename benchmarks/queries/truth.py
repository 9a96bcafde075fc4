"""How many planted wrong queries pass: on one database, and with its variations.

Alone, empty equals empty, as in the published metric; with variations ours decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphenv.benchmarks.queries.data import published
from graphenv.benchmarks.queries.mutants import mutants
from graphenv.envs.queries.databases import Databases
from graphenv.envs.queries.engines.pool import close_all
from graphenv.envs.queries.sources import make_source
from graphenv.envs.queries.sources.base import QuerySource
from graphenv.envs.queries.sources.synthetic.cypher import write_cypher
from graphenv.envs.queries.sources.synthetic.plan import Filter, Item, Plan
from graphenv.envs.queries.sources.synthetic.source import SyntheticQueries
from graphenv.query.matching import execution_match, suite_match
from graphenv.query.results import Result, Rows, Value
from graphenv.seeding import sample
from graphenv.task import SPLITS, Task

__all__ = ["wrong_queries"]

_SHIFTED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "=": "<>"}
_COMPARED = re.compile(r" (<=?|>=?) (?=[\d'\"])")
_OTHER = {"min": "max", "max": "min", "avg": "max", "sum": "avg"}


def wrong_queries(folder: Path | None, *, quick: bool) -> list[dict[str, Any]]:
    """Return, by source and kind of mistake, how many wrong queries pass alone and with variations.

    A changed query may be right after all (a condition that the schema implies, a comparison that
    no possible row decides): what passes is an upper bound. Queries that do not run are left out.
    """
    rows = []
    for name, sources, most in _sources(folder, quick):
        tried, alone, fooled = Counter[str](), Counter[str](), Counter[str]()
        for source in sources:
            for index in _some(source, most):
                for what, passes_alone, passes in _judged(source, source[index]):
                    tried[what] += 1
                    alone[what] += passes_alone
                    fooled[what] += passes
        for what in (*sorted(tried), "all"):
            counts = [c.total() if what == "all" else c[what] for c in (tried, alone, fooled)]
            row = {"source": name, "mistake": what}
            rows.append(row | dict(zip(("tried", "alone", "varied"), counts, strict=True)))
            print(rows[-1], flush=True)
        close_all()
    return rows


def _sources(
    folder: Path | None, quick: bool
) -> Iterator[tuple[str, list[QuerySource], int | None]]:
    spider = published(folder).get("spider")
    if spider:
        made = [make_source("spider", "sql", split, spider) for split in SPLITS]
        yield "Spider dev, SQL", made, 10 if quick else None
    pole = published(folder).get("zograscope")
    if pole:
        made = [make_source("zograscope", "cypher", "train", pole)]
        yield "ZOGRASCOPE train, Cypher", made, 10 if quick else 300
    for language in ("sql", "cypher"):
        invented = make_source("synthetic", language, "train", {"worlds": 2})
        name = f"synthetic, {'SQL' if language == 'sql' else 'Cypher'}"
        yield name, [invented], 10 if quick else 250


def _some(source: QuerySource, most: int | None) -> Sequence[int]:
    if most is None or most >= len(source):
        return range(len(source))
    return sample(len(source), most, "queries benchmark", "truth")


def _judged(source: QuerySource, task: Task) -> Iterator[tuple[str, bool, bool]]:
    """Yield (mistake, passes on the first database, passes on all) of every wrong query."""
    schema = source.schema(task.index)
    databases = Databases(source.language, schema, source.databases(task.index))
    gold = databases.run(str(task.target.program))
    accepted = [databases.run(text) for text in task.meta.get("accept", ())]
    ordered = bool(task.meta["ordered"])
    for what, query in dict.fromkeys(_changed(source, task, gold)):
        results = databases.run(query)
        if isinstance(results[0], Rows):
            right = [gold, *accepted]
            yield (
                what,
                any(suite_match(results[:1], other[:1], ordered=ordered) for other in right),
                execution_match(results, gold, accepted, ordered=ordered),
            )


def _changed(source: QuerySource, task: Task, gold: Sequence[Result]) -> Iterator[tuple[str, str]]:
    text, first = str(task.target.program), gold[0]
    assert isinstance(first, Rows)
    if source.language == "sql":
        yield from mutants(text, source.schema(task.index), first)
        return
    if isinstance(source, SyntheticQueries):
        for what, plan in _plans(source.problem(task.index).plan):
            yield what, write_cypher(plan)
    else:
        for found in _COMPARED.finditer(text):
            moved = _SHIFTED[found[1]]
            yield "comparison moved", f"{text[: found.start(1)]}{moved}{text[found.end(1) :]}"
    cells = [cell for row in first.rows for cell in row]
    if 0 < len(first.rows) <= 20 and all(isinstance(cell, str | int | float) for cell in cells):
        yield "constant", " UNION ALL ".join(map(_constant, first.rows))


def _constant(row: tuple[Value, ...]) -> str:
    """Return a part of a Cypher query that returns one row, whatever the database holds."""
    cells = [
        "'" + cell.replace("\\", "\\\\").replace("'", "\\'") + "'"
        if isinstance(cell, str)
        else str(cell).lower()
        for cell in row
    ]
    return "RETURN " + ", ".join(f"{cell} AS c{at}" for at, cell in enumerate(cells))


def _plans(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Yield what was done and the wrong plan: mistakes of `mutants` without parsing a text."""
    filters = plan.pattern.filters
    for at, condition in enumerate(filters):
        rest = filters[:at] + filters[at + 1 :]
        yield "condition dropped", _with_filters(plan, rest)
        if condition.op in _SHIFTED:
            moved = replace(condition, op=_SHIFTED[condition.op])
            yield (
                "comparison moved",
                _with_filters(plan, (*filters[:at], moved, *filters[at + 1 :])),
            )
    for at, item in enumerate(plan.select):
        if item.fn in _OTHER:
            other = replace(item, fn=_OTHER[item.fn])
            yield "aggregate changed", _with_item(plan, at, other)
        elif item.fn == "count" and item.property and not item.distinct:
            yield "aggregate changed", _with_item(plan, at, replace(item, distinct=True))


def _with_filters(plan: Plan, filters: tuple[Filter, ...]) -> Plan:
    return replace(plan, pattern=replace(plan.pattern, filters=filters))


def _with_item(plan: Plan, at: int, item: Item) -> Plan:
    return replace(plan, select=(*plan.select[:at], item, *plan.select[at + 1 :]))
