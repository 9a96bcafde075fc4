"""Expressions and patterns of Neo4j in the words of ladybug 0.22.

Where the engine computes something else from the same words, other words are used; each place says
which. What there are no words for is refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from graphenv.query.cypher import dialect_calls
from graphenv.query.cypher.dialect_calls import DATE_PARTS, refuse
from graphenv.query.cypher.kinds import Kind, Kinds
from graphenv.query.cypher.tokens import tokenize
from graphenv.query.cypher.tree import Body, Labels, Match, Node, Path, Projection, Step, Term
from graphenv.query.schema import EntityType, RelationType, Schema

__all__ = ["MAX_HOPS", "Dialect"]

MAX_HOPS = 30  # the engine's own limit; it stands for an open end
_RESERVED = frozenset(
    (
        *("ACYCLIC", "ALL", "ANY", "AND", "ASC", "ASCENDING", "CASE", "CAST", "COLUMN", "CREATE"),
        *("DBTYPE", "DEFAULT", "DESC", "DESCENDING", "DISTINCT", "ELSE", "END", "ENDS", "EXISTS"),
        *("FALSE", "FOR", "GLOB", "GROUP", "HEADERS", "HINT", "IN", "INDEX", "INSTALL", "JOIN"),
        *("MACRO", "MULTI_JOIN", "NOT", "NONE", "NULL", "ON", "ONLY", "OPTIONAL", "OR", "ORDER"),
        *("PRIMARY", "PROFILE", "SHORTEST", "SINGLE", "STARTS", "TABLE", "THEN", "TRAIL", "TRUE"),
        *("UNION", "UNWIND", "WHEN", "WHERE", "WITH", "WSHORTEST", "XOR", "RETURN", "MATCH"),
        *("COMMIT_SKIP_CHECKPOINT", "ROLLBACK_SKIP_CHECKPOINT", "LIMIT", "SKIP", "CALL", "COUNT"),
    )
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BINDS = {"or": 1, "xor": 2, "and": 3, "not": 4, "+": 7, "-": 7, "||": 7, "*": 8, "/": 8, "%": 8}
_BINDS |= {"^": 9, **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), 5)}
_TESTS = {
    "in": "IN",
    "contains": "CONTAINS",
    "starts with": "STARTS WITH",
    "ends with": "ENDS WITH",
    "matches": "=~",
}
_VALUE = Term("variable", "_v")
_JOINED = {"all": " AND ", "any": " OR ", "none": " OR "}


class Dialect:
    """Writes expressions and patterns for ladybug."""

    def __init__(self, text: str, schema: Schema | None) -> None:
        self.kinds = Kinds(schema)
        self.schema = schema
        self._names: dict[str, str] = {}
        self._taken = {token.strip("`").lower() for token in tokenize(text)}
        self._fresh = 0
        self._bound = frozenset[str]()  # the variable of the comprehension around, if any

    # Names

    def name(self, name: str) -> str:
        """Return a variable, in back-ticks where the engine needs them.

        Variables that differ only in case are one to the engine: the second gets another name.
        """
        known = self._names.setdefault(name.lower(), name)
        return _quoted(name if known == name else self._other(name))

    def _other(self, name: str) -> str:
        key = f"{name.lower()} {name}"
        if key not in self._names:
            self._names[key] = self.fresh()
        return self._names[key]

    def fresh(self) -> str:
        """Return a name that the query does not have."""
        while True:
            self._fresh += 1
            name = f"_e{self._fresh}"
            if name not in self._taken:
                return name

    def known(self, what: str, names: Sequence[str]) -> None:
        """Refuse names in another case than the schema's: the engine would take them."""
        if self.schema is None:
            return
        owners = self.schema.entities if what == "label" else self.schema.relations
        exact = {owner.name for owner in owners}
        folded = {owner.lower(): owner for owner in exact}
        for name in names:
            if name not in exact and name.lower() in folded:
                right = folded[name.lower()]
                refuse(f"there is no {what} {name[:60]!a}; the schema has {right!a}")

    # Expressions

    def expr(self, term: Term) -> str:
        """Return an expression."""
        kind = term.kind
        if kind == "variable":
            if self._bound and term.name not in self._bound:
                refuse(
                    f"the engine computes something else where {term.name[:40]!a} of the row is"
                    " used in a condition on the items of a list"
                )
            name = self.name(term.name)
            return f"rels({name})" if self.kinds.of(term).name == "rels" else name
        if kind == "property":
            return self._property(term)
        if kind == "literal":
            return _literal(term.name)
        if kind == "operator":
            return self._operator(term)
        if kind == "call" or kind == "distinct":
            return dialect_calls.call(self, term)
        if kind == "list":
            return f"[{', '.join(map(self.expr, term.args))}]"
        if kind == "star":
            return "*"
        if kind == "parameter":
            return f"${term.name}"
        if kind == "case":
            return self._case(term)
        if kind == "label":
            return self._label(term)
        if kind == "comprehension":
            return self._comprehension(term)
        if kind == "map" or kind == "projection":
            return self._map(term)
        if kind == "exists" or kind == "count":
            return f"{kind.upper()} {{ {self.subquery(term.body, kind)} }}"
        if kind == "pattern" and term.path is not None and term.name != "list":
            if term.path.shortest:
                refuse("shortestPath inside an expression; write it in MATCH p = shortestPath(...)")
            return f"EXISTS {{ {self._pattern(term.path, None)} }}"
        if kind == "reduce":
            return self._reduce(term)
        what = {"pattern": "pattern comprehension", "collect": "COLLECT { }"}.get(kind, kind)
        return refuse(f"the engine has no {what}; use MATCH and collect()")

    def inner(self, term: Term) -> str:
        """Return an expression in brackets, unless it needs none anywhere."""
        text = self.expr(term)
        simple = term.kind in ("variable", "property", "call", "distinct", "list", "parameter")
        return text if simple or (term.kind == "literal" and text[0] != "-") else f"({text})"

    def _property(self, term: Term) -> str:
        of, key = term.args[0], term.name
        kind = self.kinds.of(of)
        if kind.name in ("date", "timestamp"):
            return self._date_part(of, key)
        if kind.name in ("rels", "path", "nodes", "list"):
            refuse(f"a {kind.name} has no property {key[:40]!a}")
        if self.schema is not None and kind.labels:
            self._known_property(kind, key)
        if of.kind == "variable":
            return f"{self.expr(of)}.{_quoted(key)}"
        return f"({self.expr(of)}).{_quoted(key)}"

    def _known_property(self, kind: Kind, key: str) -> None:
        assert self.schema is not None
        owners: tuple[EntityType | RelationType, ...]
        owners = (*self.schema.entities, *self.schema.relations)
        names = {p.name for o in owners if o.name in kind.labels for p in o.properties}
        if key not in names:
            for name in sorted(names):
                if name.lower() == key.lower():
                    refuse(f"there is no property {key[:60]!a}; the schema has {name!a}")

    def _date_part(self, of: Term, key: str) -> str:
        part = key.lower()
        if part in ("dayofweek", "weekday"):
            text = f"date_part('dayofweek', {self.expr(of)})"
            return f"CASE {text} WHEN 0 THEN 7 ELSE {text} END"
        if part not in DATE_PARTS:
            refuse(f"the part {key[:40]!a} of a date is not run")
        return f"date_part('{part}', {self.expr(of)})"

    def _operator(self, term: Term) -> str:
        name, args = term.name, term.args
        if name in _TESTS:
            return f"{self._operand(args[0])} {_TESTS[name]} {self._operand(args[1])}"
        if name == "is null":
            return f"{self._operand(args[0])} IS NULL"
        if name == "not":
            if args[0].kind == "operator" and args[0].name == "is null":
                return f"{self._operand(args[0].args[0])} IS NOT NULL"
            return f"NOT {self._side(args[0], 4)}"
        if name == "[]":
            return self._index(*args)
        if name == "[..]":
            return self._slice(*args)
        if name in _BINDS:
            if len(args) == 1:
                return f"-{self.inner(args[0])}"
            if name in ("+", "||"):
                return " + ".join(self._addends(args))
            sign = name.upper()
            return f" {sign} ".join(self._side(arg, _BINDS[name]) for arg in args)
        return refuse(f"{name.upper()} is not run")

    def _operand(self, term: Term) -> str:
        return self._side(term, 10)

    def _side(self, term: Term, binds: int) -> str:
        text = self.expr(term)
        if term.kind == "operator" and term.name not in ("[]", "[..]"):
            own = _BINDS.get(term.name, 6)
            minus = term.name == "-" and len(term.args) == 1
            return f"({text})" if own <= binds or minus else text
        loose = term.kind in ("case", "label") or (term.kind == "literal" and text[0] == "-")
        return f"({text})" if loose or " IS NOT NULL" in text or " = 0" in text else text

    def _addends(self, args: Sequence[Term]) -> Iterator[str]:
        """Yield what is added; Neo4j turns numbers into text beside text, the engine does not."""
        kinds = [self.kinds.of(arg).name for arg in args]
        for arg, kind in zip(args, kinds, strict=True):
            if "text" in kinds and kind in ("integer", "date"):
                yield f"CAST({self.expr(arg)} AS STRING)"
            elif "text" in kinds and kind == "real":
                refuse("the engine writes fractions as text in another way than Neo4j")
            else:
                yield self._side(arg, 7)

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
            if term.kind != "literal" or not (term.name.lstrip("-").isdecimal() or _null(term)):
                refuse("a part of a list is run with numbers as its ends only")
            ends.append(None if _null(term) else int(term.name))
        first, last = ends
        if first is not None and last is not None and (first < 0) != (last < 0):
            refuse("a part of a list with one end counted from the other side is not run")
        left = "" if first is None else str(first + 1 if first >= 0 else first)
        right = "" if last is None else str(last if last >= 0 else last - 1)
        if last == 0:
            left, right = "2", "1"
        return f"{self.inner(of)}[{left}:{right}]"

    def _case(self, term: Term) -> str:
        subject, *rest = term.args
        parts = ["CASE"] if term.name != "simple" else [f"CASE {self.expr(subject)}"]
        pairs = zip(rest[:-1:2], rest[1:-1:2], strict=True)
        parts += [f"WHEN {self.expr(test)} THEN {self.expr(value)}" for test, value in pairs]
        if not _null(rest[-1]):
            parts.append(f"ELSE {self.expr(rest[-1])}")
        return " ".join((*parts, "END"))

    def _label(self, term: Term) -> str:
        of, labels = term.args[0], term.labels
        assert labels is not None
        rel = self.kinds.of(of).name == "rel"
        self.known("relation" if rel else "label", labels.names)
        return self._labelled(f"label({self.expr(of)})", labels)

    def _labelled(self, label: str, labels: Labels) -> str:
        names = [_literal(f"'{name}'") for name in labels.names]
        if labels.any_of:
            return (
                f"{label} = {names[0]}" if len(names) == 1 else f"{label} IN [{', '.join(names)}]"
            )
        if labels.all_of:
            return "(" + " AND ".join(f"{label} = {name}" for name in names) + ")"
        if len(names) == 1 and labels.text == "!" + labels.names[0]:
            return f"{label} <> {names[0]}"
        return refuse(f"the label expression {labels.text[:60]!a} is not run")

    def _map(self, term: Term) -> str:
        args = term.args[1:] if term.kind == "projection" else term.args
        if not args or "*" in term.names:
            refuse("an empty map, or all properties of something as a map, is not run")
        pairs = zip(term.names, args, strict=True)
        return "{" + ", ".join(f"{_quoted(k)}: {self.expr(v)}" for k, v in pairs) + "}"

    # Lists

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
            source = f"properties({source}, {_literal(chr(39) + key + chr(39))})"
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

    # Patterns

    def subquery(self, body: Body | None, purpose: str) -> str:
        """Return the inside of EXISTS and COUNT: one MATCH, which is all that the engine takes."""
        assert body is not None
        clauses = body.branches[0]
        last = clauses[-1]
        if isinstance(last, Projection) and last.final:
            plain = not (last.aggregating or last.limit or last.skip)
            if not plain or (last.distinct and purpose == "count"):
                refuse(f"{purpose.upper()} {{ }} of grouped, distinct or cut rows is not run")
            clauses = clauses[:-1]
        matches = [clause for clause in clauses if isinstance(clause, Match)]
        if len(body.branches) > 1 or len(matches) < len(clauses) or not matches:
            refuse(f"{purpose.upper()} {{ }} is run with MATCH and WHERE only")
        if any(match.optional for match in matches):
            refuse(f"OPTIONAL MATCH in {purpose.upper()} {{ }} is not run")
        outer, self.kinds.env = self.kinds.env, dict(self.kinds.env)
        written = [self.match(match) for match in matches]
        self.kinds.env = outer
        patterns = ", ".join(pattern for pattern, _ in written)
        conditions = [condition for _, found in written for condition in found]
        return f"MATCH {patterns}{_where(conditions)}"

    def counted(self, term: Term) -> str:
        """Return how often a pattern is found."""
        assert term.path is not None
        where = term.args[0] if term.name == "list" else None
        return f"COUNT {{ {self._pattern(term.path, where)} }}"

    def _pattern(self, path: Path, where: Term | None) -> str:
        outer, self.kinds.env = self.kinds.env, dict(self.kinds.env)
        pattern, conditions = self.match(Match((path,), where, False))
        self.kinds.env = outer
        return f"MATCH {pattern}{_where([c for c in conditions if c != 'true'])}"

    def match(self, clause: Match) -> tuple[str, list[str]]:
        """Return the patterns of a MATCH and its conditions, those of the patterns among them."""
        if self._bound:
            refuse("a pattern in a condition on items of a list is not run")
        writer = _Patterns(self, clause.optional)
        text = ", ".join([writer.path(path) for path in clause.paths])
        conditions = [*writer.conditions(), *writer.trail()]
        if clause.where is not None:
            conditions += [self._condition(term) for term in _all_of(clause.where)]
        return text, conditions

    def _condition(self, term: Term) -> str:
        return self._side(term, 3) if term.kind == "operator" else self.expr(term)


