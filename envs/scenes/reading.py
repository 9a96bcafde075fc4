"""From an assistant turn to the text of a scene, and from that to a `Scene`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphenv.fences import fenced_blocks
from graphenv.scenes import Scene, SceneObject, read_scene
from graphenv.text import NO_BLOCK, ParsedTurn

__all__ = ["FORMS", "find_scene", "read_answer"]

FORMS = {"json": 'an object with "objects" and "relationships"', "triples": "a list of facts"}
_OPENING = re.compile(r"[\[{]")
_ANSWER = re.compile(r"</?answer>", re.I)


def find_scene(turn: ParsedTurn) -> tuple[str | None, str]:
    """Return the text of the scene that a turn gives, or `None` and the reason why there is none.

    It stands in one fenced block, in `<answer>` tags, or is all that the turn holds. More than one
    is a hedge, which is malformed.

    >>> from graphenv.text import parse_turn
    >>> find_scene(parse_turn("So:\\n```json\\n[]\\n```"))
    ('[]', '')
    >>> find_scene(parse_turn("There is a dog."))
    (None, 'no ```json block')
    """
    if turn.reason and turn.reason != NO_BLOCK:
        return None, turn.reason
    if turn.programs:
        return None, "a <program> block is not read here"
    body = turn.bare
    if turn.answer is not None:
        body = turn.answer.text
        if not body:
            return None, turn.answer.reason or "the answer is empty"
        items = turn.answer.items or ()
        if len(items) == 1 and body[0] in '["':  # a list of one text, as `format_answer` writes it
            body = items[0]
    blocks = _blocks(body)
    if turn.answer is not None and _beside(turn.bare):
        return None, "a block beside the answer; write exactly one"
    if len(blocks) > 1:
        return None, f"{len(blocks)} fenced blocks; write exactly one"
    if not blocks:
        text = body.strip()
        if turn.answer is None and not _OPENING.match(text):
            return None, "no ```json block"
        return (text, "") if text else (None, "the answer is empty")
    mark, found = blocks[0]
    if found is None:
        return None, "the block is never closed"
    if mark and mark.lower() != "json":
        return None, f"the block is marked as {mark[:20]!r}; json is asked for"
    return (found.strip(), "") if found.strip() else (None, "the block is empty")


def _blocks(text: str) -> list[tuple[str, str | None]]:
    return fenced_blocks(text, ("json",), _OPENING.match)


def _beside(text: str) -> bool:
    """Return whether a turn with answer tags has a block outside of them."""
    outside = "".join(_ANSWER.split(text)[::2])
    return any(content is None or content.strip() for _, content in _blocks(outside))


def read_answer(text: str, form: str, given: Sequence[SceneObject]) -> tuple[Scene | None, str]:
    """Return the scene of a text in the form asked for (`json` or `triples`), or why there is none.

    >>> read_answer('[["dog"]]', "json", ())
    (None, 'an object with "objects" and "relationships" is asked for')
    """
    if text.startswith("[" if form == "json" else "{"):
        return None, f"{FORMS[form]} is asked for"
    return read_scene(text, given)
