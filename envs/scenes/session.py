"""One episode of scene graphs in play: the graph in one answer, or built step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphenv.envs.scenes.building import Builder
from graphenv.envs.scenes.outcome import scene_digest, scene_outcome
from graphenv.envs.scenes.reading import FORMS, find_scene, read_answer
from graphenv.envs.scenes.sources.base import SceneSource, SceneVocabulary
from graphenv.envs.session import OVER, Session
from graphenv.envs.tools import ToolSpec, tool
from graphenv.episode import Episode, Outcome, Status, ToolCall
from graphenv.graph import Graph
from graphenv.scenes import Scene, SceneObject, scene_json
from graphenv.scenes.reading import read_box
from graphenv.scenes.truths import scene_truth
from graphenv.text import bounded, parse_json, parse_turn

__all__ = ["BoxedSceneSession", "GivenSceneSession", "PublicScene", "SceneSession"]


class PublicScene(NamedTuple):
    """What an agent may read beside the chat: what is shown of the scene, and words to guess."""

    caption: str
    given: tuple[SceneObject, ...]
    vocabulary: SceneVocabulary


class SceneSession(Session):
    """A caption, an image or a list of objects; at the end a scene graph.

    Parameters
    ----------
    template, tools, max_observation
        See `Session`.
    source
        Where the task comes from: the objects that the prompt lists, and the words of its scenes.
    answer
        The form of an answer: `json` or `triples`.
    needs
        The facts that the reward reads; graphs are made only if they are in here.
    """

    def __init__(
        self,
        template: Episode,
        tools: Mapping[str, ToolSpec],
        *,
        max_observation: int,
        source: SceneSource,
        answer: str,
        needs: frozenset[str],
    ) -> None:
        super().__init__(template, tools, max_observation=max_observation)
        self._source = source
        self._given = source.detections(self.task.index)
        self._answer = answer
        self._needs = needs
        self._builder = Builder(self._given)

    @property
    def world(self) -> PublicScene:
        """What the prompt shows, and the words of the source."""
        caption = str(self.task.meta.get("caption", ""))
        return PublicScene(caption, self._given, self._source.vocabulary)

    @property
    def scene(self) -> Scene:
        """The scene so far; after the end, the one that is graded."""
        graded = self.outcome.scene if self.outcome is not None else None
        return self._builder.scene() if graded is None else graded

    def facts(self) -> dict[str, Any]:
        """Return the size of the scene so far, and a digest of it."""
        return scene_digest(self.scene)

    def graph(self) -> Graph | None:
        """Return the graph so far, if the reward asks for it."""
        return self.scene.graph if "step.graph" in self._needs else None

    # -- the end ------------------------------------------------------------------------------

    def read(self, text: str) -> tuple[tuple[ToolCall, ...], str, Status, str]:
        """Parse and execute one turn: tool calls, or the answer that ends the episode."""
        parsed = parse_turn(text)
        if self.tools and parsed.calls and not parsed.reason:
            return self.execute(parsed)
        found, reason = find_scene(parsed)
        if found is None and self.tools:
            return (), f"Malformed turn: {reason}. {self.allowed()}", "malformed", reason
        outcome = Outcome("malformed", reason) if found is None else self._judged(found)
        if outcome.scene is None and self.tools:
            said = f"Malformed answer: {outcome.reason}. {self.allowed()}"
            return (), said, "malformed", outcome.reason
        self.outcome = outcome
        return (), "", outcome.status, outcome.reason

    def conclude(self, items: tuple[str, ...]) -> Outcome:
        """Return the outcome of an answer list: its only item is the scene."""
        if len(items) != 1:
            return Outcome("malformed", f"{len(items)} answers; one scene graph is asked for")
        return self._judged(items[0].strip())

    def _judged(self, text: str) -> Outcome:
        scene, reason = read_answer(text, self._answer, self._given)
        if scene is None:
            return Outcome("malformed", bounded(reason, 300))
        return scene_outcome(scene, text, self._needs)

    def truth(self, outcome: Outcome) -> tuple[float, dict[str, float]]:
        """Return the F1 of the sets of facts, and published metrics beside it."""
        gold = self.task.target.scene
        assert gold is not None
        return scene_truth(outcome.scene, gold)

    def _closing(self) -> str:
        ended = self.outcome is not None and self.outcome.scene is not None
        return "Scene graph received." if ended else OVER

    def allowed(self) -> str:
        """Say what a turn may hold."""
        names = ", ".join(self.tools)
        calls = f"one of the tools {names} in <tool_call>...</tool_call>, or " if names else ""
        return f"Write {calls}the scene graph, {FORMS[self._answer]}, in one ```json block."

    # -- tools --------------------------------------------------------------------------------

    @tool
    def add_object(self, label: str, attributes: str = "") -> tuple[str, Status]:
        """Add an object to the graph; answers with the id that it got.

        Args:
            label: What it is.
            attributes: What it is like, separated by commas.
        """
        return self._add_object(label, attributes, "")

    def _add_object(self, label: str, attributes: str, box: str) -> tuple[str, Status]:
        told = (" ".join(part.split()) for part in attributes.split(","))
        words = tuple(dict.fromkeys(filter(None, told)))
        where, reason = None, ""
        if box.strip():
            value, reason = parse_json(f"[{box.strip().strip('[]')}]")
            where, reason = (None, reason) if reason else read_box(value)
        if reason:
            return f"Not added: the box {reason}.", "infeasible"
        name, reason = self._builder.add_object(label, words, where)
        if name is None:
            return f"Not added: {reason}", "infeasible"
        return f"Added {name}.", "ok"

    @tool
    def add_relation(self, subject: str, relation: str, object: str) -> tuple[str, Status]:
        """Add a relation between two objects; answers with the id that it got.

        Args:
            subject: The id of an object.
            relation: How it relates to the other.
            object: The id of the other object.
        """
        name, reason = self._builder.add_relation(subject, relation, object)
        if name is None:
            return f"Not added: {reason}", "infeasible"
        return f"Added {name}: {subject} {bounded(relation, 60)} {object}.", "ok"

    @tool
    def remove(self, id: str) -> tuple[str, Status]:
        """Remove an object with its relations, or one relation.

        Args:
            id: The id of the object or relation.
        """
        gone, reason = self._builder.remove(id)
        if reason:
            return f"Not removed: {reason}", "infeasible"
        also = f" and {gone} relations" if "." in id and gone else ""
        return f"Removed {id}{also}.", "ok"

    @tool
    def submit(self) -> tuple[str, Status]:
        """End with the graph as it is now."""
        scene = self._builder.scene()
        self.outcome = scene_outcome(scene, scene_json(scene), self._needs)
        return self._closing(), "ok"


class BoxedSceneSession(SceneSession):
    """The same where boxes are asked for: an object is added with its box."""

    @tool
    def add_object(self, label: str, attributes: str = "", box: str = "") -> tuple[str, Status]:
        """Add an object to the graph; answers with the id that it got.

        Args:
            label: What it is.
            attributes: What it is like, separated by commas.
            box: Left, top, right, bottom in pixels, separated by commas.
        """
        return self._add_object(label, attributes, box)


class GivenSceneSession(SceneSession):
    """The same where objects are given: `add_object` is not offered, and relations are removed."""

    @tool
    def remove(self, id: str) -> tuple[str, Status]:
        """Remove a relation.

        Args:
            id: The id of the relation.
        """
        return super().remove(id)
