"""A query clause by clause, and what of the schema it mentions.

Items are texts without aliases: two occurrences of one table read the same, so a self-join with its
sides confused is not seen here (it is in `graphenv.query.graphs`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from graphenv.query.graphs import COMMUTATIVE
from graphenv.query.model import Expr, Query, Relation, Scope
from graphenv.query.walking import expressions, scopes_of

__all__ = [
    *("CLAUSES", "Clause", "Mention", "components", "mentions"),
    *("spider_components", "spider_exact_match"),
]

Clause = Literal["select", "from", "where", "group", "having", "order", "limit", "set", "nested"]
CLAUSES: tuple[Clause, ...] = (
    *("select", "from", "where", "group", "having", "order", "limit", "set", "nested"),
)
MAX_TEXT = 500  # characters of an expression
Mention = tuple[Literal["entity", "property", "relation"], str]


def components(query: Query) -> dict[Clause, Counter[str]]:
    """Return the items of each clause of a query, as bags; clauses without items are left out.

    All parts of a query (before a WITH, the sides of a UNION) give to one bag per clause; what
    stands in subqueries or behind EXCEPT gives to `nested`.

    >>> from graphenv.query.model import Entity
    >>> film, year = Entity(0, "film"), Expr("property", "year", of=0)
    >>> recent = Expr("operator", "<", (Expr("literal", "1990"), year))
    >>> query = Query("sql", "", Scope((film,), select=(year,), where=(recent,), distinct=True))
    >>> {clause: sorted(items) for clause, items in components(query).items()}
    {'select': ['distinct', 'film.year'], 'from': ['film'], 'where': ['<(1990, film.year)']}
    """
    return _bags(query, spider=False)


def _bags(query: Query, *, spider: bool) -> dict[Clause, Counter[str]]:
    found: dict[Clause, Counter[str]] = {clause: Counter() for clause in CLAUSES}
    _add(query.scope, found, _Writer(query.scope, spider), nested=False)
    return {clause: items for clause, items in found.items() if items}


def _add(scope: Scope, found: dict[Clause, Counter[str]], writer: _Writer, *, nested: bool) -> None:
    for clause, item in writer.items(scope):
        found["nested" if nested else clause][f"{clause} {item}" if nested else item] += 1
    for i, part in enumerate(scope.inputs):
        # What is taken away is no part of what is returned.
        _add(part, found, writer, nested=nested or (scope.combine == "except" and i > 0))
    for below in scopes_of(scope):
        _add(below, found, writer, nested=True)


@dataclass(frozen=True)
class _Names:
    """What handles stand for in a query."""

    entities: dict[int, str]
    relations: dict[int, str]

    @classmethod
    def of(cls, scope: Scope) -> _Names:
        names = cls({}, {})
        for part in _all_scopes(scope):
            names.entities.update((e.handle, e.name) for e in part.entities)
            names.relations.update((r.handle, r.name) for r in part.relations)
        return names

    def __getitem__(self, handle: int) -> str:
        return self.entities.get(handle, self.relations.get(handle, ""))


def _all_scopes(scope: Scope) -> Iterator[Scope]:
    yield scope
    for below in (*scope.inputs, *scopes_of(scope)):
        yield from _all_scopes(below)


class _Writer:
    """Items of a query's scopes as texts; `spider` leaves out what that metric does not see."""

    def __init__(self, scope: Scope, spider: bool) -> None:
        self._names = _Names.of(scope)
        self._spider = spider
        self._texts: dict[int, str] = {}

    def items(self, scope: Scope) -> Iterator[tuple[Clause, str]]:
        """Yield (clause, item) of one scope, without its inputs and subqueries."""
        text = self._text
        if scope.distinct and not self._spider:
            yield "select", "distinct"
        yield from (("select", text(expr)) for expr in scope.select)
        for entity in scope.entities:
            items = "" if entity.items is None else text(entity.items)
            yield "from", _marked(entity.name + items, entity.optional and not self._spider)
        if not self._spider:
            yield from (("from", self._relation(relation)) for relation in scope.relations)
        # Said twice in a conjunction is said once.
        yield from (("where", item) for item in dict.fromkeys(map(text, scope.where)))
        yield from (("group", item) for item in dict.fromkeys(map(text, scope.group)))
        yield from (("having", item) for item in dict.fromkeys(map(text, scope.having)))
        for i, order in enumerate(scope.order, 1):
            yield "order", f"{i} {'desc' if order.descending else 'asc'} {text(order.key)}"
        if scope.limit is not None:
            yield "limit", f"limit {text(scope.limit)}"
        if scope.offset is not None:
            yield "limit", f"offset {text(scope.offset)}"
        if scope.combine:
            yield "set", scope.combine

    def _relation(self, relation: Relation) -> str:
        ends = [self._names[relation.head], self._names[relation.tail]]
        if not relation.directed:
            ends.sort()
        least, most = relation.hops or (1, 1)
        hops = "" if relation.hops is None else f"*{least}..{'' if most is None else most}"
        shortest = " shortest" if relation.shortest else ""
        arrow = "->" if relation.directed else "-"
        text = f"{ends[0]}-{relation.name}{hops}{shortest}{arrow}{ends[1]}"
        return _marked(text, relation.optional)

    def _text(self, expr: Expr) -> str:
        """Return an expression as text; a long one is cut, with a digest of what is cut off.

        A value that later parts use many times is one object: written out it could be of any
        length.
        """
        text = self._texts.get(id(expr))
        if text is None:
            text = self._written(expr)
            if len(text) > MAX_TEXT:
                digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8)
                text = f"{text[:MAX_TEXT]}... {digest.hexdigest()}"
            self._texts[id(expr)] = text
        return text

    def _written(self, expr: Expr) -> str:
        if expr.kind == "property" and expr.of is not None:
            return f"{self._names[expr.of]}.{expr.name}"
        if expr.kind == "element" and expr.of is not None:
            return self._names[expr.of] or "element"
        if expr.kind == "literal" and self._spider:
            return "?"
        if expr.kind in ("literal", "parameter", "star"):
            return {"parameter": f"${expr.name}", "star": "*"}.get(expr.kind, expr.name)
        if expr.kind == "input":
            return self._text(expr.args[0])
        if expr.kind == "subquery":
            return "(subquery)"
        args = [self._text(arg) for arg in expr.args]
        if expr.kind == "operator" and expr.name in COMMUTATIVE:
            args.sort()
        elif expr.name == "in" and len(expr.args) == 2 and expr.args[1].kind == "list":
            args[1:] = sorted(map(self._text, expr.args[1].args))
        distinct = "distinct " if expr.distinct and not self._spider else ""
        return f"{expr.name or expr.kind}({distinct}{', '.join(args)})"


