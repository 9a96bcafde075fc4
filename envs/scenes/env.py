"""`graphenv/SceneGraph-v0`: captions, images or detected objects, told as scene graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from graphenv.checks import flag, one_of
from graphenv.envs.arguments import offered, recorded, turn_limit
from graphenv.envs.base import GraphEnv
from graphenv.envs.scenes.prompts import chat, system_text
from graphenv.envs.scenes.reading import FORMS
from graphenv.envs.scenes.session import BoxedSceneSession, GivenSceneSession, SceneSession
from graphenv.envs.scenes.sources import make_source
from graphenv.envs.scenes.sources.base import SceneSource, related
from graphenv.envs.tools import ToolSpec, tool_specs
from graphenv.episode import Episode
from graphenv.errors import ConfigError
from graphenv.scenes import Scene
from graphenv.task import Message, Task
from graphenv.text import text_of

__all__ = ["SceneGraphEnv"]

_TOOLS = {
    session: tool_specs(session) for session in (SceneSession, BoxedSceneSession, GivenSceneSession)
}
_TOOLS[GivenSceneSession].pop("add_object")  # what there is, is given
MODES = ("single", "steps")


class SceneGraphEnv(GraphEnv):
    """Write the scene graph of a caption, an image, or of objects that are given.

    Description
    -----------
    A caption, an image or a list of detected objects is shown; the policy writes the objects, what
    they are like and how they relate. In *single mode* the graph is the only turn; in *steps mode*
    it is built with tools, so that process rewards have steps to pay.

    Observation
    -----------
    Text: the prompt, then what each turn's tool calls answered (the ids of what was added). With
    `images` the user's message holds the image as a part, in TRL's conversational form; the text
    observation names its file. An observation has at most `max_observation` characters.

    Actions
    -------
    Text. One JSON answer in a fenced block, in `<answer>` tags or bare: objects and relationships
    (`graphenv.scenes.read_scene`) or a list of facts. Where objects are given, relations use their
    ids without listing them again. In steps mode `<tool_call>{"name": ..., "arguments":
    {...}}</tool_call>`; `submit` ends, and so does a JSON answer. `add_object` is offered only
    where objects are not given.

    Rewards
    -------
    Any expression over the terms of family `scene-graph`, default `triple_f1` (bags; an
    object without attributes and relations is a part as a triple is). Truth (`info["success"]`):
    F1 of the sets of facts (`graphenv.scenes.truths.scene_truth`); with boxes Recall@K and mean
    Recall@K stand beside it.

    Termination
    -----------
    Terminated by an answer or `submit`; truncated after `max_turns` turns. A relation between
    objects that are not listed makes an answer `infeasible`; it is graded all the same.

    Arguments
    ---------
    source, split
        Where the scenes come from (`graphenv.envs.scenes.sources.SOURCES`) and which part.
    reward
        A reward expression.
    mode
        `single` or `steps`.
    answer
        `json` (objects and relationships) or `triples` (facts by name; two objects of one name are
        one there, also in the gold). Steps mode has `json`.
    images
        Whether the prompt carries the image; the source needs to have one.
    boxes
        Whether boxes are asked for, which needs `images`. Without, gold has none either, unless
        objects are given with theirs.
    max_turns
        Turn limit of steps mode (default 24; single mode has one turn).
    instructions
        How much the prompt explains: `full` (with an example), `short`, `none` (the caption alone).
    max_observation
        Longest observation, in characters.
    source_arguments
        All further arguments go to the source (`root=`, `detected=` ...).

    Version history
    ---------------
    v0: first version.

    Examples
    --------
    >>> import gymnasium as gym, graphenv
    >>> env = gym.make("graphenv/SceneGraph-v0")
    >>> observation, info = env.reset(seed=0)
    >>> _, reward, terminated, truncated, info = env.step("There is a dog.")
    >>> reward, terminated, info["status"]
    (0.0, True, 'malformed')
    """

    family: ClassVar[str] = "scene-graph"

    def __init__(
        self,
        *,
        source: str = "synthetic",
        split: str = "train",
        reward: str = "triple_f1",
        mode: str = "single",
        answer: str = "json",
        images: bool = False,
        boxes: bool = False,
        max_turns: int | None = None,
        instructions: str = "full",
        max_observation: int = 4_000,
        render_mode: str | None = None,
        env_id: str = "graphenv/SceneGraph-v0",
        **source_arguments: Any,
    ) -> None:
        kwargs = recorded(locals())
        self.mode = one_of(env_id, "mode", mode, MODES)
        self.answer = one_of(env_id, "answer", answer, FORMS)
        self.images = flag(env_id, "images", images)
        self.boxes = flag(env_id, "boxes", boxes)
        turns = turn_limit(env_id, max_turns, 24, mode=mode, single="single")
        if mode == "steps" and answer != "json":
            raise ConfigError(
                f"{env_id}: answer={answer!r} is for single mode; steps mode has json"
            )
        self.scene_source: SceneSource = make_source(
            source, split, source_arguments, also=offered(SceneGraphEnv)
        )
        super().__init__(
            env_id=env_id,
            source=self.scene_source,
            kwargs=kwargs,
            max_turns=turns,
            render_mode=render_mode,
        )
        first = self.scene_source[0]
        self._captions = bool(first.messages[0]["content"])
        self._given = bool(self.scene_source.detections(0))
        self._player: type[SceneSession] = BoxedSceneSession if self.boxes else SceneSession
        if self._given:
            self._player = GivenSceneSession
        self._check_shown(source)

    def _check_shown(self, source: str) -> None:
        """Check that what is asked for can be seen."""
        if self.images and not self.scene_source.has_images:
            raise ConfigError(
                f"{self.env_id}: images=True, but the source {source!r} has no images here; a "
                "source of annotated images takes their folder as image_root="
            )
        if self.boxes and (not self.images or self._given or not self.scene_source.has_boxes):
            why = (
                "objects are given with theirs"
                if self._given
                else "they can only be read off an image: set images=True"
                if self.scene_source.has_boxes
                else f"the source {source!r} knows none"
            )
            raise ConfigError(f"{self.env_id}: boxes=True asks for boxes, but {why}")
        if self.boxes and self.answer == "triples":
            raise ConfigError(f"{self.env_id}: answer='triples' has no place for boxes=True")
        if not (self._captions or self._given or self.images):
            raise ConfigError(
                f"{self.env_id}: the source {source!r} has no captions; set images=True, or let it "
                "give the objects"
            )

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        return {} if self.mode == "single" else _TOOLS[self._player]

    def prompt(self, task: Task) -> tuple[Message, ...]:
        system = system_text(
            mode=self.mode,
            answer=self.answer,
            instructions=self.instructions,
            tools=self.tools.values(),
            captions=self._captions,
            given=self._given,
            images=self.images,
            boxes=self.boxes,
            attributes=self.scene_source.has_attributes,
            relations=self.scene_source.relation_names,
        )
        image = self.scene_source.image(task.index) if self.images else None
        caption = text_of(task.messages[0]["content"])
        return chat(caption, self.scene_source.detections(task.index), image, system)

    def target(self, task: Task) -> Task:
        """Leave of the gold what the form of an answer can say: see `answer` and `boxes`."""
        gold = task.target.scene
        assert gold is not None
        if self._given:
            gold = related(gold)
        elif self.answer == "triples":
            gold = Scene.from_triples(gold.facts)
        elif not self.boxes:
            gold = replace(gold, objects=tuple(replace(o, box=None) for o in gold.objects))
        return replace(task, target=replace(task.target, scene=gold, graph=gold.graph))

    def make_session(self, template: Episode) -> SceneSession:
        return self._player(
            template,
            self.tools,
            max_observation=self.max_observation,
            source=self.scene_source,
            answer=self.answer,
            needs=self.reward.needs,
        )
