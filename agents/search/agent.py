"""`search`: finds weighted paths by tree search and answers with the best; never sees the gold."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from graphenv.agents.base import Agent, WorldAgent
from graphenv.agents.script import (
    Script,
    kgqa_env,
    opening,
    question_of,
    tool_turns,
    topics_of,
)
from graphenv.agents.search.fitted import FittedScorer, masked, training_pairs
from graphenv.agents.search.scorers import LexicalScorer, RandomScorer
from graphenv.agents.search.tree import Path, Scorer, World, beam_search, tree_search
from graphenv.checks import one_of, whole
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa.program import Branch, Program
from graphenv.errors import ConfigError
from graphenv.knowledge import TripleStore
from graphenv.references import load_attribute
from graphenv.task import Message
from graphenv.text import format_answer, text_of

__all__ = ["SearchAgent"]

MAX_TOPICS = 3
"""Topic entities looked at; paths from all of them are combined, so the work grows as a power."""

KEPT = 8
"""Paths kept of each topic entity when several are combined."""


class SearchAgent(WorldAgent):
    """Reward-guided tree search over paths, after RTSoG: training-free by default.

    The question is split into the words that a path should meet, in order; a tree of paths is
    searched from the topic entity under a counted budget; every walked path gets a weight; paths
    that reach the same entities add up (softmax of the weights), and the heaviest answer wins. It
    reads the chat and the public graph; the target is out of its reach (`WorldAgent`).

    In program mode it writes the winning path as a program; in tool mode it walks it. Questions
    with several topic entities are answered by the intersection of one path from each, "how many"
    by a count where the source has counts. Filters are not searched for.

    Parameters
    ----------
    env
        A KGQA environment.
    budget
        Paths walked for a question, at least 1; shared among its topic entities.
    strategy
        `tree` (UCT over moves) or `beam`.
    scorer
        Weighs walked paths: `lexical`, `random`, or `"module:attribute"` (a `Scorer`).
    guide
        Ranks what to walk next; same names, default the scorer. `random` is unguided search.
    fit
        Fit scorer and guide, where they are `lexical`, on this many tasks of the train split
        instead (0: training-free).
    max_moves
        Longest path.
    exploration
        UCT's constant, at least 0.
    enough
        The self-critic's threshold in [0, 1] (`tree` only): a path this good answers the question
        and ends the search. `None`, the default, spends the whole budget.
    temperature
        Of the softmax that adds up paths with one answer; above 0.
    seed
        Of the `random` scorer; nothing else is random.

    Raises
    ------
    ConfigError
        If the environment is of another family or an argument is out of range.

    References
    ----------
    Long et al. (2025), Enhancing Large Language Models with Reward-guided Tree Search for
    Knowledge Graph Question and Answering (RTSoG), where language models decompose and score.

    >>> from graphenv import agents, envs
    >>> env = envs.make("kgqa", mode="program")
    >>> agents.rollout(env, SearchAgent(env, budget=50), index=0).status
    'ok'
    """

    def __init__(
        self,
        env: GraphEnv,
        *,
        budget: int = 100,
        strategy: str = "tree",
        scorer: str = "lexical",
        guide: str | None = None,
        fit: int = 0,
        max_moves: int = 3,
        exploration: float = 0.1,
        enough: float | None = None,
        temperature: float = 0.02,
        seed: int = 0,
    ) -> None:
        super().__init__(env)
        kgqa = kgqa_env(env, "search")
        for name, value in (("budget", budget), ("max_moves", max_moves)):
            whole("search", name, value, 1)
        one_of("search", "strategy", strategy, ("tree", "beam"))
        critic_fits = enough is None or 0 <= enough <= 1
        if exploration < 0 or temperature <= 0 or fit < 0 or not critic_fits:
            raise ConfigError(
                f"search: exploration={exploration!r} and fit={fit!r} must be >= 0, "
                f"temperature={temperature!r} > 0 and enough={enough!r} in [0, 1] or None"
            )
        self.budget = budget
        self.strategy = strategy
        self.max_moves = max_moves
        self.exploration = exploration
        self.enough = enough
        self.temperature = temperature
        fitted = FittedScorer(training_pairs(kgqa, fit)) if fit else None
        self._judge = _scorer(scorer, fitted, seed)
        self._guide = self._judge if guide is None else _scorer(guide, fitted, seed)
        self._drop_topic = kgqa.kg_source.drop_topic
        self._features = kgqa.kg_source.features

    def for_world(self, world: Any) -> Agent:
        """Return the policy for episodes in `world`, a `TripleStore`."""
        return _Searcher(self, world)

    def paths(
        self, question: str, topic: str, world: TripleStore, budget: int
    ) -> tuple[list[Path], int]:
        """Return the walked paths from `topic`, heaviest first, and the nodes spent."""
        place = World(world, world.entity_id(topic), self._drop_topic)
        text = masked(question, topic)
        if self.strategy == "beam":
            found, spent = beam_search(
                text, place, self._guide, self._judge, budget=budget, max_moves=self.max_moves
            )
        else:
            found, spent = tree_search(
                text,
                place,
                self._guide,
                self._judge,
                budget=budget,
                max_moves=self.max_moves,
                exploration=self.exploration,
                enough=self.enough,
            )
        order = sorted(found, key=lambda path: (-path.weight, len(path.moves), path.moves))
        return order, spent

    def plan(self, messages: Sequence[Message], world: TripleStore) -> Program | None:
        """Return the program that answers the question of a prompt; `None` if nothing is found."""
        question = question_of(messages)
        topics = topics_of(messages, world)
        topics = topics[: MAX_TOPICS if "branch" in self._features else 1]
        if not topics:
            return None
        share = max(1, self.budget // len(topics))
        found = [self.paths(question, topic, world, share)[0] for topic in topics]
        count = "count" in self._features and "how many" in question.lower()
        chosen: tuple[Path | None, ...]
        if len(topics) == 1:
            chosen = (self._heaviest(found[0]),)
        else:
            chosen = _intersecting([paths[:KEPT] for paths in found])
        branches = tuple(
            Branch(path.moves, None if i == 0 else topics[i])
            for i, path in enumerate(chosen)
            if path is not None
        )
        return Program(branches, count) if branches else None

    def _heaviest(self, paths: Sequence[Path]) -> Path | None:
        """Return the best path of the answer with the largest sum of weights."""
        mass: dict[bytes, float] = {}
        best: dict[bytes, Path] = {}
        for path in paths:  # heaviest first
            answer = b"" if path.ends is None else path.ends.tobytes()
            share = math.exp((path.weight - paths[0].weight) / self.temperature)
            mass[answer] = mass.get(answer, 0.0) + share
            best.setdefault(answer, path)
        return best[max(mass, key=lambda answer: mass[answer])] if mass else None


class _Searcher(Agent):
    def __init__(self, agent: SearchAgent, world: TripleStore) -> None:
        self._agent = agent
        self._world = world
        self._plans: OrderedDict[str, list[str]] = OrderedDict()

    def act(self, messages: Sequence[Message]) -> str:
        prompt = opening(messages)
        key = "\x1f".join(text_of(message["content"]) for message in prompt)
        if key not in self._plans:  # a cache: the plan is a pure function of world and prompt
            self._plans[key] = self._turns(prompt)
            if len(self._plans) > 16:
                self._plans.popitem(last=False)
        return Script(self._plans[key]).act(messages)

    def _turns(self, prompt: Sequence[Message]) -> list[str]:
        program = self._agent.plan(prompt, self._world)
        env = self._agent.env
        if program is None:
            return [format_answer([])]
        if not env.tools:
            return [str(program)]
        turns = tool_turns(program)
        return turns if len(turns) <= env.max_turns else ["\n".join(turns)]


def _intersecting(found: Sequence[Sequence[Path]]) -> tuple[Path | None, ...]:
    """Return one path a topic: the best in sum whose ends have an entity in common."""
    if not all(found):
        return tuple(paths[0] if paths else None for paths in found)
    ranked = sorted(product(*found), key=lambda paths: -sum(p.weight for p in paths))
    for paths in ranked:
        common = paths[0].ends
        for path in paths[1:]:
            assert common is not None and path.ends is not None
            common = np.intersect1d(common, path.ends, assume_unique=True)
        if common is not None and len(common):
            return paths
    return ranked[0]


def _scorer(name: str, fitted: FittedScorer | None, seed: int) -> Scorer:
    if name == "lexical":
        return fitted if fitted is not None else LexicalScorer()
    if name == "random":
        return RandomScorer(seed)
    if ":" not in name:
        raise ConfigError(
            f"search: scorer {name!r} is neither 'lexical' nor 'random' nor 'module:attribute'"
        )
    scorer: Scorer = load_attribute(name)
    if not callable(scorer):
        raise ConfigError(f"search: scorer {name!r} is not callable")
    return scorer
