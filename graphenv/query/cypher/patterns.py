"""Reads patterns: paths, nodes, relationships, label expressions."""

from __future__ import annotations

from abc import ABC, abstractmethod

from graphenv.query.cypher.tokens import Cursor, is_name, plain_name
from graphenv.query.cypher.tree import Labels, Node, Path, Step, Term

__all__ = ["PatternReader"]

_AFTER_NAME = frozenset((")", ":", "{", "WHERE", "IS"))
_LABEL_SIGNS = frozenset(("|", "&", ":"))
_QUANTIFIERS = frozenset(("{", "*", "+"))


class PatternReader(Cursor, ABC):
    """A cursor that reads patterns."""

    @abstractmethod
    def expression(self, least: int = 0) -> Term:
        """Read an expression."""

    @abstractmethod
    def map(self) -> Term:
        """Read a map in braces."""

    def paths(self) -> tuple[Path, ...]:
        """Read one or more paths with commas between them."""
        found = [self.path()]
        while self.take(","):
            found.append(self.path())
        return tuple(found)

    def path(self) -> Path:
        """Read `[variable =] [shortestPath] (node)-[relationship]-(node)...`."""
        variable = ""
        if self.peek(1) == "=" and is_name(self.tokens[self.at]):
            variable = self.name("a path variable")
            self.at += 1
        shortest = self._selector()
        word = self.peek()
        if word in ("SHORTESTPATH", "ALLSHORTESTPATHS") and self.peek(1) == "(":
            self.at += 2
            path = self._chain(variable, "one" if word == "SHORTESTPATH" else "all")
            self.need(")")
            return path
        return self._chain(variable, shortest)

    def _selector(self) -> str:
        """Read ANY SHORTEST, ALL SHORTEST, SHORTEST 1."""
        if self.take("ALL", "SHORTEST"):
            return "all"
        if self.take("ANY", "SHORTEST") or self.take("SHORTEST", "1"):
            return "one"
        if self.peek() == "SHORTEST":
            self.stop("unsupported", "SHORTEST with a number above 1 is not read")
        return ""

    def _chain(self, variable: str, shortest: str) -> Path:
        nodes, steps = [self.node()], []
        while self.upper[self.at] in ("-", "<"):
            steps.append(self.step())
            nodes.append(self.node())
        return Path(variable, tuple(nodes), tuple(steps), shortest)

    def node(self) -> Node:
        """Read `(variable:Label {map} WHERE condition)`."""
        upper = self.upper
        if upper[self.at] != "(":
            self.expected("a node '(...)'")
        self.at += 1
        if upper[self.at] == "(":
            self.stop("unsupported", "a pattern in parentheses (quantified path) is not read")
        variable, labels, properties, where = "", None, None, None
        if upper[self.at] == "WHERE" and self.peek(1) not in _AFTER_NAME:
            self.at += 1
            where = self.expression()
            self.need(")")
            return Node("", None, None, where)
        if upper[self.at] not in (")", ":", "{", "$"):
            variable = self.name("a variable, a label or ')'")
        if upper[self.at] == ":" or upper[self.at] == "IS":
            labels = self.labels()
        if upper[self.at] != ")":
            properties = self._properties()
            if self.take("WHERE"):
                where = self.expression()
            self.need(")")
        else:
            self.at += 1
        return Node(variable, labels, properties, where)

    def step(self) -> Step:
        """Read `-[variable:TYPE*1..3 {map} WHERE condition]->` and its shorter forms."""
        upper = self.upper
        left = upper[self.at] == "<"
        if left:
            self.at += 1
        self.need("-")
        variable, types, properties, where, hops, selector = "", None, None, None, None, ""
        if upper[self.at] == "[":
            self.at += 1
            if upper[self.at] not in ("]", ":", "*", "{", "$") and (
                upper[self.at] != "WHERE" or self.peek(1) in ("]", ":", "*", "{")
            ):
                variable = self.name("a variable, a type or ']'")
            if upper[self.at] == ":" or upper[self.at] == "IS":
                types = self.labels()
            if upper[self.at] == "*":
                self.at += 1
                if upper[self.at] in ("SHORTEST", "ALL", "TRAIL", "ACYCLIC"):
                    selector = self._walk_kind()
                hops = self._range()
            properties = self._properties()
            if self.take("WHERE"):
                where = self.expression()
            self.need("]")
        self.need("-")
        right = upper[self.at] == ">"
        if right:
            self.at += 1
        if hops is None and upper[self.at] in _QUANTIFIERS:
            hops = self._quantifier()
        arrow = "-" if left == right else ("<" if left else ">")
        return Step(variable, types, properties, where, arrow, hops, selector)

    def _walk_kind(self) -> str:
        """Read the word that ladybug allows after the star."""
        if self.take("ALL", "SHORTEST"):
            return "all"
        if not self.take("SHORTEST"):
            self.stop("unsupported", f"{self.peek()} after * is not read")
        return "one"

    def _properties(self) -> Term | None:
        token = self.upper[self.at]
        if token == "{":
            return self.map()
        if token[:1] == "$" and len(token) > 1:
            self.at += 1
            return Term("parameter", plain_name(self.tokens[self.at - 1][1:]))
        return None

    def _count(self) -> int | None:
        token = self.tokens[self.at]
        if not token[:1].isdecimal():
            return None
        if not (token.isdecimal() and len(token) <= 6):
            self.expected("a number of hops below 1000000")
        self.at += 1
        return int(token)

    def _range(self) -> tuple[int, int | None]:
        least = self._count()
        if self.take(".."):
            return (1 if least is None else least), self._count()
        return (1, None) if least is None else (least, least)

    def _quantifier(self) -> tuple[int, int | None]:
        if self.take("*"):
            return 0, None
        if self.take("+"):
            return 1, None
        self.need("{")
        least = self._count()
        most = least
        if self.take(","):
            most = self._count()
        elif least is None:
            self.expected("a number of hops")
        self.need("}")
        return least or 0, most

    def labels(self, bars: bool = True) -> Labels:
        """Read `:A:B`, `:A|B`, `:A&!B` and so on.

        `bars=False` where a bar ends the expression (in a comprehension).
        """
        self.at += 1
        name = self.tokens[self.at]
        if self.upper[self.at + 1] not in _LABEL_SIGNS and is_name(name) and name[0] != "`":
            self.at += 1  # one plain name: nearly always
            return Labels(name, (name,), (name,), (name,))
        first = self._label_or(bars)
        parts = [first]
        while self.upper[self.at] == ":" and is_name(self.tokens[self.at + 1]):
            self.at += 1
            parts.append(self._label_or(bars))
        return first if len(parts) == 1 else _joined("&", parts)

    def _label_or(self, bars: bool) -> Labels:
        parts = [self._label_and(bars)]
        while bars and self.upper[self.at] == "|":
            self.at += 1
            self.take(":")
            parts.append(self._label_and(bars))
        return parts[0] if len(parts) == 1 else _joined("|", parts)

    def _label_and(self, bars: bool) -> Labels:
        parts = [self._label()]
        while self.upper[self.at] == "&":
            self.at += 1
            parts.append(self._label())
        return parts[0] if len(parts) == 1 else _joined("&", parts)

    def _label(self) -> Labels:
        token = self.upper[self.at]
        if token == "!" or token == "(":
            self.at += 1
            self.level += 1
            if self.level > self.max_depth:
                self.too_deep()
            if token == "!":
                inner = self._label()
                found = Labels("!" + inner.text, inner.names)
            else:
                inner = self._label_or(True)
                self.need(")")
                plain = inner.all_of or inner.any_of
                found = inner if plain else Labels(f"({inner.text})", inner.names)
            self.level -= 1
            return found
        if token == "%":
            self.at += 1
            return Labels("%", ())
        if token[:1] == "$":
            self.stop("unsupported", "a label or type given by an expression is not read")
        name = self.name("a label or type")
        return Labels(name, (name,), (name,), (name,))


def _joined(sign: str, parts: list[Labels]) -> Labels:
    texts = sorted({_inside(sign, part) for part in parts})
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    if sign == "&" and all(part.all_of for part in parts):
        all_of = names
    if sign == "|" and all(part.any_of for part in parts):
        any_of = names
    if len(texts) == 1:  # :A|A
        all_of, any_of = parts[0].all_of, parts[0].any_of
    elif all_of or any_of:
        texts = sorted(names)
    return Labels(sign.join(texts), names, all_of, any_of)


def _inside(sign: str, part: Labels) -> str:
    return (
        f"({part.text})" if sign == "&" and "|" in part.text and part.text[0] != "(" else part.text
    )
