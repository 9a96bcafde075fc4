"""`GraphEnv`: the Gymnasium shell around a session. Text in, text out, one reward."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, SupportsFloat

import gymnasium as gym
import numpy as np

from graphenv.checks import one_of, whole
from graphenv.details import brief
from graphenv.envs.session import Session
from graphenv.envs.spaces import UnicodeText
from graphenv.envs.tools import ToolSpec
from graphenv.episode import Episode
from graphenv.errors import ConfigError, GraphEnvError, RewardError
from graphenv.facts import FAMILIES
from graphenv.rewards import ExpressionReward, check_provided, parse
from graphenv.score import Score
from graphenv.task import Message, Task, TaskSource
from graphenv.text import MAX_COMPLETION_CHARS

__all__ = ["INSTRUCTIONS", "GraphEnv", "PromptedTasks"]

INSTRUCTIONS = ("full", "short", "none")
MAX_OPENINGS = 64
"""Openings kept, so that the members of a group (one task, many episodes) share their making."""


class PromptedTasks(Sequence[Task]):
    """The tasks of a source with the environment's prompt around each question."""

    def __init__(self, env: GraphEnv) -> None:
        self._env = env

    def __len__(self) -> int:
        return len(self._env.source)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f"task index {index} is outside the {size} tasks of this split")
        task = self._env.source[int(index) % size]
        return Task(task.id, task.index, self._env.prompt(task), task.target, task.meta)

    def __iter__(self) -> Iterator[Task]:
        return (self[i] for i in range(len(self)))