class _Patterns:
    """The patterns of one MATCH."""

    def __init__(self, write: Dialect, optional: bool) -> None:
        self.write = write
        self.optional = optional
        self._late: list[Term] = []
        self._texts: list[str] = []
        self._rels: list[tuple[str, bool, frozenset[str]]] = []

    def conditions(self) -> list[str]:
        """Return the conditions in the patterns, once all their variables are known."""
        where = [self.write._condition(t) for term in self._late for t in _all_of(term)]
        return self._texts + where

    def path(self, path: Path) -> str:
        if path.shortest and len(path.steps) != 1:
            refuse("a shortest path is run between two nodes only")
        parts = [self._node(path.nodes[0])]
        for step, node in zip(path.steps, path.nodes[1:], strict=True):
            parts.append(self._step(step, path.shortest))
            parts.append(self._node(node))
        text = "".join(parts)
        if not path.variable:
            return text
        self.write.kinds.env[path.variable] = Kind("path", (), self.optional)
        return f"{self.write.name(path.variable)} = {text}"

    def _node(self, node: Node) -> str:
        write, labels, name = self.write, node.labels, node.variable
        known = write.kinds.env.get(name) if name else None
        if known is not None and known.name not in ("node", "other"):
            refuse(f"{name[:40]!a} stands for something that is no node")
        if not name and (node.where is not None or (labels is not None and not labels.any_of)):
            name = write.fresh()
        text = ""
        if labels is not None:
            write.known("label", labels.names)
            if labels.any_of:
                text = ":" + "|".join(map(_quoted, labels.names))
            elif labels.text != "%":
                self._texts.append(write._labelled(f"label({write.name(name)})", labels))
        if name:
            plain = (labels.any_of or labels.all_of) if labels is not None else ()
            if known is None:
                write.kinds.env[name] = Kind("node", plain, self.optional)
            elif plain and not known.labels:
                write.kinds.env[name] = Kind("node", plain, known.optional)
            text = write.name(name) + text
        if node.where is not None:
            self._late.append(node.where)
        return f"({text}{self._properties(node.properties)})"

    def _properties(self, term: Term | None) -> str:
        if term is None:
            return ""
        if term.kind != "map":
            refuse("a parameter as the properties of a pattern is not run")
        return " " + self.write._map(term) if term.args else ""

    def _step(self, step: Step, shortest: str) -> str:
        write = self.write
        shortest = shortest or step.selector
        several = step.hops is not None or bool(shortest)
        name = step.variable
        known = write.kinds.env.get(name) if name else None
        if known is not None:
            refuse(f"the relationship {name[:40]!a} is matched again; use another name")
        if step.where is not None and several:
            refuse("WHERE inside a pattern of variable length is not run")
        name = name or write.fresh()
        types = step.types
        plain: tuple[str, ...] = ()
        text = write.name(name)
        if types is not None:
            write.known("relation", types.names)
            if not types.any_of:
                refuse(f"the relationship type {types.text[:60]!a} is not run")
            plain = types.any_of
            text += ":" + "|".join(map(_quoted, types.names))
        if several:
            text += _hops(step.hops or (1, 1), shortest)
        if not shortest:
            self._rels.append((write.name(name), several, frozenset(plain)))
        write.kinds.env[name] = Kind("rels" if several else "rel", plain, self.optional)
        text += self._properties(step.properties)
        if step.where is not None:
            self._late.append(step.where)
        left = "<-" if step.arrow == "<" else "-"
        right = "->" if step.arrow == ">" else "-"
        return f"{left}[{text}]{right}"

    def trail(self) -> Iterator[str]:
        """Yield what Neo4j takes for granted: no relationship is met twice in one MATCH."""
        for (one, one_long, types), (other, other_long, others) in combinations(self._rels, 2):
            if types and others and not types & others:
                continue
            if one_long and other_long:
                ids = f"properties(rels({one}), '_ID'), properties(rels({other}), '_ID')"
                both = f"size(list_distinct(list_concat({ids})))"
                yield f"{both} = length({one}) + length({other})"
            elif one_long or other_long:
                single, several = (other, one) if one_long else (one, other)
                yield f"NOT id({single}) IN properties(rels({several}), '_ID')"
            else:
                yield f"id({one}) <> id({other})"


def _hops(hops: tuple[int, int | None], shortest: str) -> str:
    least, most = hops
    most = MAX_HOPS if most is None else most
    if most > MAX_HOPS or least > most:
        refuse(f"a pattern of {least} to {most} steps is not run; the engine follows {MAX_HOPS}")
    if not shortest:
        return f"* TRAIL {least}..{most}"
    if least != 1:
        refuse("a shortest path is run from one step on only")
    return f"* {'ALL ' if shortest == 'all' else ''}SHORTEST 1..{most}"


def _where(conditions: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _quoted(name: str) -> str:
    if _PLAIN.fullmatch(name) and name.upper() not in _RESERVED:
        return name
    if "`" in name:
        refuse(f"a name with a back-tick ({name[:40]!a}) is not run")
    return f"`{name}`"


def _literal(text: str) -> str:
    if text[:1] != "'":
        return text
    inner = text[1:-1].replace("\\", "\\\\").replace("'", "\\'")
    return f"'{inner}'"


def _null(term: Term) -> bool:
    return term.kind == "literal" and term.name == "null"


def _all_of(term: Term) -> tuple[Term, ...]:
    return term.args if term.kind == "operator" and term.name == "and" else (term,)


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
