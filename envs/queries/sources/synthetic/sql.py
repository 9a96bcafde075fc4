"""Gold SQL of a plan, in the dialect that SQLite, DuckDB and most others share."""

from __future__ import annotations

from typing import Any

from graphenv.envs.queries.sources.synthetic.plan import (
    Absent,
    Compare,
    Filter,
    Item,
    Pattern,
    Plan,
    Step,
    handles,
)
from graphenv.envs.queries.sources.synthetic.world import World

__all__ = ["write_sql"]


def write_sql(plan: Plan, world: World) -> str:
    """Return the SQL query of a plan.

    Examples
    --------
    >>> from graphenv.envs.queries.sources.synthetic.world import make_world
    >>> world = make_world("train", 0, 0, 200)
    >>> film = world.schema.entities[0].name
    >>> plan = Plan("count", Pattern((film,)), (Item(fn="count"),))
    >>> write_sql(plan, world) == f"SELECT COUNT(*) FROM {film}"
    True
    """
    writer = _Writer(world)
    text = writer.query(plan, plan.pattern)
    if plan.other is not None:
        text = f"{text} UNION {writer.query(plan, plan.other)}"
    return writer.recursive + text


class _Writer:
    def __init__(self, world: World) -> None:
        self._things = world.things
        self._relations = {r.name: r for r in world.schema.relations}
        self.recursive = ""

    def query(self, plan: Plan, pattern: Pattern) -> str:
        alone = len(pattern.types) == 1 and plan.absent is None and plan.compare is None
        names = ("",) if alone else handles(pattern.types)
        parts = ["SELECT DISTINCT" if plan.distinct else "SELECT"]
        parts.append(", ".join(self._item(item, names) for item in plan.select))
        tables, conditions = self._tables(pattern, names)
        parts.append(tables)
        if plan.absent is not None:
            conditions.append(self._absent(plan.absent, pattern, names))
        if plan.compare is not None:
            conditions.append(self._compare(plan.compare, names))
        if conditions:
            parts.append(f"WHERE {' AND '.join(conditions)}")
        if plan.group:
            parts.append(f"GROUP BY {', '.join(self._item(item, names) for item in plan.group)}")
        if plan.having is not None:
            item, op, number = plan.having
            parts.append(f"HAVING {self._item(item, names)} {op} {number}")
        if plan.order:
            keys = (self._item(i, names) + (" DESC" if down else "") for i, down in plan.order)
            parts.append(f"ORDER BY {', '.join(keys)}")
        if plan.limit is not None:
            parts.append(f"LIMIT {plan.limit}")
        return " ".join(parts)

    def _item(self, item: Item, names: tuple[str, ...]) -> str:
        inner = _column(names[item.at], item.property) if item.property else "*"
        if not item.fn:
            return inner
        return f"{item.fn.upper()}({'DISTINCT ' if item.distinct else ''}{inner})"

    def _tables(self, pattern: Pattern, names: tuple[str, ...]) -> tuple[str, list[str]]:
        """Return the FROM clause and the conditions."""
        label = pattern.types[0]
        parts = [f"FROM {label}" + (f" AS {names[0]}" if names[0] else "")]
        conditions: list[str] = []
        taken = list(names)
        for end, step in enumerate(pattern.steps, start=1):
            join = "LEFT JOIN" if step.optional else "JOIN"
            for table, alias, condition in self._joins(step, pattern.types[end], end, names, taken):
                parts.append(f"{join} {table} AS {alias} ON {condition}")
                if step.hops and step.hops[0] > 1 and table == "reach":
                    conditions.append(f"{alias}.depth >= {step.hops[0]}")
        conditions += [_condition(names[f.at], f) for f in pattern.filters]
        return " ".join(parts), conditions

    def _joins(
        self, step: Step, label: str, end: int, names: tuple[str, ...], taken: list[str]
    ) -> list[tuple[str, str, str]]:
        """Return (table, alias, condition) of the one or two joins that a step takes."""
        relation = self._relations[step.relation]
        here, there = names[step.start], names[end]
        head, tail = (here, there) if step.forward else (there, here)
        head_key, tail_key = self._things[relation.head].key, self._things[relation.tail].key
        if not relation.via and step.hops is None:
            column = relation.joins[0][0].split(".")[1]
            return [(label, there, f"{head}.{column} = {tail}.{tail_key}")]
        if step.hops is not None:
            table, ends = "reach", ["head_id", "tail_id"]
            self._define(step)
        else:
            table, ends = relation.via, [join[0].split(".")[1] for join in relation.joins]
        alias = handles((table,), tuple(taken))[0]
        taken.append(alias)
        sides = [f"{alias}.{ends[0]} = {head}.{head_key}", f"{alias}.{ends[1]} = {tail}.{tail_key}"]
        if not step.forward:
            sides.reverse()
        return [(table, alias, sides[0]), (label, there, sides[1])]

    def _define(self, step: Step) -> None:
        relation = self._relations[step.relation]
        label, key = relation.head, self._things[relation.head].key
        column = relation.joins[0][0].split(".")[1]
        most = step.hops[1] if step.hops else None
        deeper = "" if most is None else f" AND r.depth < {most}"
        self.recursive = (
            f"WITH RECURSIVE reach(head_id, tail_id, depth) AS (SELECT {key}, {column}, 1 FROM "
            f"{label} WHERE {column} IS NOT NULL UNION ALL SELECT r.head_id, n.{column}, r.depth + "
            f"1 FROM reach AS r JOIN {label} AS n ON r.tail_id = n.{key} WHERE n.{column} IS NOT "
            f"NULL{deeper}) "
        )

    def _absent(self, absent: Absent, pattern: Pattern, names: tuple[str, ...]) -> str:
        other = handles((absent.type,), names)[0]
        joins = self._joins(absent.step, absent.type, len(names), (*names, other), [*names, other])
        tables = [f"FROM {joins[0][0]} AS {joins[0][1]}"]
        tables += [f"JOIN {table} AS {alias} ON {on}" for table, alias, on in joins[1:]]
        conditions = [joins[0][2], *(_condition(other, f) for f in absent.filters)]
        return f"NOT EXISTS (SELECT 1 {' '.join(tables)} WHERE {' AND '.join(conditions)})"

    def _compare(self, compare: Compare, names: tuple[str, ...]) -> str:
        inner = handles(compare.inner.types, names)
        tables, conditions = self._tables(compare.inner, inner)
        item = self._item(Item(0, compare.property, compare.fn), inner)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        left = _column(names[compare.at], compare.property)
        return f"{left} {compare.op} (SELECT {item} {tables}{where})"


def _column(name: str, column: str) -> str:
    return f"{name}.{column}" if name else column


def _condition(name: str, condition: Filter) -> str:
    column, value = _column(name, condition.property), condition.value
    if condition.op == "missing":
        return f"{column} IS NULL"
    if condition.op == "between":
        return f"{column} BETWEEN {_literal(value[0])} AND {_literal(value[1])}"
    if condition.op == "in":
        return f"{column} IN ({', '.join(map(_literal, value))})"
    if condition.op == "starts":
        return f"{column} LIKE {_literal(value + '%')}"
    return f"{column} {condition.op} {_literal(value)}"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
