"""Where documents to build a graph from come from: one row a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphenv.envs.construction.sources.base import DocumentSource, document_task
from graphenv.errors import UnknownNameError, did_you_mean
from graphenv.references import check_keywords, load_row

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
    """Return the source `name` for a split; `also` is offered too when an argument is misspelt.

    Raises
    ------
    UnknownNameError
        If there is no such source.
    ConfigError
        If an argument is unknown or missing.
    """
    if name not in SOURCES:
        hint = did_you_mean(name, SOURCES)
        raise UnknownNameError(f"KG construction source {name!r} is unknown.{hint}")
    cls = load_row(SOURCES[name])
    what = f"KG construction: source={name!r}"
    check_keywords(what, cls, [*arguments, "split"], also=also)
    source = cls(split=split, **arguments)
    assert isinstance(source, DocumentSource)
    return source
