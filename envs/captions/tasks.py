"""The tasks of a source of scenes as tasks of correction, and as questions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from graphenv.checks import is_whole
from graphenv.envs.captions.planted import MAX_MISTAKES, planted_scene
from graphenv.envs.scenes.sources import SceneSource
from graphenv.envs.sources import Source
from graphenv.errors import ConfigError
from graphenv.scenes import Scene, read_scene, scene_json
from graphenv.seeding import stable_hash
from graphenv.task import Target, Task

__all__ = ["CorrectionTasks", "QuestionTasks", "WrappedScenes", "error_list"]


class WrappedScenes(Source):
    """A source whose tasks are those of a source of scenes, changed one by one."""

    def __init__(self, scenes: SceneSource, settings: Sequence[object]) -> None:
        super().__init__(scenes.split)
        self.scenes = scenes
        self._fingerprint = f"{stable_hash(scenes.fingerprint, *settings):016x}"

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @abstractmethod
    def changed(self, task: Task) -> Task:
        """Return the task made of one of the source."""

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Task:
        return self.changed(self.scenes[index])


class CorrectionTasks(WrappedScenes):
    """Scenes with drafts that hold planted mistakes, or with none where the policy drafts itself.

    Parameters
    ----------
    scenes
        Where captions and gold scenes come from.
    draft
        `planted` or `own`.
    errors
        Numbers of planted mistakes; each task gets one of them, drawn by its id.
    answer
        `json` or `triples`; with triples objects of one name are one, also in the gold.
    """

    def __init__(self, scenes: SceneSource, draft: str, errors: Sequence[int], answer: str) -> None:
        super().__init__(scenes, [draft, answer, *errors])
        self.mode = draft
        self.errors = tuple(errors)
        self.merged = answer == "triples"

    @property
    def provides(self) -> frozenset[str]:
        return self.scenes.provides & {"target.graph", "target.scene"}

    def changed(self, task: Task) -> Task:
        gold = task.target.scene
        assert gold is not None
        if self.merged:
            gold = Scene.from_triples(gold.facts)
        gold = replace(gold, objects=tuple(replace(thing, box=None) for thing in gold.objects))
        task = replace(task, target=replace(task.target, scene=gold))
        meta: dict[str, Any] = {**task.meta, "draft": self.mode}
        if self.mode == "planted":
            meta["mistakes"] = list(self.draft(task)[1])
        return replace(task, meta=meta)

    def draft(self, task: Task) -> tuple[Scene, tuple[str, ...]]:
        """Return the planted draft of a task of this source, and the mistakes in it."""
        gold = task.target.scene
        assert gold is not None
        count = self.errors[stable_hash("draft", task.id) % len(self.errors)]
        return _planted(gold, count, task.id, self.scenes, self.merged)


@lru_cache(maxsize=1024)
def _planted(
    gold: Scene, count: int, name: str, scenes: SceneSource, merged: bool
) -> tuple[Scene, tuple[str, ...]]:
    draft, made = planted_scene(gold, count, name, scenes.vocabulary)
    if merged:
        return Scene.from_triples(draft.facts), made
    read, reason = read_scene(scene_json(draft, boxes=False))
    assert read is not None, reason
    return read, made


class QuestionTasks(WrappedScenes):
    """Questions about scenes, each with its answer and the facts that it follows from.

    Of the questions about a scene one, drawn by the task's id, is asked.

    Raises
    ------
    ConfigError
        If the source has no questions.
    """

    def __init__(self, scenes: SceneSource) -> None:
        super().__init__(scenes, ["questions"])
        if not scenes.questions(0):
            raise ConfigError(
                "CaptionCorrection: mode='reasoning' asks questions about scenes, which this "
                "source does not have. source='synthetic' has them."
            )

    @property
    def provides(self) -> frozenset[str]:
        return frozenset({"target.answer", "target.rationale", "target.graph"})

    def changed(self, task: Task) -> Task:
        asked = self.scenes.questions(task.index)
        question = asked[stable_hash("question", task.id) % len(asked)]
        target = Target(
            answer=tuple(question.answer),
            graph=question.rationale,
            rationale=question.rationale,
            scene=task.target.scene,
        )
        return replace(task, target=target, meta={**task.meta, "question": question.text})


def error_list(errors: int | Sequence[int]) -> list[int]:
    """Return the numbers of mistakes that an argument `errors` asks for.

    Raises
    ------
    ConfigError
        If one is not a whole number from 0 to `MAX_MISTAKES`.

    >>> error_list(2), error_list([0, 1])
    ([2], [0, 1])
    """
    wanted: list[Any] = list(errors) if isinstance(errors, list | tuple) else [errors]
    if not wanted or not all(is_whole(count, 0, MAX_MISTAKES) for count in wanted):
        raise ConfigError(
            f"CaptionCorrection: errors={errors!r} must be a whole number from 0 to "
            f"{MAX_MISTAKES}, or a list of them"
        )
    return wanted
