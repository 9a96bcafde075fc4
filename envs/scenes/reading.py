"""From an assistant turn to the text of a scene, and from that to a `Scene`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphenv.fences import Asked, find_block
from graphenv.scenes import Scene, SceneObject, read_scene
from graphenv.text import ParsedTurn

__all__ = ["FORMS", "find_scene", "read_answer"]

FORMS = {"json": 'an object with "objects" and "relationships"', "triples": "a list of facts"}
_ASKED = Asked("a scene graph", ("json",), re.compile(r"[\[{]"))


def find_scene(turn: ParsedTurn) -> tuple[str | None, str]:
    """Return the text of the scene that a turn gives, or `None` and the reason why there is none.

    >>> from graphenv.text import parse_turn
    >>> find_scene(parse_turn("So:\\n```json\\n[]\\n```"))
    ('[]', '')
    >>> find_scene(parse_turn("There is a dog."))
    (None, 'no ```json block')
    """
    return find_block(turn, _ASKED)


def read_answer(text: str, form: str, given: Sequence[SceneObject]) -> tuple[Scene | None, str]:
    """Return the scene of a text in the form asked for (`json` or `triples`), or why there is none.

    >>> read_answer('[["dog"]]', "json", ())
    (None, 'an object with "objects" and "relationships" is asked for')
    """
    if text.startswith("[" if form == "json" else "{"):
        return None, f"{FORMS[form]} is asked for"
    return read_scene(text, given)
