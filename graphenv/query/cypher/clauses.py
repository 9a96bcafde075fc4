"""Reads clauses, and queries made of them."""

from __future__ import annotations

from graphenv.query.cypher.expressions import ExpressionReader
from graphenv.query.cypher.tree import (
    Body,
    Call,
    Clause,
    Item,
    Match,
    Path,
    Projection,
    Term,
    Unwind,
)

__all__ = ["ClauseReader"]

_READING = frozenset(("MATCH", "OPTIONAL", "WITH", "RETURN", "UNWIND", "CALL"))
_WRITING = frozenset(
    ("CREATE", "MERGE", "DELETE", "DETACH", "NODETACH", "SET", "REMOVE", "FOREACH", "INSERT")
)
_OTHER = frozenset(
    (
        *("LOAD", "USE", "SHOW", "DROP", "ALTER", "GRANT", "DENY", "REVOKE", "EXPLAIN", "PROFILE"),
        *("COPY", "EXPORT", "IMPORT", "INSTALL", "ATTACH", "BEGIN", "COMMIT", "ROLLBACK", "START"),
        *("TERMINATE", "CYPHER", "FINISH", "CHECKPOINT", "UNINSTALL", "ANALYZE", "VACUUM", "YIELD"),
    )
)


class ClauseReader(ExpressionReader):
    """A cursor that reads whole queries."""

    def statement(self) -> Body:
        """Read the one query that the text must be."""
        body = self.body()
        while self.take(";"):
            pass
        if self.tokens[self.at]:
            if self.tokens[self.at - 1] == ";":
                self.stop("unsupported", "more than one statement; write one query")
            self.expected("a clause or the end of the query")
        return body

    def body(self) -> Body:
        """Read clauses and UNIONs, up to what cannot belong to them."""
        self.level += 1
        if self.level > self.max_depth:
            self.too_deep()
        branches, unions = [self._branch()], []
        while self.take("UNION"):
            unions.append("union all" if self.take("ALL") else "union")
            self.take("DISTINCT")
            branches.append(self._branch())
            if len(branches) > self.max_depth:
                self.stop("limit", f"more than {self.max_depth} queries in one UNION")
        self.level -= 1
        return Body(tuple(branches), tuple(unions))

    def _branch(self) -> tuple[Clause, ...]:
        clauses: list[Clause] = []
        while True:
            word = self.upper[self.at]
            if word == "MATCH":
                self.at += 1
                clauses.append(self._match(False))
            elif word == "RETURN":
                self.at += 1
                clauses.append(self._projection(True))
                return tuple(clauses)
            elif word == "WITH":
                self.at += 1
                clauses.append(self._projection(False))
            elif word == "OPTIONAL":
                self.at += 1
                if self.take("CALL"):
                    clauses.append(self._call(True))
                else:
                    self.need("MATCH")
                    clauses.append(self._match(True))
            elif word == "UNWIND":
                self.at += 1
                term = self.expression()
                self.need("AS")
                clauses.append(Unwind(term, self.name("a variable")))
            elif word == "CALL":
                self.at += 1
                clauses.append(self._call(False))
            elif word in _WRITING or word in _OTHER:
                why = "only reading queries are" if word in _WRITING else "it is no clause that is"
                self.stop("unsupported", f"{word} at {self._place(self.at)}: {why} read")
            elif not clauses:
                self.expected("MATCH or another reading clause")
            else:
                return tuple(clauses)

    def _match(self, optional: bool) -> Match:
        if self.upper[self.at] in ("DIFFERENT", "REPEATABLE"):  # a match mode
            self.stop("unsupported", "match modes are not read")
        paths = self.paths()
        while self.upper[self.at] == "USING":
            self._hint()
        return Match(paths, self.expression() if self.take("WHERE") else None, optional)

    def _hint(self) -> None:
        """Move past a planner hint: it does not change what a query means."""
        self.at += 1
        while self.upper[self.at] not in ("", "USING", "WHERE") and (
            self.upper[self.at] not in _READING
        ):
            self.at += 1

    def _call(self, optional: bool) -> Call:
        imports: tuple[str, ...] | None = None
        if self.take("("):
            names: list[str] = []
            while self.upper[self.at] != ")":
                if names:
                    self.need(",")
                names.append("*" if self.take("*") else self.name("a variable"))
            self.at += 1
            imports = tuple(names)
        if self.upper[self.at] != "{":
            name = self.tokens[self.at]
            self.stop("unsupported", f"CALL of a procedure ({name[:40]!a}) is not read")
        self.at += 1
        aggregates = self.aggregates
        body = self.body()
        self.aggregates = aggregates
        self.need("}")
        if self.take("IN", "TRANSACTIONS"):
            self.stop("unsupported", "CALL { } IN TRANSACTIONS is not read")
        return Call(body, imports, optional)

    def _projection(self, final: bool) -> Projection:
        before, self.aggregates = self.aggregates, 0
        distinct = self.take("DISTINCT")
        star = self.take("*")
        items: list[Item] = []
        if not star or self.take(","):
            items.append(self._item())
            while self.take(","):
                items.append(self._item())
        order: list[tuple[Term, bool]] = []
        if self.take("ORDER", "BY"):
            order.append(self._sort_key())
            while self.take(","):
                order.append(self._sort_key())
        skip = self.expression() if self.take("SKIP") or self.take("OFFSET") else None
        limit = self.expression() if self.take("LIMIT") else None
        aggregating = self.aggregates > 0
        self.aggregates = 0
        where = None
        if not final and self.take("WHERE"):
            where = self.expression()
            if self.aggregates:
                self.stop("syntax", "an aggregate cannot stand in WHERE; name it in WITH first")
        self.aggregates = before
        return Projection(
            *(tuple(items), star, distinct, aggregating, tuple(order), skip, limit, where, final)
        )

    def _item(self) -> Item:
        start = self.at
        term = self.expression()
        if self.take("AS"):
            return Item(term, self.name("an alias"), True)
        if term.kind == "variable":
            return Item(term, term.name, False)
        return Item(term, "".join(self.tokens[start : self.at]), False)

    def _sort_key(self) -> tuple[Term, bool]:
        term = self.expression()
        descending = self.take("DESC") or self.take("DESCENDING")
        if not descending and not self.take("ASC"):
            self.take("ASCENDING")
        if self.take("NULLS"):
            self.stop("unsupported", "NULLS FIRST and NULLS LAST are not read")
        return term, descending

    def braced(self) -> Body:
        """Read `{ query }` or `{ pattern WHERE condition }`."""
        self.need("{")
        word = self.upper[self.at]
        if word in _READING and self.peek(1) not in ("=", ")"):
            body = self.body()
        elif word in _WRITING or word in _OTHER:
            self.stop("unsupported", f"{word} at {self._place(self.at)}: only reading is read")
        else:
            paths: tuple[Path, ...] = self.paths()
            where = self.expression() if self.take("WHERE") else None
            body = Body(((Match(paths, where, False),),))
        self.need("}")
        return body
