"""Where scenes come from: one row a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphenv.envs.scenes.sources.base import SceneSource, SceneVocabulary, scene_task
from graphenv.envs.sources import named_source

__all__ = ["SOURCES", "SceneSource", "SceneVocabulary", "make_source", "scene_task"]

SOURCES: dict[str, str] = {
    "synthetic": "graphenv.envs.scenes.sources.synthetic.source:SyntheticScenes",
    "factual": "graphenv.envs.scenes.sources.factual:FactualScenes",
    "vrd": "graphenv.envs.scenes.sources.vrd:VRDScenes",
    "visual_genome": "graphenv.envs.scenes.sources.visual_genome:VisualGenomeScenes",
    "psg": "graphenv.envs.scenes.sources.psg:PSGScenes",
}


def make_source(
    name: str, split: str, arguments: Mapping[str, Any], *, also: Iterable[str] = ()
) -> SceneSource:
    """Return the source `name` for a split; see `named_source`."""
    arguments = {**arguments, "split": split}
    source: SceneSource = named_source(SOURCES, name, arguments, what="scenes", also=also)
    return source
