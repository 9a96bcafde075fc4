"""What kind of value a variable or expression has, as far as the schema and the text tell."""

from __future__ import annotations

from typing import NamedTuple

from graphenv.query.cypher.tree import Term
from graphenv.query.schema import EntityType, RelationType, Schema

__all__ = ["OTHER", "Kind", "Kinds"]


class Kind(NamedTuple):
    """`name`: node, rel, rels (variable length), path, nodes, list, date, timestamp, other, or a
    type of `graphenv.query.schema.Property`. `labels` are those of a node or relationship.
    `optional` if it may be null because OPTIONAL MATCH found nothing.
    """

    name: str
    labels: tuple[str, ...] = ()
    optional: bool = False


OTHER = Kind("other")
_OF_CALLS = {
    "nodes": "nodes",
    "rels": "rels",
    "relationships": "rels",
    "collect": "list",
    "split": "list",
    "range": "list",
    "labels": "list",
    "tail": "list",
    "keys": "list",
    "tolower": "text",
    "toupper": "text",
    "lower": "text",
    "upper": "text",
    "tostring": "text",
    "substring": "text",
    "trim": "text",
    "ltrim": "text",
    "rtrim": "text",
    "replace": "text",
    "left": "text",
    "right": "text",
    "type": "text",
    "count": "integer",
    "size": "integer",
    "length": "integer",
    "tointeger": "integer",
    "tofloat": "real",
    "avg": "real",
    "date": "date",
    "datetime": "timestamp",
    "localdatetime": "timestamp",
}
_CONDITIONS = frozenset(
    (
        *("=", "<>", "<", "<=", ">", ">=", "and", "or", "xor", "not", "in", "is null", "matches"),
        *("contains", "starts with", "ends with"),
    )
)
_PLURAL = {"node": "nodes", "rel": "rels"}
_SINGULAR = {"nodes": "node", "rels": "rel"}


class Kinds:
    """The kinds of the variables in scope, and of expressions over them."""

    def __init__(self, schema: Schema | None) -> None:
        self.env: dict[str, Kind] = {}
        self._types: dict[tuple[str, str], str] = {}
        if schema is not None:
            owners: tuple[EntityType | RelationType, ...]
            owners = (*schema.entities, *schema.relations)
            for owner in owners:
                for p in owner.properties:
                    self._types[owner.name, p.name] = p.type

    def of(self, term: Term) -> Kind:
        """Return the kind of an expression."""
        kind = term.kind
        if kind == "variable":
            return self.env.get(term.name, OTHER)
        if kind == "literal":
            return Kind(_literal(term.name))
        if kind == "list":
            inner = {self.of(arg).name for arg in term.args}
            return Kind(_PLURAL.get(inner.pop(), "list") if len(inner) == 1 else "list")
        if kind == "property":
            return self._property(term)
        if kind == "call" or kind == "distinct":
            return self._call(term)
        if kind == "comprehension" and term.name == "list":
            same = term.args[2] == Term("variable", term.names[0])
            return self.of(term.args[0]) if same else Kind("list")
        if kind == "count":
            return Kind("integer")
        if kind == "operator":
            return self._operator(term)
        return OTHER

    def _property(self, term: Term) -> Kind:
        of = self.of(term.args[0])
        types = {self._types.get((label, term.name)) for label in of.labels} - {None}
        return Kind(str(types.pop())) if len(types) == 1 else OTHER

    def _call(self, term: Term) -> Kind:
        name = term.name.lower()
        if name in ("collect", "head", "last", "tail", "min", "max", "coalesce") and term.args:
            inner = self.of(term.args[0])
            if name == "collect":
                return Kind(_PLURAL.get(inner.name, "list"), inner.labels)
            if name in ("head", "last"):
                return Kind(_SINGULAR.get(inner.name, "other"), inner.labels)
            return inner
        return Kind(_OF_CALLS.get(name, "other"))

    def _operator(self, term: Term) -> Kind:
        name = term.name
        if name == "[..]":
            return self.of(term.args[0])
        if name == "[]":
            of = self.of(term.args[0])
            return Kind(_SINGULAR.get(of.name, "other"), of.labels)
        if name in _CONDITIONS:
            return Kind("boolean")
        if name in ("+", "-", "*", "%") and len(term.args) > 1:
            inner = {self.of(arg).name for arg in term.args}
            if inner == {"integer"} or inner == {"text"}:
                return Kind(inner.pop())
            if inner <= {"integer", "real"}:
                return Kind("real")
        return OTHER


def _literal(text: str) -> str:
    if text[:1] == "'":
        return "text"
    if text in ("true", "false"):
        return "boolean"
    if text == "null":
        return "other"
    return "integer" if text.lstrip("-").isdecimal() else "real"
