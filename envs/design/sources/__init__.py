"""Where networks come from: one row a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphenv.envs.design.sources.base import DesignSource
from graphenv.envs.sources import named_source

__all__ = ["SOURCES", "DesignSource", "make_source"]

SOURCES: dict[str, str] = {
    "er": "graphenv.envs.design.sources.made:ErdosRenyi",
    "ba": "graphenv.envs.design.sources.made:BarabasiAlbert",
    "real": "graphenv.envs.design.sources.real:RealNetworks",
}


def make_source(
    name: str, split: str, arguments: Mapping[str, Any], *, also: Iterable[str] = ()
) -> DesignSource:
    """Return the source `name` for a split; see `named_source`."""
    arguments = {**arguments, "split": split}
    source: DesignSource = named_source(SOURCES, name, arguments, what="designs", also=also)
    return source
