"""Changes to SQL that keep what a query says, and changes that do not: both are seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from query_sql_forms import CINEMA, SAME, form, read

from graphenv.query.schema import Schema
from graphenv.query.sql import spider_schema
from graphenv.seeding import sample

sqlglot = pytest.importorskip("sqlglot")
exp = sqlglot.exp


Tree = Any
Change = Callable[[Tree], bool]


def _alias(tree: Tree) -> bool:
    """Give every table another alias."""
    new: dict[str, str] = {}
    for table in tree.find_all(exp.Table):
        old = table.alias_or_name.lower()
        new[old] = f"other_{old}"
        table.set("alias", exp.TableAlias(this=exp.to_identifier(new[old])))
    for column in tree.find_all(exp.Column):
        if column.table:
            column.set("table", exp.to_identifier(new.get(column.table.lower(), column.table)))
    return True


def _upper(tree: Tree) -> bool:
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted"):
            name.set("this", name.name.upper())
    return True


def _commas(tree: Tree) -> bool:
    """Write joins as a list of tables, the last first, with conditions in WHERE."""
    done = False
    for select in tree.find_all(exp.Select):
        joins = select.args.get("joins") or []
        if not joins or any(join.side or not join.args.get("on") for join in joins):
            continue
        if any(
            type(column.this) is exp.Star or not column.table
            for column in select.find_all(exp.Column)
        ):
            continue
        tables = [select.args["from_"].this, *(join.this for join in joins)][::-1]
        conditions = [join.args["on"] for join in joins]
        if select.args.get("where"):
            conditions.insert(0, select.args["where"].this)
        select.set("from_", exp.From(this=tables[0]))
        select.set("joins", [exp.Join(this=table, kind="CROSS") for table in tables[1:]])
        select.set("where", exp.Where(this=exp.and_(*conditions)))
        done = True
    return done


def _mirror(tree: Tree) -> bool:
    """Write every comparison from the other side."""
    pairs = {exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE, exp.EQ: exp.EQ}
    found = list(tree.find_all(*pairs))
    for node in found:
        node.replace(pairs[type(node)](this=node.expression.copy(), expression=node.this.copy()))
    return bool(found)


def _turn_conjunctions(tree: Tree) -> bool:
    found = list(tree.find_all(exp.And, exp.Or))
    for node in found:
        left, right = node.this, node.expression
        node.set("this", exp.paren(right.copy()))
        node.set("expression", exp.paren(left.copy()))
    return bool(found)


def _between(tree: Tree) -> bool:
    found = list(tree.find_all(exp.Between))
    for node in found:
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
        node.replace(exp.paren(exp.And(this=low, expression=high)))
    return bool(found)


def _in_from(tree: Tree) -> bool:
    """Put the first table into a subquery that passes everything on."""
    if type(tree) is not exp.Select or not tree.args.get("from_"):
        return False
    if any(type(select) is exp.Star for select in tree.expressions):
        return False
    table = tree.args["from_"].this
    if type(table) is not exp.Table:
        return False
    inner = exp.select("*").from_(exp.Table(this=exp.to_identifier(table.name)))
    alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
    tree.set("from_", exp.From(this=exp.Subquery(this=inner, alias=alias)))
    return True


KEEP: tuple[Change, ...] = (
    *(_alias, _upper, _commas, _mirror, _turn_conjunctions, _between, _in_from),
)


def _swap_type(pairs: dict[type, type]) -> Change:
    def change(tree: Tree) -> bool:
        found = next(tree.find_all(*pairs), None)
        if found is not None:
            found.__class__ = pairs[type(found)]  # the root has no parent to replace it in
        return found is not None

    return change


def _literal(tree: Tree) -> bool:
    """Change a literal; which one EXISTS selects means nothing."""
    literals = (node for node in tree.find_all(exp.Literal) if not node.find_ancestor(exp.Exists))
    found = next(literals, None)
    if found is None:
        return False
    found.set("this", found.this + "7")
    return True


def _aggregate(tree: Tree) -> bool:
    found = next(tree.find_all(exp.Max, exp.Min, exp.Sum, exp.Avg), None)
    if found is None:
        return False
    found.replace((exp.Sum if type(found) is exp.Avg else exp.Avg)(this=found.this.copy()))
    return True


def _no_part(name: str) -> Change:
    def change(tree: Tree) -> bool:
        return tree.args.pop(name, None) is not None

    return change


def _direction(tree: Tree) -> bool:
    order = tree.args.get("order")
    if order is None:
        return False
    first = order.expressions[0]
    first.set("desc", not first.args.get("desc"))
    first.set("nulls_first", not first.args["desc"])
    return True


def _distinct(tree: Tree) -> bool:
    """Add or take DISTINCT, where it is not added to groups or to one row."""
    if type(tree) is not exp.Select or tree.args.get("group"):
        return False
    if any(item.find(exp.AggFunc) for item in tree.expressions):
        return False
    tree.set("distinct", None if tree.args.get("distinct") else exp.Distinct())
    return True


def _one_more_output(tree: Tree) -> bool:
    if type(tree) is not exp.Select:
        return False
    tree.append("expressions", exp.Literal.number(7))
    return True


def _another_column(schema: Schema) -> Change:
    """Return a change of one column that is no key to another of its table."""
    keys = {side.lower() for r in schema.relations for join in r.joins for side in join}
    columns = {
        entity.name.lower(): [
            p.name for p in entity.properties if f"{entity.name}.{p.name}".lower() not in keys
        ]
        for entity in schema.entities
    }

    def change(tree: Tree) -> bool:
        tables = list(tree.find_all(exp.Table))
        if len(tables) != 1 or tables[0].name.lower() not in columns:
            return False
        names = columns[tables[0].name.lower()]
        for column in tree.find_all(exp.Column):
            others = [name for name in names if name.lower() != column.name.lower()]
            if column.name.lower() in map(str.lower, names) and others:
                old = column.name.lower()
                for same in tree.find_all(exp.Column):  # or a copy in GROUP BY would stay
                    if same.name.lower() == old:
                        same.set("this", exp.to_identifier(others[0], quoted=True))
                return True
        return False

    return change


def _another_table(schema: Schema) -> Change:
    names = [entity.name for entity in schema.entities]

    def change(tree: Tree) -> bool:
        table = next(tree.find_all(exp.Table))
        others = [name for name in names if name.lower() != table.name.lower()]
        alias = table.alias_or_name
        table.set("this", exp.to_identifier(others[0]))
        table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        return True

    return change


def _breaking(schema: Schema) -> tuple[Change, ...]:
    return (
        _another_table(schema),
        _another_column(schema),
        *(_literal, _aggregate, _direction, _distinct, _one_more_output),
        *(_no_part(name) for name in ("order", "limit", "where", "having")),
        _swap_type({exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.GT: exp.GTE, exp.GTE: exp.GT}),
        _swap_type({exp.LT: exp.LTE, exp.LTE: exp.LT, exp.Like: exp.Glob}),
        _swap_type({exp.Union: exp.Except, exp.Intersect: exp.Union, exp.Except: exp.Union}),
        _swap_type({exp.Sub: exp.Add, exp.Add: exp.Sub, exp.Div: exp.Mul, exp.Mul: exp.Div}),
    )


def _mutants(text: str, changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        tree = sqlglot.parse_one(text, dialect="sqlite")
        if change(tree):
            yield tree.sql("sqlite")


def _check_mutants(text: str, schema: Schema) -> tuple[int, int]:
    """Check a query's mutants, both ways; return how many there were of each."""
    gold = form(read(text, schema))
    same = list(_mutants(text, KEEP))
    for mutant in same:
        assert form(read(mutant, schema)) == gold, (text, mutant)
    other = list(_mutants(text, _breaking(schema)))
    for mutant in other:
        assert form(read(mutant, schema)) != gold, (text, mutant)
    return len(same), len(other)


def test_mutants_of_queries_made_by_hand() -> None:
    found = [_check_mutants(texts[0], CINEMA) for texts in SAME.values()]
    assert sum(same for same, _ in found) > 60
    assert sum(other for _, other in found) > 100


def _spider(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Schema]]:
    entries = json.loads((folder / "tables.json").read_text())
    return (
        json.loads((folder / "dev.json").read_text()),
        {entry["db_id"]: spider_schema(entry) for entry in entries},
    )


@pytest.mark.data
@pytest.mark.parametrize("count", [40, pytest.param(300, marks=pytest.mark.soak)])
def test_mutants_of_spider_gold(graphenv_data: Path, count: int) -> None:
    gold, schemas = _spider(graphenv_data / "query/spider")
    counts = [
        _check_mutants(gold[i]["query"], schemas[gold[i]["db_id"]])
        for i in sample(len(gold), count, "sql mutants")
    ]
    assert sum(same for same, _ in counts) > 2.5 * count
    assert sum(other for _, other in counts) > 4.2 * count
