"""Where knowledge-graph questions come from: one row a source."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from graphenv.envs.kgqa.sources.base import FEATURES, KGQASource, question_task
from graphenv.errors import ConfigError, UnknownNameError, did_you_mean

__all__ = ["FEATURES", "SOURCES", "KGQASource", "make_source", "question_task"]

SOURCES: dict[str, str] = {
    "synthetic": "graphenv.envs.kgqa.sources.synthetic:SyntheticSource",
    "metaqa": "graphenv.envs.kgqa.sources.metaqa:MetaQASource",
    "jsonl": "graphenv.envs.kgqa.sources.jsonl:JsonlSource",
    "subgraph": "graphenv.envs.kgqa.sources.subgraph:SubgraphSource",
    "triples": "graphenv.envs.kgqa.sources.link_prediction:LinkPredictionSource",
}

_ENVIRONMENT_ARGUMENTS = (
    *("source", "split", "reward", "mode", "max_turns", "page_size", "encoding"),
    *("instructions", "max_observation", "render_mode"),
)
"""What `KGQAEnv` takes itself: offered beside a source's own arguments when one is misspelt."""


def make_source(name: str, split: str, arguments: Mapping[str, Any]) -> KGQASource:
    """Return the source `name` for a split.

    Raises
    ------
    UnknownNameError
        If there is no such source.
    ConfigError
        If an argument is unknown or missing.
    """
    if name not in SOURCES:
        raise UnknownNameError(f"KGQA source {name!r} is unknown.{did_you_mean(name, SOURCES)}")
    module, _, attribute = SOURCES[name].partition(":")
    cls = getattr(import_module(module), attribute)
    parameters = {
        p.name: p
        for p in inspect.signature(cls).parameters.values()
        if p.kind == p.KEYWORD_ONLY and p.name != "split"
    }
    for argument in arguments:
        if argument not in parameters:
            raise ConfigError(
                f"KGQA: unknown argument {argument!r} with source={name!r}."
                f"{did_you_mean(argument, [*parameters, *_ENVIRONMENT_ARGUMENTS])}"
            )
    missing = [n for n, p in parameters.items() if p.default is p.empty and n not in arguments]
    if missing:
        raise ConfigError(f"KGQA: source={name!r} needs {', '.join(f'{n}=' for n in missing)}")
    source = cls(split=split, **arguments)
    assert isinstance(source, KGQASource)
    return source
