"""Where documents to build a graph from come from: one row a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphenv.envs.construction.sources.base import DocumentSource, document_task
from graphenv.envs.sources import named_source

__all__ = ["SOURCES", "DocumentSource", "document_task", "make_source"]

SOURCES: dict[str, str] = {
    "synthetic": "graphenv.envs.construction.sources.synthetic.source:SyntheticDocuments",
    "webnlg": "graphenv.envs.construction.sources.webnlg:WebNLG",
    "conll04": "graphenv.envs.construction.sources.conll04:CoNLL04",
    "redocred": "graphenv.envs.construction.sources.redocred:ReDocRED",
    "retrieval": "graphenv.envs.construction.sources.retrieval:RetrievalDocuments",
}


def make_source(
    name: str, split: str, arguments: Mapping[str, Any], *, also: Iterable[str] = ()
) -> DocumentSource:
    """Return the source `name` for a split; see `named_source`."""
    arguments = {**arguments, "split": split}
    source: DocumentSource = named_source(
        SOURCES, name, arguments, what="KG construction", also=also
    )
    return source
