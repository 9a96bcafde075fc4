"""One episode of reasoning in play: a question about a scene, facts and an answer."""

from __future__ import annotations

from typing import Any

from graphenv.envs.captions.reading import find_reasons
from graphenv.envs.captions.session import PublicDraft
from graphenv.envs.scenes.sources.base import SceneVocabulary
from graphenv.envs.session import Session
from graphenv.episode import Episode, Outcome, Status, ToolCall
from graphenv.graph import Graph
from graphenv.scenes.rationale import read_rationale
from graphenv.seeding import stable_hash
from graphenv.text import bounded, normalize, parse_turn

__all__ = ["ReasoningSession"]


class ReasoningSession(Session):
    """A question about a scene: facts, one a line, and an answer, in one turn."""

    def __init__(
        self,
        template: Episode,
        *,
        max_observation: int,
        vocabulary: SceneVocabulary,
        needs: frozenset[str],
    ) -> None:
        super().__init__(template, {}, max_observation=max_observation)
        self._vocabulary = vocabulary
        self._needs = needs

    @property
    def world(self) -> PublicDraft:
        """The words of the source."""
        return PublicDraft(None, self._vocabulary)

    def facts(self) -> dict[str, Any]:
        """Return how much was stated, and a digest of it."""
        stated = self.outcome.rationale if self.outcome is not None else None
        if stated is None:
            return {"entities": 0, "triples": 0, "rationale": ""}
        told = {"entities": len(stated.nodes), "triples": len(stated.edges)}
        return {**told, "rationale": f"{stable_hash(repr(stated)):x}"}

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Read the only turn."""
        parsed = parse_turn(text)
        reasons, reason = find_reasons(parsed)
        if reasons is None:
            self.outcome = Outcome("malformed", bounded(reason, 300))
        else:
            assert parsed.answer is not None and parsed.answer.items is not None
            self.outcome = self._judged(reasons, parsed.answer.items)
        return (), "", self.outcome.status, self.outcome.reason

    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Return the outcome of an answer without reasons."""
        return self._judged("", items)

    def _judged(self, reasons: str, items: tuple[str, ...]) -> Outcome:
        stated, reason = read_rationale(reasons)
        if stated is None:
            return Outcome("malformed", bounded(reason, 300))
        graph = stated if "outcome.graph" in self._needs else None
        return Outcome("ok", answer=items, graph=graph, rationale=stated)

    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return whether the answer is the gold answer, as sets of normalised items.

        Metrics: `rationale_f1`, F1 of the sets of stated and gold facts.
        """
        target = self.task.target
        given = outcome.answer
        gold = {normalize(item) for item in target.answer or ()}
        right = given is not None and {normalize(item) for item in given} == gold
        metrics: dict[str, float] = {}
        if target.rationale is not None:
            theirs = _stated(target.rationale)
            ours = _stated(outcome.rationale) if outcome.rationale is not None else set()
            size = len(ours) + len(theirs)
            metrics["rationale_f1"] = 2.0 * len(ours & theirs) / size if size else 1.0
        return float(right), metrics

    def allowed(self) -> str:
        """Say what a turn may hold."""
        return 'Write facts, one a line, and then <answer>["..."]</answer>.'


def _stated(graph: Graph) -> set[tuple[str, ...]]:
    facts: set[tuple[str, ...]] = {(normalize(n.label), normalize(n.kind)) for n in graph.nodes}
    return facts | {tuple(map(normalize, triple)) for triple in graph.triples}
