"""From an assistant turn to a final answer: edges, nodes, proposals, a ranking; or a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphenv.fences import Asked, find_block
from graphenv.graph import Triple
from graphenv.text import ParsedTurn, bounded, parse_json

__all__ = [
    "FORMS",
    "MAX_NAME",
    "MAX_PARTS",
    "Answer",
    "answer_text",
    "find_answer",
    "read_answer",
    "read_names",
]

MAX_PARTS = 2_000
"""Most edges, nodes or ranked names of an answer."""
MAX_NAME = 400
"""Longest name or relation that is read, in characters."""

FORMS = {
    "graph": 'a JSON list of ["head", "relation", "tail"]',
    "ranking": "a JSON list of names, best first",
    "objective": 'a JSON list of ["head", "relation", "tail"]',
}
"""The short form of an answer by goal; an object with `edges` and `ranking` is the long one."""
_KEYS = ("edges", "nodes", "proposed", "ranking")
_ASKED = Asked("a subgraph", ("json",), re.compile(r"[\[{]"))


@dataclass(frozen=True)
class Answer:
    """A final answer as it was written; `None` stands for what it does not tell."""

    edges: tuple[Triple, ...] | None = None
    nodes: tuple[str, ...] = ()
    proposed: tuple[Triple, ...] = ()
    ranking: tuple[str, ...] | None = None

    @property
    def text(self) -> str:
        """The answer as JSON, an object."""
        told: dict[str, Any] = {"edges": self.edges, "nodes": self.nodes}
        told |= {"proposed": self.proposed, "ranking": self.ranking}
        kept = {key: value for key, value in told.items() if value or key == "edges"}
        return json.dumps(kept, ensure_ascii=False)


def find_answer(turn: ParsedTurn, goal: str) -> tuple[Answer | None, str]:
    """Return the answer that a turn gives, or `None` and the reason why there is none.

    >>> from graphenv.text import parse_turn
    >>> find_answer(parse_turn('<answer>[["a", "r", "b"]]</answer>'), "graph")[0].edges
    (('a', 'r', 'b'),)
    >>> find_answer(parse_turn("No idea."), "graph")
    (None, 'no ```json block')
    """
    text, reason = find_block(turn, _ASKED)
    if text is None:
        return None, reason
    told = turn.answer.text if goal == "ranking" and turn.answer is not None else ""
    if told.startswith("[") and not text.startswith(("[", "{", "`")):
        text = told  # a ranking of one name, of which `find_block` gives the name alone
    return read_answer(text, goal)


def read_answer(text: str, goal: str) -> tuple[Answer | None, str]:
    """Return `(answer, "")`, or `(None, reason)`; never raises, whatever the text.

    A list of edges, of names where a ranking is asked for, or an object with `edges`, `nodes`
    (those without edges), `proposed` and `ranking`. Anything else in it is refused as a whole.

    >>> read_answer('{"edges": [], "ranking": ["a", "b"]}', "ranking")[0].ranking
    ('a', 'b')
    >>> read_answer('["a"]', "graph")[1]
    'edge 1: it is a string; a list of three strings is asked for'
    """
    value, reason = parse_json(text.strip())
    if reason:
        return None, reason
    if isinstance(value, list):
        value = {"ranking" if goal == "ranking" else "edges": value}
    if not isinstance(value, dict):
        return None, f"the JSON is {_kind(value)}; {FORMS[goal]} is asked for"
    unknown = [bounded(str(key), 20) for key in value if key not in _KEYS]
    if unknown:
        return None, f"the key {unknown[0]!r} is none of {', '.join(_KEYS)}"
    parts: dict[str, Any] = {}
    for key, items in value.items():
        if not isinstance(items, list):
            return None, f"{key} is {_kind(items)}; a list is asked for"
        if len(items) > MAX_PARTS:
            return None, f"{len(items)} {key}; at most {MAX_PARTS} are read"
        reader = _triple if key in ("edges", "proposed") else _name
        what = {"edges": "edge", "nodes": "node", "proposed": "proposal", "ranking": "name"}[key]
        read = []
        for number, item in enumerate(items, 1):
            part, reason = reader(item)
            if reason:
                return None, f"{what} {number}: {reason}"
            read.append(part)
        parts[key] = tuple(read)
    if goal == "ranking" and not parts.get("ranking"):
        return None, f"the ranking is missing; {FORMS[goal]} is asked for"
    return Answer(**parts), ""


def read_names(text: str) -> tuple[tuple[str, ...], str]:
    """Return the names of a JSON list or of a text with commas, or () and a reason.

    >>> read_names("TP53, MDM2"), read_names('["a, b"]')
    ((('TP53', 'MDM2'), ''), (('a, b',), ''))
    """
    text = text.strip()
    items: Any = [part.strip() for part in text.split(",") if part.strip()]
    if text.startswith("["):
        items, reason = parse_json(text)
        if reason:
            return (), reason
    names: list[str] = []
    if len(items) > MAX_PARTS:
        return (), f"{len(items)} names; at most {MAX_PARTS} are read"
    for number, item in enumerate(items, 1):
        name, reason = _name(item)
        if reason:
            return (), f"name {number}: {reason}"
        names.append(name)
    return tuple(names), ""


def _name(item: Any) -> tuple[str, str]:
    if not isinstance(item, str):
        return "", f"it is {_kind(item)}; a string is asked for"
    if not item.strip():
        return "", "it is empty"
    if len(item) > MAX_NAME:
        return "", f"it has {len(item)} characters; at most {MAX_NAME} are read"
    return item, ""


def _triple(item: Any) -> tuple[Triple | None, str]:
    if not isinstance(item, list):
        return None, f"it is {_kind(item)}; a list of three strings is asked for"
    if len(item) != 3:
        return None, f"it has {len(item)} parts; head, relation and tail are asked for"
    read = [_name(part) for part in item]
    for part, (_, reason) in zip(("head", "relation", "tail"), read, strict=True):
        if reason:
            return None, f"the {part}: {reason}"
    return (read[0][0], read[1][0], read[2][0]), ""


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    kinds = ((str, "a string"), (list, "a list"), (dict, "an object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "a number")


def answer_text(
    edges: Sequence[Triple],
    ranking: Sequence[str] | None,
    goal: str,
    proposed: Sequence[Triple] = (),
) -> str:
    """Return the shortest JSON that `read_answer` reads as these edges, ranking and proposals.

    >>> answer_text([("a", "r", "b")], None, "graph")
    '[["a", "r", "b"]]'
    """
    value: Any = [list(edge) for edge in edges]
    if goal == "ranking":
        names = list(ranking or ())
        value = {"edges": value, "ranking": names} if value or proposed else names
    if proposed:
        value = value if isinstance(value, dict) else {"edges": value}
        value["proposed"] = [list(edge) for edge in proposed]
    return json.dumps(value, ensure_ascii=False)
