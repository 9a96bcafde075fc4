"""Hand-made scenes for the corners of scene graphs: goats, two of which are told apart."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from graphenv import envs
from graphenv.envs.base import GraphEnv
from graphenv.envs.scenes.sources import SOURCES, SceneSource, scene_task
from graphenv.scenes import Scene, SceneObject, SceneRelation
from graphenv.task import Task

CAPTIONS = (
    "Two goats stand near a gate. The old one eats a red hat.",
    "A kite.",
    "Žluť is near 9.",
)
SCENES = (
    Scene(
        (
            SceneObject("goat.1", "goat", ("old",), (10.0, 20.0, 60.0, 90.0)),
            SceneObject("goat.2", "goat", (), (70.0, 22.0, 120.0, 91.5)),
            SceneObject("gate.1", "gate", (), (125.0, 5.0, 190.0, 99.0)),
            SceneObject("hat.1", "hat", ("red",), (40.0, 30.0, 55.0, 41.0)),
        ),
        (
            SceneRelation(0, "near", 2),
            SceneRelation(1, "near", 2),
            SceneRelation(0, "eat", 3),
        ),
    ),
    Scene((SceneObject("kite.1", "kite", (), (0.0, 0.0, 9.0, 9.0)),)),
    Scene(
        (
            SceneObject("Žluť.1", "Žluť", (), (0.0, 0.0, 9.0, 9.0)),
            SceneObject("9.1", "9", ("</answer>",), (9.0, 0.0, 19.0, 9.0)),
        ),
        (SceneRelation(0, "near", 1),),
    ),
)
GOATS, KITE, ODD = range(3)


class FixtureScenes(SceneSource):
    """The scenes above; every split holds all of them."""

    def __init__(self, *, split: str, detected: bool = False) -> None:
        super().__init__(split)
        self._detected = detected

    @property
    def fingerprint(self) -> str:
        return f"fixture/{self.split}/{self._detected}"

    @property
    def has_boxes(self) -> bool:
        return True

    @property
    def has_images(self) -> bool:
        return True

    @property
    def has_attributes(self) -> bool:
        return not self._detected

    def __len__(self) -> int:
        return len(SCENES)

    def __getitem__(self, index: int) -> Task:
        caption = "" if self._detected else CAPTIONS[index]
        return scene_task(id=f"fixture/{index}", index=index, caption=caption, scene=SCENES[index])

    def image(self, index: int) -> str:
        return f"{index}.png"

    def detections(self, index: int) -> tuple[SceneObject, ...]:
        return SCENES[index].objects if self._detected else ()


def make_env(**kwargs: Any) -> GraphEnv:
    """Return an environment over the hand-made scenes."""
    with patch.dict(SOURCES, fixture="scene_env_fixture:FixtureScenes"):
        return envs.make("scene-graph", **{"source": "fixture", **kwargs})


def block(value: Any) -> str:
    """Return a JSON value in a fenced block."""
    return f"```json\n{json.dumps(value, ensure_ascii=False)}\n```"


def graph(*relations: tuple[str, str, str], **objects: Any) -> dict[str, Any]:
    """Return an answer: `goat_1=["old"]` is an object with attributes."""
    return {
        "objects": [
            {"id": name.replace("_", "."), **({"attributes": told} if told else {})}
            for name, told in objects.items()
        ],
        "relationships": [{"subject": s, "predicate": p, "object": o} for s, p, o in relations],
    }
