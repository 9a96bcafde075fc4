"""Where scenes come from: one row a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphenv.envs.scenes.sources.base import SceneSource, SceneVocabulary, scene_task
from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.references import check_keywords, load_row

__all__ = ["SOURCES", "SceneSource", "SceneVocabulary", "make_source", "scene_task"]

SOURCES: dict[str, str] = {
    "synthetic": "graphenv.envs.scenes.sources.synthetic.source:SyntheticScenes",
    "factual": "graphenv.envs.scenes.sources.factual:FactualScenes",
    "vrd": "graphenv.envs.scenes.sources.vrd:VRDScenes",
    "visual_genome": "graphenv.envs.scenes.sources.visual_genome:VisualGenomeScenes",
    "psg": "graphenv.envs.scenes.sources.psg:PSGScenes",
}

_ENVIRONMENT_ARGUMENTS = (
    *("source", "split", "reward", "mode", "answer", "images", "boxes", "max_turns"),
    *("instructions", "max_observation", "render_mode"),
)
"""What the environment takes itself: offered beside a source's own when one is misspelt."""


def make_source(name: str, split: str, arguments: Mapping[str, Any]) -> SceneSource:
    """Return the source `name` for a split.

    Raises
    ------
    UnknownNameError
        If there is no such source.
    ConfigError
        If an argument is unknown or missing.
    """
    if name not in SOURCES:
        raise UnknownNameError(f"Scene source {name!r} is unknown.{did_you_mean(name, SOURCES)}")
    cls = load_row(SOURCES[name])
    what = f"scenes: source={name!r}"
    check_keywords(what, cls, [*arguments, "split"], also=_ENVIRONMENT_ARGUMENTS)
    source = cls(split=split, **arguments)
    assert isinstance(source, SceneSource)
    return source
