"""Wrong queries made from right ones: a condition, an aggregate, a column changed; constants."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp, parse_one

from graphenv.query.results import Rows
from graphenv.query.schema import Schema

__all__ = ["mutants"]

_OTHER = {exp.Max: exp.Min, exp.Min: exp.Max, exp.Avg: exp.Max, exp.Sum: exp.Avg}
_SHIFTED = {exp.GT: exp.GTE, exp.GTE: exp.GT, exp.LT: exp.LTE, exp.LTE: exp.LT, exp.EQ: exp.GTE}


def mutants(gold: str, schema: Schema, result: Rows) -> Iterator[tuple[str, str]]:
    """Yield (what was done, wrong query); `result` is what the gold returns."""
    yield from (("condition dropped", text) for text in _without_conditions(gold))
    yield from (("aggregate changed", text) for text in _other_aggregates(gold))
    yield from (("comparison moved", text) for text in _moved(gold))
    yield from (("column swapped", text) for text in _other_columns(gold, schema))
    if 0 < len(result.rows) <= 20 and all(None not in row for row in result.rows):
        rows = [
            exp.select(*(exp.Literal.string(c) if isinstance(c, str) else str(c) for c in row))
            for row in result.rows
        ]
        text = " UNION ALL ".join(row.sql(dialect="sqlite") for row in rows)
        yield "constant", text


def _without_conditions(gold: str) -> Iterator[str]:
    for number, where in enumerate(parse_one(gold, dialect="sqlite").find_all(exp.Where)):
        parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
        for dropped in range(len(parts)):
            tree = parse_one(gold, dialect="sqlite")
            target = list(tree.find_all(exp.Where))[number]
            kept = [part.copy() for at, part in enumerate(parts) if at != dropped]
            if kept:
                target.replace(exp.Where(this=exp.and_(*kept)))
            else:
                target.pop()
            yield tree.sql(dialect="sqlite")


def _other_aggregates(gold: str) -> Iterator[str]:
    tree = parse_one(gold, dialect="sqlite")
    for node in list(tree.find_all(*_OTHER)):
        before = node.copy()
        new = _OTHER[type(node)](this=node.this.copy())
        node.replace(new)
        yield tree.sql(dialect="sqlite")
        new.replace(before)
    for node in list(tree.find_all(exp.Count)):
        if isinstance(node.this, exp.Star | exp.Distinct) or node.this is None:
            continue
        before = node.copy()
        new = exp.Count(this=exp.Distinct(expressions=[node.this.copy()]))
        node.replace(new)
        yield tree.sql(dialect="sqlite")
        new.replace(before)


def _moved(gold: str) -> Iterator[str]:
    tree = parse_one(gold, dialect="sqlite")
    for where in tree.find_all(exp.Where, exp.Having):
        for node in list(where.find_all(*_SHIFTED)):
            if not isinstance(node.expression, exp.Literal):
                continue
            before = node.copy()
            new = _SHIFTED[type(node)](this=node.this.copy(), expression=node.expression.copy())
            node.replace(new)
            yield tree.sql(dialect="sqlite")
            new.replace(before)


def _other_columns(gold: str, schema: Schema) -> Iterator[str]:
    tree = parse_one(gold, dialect="sqlite")
    aliases = {t.alias_or_name.lower(): t.name for t in tree.find_all(exp.Table)}
    select = next(tree.find_all(exp.Select))
    for item in select.expressions:
        for node in list(item.find_all(exp.Column)):
            table = aliases.get(node.table.lower()) if node.table else next(iter(aliases.values()))
            entity = schema.entity(table or "")
            others = [p.name for p in entity.properties] if entity is not None else []
            for name in [o for o in others if o.lower() != node.name.lower()][:2]:
                before = node.this
                node.set("this", exp.to_identifier(name, quoted=True))
                yield tree.sql(dialect="sqlite")
                node.set("this", before)
