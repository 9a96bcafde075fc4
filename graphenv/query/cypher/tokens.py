"""Cypher text to tokens, and the cursor that readers move over them."""

from __future__ import annotations

import re
from itertools import islice
from typing import NoReturn

from graphenv.query.model import QueryIssue

__all__ = ["MAX_CHARS", "MAX_DEPTH", "Cursor", "Stop", "is_name", "plain_name", "tokenize"]

MAX_CHARS = 4_000
MAX_DEPTH = 50

# Possessive throughout: what was matched is never tried again, so time is linear in the text.
_TOKEN = re.compile(
    r"""
    (?:\s++|//[^\n\r]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+      # spaces and comments
    (
        [^\W\d]\w*+                                        # a name or keyword
      | '[^'\\]*+(?:\\[\s\S][^'\\]*+)*+' | "[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"
      | `(?:[^`]++|``)*+`
      | 0[xX][0-9a-fA-F_]+ | 0o[0-7_]+
      | (?:[0-9][0-9_]*+(?:\.[0-9][0-9_]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+
      | \$(?:\w+|`(?:[^`]++|``)*+`)
      | /\*[\s\S]*+ | ['"`][\s\S]*+                        # never closed
      | <> | <= | >= | =~ | != | \.\. | :: | \|\| | \S | \Z
    )
    """,
    re.VERBOSE,
)
_OPEN = frozenset("'\"`")
_PAD = [""] * 4
_CLOSED = re.compile(
    r"""'[^'\\]*+(?:\\[\s\S][^'\\]*+)*+'|"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"|`(?:[^`]++|``)*+`"""
)


class Stop(Exception):
    """Reading ends here; carries the issue. Never leaves the package."""

    def __init__(self, issue: QueryIssue) -> None:
        super().__init__(issue.reason)
        self.issue = issue


def tokenize(text: str) -> list[str]:
    """Return the tokens without spaces and comments, with `""` at the end.

    >>> tokenize("MATCH (n)--(m) // all\\nRETURN n.`a b`")[-5:]
    ['RETURN', 'n', '.', '`a b`', '']
    """
    return _TOKEN.findall(text)


def is_name(token: str) -> bool:
    """Whether a token is a name, a keyword or a name in back-ticks."""
    first = token[:1]
    return first.isalpha() or first == "_" or first == "`"


def plain_name(token: str) -> str:
    """Return a name without its back-ticks."""
    return token[1:-1].replace("``", "`") if token[0] == "`" else token


class Cursor:
    """A place in the tokens of a text.

    Parameters
    ----------
    text
        The query.
    depth
        How deep expressions may be nested, and how many operators may follow each other where
        each takes the ones before as its left side.
    """

    def __init__(self, text: str, depth: int = MAX_DEPTH) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.upper = list(map(str.upper, self.tokens))
        self.at = 0
        self.level = 0
        self.chain = 0
        self.max_depth = depth
        count = next((n for n in range(len(self.tokens), 0, -1) if self.tokens[n - 1]), 0)
        last = self.tokens[count - 1] if count else ""
        if last[:2] == "/*" or (last[:1] in _OPEN and not _CLOSED.fullmatch(last)):
            what = "comment" if last[0] == "/" else f"quote {last[0]}"
            self.stop("syntax", f"the {what} opened at {self._place(count - 1)} is open")
        self.tokens += _PAD  # who looks ahead need not look where the end is
        self.upper += _PAD

    def stop(self, kind: str, reason: str) -> NoReturn:
        """End reading with an issue."""
        raise Stop(QueryIssue(kind, reason))  # type: ignore[arg-type]

    def expected(self, what: str) -> NoReturn:
        """End reading because something else stands here."""
        token = self.tokens[self.at]
        found = f"{_shown(token)} at {self._place(self.at)}" if token else "the end of the query"
        self.stop("syntax", f"expected {what}, found {found}")

    def too_deep(self) -> NoReturn:
        """End reading because of the limit on nesting."""
        self.stop("limit", f"the query is nested deeper than {self.max_depth} levels")

    def chained(self) -> None:
        """Count an operator on top of another."""
        self.chain += 1
        if self.chain > self.max_depth:
            self.too_deep()

    def take(self, *words: str) -> bool:
        """Move past these keywords or signs, if they stand here."""
        at = self.at
        for word in words:
            if self.upper[at] != word:
                return False
            at += 1
        self.at = at
        return True

    def need(self, *words: str) -> None:
        """Move past these keywords or signs, which must stand here."""
        for word in words:
            if self.upper[self.at] != word:
                self.expected(repr(word))
            self.at += 1

    def peek(self, offset: int = 0) -> str:
        """Return the token that many places on, in capitals; `""` past the end."""
        at = self.at + offset
        return self.upper[at] if at < len(self.upper) else ""

    def name(self, what: str) -> str:
        """Return the name that must stand here, and move past it."""
        token = self.tokens[self.at]
        first = token[:1]
        if not (first.isalpha() or first == "_" or first == "`"):
            self.expected(what)
        self.at += 1
        return token if first != "`" else plain_name(token)

    def _place(self, index: int) -> str:
        match = next(islice(_TOKEN.finditer(self.text), index, None))
        start = match.start(1)
        line = self.text.count("\n", 0, start) + 1
        return f"line {line}, column {start - self.text.rfind(chr(10), 0, start)}"


def _shown(token: str) -> str:
    short = token if len(token) <= 30 else token[:27] + "..."
    return ascii(short)
