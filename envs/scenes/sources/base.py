"""What a source of scenes offers: tasks, and what an agent is shown of them beside a caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from graphenv.envs.sources import Source
from graphenv.scenes import Scene, SceneObject, SceneRelation
from graphenv.scenes.model import IS
from graphenv.seeding import sample
from graphenv.task import Message, Target, Task

__all__ = ["SceneSource", "SceneVocabulary", "related", "scene_task", "vocabulary_of"]

_SAMPLED = 256


class SceneVocabulary(NamedTuple):
    """The words of a source: labels of objects, attributes, relations. Says nothing of a task."""

    labels: tuple[str, ...]
    attributes: tuple[str, ...]
    relations: tuple[str, ...]


class SceneSource(Source):
    """A sequence of scenes to be told as graphs.

    `source[i]` has the caption as its one message ("" where there is none), the gold as
    `target.scene` and `target.graph`, and in `meta` at least `caption`.
    """

    def __init__(self, split: str) -> None:
        super().__init__(split)
        self._vocabulary: SceneVocabulary | None = None

    @property
    def provides(self) -> frozenset[str]:
        """The facts about the target that its tasks carry."""
        return frozenset({"target.graph", "target.scene"})

    @property
    def has_boxes(self) -> bool:
        """Whether the objects of gold scenes have boxes."""
        return False

    @property
    def has_images(self) -> bool:
        """Whether `image(i)` is a file for every task."""
        return False

    @property
    def has_attributes(self) -> bool:
        """Whether gold scenes tell what objects are like."""
        return True

    @property
    def relation_names(self) -> tuple[str, ...]:
        """The relations to choose from, where there is a closed list of them: prompts show it."""
        return ()

    def image(self, index: int) -> str | None:
        """Return the path of the image of task `index`, `None` if there is none.

        An image that is drawn is drawn on first use, into the cache folder.
        """
        return None

    def detections(self, index: int) -> tuple[SceneObject, ...]:
        """Return the objects that an agent is shown, with ids and boxes; () where it finds them."""
        return ()

    def questions(self, index: int) -> Sequence[Any]:
        """Return questions about the scene of task `index`, () where a source asks none.

        Each has `text`, `answer` (a tuple of str) and `rationale` (a `Graph`).
        """
        return ()

    @property
    def vocabulary(self) -> SceneVocabulary:
        """The words of its scenes, for random play; by default those of some hundred tasks."""
        if self._vocabulary is None:
            places = sample(len(self), _SAMPLED, "scene vocabulary", self.split)
            scenes = [self[i].target.scene for i in places]
            found = vocabulary_of([scene for scene in scenes if scene is not None])
            closed = self.relation_names
            self._vocabulary = found._replace(relations=closed) if closed else found
        return self._vocabulary


def scene_task(*, id: str, index: int, caption: str, scene: Scene, **meta: object) -> Task:
    """Return the task of a scene: the caption as the only message, gold in the target.

    >>> task = scene_task(id="x", index=0, caption="a dog", scene=Scene.from_triples([("dog",)]))
    >>> task.messages[0]["content"], task.meta
    ('a dog', {'caption': 'a dog'})
    """
    message: Message = {"role": "user", "content": caption}
    target = Target(scene=scene, graph=scene.graph)
    known = {"caption": caption, **meta}
    return Task(id=id, index=index, messages=(message,), target=target, meta=known)


def related(scene: Scene) -> Scene:
    """Return the relations of a scene with the objects in them: what is asked of given objects.

    An object in no relation would be right without a word, as it is given.

    >>> related(Scene.from_triples([("man", "ride", "horse"), ("tree",)])).facts
    (('man', 'ride', 'horse'),)
    """
    ends = sorted({end for r in scene.relations for end in (r.head, r.tail)})
    place = {end: at for at, end in enumerate(ends)}
    return replace(
        scene,
        objects=tuple(replace(scene.objects[end], attributes=()) for end in ends),
        relations=tuple(
            SceneRelation(place[r.head], r.relation, place[r.tail]) for r in scene.relations
        ),
    )


def vocabulary_of(scenes: Sequence[Scene]) -> SceneVocabulary:
    """Return the sorted words of scenes.

    >>> vocabulary_of([Scene.from_triples([("man", "ride", "horse"), ("horse", "is", "brown")])])
    SceneVocabulary(labels=('horse', 'man'), attributes=('brown',), relations=('ride',))
    """
    labels = {thing.label for scene in scenes for thing in scene.objects}
    attributes = {a for scene in scenes for thing in scene.objects for a in thing.attributes}
    relations = {r.relation for scene in scenes for r in scene.relations} - {IS}
    return SceneVocabulary(
        tuple(sorted(labels)), tuple(sorted(attributes)), tuple(sorted(relations))
    )
