"""How corrections and questions with reasons are played: right, with nested mistakes, at random."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from graphenv.agents.base import Agent
from graphenv.agents.families.base import Family, RandomTurns
from graphenv.envs.captions.env import CaptionCorrectionEnv
from graphenv.envs.captions.planted import planted_scene
from graphenv.envs.captions.prompts import scene_text
from graphenv.envs.captions.session import PublicDraft
from graphenv.fences import fenced
from graphenv.graph import Edge, Graph
from graphenv.scenes import Scene
from graphenv.scenes.rationale import rationale_text
from graphenv.seeding import rng
from graphenv.task import Task
from graphenv.text import format_answer

__all__ = ["CaptionFamily"]


class CaptionFamily(Family):
    """A corrected graph or caption; or facts and an answer."""

    env: CaptionCorrectionEnv

    def gold(self, index: int) -> list[str]:
        """Return the gold graph, or a caption that tells it; for a question facts and answer.

        Where the policy drafts itself, it is right both times.
        """
        return self.planted(index, 0)

    def planted(self, index: int, errors: int) -> list[str]:
        """Return the gold with mistakes, as `planted_scene` makes them.

        In reasoning mode the first mistake is in the answer, and each takes a stated fact away.
        """
        task = self.env.tasks[index]
        if self.env.mode == "reasoning":
            return [_reasoned(task, errors)]
        gold = task.target.scene
        assert gold is not None
        words = self.env.scene_source.vocabulary
        scene, _ = planted_scene(gold, errors, f"oracle {task.id}", words)
        text = self.text(task, scene, right=errors == 0)
        return [text] * self.env.max_turns

    def text(self, task: Task, scene: Scene, *, right: bool = False) -> str:
        """Return the turn that gives a scene; `right` says that it is the gold."""
        captions = self.env.captions
        if captions is None:
            return fenced(scene_text(scene, self.env.answer), "json")
        text = captions.write(scene, f"agent {task.id}")
        told = str(task.meta["caption"])
        if right and told and captions.error_rate > 0.0:  # a parser is made for such captions
            text = told
        return f"<answer>{text}</answer>"

    def random(self, world: Any, seed: int, max_moves: int) -> Agent:
        """Return a policy that writes a scene of random words, or a random fact and answer."""
        return RandomTurns(seed, partial(self._drawn, world))

    def _drawn(self, world: PublicDraft, draw: np.random.Generator) -> list[str]:
        words = world.vocabulary

        def pick(known: Sequence[str], none: str) -> str:
            return known[int(draw.integers(len(known)))] if known else none

        head, tail = pick(words.labels, "thing"), pick(words.labels, "other thing")
        fact = (head, pick(words.relations, "near"), tail)
        if self.env.mode == "reasoning":
            text = f"({head}: object)\n{format_answer([tail])}"
        else:
            scene = Scene.from_triples([fact, (head, "is", pick(words.attributes, "small"))])
            text = self.text(self.env.tasks[0], scene)
        return [text] * self.env.max_turns


def _reasoned(task: Task, errors: int) -> str:
    target = task.target
    assert target.rationale is not None and target.answer is not None
    graph = target.rationale
    kept = max(0, len(graph.edges) - errors)
    order = rng("planted reasons", task.id).permutation(len(graph.edges)).tolist()
    wrong = [Edge(e.head, f"not {e.relation}", e.tail) for e in (graph.edges[i] for i in order)]
    edges = tuple(wrong[at] if at >= kept else graph.edges[i] for at, i in enumerate(order))
    if errors == 0:
        edges = graph.edges
    items = [f"not {item}" for item in target.answer] if errors else target.answer
    return "\n".join([rationale_text(Graph(graph.nodes, edges)), format_answer(items)])
