"""Where scenes come from: one row a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def make_source(
    name: str, split: str, arguments: Mapping[str, Any], *, also: Iterable[str] = ()
) -> SceneSource:
    """Return the source `name` for a split; `also` is offered too when an argument is misspelt.

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
    check_keywords(what, cls, [*arguments, "split"], also=also)
    source = cls(split=split, **arguments)
    assert isinstance(source, SceneSource)
    return source
