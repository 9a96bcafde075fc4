"""Expressions of Neo4j in the words of ladybug 0.22.

Where the engine computes something else from the same words, other words are used; each place says
which. What there are no words for is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphenv.query.cypher import dialect_calls
from graphenv.query.cypher.dialect_calls import DATE_PARTS
from graphenv.query.cypher.dialect_lists import Lists
from graphenv.query.cypher.dialect_patterns import Patterns
from graphenv.query.cypher.dialect_words import all_of, literal, null, quoted, refuse, where_clause
from graphenv.query.cypher.kinds import Kind
from graphenv.query.cypher.tree import Body, Labels, Match, Path, Projection, Term
from graphenv.query.schema import EntityType, RelationType

__all__ = ["Dialect"]

_BINDS = {"or": 1, "xor": 2, "and": 3, "not": 4, "+": 7, "-": 7, "||": 7, "*": 8, "/": 8, "%": 8}
_BINDS |= {"^": 9, **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), 5)}
_TESTS = {
    "in": "IN",
    "contains": "CONTAINS",
    "starts with": "STARTS WITH",
    "ends with": "ENDS WITH",
    "matches": "=~",
}


class Dialect(Lists):
    """Writes expressions for ladybug."""

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
            return literal(term.name)
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
            return self.map_text(term)
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
            return f"{self.expr(of)}.{quoted(key)}"
        return f"({self.expr(of)}).{quoted(key)}"

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

    def _case(self, term: Term) -> str:
        subject, *rest = term.args
        parts = ["CASE"] if term.name != "simple" else [f"CASE {self.expr(subject)}"]
        pairs = zip(rest[:-1:2], rest[1:-1:2], strict=True)
        parts += [f"WHEN {self.expr(test)} THEN {self.expr(value)}" for test, value in pairs]
        if not null(rest[-1]):
            parts.append(f"ELSE {self.expr(rest[-1])}")
        return " ".join((*parts, "END"))

    def _label(self, term: Term) -> str:
        of, labels = term.args[0], term.labels
        assert labels is not None
        rel = self.kinds.of(of).name == "rel"
        self.known("relation" if rel else "label", labels.names)
        return self.labelled(f"label({self.expr(of)})", labels)

    def labelled(self, label: str, labels: Labels) -> str:
        names = [literal(f"'{name}'") for name in labels.names]
        if labels.any_of:
            return (
                f"{label} = {names[0]}" if len(names) == 1 else f"{label} IN [{', '.join(names)}]"
            )
        if labels.all_of:
            return "(" + " AND ".join(f"{label} = {name}" for name in names) + ")"
        if len(names) == 1 and labels.text == "!" + labels.names[0]:
            return f"{label} <> {names[0]}"
        return refuse(f"the label expression {labels.text[:60]!a} is not run")

    def map_text(self, term: Term) -> str:
        args = term.args[1:] if term.kind == "projection" else term.args
        if not args or "*" in term.names:
            refuse("an empty map, or all properties of something as a map, is not run")
        pairs = zip(term.names, args, strict=True)
        return "{" + ", ".join(f"{quoted(k)}: {self.expr(v)}" for k, v in pairs) + "}"

    # Where patterns stand

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
        return f"MATCH {patterns}{where_clause(conditions)}"

    def counted(self, term: Term) -> str:
        """Return how often a pattern is found."""
        assert term.path is not None
        where = term.args[0] if term.name == "list" else None
        return f"COUNT {{ {self._pattern(term.path, where)} }}"

    def _pattern(self, path: Path, where: Term | None) -> str:
        outer, self.kinds.env = self.kinds.env, dict(self.kinds.env)
        pattern, conditions = self.match(Match((path,), where, False))
        self.kinds.env = outer
        return f"MATCH {pattern}{where_clause([c for c in conditions if c != 'true'])}"

    def match(self, clause: Match) -> tuple[str, list[str]]:
        """Return the patterns of a MATCH and its conditions, those of the patterns among them."""
        if self._bound:
            refuse("a pattern in a condition on items of a list is not run")
        writer = Patterns(self, clause.optional)
        text = ", ".join([writer.path(path) for path in clause.paths])
        conditions = [*writer.conditions(), *writer.trail()]
        if clause.where is not None:
            conditions += [self.condition(term) for term in all_of(clause.where)]
        return text, conditions

    def condition(self, term: Term) -> str:
        return self._side(term, 3) if term.kind == "operator" else self.expr(term)
