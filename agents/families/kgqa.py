"""How KGQA is played: along gold programs, with nested mistakes, by random walks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphenv.agents.base import Agent
from graphenv.agents.families.base import MAX_ERRORS, Family
from graphenv.agents.families.walker import RandomWalker
from graphenv.agents.script import kgqa_env, tool_turns
from graphenv.envs.base import GraphEnv
from graphenv.envs.kgqa.program import Branch, Program, parse_program
from graphenv.envs.kgqa.session import KGQASession
from graphenv.envs.session import Session
from graphenv.errors import ConfigError
from graphenv.seeding import rng
from graphenv.task import Task
from graphenv.text import (
    MAX_ANSWER_ITEMS,
    MAX_COMPLETION_CHARS,
    format_answer,
    format_call,
    normalize,
)

__all__ = ["KGQAFamily"]

_NOWHERE = "no_such_relation_"


class KGQAFamily(Family):
    """Relation path programs, or the tool calls along them."""

    has_classes: ClassVar[bool] = True

    def gold(self, index: int) -> list[str]:
        """Return the gold program, or the calls along it and the end.

        Where there is no gold program, where running it does not give the gold answer (a published
        graph with missing edges), or where it does not fit into the turn limit: the answer list.
        """
        env = self.env
        task = env.tasks[index]
        if task.target.answer is None:
            raise ConfigError(f"task {task.id} has no gold answer")
        turns = _program_turns(env, task)
        if turns and env.play(index, turns).success == 1.0:
            return turns
        return [format_answer(task.target.answer)]

    def planted(self, index: int, errors: int) -> list[str]:
        """Return turns with mistakes on answers and on moves.

        Mistakes on answers, in this order and again: a right item is replaced by a wrong one (which
        goes first), a right item is missing, a wrong item is surplus. Mistakes on moves: the last
        right move is replaced by a relation that does not exist.

        - Tool mode: odd mistakes are on the answer, even ones on moves; the answer is a list.
        - Program mode: of every two tasks one gets an answer list with all mistakes, the other the
          gold program with all mistakes (which task, a hash of its id says).
        """
        env = self.env
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

    def random(self, world: Any, seed: int, max_moves: int) -> Agent:
        """Return a walker that makes at most `max_moves` moves, all of which lead somewhere."""
        drop_topic = kgqa_env(self.env, "random").kg_source.drop_topic
        return RandomWalker(self.env, world, seed, max_moves, drop_topic=drop_topic)

    def stray(self, session: Session, draw: np.random.Generator) -> str:
        """Return a move that exists at the frontier; one time in five the last move is undone."""
        if not isinstance(session, KGQASession) or not session.tools:
            return super().stray(session, draw)
        if session.walk.depth and draw.random() < 0.2:
            return format_call("back")
        moves = session.world.moves(session.walk.frontier)
        if not moves:
            return format_call("frontier")
        return format_call("follow", relation=moves[int(draw.integers(len(moves)))])

    def everything(self, index: int) -> list[str]:
        """Return as many entities of the task's world as an answer may hold, the nearest first."""
        session = self.env.begin(index)
        world = session.world
        topics = [world.find_entity(name) for name in session.task.meta.get("topics", ())]
        known = [topic for topic in topics if topic is not None]
        order = np.arange(world.num_entities)
        if known:
            hops = world.distances(known, 4)
            order = np.argsort(np.where(hops < 0, 99, hops), kind="stable")
        names: list[str] = []
        room = MAX_COMPLETION_CHARS - 1_000
        for name in world.entity_names(order[:MAX_ANSWER_ITEMS]):
            room -= 2 * len(name) + 8  # quotes, comma and escapes
            if room < 0:
                break
            names.append(name)
        return names


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
