"""`Trajectory`: what a credit sees of an episode."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from graphenv.episode import Episode, Step
from graphenv.errors import GraphEnvError
from graphenv.score import Score

__all__ = ["Trajectory"]


@dataclass(frozen=True)
class Trajectory:
    """What turns earned, and what tells them apart from the turns of other episodes of the group.

    Parameters
    ----------
    rewards
        r: what each of the T turns earned; they sum to the value of the episode.
    settled
        What of the last of them the end settled (verdicts, validity, products, gates), and not the
        turn itself; `None`: all of it.
    states
        Keys of the state before the first turn and after each, T + 1 (`Episode.state_keys`).
    actions
        What each turn did (its tool calls; its text if it had none), as keys.
    said
        What the model wrote in each turn: its text, or its token ids.
    branches
        For each turn the branch of a tree of rollouts that it was sampled in (`siblings`).

    >>> Trajectory((0.25, 1.0), settled=0.75).process
    (0.25, 0.25)
    """

    rewards: tuple[float, ...]
    settled: float | None = None
    states: tuple[str, ...] = ()
    actions: tuple[Hashable, ...] = ()
    said: tuple[Hashable, ...] = ()
    branches: tuple[Hashable, ...] = ()

    @classmethod
    def of(
        cls, episode: Episode, score: Score, branches: Sequence[Hashable] = ()
    ) -> Trajectory | None:
        """Return the trajectory of a graded episode, `None` if its score is not known.

        Parameters
        ----------
        episode, score
            The episode and what the reward says about it.
        branches
            One for each turn, if the rollouts were branched.
        """
        if score.value is None or not score.steps:
            return None
        return cls(
            score.steps,
            score.settled,
            episode.state_keys(),
            tuple(_action(step) for step in episode.steps),
            tuple(step.text for step in episode.steps),
            tuple(branches)[: len(episode)],
        )

    @property
    def value(self) -> float:
        """R: the sum of what the turns earned."""
        return float(sum(self.rewards))

    @property
    def verdict(self) -> float:
        """What the end settled."""
        return self.rewards[-1] if self.settled is None else self.settled

    @property
    def process(self) -> tuple[float, ...]:
        """What the turns earned by themselves: `rewards` without the verdict."""
        return (*self.rewards[:-1], self.rewards[-1] - self.verdict)

    def with_process(self, process: Sequence[float]) -> Trajectory:
        """Return this trajectory with other earnings of its turns; the verdict stays."""
        verdict = self.verdict
        rewards = (*process[:-1], process[-1] + verdict)
        return replace(self, rewards=rewards, settled=verdict)

    def by_token(self, tokens: Sequence[int]) -> Trajectory:
        """Return this trajectory with the model's tokens in the place of turns.

        The value is paid on the last of them; states, actions and branches are those of turns and
        are left out.
        """
        rewards = (*[0.0] * (len(tokens) - 1), self.value)
        return Trajectory(rewards, said=tuple(tokens))

    def keys(self, of: str) -> tuple[Hashable, ...]:
        """Return `states`, `actions` or `said`.

        Raises
        ------
        GraphEnvError
            If the trajectory does not hold as many as its turns need.
        """
        found: tuple[Hashable, ...] = getattr(self, of)
        needed = len(self.rewards) + (of == "states")
        if len(found) != needed:
            raise GraphEnvError(
                f"a trajectory of {len(self.rewards)} turns holds {len(found)} {of}; this credit "
                f"needs {needed}. Make trajectories with Trajectory.of(episode, score)."
            )
        return found


def _action(step: Step) -> str:
    """Return a key of what a turn did; words beside its calls change nothing, so they are left out.

    The text of a call that could not be read is all that is known of it.
    """
    if step.calls and all(call.name for call in step.calls):
        calls = [[call.name, call.arguments] for call in step.calls]
        did = json.dumps(calls, sort_keys=True, default=str)
    else:
        did = step.text
    return hashlib.blake2b(did.encode("utf-8", "replace"), digest_size=8).hexdigest()
