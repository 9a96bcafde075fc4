"""From an assistant turn to the one text in it that counts: a caption, or reasons."""

from __future__ import annotations

import re

from graphenv.text import NO_BLOCK, ParsedTurn

__all__ = ["find_caption", "find_reasons"]

_NO_TOOLS = "there are no tools here"
_ANSWER = re.compile(r"<answer>.*?</answer>", re.IGNORECASE | re.DOTALL)


def find_caption(turn: ParsedTurn) -> tuple[str | None, str]:
    """Return a caption, or `None` and the reason why there is none.

    It stands in `<answer>` tags, or is all that the turn holds.

    >>> from graphenv.text import parse_turn
    >>> find_caption(parse_turn("<think>hm</think>There is a dog."))
    ('There is a dog.', '')
    """
    if turn.reason and turn.reason != NO_BLOCK:
        return None, turn.reason
    if turn.calls or turn.programs:
        return None, _NO_TOOLS if turn.calls else "a <program> block is not read here"
    text = turn.bare if turn.answer is None else turn.answer.content
    if text.strip():
        return text.strip(), ""
    reason = turn.answer.reason if turn.answer is not None else ""
    return None, reason or "there is no caption in it"


def find_reasons(turn: ParsedTurn) -> tuple[str | None, str]:
    """Return what stands beside the answer, or `None` and the reason why it cannot be read.

    >>> from graphenv.text import parse_turn
    >>> find_reasons(parse_turn('(dog: object)\\n<answer>["dog"]</answer>'))
    ('(dog: object)', '')
    """
    if turn.calls:
        return None, _NO_TOOLS
    if turn.reason:
        return None, "no <answer> block" if turn.reason == NO_BLOCK else turn.reason
    if turn.programs or turn.answer is None:
        return None, "a <program> block is not read here"
    if turn.answer.items is None:
        return None, turn.answer.reason
    return _ANSWER.sub("", turn.bare).strip(), ""
