"""`to_ladybug`: a query as Neo4j takes it, in the words of the embedded engine (ladybug 0.22)."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.query.cypher.dialect import Dialect
from graphenv.query.cypher.dialect_words import refuse, where_clause
from graphenv.query.cypher.kinds import Kind
from graphenv.query.cypher.reader import parse
from graphenv.query.cypher.tokens import MAX_CHARS, MAX_DEPTH, Stop
from graphenv.query.cypher.tree import Body, Clause, Item, Match, Projection, Term, Unwind
from graphenv.query.model import QueryIssue
from graphenv.query.schema import Schema

__all__ = ["to_ladybug"]

ALL_ROWS = Term("literal", "9223372036854775807")
_SUBQUERIES = ("count", "exists", "pattern", "collect")


def to_ladybug(
    text: str,
    schema: Schema | None = None,
    *,
    max_chars: int = MAX_CHARS,
    max_depth: int = MAX_DEPTH,
) -> str | QueryIssue:
    """Return a query that ladybug 0.22 answers as Neo4j would, or why there is none.

    Never raises on any text. What is written in other words: conditions in patterns; relationships
    of one MATCH are told apart (`id(r1) <> id(r2)`, `TRAIL`), as no other rule is Neo4j's;
    EXISTS and COUNT; shortest paths; labels, types and functions under other names; items of lists,
    counted from 1; ORDER BY in a WITH; names that are the engine's keywords. An open number of
    steps ends at 30, the engine's own limit. What cannot be said is an issue of the kind
    `unsupported`, with names in another case than the schema's among it, which the engine would
    take and Neo4j would not find.

    Parameters
    ----------
    text
        One reading query.
    schema
        Tells which properties are numbers, text or dates, and how names are spelled.
    max_chars, max_depth
        As in `read_cypher`.

    Examples
    --------
    >>> to_ladybug("MATCH (a:Film WHERE a.year > 2000) RETURN a.title")
    'MATCH (a:Film) WHERE a.year > 2000 RETURN a.title'
    >>> to_ladybug("MATCH (a)-[:KNOWS]-(b)-[:KNOWS]-(c) RETURN count(*)")
    'MATCH (a)-[_e1:KNOWS]-(b)-[_e2:KNOWS]-(c) WHERE id(_e1) <> id(_e2) RETURN count(*)'
    >>> to_ladybug("RETURN [(a)-->(b) | b.name]").reason
    'the engine has no pattern comprehension; use MATCH and collect()'
    """
    body = parse(text, max_chars=max_chars, max_depth=max_depth)
    if isinstance(body, QueryIssue):
        return body
    try:
        return _Writer(text, schema).body(body)
    except Stop as stop:
        return stop.issue


class _Writer(Dialect):
    """Writes the clauses of a query."""

    def body(self, body: Body) -> str:
        """Return a whole query."""
        parts: list[str] = []
        for i, branch in enumerate(body.branches):
            if i:
                parts.append(body.unions[i - 1].upper())
            self.kinds.env = {}
            parts += self._branch(branch)
        return " ".join(parts)

    def _branch(self, clauses: Sequence[Clause]) -> list[str]:
        parts: list[str] = []
        clauses = _ordered_last(clauses)
        sorted_and_cut = False
        for clause in clauses:
            if isinstance(clause, Match):
                pattern, conditions = self.match(clause)
                word = "OPTIONAL MATCH" if clause.optional else "MATCH"
                parts.append(f"{word} {pattern}{where_clause(conditions)}")
                sorted_and_cut = False
            elif isinstance(clause, Unwind):
                of = self.kinds.of(clause.term)
                parts.append(f"UNWIND {self.expr(clause.term)} AS {self.name(clause.variable)}")
                single = {"nodes": "node", "rels": "rel"}.get(of.name, "other")
                self.kinds.env[clause.variable] = Kind(single, of.labels)
                sorted_and_cut = False
            elif isinstance(clause, Projection):
                if sorted_and_cut and clause.aggregating:
                    # The engine forgets the order, and cuts off other rows, if the next thing is
                    # an aggregate over all rows.
                    parts.append(f"UNWIND [1] AS {self.fresh()}")
                parts += self._projection(clause)
                cut = clause.limit is not None or clause.skip is not None
                still = sorted_and_cut and not clause.aggregating
                sorted_and_cut = (bool(clause.order) and cut) or still
            else:
                refuse("the engine has no CALL { }; use WITH and MATCH")
        if not (isinstance(clauses[-1], Projection) and clauses[-1].final):
            raise Stop(QueryIssue("syntax", "the query does not end with RETURN"))
        return parts

    def _projection(self, clause: Projection) -> list[str]:
        parts: list[str] = []
        clause = self._unstarred(clause)
        before = self.kinds.env
        order, hoisted = self._hoisted(clause)
        if hoisted:
            parts.append("WITH *, " + ", ".join(hoisted))
        words = ["RETURN" if clause.final else "WITH"]
        if clause.distinct:
            words.append("DISTINCT")
        named: dict[str, Kind] = {}
        items: list[str] = []
        for item in clause.items:
            text = self.expr(item.term)
            if item.term.kind == "variable":
                text = self.name(item.term.name)
            named[item.name] = self.kinds.of(item.term)
            if item.alias and item.term != Term("variable", item.name):
                text += f" AS {self.name(item.name)}"
            elif not (item.alias or clause.final or item.term.kind == "variable"):
                reason = f"the expression {item.name[:60]!a} in WITH needs a name (AS ...)"
                raise Stop(QueryIssue("syntax", reason))
            items.append(text)
        words.append(", ".join(items))
        self.kinds.env = {**before, **named}
        if order:
            keys = [self.expr(key) + (" DESC" if down else "") for key, down in order]
            words.append("ORDER BY " + ", ".join(keys))
        if clause.skip is not None:
            words.append(f"SKIP {self.expr(clause.skip)}")
        if clause.limit is not None:
            words.append(f"LIMIT {self.expr(clause.limit)}")
        if clause.where is not None:
            words.append(f"WHERE {self.expr(clause.where)}")
        self.kinds.env = named
        parts.append(" ".join(words))
        return parts

    def _unstarred(self, clause: Projection) -> Projection:
        """Return a projection with the variables that a star stands for, without ours."""
        if not clause.star:
            return clause
        found = [name for name in self.kinds.env if not _ours(name)]
        if not found:
            refuse("there is nothing that * could stand for")
        items = tuple(Item(Term("variable", name), name, False) for name in found)
        return clause._replace(items=(*items, *clause.items), star=False)

    def _hoisted(self, clause: Projection) -> tuple[list[tuple[Term, bool]], list[str]]:
        """Return sort keys, and the subqueries among them as variables of a WITH before.

        The engine sorts by no subquery.
        """
        order: list[tuple[Term, bool]] = []
        hoisted: list[str] = []
        for key, down in clause.order:
            if not any(part.kind in _SUBQUERIES for part in _terms(key)):
                order.append((key, down))
                continue
            if clause.aggregating or clause.distinct:
                refuse("rows that are grouped or distinct are not sorted by a subquery")
            name = self.fresh()
            hoisted.append(f"{self.expr(key)} AS {name}")
            order.append((Term("variable", name), down))
        return order, hoisted


def _ours(name: str) -> bool:
    return name[:2] == "_e" and name[2:].isdecimal()


def _terms(term: Term) -> list[Term]:
    return [term, *(part for arg in term.args for part in _terms(arg))]


def _ordered_last(clauses: Sequence[Clause]) -> list[Clause]:
    """Return clauses without ORDER BY in a WITH that cuts off no rows: the engine has none.

    It is moved to what follows, or left out where it changes nothing.
    """
    found = list(clauses)
    for i, clause in enumerate(found[:-1]):
        plain = isinstance(clause, Projection) and clause.order and not clause.final
        if not (plain and isinstance(clause, Projection)) or clause.limit or clause.skip:
            continue
        following = found[i + 1]
        bare = clause._replace(order=())
        if not isinstance(following, Projection):
            found[i] = bare
        elif following.aggregating:
            found[i] = clause._replace(limit=ALL_ROWS) if _collects(following) else bare
        elif following.order:
            found[i] = bare
        elif following.distinct:
            if following.limit or following.skip:
                refuse("rows that are sorted, made distinct and cut off in this order are not run")
            found[i] = bare
        else:
            terms = [part for key, _ in clause.order for part in _terms(key)]
            used = {part.name for part in terms if part.kind == "variable"}
            if not (clause.star or used <= {item.name for item in clause.items}):
                if following.limit or following.skip:
                    refuse("rows sorted by what WITH does not pass on are not cut off later")
                found[i] = clause._replace(limit=ALL_ROWS)
                continue
            for item in following.items:
                if item.alias and item.name in used and item.term != Term("variable", item.name):
                    refuse(f"sorting by {item.name[:40]!a}, which gets another meaning, is not run")
            found[i], found[i + 1] = bare, following._replace(order=clause.order)
    return found


def _collects(clause: Projection) -> bool:
    return any(
        part.kind in ("call", "distinct") and part.name.lower() == "collect"
        for item in clause.items
        for part in _terms(item.term)
    )
