"""The words around the documents. A change here bumps the environment's version."""

from __future__ import annotations

from collections.abc import Sequence

from graphenv.corpus import Corpus
from graphenv.envs.construction.sources.base import document_text
from graphenv.task import Message

__all__ = ["chat", "system_text"]

MAX_LISTED_RELATIONS = 300

_FORMAT = """\
A triple is a list of three strings, head, relation and tail. Use the names that the text uses, \
and one name for one thing. Leave out what is not stated, and state nothing twice. \
Write all triples in one block:
```json
[["head", "relation", "tail"], ["head", "relation", "tail"]]
```"""
_SINGLE = f"""\
You read documents and write the knowledge graph that they state, as a list of triples.
{_FORMAT}"""
_TURNS = f"""\
You read documents, one at a time, and write the knowledge graph that they state, as a list of \
triples for each document. An empty list is right for a document that states nothing new. Names of \
earlier documents stay valid.
{_FORMAT}"""
_SHORT = "Write the triples that the text states as a JSON list of [head, relation, tail]."


def system_text(*, mode: str, instructions: str) -> str | None:
    """Return the instructions, the same for every task; `None` for the bare documents."""
    if instructions == "none":
        return None
    if instructions == "short":
        return _SHORT
    return _SINGLE if mode == "single" else _TURNS


def chat(
    corpus: Corpus, relations: Sequence[str], system: str | None, *, mode: str
) -> tuple[Message, ...]:
    """Return the opening chat: every document in mode `single`, the first in mode `turns`."""
    count = len(corpus.passages)
    parts = []
    if relations:
        more = len(relations) - MAX_LISTED_RELATIONS
        listed = ", ".join(relations[:MAX_LISTED_RELATIONS])
        parts.append(f"Relations: {listed}{f' ... and {more} more' if more > 0 else ''}")
    if mode == "turns":
        parts.append(f"Documents: {count}")
    shown = range(count) if mode == "single" else [0]
    parts += [document_text(corpus, i) for i in shown]
    user: Message = {"role": "user", "content": "\n\n".join(parts)}
    return (user,) if system is None else ({"role": "system", "content": system}, user)
