"""Lists of Neo4j in the words of ladybug 0.22, which counts from 1 and reads some lists wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from graphenv.query.cypher.dialect_words import Words, literal, null, refuse
from graphenv.query.cypher.tree import Term

__all__ = ["Lists"]

_VALUE = Term("variable", "_v")
_JOINED = {"all": " AND ", "any": " OR ", "none": " OR "}


class Lists(Words, ABC):
    """Writes items and parts of lists, and what is computed from their items."""

    @abstractmethod
    def expr(self, term: Term) -> str:
        """Return an expression."""

    @abstractmethod
    def inner(self, term: Term) -> str:
        """Return an expression in brackets, unless it needs none anywhere."""

    @abstractmethod
    def _side(self, term: Term, binds: int) -> str: ...

    @abstractmethod
    def _property(self, term: Term) -> str: ...

    def _index(self, of: Term, at: Term) -> str:
        if at.kind == "literal" and at.name[:1] == "'":
            return self._property(Term("property", at.name[1:-1], (of,)))
        if at.kind != "literal" or not at.name.lstrip("-").isdecimal():
            refuse("an item of a list is run with a number as its index only")
        return self.item(of, int(at.name))

    def item(self, of: Term, at: int) -> str:
        """Return an item of a list; null where there is none, which is an error to the engine."""
        if of.kind == "call" and of.name.lower() == "labels" and at in (0, -1):
            return f"label({self.expr(of.args[0])})"
        items = self.expr(of)
        place, least = (at + 1, at + 1) if at >= 0 else (at, -at)
        return f"(CASE WHEN size({items}) >= {least} THEN {items} END)[{place}]"

    def _slice(self, of: Term, start: Term, end: Term) -> str:
        """Return a part of a list: the engine counts from 1, and the end belongs to it."""
        ends = []
        for term in (start, end):
            if term.kind != "literal" or not (term.name.lstrip("-").isdecimal() or null(term)):
                refuse("a part of a list is run with numbers as its ends only")
            ends.append(None if null(term) else int(term.name))
        first, last = ends
        if first is not None and last is not None and (first < 0) != (last < 0):
            refuse("a part of a list with one end counted from the other side is not run")
        left = "" if first is None else str(first + 1 if first >= 0 else first)
        right = "" if last is None else str(last if last >= 0 else last - 1)
        if last == 0:
            left, right = "2", "1"
        return f"{self.inner(of)}[{left}:{right}]"

    def _comprehension(self, term: Term) -> str:
        if term.name == "list":
            filtered = term.args[2] == Term("variable", term.names[0])
            if filtered and self.kinds.of(term.args[0]).name in ("nodes", "rels"):
                refuse(
                    "nodes or relationships picked from a list are not run; use their properties"
                )
            return self.filtered(term) if filtered else self._mapped(term)
        if term.name in _JOINED and (each := self._each(term)):
            return each
        items, value, (condition,) = self._over(term.args[0], term.names[0], term.args[1:2])
        return f"{term.name}({value} IN {items} WHERE {condition})"

    def _each(self, term: Term) -> str:
        """Return a condition on the constants of a list, written once for each of them.

        So it may use other variables, as in `all(x IN ['a', 'b'] WHERE x IN names)`.
        """
        items, body = term.args[0], term.args[1]
        constant = items.kind == "list" and all(item.kind == "literal" for item in items.args)
        if not (constant and 0 < len(items.args) <= 20) or _nested(body):
            return ""
        conditions = (_with(body, term.names[0], item) for item in items.args)
        text = _JOINED[term.name].join(self._side(one, 4) for one in conditions)
        return f"NOT ({text})" if term.name == "none" else f"({text})"

    def filtered(self, term: Term) -> str:
        """Return the items for which the condition of a comprehension holds (or as many)."""
        if term.args[1] == Term("literal", "true"):
            return self.expr(term.args[0])
        items, value, (condition,) = self._over(term.args[0], term.names[0], term.args[1:2])
        return f"list_filter({items}, {value} -> {condition})"

    def _mapped(self, term: Term) -> str:
        items, value, (condition, result) = self._over(term.args[0], term.names[0], term.args[1:])
        if condition != "true":
            items = f"list_filter({items}, {value} -> {condition})"
        return items if result == value else f"list_transform({items}, {value} -> {result})"

    def _over(
        self, items: Term, variable: str, bodies: Sequence[Term]
    ) -> tuple[str, str, list[str]]:
        """Return a list, the variable over it, and expressions of the variable.

        The engine reads wrong rows where an expression takes a property of a node in a list, and
        where it uses other variables: so a list of the values of the property is made first.
        """
        if self._bound:
            refuse("a condition on items of a list inside another is not run")
        kind = self.kinds.of(items)
        source = self.expr(items)
        keys = {key for body in bodies for key in _keys(body, variable)}
        if keys - {""} or kind.name in ("nodes", "rels"):
            if kind.name not in ("nodes", "rels") or len(keys) != 1 or "" in keys:
                refuse("items of a list are run with one property of a node or relationship only")
            key = keys.pop()
            source = f"properties({source}, {literal(chr(39) + key + chr(39))})"
            bodies = [_replaced(body, variable) for body in bodies]
            variable = _VALUE.name
        outer, self._bound = self._bound, frozenset((variable,))
        known, self.kinds.env = self.kinds.env, {}
        texts = [self.expr(body) for body in bodies]
        name = self.name(variable)
        self._bound, self.kinds.env = outer, known
        return source, name, texts

    def _reduce(self, term: Term) -> str:
        start, items, value = term.args
        total, item = (Term("variable", name) for name in term.names)
        adds = value.kind == "operator" and value.name == "+" and len(value.args) == 2
        if not adds or total not in value.args:
            refuse("reduce is run for sums only")
        added = value.args[1] if value.args[0] == total else value.args[0]
        text = self._mapped(
            Term("comprehension", "list", (items, Term("literal", "true"), added), (item.name,))
        )
        return f"{self.inner(start)} + coalesce(list_sum({text}), 0)"


def _keys(term: Term, variable: str) -> Iterator[str]:
    """Yield the properties of a variable that an expression uses, "" for the variable itself."""
    if term.kind == "variable":
        if term.name == variable:
            yield ""
        return
    of = term.args[0] if term.args else None
    if of is not None and of.kind == "variable" and of.name == variable:
        if term.kind == "property":
            yield term.name
            return
        if _is_label(term):
            yield "_LABEL"
            return
    for arg in term.args:
        yield from _keys(arg, variable)


def _is_label(term: Term) -> bool:
    """Whether a term asks for the label or type of its argument, as text."""
    return term.kind == "call" and term.name.lower() in ("type", "label")


def _nested(term: Term) -> bool:
    """Whether there is anything in an expression that has variables of its own."""
    own = bool(term.names) or term.path is not None or term.body is not None
    return own or any(_nested(arg) for arg in term.args)


def _with(term: Term, variable: str, value: Term) -> Term:
    if term.kind == "variable" and term.name == variable:
        return value
    return term._replace(args=tuple(_with(arg, variable, value) for arg in term.args))


def _replaced(term: Term, variable: str) -> Term:
    """Return an expression with the one property of a variable replaced by the value itself."""
    of = term.args[0] if term.args else None
    of_it = of is not None and of.kind == "variable" and of.name == variable
    if of_it and (term.kind == "property" or _is_label(term)):
        return _VALUE
    return term._replace(args=tuple(_replaced(arg, variable) for arg in term.args))
