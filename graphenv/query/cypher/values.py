"""Expressions in canonical form: variables are replaced by what they stand for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from graphenv.query.cypher.atoms import AGGREGATES
from graphenv.query.cypher.names import Names
from graphenv.query.cypher.normal import (
    STAR,
    TRUE,
    combine,
    compare,
    conjuncts,
    literal,
    member,
    negate,
    text_match,
)
from graphenv.query.cypher.parts import Slot
from graphenv.query.cypher.tokens import Stop
from graphenv.query.cypher.tree import Body, Path, Term
from graphenv.query.limits import Sizes
from graphenv.query.model import Expr, Scope
from graphenv.query.schema import Schema

__all__ = ["Values"]

# Functions that other dialects of Cypher, and SQL, have under another name.
_SAME = {
    "tolower": "lower",
    "toupper": "upper",
    "elementid": "id",
    "char_length": "length",
    "character_length": "length",
    "ceiling": "ceil",
}
_COUNTED = ("size", "length")


class Values(ABC):
    """Turns terms into expressions. `env` is what each variable stands for here."""

    def __init__(self, schema: Schema | None) -> None:
        self.names = Names(schema) if schema is not None else None
        self.slots: list[Slot] = []
        self.env: dict[str, Expr] = {}
        self.binders = 0
        self.undefined: dict[str, None] = {}
        self._sizes = Sizes()

    @abstractmethod
    def nested(self, body: Body | None, purpose: str) -> Scope:
        """Return the scope of EXISTS, COUNT or COLLECT."""

    @abstractmethod
    def searched(self, path: Path, where: Term, value: Term | None, purpose: str) -> Scope:
        """Return the scope of a pattern that stands in an expression."""

    def value(self, term: Term) -> Expr:
        """Return the expression that a term is."""
        return _READ[term.kind](self, term)

    def each(self, terms: Sequence[Term]) -> tuple[Expr, ...]:
        """Return the expressions that terms are."""
        return tuple([_READ[term.kind](self, term) for term in terms])

    def conditions(self, term: Term) -> tuple[Expr, ...]:
        """Return the conditions that a term says must all hold."""
        return conjuncts(_READ[term.kind](self, term))

    def of(self, handle: int, key: str) -> Expr:
        """Return a property of a node or relationship."""
        if self.names is not None:
            self.names.property(key, self.slots[handle])
        return Expr("property", key, of=handle)

    def _variable(self, term: Term) -> Expr:
        found = self.env.get(term.name)
        if found is None:
            self.undefined[term.name] = None
            return Expr("variable", "?")
        return self._used(found)

    def _used(self, value: Expr) -> Expr:
        """Return a value that is used again, unless the query grows out of bounds by that."""
        issue = self._sizes.used(value)
        if issue is not None:
            raise Stop(issue)
        return value

    def _property(self, term: Term) -> Expr:
        base = self.value(term.args[0])
        if base.kind == "element" and base.of is not None:
            return self.of(base.of, term.name)
        return Expr("property", term.name, (base,))

    def _operator(self, term: Term) -> Expr:
        name, args = term.name, self.each(term.args)
        if name in ("and", "or"):
            return combine(name, args)
        if name in ("=", "<>", "<", "<=", ">", ">="):
            return compare(name, *args)
        if name == "not":
            return negate(args[0])
        if name == "in":
            return member(*args)
        if name in ("contains", "starts with", "ends with"):
            return text_match(name, *args)
        if name == "[]" and args[0].kind == "element" and args[1].name[:1] == "'":
            handle = args[0].of  # n['name'] is n.name
            if handle is not None and self.slots[handle].items is None:
                return self.of(handle, args[1].name[1:-1])
        return Expr("operator", name, args)

    def _call(self, term: Term) -> Expr:
        name = term.name.lower()
        if len(term.args) == 1 and term.args[0].kind == "pattern":
            found = self._call_of_pattern(name, term.args[0])
            if found is not None:
                return found
        args = self.each(term.args)
        if name in AGGREGATES:
            return self._aggregate(name, args, term.kind == "distinct")
        if name == "exists" and len(args) == 1:
            return negate(Expr("operator", "is null", args))
        if name in ("startnode", "endnode") and len(args) == 1:
            end = self._end(args[0], name == "endnode")
            if end is not None:
                return end
        return Expr("call", _SAME.get(name, name), args)

    def _aggregate(self, name: str, args: tuple[Expr, ...], distinct: bool) -> Expr:
        if name == "count" and len(args) == 1 and not distinct and args[0].kind == "element":
            handle = args[0].of
            slot = self.slots[handle] if handle is not None else None
            if slot is not None and not slot.optional and slot.items is None:
                return Expr("aggregate", "count", (STAR,))  # what a pattern finds is never null
        return Expr("aggregate", name, args, distinct=distinct and name not in ("min", "max"))

    def _call_of_pattern(self, name: str, term: Term) -> Expr | None:
        path = term.path
        if path is None or path.shortest:
            return None
        where, value = term.args if term.name == "list" else (Term("literal", "true"), None)
        if name == "exists" and value is None:
            return Expr("exists", scope=self.searched(path, where, None, "exists"))
        if name in _COUNTED:
            return Expr("subquery", scope=self.searched(path, where, None, "count"))
        return None

    def _end(self, of: Expr, last: bool) -> Expr | None:
        slot = self.slots[of.of] if of.kind == "element" and of.of is not None else None
        if slot is None or slot.ends is None or not slot.directed or slot.hops is not None:
            return None
        return self.slots[slot.ends[last]].element

    def _map(self, term: Term) -> Expr:
        values = self.each(term.args)
        pairs = sorted(zip(term.names, values, strict=True), key=lambda pair: pair[0])
        return Expr("map", "", tuple(part for k, v in pairs for part in (literal(k), v)))

    def _projection(self, term: Term) -> Expr:
        of, *values = self.each(term.args)
        pairs = sorted(zip(term.names, values, strict=True), key=lambda pair: pair[0])
        # `n {.*}` needs to know of what it takes everything; the rest is a map.
        pairs = [(k, Expr("call", "properties", (of,)) if v == STAR else v) for k, v in pairs]
        return Expr("map", "", tuple(part for k, v in pairs for part in (literal(k), v)))

    def _case(self, term: Term) -> Expr:
        subject, *rest = self.each(term.args)
        if term.name == "simple":
            for i in range(0, len(rest) - 1, 2):
                rest[i] = compare("=", self._used(subject), rest[i])
        return Expr("case", "", tuple(rest))

    def _label(self, term: Term) -> Expr:
        of, labels = self.value(term.args[0]), term.labels
        assert labels is not None  # the reader gives every label term its labels
        if self.names is not None:
            relation = of.of is not None and self.slots[of.of].is_relation
            (self.names.types if relation else self.names.labels)(labels.names)
        return Expr("operator", "label", (of, literal(labels.text)))

    def _comprehension(self, term: Term) -> Expr:
        items = self.value(term.args[0])
        outer, self.env = self.env, dict(self.env)
        self.env[term.names[0]] = Expr("variable", str(self.binders))
        self.binders += 1
        rest = self.each(term.args[1:] if term.name == "list" else term.args[1:2])
        self.binders -= 1
        self.env = outer
        return Expr("comprehension", term.name, (items, *rest))

    def _reduce(self, term: Term) -> Expr:
        start, items = self.each(term.args[:2])
        outer, self.env = self.env, dict(self.env)
        for name in term.names:
            self.env[name] = Expr("variable", str(self.binders))
            self.binders += 1
        value = self.value(term.args[2])
        self.binders -= 2
        self.env = outer
        return Expr("comprehension", "reduce", (items, start, value))

    def _pattern(self, term: Term) -> Expr:
        path = term.path
        assert path is not None  # the reader gives every pattern term its path
        if term.name == "list":
            scope = self.searched(path, term.args[0], term.args[1], "collect")
            return Expr("subquery", scope=scope)
        true = Term("literal", TRUE.name)
        if path.shortest:
            return Expr("subquery", scope=self.searched(path, true, None, "path"))
        return Expr("exists", scope=self.searched(path, true, None, "exists"))


_READ: dict[str, Callable[[Values, Term], Expr]] = {
    "property": Values._property,
    "variable": Values._variable,
    "literal": lambda _, term: Expr("literal", term.name),
    "operator": Values._operator,
    "call": Values._call,
    "distinct": Values._call,
    "star": lambda _, term: STAR,
    "parameter": lambda _, term: Expr("parameter", term.name),
    "list": lambda self, term: Expr("list", "", self.each(term.args)),
    "map": Values._map,
    "projection": Values._projection,
    "case": Values._case,
    "label": Values._label,
    "comprehension": Values._comprehension,
    "reduce": Values._reduce,
    "pattern": Values._pattern,
    "exists": lambda self, term: Expr("exists", scope=self.nested(term.body, "exists")),
    "count": lambda self, term: Expr("subquery", scope=self.nested(term.body, "count")),
    "collect": lambda self, term: Expr("subquery", scope=self.nested(term.body, "collect")),
}
