"""From an assistant turn to triples, strictly: a list of them, or a reason why there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from graphenv.fences import Asked, find_block
from graphenv.graph import Triple
from graphenv.text import ParsedTurn, bounded, parse_json

__all__ = [
    "MAX_NAME",
    "MAX_TRIPLES",
    "find_triples",
    "plain_name",
    "plain_triples",
    "read_triples",
    "triples_json",
]

MAX_TRIPLES = 2_000
"""Most triples of an answer, and of all answers of an episode together."""

MAX_NAME = 400
"""Longest name or relation, in characters; the longest of published gold has 166."""

_KEYS = ("head", "relation", "tail")
_ASKED = Asked("a list of triples", ("json",), re.compile(r"[\[{]"))


def find_triples(turn: ParsedTurn) -> tuple[tuple[Triple, ...] | None, str]:
    """Return the triples that a turn gives, or `None` and the reason why there are none.

    >>> from graphenv.text import parse_turn
    >>> find_triples(parse_turn('So:\\n```json\\n[["Heat", "director", "Mann"]]\\n```'))
    ((('Heat', 'director', 'Mann'),), '')
    >>> find_triples(parse_turn("Nothing is said here."))
    (None, 'no ```json block')
    """
    text, reason = find_block(turn, _ASKED)
    return (None, reason) if text is None else read_triples(text)


def read_triples(text: str) -> tuple[tuple[Triple, ...] | None, str]:
    """Return `(triples, "")`, or `(None, reason)`; never raises, whatever the text.

    A JSON list of `["head", "relation", "tail"]` or of
    `{"head": ..., "relation": ..., "tail": ...}`. Anything else in it, a number or an empty name
    too, is refused as a whole: one reading, no guesses. Names are kept as they are written, and so
    are repetitions.

    >>> read_triples('[["Heat", "year", "1995"], {"head": "Heat", "relation": "by", "tail": "x"}]')
    ((('Heat', 'year', '1995'), ('Heat', 'by', 'x')), '')
    >>> read_triples('[["Heat", "year", 1995]]')[1]
    'triple 1: the tail is a number; a string is asked for'
    """
    value, reason = parse_json(text.strip())
    if reason:
        return None, reason
    if not isinstance(value, list):
        return None, f"the JSON is {_kind(value)}; a list of triples is asked for"
    if len(value) > MAX_TRIPLES:
        return None, f"{len(value)} triples; at most {MAX_TRIPLES} are read"
    triples: list[Triple] = []
    for number, item in enumerate(value, 1):
        triple, reason = _triple(item)
        if triple is None:
            return None, f"triple {number}: {reason}"
        triples.append(triple)
    return tuple(triples), ""


def _triple(item: Any) -> tuple[Triple | None, str]:
    if isinstance(item, dict):
        if set(item) != set(_KEYS):
            keys = ", ".join(bounded(str(key), 20) for key in sorted(item)[:5]) or "none"
            return None, f"the keys are {keys}; head, relation and tail are asked for"
        parts = [item[key] for key in _KEYS]
    elif isinstance(item, list):
        if len(item) != 3:
            return None, f"it has {len(item)} parts; head, relation and tail are asked for"
        parts = item
    else:
        return None, f"it is {_kind(item)}; a list of three strings is asked for"
    for name, part in zip(_KEYS, parts, strict=True):
        if not isinstance(part, str):
            return None, f"the {name} is {_kind(part)}; a string is asked for"
        if len(part) > MAX_NAME:
            return None, f"the {name} has {len(part)} characters; at most {MAX_NAME} are read"
        if not part.strip() or (name != "relation" and not plain_name(part)):
            return None, f"the {name} is empty"
    head, relation, tail = parts
    return (head, relation, tail), ""


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    kinds = ((str, "a string"), (list, "a list"), (dict, "an object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "a number")


def triples_json(triples: Sequence[Triple]) -> str:
    """Return triples in the form that `read_triples` reads, one a line.

    >>> print(triples_json([("a", "r", "b"), ("b", "r", "c")]))
    [["a", "r", "b"],
    ["b", "r", "c"]]
    """
    return f"[{_ROW.join(json.dumps(list(t), ensure_ascii=False) for t in triples)}]"


_ROW = ",\n"


def plain_name(name: str) -> str:
    """Return a name with underscores as spaces, and single spaces: data sets write both.

    >>> plain_name("Aarhus_Airport")
    'Aarhus Airport'
    """
    return " ".join(name.replace("_", " ").split())


def plain_triples(triples: Sequence[Triple]) -> list[Triple]:
    """Return triples with plain names of heads and tails; relations stay as they are."""
    return [(plain_name(head), relation, plain_name(tail)) for head, relation, tail in triples]
