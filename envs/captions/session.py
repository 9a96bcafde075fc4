"""One episode of correction in play: a draft, and what the policy makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from graphenv.envs.captions.reading import find_caption
from graphenv.envs.captions.wording import Captions
from graphenv.envs.scenes.outcome import scene_digest, scene_outcome
from graphenv.envs.scenes.reading import FORMS, find_scene, read_answer
from graphenv.envs.scenes.sources.base import SceneVocabulary
from graphenv.envs.session import OVER, Session
from graphenv.episode import Episode, Outcome, Status, ToolCall
from graphenv.scenes import Scene
from graphenv.scenes.edits import SceneEdit
from graphenv.scenes.truths import scene_truth
from graphenv.text import ParsedTurn, bounded, parse_turn

__all__ = ["CorrectionSession", "PublicDraft"]

MAX_GROWTH = 2
"""A caption may be so many times as long as the longest that is shown, and 200 characters more."""


class PublicDraft(NamedTuple):
    """What an agent may read beside the chat: the draft that is shown, and words to guess."""

    draft: Scene | None
    vocabulary: SceneVocabulary


class CorrectionSession(Session):
    """A draft with mistakes, and what the policy makes of it.

    Parameters
    ----------
    template, max_observation
        See `Session`.
    draft
        The planted draft; `None` where the first turn is the draft.
    vocabulary
        The words of the source.
    answer
        The form of a graph: `json` or `triples`.
    captions
        How captions are read, `None` where graphs are asked for.
    longest
        The characters of the longest caption that the prompt shows.
    asked_again
        What is said after an own draft.
    needs
        The facts that the reward reads; graphs are made only if they are in here.
    """

    def __init__(
        self,
        template: Episode,
        *,
        max_observation: int,
        draft: Scene | None,
        vocabulary: SceneVocabulary,
        answer: str,
        captions: Captions | None,
        longest: int,
        asked_again: str,
        needs: frozenset[str],
    ) -> None:
        super().__init__(template, {}, max_observation=max_observation)
        self._planted = draft
        self._draft = draft
        self._vocabulary = vocabulary
        self._answer = answer
        self._captions = captions
        self._longest = longest
        self._again = asked_again
        self._needs = needs

    @property
    def world(self) -> PublicDraft:
        """The draft that is shown, and the words of the source."""
        return PublicDraft(self._planted, self._vocabulary)

    def facts(self) -> dict[str, Any]:
        """Return the sizes of the draft and of the final scene, and a digest of each."""
        final = self.outcome.scene if self.outcome is not None else None
        known = {"draft": self._draft, "final": final}
        return {
            name: scene_digest(scene) if scene is not None else {} for name, scene in known.items()
        }

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Read one turn: the policy's own draft, or the correction that ends the episode."""
        outcome = self._judged(parse_turn(text))
        first = self._draft is None
        if first:  # the next turn is the last one, whatever this one was
            self._draft = Scene() if outcome.scene is None else outcome.scene
        elif outcome.scene is not None or self._planted is not None:
            self.outcome = outcome
            return (), "", outcome.status, outcome.reason
        if outcome.scene is None:
            said = f"Malformed turn: {outcome.reason}. {self.allowed()}"
            return (), said, "malformed", outcome.reason
        return (), self._again, outcome.status, outcome.reason

    def finish(self, status: Status, reason: str) -> None:
        """End the episode without a correction; the draft stays on record."""
        super().finish(status, reason)
        if self.outcome is not None and self.outcome.draft is None:
            self.outcome = replace(self.outcome, draft=self._draft)

    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Return the outcome of an answer list: its only item is the graph or caption."""
        if len(items) != 1:
            return self._without(f"{len(items)} answers; exactly one is asked for")
        return self._read(items[0].strip())

    def _judged(self, turn: ParsedTurn) -> Outcome:
        found, reason = find_scene(turn) if self._captions is None else find_caption(turn)
        return self._without(reason) if found is None else self._read(found)

    def _read(self, text: str) -> Outcome:
        if self._captions is None:
            scene, reason = read_answer(text, self._answer, ())
        else:
            most = MAX_GROWTH * self._longest + 200
            if len(text) > most:
                return self._without(f"a caption of {len(text)} characters; {most} are read")
            scene, reason = self._captions.read(text)
        if scene is None:
            return self._without(reason)
        return scene_outcome(scene, text, self._needs, self._draft)

    def _without(self, reason: str) -> Outcome:
        return Outcome("malformed", bounded(reason, 300), draft=self._draft)

    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return the F1 of the sets of facts; beside it what the correction changed.

        Metrics: those of `scene_truth`; `draft_f1`, and `gain`, the F1 less that of the draft;
        facts added and removed, right and wrong; `parser_error_rate` where captions are graded.
        """
        gold = self.task.target.scene
        assert gold is not None
        success, metrics = scene_truth(outcome.scene, gold)
        draft = Scene() if self._draft is None else self._draft
        before = scene_truth(draft, gold)[0]
        metrics["draft_f1"] = before
        metrics["gain"] = success - before
        final = draft if outcome.scene is None else outcome.scene
        metrics.update({k: float(v) for k, v in SceneEdit(draft, final, gold).counts().items()})
        if self._captions is not None:
            metrics["parser_error_rate"] = self._captions.error_rate
        return success, metrics

    def _closing(self) -> str:
        ended = self.outcome is not None and self.outcome.scene is not None
        return "Correction received." if ended else OVER

    def allowed(self) -> str:
        """Say what a turn may hold."""
        if self._captions is not None:
            return "Write the caption between <answer> and </answer>."
        return f"Write the scene graph, {FORMS[self._answer]}, in one ```json block."
