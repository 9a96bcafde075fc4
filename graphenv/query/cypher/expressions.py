"""Reads expressions: operators by how tightly they bind."""

from __future__ import annotations

from graphenv.query.cypher.atoms import AtomReader
from graphenv.query.cypher.tree import Term

__all__ = ["ExpressionReader"]

# How tightly an operator binds. NOT stands between AND and the comparisons.
_BINDS = {
    word: binds
    for binds, words in (
        (1, ("OR",)),
        (2, ("XOR",)),
        (3, ("AND",)),
        (5, ("=", "<>", "!=", "<", "<=", ">", ">=")),
        (6, ("IN", "STARTS", "ENDS", "CONTAINS", "=~", "IS", "::")),
        (7, ("+", "-", "||")),
        (8, ("*", "/", "%")),
        (9, ("^",)),
    )
    for word in words
}
_NOT, _COMPARE, _SIGN = 4, 5, 10
_FLAT = frozenset(("OR", "XOR", "AND", "+", "*", "||"))


class ExpressionReader(AtomReader):
    """A cursor that reads expressions."""

    def expression(self, least: int = 0) -> Term:
        """Read an expression whose operators bind at least this tightly."""
        self.level += 1
        if self.level > self.max_depth:
            self.too_deep()
        word = self.upper[self.at]
        if word == "NOT":
            self.at += 1
            left = Term("operator", "not", (self.expression(_NOT),))
        elif word == "-" or word == "+":
            left = self._sign(word)
        else:
            left = self.operand()
        steps = 0
        while True:
            word = self.upper[self.at]
            binds = _BINDS.get(word, 0)
            if not binds or binds < least:
                break
            steps += 1
            if steps > 1:
                self.chained()
            if binds == _COMPARE:
                left = self._comparison(left)
            elif binds == 6:
                left = self._test(word, left)
            else:
                left = self._flat(word, left, binds)
        self.level -= 1
        return left

    def _flat(self, word: str, left: Term, binds: int) -> Term:
        """Read `left op right`, and `op right` again where the operator may be flat."""
        self.at += 1
        args = [left, self.expression(binds + 1)]
        if word in _FLAT:
            while self.upper[self.at] == word:
                self.at += 1
                args.append(self.expression(binds + 1))
        return Term("operator", word.lower(), tuple(args))

    def _comparison(self, left: Term) -> Term:
        """Read `a < b`, and `a < b < c` as two comparisons."""
        found = []
        while (word := self.upper[self.at]) in _BINDS and _BINDS[word] == _COMPARE:
            self.at += 1
            right = self.expression(_COMPARE + 1)
            found.append(Term("operator", "<>" if word == "!=" else word, (left, right)))
            left = right
        return found[0] if len(found) == 1 else Term("operator", "and", tuple(found))

    def _test(self, word: str, left: Term) -> Term:
        self.at += 1
        if word == "IS":
            return self._is(left)
        if word == "::":
            return Term("operator", "is type", (left, self._type()))
        if word == "STARTS" or word == "ENDS":
            self.need("WITH")
            word += " WITH"
        name = "matches" if word == "=~" else word.lower()
        return Term("operator", name, (left, self.expression(7)))

    def _is(self, left: Term) -> Term:
        negated = self.take("NOT")
        if self.take("NULL"):
            found = Term("operator", "is null", (left,))
        elif self.take("::") or self.take("TYPED"):
            found = Term("operator", "is type", (left, self._type()))
        elif self.take("NORMALIZED"):
            found = Term("operator", "is normalized", (left,))
        else:
            self.expected("NULL after IS")
        return Term("operator", "not", (found,)) if negated else found

    def _type(self) -> Term:
        words = [self.name("a type").upper()]
        while self.upper[self.at] in ("NOT", "NULL", "TIME", "DATETIME", "INTEGER", "OF"):
            words.append(self.upper[self.at])
            self.at += 1
        return Term("literal", f"'{' '.join(words)}'")

    def _sign(self, word: str) -> Term:
        self.at += 1
        inner = self.expression(_SIGN)
        if word == "+":
            return inner
        if inner.kind == "literal" and inner.name[:1].isdigit():
            return Term("literal", "-" + inner.name)
        return Term("operator", "-", (inner,))
