"""The embedded default: seeded scenes, told by captions and shown in pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from graphenv.checks import flag, is_whole, whole
from graphenv.choices import Choices, mix
from graphenv.envs.arguments import recorded
from graphenv.envs.cache import cached
from graphenv.envs.scenes.sources.base import SceneSource, SceneVocabulary, scene_task
from graphenv.envs.scenes.sources.synthetic.frames import FRAMES
from graphenv.envs.scenes.sources.synthetic.layout import compose
from graphenv.envs.scenes.sources.synthetic.picture import draw
from graphenv.envs.scenes.sources.synthetic.questions import SceneQuestion, scene_questions
from graphenv.envs.scenes.sources.synthetic.relations import DRAWN, PHRASES, SPATIAL
from graphenv.envs.scenes.sources.synthetic.space import Group, Kind, groups
from graphenv.envs.scenes.sources.synthetic.vocabulary import CATEGORY, LABELS
from graphenv.envs.scenes.sources.synthetic.wording import write_caption
from graphenv.envs.sources import check_paraphrases
from graphenv.errors import ConfigError
from graphenv.scenes import Scene, SceneObject
from graphenv.seeding import stable_hash
from graphenv.task import Task

__all__ = ["SIZES", "SyntheticScenes"]

SIZES = {"train": 50_000, "validation": 5_000, "heldout": 5_000}
_MOST_OBJECTS = 8
_VERSION = 0


class SyntheticScenes(SceneSource):
    """Scenes of ten settings with people, attributes, boxes and relations, told by captions.

    Task `i` is made when asked for: index -> rank -> objects, through a keyed permutation; then
    boxes, relations and words are drawn. Splits own disjoint ranks, and a rank is a bag of objects
    with their attributes that no other rank has, so that no scene of one split is isomorphic to one
    of another, and scenes of a split do not repeat before it has fewer than `tasks` (of two objects
    without attributes there are some 2,000; they repeat in another layout, told by other words).

    The gold is exactly what the caption tells, in its order, with boxes; `inverse` reads it from
    the caption. Which relations may be told: `synthetic.relations`. Half of the captions of
    `heldout` use sentences and phrases that no other split uses (`meta["wording"]` is `seen` or
    `unseen`).

    Parameters
    ----------
    split
        `train` (50,000 tasks), `validation` or `heldout` (5,000 each).
    objects
        Objects of a scene, 2 to 8, or several numbers as a list. Numbers with more compositions (of
        people, what they carry, and things) have a larger share: of 3, 4 and 5 objects 2 to 3 to 4.
    attributes
        Attributes of a scene, 0 to twice its objects (what is beyond is left out), spread evenly.
    relations
        Relations of a scene, from 0; at most one for every pair of objects.
    detected
        Whether the agent is shown the objects, with ids and boxes, and writes only how they relate:
        then gold has no attributes.
    paraphrases
        `split`: as said above; `seen`: only words that training uses; `unseen` (with `heldout`):
        only the held-out ones.
    size
        Width of the picture in pixels, 64 to 2048; it is three quarters as high.
    tasks
        Number of tasks, if it is not the usual one.
    seed
        Which scenes.

    Raises
    ------
    ConfigError
        If an argument is out of range.

    Examples
    --------
    >>> source = SyntheticScenes(split="train", objects=2, attributes=1, relations=1)
    >>> source[0].meta["caption"]
    'Larger than a fire hydrant is a bus. The bus seems to be brown.'
    """

    def __init__(
        self,
        *,
        split: str,
        objects: int | Sequence[int] = (3, 4, 5),
        attributes: int = 3,
        relations: int = 3,
        detected: bool = False,
        paraphrases: str = "split",
        size: int = 384,
        tasks: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(split)
        arguments = recorded(locals())
        counts: list[Any] = list(objects) if isinstance(objects, list | tuple) else [objects]
        self._arguments = {**arguments, "objects": counts}
        if not counts or not all(is_whole(count, 2, _MOST_OBJECTS) for count in counts):
            raise ConfigError(
                f"synthetic: objects={objects!r} must be a whole number from 2 to "
                f"{_MOST_OBJECTS}, or a list of them"
            )
        whole("synthetic", "attributes", attributes, 0, 2 * _MOST_OBJECTS)
        whole("synthetic", "relations", relations, 0, _MOST_OBJECTS**2)
        whole("synthetic", "size", size, 64, 2048)
        whole("synthetic", "seed", seed, 0)
        if tasks is not None:
            whole("synthetic", "tasks", tasks, 1)
        flag("synthetic", "detected", detected)
        self._groups = [
            group
            for n in dict.fromkeys(counts)
            for group in _groups(n, min(attributes, 2 * n), seed)
        ]
        self._relations = relations
        self._paraphrases = check_paraphrases(paraphrases, split)
        self._detected = detected
        self._size = size
        self._length = SIZES[split] if tasks is None else tasks
        self._key = stable_hash("synthetic scenes", seed, split)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(SyntheticScenes, **self._arguments), ()

    @property
    def fingerprint(self) -> str:
        words = stable_hash(tuple(LABELS.values()), tuple(CATEGORY), PHRASES, FRAMES)
        text = f"synthetic scenes/{_VERSION} {words} {self._arguments}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def has_boxes(self) -> bool:
        return True

    @property
    def has_images(self) -> bool:
        return True

    @property
    def has_attributes(self) -> bool:
        return not self._detected

    @property
    def relation_names(self) -> tuple[str, ...]:
        return tuple(sorted((*SPATIAL, *DRAWN)))

    @property
    def vocabulary(self) -> SceneVocabulary:
        """Every word that a scene can hold."""
        return SceneVocabulary(tuple(sorted(LABELS)), tuple(sorted(CATEGORY)), self.relation_names)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < len(self):
            raise IndexError(f"task index {index} is outside the {len(self)} tasks of this split")
        choose = Choices(mix(index, self._key))
        scene = compose(self.kinds(index), self._relations, self._size, choose)
        wording = {"split": "seen", "seen": "seen", "unseen": "unseen"}[self._paraphrases]
        if self.split == "heldout" and self._paraphrases == "split":
            wording = ("seen", "unseen")[choose(2)]
        text, told = write_caption(scene, choose, unseen=wording == "unseen")
        if self._detected:
            told = replace(told, objects=tuple(replace(o, attributes=()) for o in told.objects))
        return scene_task(
            id=f"synthetic/{self.split}/{index}",
            index=index,
            caption=text,
            scene=told,
            objects=len(told.objects),
            relations=len(told.relations),
            setting=self._groups[index % len(self._groups)].setting,
            wording=wording,
        )

    def kinds(self, index: int) -> list[Kind]:
        """Return the objects of task `index` with their attributes, in no order that means much."""
        group = self._groups[index % len(self._groups)]
        low, room = group.region(self.split)
        return group.kinds(low + index // len(self._groups) % room)

    def scene(self, index: int) -> Scene:
        """Return the gold scene of task `index`."""
        scene = self[index].target.scene
        assert scene is not None
        return scene

    def image(self, index: int) -> str:
        """Return the path of the picture of task `index`, drawn on first use.

        Raises
        ------
        ConfigError
            If Pillow is missing.
        """
        scene = self.scene(index)
        digest = hashlib.sha256(f"picture/{_VERSION} {self._size} {scene!r}".encode()).hexdigest()

        def write(path: Path) -> None:
            path.write_bytes(draw(scene, self._size))

        return str(cached("scene.png", digest[:32], write))

    def detections(self, index: int) -> tuple[SceneObject, ...]:
        """Return the objects of task `index` if they are `detected`, else ()."""
        return self.scene(index).objects if self._detected else ()

    def questions(self, index: int) -> tuple[SceneQuestion, ...]:
        """Return questions about the scene of task `index` that what it tells answers."""
        return scene_questions(self.scene(index), self._size)


@lru_cache(maxsize=64)
def _groups(objects: int, attributes: int, seed: int) -> tuple[Group, ...]:
    return tuple(groups(objects, attributes, seed))
