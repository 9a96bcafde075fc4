"""`oracle`: is told the task and solves it; with planted errors, a ruler for rewards."""

from __future__ import annotations

from graphenv.agents.base import Agent, TaskAgent
from graphenv.agents.families import MAX_ERRORS, family_of
from graphenv.agents.script import Script
from graphenv.checks import whole
from graphenv.envs.base import GraphEnv
from graphenv.task import Task

__all__ = ["MAX_ERRORS", "OracleAgent", "gold_turns", "planted_turns"]


class OracleAgent(TaskAgent):
    """Solves every task: success 1.0, by the gold program where its run gives the gold answer.

    It is told the task, explicitly, by the runner (`TaskAgent`); nobody else is.

    Parameters
    ----------
    env
        An environment of a family that has gold turns (`gold_turns`).
    errors
        Number of distinct planted mistakes, 0 to 5 (see `planted_turns`).

    Raises
    ------
    ConfigError
        If `errors` is out of range.

    >>> from graphenv import agents, envs
    >>> env = envs.make("kgqa")
    >>> agents.rollout(env, OracleAgent(env), index=3).success
    1.0
    >>> agents.rollout(env, OracleAgent(env, errors=1), index=3).success
    0.0
    """

    def __init__(self, env: GraphEnv, *, errors: int = 0) -> None:
        super().__init__(env)
        _check_errors(errors)
        self.errors = errors

    def for_task(self, task: Task) -> Agent:
        """Return the policy that plays `task`."""
        if self.errors:
            return Script(planted_turns(self.env, task.index, self.errors))
        return Script(gold_turns(self.env, task.index))


def gold_turns(env: GraphEnv, index: int) -> list[str]:
    """Return the assistant turns that solve task `index`: what a warm start learns from.

    One turn with the gold program or query, or in tool mode the calls that lead there; see the
    families in `graphenv.agents.families`.

    Raises
    ------
    ConfigError
        If the family has no gold turns, or the task no gold answer.

    >>> from graphenv import envs
    >>> env = envs.make("kgqa", mode="program")
    >>> env.play(0, gold_turns(env, 0)).success
    1.0
    """
    return family_of(env, "oracle").gold(index)


def planted_turns(env: GraphEnv, index: int, errors: int) -> list[str]:
    """Return turns with `errors` distinct mistakes: the mistakes of `errors - 1` and one more.

    Because the mistakes are nested, no verdict can rise with their number on any task.

    Raises
    ------
    ConfigError
        If `errors` is not in 0..5.
    """
    _check_errors(errors)
    family = family_of(env, "oracle")
    return family.planted(index, errors) if errors else family.gold(index)


def _check_errors(errors: int) -> None:
    whole("oracle", "errors", errors, 0, MAX_ERRORS)
