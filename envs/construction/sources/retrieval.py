"""Passages and questions that some of them support: 2WikiMultihopQA as retrieval sets have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphenv.checks import whole
from graphenv.corpus import CorpusQuestion, Passage
from graphenv.envs.construction.sources.published import Documents, PublishedDocuments
from graphenv.envs.files import broken_row, first_file, names_in, need, read_rows
from graphenv.errors import ConfigError
from graphenv.seeding import rng, stable_hash
from graphenv.task import carve_split
from graphenv.text import normalize

__all__ = ["RetrievalDocuments"]

LAYOUT = (
    'corpus.json, a list of {"title": "...", "text": "..."}, and questions.jsonl (or '
    'questions_visible.jsonl) with rows such as {"question": "...", "supporting_titles": ["..."]}'
)


class RetrievalDocuments(PublishedDocuments):
    """Passages of which some support a question that the agent does not see.

    There are no gold triples and no answers: rewards that compare graphs do not work, and truth is
    the recall of supporting passages. A task holds the supporting passages of a question among
    others, in a drawn order.

    Parameters
    ----------
    root
        The folder, in the layout of the 2WikiMultihopQA sets that HippoRAG and its followers use
        (Ho et al., COLING 2020; Gutierrez et al., NeurIPS 2024).
    passages
        Passages of a task.
    seed
        Of the draw of the other passages.
    split
        Questions are carved by their text. A passage that supports a question belongs to its split
        (to the latest, if questions of several need it), others are carved by title: no other
        passage of a task is one of another split.

    Raises
    ------
    ConfigError
        If a number is out of range, or the passages of the split are too few.
    DataError
        If files are missing or a row is broken.
    """

    name = "retrieval"

    def __init__(self, *, split: str, root: str, passages: int = 10, seed: int = 0) -> None:
        super().__init__(split)
        whole("retrieval", "passages", passages, 1)
        whole("retrieval", "seed", seed, 0)
        folder = Path(root)
        asked = f"retrieval in {folder}"
        names = ("questions.jsonl", "questions_visible.jsonl")
        corpus = _corpus(need(folder / "corpus.json", asked=asked, layout=LAYOUT))
        file = need(first_file(folder, names), asked=asked, layout=LAYOUT)
        questions = [_question(file, number, row) for number, row in read_rows(file)]
        self.note = "Questions are carved by their text, other passages by title."
        known = []
        for question in questions:
            if all(title in corpus for title in question.supporting):
                known.append((carve_split("retrieval", normalize(question.text)), question))
            else:
                self.left_out["a supporting passage is not in the corpus"] += 1
        home = {title: carve_split("retrieval passage", title) for title in corpus}
        for part in ("train", "validation", "heldout"):
            home |= {t: part for where, q in known if where == part for t in q.supporting}
        pool = sorted(title for title, where in home.items() if where == self.split)
        rows = []
        for question in (q for where, q in known if where == self.split):
            if len(question.supporting) > passages:
                self.left_out[f"more than {passages} supporting passages"] += 1
            else:
                rows.append(_task(question, corpus, pool, passages, seed))
        self._close(rows)

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.passages", "target.supporting"})


def _task(
    question: CorpusQuestion, corpus: dict[str, Passage], pool: list[str], count: int, seed: int
) -> Documents:
    others = [title for title in pool if title not in question.supporting]
    missing = count - len(question.supporting)
    if missing > len(others):
        raise ConfigError(
            f"retrieval: passages={count} are too many; this split has {len(others)} beside the "
            f"{len(question.supporting)} that support {question.text!r}"
        )
    draw = rng("retrieval passages", seed, count, question.text)
    drawn = [others[i] for i in draw.choice(len(others), missing, replace=False).tolist()]
    titles = [*question.supporting, *drawn]
    order = draw.permutation(len(titles)).tolist()
    # The agent reads titles as published; the corpus finds them normalised.
    passages = tuple(corpus[titles[i]] for i in order)
    supporting = tuple(corpus[title].title for title in question.supporting)
    asked = CorpusQuestion(question.text, supporting=supporting)
    # Ids are told; the question is not.
    return Documents(f"retrieval/{stable_hash(asked.text):x}", passages, None, questions=(asked,))


def _corpus(path: Path) -> dict[str, Passage]:
    """Return the passages by normalised title; of two with one title, the first."""
    found: dict[str, Passage] = {}
    for number, row in read_rows(path):
        title, text = row.get("title"), row.get("text")
        if not isinstance(title, str) or not title.strip() or not isinstance(text, str):
            broken_row(path, number, row, "'title' and 'text' must hold text")
        found.setdefault(normalize(title), Passage(title, text))
    return found


def _question(path: Path, number: int, row: dict[str, Any]) -> CorpusQuestion:
    """Return a question with normalised titles."""
    text = row.get("question")
    if not isinstance(text, str) or not text.strip():
        broken_row(path, number, row, "'question' must hold a text")
    titles = names_in(path, number, row, "supporting_titles")
    return CorpusQuestion(text, supporting=tuple(dict.fromkeys(map(normalize, titles))))
