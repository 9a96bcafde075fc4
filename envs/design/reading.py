"""From an assistant turn to a list of edits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from graphenv.fences import Asked, find_block
from graphenv.text import ParsedTurn, parse_json

__all__ = ["FORMS", "MAX_EDGES", "Edits", "find_edits", "read_edits"]

MAX_EDGES = 5_000
FORMS = {
    "build": 'the edges to add as JSON, [["a", "b"], ...]',
    "repair": 'the edges to remove and to add as JSON, {"remove": [["a", "b"], ...], "add": '
    '[["c", "d"], ...]}',
}
_ASKED = Asked("a list of edges", ("json",), re.compile(r"[\[{]"))

Ends = tuple[str, str]


class Edits(NamedTuple):
    """Edges to remove and edges to add, as names of nodes."""

    remove: tuple[Ends, ...]
    add: tuple[Ends, ...]


def find_edits(turn: ParsedTurn) -> tuple[str | None, str]:
    """Return the text that a turn gives, or `None` and the reason why there is none.

    >>> from graphenv.text import parse_turn
    >>> find_edits(parse_turn("So:\\n```json\\n[[0, 3]]\\n```"))
    ('[[0, 3]]', '')
    """
    return find_block(turn, _ASKED)


def read_edits(text: str) -> tuple[Edits | None, str]:
    """Return the edits of a text, or `None` and the reason why it cannot be read.

    A list holds edges to add. Names of nodes are texts or whole numbers.

    >>> read_edits('[["a", 3]]')
    (Edits(remove=(), add=(('a', '3'),)), '')
    >>> read_edits('{"add": [["a"]]}')
    (None, 'add, item 1: an edge is a list of two nodes')
    """
    value, reason = parse_json(text)
    if reason:
        return None, reason
    if isinstance(value, list):
        value = {"add": value}
    if not isinstance(value, dict):
        return None, "a list of edges is asked for"
    unknown = sorted(str(key)[:40] for key in value if key not in ("add", "remove"))
    if unknown:
        return None, f'the key {unknown[0]!r} is unknown; "add" and "remove" are known'
    parts: dict[str, tuple[Ends, ...]] = {}
    for key in ("remove", "add"):
        found, reason = _edges(value.get(key, []))
        if reason:
            return None, f"{key}{reason}"
        parts[key] = tuple(found)
    return Edits(parts["remove"], parts["add"]), ""


def _edges(listed: Any) -> tuple[Sequence[Ends], str]:
    if not isinstance(listed, list):
        return (), ": a list of edges is asked for"
    if len(listed) > MAX_EDGES:
        return (), f": {len(listed)} edges; at most {MAX_EDGES} are read"
    found = []
    for number, edge in enumerate(listed, 1):
        if not isinstance(edge, list) or len(edge) != 2:
            return (), f", item {number}: an edge is a list of two nodes"
        names = [_name(end) for end in edge]
        if None in names:
            return (), f", item {number}: a node is a text or a whole number"
        found.append((str(names[0]), str(names[1])))
    return found, ""


def _name(value: Any) -> str | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole or isinstance(value, str) else None
