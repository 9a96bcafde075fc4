"""One episode of graph construction in play: triples for all documents, or for one a turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphenv.corpus import Corpus
from graphenv.envs.construction.reading import (
    MAX_TRIPLES,
    find_triples,
    plain_triples,
    triples_json,
)
from graphenv.envs.construction.sources.base import document_text
from graphenv.envs.construction.truths import construction_truth
from graphenv.envs.session import OVER, Session
from graphenv.envs.tools import ToolSpec
from graphenv.episode import Episode, Outcome, Status, ToolCall
from graphenv.graph import Graph, Triple
from graphenv.seeding import stable_hash
from graphenv.text import parse_turn

__all__ = ["ConstructionSession", "PublicVocabulary"]


class PublicVocabulary(NamedTuple):
    """What an agent may read beside the chat: the relation names that the prompt lists."""

    relations: tuple[str, ...]


class ConstructionSession(Session):
    """Documents in, triples out.

    The outcome's `program` is the JSON text of all triples as they were written, repetitions and
    spellings included. Its `graph` is `Corpus.graph` of them with plain names: names of one entity
    are one node, whose id is the name as it was first written (plain) and whose label is the
    entity's first name. Terms that look at names in the text read the ids, those that compare with
    gold the labels.

    Parameters
    ----------
    template, tools, max_observation
        See `Session`.
    mode
        `single` or `turns`.
    relations
        The names that the prompt lists.
    needs
        The facts that the reward reads; the graph of each turn is made only if it is in here.
    """

    def __init__(
        self,
        template: Episode,
        tools: Mapping[str, ToolSpec],
        *,
        max_observation: int,
        mode: str,
        relations: tuple[str, ...],
        needs: frozenset[str],
    ) -> None:
        super().__init__(template, tools, max_observation=max_observation)
        corpus = template.task.target.corpus
        assert corpus is not None  # every source of documents gives one
        self._corpus: Corpus = corpus
        self._mode = mode
        self._relations = relations
        self._needs = needs
        self._read = 0  # documents answered so far
        self._triples: list[Triple] = []

    @property
    def world(self) -> PublicVocabulary:
        """The relation names of the prompt."""
        return PublicVocabulary(self._relations)

    def facts(self) -> dict[str, Any]:
        """Return how many documents were answered, how many triples stand, and their digest."""
        return {
            "documents": self._read,
            "triples": len(self._triples),
            "digest": f"{stable_hash(*self._triples):x}" if self._triples else "",
        }

    def graph(self) -> Graph | None:
        """Return the graph so far, with aliases merged."""
        return self._built() if "step.graph" in self._needs else None

    def _built(self) -> Graph:
        return self._corpus.graph(plain_triples(self._triples))

    # -- playing ------------------------------------------------------------------------------

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Parse one turn: the triples of all documents, or of the document in turn.

        A turn that cannot be read is asked again in mode `turns`, and ends mode `single`.
        """
        triples, reason = find_triples(parse_turn(text))
        if triples is not None and len(self._triples) + len(triples) > MAX_TRIPLES:
            triples, reason = None, f"more than {MAX_TRIPLES} triples in all"
        if triples is None and self._mode == "single":
            self.outcome = Outcome("malformed", reason)
            return (), "", "malformed", reason
        if triples is None:
            said = f"Malformed turn: {reason}. {self.allowed()}"
            return (), said, "malformed", reason
        self._triples += triples
        count = len(self._corpus.passages)
        self._read = count if self._mode == "single" else self._read + 1
        if self._read < count:
            return (), document_text(self._corpus, self._read), "ok", ""
        self.outcome = Outcome("ok", graph=self._built(), program=triples_json(self._triples))
        return (), "", "ok", ""

    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Refuse a list of strings: triples are asked for, and `read` takes them."""
        return Outcome("malformed", f"{len(items)} strings; a list of triples is asked for")

    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return the F1 of the set of triples, or passage recall by grounding; and metrics."""
        return construction_truth(outcome.graph, self.task.target.graph, self._corpus)

    def allowed(self) -> str:
        """Say what a turn may hold."""
        return 'Write a JSON list of ["head", "relation", "tail"] in one ```json block.'

    def _closing(self) -> str:
        built = self.outcome is not None and self.outcome.graph is not None
        return "Graph received." if built else OVER
