"""`Builder`: a scene that is built object by object and relation by relation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graphenv.errors import did_you_mean
from graphenv.scenes import MAX_OBJECTS, MAX_RELATIONS, Box, Scene, SceneObject, SceneRelation
from graphenv.scenes.reading import label_reason
from graphenv.text import bounded, normalize

__all__ = ["MAX_ATTRIBUTES", "Builder"]

MAX_ATTRIBUTES = 50
_SHOWN = 60


class Builder:
    """A scene in the making. Ids are never given twice, so that they mean one thing all along.

    Parameters
    ----------
    given
        Objects known beforehand; those that a relation names are in the scene.

    >>> builder = Builder()
    >>> builder.add_object("man", ("tall",), None), builder.add_object("horse", (), None)
    (('man.1', ''), ('horse.1', ''))
    >>> builder.add_relation("man.1", "ride", "horse.1")
    ('r1', '')
    >>> builder.scene().facts
    (('man', 'is', 'tall'), ('man', 'ride', 'horse'))
    """

    def __init__(self, given: Iterable[SceneObject] = ()) -> None:
        self._given = {thing.id: replace(thing, attributes=()) for thing in given}
        self._objects: dict[str, SceneObject] = {}
        self._relations: dict[str, tuple[str, str, str]] = {}
        self._counts: dict[str, int] = {}
        self._made = 0
        self._scene: Scene | None = None

    def scene(self) -> Scene:
        """Return the scene so far."""
        if self._scene is None:
            ends = (end for head, _, tail in self._relations.values() for end in (head, tail))
            named = {end: self._given[end] for end in ends if end in self._given}
            things = {**self._objects, **named}
            place = {name: at for at, name in enumerate(things)}
            self._scene = Scene(
                tuple(things.values()),
                tuple(SceneRelation(place[h], r, place[t]) for h, r, t in self._relations.values()),
            )
        return self._scene

    def add_object(
        self, label: str, attributes: tuple[str, ...], box: Box | None
    ) -> tuple[str | None, str]:
        """Return (id, ""), or `None` and the reason why it was not added."""
        for word in (label, *attributes):
            reason = label_reason(word)
            if reason:
                return None, reason
        if len(attributes) > MAX_ATTRIBUTES:
            return None, f"{len(attributes)} attributes; at most {MAX_ATTRIBUTES} are read"
        if len(self._objects) >= MAX_OBJECTS:
            return None, f"there are {MAX_OBJECTS} objects already; no more are read"
        label = " ".join(label.split())
        name = ""
        while not name or name in self._given:
            count = self._counts[normalize(label)] = self._counts.get(normalize(label), 0) + 1
            name = f"{label}.{count}"
        self._objects[name] = SceneObject(name, label, attributes, box)
        self._scene = None
        return name, ""

    def add_relation(self, head: str, relation: str, tail: str) -> tuple[str | None, str]:
        """Return (id, ""), or `None` and the reason why it was not added."""
        for end in (head, tail):
            if end not in self._objects and end not in self._given:
                known = [*self._objects, *self._given]
                hint = did_you_mean(end, known) if known else " Add it with add_object first."
                return None, f"there is no object {bounded(end, _SHOWN)!r}.{hint}"
        reason = label_reason(relation)
        if reason:
            return None, f"the relation is {reason}"
        key = (head, normalize(relation), tail)
        for name, (h, r, t) in self._relations.items():
            if (h, normalize(r), t) == key:
                return None, f"this relation is there already, as {name}"
        if len(self._relations) >= MAX_RELATIONS:
            return None, f"there are {MAX_RELATIONS} relations already; no more are read"
        self._made += 1
        name = f"r{self._made}"
        self._relations[name] = (head, relation, tail)
        self._scene = None
        return name, ""

    def remove(self, name: str) -> tuple[int, str]:
        """Return (how many relations went with it, ""), or 0 and the reason why nothing went."""
        if name in self._relations:
            del self._relations[name]
            self._scene = None
            return 1, ""
        if name not in self._objects:
            known = [*self._objects, *self._relations]
            hint = did_you_mean(name, known) if known else " The graph is empty."
            return 0, f"there is nothing called {bounded(name, _SHOWN)!r} to remove.{hint}"
        del self._objects[name]
        gone = [key for key, (h, _, t) in self._relations.items() if name in (h, t)]
        for key in gone:
            del self._relations[key]
        self._scene = None
        return len(gone), ""
