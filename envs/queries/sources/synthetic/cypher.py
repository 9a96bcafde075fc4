"""Gold Cypher of a plan: runs on Neo4j and, as it stands, on ladybug."""

from __future__ import annotations

from typing import Any

from graphenv.envs.queries.sources.synthetic.plan import (
    Absent,
    Filter,
    Item,
    Pattern,
    Plan,
    Step,
    handles,
)

__all__ = ["write_cypher"]


def write_cypher(plan: Plan) -> str:
    """Return the Cypher query of a plan.

    A relation that a pattern uses twice stands in two MATCH clauses: within one, Neo4j would not
    use a relationship twice, while SQL and ladybug do.

    Examples
    --------
    >>> step = Step(0, "DIRECTED_BY", True)
    >>> pattern = Pattern(("Film", "Director"), (step,), (Filter(1, "name", "=", "Ida"),))
    >>> write_cypher(Plan("list", pattern, (Item(0, "title"),)))
    "MATCH (f:Film)-[:DIRECTED_BY]->(d:Director) WHERE d.name = 'Ida' RETURN f.title"
    """
    text = _query(plan, plan.pattern)
    return text if plan.other is None else f"{text} UNION {_query(plan, plan.other)}"


def _query(plan: Plan, pattern: Pattern) -> str:
    names = handles(pattern.types)
    parts = []
    extra = []
    if plan.compare is not None:
        inner = handles(plan.compare.inner.types, names)
        parts.append(_match(plan.compare.inner, inner))
        bound = _item(Item(0, plan.compare.property, plan.compare.fn), inner)
        parts.append(f"WITH {bound} AS bound")
        place = f"{names[plan.compare.at]}.{plan.compare.property}"
        extra.append(f"{place} {plan.compare.op} bound")
    if plan.absent is not None:
        extra.append(_absent(plan.absent, names))
    parts.append(_match(pattern, names, extra))
    parts.append(_return(plan, names))
    return " ".join(parts)


def _return(plan: Plan, names: tuple[str, ...]) -> str:
    """Return the end of a query; aggregates that are not returned are named in a WITH before it."""
    hidden = [item for item, _ in plan.order if item.fn and item not in plan.select]
    aliases: dict[Item, str] = {}
    text = ""
    if plan.having is not None or hidden:
        needed = [*plan.group, *plan.select, *hidden]
        if plan.having is not None:
            needed.append(plan.having[0])
        for item in dict.fromkeys(needed):
            aliases[item] = "number" if item.fn else item.property
        listed = ", ".join(f"{_item(item, names)} AS {alias}" for item, alias in aliases.items())
        text = f"WITH {listed} "
        if plan.having is not None:
            item, op, number = plan.having
            text += f"WHERE {aliases[item]} {op} {number} "

    def shown(item: Item) -> str:
        return aliases.get(item) or _item(item, names)

    text += "RETURN DISTINCT " if plan.distinct else "RETURN "
    text += ", ".join(map(shown, plan.select))
    if plan.order:
        keys = (shown(item) + (" DESC" if down else "") for item, down in plan.order)
        text += f" ORDER BY {', '.join(keys)}"
    return text if plan.limit is None else f"{text} LIMIT {plan.limit}"


def _item(item: Item, names: tuple[str, ...]) -> str:
    inner = f"{names[item.at]}.{item.property}" if item.property else "*"
    if not item.fn:
        return inner
    return f"{item.fn}({'DISTINCT ' if item.distinct else ''}{inner})"


def _match(pattern: Pattern, names: tuple[str, ...], extra: list[str] | None = None) -> str:
    seen = {0}
    clauses = [f"({names[0]}:{pattern.types[0]})"]
    used: set[str] = set()
    last = 0
    optional = []
    for end, step in enumerate(pattern.steps, start=1):
        hop = f"{_arrow(step)}({names[end]}:{pattern.types[end]})"
        if step.optional:
            optional.append(f" OPTIONAL MATCH ({names[step.start]}){hop}")
            continue
        if step.relation in used:
            clauses.append(f" MATCH ({names[step.start]}){hop}")
            used = set()
        elif step.start == last:
            clauses.append(hop)
        else:
            clauses.append(f", ({names[step.start]}){hop}")
        used.add(step.relation)
        seen.add(end)
        last = end
    text = "MATCH " + "".join(clauses)
    conditions = [_condition(names[f.at], f) for f in pattern.filters if f.at in seen]
    conditions += extra or []
    if conditions:
        text += f" WHERE {' AND '.join(conditions)}"
    return text + "".join(optional)


def _arrow(step: Step) -> str:
    hops = ""
    if step.hops is not None:
        least, most = step.hops
        hops = f"*{least}..{'' if most is None else most}"
    middle = f"-[:{step.relation}{hops}]-"
    return f"{middle}>" if step.forward else f"<{middle}"


def _absent(absent: Absent, names: tuple[str, ...]) -> str:
    other = handles((absent.type,), names)[0]
    pattern = f"({names[absent.step.start]}){_arrow(absent.step)}({other}:{absent.type})"
    conditions = " AND ".join(_condition(other, f) for f in absent.filters)
    where = f" WHERE {conditions}" if conditions else ""
    return f"NOT EXISTS {{ MATCH {pattern}{where} }}"


def _condition(name: str, condition: Filter) -> str:
    place, value = f"{name}.{condition.property}", condition.value
    if condition.op == "missing":
        return f"{place} IS NULL"
    if condition.op == "between":
        return f"{place} >= {_literal(value[0])} AND {place} <= {_literal(value[1])}"
    if condition.op == "in":
        return f"{place} IN [{', '.join(map(_literal, value))}]"
    if condition.op == "starts":
        return f"{place} STARTS WITH {_literal(value)}"
    return f"{place} {condition.op} {_literal(value)}"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return repr(value)
