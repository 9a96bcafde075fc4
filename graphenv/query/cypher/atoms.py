"""Reads what operators are applied to: names, literals, calls, lists, maps, CASE, subqueries."""

from __future__ import annotations

import re
from abc import abstractmethod

from graphenv.query.cypher.patterns import PatternReader
from graphenv.query.cypher.tokens import is_name, plain_name
from graphenv.query.cypher.tree import Body, Term

__all__ = ["AGGREGATES", "NULL", "TRUE", "AtomReader", "unquoted"]

AGGREGATES = frozenset(
    (
        *("count", "sum", "avg", "min", "max", "collect", "stdev", "stdevp"),
        *("percentilecont", "percentiledisc"),
    )
)
NULL, TRUE, FALSE = (Term("literal", word) for word in ("null", "true", "false"))
STAR = Term("star")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_QUANTIFIERS = frozenset(("ANY", "ALL", "NONE", "SINGLE", "FILTER", "EXTRACT"))
_SUBQUERIES = frozenset(("EXISTS", "COUNT", "COLLECT"))


class AtomReader(PatternReader):
    """A cursor that reads operands."""

    bars = True  # whether `n:A|B` is one label expression here
    aggregates = 0  # aggregates read so far in this projection

    @abstractmethod
    def body(self) -> Body:
        """Read a query, up to what cannot belong to it."""

    @abstractmethod
    def braced(self) -> Body:
        """Read the query or pattern in the braces of EXISTS, COUNT and COLLECT."""

    def operand(self) -> Term:
        """Read what operators are applied to, with its properties, indices and labels."""
        upper = self.upper
        found = self._atom()
        steps = 0
        while True:
            word = upper[self.at]
            if word == ".":
                self.at += 1
                found = Term("property", self.name("a property name"), (found,))
            elif word == "[":
                self.at += 1
                found = self._index(found)
            elif word == ":" and found.kind in ("variable", "property"):
                found = Term("label", "", (found,), labels=self.labels(self.bars))
            elif word == "{" and found.kind == "variable":
                found = self._map_projection(found)
            else:
                return found
            steps += 1
            if steps > 1:
                self.chained()

    def _index(self, of: Term) -> Term:
        if self.take(".."):
            start = NULL
        else:
            start = self._loose()
            if self.take("]"):
                return Term("operator", "[]", (of, start))
            self.need("..")
        end = NULL if self.upper[self.at] == "]" else self._loose()
        self.need("]")
        return Term("operator", "[..]", (of, start, end))

    def _loose(self) -> Term:
        """Read an expression in brackets, in which a bar has no other meaning."""
        bars, self.bars = self.bars, True
        found = self.expression()
        self.bars = bars
        return found

    def _atom(self) -> Term:
        token = self.tokens[self.at]
        first = token[:1]
        if first.isalpha() or first == "_" or first == "`":
            return self._word(token)
        if first == "'" or first == '"':
            self.at += 1
            return Term("literal", f"'{unquoted(token)}'")
        if first.isdecimal() or (first == "." and token[1:2].isdecimal()):
            self.at += 1
            return Term("literal", self._number(token))
        if first == "(":
            if self._pattern_here():
                return Term("pattern", path=self._chain("", ""))
            self.at += 1
            found = self._loose()
            self.need(")")
            return found
        if first == "[":
            return self._bracket()
        if first == "{":
            return self.map()
        if first != "$" or len(token) == 1:
            self.expected("an expression")
        self.at += 1
        return Term("parameter", plain_name(token[1:]))

    def _number(self, token: str) -> str:
        if token[:2] in ("0x", "0X", "0o"):
            return str(int(token.replace("_", ""), 16 if token[1] in "xX" else 8))
        token = token.replace("_", "")
        if token.isdecimal():
            return token.lstrip("0") or "0"
        return repr(float(token)) if float(token) != float("inf") else token.lower()

    def _word(self, token: str) -> Term:
        after = self.upper[self.at + 1]
        word = self.upper[self.at]
        if after == "(":
            return self._function(token, word)
        if token[0] == "`":
            self.at += 1
            return Term("variable", plain_name(token))
        if after == "{" and word in _SUBQUERIES:
            self.at += 1
            aggregates, bars = self.aggregates, self.bars
            self.bars = True
            body = self.braced()
            self.aggregates, self.bars = aggregates, bars
            return Term(word.lower(), body=body)
        if word == "NULL" or word == "TRUE" or word == "FALSE":
            self.at += 1
            return NULL if word == "NULL" else TRUE if word == "TRUE" else FALSE
        if word == "CASE" and after not in (".", ",", ")", "]", ""):
            return self._case()
        if after == "." and (end := self._dotted()):
            name = "".join(plain_name(part) for part in self.tokens[self.at : end])
            self.at = end
            return self._arguments(name)
        self.at += 1
        return Term("variable", token)

    def _dotted(self) -> int:
        """Return where the name of a function with dots ends, 0 if none stands here."""
        at = self.at
        while self.upper[at + 1] == "." and is_name(self.tokens[at + 2]):
            at += 2
        return at + 1 if self.upper[at + 1] == "(" and at > self.at else 0

    def _function(self, token: str, word: str) -> Term:
        if word in ("SHORTESTPATH", "ALLSHORTESTPATHS"):
            return Term("pattern", path=self.path())
        if self.upper[self.at + 3] == "IN" and is_name(self.tokens[self.at + 2]):
            if word in _QUANTIFIERS and token[0] != "`":
                self.at += 2
                kind = "list" if word in ("FILTER", "EXTRACT") else word.lower()
                return self._comprehension(kind, ")")
        elif word == "REDUCE" and self.upper[self.at + 3] == "=":
            return self._reduce()
        self.at += 1
        return self._arguments(plain_name(token))

    def _arguments(self, name: str) -> Term:
        self.need("(")
        bars, self.bars = self.bars, True
        lowered = name.lower()
        kind = "distinct" if self.take("DISTINCT") else "call"
        if lowered in AGGREGATES:
            self.aggregates += 1
        args: list[Term] = []
        if self.upper[self.at] == "*" and lowered == "count":
            self.at += 1
            args.append(STAR)
        elif self.upper[self.at] != ")":
            args.append(self.expression())
            while self.take(","):
                args.append(self.expression())
        self.need(")")
        self.bars = bars
        return Term(kind, name, tuple(args))

    def _comprehension(self, kind: str, end: str) -> Term:
        """Read `x IN list WHERE condition | value` after its bracket, and the closing one."""
        variable = self.name("a variable")
        self.need("IN")
        bars, self.bars = self.bars, False
        items = self.expression()
        where = self.expression() if self.take("WHERE") else TRUE
        value = self.expression() if self.take("|") else Term("variable", variable)
        self.bars = bars
        self.need(end)
        return Term("comprehension", kind, (items, where, value), (variable,))

    def _reduce(self) -> Term:
        self.at += 2
        total = self.name("a variable")
        self.need("=")
        bars, self.bars = self.bars, False
        start = self.expression()
        self.need(",")
        variable = self.name("a variable")
        self.need("IN")
        items = self.expression()
        self.need("|")
        value = self.expression()
        self.bars = bars
        self.need(")")
        return Term("reduce", "", (start, items, value), (total, variable))

    def _bracket(self) -> Term:
        self.at += 1
        if self.upper[self.at] == "]":
            self.at += 1
            return Term("list")
        named = is_name(self.tokens[self.at])
        if named and self.upper[self.at + 1] == "IN":
            return self._comprehension("list", "]")
        path = named and self.upper[self.at + 1] == "=" and self.peek(2) == "("
        if (path and self._pattern_here(2)) or self._pattern_here():
            return self._pattern_comprehension()
        items = [self._loose()]
        while self.take(","):
            items.append(self._loose())
        self.need("]")
        return Term("list", "", tuple(items))

    def _pattern_comprehension(self) -> Term:
        bars, self.bars = self.bars, False
        path = self.path()
        where = self.expression() if self.take("WHERE") else TRUE
        self.need("|")
        value = self.expression()
        self.bars = bars
        self.need("]")
        return Term("pattern", "list", (where, value), path=path)

    def _case(self) -> Term:
        self.at += 1
        args = [TRUE if self.upper[self.at] == "WHEN" else self._loose()]
        name = "" if args[0] is TRUE else "simple"
        if self.upper[self.at] != "WHEN":
            self.expected("WHEN")
        while self.take("WHEN"):
            args.append(self._loose())
            self.need("THEN")
            args.append(self._loose())
        args.append(self._loose() if self.take("ELSE") else NULL)
        self.need("END")
        return Term("case", name, tuple(args))

    def map(self) -> Term:
        """Read `{key: value, ...}`."""
        self.need("{")
        keys: list[str] = []
        values: list[Term] = []
        while self.upper[self.at] != "}":
            if keys:
                self.need(",")
            keys.append(self.name("a key"))
            self.need(":")
            values.append(self._loose())
        self.at += 1
        return Term("map", "", tuple(values), tuple(keys))

    def _map_projection(self, of: Term) -> Term:
        self.need("{")
        keys: list[str] = []
        values: list[Term] = []
        while self.upper[self.at] != "}":
            if keys:
                self.need(",")
            if self.take("."):
                if self.take("*"):
                    keys.append("*")
                    values.append(STAR)
                    continue
                keys.append(self.name("a property name"))
                values.append(Term("property", keys[-1], (of,)))
                continue
            keys.append(self.name("a key"))
            if self.take(":"):
                values.append(self._loose())
            else:
                values.append(Term("variable", keys[-1]))
        self.at += 1
        return Term("projection", "", (of, *values), tuple(keys))

    def _pattern_here(self, offset: int = 0) -> bool:
        """Whether a node with a relationship after it stands here, and no expression in brackets.

        A node alone is an expression, and `(a) - [1]` is read as a pattern, as Neo4j does.
        """
        at = self.at + offset
        tokens, upper, end = self.tokens, self.upper, len(self.tokens) - 1
        if upper[at] != "(":
            return False
        at += 1
        if is_name(tokens[at]):
            at += 1
            if upper[at] not in (")", ":", "{", "WHERE", "IS"):
                return False
        elif upper[at] not in (")", ":", "{"):
            return False
        depth = 1
        while at < end:
            sign = upper[at]
            at += 1
            if sign == "(":
                depth += 1
            elif sign == ")":
                depth -= 1
                if not depth:
                    break
        first, second, third = (*upper[at : at + 3], "", "", "")[:3]
        if first == "<":
            return second == "-" and third in ("[", "-")
        return first == "-" and (second == "[" or (second == "-" and third in ("(", ">")))


def unquoted(token: str) -> str:
    """Return what a string literal says.

    >>> unquoted(r"'it\\'s'")
    "it's"
    """
    inner = token[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2)
    if code is None:
        char = match.group(3)
        return _ESCAPED.get(char, char)
    number = int(code, 16)
    return chr(number) if number <= 0x10FFFF else match.group()
