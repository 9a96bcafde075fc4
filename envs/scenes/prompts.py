"""The words around a scene. A change here bumps the environment's version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from graphenv.envs.tools import ToolSpec
from graphenv.scenes import SceneObject
from graphenv.task import Message
from graphenv.text import format_call

__all__ = ["TRIPLES", "WORDS", "chat", "detection_lines", "opening_chat", "system_text"]

# The example is made up: "a rusty robot plays the french horn for two parrots, one of them blue".
_JSON = """\
```json
{"objects": [{"id": "robot.1", "attributes": ["rusty"]}, {"id": "french horn.1"}, \
{"id": "parrot.1", "attributes": ["blue"]}, {"id": "parrot.2"}], \
"relationships": [{"subject": "robot.1", "predicate": "play", "object": "french horn.1"}, \
{"subject": "robot.1", "predicate": "play for", "object": "parrot.1"}, \
{"subject": "robot.1", "predicate": "play for", "object": "parrot.2"}]}
```
An id is what an object is, with a number that counts those of one kind. List every object once."""
_BOXED = """\
```json
{"objects": [{"id": "robot.1", "bbox": [40, 12, 96, 130]}, {"id": "french horn.1", \
"bbox": [70, 48, 110, 140]}], "relationships": [{"subject": "robot.1", "predicate": "play", \
"object": "french horn.1"}]}
```
An id is what an object is, with a number that counts those of one kind. List every object once. \
"bbox" is [left, top, right, bottom] in pixels of the image."""
_BOXED_TOO = ' Attributes go beside it: "attributes": ["rusty"].'
TRIPLES = """\
```json
[["robot", "play", "french horn"], ["robot", "is", "rusty"], ["parrot"]]
```
A fact is [subject, relation, object], or [object, "is", attribute]; an object of which nothing \
else is told stands alone."""
_GIVEN_JSON = """\
```json
{"relationships": [{"subject": "robot.1", "predicate": "play", "object": "french horn.1"}]}
```"""
_GIVEN_TRIPLES = """\
```json
[["robot.1", "play", "french horn.1"]]
```"""

_TASK = "You turn {what} into a scene graph: the objects{attributes} and how they relate."
_GIVEN = "Objects of an image are listed with ids and boxes. You write how they relate."
_BOTH = " Write what the caption tells, nothing else; the image shows the same scene."
_CAPTION = " Write what the caption tells, nothing else."
WORDS = " Use the caption's words, verbs in their base form."
_IMAGE = " Write what the image shows."


def system_text(
    *,
    mode: str,
    answer: str,
    instructions: str,
    tools: Iterable[ToolSpec],
    captions: bool,
    given: bool,
    images: bool,
    boxes: bool,
    attributes: bool,
    relations: Sequence[str],
) -> str | None:
    """Return the instructions, the same for every task; `None` for the bare caption.

    `captions`, `given` (detected objects) and `images` say what is shown; `boxes` and `attributes`
    what is asked beside labels and relations; `relations` are those to choose from, if any.
    """
    if instructions == "none":
        return None
    form = "a JSON list of facts" if answer == "triples" else "JSON"
    known = f"\nRelations to choose from: {', '.join(relations)}." if relations else ""
    if instructions == "short":
        asked = "relations" if given else "scene graph"
        return f"Write the {asked} as {form} in one ```json block.{known}"
    what = "a caption" if captions else "an image"
    told = (
        _GIVEN if given else _TASK.format(what=what, attributes=", what they are like" * attributes)
    )
    if captions:
        told += (_BOTH if images else _CAPTION) + WORDS * (not relations)
    elif images and not given:
        told += _IMAGE
    example = _example(answer, given=given, boxes=boxes, attributes=attributes)
    if mode == "single":
        return f"{told} Answer with {form} in one block, in this form:\n{example}{known}"
    # Lists are told with commas there, which nobody could guess.
    details = {"attributes": "rusty, tall"} if attributes else {}
    details |= {"box": "40, 12, 96, 130"} if boxes else {}
    call = (
        format_call("add_relation", subject="robot.1", relation="play", object="french horn.1")
        if given
        else format_call("add_object", label="robot", **details)
    )
    listed = "\n".join(f"- {spec.usage}" for spec in tools)
    return (
        f"{told} Build the graph with tools. Call a tool by writing\n{call}\nand read what it "
        f"answers. End with submit. Tools:\n{listed}\nOr write the whole graph in one block, in a "
        f"turn without tool calls:\n{example}{known}"
    )


def _example(answer: str, *, given: bool, boxes: bool, attributes: bool) -> str:
    if given:
        return _GIVEN_TRIPLES if answer == "triples" else _GIVEN_JSON
    if boxes:
        return _BOXED + _BOXED_TOO * attributes
    return TRIPLES if answer == "triples" else _JSON


def detection_lines(objects: Sequence[SceneObject]) -> str:
    """Return the list of detected objects as a prompt shows it.

    >>> print(detection_lines([SceneObject("man.1", "man", (), (1.0, 2.0, 30.5, 40.0))]))
    man.1 [1, 2, 30.5, 40]
    """
    return "\n".join(
        thing.id if thing.box is None else f"{thing.id} {json.dumps(list(map(_short, thing.box)))}"
        for thing in objects
    )


def _short(number: float) -> float:
    return int(number) if float(number).is_integer() else round(number, 2)


def chat(
    caption: str, given: Sequence[SceneObject], image: str | None, system: str | None
) -> tuple[Message, ...]:
    """Return the opening chat of an episode: given objects, then the caption."""
    shown = [f"Objects:\n{detection_lines(given)}"] if given else []
    if caption:
        shown.append(caption if system is None and not given else f"Caption: {caption}")
    return opening_chat("\n\n".join(shown), image, system)


def opening_chat(text: str, image: str | None, system: str | None) -> tuple[Message, ...]:
    """Return a chat of instructions and the user's message, where an image goes before the text.

    With an image the content is a list of parts, the conversational form of TRL and transformers.
    """
    content: object = text
    if image is not None:
        parts: list[dict[str, str]] = [{"type": "image", "image": image}]
        content = [*parts, {"type": "text", "text": text}] if text else parts
    user: Message = {"role": "user", "content": content}
    return (user,) if system is None else ({"role": "system", "content": system}, user)
