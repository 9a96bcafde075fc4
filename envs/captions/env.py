"""`graphenv/CaptionCorrection-v0`: drafts with mistakes to correct, questions with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from graphenv.checks import flag, one_of
from graphenv.envs.arguments import offered, recorded
from graphenv.envs.base import GraphEnv
from graphenv.envs.captions.prompts import again, chat, scene_text, system_text
from graphenv.envs.captions.reasoning import ReasoningSession
from graphenv.envs.captions.session import CorrectionSession
from graphenv.envs.captions.tasks import CorrectionTasks, QuestionTasks, WrappedScenes, error_list
from graphenv.envs.captions.wording import MEASURED, Captions, make_captions
from graphenv.envs.scenes.reading import FORMS
from graphenv.envs.scenes.sources import SceneSource, make_source
from graphenv.envs.session import Session
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.scenes import Scene
from graphenv.seeding import sample
from graphenv.task import Message, Task
from graphenv.text import text_of

__all__ = ["CaptionCorrectionEnv"]

MODES = ("correct", "reasoning")
DRAFTS = {"planted": 1, "own": 2}
"""Where a draft comes from -> how many turns there are."""
_REWARDS = {"correct": "correction", "reasoning": "0.5*exact + 0.5*rationale_f1"}
_IN_MODE = {
    "correct": {
        *("outcome.graph", "target.graph", "outcome.scene", "target.scene", "outcome.draft")
    },
    "reasoning": {
        *("outcome.graph", "target.graph", "outcome.answer", "target.answer"),
        *("outcome.rationale", "target.rationale"),
    },
}


class CaptionCorrectionEnv(GraphEnv):
    """Correct a draft of a scene graph or caption; or answer a question with stated reasons.

    Description
    -----------
    In *correct mode* there is a draft. A planted one holds mistakes that are known: objects,
    attributes and relations that were changed, added or removed; the only turn is the correction.
    The policy's own one is its first turn, and the correction is the second. With `form="graph"`
    the caption (or the image) is shown and a graph is corrected; with `form="caption"` the scene
    graph is shown and a caption is corrected, which is graded by what it is read as: by the exact
    grammar of the embedded source, or by a parser of the user's.

    In *reasoning mode* a question about the scene is answered in one turn: facts, one a line, that
    the answer follows from, and then the answer.

    Observation
    -----------
    Text: the prompt, and between the two turns of an own draft what is to be done. With an image
    the user's message holds it as a part, in TRL's conversational form.

    Actions
    -------
    Text. A graph: JSON in one fenced block, in `<answer>` tags or bare. A caption: in `<answer>`
    tags or bare. Reasons: `(name: type)` and `(head, relation, tail)`, a line each, and
    `<answer>["..."]</answer>`.

    Rewards
    -------
    Any expression over the terms of family `caption-correction`; default `correction`, in reasoning
    mode `0.5*exact + 0.5*rationale_f1`. Truth (`info["success"]`): F1 of the sets of facts of the
    final scene; in reasoning mode exact match of the answer set. Beside it: the gain over the
    draft, facts added and removed, right and wrong, and `parser_error_rate` where captions are
    graded.

    Termination
    -----------
    Terminated by the correction or the answer, also if it cannot be read. A relation between
    objects that are not listed makes a graph `infeasible`; it is graded all the same.

    Arguments
    ---------
    source, split
        Where the scenes come from (`graphenv.envs.scenes.sources.SOURCES`) and which part.
    reward
        A reward expression.
    mode
        `correct` or `reasoning` (a source with questions).
    draft
        `planted` or `own`.
    form
        `graph` or `caption`.
    answer
        The form of a graph: `json` (objects and relationships) or `triples` (facts by name; two
        objects of one name are one there, also in the gold).
    errors
        Planted mistakes: a number from 0, or several as a list, of which each task has one. With 0
        among them the policy must learn to leave a draft alone.
    images
        Whether the prompt carries the image. Where there is no caption it has to.
    parser
        `module:function`, from a caption to a `Scene` or `None`: what reads captions of sources
        without a grammar. Its error rate on gold captions is `env.unwrapped.parser_error_rate`.
    max_turns
        One turn with a planted draft and in reasoning mode, two with an own one.
    instructions
        How much the prompt explains: `full`, `short`, `none` (what is shown alone).
    max_observation
        Longest observation, in characters.
    source_arguments
        All further arguments go to the source (`root=`, `objects=` ...).

    Version history
    ---------------
    v0: first version.

    Examples
    --------
    >>> import gymnasium as gym, graphenv
    >>> env = gym.make("graphenv/CaptionCorrection-v0", errors=1)
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, truncated, info = env.step("There is a dog.")
    >>> reward, terminated, info["status"]
    (-1.0, True, 'malformed')
    """

    family: ClassVar[str] = "caption-correction"

    def __init__(
        self,
        *,
        source: str = "synthetic",
        split: str = "train",
        reward: str | None = None,
        mode: str = "correct",
        draft: str = "planted",
        form: str = "graph",
        answer: str = "json",
        errors: int | Sequence[int] = (0, 1, 2, 3),
        images: bool = False,
        parser: str | None = None,
        max_turns: int | None = None,
        instructions: str = "full",
        max_observation: int = 4_000,
        render_mode: str | None = None,
        env_id: str = "graphenv/CaptionCorrection-v0",
        **source_arguments: Any,
    ) -> None:
        kwargs = recorded(locals())
        self.mode = one_of(env_id, "mode", mode, MODES)
        self.draft = one_of(env_id, "draft", draft, DRAFTS)
        self.form = one_of(env_id, "form", form, ("graph", "caption"))
        self.answer = one_of(env_id, "answer", answer, FORMS)
        flag(env_id, "images", images)
        counts = error_list(errors)
        turns = 1 if mode == "reasoning" else DRAFTS[draft]
        if max_turns not in (None, turns):
            raise ConfigError(
                f"{env_id}: max_turns={max_turns!r}, but the turns of mode={mode!r} with "
                f"draft={draft!r} are {turns}"
            )
        if parser is not None and (form != "caption" or mode == "reasoning"):
            raise ConfigError(f"{env_id}: parser={parser!r} reads captions; set form='caption'")
        kwargs.update(reward=reward or _REWARDS[mode], errors=counts)
        self.scene_source: SceneSource = make_source(
            source, split, source_arguments, also=offered(CaptionCorrectionEnv)
        )
        self._captioned = bool(self.scene_source[0].messages[0]["content"])
        self.images = images or (form == "graph" and not self._captioned)
        if self.images and not self.scene_source.has_images:
            raise ConfigError(
                f"{env_id}: the source {source!r} has no images here, and "
                + ("images=True." if images else "no captions: nothing tells what is true.")
                + " A source of annotated images takes their folder as image_root="
            )
        self.caption_tasks: WrappedScenes = (
            QuestionTasks(self.scene_source)
            if mode == "reasoning"
            else CorrectionTasks(self.scene_source, draft, counts, answer)
        )
        self.captions: Captions | None = None
        if form == "caption" and mode == "correct":
            self.captions = make_captions(source, parser, self._pairs)
        super().__init__(
            env_id=env_id,
            source=self.caption_tasks,
            kwargs=kwargs,
            max_turns=turns,
            render_mode=render_mode,
        )

    @property
    def _shown(self) -> str:
        if not self.images:
            return "caption"
        return "both" if self._captioned else "image"

    def _pairs(self) -> list[tuple[str, Scene]]:
        """Return gold captions with their scenes, a seeded sample."""
        places = sample(len(self.scene_source), MEASURED, "caption parser", self.scene_source.split)
        tasks = [self.scene_source[i] for i in places]
        return [
            (str(task.meta["caption"]), task.target.scene)
            for task in tasks
            if task.meta["caption"] and task.target.scene is not None
        ]

    @property
    def parser_error_rate(self) -> float:
        """Mean of 1 - F1 of the facts that the parser reads from gold captions; 0 without one."""
        return self.captions.error_rate if self.captions is not None else 0.0

    @property
    def provides(self) -> frozenset[str]:
        return super().provides & _IN_MODE[self.mode]

    def draft_of(self, task: Task) -> tuple[Scene, str]:
        """Return the planted draft of a task, as graded and as shown."""
        assert isinstance(self.caption_tasks, CorrectionTasks)
        draft, _ = self.caption_tasks.draft(task)
        if self.captions is None:
            return draft, scene_text(draft, self.answer)
        text = self.captions.write(draft, f"draft of {task.id}")
        return self._as_read(draft, text), text

    def _as_read(self, draft: Scene, text: str) -> Scene:
        """Return what a draft caption is read as, where that states what was planted."""
        assert self.captions is not None
        read = self.captions.read(text)[0] if self.captions.error_rate == 0.0 else None
        if read is None or sorted(read.facts) != sorted(draft.facts):
            return draft
        return read

    def prompt(self, task: Task) -> tuple[Message, ...]:
        system = system_text(
            mode=self.mode,
            draft=self.draft,
            form=self.form,
            answer=self.answer,
            instructions=self.instructions,
            shown=self._shown,
            embedded=self.kwargs["parser"] is None,
            relations=self.scene_source.relation_names,
        )
        gold = task.target.scene
        parts = [("Caption", text_of(task.messages[0]["content"]))]
        if self.mode == "reasoning":
            parts.append(("Question", str(task.meta["question"])))
        elif self.form == "caption" and gold is not None:
            parts = [("Scene graph", scene_text(gold, self.answer))]
        if self.mode == "correct" and self.draft == "planted":
            parts.append(("Draft", self.draft_of(task)[1]))
        image = self.scene_source.image(task.index) if self.images else None
        return chat(parts, self.scene_source.detections(task.index), image, system)

    def target(self, task: Task) -> Task:
        """Fill in the gold graph if it is needed."""
        gold = task.target.scene
        if self.mode == "reasoning" or "target.graph" not in self.reward.needs or gold is None:
            return task
        return replace(task, target=replace(task.target, graph=gold.graph))

    def make_session(self, template: Episode) -> Session:
        task, needs = template.task, self.reward.needs
        words = self.scene_source.vocabulary
        if self.mode == "reasoning":
            return ReasoningSession(
                template, max_observation=self.max_observation, vocabulary=words, needs=needs
            )
        draft, text = self.draft_of(task) if self.draft == "planted" else (None, "")
        return CorrectionSession(
            template,
            max_observation=self.max_observation,
            draft=draft,
            vocabulary=words,
            answer=self.answer,
            captions=self.captions,
            longest=max(len(text), len(str(task.meta["caption"]))),
            asked_again=again(self.form, self._shown),
            needs=needs,
        )
