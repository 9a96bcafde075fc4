"""`GraphVectorEnv`: many episodes in lockstep over one world, graded in one batch per step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from graphenv.checks import whole
from graphenv.envs import make
from graphenv.envs.base import GraphEnv, ending, episode_info, graded, pick_index
from graphenv.envs.session import Session
from graphenv.episode import Episode
from graphenv.errors import ConfigError, GraphEnvError
from graphenv.score import Score

__all__ = ["GraphVectorEnv"]

Flags = npt.NDArray[np.bool_]
Infos = dict[str, Any]


class GraphVectorEnv(VectorEnv[tuple[str, ...], Sequence[str], npt.NDArray[Any]]):
    """N episodes of one environment in lockstep: one world, one reward, N sessions.

    Observations and actions are tuples of N texts. The same seeds and actions give the same
    observations, rewards, flags and infos as Gymnasium's `SyncVectorEnv` with
    `AutoresetMode.SAME_STEP`, sooner: nothing is held N times, and all episodes that end in a step
    are graded by one call of the reward. Autoreset is in the same step, because every action may
    have cost a generation by a language model and `NEXT_STEP` throws one away per episode: where
    `terminations[i] or truncations[i]`, `infos["final_obs"][i]` and `infos["final_info"]` tell of
    the end, and observation and info are those of the next episode.

    Do not put text environments into `AsyncVectorEnv` (or `vectorization_mode="async"`) as it
    comes: its `shared_memory=True` keeps text as fixed-width indices into the charset of the space,
    so that other characters and overlong text raise and the rest comes back as spaces.
    `vector_kwargs={"shared_memory": False}` is right, at the price of a world per process.

    Parameters
    ----------
    num_envs
        N, at least 1.
    env_id
        The id or short name of the environment.
    kwargs
        Its arguments.

    Raises
    ------
    ConfigError
        If `num_envs` is not a whole number of at least 1; whatever the environment raises.

    Examples
    --------
    >>> import gymnasium as gym, graphenv
    >>> envs = gym.make_vec("graphenv/KGQA-v0", num_envs=2, mode="program")
    >>> observations, infos = envs.reset(seed=0, options={"index": [4, 7]})
    >>> infos["index"].tolist()
    [4, 7]
    >>> observations, rewards, _, _, infos = envs.step(("nowhere", "nowhere"))
    >>> rewards.tolist(), infos["final_info"]["index"].tolist()
    ([0.0, 0.0], [4, 7])
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        **GraphEnv.metadata,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(self, num_envs: int = 1, *, env_id: str, **kwargs: Any) -> None:
        self.env = make(env_id, **kwargs)
        self.num_envs = whole(env_id, "num_envs", num_envs, 1)
        self.render_mode = self.env.render_mode
        self.single_observation_space = self.env.observation_space
        self.single_action_space = self.env.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._sessions: list[Session] | None = None
        self._observations: list[str] = [""] * num_envs
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._seeds: list[int | None] = [None] * num_envs

    # -- Gymnasium ----------------------------------------------------------------------------

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[tuple[str, ...], Infos]:
        """Start N episodes.

        Parameters
        ----------
        seed
            One number s (episode i is then seeded with s + i), or one per episode. Without it the
            generators go on.
        options
            `index` picks the tasks: one number for all, or one per episode. `reset_mask`, N
            booleans, leaves the other episodes as they are; infos then tell of the masked only.

        Raises
        ------
        ConfigError
            If `seed` or an option has the wrong length or an index is none.
        """
        seeds = self._per_episode("seed", seed, count_up=True)
        rest = dict(options or {})
        chosen = self._mask(rest.pop("reset_mask", None))
        indices = self._per_episode("options['index']", rest.pop("index", None))
        if self._sessions is None and len(chosen) < self.num_envs:
            raise GraphEnvError(f"{self.env.env_id}: the first reset() takes no reset_mask")
        size = len(self.env.source)
        begun: dict[int, Session] = {}
        for i in chosen:
            if seeds[i] is not None:
                self._generators[i], self._seeds[i] = seeding.np_random(seeds[i])
            picked = rest if indices[i] is None else {**rest, "index": indices[i]}
            begun[i] = self.env.begin(pick_index(self._generator(i), size, picked))
        if self._sessions is None:
            self._sessions = [begun[i] for i in range(self.num_envs)]
        infos = []
        for i, session in begun.items():
            self._sessions[i] = session
            self._observations[i] = session.task.prompt
            infos.append(episode_info(session.episode(), None))
        return tuple(self._observations), _batched(infos, list(begun), self.num_envs)

    def step(
        self, actions: Sequence[str]
    ) -> tuple[tuple[str, ...], npt.NDArray[np.float64], Flags, Flags, Infos]:
        """Play one turn of every episode; those that end are graded together and begun anew.

        Raises
        ------
        ConfigError
            If `actions` are not N texts; no turn is played then.
        GraphEnvError
            If `reset` was not called.
        RewardError
            If a reward term crashes.
        """
        sessions = self.sessions
        texts = self._texts(actions)
        n = self.num_envs
        rewards = np.zeros(n, dtype=np.float64)
        terminations = np.zeros(n, dtype=np.bool_)
        truncations = np.zeros(n, dtype=np.bool_)
        running: list[Episode | None] = [None] * n
        ended: dict[int, Episode] = {}
        over: list[int] = []  # ended before: an earlier step raised RewardError
        reward = self.env.reward
        for i, (session, text) in enumerate(zip(sessions, texts, strict=True)):
            if session.outcome is not None:
                over.append(i)
            self._observations[i] = session.turn(text).observation
            episode = session.episode()
            if session.outcome is None:
                running[i] = episode
            else:
                ended[i] = episode
                terminations[i], truncations[i] = ending(session)
        going = [(i, episode) for i, episode in enumerate(running) if episode is not None]
        reward.look([episode for _, episode in going])
        for i, episode in going:
            rewards[i] = reward.last_step(episode)
        final = self._final(ended, over, rewards) if ended else {}
        size = len(self.env.source)
        for i in ended:
            session = self.env.begin(pick_index(self._generator(i), size, None))
            sessions[i] = session
            self._observations[i] = session.task.prompt
            running[i] = session.episode()
        infos = _batched([episode_info(e, None) for e in running if e is not None], range(n), n)
        return tuple(self._observations), rewards, terminations, truncations, {**final, **infos}

    def render(self) -> tuple[str | None, ...] | None:  # type: ignore[override]
        """Return the conversations as text if `render_mode="ansi"`."""
        if self.render_mode != "ansi":
            return None
        from graphenv.envs.render import render_episode

        return tuple(render_episode(session.episode()) for session in self.sessions)

    def close_extras(self, **kwargs: Any) -> None:
        """Close the shared environment."""
        if "env" in self.__dict__:  # `__del__` also closes what was never made
            self.env.close()

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generators that pick the tasks, one per episode."""
        return tuple(self._generator(i) for i in range(self.num_envs))

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:  # type: ignore[override]
        """The seeds of the generators."""
        self.np_random  # noqa: B018 - makes those that are missing
        return tuple(self._seeds)

    # -- ours ---------------------------------------------------------------------------------

    @property
    def sessions(self) -> list[Session]:
        """The running sessions.

        Raises
        ------
        GraphEnvError
            If `reset` was not called.
        """
        if self._sessions is None:
            raise GraphEnvError(f"{self.env.env_id}: call reset() before step() or render()")
        return self._sessions

    def _final(
        self, ended: dict[int, Episode], over: list[int], rewards: npt.NDArray[np.float64]
    ) -> Infos:
        """Grade what ended, in one call; return what `infos` says of the ends."""
        fresh = [i for i in ended if i not in over]
        grades = graded(self.env.reward, [ended[i] for i in fresh]) if fresh else []
        scores: dict[int, Score] = dict(zip(fresh, grades, strict=True))
        for i, score in scores.items():
            rewards[i] = score.steps[-1] if score.steps else 0.0
        n = self.num_envs
        texts = np.full(n, None, dtype=object)
        mask = np.zeros(n, dtype=np.bool_)
        for i in ended:
            texts[i] = self._observations[i]
            mask[i] = True
        infos = [episode_info(episode, scores.get(i)) for i, episode in ended.items()]
        told = _batched(infos, list(ended), n)
        return {
            "final_obs": texts,
            "_final_obs": mask,
            "final_info": told,
            "_final_info": mask.copy(),
        }

    def _generator(self, i: int) -> np.random.Generator:
        generator = self._generators[i]
        if generator is None:
            generator, self._seeds[i] = seeding.np_random()
            self._generators[i] = generator
        return generator

    def _texts(self, actions: Iterable[str]) -> list[str]:
        if isinstance(actions, str):
            raise ConfigError(f"{self.env.env_id}: one text was given for {self.num_envs} actions")
        texts = list(actions)
        if len(texts) != self.num_envs:
            raise ConfigError(f"{self.env.env_id}: {len(texts)} actions for {self.num_envs} envs")
        for text in texts:
            if not isinstance(text, str):
                found = type(text).__name__
                raise ConfigError(f"{self.env.env_id}: an action is text; got {found}")
        return texts

    def _per_episode(self, name: str, value: Any, *, count_up: bool = False) -> list[Any]:
        n = self.num_envs
        if value is None:
            return [None] * n
        if isinstance(value, list | tuple | np.ndarray) and np.ndim(value):
            if len(value) != n:
                raise ConfigError(f"reset: {name} has {len(value)} entries for {n} envs")
            return list(value)
        return [value + i for i in range(n)] if count_up else [value] * n

    def _mask(self, mask: Any) -> list[int]:
        if mask is None:
            return list(range(self.num_envs))
        right = isinstance(mask, np.ndarray) and mask.dtype == np.bool_
        if not right or mask.shape != (self.num_envs,) or not mask.any():
            raise ConfigError(
                f"reset: options['reset_mask'] is a boolean array of shape ({self.num_envs},) "
                f"with at least one True; got {mask!r}"
            )
        return [int(i) for i in np.flatnonzero(mask)]


def _batched(infos: Sequence[Mapping[str, Any]], places: Sequence[int], n: int) -> Infos:
    """Return what `VectorEnv._add_info` makes of `infos[k]` at `places[k]`, a column at a time.

    A column's dtype is that of its first value: numbers and booleans have their own, with 0 where
    a place has no value, the rest are objects; `_key` is the mask of `key`; mappings are nested.
    """
    batch: Infos = {}
    if not infos:
        return batch
    keys = infos[0].keys()
    where = list(places)
    if all(info.keys() == keys for info in infos):
        for key in keys:
            _add_column(batch, key, [info[key] for info in infos], where, n)
        return batch
    columns: dict[str, tuple[list[int], list[Any]]] = {}
    for place, info in zip(places, infos, strict=True):
        for key, value in info.items():
            some, values = columns.setdefault(key, ([], []))
            some.append(place)
            values.append(value)
    for key, (some, values) in columns.items():
        _add_column(batch, key, values, some, n)
    return batch


def _add_column(batch: Infos, key: str, values: list[Any], where: list[int], n: int) -> None:
    first = values[0]
    kind = type(first)
    entire = len(where) == n
    column: Any
    if kind is dict:
        column = _batched(values, where, n)
    elif kind in _NUMBERS and entire and all(type(value) is kind for value in values):
        column = np.array(values, dtype=kind)
    elif kind in _PLAIN and entire:
        column = np.fromiter(values, dtype=object, count=n)
    else:
        column = _column(first, values, where, n)
    batch[key] = column
    mask = np.ones(n, dtype=np.bool_) if entire else np.zeros(n, dtype=np.bool_)
    if not entire:
        mask[where] = True
    batch[f"_{key}"] = mask


def _column(first: Any, values: list[Any], where: list[int], n: int) -> npt.NDArray[Any]:
    kind = type(first)
    if kind in _NUMBERS or issubclass(kind, np.number):
        column = np.zeros(n, dtype=kind)
    elif isinstance(first, np.ndarray):
        column = np.zeros((n, *first.shape), dtype=first.dtype)
    else:
        column = np.full(n, None, dtype=object)
    for place, value in zip(where, values, strict=True):
        column[place] = value
    return column


_NUMBERS = (int, float, bool)
_PLAIN = (str, type(None), list)
