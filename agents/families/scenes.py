"""How scene graphs are played: the gold graph, nested mistakes in it, random graphs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from graphenv.agents.base import Agent
from graphenv.agents.families.base import Family, RandomTurns
from graphenv.agents.families.scene_mistakes import with_mistakes
from graphenv.envs.scenes.building import Builder
from graphenv.envs.scenes.env import SceneGraphEnv
from graphenv.envs.scenes.session import PublicScene
from graphenv.fences import fenced
from graphenv.scenes import Scene, SceneObject, SceneRelation, scene_json
from graphenv.text import MAX_CALLS_PER_TURN, format_call, normalize

__all__ = ["SceneFamily", "scene_answer"]

MAX_LISTED = 2_000


class SceneFamily(Family):
    """One JSON answer; in steps mode the calls that build the graph, and `submit`."""

    env: SceneGraphEnv

    def gold(self, index: int) -> list[str]:
        """Return the gold scene graph, as an answer or as calls."""
        return self.turns(self._gold(index), self.env.scene_source.detections(index))

    def planted(self, index: int, errors: int) -> list[str]:
        """Return the gold with mistakes (see `with_mistakes`)."""
        source = self.env.scene_source
        given = source.detections(index)
        dangling = self.env.answer == "json"
        scene = with_mistakes(
            self._gold(index),
            source.vocabulary,
            errors,
            source[index].id,
            given=bool(given),
            dangling=dangling,
        )
        return self.turns(scene, given)

    def random(self, world: Any, seed: int, max_moves: int) -> Agent:
        """Return a policy that writes 1 to `max_moves` random relations between random objects."""
        return RandomTurns(seed, partial(self._drawn, world, max_moves))

    def _drawn(self, world: PublicScene, moves: int, draw: np.random.Generator) -> list[str]:
        given, words = world.given, world.vocabulary

        def pick(items: Sequence[Any]) -> Any:
            return items[int(draw.integers(len(items)))]

        count = 1 + int(draw.integers(moves))
        if given:
            things = [replace(thing, attributes=()) for thing in given]
        else:
            labels = list(dict.fromkeys(pick(words.labels) for _ in range(count + 1)))
            some = [(pick(words.attributes),) if words.attributes else () for _ in labels]
            things = [
                SceneObject(f"{label}.1", label, attributes if draw.random() < 0.5 else ())
                for label, attributes in zip(labels, some, strict=True)
            ]
        relations = {
            (pick(range(len(things))), pick(words.relations), pick(range(len(things))))
            for _ in range(count if words.relations else 0)
        }
        scene = Scene(tuple(things), tuple(SceneRelation(*move) for move in sorted(relations)))
        return self.turns(scene, given)

    def everything(self, index: int) -> list[str]:
        """Return every relation that can be said in the words of the prompt, up to a bound.

        Each word of the caption (of the vocabulary, where objects are given) is tried as relation
        between each two words (objects), and as attribute of each.
        """
        world: PublicScene = self.env.begin(index).world
        words = list(dict.fromkeys(normalize(world.caption).split()))
        if world.given:
            names = [thing.id for thing in world.given]
            words = list(world.vocabulary.relations)
        else:
            words = words or list(world.vocabulary.labels[:30])
            names = words
        triples = (
            [head, word, tail] for head, tail, word in product(names, names, words) if head != tail
        )
        listed = [triple for triple, _ in zip(triples, range(MAX_LISTED), strict=False)]
        if self.env.answer == "triples":
            attributes = [[n, "is", w] for n, w in product(names, words)][:MAX_LISTED]
            return [json.dumps([*listed, *(() if world.given else attributes)])]
        objects = [] if world.given else [{"id": f"{n}.1", "attributes": words[:50]} for n in names]
        end = "" if world.given else ".1"
        relations = [
            {"subject": f"{h}{end}", "predicate": r, "object": f"{t}{end}"} for h, r, t in listed
        ]
        return [json.dumps({"objects": objects, "relationships": relations})]

    def turns(self, scene: Scene, given: Sequence[SceneObject]) -> list[str]:
        """Return the turns that give a scene: an answer, or the calls and `submit`.

        What calls cannot say (an attribute with a comma) or turns cannot hold is an answer.
        """
        calls = list(_calls(scene, given, boxes=self.env.boxes)) if self.env.tools else []
        if not self.env.tools or None in calls:
            return [scene_answer(scene, self.env.answer, given, boxes=self.env.boxes)]
        told = [*map(str, calls), format_call("submit")]
        size = -(-len(told) // self.env.max_turns)
        if size > MAX_CALLS_PER_TURN:
            return [scene_answer(scene, self.env.answer, given, boxes=self.env.boxes)]
        return ["".join(told[at : at + size]) for at in range(0, len(told), size)]

    def _gold(self, index: int) -> Scene:
        gold = self.env.target(self.env.source[index]).target.scene
        assert gold is not None
        return gold


def scene_answer(
    scene: Scene, answer: str, given: Sequence[SceneObject] = (), *, boxes: bool = False
) -> str:
    """Return a scene in the block that the environment asks for.

    >>> print(scene_answer(Scene.from_triples([("man", "ride", "horse")]), "triples"))
    ```json
    [["man", "ride", "horse"]]
    ```
    """
    value: Any
    if given:
        listed = {thing.id for thing in given}
        names = [o.id for o in scene.objects]
        triples = [[names[r.head], r.relation, names[r.tail]] for r in scene.relations]
        triples += map(list, scene.dangling)
        if answer == "triples":
            value = triples
        else:
            new = [{"id": name} for name in names if name not in listed]
            value = {"objects": new} if new else {}
            value["relationships"] = [_relationship(*triple) for triple in triples]
    elif answer == "triples":
        value = [list(fact) for fact in scene.facts]
    else:
        value = json.loads(scene_json(scene, boxes=boxes))
        value["relationships"] += [_relationship(*triple) for triple in scene.dangling]
    text = json.dumps(value, ensure_ascii=False)
    # A label that holds a tag or a fence must not open or close one.
    return fenced(text.replace("<", "\\u003c").replace("`", "\\u0060"), "json")


def _relationship(subject: str, predicate: str, object: str) -> dict[str, str]:
    return {"subject": subject, "predicate": predicate, "object": object}


def _calls(scene: Scene, given: Sequence[SceneObject], *, boxes: bool) -> Iterator[str | None]:
    """Yield the calls that build a scene, `None` for what no call can say."""
    builder = Builder(given)
    listed = {thing.id for thing in given}
    names: list[str] = []
    for thing in scene.objects:
        if thing.id in listed:
            names.append(thing.id)
            continue
        if listed:  # where objects are given, no call adds another
            names.append("")
            yield None
            continue
        name, _ = builder.add_object(thing.label, thing.attributes, thing.box if boxes else None)
        names.append(name or "")
        if name is None or any("," in attribute for attribute in thing.attributes):
            yield None
            continue
        told = {"attributes": ", ".join(thing.attributes)} if thing.attributes else {}
        if boxes and thing.box is not None:
            told["box"] = ", ".join(f"{x:.12g}" for x in thing.box)
        yield format_call("add_object", label=thing.label, **told)
    triples = [(names[r.head], r.relation, names[r.tail]) for r in scene.relations]
    for head, relation, tail in (*triples, *scene.dangling):
        yield format_call("add_relation", subject=head, relation=relation, object=tail)
