"""Where knowledge-graph questions come from: one row a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphenv.envs.kgqa.sources.base import FEATURES, KGQASource, question_task
from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.references import check_keywords, load_row

__all__ = ["FEATURES", "SOURCES", "KGQASource", "make_source", "question_task"]

SOURCES: dict[str, str] = {
    "synthetic": "graphenv.envs.kgqa.sources.synthetic:SyntheticSource",
    "metaqa": "graphenv.envs.kgqa.sources.metaqa:MetaQASource",
    "jsonl": "graphenv.envs.kgqa.sources.jsonl:JsonlSource",
    "subgraph": "graphenv.envs.kgqa.sources.subgraph:SubgraphSource",
    "triples": "graphenv.envs.kgqa.sources.link_prediction:LinkPredictionSource",
}


def make_source(
    name: str, split: str, arguments: Mapping[str, Any], *, also: Iterable[str] = ()
) -> KGQASource:
    """Return the source `name` for a split; `also` is offered too when an argument is misspelt.

    Raises
    ------
    UnknownNameError
        If there is no such source.
    ConfigError
        If an argument is unknown or missing.
    """
    if name not in SOURCES:
        raise UnknownNameError(f"KGQA source {name!r} is unknown.{did_you_mean(name, SOURCES)}")
    cls = load_row(SOURCES[name])
    what = f"KGQA: source={name!r}"
    check_keywords(what, cls, [*arguments, "split"], also=also)
    source = cls(split=split, **arguments)
    assert isinstance(source, KGQASource)
    return source
