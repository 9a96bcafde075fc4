"""Tasks made and scored per second beside reasoning-gym's graph tasks; the reward alone."""

from __future__ import annotations

import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from graphenv import envs
from graphenv.agents.oracle import gold_turns
from graphenv.episode import Episode, Outcome
from graphenv.rewards import parse
from graphenv.task import Task
from graphenv.text import format_answer, parse_answer_items

__all__ = ["GRAPH_TASKS", "REWARDS", "compare_generation", "measure_rewards"]

GRAPH_TASKS = (
    "course_schedule",
    "family_relationships",
    "largest_island",
    "path_star",
    "quantum_lock",
    "shortest_path",
)
SLOW = {"quantum_lock": 20}
"""Contenders that are given this many times fewer tasks, or they would take minutes."""
WRONG = "no such answer"
REWARDS = (
    ("program", "exact"),
    ("program", "exact + 0.3*path_similarity"),
    ("program", "0.5*answer_f1 + 0.5*triple_f1"),
    ("tools", "exact"),
    ("tools", "exact + progress"),
)


def compare_generation(
    kwargs: dict[str, Any], *, count: int = 300, rounds: int = 7
) -> dict[str, Any]:
    """Return tasks per CPU second: make one, score its gold answer and a wrong one.

    Ours run the whole episode (prompt, parsing, the program in the graph, truth, reward), once for
    the gold program and once for the gold answer as a list; "answers only" compares the answer text
    with the gold as reasoning-gym does, and plays nothing. All contenders play in turns, fresh
    tasks in every round.
    """
    contenders: dict[str, Callable[[int], None]] = {
        "graphenv (program)": _ours(kwargs, as_list=False),
        "graphenv (answer list)": _ours(kwargs, as_list=True),
        "graphenv (answers only)": _answers_only(kwargs),
    }
    if importlib.util.find_spec("reasoning_gym") is not None:
        size = count * (rounds + 1)
        contenders |= {name: _theirs(name, size) for name in GRAPH_TASKS}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for round in range(rounds + 1):
        for name, score in contenders.items():
            share = max(1, count // SLOW.get(name, 1))
            start = time.process_time()
            for i in range(count * round, count * round + share):
                score(i)
            if round:
                seconds[name].append((time.process_time() - start) / share)
    rates = {name: 1 / statistics.median(took) for name, took in seconds.items()}
    return {
        "tasks_per_s": rates,
        "graphenv_is_faster_by": _ratios(seconds, "graphenv (program)"),
        "answers_only_is_faster_by": _ratios(seconds, "graphenv (answers only)"),
    }


def _ratios(seconds: dict[str, list[float]], ours: str) -> dict[str, float]:
    return {
        name: statistics.median(b / a for a, b in zip(seconds[ours], took, strict=True))
        for name, took in seconds.items()
        if not name.startswith("graphenv")
    }


def _ours(kwargs: dict[str, Any], *, as_list: bool) -> Callable[[int], None]:
    env = envs.make("kgqa", mode="program", **kwargs)

    def score(i: int) -> None:
        task = env.tasks[i]
        right = format_answer(task.target.answer or ()) if as_list else task.target.program
        wrong = format_answer([WRONG]) if as_list else WRONG
        both = [env.play(i, [right or ""]), env.play(i, [wrong])]
        good, bad = env.reward(both)
        assert good.value == 1.0 and bad.value == 0.0

    return score


def _answers_only(kwargs: dict[str, Any]) -> Callable[[int], None]:
    env = envs.make("kgqa", mode="program", **kwargs)
    blank = env.play(0, [WRONG])

    def graded(task: Task, text: str) -> float | None:
        items, _ = parse_answer_items(text)
        outcome = Outcome("ok", "", items)
        return env.reward([replace(blank, task=task, outcome=outcome)])[0].value

    def score(i: int) -> None:
        task = env.tasks[i]
        right = json.dumps(task.target.answer)
        assert graded(task, right) == 1.0 and graded(task, WRONG) == 0.0

    return score


def _theirs(name: str, size: int) -> Callable[[int], None]:
    import reasoning_gym

    data = reasoning_gym.create_dataset(name, size=size, seed=0)

    def score(i: int) -> None:
        item = data[i]
        good = data.score_answer(item["answer"], item)
        bad = data.score_answer(WRONG, item)
        assert good == 1.0 and bad < 1.0

    return score


def measure_rewards(
    kwargs: dict[str, Any], *, count: int = 2_000, rounds: int = 7
) -> list[dict[str, Any]]:
    """Return episodes graded per CPU second, in batches of 64, by reward; half of them right."""
    rows = []
    for mode, reward in REWARDS:
        env = envs.make("kgqa", mode=mode, reward=reward, **kwargs)
        episodes: list[Episode] = []
        for i in range(count):
            gold = gold_turns(env, i)
            episodes.append(env.play(i, gold if i % 2 else [*gold[:-1], format_answer([WRONG])]))
        grade = parse(reward)
        times = []
        for _ in range(rounds + 1):
            start = time.process_time()
            for begin in range(0, count, 64):
                grade(episodes[begin : begin + 64])
            times.append(time.process_time() - start)
        rate = count / statistics.median(times[1:])
        rows.append({"mode": mode, "reward": reward, "episodes_per_s": rate})
    return rows
