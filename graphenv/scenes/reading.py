"""From model text to a `Scene`, strictly: a scene, or a reason why there is none; and back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphenv.scenes.model import Box, Scene, SceneObject, SceneRelation
from graphenv.text import bounded, normalize, parse_json

__all__ = [
    "MAX_LABEL",
    "MAX_OBJECTS",
    "MAX_RELATIONS",
    "label_reason",
    "read_box",
    "read_scene",
    "scene_json",
]

MAX_OBJECTS = 1_000
MAX_RELATIONS = 5_000
MAX_LABEL = 200
_MAX_PIXEL = 1e6

_NUMBERED = re.compile(r"(.+)\.(\d+)")
_KEYS = {"id", "label", "attributes", "bbox"}
_RELATION_KEYS = {"subject", "predicate", "object"}


def read_scene(text: str, given: Sequence[SceneObject] = ()) -> tuple[Scene | None, str]:
    """Return `(scene, "")`, or `(None, reason)`; never raises, whatever the text.

    Two forms. An object with boxes and attributes that may be left out:
    `{"objects": [{"id": "man.1", "attributes": ["tall"], "bbox": [1, 2, 30, 40]}, ...],
    "relationships": [{"subject": "man.1", "predicate": "rides", "object": "horse.2"}, ...]}`, where
    an id is a label with a number behind it (or `label` says what it is); or a list of facts
    `[["man", "ride", "horse"], ["horse", "is", "brown"], ["tree"]]`, in which a name is one object.

    Repeated ids, labels that are no strings or empty, unknown keys and boxes that are no four
    finite numbers in order are refused. A relation of which an end is not listed is kept as
    `dangling`, which costs what a wrong one costs.

    `given` are objects that are known beforehand, as detections are: their ids may be used without
    listing them, in both forms, and a scene holds those of them that its text names. The list of
    objects may then be left out.

    Source of the first form: R1-SGG, arXiv 2504.13617.

    >>> scene, reason = read_scene('[["man", "ride", "horse"], ["horse", "is", "brown"]]')
    >>> scene.facts
    (('horse', 'is', 'brown'), ('man', 'ride', 'horse'))
    >>> read_scene('{"objects": [{"id": "man.1"}, {"id": "man.1"}], "relationships": []}')[1]
    "two objects have the id 'man.1'"
    """
    value, reason = parse_json(text.strip())
    if reason:
        return None, reason
    known = {thing.id: thing for thing in given}
    if isinstance(value, list):
        return _from_facts(value, known)
    if isinstance(value, dict):
        return _from_object(value, known)
    return None, f"a JSON {_kind(value)}; an object or a list of facts is asked for"


def scene_json(scene: Scene, *, boxes: bool = True) -> str:
    """Return a scene in the form that `read_scene` reads; ids are kept where they are distinct.

    >>> scene_json(Scene.from_triples([("man", "ride", "horse")]))
    '{"objects": [{"id": "man.1"}, {"id": "horse.1"}], "relationships": [{"subject": "man.1", \
"predicate": "ride", "object": "horse.1"}]}'
    """
    counts: dict[str, int] = {}
    names = []
    for thing in scene.objects:
        counts[thing.label] = counts.get(thing.label, 0) + 1
        names.append(f"{thing.label}.{counts[thing.label]}")
    objects = []
    for name, thing in zip(names, scene.objects, strict=True):
        entry: dict[str, Any] = {"id": name}
        if thing.attributes:
            entry["attributes"] = list(thing.attributes)
        if boxes and thing.box is not None:
            entry["bbox"] = [int(x) if float(x).is_integer() else x for x in thing.box]
        objects.append(entry)
    relations = [
        {"subject": names[r.head], "predicate": r.relation, "object": names[r.tail]}
        for r in scene.relations
    ]
    return json.dumps({"objects": objects, "relationships": relations}, ensure_ascii=False)


# -- facts ------------------------------------------------------------------------------------


def _from_facts(value: list[Any], given: Mapping[str, SceneObject]) -> tuple[Scene | None, str]:
    if len(value) > MAX_RELATIONS:
        return None, f"{len(value)} facts; at most {MAX_RELATIONS} are read"
    facts = []
    for item in value:
        if not isinstance(item, list) or len(item) not in (1, 3):
            return None, "a fact is a list of one or three strings"
        for part in item:
            reason = label_reason(part)
            if reason:
                return None, reason
        facts.append(tuple(item))
    scene = Scene.from_triples(facts)
    if len(scene.objects) > MAX_OBJECTS:
        return None, f"{len(scene.objects)} objects; at most {MAX_OBJECTS} are read"
    if not given:
        return scene, ""
    names = {normalize(name): thing for name, thing in given.items()}
    objects = []
    for thing in scene.objects:
        meant = names.get(normalize(thing.label))
        objects.append(thing if meant is None else replace(meant, attributes=thing.attributes))
    return replace(scene, objects=tuple(objects)), ""


# -- objects and relationships ----------------------------------------------------------------


def _from_object(
    value: dict[str, Any], given: Mapping[str, SceneObject]
) -> tuple[Scene | None, str]:
    unknown = value.keys() - {"objects", "relationships"}
    if unknown:
        return None, f"unknown key {bounded(min(unknown), 40)!r}"
    objects = value.get("objects", [] if given else None)
    relations = value.get("relationships", [])
    if not isinstance(objects, list):
        return None, '"objects" is not a list'
    if not isinstance(relations, list):
        return None, '"relationships" is not a list'
    for what, items, most in (
        ("objects", objects, MAX_OBJECTS),
        ("relationships", relations, MAX_RELATIONS),
    ):
        if len(items) > most:
            return None, f"{len(items)} {what}; at most {most} are read"
    found: dict[str, SceneObject] = {}
    for item in objects:
        thing, reason = _object(item, given)
        if thing is None:
            return None, reason
        if thing.id in found:
            return None, f"two objects have the id {bounded(thing.id, 60)!r}"
        found[thing.id] = thing
    triples = []
    for item in relations:
        triple, reason = _relation(item)
        if triple is None:
            return None, reason
        triples.append(triple)
        for end in triple[::2]:
            if end in given:
                found.setdefault(end, replace(given[end], attributes=()))
    index = {name: at for at, name in enumerate(found)}
    edges: list[SceneRelation] = []
    dangling: list[tuple[str, str, str]] = []
    for triple in triples:
        head, relation, tail = triple
        if head in index and tail in index:
            edges.append(SceneRelation(index[head], relation, index[tail]))
        else:
            dangling.append(triple)
    return Scene(tuple(found.values()), tuple(edges), dangling=tuple(dangling)), ""


def _object(item: Any, given: Mapping[str, SceneObject]) -> tuple[SceneObject | None, str]:
    if not isinstance(item, dict):
        return None, f"an object is a JSON {_kind(item)}; an object with an id is asked for"
    unknown = item.keys() - _KEYS
    if unknown:
        return None, f"an object has the unknown key {bounded(min(unknown), 40)!r}"
    name = item.get("id")
    reason = label_reason(name)
    if reason:
        return None, f"the id of an object: {reason}"
    assert isinstance(name, str)
    numbered = _NUMBERED.fullmatch(name)
    known = given.get(name)
    derived = numbered[1] if numbered else name
    label: Any = item.get("label", derived if known is None else known.label)
    reason = label_reason(label)
    if reason:
        return None, f"the label of {bounded(name, 60)!r}: {reason}"
    given = item.get("attributes", [])
    if not isinstance(given, list) or len(given) > MAX_LABEL:
        return None, f"the attributes of {bounded(name, 60)!r} are no list of strings"
    for attribute in given:
        reason = label_reason(attribute)
        if reason:
            return None, f"an attribute of {bounded(name, 60)!r}: {reason}"
    box, reason = read_box(item.get("bbox"))
    if reason:
        return None, f"the bbox of {bounded(name, 60)!r} {reason}"
    if box is None and known is not None:
        box = known.box
    return SceneObject(name, label, tuple(given), box), ""


def _relation(item: Any) -> tuple[tuple[str, str, str] | None, str]:
    if not isinstance(item, dict) or item.keys() != _RELATION_KEYS:
        return None, 'a relationship has exactly the keys "subject", "predicate", "object"'
    triple = (item["subject"], item["predicate"], item["object"])
    for part in triple:
        reason = label_reason(part)
        if reason:
            return None, f"a relationship: {reason}"
    return triple, ""


def read_box(value: Any) -> tuple[Box | None, str]:
    """Return the box of a JSON value (`None` for null), or `None` and what it is not.

    >>> read_box([1, 2, 30, 40]), read_box([30, 2, 1, 40])[1]
    (((1.0, 2.0, 30.0, 40.0), ''), 'is not [left, top, right, bottom] with left < right and top < \
bottom')
    """
    if value is None:
        return None, ""
    if not isinstance(value, list) or len(value) != 4:
        return None, "is no list of four numbers"
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int | float):
            return None, f"holds a {_kind(number)}"
        if not abs(number) <= _MAX_PIXEL or not math.isfinite(number):
            return None, f"holds a number beyond {_MAX_PIXEL:g}"
    left, top, right, bottom = map(float, value)
    if not (left < right and top < bottom):
        return None, "is not [left, top, right, bottom] with left < right and top < bottom"
    return (left, top, right, bottom), ""


def label_reason(value: Any) -> str:
    """Return why a JSON value is no label, "" if it is one.

    >>> label_reason("man"), label_reason(3), label_reason(" ")
    ('', 'a number where a string is asked for', 'an empty string')
    """
    if not isinstance(value, str):
        return f"a {_kind(value)} where a string is asked for"
    if len(value) > MAX_LABEL:
        return f"a string of {len(value)} characters; at most {MAX_LABEL} are read"
    return "" if normalize(value) else "an empty string"


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
