"""Where knowledge-graph questions come from: one row a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphenv.envs.kgqa.sources.base import FEATURES, KGQASource, question_task
from graphenv.envs.sources import named_source

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
    """Return the source `name` for a split; see `named_source`."""
    arguments = {**arguments, "split": split}
    source: KGQASource = named_source(SOURCES, name, arguments, what="KGQA", also=also)
    return source
