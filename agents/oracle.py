"""`oracle`: is told the task and solves it; with planted errors, a ruler for rewards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphenv.agents.base import Agent, TaskAgent
from graphenv.agents.script import Script, kgqa_env, tool_turns
from graphenv.checks import is_whole
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa.program import Branch, Program, parse_program
from graphenv.errors import ConfigError
from graphenv.seeding import rng
from graphenv.task import Task
from graphenv.text import format_answer, format_call, normalize

__all__ = ["MAX_ERRORS", "OracleAgent", "gold_turns", "planted_turns"]

MAX_ERRORS = 5
_NOWHERE = "no_such_relation_"


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

    Program mode: the gold program, one turn. Tool mode: one call a turn along the gold program,
    then `answer_frontier` or `answer_count`. Where there is no gold program, where running it does
    not give the gold answer (a published graph with missing edges), or where it does not fit into
    the turn limit: the answer list, one turn.

    Raises
    ------
    ConfigError
        If the family has no gold turns, or the task no gold answer.

    >>> from graphenv import envs
    >>> env = envs.make("kgqa", mode="program")
    >>> env.play(0, gold_turns(env, 0)).success
    1.0
    """
    family = _GOLD.get(env.family)
    if family is None:
        raise ConfigError(f"the family {env.family!r} has no gold turns; known: {', '.join(_GOLD)}")
    return family(env, index)


def _kgqa_turns(env: GraphEnv, index: int) -> list[str]:
    task = env.tasks[index]
    if task.target.answer is None:
        raise ConfigError(f"task {task.id} has no gold answer")
    turns = _program_turns(env, task)
    if turns and env.play(index, turns).success == 1.0:
        return turns
    return [format_answer(task.target.answer)]


def _program_turns(env: GraphEnv, task: Task) -> list[str]:
    """Return the turns along the gold program, or none if it cannot be walked in time."""
    if task.target.program is None:
        return []
    if not env.tools:
        return [task.target.program]
    program, _ = parse_program(task.target.program)
    if program is None:
        return []
    turns = tool_turns(program, task.meta["topics"][0])
    return turns if len(turns) <= env.max_turns else []


_GOLD: dict[str, Callable[[GraphEnv, int], list[str]]] = {"kgqa": _kgqa_turns}


# -- planted errors -------------------------------------------------------------------------------


def planted_turns(env: GraphEnv, index: int, errors: int) -> list[str]:
    """Return turns with `errors` distinct mistakes: the mistakes of `errors - 1` and one more.

    Mistakes on answers, in this order and again: a right item is replaced by a wrong one (which
    goes first), a right item is missing, a wrong item is surplus. Mistakes on moves: the last
    right move is replaced by a relation that does not exist. Because the mistakes are nested, a
    verdict on answers, paths or walked subgraphs cannot rise with their number on any task.

    - Tool mode: odd mistakes are on the answer, even ones on moves; the answer is given as a list.
    - Program mode: of every two tasks one gets an answer list with all mistakes, the other the
      gold program with all mistakes (which task, a hash of its id says).

    Raises
    ------
    ConfigError
        If `errors` is not in 1..5.
    """
    _check_errors(errors)
    if not errors:
        return gold_turns(env, index)
    task = env.tasks[index]
    gold = _program_turns(env, task)
    walked = bool(gold) and env.play(index, gold).success == 1.0
    if not walked:
        return [format_answer(_wrong_answers(env, task, errors))]
    if env.tools:
        moves = gold[:-1]
        wrong = min(errors // 2, len(moves))
        tried = [format_call("follow", relation=f"{_NOWHERE}{i}") for i in range(wrong)]
        answer = format_answer(_wrong_answers(env, task, (errors + 1) // 2))
        return [*moves[: len(moves) - wrong], *tried, answer]
    if int(rng("planted", task.id).integers(2)):
        return [format_answer(_wrong_answers(env, task, errors))]
    return [_wrong_program(gold[0], errors)]


def _check_errors(errors: int) -> None:
    if not is_whole(errors, 0, MAX_ERRORS):
        raise ConfigError(
            f"oracle: errors={errors!r} must be a whole number from 0 to {MAX_ERRORS}"
        )


def _wrong_program(text: str, errors: int) -> str:
    program, reason = parse_program(text)
    if program is None:
        raise ConfigError(f"the gold program {text!r} does not parse: {reason}")
    left = errors
    branches: list[Branch] = []
    for branch in reversed(program.branches):
        wrong = min(left, len(branch.moves))
        made_up = [f"{_NOWHERE}{left - i}" for i in range(wrong)]
        moves = (*branch.moves[: len(branch.moves) - wrong], *made_up)
        branches.insert(0, Branch(moves, branch.start))
        left -= wrong
    return str(Program(tuple(branches), program.count))


def _wrong_answers(env: GraphEnv, task: Task, errors: int) -> list[str]:
    answers = list(task.target.answer or ())
    draw = rng("planted answers", task.id)
    right = [answers[i] for i in draw.permutation(len(answers)).tolist()]
    wrong = _distractors(env, task, right)
    surplus: list[str] = []
    for i in range(errors):
        if i % 3 != 2 and right:
            right.pop()
        if i % 3 != 1 or not right:
            surplus.append(wrong[len(surplus)])
    return [*surplus, *right]


def _distractors(env: GraphEnv, task: Task, gold: Sequence[str]) -> list[str]:
    """Return names that are wrong answers: entities, other numbers for a count, else made up."""
    kgqa = kgqa_env(env, "oracle")
    world = kgqa.kg_source.world(task.index)
    barred = {normalize(name) for name in (*gold, *kgqa.kg_source.ignored(task.index))}
    if len(gold) == 1 and gold[0].isdigit() and world.find_entity(gold[0]) is None:
        candidates = [str(int(gold[0]) + i) for i in range(1, MAX_ERRORS + 1)]
    else:
        draw = rng("planted names", task.id)
        ids = draw.integers(world.num_entities, size=4 * MAX_ERRORS).tolist()
        candidates = world.entity_names(ids) + [f"nobody {i}" for i in range(MAX_ERRORS)]
    distinct = {normalize(name): name for name in candidates}
    return [name for key, name in distinct.items() if key not in barred]
