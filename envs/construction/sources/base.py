"""What every source of documents offers, and how its tasks are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphenv.corpus import Corpus, CorpusQuestion, Passage
from graphenv.envs.sources import Source
from graphenv.graph import Triple
from graphenv.task import Message, Target, Task

__all__ = ["DocumentSource", "document_task", "document_text"]


class DocumentSource(Source):
    """A sequence of tasks: documents, and what is known about the graph that they state."""

    @property
    def provides(self) -> frozenset[str]:
        """The facts about the target that tasks carry.

        Sources whose tasks have questions add `target.questions` (with gold answers) or
        `target.supporting` (with titles of supporting passages).
        """
        return frozenset({"target.graph", "target.passages"})

    def relations(self, index: int) -> tuple[str, ...]:
        """Return the relation names that the prompt of task `index` may list, without repeats.

        They are a function of the kind of document, never of what this document states. An empty
        tuple says that any name will do.
        """
        return tuple(self[index].meta["relations"])


def document_task(
    *,
    id: str,
    index: int,
    passages: Sequence[Passage],
    triples: Iterable[Triple] | None,
    questions: Sequence[CorpusQuestion] = (),
    aliases: Sequence[Sequence[str]] = (),
    relations: Sequence[str] = (),
    **meta: Any,
) -> Task:
    """Return the task of some documents: their text as the only message, gold in the target.

    Parameters
    ----------
    passages
        The documents, in the order in which they are read; a title may be empty.
    triples
        Everything that the documents state, `None` if that is not known.
    questions, aliases
        See `graphenv.corpus.Corpus`.
    relations
        See `DocumentSource.relations`.
    meta
        Further JSON-able attributes of the task.

    >>> task = document_task(
    ...     id="x", index=0, passages=[Passage("Mann", "Heat is by Mann.")],
    ...     triples=[("Heat", "director", "Mann")], relations=["director"],
    ... )
    >>> print(task.prompt)
    Document 1: Mann
    Heat is by Mann.
    >>> task.target.graph.triples
    (('Heat', 'director', 'Mann'),)
    """
    corpus = Corpus(tuple(passages), tuple(questions), tuple(tuple(names) for names in aliases))
    text = "\n\n".join(document_text(corpus, i) for i in range(len(corpus.passages)))
    message: Message = {"role": "user", "content": text}
    graph = None if triples is None else corpus.graph(triples)
    known = {"documents": len(corpus.passages), **meta, "relations": list(relations)}
    return Task(
        id=id,
        index=index,
        messages=(message,),
        target=Target(graph=graph, corpus=corpus),
        meta=known,
    )


def document_text(corpus: Corpus, index: int) -> str:
    """Return document `index` (from 0) as an agent reads it.

    >>> document_text(Corpus((Passage("", "Heat is by Mann."),)), 0)
    'Document 1:\\nHeat is by Mann.'
    """
    passage = corpus.passages[index]
    title = " ".join(passage.title.split())
    return f"Document {index + 1}:{' ' if title else ''}{title}\n{passage.text}"
