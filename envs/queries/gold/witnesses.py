"""`witnesses`: the rows that a query asks for, read off its conditions and joins.

Planted into a copy of a database (see `graphenv.envs.queries.gold.sqlite_copies`) they make the
query return something. What is no conjunction of comparisons with constants is passed over:
planting need not succeed, whether it did is seen when the query runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from graphenv.envs.queries.gold.columns import Cell
from graphenv.envs.queries.gold.sqlite_copies import Witness
from graphenv.query.model import Entity, Expr, Query, Scope
from graphenv.query.schema import RelationType, Schema

__all__ = ["VERSION", "scopes", "witnesses"]

VERSION = 1
"""Goes up when the same query gives other witnesses: copies are cached by it."""

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def witnesses(query: Query, schema: Schema) -> Iterator[Witness]:
    """Yield witnesses for every scope of a query that has tables of the schema.

    The first of each scope meets its conditions; the others are near misses, each of which fails
    one of them by as little as may be.
    """
    relations = {relation.name: relation for relation in schema.relations}
    for scope in scopes(query.scope):
        constants = list(_constants(scope.where))
        yield from _witness(scope, relations, {(c.entity, c.column): c.met for c in constants})
        for failed in constants:
            for value in failed.missed:
                values = {(c.entity, c.column): c.met for c in constants}
                values[failed.entity, failed.column] = value
                for witness in _witness(scope, relations, values):
                    yield replace(witness, near_miss=True)


def scopes(scope: Scope) -> Iterator[Scope]:
    """Yield a scope and all those inside it."""
    yield scope
    for inner in scope.inputs:
        yield from scopes(inner)
    for entity in scope.entities:
        if entity.scope is not None:
            yield from scopes(entity.scope)
    for expression in expressions(scope):
        for part in expression.walk():
            if part.scope is not None:
                yield from scopes(part.scope)


def expressions(scope: Scope) -> Iterator[Expr]:
    """Yield the expressions that stand in a scope itself."""
    yield from scope.where
    yield from scope.select
    yield from scope.group
    yield from scope.having
    yield from (order.key for order in scope.order)
    yield from (part for part in (scope.limit, scope.offset) if part is not None)


def _witness(
    scope: Scope, relations: Mapping[str, RelationType], values: Mapping[tuple[int, str], Cell]
) -> Iterator[Witness]:
    tables: list[Entity] = [e for e in scope.entities if e.scope is None and e.name]
    place = {entity.handle: at for at, entity in enumerate(tables)}
    cells: list[dict[str, Cell]] = [{} for _ in tables]
    for (handle, column), value in values.items():
        if handle in place:
            cells[place[handle]][column] = value
    rows = [
        (entity.name, tuple(known.items())) for entity, known in zip(tables, cells, strict=True)
    ]
    joins: list[tuple[tuple[int, str], tuple[int, str]]] = []
    links: list[tuple[str, int, int]] = []
    for relation in scope.relations:
        if relation.head not in place or relation.tail not in place:
            continue
        head, tail = place[relation.head], place[relation.tail]
        known = relations.get(relation.name)
        if known is not None and not known.joins:
            links.append((known.name, head, tail))
            continue
        if known is not None and known.via and len(known.joins) == 2:
            rows.append((known.via, ()))
            for (own, theirs), end in zip(known.joins, (head, tail), strict=True):
                joins.append(((len(rows) - 1, _column(own)), (end, _column(theirs))))
            continue
        pair = known.joins[0] if known is not None and known.joins else _pair(relation.name)
        if pair is not None:
            joins.append(((head, _column(pair[0])), (tail, _column(pair[1]))))
    if joins or links or any(cells):  # else any row will do
        yield Witness(tuple(rows), tuple(joins), tuple(links))


def _pair(name: str) -> tuple[str, str] | None:
    left, equals, right = name.partition("=")
    return (left, right) if equals and "." in left and "." in right else None


def _column(name: str) -> str:
    return name.partition(".")[2]


@dataclass(frozen=True, slots=True)
class _Constant:
    """A column of an entity, a value that meets a condition on it, and values just beside it."""

    entity: int
    column: str
    met: Cell
    missed: tuple[Cell, ...]


def _constants(conditions: Iterable[Expr]) -> Iterator[_Constant]:
    for condition in conditions:
        if condition.kind != "operator":
            continue
        if condition.name in ("and", "or"):
            # One alternative is enough for a row to be found.
            yield from _constants(condition.args[:1] if condition.name == "or" else condition.args)
        elif len(condition.args) >= 2:
            left, right = condition.args[:2]
            name = condition.name
            if left.kind == "literal":
                left, right, name = right, left, _MIRRORED.get(name, name)
            if name == "in":
                right = next((part for part in right.walk() if part.kind == "literal"), right)
                name = "="
            if left.kind == "property" and left.of is not None and right.kind == "literal":
                around = _around(name, literal(right.name))
                if around is not None:
                    yield _Constant(left.of, left.name, *around)


def literal(name: str) -> Cell:
    """Return the value of a literal's canonical text.

    >>> literal("'it's'"), literal("3"), literal("1.5"), literal("null")
    ("it's", 3, 1.5, None)
    """
    if len(name) >= 2 and name[0] == name[-1] == "'":
        return name[1:-1]
    for kind in (int, float):
        try:
            return kind(name)
        except ValueError:
            continue
    return {"true": 1, "false": 0}.get(name)


def _around(operator: str, constant: Cell) -> tuple[Cell, tuple[Cell, ...]] | None:
    """Return a value that meets a comparison and the nearest ones that do not."""
    if operator == "like" and isinstance(constant, str):
        found = constant.replace("%", "").replace("_", "a")
        return found, (found[1:] or "-",)
    less, more = _moved(constant, -1), _moved(constant, 1)
    if constant is None or less is None or more is None:
        return None
    return {
        "=": (constant, (less, more)),
        "<>": (more, (constant,)),
        "<": (less, (constant,)),
        "<=": (constant, (more,)),
        ">": (more, (constant,)),
        ">=": (constant, (less,)),
    }.get(operator)


def _moved(constant: Cell, by: int) -> Cell:
    if isinstance(constant, int | float):
        return constant + by
    if isinstance(constant, str) and constant.isdecimal() and len(constant) < 12:
        return str(int(constant) + by)
    if isinstance(constant, str):
        # The texts before and after it: without its last character, and with one more.
        return f"{constant} I" if by > 0 else constant[:-1] or None
    return None