def _marked(text: str, optional: bool) -> str:
    return f"optional {text}" if optional else text


# -- what of the schema is mentioned --------------------------------------------------------------


def mentions(query: Query) -> frozenset[Mention]:
    """Return the entity types, properties and relations that a query names, anywhere in it.

    A property is `entity.property`. Of `A|B` each is mentioned. What the schema does not have is
    mentioned as it was written.
    """
    names = _Names.of(query.scope)
    found: set[Mention] = set()
    for part in _all_scopes(query.scope):
        for entity in part.entities:
            found.update(("entity", name) for name in _split(entity.name))
        for relation in part.relations:
            found.update(("relation", name) for name in _split(relation.name))
        for expr in expressions(part):
            if expr.kind == "property" and expr.of is not None:
                found.add(("property", f"{names[expr.of]}.{expr.name}"))
            elif expr.kind == "property":
                found.add(("property", f".{expr.name}"))
    return frozenset(found)


def _split(name: str) -> list[str]:
    return [part for part in name.replace("&", "|").split("|") if part]


# -- the published metric -------------------------------------------------------------------------


def spider_components(query: Query) -> dict[Clause, Counter[str]]:
    """Return the items of each clause as `spider_exact_match` sees them."""
    return _bags(query, spider=True)


def spider_exact_match(predicted: Query, gold: Query) -> bool:
    """Return whether two queries match by Spider's exact set match: all clauses equal, as sets.

    Yu et al., Spider, EMNLP 2018. As there, values are not looked at (neither literals nor the
    number of a LIMIT), nor are DISTINCT and the conditions of joins. It differs from the official
    evaluator, being made from this package's reading: columns that are equal by a foreign key are
    the same here only where the reading makes them so; what the official one cannot parse (case,
    functions, comma joins, window functions) is compared instead of failing; what stands in
    subqueries is compared as one bag; and conditions connected by OR are one condition.
    """
    return spider_components(predicted) == spider_components(gold)
