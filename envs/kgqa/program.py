"""Relation path programs: what a policy writes in program mode.

    program := ["count"] branch ("&" branch)*
    branch  := ["{" entity "}"] move (">" move)*
    move    := relation | "^" relation | "[" relation op value "]"

A branch starts at the topic entity unless it names another; `&` intersects the branches' ends; a
filter keeps the entities that have a matching value; `count` answers with the number of entities.
A JSON list of moves is read as one branch, for relation names that hold `>` or `&`.

    ^directed_by > [release_year < 1990] > has_genre
    ^directed_by & {Robert De Niro} ^starred_actors
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from graphenv.text import bounded, parse_json

__all__ = ["MAX_BRANCHES", "MAX_MOVES", "OPERATORS", "Branch", "Filter", "Program", "parse_program"]

MAX_MOVES = 16
MAX_BRANCHES = 8
MAX_PROGRAM_CHARS = 4_000
OPERATORS = ("<=", ">=", "!=", "<", ">", "=")
_MARKS = re.compile(r"[>&\[\]{}]|^count\b")
_PLAIN_MOVE = re.compile(r"\^?[\w./:-]+")
_OPERATOR = re.compile(r"<=|>=|!=|<|>|=")
_JSON_LIST = re.compile(r"\[\s*\"")


@dataclass(frozen=True, slots=True)
class Filter:
    """Keep the entities of which some `relation` value stands in `operator` to `value`."""

    relation: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"[{self.relation} {self.operator} {self.value}]"


@dataclass(frozen=True, slots=True)
class Branch:
    """A path: moves and filters from `start` (`None`: the topic entity)."""

    moves: tuple[str | Filter, ...]
    start: str | None = None

    def __str__(self) -> str:
        path = " > ".join(str(move) for move in self.moves)
        return f"{{{self.start}}} {path}" if self.start is not None else path


@dataclass(frozen=True, slots=True)
class Program:
    """Branches whose ends are intersected; the answer is their entities, or their number."""

    branches: tuple[Branch, ...]
    count: bool = False

    def __str__(self) -> str:
        if len(self.branches) == 1 and self._obviously_plain():
            return str(self.branches[0])
        text = " & ".join(str(branch) for branch in self.branches)
        text = f"count {text}" if self.count else text
        if len(self.branches) == 1 and _MARKS.search(text) and not self._reads_back(text):
            return json.dumps([str(move) for move in self.branches[0].moves], ensure_ascii=False)
        return text

    def _obviously_plain(self) -> bool:
        """Whether the moves are words: most programs, and the test below costs a parse."""
        branch = self.branches[0]
        more = self.count or branch.start is not None or len(branch.moves) > MAX_MOVES
        return not more and all(
            type(m) is str and len(m) < 200 and m != "count" and _PLAIN_MOVE.fullmatch(m)
            for m in branch.moves
        )

    def _reads_back(self, text: str) -> bool:
        branch = self.branches[0]
        plain = not self.count and branch.start is None
        return not (plain and all(isinstance(m, str) for m in branch.moves)) or (
            parse_program(text)[0] == self
        )

    @property
    def path(self) -> tuple[str, ...]:
        """The moves of all branches as one sequence, the form that path rewards compare."""
        tokens: list[str] = ["count"] if self.count else []
        for i, branch in enumerate(self.branches):
            if i:
                tokens.append("&")
            if branch.start is not None:
                tokens.append(f"{{{branch.start}}}")
            tokens += [str(move) for move in branch.moves]
        return tuple(tokens)


def parse_program(text: str) -> tuple[Program | None, str]:
    """Return `(program, "")` or `(None, reason)`; never raises.

    >>> program, _ = parse_program("^directed_by > [release_year < 1990] > has_genre")
    >>> program.path
    ('^directed_by', '[release_year < 1990]', 'has_genre')
    >>> parse_program("a > > b")
    (None, 'a move is empty')
    """
    text = text.strip()
    if not text:
        return None, "the program is empty"
    if len(text) > MAX_PROGRAM_CHARS:
        return None, f"the program is longer than {MAX_PROGRAM_CHARS} characters"
    if _JSON_LIST.match(text):
        return _from_json(text)
    count = False
    if text == "count" or text.startswith(("count ", "count\n")):
        count, text = True, text[5:].strip()
    branches = []
    for piece in _split(text, "&"):
        branch, reason = _branch(piece.strip())
        if branch is None:
            return None, reason
        branches.append(branch)
    if len(branches) > MAX_BRANCHES:
        return None, f"the program has {len(branches)} branches; at most {MAX_BRANCHES} are run"
    return Program(tuple(branches), count), ""


def _from_json(text: str) -> tuple[Program | None, str]:
    moves, reason = parse_json(text)
    if reason:
        return None, f"the program is {reason}"
    if not isinstance(moves, list) or not all(isinstance(m, str) and m.strip() for m in moves):
        return None, "a JSON program is a list of relation names"
    if len(moves) > MAX_MOVES:
        return None, f"the path has {len(moves)} moves; at most {MAX_MOVES} are run"
    return Program((Branch(tuple(move.strip() for move in moves)),)), ""


def _branch(text: str) -> tuple[Branch | None, str]:
    start: str | None = None
    if text.startswith("{"):
        name, closed, text = text[1:].partition("}")
        if not closed or not name.strip():
            return None, "a start entity is written as {entity}"
        start, text = name.strip(), text.strip()
    moves: list[str | Filter] = []
    for piece in _split(text, ">"):
        move = piece.strip()
        if not move or move == "^":
            return None, "a move is empty"
        if move.startswith("["):
            condition = _filter(move)
            if condition is None:
                return None, f"{bounded(move, 60)!r} is not a filter [relation operator value]"
            moves.append(condition)
        else:
            moves.append(move)
    if len(moves) > MAX_MOVES:
        return None, f"the path has {len(moves)} moves; at most {MAX_MOVES} are run"
    return Branch(tuple(moves), start), ""


def _filter(text: str) -> Filter | None:
    # Not one regular expression: spaces around a lazy group make those cubic.
    found = _OPERATOR.search(text)
    if found is None or not text.endswith("]"):
        return None
    relation, value = text[1 : found.start()].strip(), text[found.end() : -1].strip()
    return Filter(relation, found.group(), value) if relation and value else None


def _split(text: str, separator: str) -> list[str]:
    """Split outside of brackets and braces."""
    if "[" not in text and "{" not in text:
        return text.split(separator)
    pieces, depth, begin = [], 0, 0
    for i, char in enumerate(text):
        if char in "[{":
            depth += 1
        elif char in "]}" and depth:
            depth -= 1
        elif char == separator and not depth:
            pieces.append(text[begin:i])
            begin = i + 1
    pieces.append(text[begin:])
    return pieces
