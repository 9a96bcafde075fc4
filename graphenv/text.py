"""Text in and out: name normalisation, tolerant parsing of model text, strict bounds.

Model text is data. Nothing here evaluates it, and every parser is linear in its input after a
length cap, returns a value or a reason, and never raises on any string.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = [
    "MAX_ANSWER_ITEMS",
    "MAX_COMPLETION_CHARS",
    "NO_BLOCK",
    "ParsedAnswer",
    "ParsedCall",
    "ParsedTurn",
    "bounded",
    "format_answer",
    "format_call",
    "normalize",
    "parse_answer_items",
    "parse_json",
    "parse_turn",
    "readable",
    "text_of",
]

MAX_COMPLETION_CHARS = 200_000
MAX_ANSWER_ITEMS = 20_000
MAX_CALLS_PER_TURN = 64
MAX_JSON_DEPTH = 32
NO_BLOCK = "no <tool_call> and no <answer> block"

_SHORT = 256
_THINK = re.compile(r"<(/?)think>", re.IGNORECASE)
_SURROGATE = re.compile(r"\\ud|[\ud800-\udfff]", re.IGNORECASE)
_TAG = re.compile(r"<(/?)(answer|tool_call|think|program)>", re.IGNORECASE)


def normalize(name: str) -> str:
    """Return `name` in the form in which two spellings of one thing are equal.

    NFKC, case folding, whitespace collapsed; nothing else, so that "no" stays different from
    "know" and "Alien" from "Aliens".

    >>> normalize("  Caf\\u0065\\u0301  NOIR ")
    'café noir'
    """
    # Names come back many times (gold, predicted, every term); whole completions do not.
    return _normalized_short(name) if len(name) <= 200 else _normalized(name)


def _normalized(name: str) -> str:
    if name.isascii():  # NFKC changes nothing, casefold is lower
        return " ".join(name.lower().split())
    folded = unicodedata.normalize("NFKC", _stream_safe(name)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _stream_safe(text: str) -> str:
    """Break runs of more than 30 combining marks, as Unicode's stream-safe format does (UAX 15).

    Putting such a run in canonical order takes quadratic time: 200,000 marks would take a minute.
    """
    if len(text) <= _SHORT:
        return text
    pieces, run = [], 0
    for char in text:
        only, marks = _marks(char)
        if only and run + marks > 30:
            pieces.append("\u034f")
            run = 0
        run = run + marks if only else marks
        pieces.append(char)
    return "".join(pieces)


@lru_cache(maxsize=1 << 12)
def _marks(char: str) -> tuple[bool, int]:
    """Return whether a character is nothing but combining marks, and how many it ends in.

    Decomposed, as some are marks only then (Tibetan vowels, halfwidth voiced sound marks).
    """
    parts = unicodedata.normalize("NFKD", char)
    count = 0
    while count < len(parts) and unicodedata.combining(parts[-1 - count]):
        count += 1
    return count == len(parts), count


_normalized_short = lru_cache(maxsize=1 << 16)(_normalized)


def text_of(content: Any) -> str:
    """Return the content of a chat message as text: of parts the texts, and a mark for an image.

    >>> text_of([{"type": "image", "image": "a.png"}, {"type": "text", "text": "What is this?"}])
    '[image: a.png]\\nWhat is this?'
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return "" if content is None else str(content)
    return "\n".join(
        f"[image: {part.get('image', '')}]" if part.get("type") == "image" else str(part["text"])
        for part in content
    )


def bounded(text: str, limit: int) -> str:
    """Return `text`, or its first characters and a note on how many were left out.

    >>> bounded("abcdef", 4)
    'abcd... (2 more characters)'
    """
    if len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text) - limit} more characters)"


@dataclass(frozen=True, slots=True)
class ParsedCall:
    """One `<tool_call>`: a name with arguments, or a reason why there is none."""

    name: str | None
    arguments: dict[str, Any]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """The final `<answer>`: its items (distinct, in order), or a reason why there are none."""

    items: tuple[str, ...] | None
    text: str
    reason: str = ""

    @property
    def content(self) -> str:
        """The text of an answer that is one text: of a JSON list with one item, the item."""
        items = self.items or ()
        return items[0] if len(items) == 1 and self.text[0] in '["' else self.text


