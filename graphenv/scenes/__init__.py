"""Scene graphs: objects with attributes and boxes, the relations between them, their JSON form."""

from __future__ import annotations

from graphenv.scenes.model import Box, Scene, SceneObject, SceneRelation
from graphenv.scenes.reading import MAX_OBJECTS, MAX_RELATIONS, read_scene, scene_json

__all__ = [
    "MAX_OBJECTS",
    "MAX_RELATIONS",
    "Box",
    "Scene",
    "SceneObject",
    "SceneRelation",
    "read_scene",
    "scene_json",
]
