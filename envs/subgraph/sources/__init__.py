"""Where subgraph tasks come from: one row a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphenv.envs.sources import named_source
from graphenv.envs.subgraph.sources.base import GOALS, Play, SubgraphSource, subgraph_task

__all__ = ["GOALS", "SOURCES", "Play", "SubgraphSource", "make_source", "subgraph_task"]

SOURCES: dict[str, str] = {
    "motif": "graphenv.envs.subgraph.sources.motif.source:MotifSource",
    "evidence": "graphenv.envs.subgraph.sources.evidence:EvidenceSource",
    "targets": "graphenv.envs.subgraph.sources.targets:TargetsSource",
    "target_qa": "graphenv.envs.subgraph.sources.target_qa:TargetQASource",
    "steiner": "graphenv.envs.subgraph.sources.steiner:SteinerSource",
    "prizes": "graphenv.envs.subgraph.sources.prizes:PrizesSource",
}


def make_source(
    name: str, split: str, arguments: Mapping[str, Any], *, also: Iterable[str] = ()
) -> SubgraphSource:
    """Return the source `name` for a split; see `named_source`."""
    arguments = {**arguments, "split": split}
    source: SubgraphSource = named_source(SOURCES, name, arguments, what="subgraph", also=also)
    return source