class GraphEnv(gym.Env[str, str], ABC):
    """Base of all environments: a task source, a session per episode, one reward.

    Parameters
    ----------
    env_id
        The id it is registered under.
    source
        Where the tasks come from.
    kwargs
        The JSON-able arguments that make this environment again (`envs.arguments.recorded`).
    max_turns
        Turn limit of an episode.
    reward
        A reward expression (see `graphenv.rewards.parse`). This and the next two stand in `kwargs`
        and need not be given twice.
    instructions
        How much the prompt explains: `full` (default), `short` or `none`.
    max_observation
        Longest observation, in characters (default 4,000).
    render_mode
        `ansi` (a string) or `None`.

    Raises
    ------
    ConfigError
        If an argument is out of range, or the reward needs facts that are not provided.
    """

    # RUF012: gymnasium declares it so.
    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012
    family: ClassVar[str]

    def __init__(
        self,
        *,
        env_id: str,
        source: TaskSource,
        kwargs: Mapping[str, Any],
        max_turns: int,
        reward: str | None = None,
        instructions: str | None = None,
        max_observation: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        if len(source) == 0:
            raise ConfigError(
                f"{env_id}: the source holds no task for these arguments: {dict(kwargs)}"
            )
        passed = {
            "reward": reward, "instructions": instructions, "max_observation": max_observation
        }  # fmt: skip
        given = {"instructions": "full", "max_observation": 4_000, **kwargs}
        given.update({name: value for name, value in passed.items() if value is not None})
        self.max_turns = whole(env_id, "max_turns", max_turns, 1)
        self.instructions = one_of(env_id, "instructions", given["instructions"], INSTRUCTIONS)
        self.max_observation = whole(env_id, "max_observation", given["max_observation"], 100)
        if render_mode not in (None, "ansi"):
            raise ConfigError(f"{env_id}: render_mode={render_mode!r}; only 'ansi' and None exist")
        try:
            json.dumps(dict(kwargs))
        except TypeError as error:
            raise ConfigError(f"{env_id}: every argument must be JSON-able: {error}") from error
        self.env_id = env_id
        self.source = source
        self.kwargs = dict(kwargs)
        self.render_mode = render_mode
        self.reward: ExpressionReward = parse(given["reward"])
        check_provided(self.reward, self.provides, f"{env_id} with this source")
        self.observation_space = UnicodeText(1_000_000)
        self.action_space = UnicodeText(MAX_COMPLETION_CHARS * 10)
        self._openings: OrderedDict[int, Episode] = OrderedDict()
        self._session: Session | None = None
        self._score: Score | None = None

    # -- what a family defines ----------------------------------------------------------------

    @abstractmethod
    def prompt(self, task: Task) -> tuple[Message, ...]:
        """Return the chat that opens an episode of `task`."""

    @abstractmethod
    def make_session(self, template: Episode) -> Session:
        """Return a session for the task of `template`, not yet started."""

    def target(self, task: Task) -> Task:
        """Return `task` with the gold facts that the reward needs filled in."""
        return task

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        """The tools that episodes of this environment offer."""
        return {}

    @property
    def provides(self) -> frozenset[str]:
        """The facts that reward terms may read here."""
        known = self.source.provides
        family = FAMILIES[self.family]
        return frozenset(f for f in family if not f.startswith("target.") or f in known)

    # -- playing ------------------------------------------------------------------------------

    @property
    def tasks(self) -> PromptedTasks:
        """The tasks as an agent meets them; `tasks[i]` is a `Task`."""
        return PromptedTasks(self)

    def begin(self, index: int) -> Session:
        """Return a started session of task `index`; sessions are independent of each other."""
        opening = self._openings.get(index)
        if opening is not None:
            return self.make_session(opening)
        template = Episode(
            env_id=self.env_id,
            kwargs=self.kwargs,
            fingerprint=self.source.fingerprint,
            task=self.target(self.tasks[index]),
            max_turns=self.max_turns,
        )
        session = self.make_session(template)
        session.start()
        self._openings[index] = session.episode()
        if len(self._openings) > MAX_OPENINGS:
            self._openings.popitem(last=False)
        return session

    def play(self, index: int, turns: Sequence[str]) -> Episode:
        """Return the episode in which an agent says `turns` one after another.

        Turns after the end are ignored; an episode that has not ended then stays open.
        """
        session = self.begin(index)
        session.play(turns)
        return session.episode()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode; `options={"index": i}` picks the task, without it the seed does.

        Raises
        ------
        ConfigError
            If `options` holds anything but a valid `index`.
        """
        super().reset(seed=seed)
        index = pick_index(self.np_random, len(self.source), options)
        self._session = self.begin(index)
        self._score = None
        return self._session.task.prompt, self.info()

    def step(self, action: str) -> tuple[str, SupportsFloat, bool, bool, dict[str, Any]]:
        """Play one assistant turn.

        Raises
        ------
        GraphEnvError
            If `reset` was not called.
        RewardError
            If a reward term crashes.
        """
        session = self.session
        if not isinstance(action, str):
            raise ConfigError(f"{self.env_id}: an action is text; got {type(action).__name__}")
        over = session.outcome is not None
        step = session.turn(action)
        if over:
            return step.observation, 0.0, *ending(session), self.info()
        episode = session.episode()
        if episode.ended:
            self._score = graded(self.reward, [episode])[0]
            value = self._score.steps[-1] if self._score.steps else 0.0
        else:
            value = self.reward.last_step(episode)
        info = episode_info(episode, self._score)
        return step.observation, value, *ending(session), info

    @property
    def session(self) -> Session:
        """The session of the running episode.

        Raises
        ------
        GraphEnvError
            If `reset` was not called.
        """
        if self._session is None:
            raise GraphEnvError(f"{self.env_id}: call reset() before step() or render()")
        return self._session

    @property
    def episode(self) -> Episode:
        """The episode so far."""
        return self.session.episode()

    @property
    def success(self) -> float | None:
        """The family's truth in [0, 1], `None` while the episode runs. Never a reward."""
        return self.episode.success

    @property
    def score(self) -> Score | None:
        """The score of the finished episode, `None` while it runs."""
        return self._score

    def info(self) -> dict[str, Any]:
        """Return the info of the running episode: fresh, JSON-able, without gold."""
        return episode_info(self.session.episode(), self._score)

    def render(self) -> str | None:
        """Return the conversation as text if `render_mode="ansi"`."""
        if self.render_mode != "ansi":
            return None
        from graphenv.envs.render import render_episode

        return render_episode(self.episode)


def pick_index(generator: np.random.Generator, size: int, options: dict[str, Any] | None) -> int:
    """Return the task index that `options` names, else one drawn from `generator`."""
    options = dict(options or {})
    index = options.pop("index", None)
    if options:
        raise ConfigError(f"reset: unknown options {sorted(options)}; only 'index' is known")
    if index is None:
        return int(generator.integers(size))
    whole = isinstance(index, int | np.integer) and not isinstance(index, bool)
    if not whole or not 0 <= index < size:
        raise ConfigError(
            f"reset: index={index!r} is not a task index; this split has 0..{size - 1}"
        )
    return int(index)


def ending(session: Session) -> tuple[bool, bool]:
    """Return (terminated, truncated) of a session."""
    if session.outcome is None:
        return False, False
    truncated = session.outcome.status == "truncated"
    return not truncated, truncated


def graded(reward: ExpressionReward, episodes: Sequence[Episode]) -> list[Score]:
    """Grade finished episodes for `step`, which cannot return "no value".

    Raises
    ------
    RewardError
        If a term crashed on one of them.
    """
    scores = reward(episodes)
    for episode, score in zip(episodes, scores, strict=True):
        if score.status == "error":
            raise RewardError(
                f"reward {reward.name!r} crashed on task {episode.task.id}: {score.reason}"
            )
    return scores


def _copied(message: Message) -> dict[str, Any]:
    """Return a message that shares nothing with the episode, also where it has parts."""
    if isinstance(message["content"], str):
        return dict(message)
    return {**message, "content": [dict(part) for part in message["content"]]}


def episode_info(episode: Episode, score: Score | None) -> dict[str, Any]:
    """Return the Gymnasium info of an episode; `score` once it has ended."""
    last = episode.steps[-1] if episode.steps else None
    info: dict[str, Any] = {
        "task_id": episode.task.id,
        "index": episode.task.index,
        "turn": len(episode.steps),
        "messages": [_copied(message) for message in episode.messages],
        "turn_status": last.status if last else "ok",
        "status": episode.status or "running",
        "reason": episode.outcome.reason if episode.outcome else (last.reason if last else ""),
        "success": episode.success,
        "score": {},
        "metrics": dict(episode.metrics),
    }
    if score is not None:
        info["score"] = {name: part.value for name, part in score.parts.items()}
        info["return"] = score.value
        info["score_info"] = {name: brief(details) for name, details in score.info.items()}
    return info
