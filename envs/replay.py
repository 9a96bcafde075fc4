"""Play logged episodes again: the same turns must give the same facts, or it is said why not."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from graphenv.envs import make
from graphenv.envs.base import GraphEnv
from graphenv.episode import Episode, EpisodeRecord
from graphenv.errors import ConfigError, ReplayMismatch

__all__ = ["EnvCache", "replay", "replay_all"]


class EnvCache:
    """Environments by what makes them, so that a log of thousands of episodes makes each once.

    Parameters
    ----------
    reward
        A reward expression that takes the place of the recorded one; `None` keeps it.
    size
        Environments kept; the least recently used one goes first.

    Examples
    --------
    >>> from graphenv.envs import make
    >>> record = make("kgqa", mode="program").play(0, ["no_such_relation"]).record()
    >>> cache = EnvCache(reward="answer_f1")
    >>> cache.env_for(record) is cache.env_for(record), cache.env_for(record).reward.name
    (True, 'answer_f1')
    """

    def __init__(self, reward: str | None = None, *, size: int = 8) -> None:
        self.reward = reward
        self._size = size
        self._envs: OrderedDict[str, GraphEnv] = OrderedDict()

    def env_for(self, record: EpisodeRecord) -> GraphEnv:
        """Return the environment that `record` was played in, with this cache's reward.

        Raises
        ------
        ConfigError, DataError, UnknownNameError
            If it cannot be made: an unknown id or argument, or data that is not there.
        """
        kwargs = dict(record.kwargs)
        if self.reward is not None:
            kwargs["reward"] = self.reward
        key = json.dumps([record.env_id, kwargs], sort_keys=True)
        if key not in self._envs:
            self._envs[key] = make(record.env_id, **kwargs)
            if len(self._envs) > self._size:
                self._envs.popitem(last=False)
        self._envs.move_to_end(key)
        return self._envs[key]


def replay(
    record: EpisodeRecord, env: GraphEnv | None = None, reward: str | None = None
) -> Episode:
    """Return the episode that `record` logs, played again turn by turn.

    A recorded timeout replays as recorded: its last turn is not executed.

    Parameters
    ----------
    record
        One line of an episode log.
    env
        The environment to play in, for example with another data folder; without it one is made
        from the record. Many records: `EnvCache` or `replay_all`.
    reward
        A reward expression in place of the recorded one. Facts do not depend on it.

    Raises
    ------
    ReplayMismatch
        If the task source, the task, the facts of a turn or the truth differ from those recorded.
    ConfigError
        If both `env` and another `reward` are given.

    Examples
    --------
    >>> from graphenv.envs import make
    >>> episode = make("kgqa", mode="program").play(0, ["no_such_relation"])
    >>> replay(episode.record()).digest() == episode.digest()
    True
    """
    if env is None:
        env = EnvCache(reward).env_for(record)
    elif reward is not None and reward != env.kwargs.get("reward"):
        raise ConfigError(
            "replay: give either an environment or a reward; the reward of an environment is "
            "chosen when it is made"
        )
    _check_task(record, env)
    session = env.begin(record.index)
    late = record.status == "timeout"
    session.play(record.turns[:-1] if late else record.turns)
    if late and session.outcome is None and record.turns:
        session.time_out(record.turns[-1], record.reason)
    episode = session.episode()
    _check_facts(record, episode)
    return episode


def replay_all(records: Iterable[EpisodeRecord], reward: str | None = None) -> Iterator[Episode]:
    """Yield the replayed episodes of a log, in order; each environment is made once."""
    cache = EnvCache(reward)
    for record in records:
        yield replay(record, cache.env_for(record))


def _check_task(record: EpisodeRecord, env: GraphEnv) -> None:
    what = f"replay of task {record.task_id} in {record.env_id}"
    if record.env_id != env.env_id:
        raise ReplayMismatch(f"{what}: the environment given is {env.env_id}")
    if record.fingerprint != env.source.fingerprint:
        raise ReplayMismatch(
            f"{what}: the task source is not the one recorded (fingerprint "
            f"{env.source.fingerprint[:12]}, recorded {record.fingerprint[:12]}). Likely causes: "
            "another version of the data, other source arguments or another split, another "
            f"version of graphenv. Recorded arguments: {dict(record.kwargs)}"
        )
    size = len(env.tasks)
    if not 0 <= record.index < size:
        raise ReplayMismatch(f"{what}: index {record.index} is outside the {size} tasks")
    found = env.source[record.index].id
    if found != record.task_id:
        raise ReplayMismatch(
            f"{what}: index {record.index} holds task {found}. Likely cause: another version of "
            "graphenv orders the tasks of this source differently."
        )


def _check_facts(record: EpisodeRecord, episode: Episode) -> None:
    differences = _differences(record, episode)
    if differences:
        raise ReplayMismatch(
            f"replay of task {record.task_id} in {record.env_id} (index {record.index}): "
            f"{'; '.join(differences)}. Likely causes: another version of graphenv (a change of "
            "prompts, tools or verdicts raises the -vN of an environment), edited turns, or other "
            "arguments (page_size, encoding, max_turns, max_observation) than recorded: "
            f"{dict(record.kwargs)}"
        )


def _differences(record: EpisodeRecord, episode: Episode) -> list[str]:
    """Say what differs, the first difference of the facts by its turn."""
    found = []
    if len(episode) != len(record.turns):
        found.append(f"it ends after turn {len(episode)} of the {len(record.turns)} recorded")
    if episode.digest() != record.digest:
        pairs = zip(episode.turn_digests(), record.turn_digests, strict=False)
        turn = next((t for t, (new, old) in enumerate(pairs) if new != old), None)
        if turn is not None:
            where = f"after turn {turn}" if turn else "before the first turn"
            found.append(f"the facts or the observation {where} differ from those recorded")
        elif episode.status == record.status:
            found.append("the digest of facts, observations and outcome differs")
    if episode.status != record.status:
        found.append(f"it ends as {episode.status!r}, recorded {record.status!r}")
    if record.success is not None and episode.success != record.success:
        found.append(f"its success is {episode.success}, recorded {record.success}")
    return found
