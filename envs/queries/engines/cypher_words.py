"""Cypher text cut into words, as the engines cut it: what the guard and the repair of `=~` look at.

Nothing is parsed here. Where two engines could disagree about where a string or a comment ends, the
text is not cut but refused: a guard that sees other words than the engine protects nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Unreadable", "Word", "words"]

Kind = Literal["name", "quoted", "string", "number", "parameter", "sign"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<comment>//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
    | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<quoted>`(?:[^`]|``)*`)
    | (?P<parameter>\$(?:\w+|`[^`]*`))
    | (?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[^\W\d]\w*)
    | (?P<sign>=~|<>|<=|>=|!=|\.\.|[^\w\s])
    """,
    re.VERBOSE | re.DOTALL,
)
# Line ends other than \n, which one engine may take for the end of a comment and another not.
_OTHER_LINE_END = re.compile("\r(?!\n)|[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
# Characters that are not seen: control characters, and format characters such as zero-width space.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


class Unreadable(ValueError):
    """Text that is not cut into words, with the reason."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word and where it stands: `text == query[start:end]`."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_name(self, *names: str) -> bool:
        """Whether this is one of these words (given in capitals) without quotes around it."""
        return self.kind == "name" and self.text.upper() in names


def words(query: str) -> list[Word]:
    """Return the words of a query without space and comments.

    Raises
    ------
    Unreadable
        An open string, back-tick or comment, a comment in which another begins, or a character that
        is not seen.

    Examples
    --------
    >>> [word.text for word in words("MATCH (n:`A b`) // all\\nRETURN n.x =~ 'a.*'")]
    ['MATCH', '(', 'n', ':', '`A b`', ')', 'RETURN', 'n', '.', 'x', '=~', "'a.*'"]
    """
    found: list[Word] = []
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        kind = match.lastgroup if match else None
        if match is None or kind is None:
            raise Unreadable(f"Character {query[at]!r} cannot stand here.")
        text = match.group()
        if kind in ("comment", "string", "quoted"):
            # A string may hold any text but what C would take for its end, or no UTF-8 can carry.
            if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
                raise Unreadable("A string, name or comment holds a character that is not text.")
            if kind == "comment" and ("/*" in text[2:] or _OTHER_LINE_END.search(text)):
                raise Unreadable("Write no comment inside a comment, and end lines with \\n.")
        elif _UNSEEN.search(text):
            raise Unreadable(f"The invisible character {text[0]!r} cannot stand here.")
        if text in ("'", '"', "`"):
            raise Unreadable(f"The quote {text} at character {at + 1} is never closed.")
        if text == "/" and query.startswith("/*", at):
            raise Unreadable("A comment that begins with /* is never closed.")
        if kind not in ("space", "comment"):
            found.append(Word(kind, text, at, match.end()))  # type: ignore[arg-type]
        at = match.end()
    return found
