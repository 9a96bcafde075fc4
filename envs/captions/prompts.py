"""The words around a draft and around a question. A change here bumps the environment's version."""

from __future__ import annotations

import json
from collections.abc import Sequence

from graphenv.envs.scenes.prompts import TRIPLES, WORDS, detection_lines, opening_chat
from graphenv.scenes import Scene, SceneObject, scene_json
from graphenv.task import Message

__all__ = ["again", "chat", "scene_text", "system_text"]

_JSON = """\
```json
{"objects": [{"id": "robot.1", "attributes": ["rusty"]}, {"id": "french horn.1"}], \
"relationships": [{"subject": "robot.1", "predicate": "play", "object": "french horn.1"}]}
```
An id is what an object is, with a number that counts those of one kind. List every object once."""
_GRAPH = {
    "planted": (
        "You correct a scene graph: the objects, what they are like and how they relate. {where} "
        "The draft may hold mistakes: things that are wrong, too much or missing. Write the whole "
        "corrected graph; leave what is right as it is. Answer in one block, in this form:\n{form}"
    ),
    "own": (
        "You turn {what} into a scene graph: the objects, what they are like and how they relate. "
        "{where} You write it twice: a draft first, then the draft corrected. Answer in one block "
        "each time, in this form:\n{form}"
    ),
}
_WHERE = {
    "caption": "The caption tells what is true.",
    "image": "The image shows what is true.",
    "both": "The caption tells what is true; the image shows the same scene.",
}
_CAPTION = {
    "planted": (
        "You correct a caption of a scene. The scene graph tells what is true, and a caption tells "
        "all of it. The draft may hold mistakes: things that are wrong, too much or missing. Write "
        "the corrected caption between <answer> and </answer>, in sentences such as those of the "
        "draft. {style}"
    ),
    "own": (
        "You write a caption that tells all of a scene graph and nothing else. You write it twice: "
        "a draft first, then the draft corrected, between <answer> and </answer> each time. {style}"
    ),
}
_PLAIN = "Write one short sentence for each fact."
_EMBEDDED = (
    "Use plain sentences, such as: The scene contains a red mug and two dogs. The first dog is "
    "left of the mug. The second dog is small."
)
_REASONING = """\
You answer a question about a scene. First state the facts that the answer follows from, one a \
line and nothing else:
(name: object) for an object, once for each of that name; (name: attribute) for what one is like;
(head, relation, tail) for how they relate; an object has an attribute by the relation "is".
Then answer with a JSON list: names of objects, an attribute, a number in digits, "yes" or "no". \
For "What does the rusty robot play?" this is
(robot: object)
(rusty: attribute)
(french horn: object)
(robot, is, rusty)
(robot, play, french horn)
<answer>["french horn"]</answer>"""
_SHORT = {
    "graph": "Write the corrected scene graph in one ```json block.",
    "caption": "Write the corrected caption between <answer> and </answer>.",
    "reasoning": "Write facts as (name: type) and (head, relation, tail), then "
    '<answer>["..."]</answer>.',
}
_AGAIN = {
    "graph": "Compare your draft with the {shown}. Write the whole corrected graph in one block.",
    "caption": "Compare your draft with the scene graph. Write the whole corrected caption.",
}
_SHOWN = {"caption": "caption", "image": "image", "both": "caption"}


def system_text(
    *,
    mode: str,
    draft: str,
    form: str,
    answer: str,
    instructions: str,
    shown: str,
    embedded: bool,
    relations: Sequence[str],
) -> str | None:
    """Return the instructions, the same for every task; `None` for draft or question alone.

    `shown` is `caption`, `image` or `both`; `embedded` whether captions have an exact grammar;
    `relations` are those to choose from, if there is a closed list.
    """
    if instructions == "none":
        return None
    if form == "caption" and mode == "correct":
        style = _EMBEDDED if embedded else _PLAIN
        return _SHORT[form] if instructions == "short" else _CAPTION[draft].format(style=style)
    known = f"\nRelations to choose from: {', '.join(relations)}." if relations else ""
    if instructions == "short":
        return _SHORT["reasoning" if mode == "reasoning" else form] + known
    if mode == "reasoning":
        return _REASONING + known
    what = "a caption" if shown != "image" else "an image"
    where = _WHERE[shown] + WORDS * (not relations and shown != "image")
    example = TRIPLES if answer == "triples" else _JSON
    return _GRAPH[draft].format(what=what, where=where, form=example) + known


def again(form: str, shown: str) -> str:
    """Return what is said between the two turns of an own draft."""
    return _AGAIN[form].format(shown=_SHOWN[shown])


def scene_text(scene: Scene, answer: str) -> str:
    """Return a scene in the form of an answer, `json` or `triples`.

    >>> scene_text(Scene.from_triples([("dog",)]), "triples")
    '[["dog"]]'
    """
    if answer == "triples":
        return json.dumps([list(fact) for fact in scene.facts], ensure_ascii=False)
    return scene_json(scene, boxes=False)


def chat(
    parts: Sequence[tuple[str, str]],
    given: Sequence[SceneObject],
    image: str | None,
    system: str | None,
) -> tuple[Message, ...]:
    """Return the opening chat: what is shown under its headings, an image before it."""
    shown = [(head, text) for head, text in parts if text]
    if given:
        shown.insert(0, ("Objects", detection_lines(given)))
    text = "\n\n".join(
        f"{head}:\n{text}" if "\n" in text or text[0] in "[{" else f"{head}: {text}"
        for head, text in shown
    )
    return opening_chat(text, image, system)