@dataclass(frozen=True, slots=True)
class ParsedTurn:
    """What one assistant turn asks for.

    Tool calls, a final answer, the bodies of `<program>` blocks, or none of them with a reason.
    `bare` is the text without thoughts, for families that take a turn as it is.
    """

    calls: tuple[ParsedCall, ...]
    answer: ParsedAnswer | None
    programs: tuple[str, ...] = ()
    bare: str = ""
    reason: str = ""


def format_call(name: str, /, **arguments: Any) -> str:
    """Return the text of one tool call.

    >>> format_call("follow", relation="directed_by")
    '<tool_call>{"name": "follow", "arguments": {"relation": "directed_by"}}</tool_call>'
    """
    body = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    # A name that holds a tag must not open or close one: in JSON "<" may stand as an escape.
    return "<tool_call>" + body.replace("<", "\\u003c") + "</tool_call>"


def readable(turn: str) -> str:
    """Return a turn as a person reads it, without the escapes of `format_call`; not to be parsed.

    >>> readable(format_call("run", query="RETURN 1 < 2"))
    '<tool_call>{"name": "run", "arguments": {"query": "RETURN 1 < 2"}}</tool_call>'
    """
    return turn.strip().replace("\\u003c", "<")


def format_answer(items: Sequence[str]) -> str:
    """Return the text of a final answer.

    >>> format_answer(["Heat", "Thief"])
    '<answer>["Heat", "Thief"]</answer>'
    """
    body = json.dumps(list(items), ensure_ascii=False)
    return "<answer>" + body.replace("<", "\\u003c") + "</answer>"


