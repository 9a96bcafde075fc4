"""Names and literals as ladybug writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from graphenv.query.cypher.kinds import Kinds
from graphenv.query.cypher.tokens import Stop, tokenize
from graphenv.query.cypher.tree import Term
from graphenv.query.model import QueryIssue
from graphenv.query.schema import Schema

__all__ = ["Words", "all_of", "literal", "null", "quoted", "refuse", "where_clause"]

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


def refuse(reason: str) -> NoReturn:
    """End with an issue of the kind `unsupported`."""
    raise Stop(QueryIssue("unsupported", reason))


class Words:
    """The names of a query in the words of ladybug, and what is known about its variables."""

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
        return quoted(name if known == name else self._other(name))

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


def quoted(name: str) -> str:
    if _PLAIN.fullmatch(name) and name.upper() not in _RESERVED:
        return name
    if "`" in name:
        refuse(f"a name with a back-tick ({name[:40]!a}) is not run")
    return f"`{name}`"


def literal(text: str) -> str:
    if text[:1] != "'":
        return text
    inner = text[1:-1].replace("\\", "\\\\").replace("'", "\\'")
    return f"'{inner}'"


def null(term: Term) -> bool:
    return term.kind == "literal" and term.name == "null"


def all_of(term: Term) -> tuple[Term, ...]:
    return term.args if term.kind == "operator" and term.name == "and" else (term,)


def where_clause(conditions: Sequence[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""