def _json_depth_ok(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return True
    depth = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                return False
        elif char in "]}":
            depth -= 1
    return True


def parse_json(text: str) -> tuple[Any, str]:
    """Return `(value, "")` or `(None, reason)`; never raises, whatever the text.

    >>> parse_json("[1, 2]"), parse_json("[NaN]")[1]
    (([1, 2], ''), 'not valid JSON: NaN is not a JSON value')
    >>> parse_json('{"a": 1, "a": 2}')[1]
    "not valid JSON: the key 'a' stands twice in one object"
    """
    if not _json_depth_ok(text):
        return None, f"JSON nested deeper than {MAX_JSON_DEPTH} levels"
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return None, f"not valid JSON: {error.msg} at character {error.pos}"
    except ValueError as error:  # NaN and friends, integers with thousands of digits
        return None, f"not valid JSON: {error}"
    return (_encodable(value) if _SURROGATE.search(text) else value), ""


def _encodable(value: Any) -> Any:
    """Return a JSON value with lone surrogates replaced: no tokenizer or file takes them."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of pairs; a key that stands twice has two values, and none is the right."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise ValueError(f"the key {bounded(twice, 40)!r} stands twice in one object")
    return found


# `json.loads` makes one per call.
_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_refuse_constant)


def parse_answer_items(text: str) -> tuple[tuple[str, ...] | None, str]:
    """Return the distinct items of an answer body in their order, or `(None, reason)`.

    A JSON list of strings or numbers is the form asked for. Text that is no JSON at all counts as
    one single item, because a model that writes `<answer>Heat</answer>` has answered.

    >>> parse_answer_items('["Heat", "heat", "Thief"]')
    (('Heat', 'Thief'), '')
    >>> parse_answer_items('Heat')
    (('Heat',), '')
    >>> parse_answer_items('{"a": 1}')
    (None, 'the answer is a JSON object; a JSON list of strings is asked for')
    """
    body = text.strip()
    if not body:
        return None, "the answer is empty"
    if body[0] in '[{"':
        value, reason = parse_json(body)
        if reason:
            return None, f"the answer is {reason}"
    else:
        value = body
    if isinstance(value, dict):
        return None, "the answer is a JSON object; a JSON list of strings is asked for"
    raw = value if isinstance(value, list) else [value]
    if len(raw) > MAX_ANSWER_ITEMS:
        return None, f"the answer lists {len(raw)} items; at most {MAX_ANSWER_ITEMS} are read"
    items: dict[str, str] = {}
    for item in raw:
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            kind = type(item).__name__
            return None, f"the answer holds a {kind}; only strings and numbers are read"
        key = normalize(str(item))
        if not key:
            return None, "the answer holds an empty string"
        items.setdefault(key, str(item))
    return tuple(items.values()), ""


def _parse_call(body: str) -> ParsedCall:
    value, reason = parse_json(body.strip())
    if reason:
        return ParsedCall(None, {}, f"the tool call is {reason}")
    if not isinstance(value, dict):
        return ParsedCall(None, {}, "the tool call is not a JSON object")
    name = value.get("name")
    arguments = value.get("arguments", {})
    if not isinstance(name, str) or not name:
        return ParsedCall(None, {}, 'the tool call has no "name"')
    if isinstance(arguments, str):  # OpenAI-style servers send the arguments as a JSON string
        arguments, reason = parse_json(arguments)
        if reason:
            return ParsedCall(None, {}, f'the "arguments" of {bounded(name, 60)} are {reason}')
    if not isinstance(arguments, dict):
        return ParsedCall(None, {}, f'the "arguments" of {bounded(name, 60)} are not an object')
    return ParsedCall(name, arguments)


def parse_turn(text: str) -> ParsedTurn:
    """Split one assistant turn into tool calls and a final answer.

    `<think>...</think>` is left out first. Tags are found by one left-to-right scan, so half tags,
    nested tags and a tag inside a tag have one defined reading: an opened block ends at the first
    tag after it, and only its own closing tag makes it well-formed. More than one `<answer>` block
    is malformed: a policy must not be able to hedge.

    >>> parse_turn('<tool_call>{"name": "back", "arguments": {}}</tool_call>').calls[0].name
    'back'
    >>> parse_turn('so <answer>["Heat"]</answer>').answer.items
    ('Heat',)
    >>> parse_turn("<answer>a</answer><answer>b</answer>").answer.reason
    'more than one <answer> block'
    """
    if len(text) > MAX_COMPLETION_CHARS:
        reason = f"the turn is longer than {MAX_COMPLETION_CHARS} characters"
        return ParsedTurn((), None, reason=reason)
    if _SURROGATE.search(text):
        text = text.encode("utf-8", "replace").decode()
    scan = _Scan()
    bare: list[str] = []
    # Chat templates of reasoning models open <think> in the prompt: the turn only closes it.
    cursor = _end_of_thought(text)
    opened: tuple[str, int] | None = None
    for match in _TAG.finditer(text, cursor):
        closing, tag = match.group(1) == "/", match.group(2).lower()
        if opened is not None and opened[0] == "think":
            if closing and tag == "think":
                opened, cursor = None, match.end()
            continue
        if opened is not None:
            kind, start = opened
            if closing and tag == kind:
                scan.block(kind, text[start : match.start()])
                opened = None
                continue
            scan.broken(kind, f"<{kind}> is not closed by </{kind}> before {match.group(0)}")
            opened = None
        if not closing:
            if tag == "think":
                bare.append(text[cursor : match.start()])
            opened = (tag, match.end())
    if opened is not None:
        scan.broken(opened[0], f"<{opened[0]}> is never closed")
    if opened is None or opened[0] != "think":
        bare.append(text[cursor:])
    return scan.turn("".join(bare).strip())


def _end_of_thought(text: str) -> int:
    """Return where the turn begins: after a thought that it closes without having opened it."""
    thought = _THINK.search(text)
    return thought.end() if thought is not None and thought.group(1) else 0


class _Scan:
    """What one scan over a turn has found so far."""

    def __init__(self) -> None:
        self.calls: list[ParsedCall] = []
        self.answers: list[ParsedAnswer] = []
        self.programs: list[str] = []
        self.reason = ""

    def block(self, kind: str, body: str) -> None:
        if kind == "tool_call":
            self.calls.append(_parse_call(body))
        elif kind == "answer":
            items, reason = parse_answer_items(body)
            self.answers.append(ParsedAnswer(items, body.strip(), reason))
        else:
            self.programs.append(body.strip())

    def broken(self, kind: str, reason: str) -> None:
        if kind == "tool_call":
            self.calls.append(ParsedCall(None, {}, reason))
        elif kind == "answer":
            self.answers.append(ParsedAnswer(None, "", reason))
        else:
            self.reason = self.reason or reason

    def turn(self, bare: str) -> ParsedTurn:
        if len(self.calls) > MAX_CALLS_PER_TURN:
            reason = f"more than {MAX_CALLS_PER_TURN} tool calls in one turn"
            return ParsedTurn((), None, reason=reason)
        answer = self.answers[0] if self.answers else None
        if len(self.answers) > 1:
            answer = ParsedAnswer(None, "", "more than one <answer> block")
        reason = self.reason
        if not self.calls and answer is None and not self.programs and not reason:
            reason = NO_BLOCK
        return ParsedTurn(tuple(self.calls), answer, tuple(self.programs), bare, reason)
