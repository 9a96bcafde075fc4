"""Environment steps per second, grading on: ours beside Gymnasium's `SyncVectorEnv`.

Each contender lives in a process of its own, because what one keeps in memory slows the garbage
collector of the other; the parent lets them play the same round in turns.

    python -m graphenv.benchmarks.speed.stepping '{"contender": "stock", ...}'   (a worker)
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from graphenv.agents.oracle import gold_turns
from graphenv.envs.vector import GraphVectorEnv
from graphenv.seeding import rng
from graphenv.text import format_call

__all__ = ["CONTENDERS", "compare", "record", "seeds_of"]

CONTENDERS = ("stock", "graphenv")
ID = "graphenv/KGQA-v0"
GROUP = 8


def make_envs(contender: str, num_envs: int, kwargs: dict[str, Any]) -> VectorEnv[Any, Any, Any]:
    """Return `num_envs` environments of a contender."""
    if contender == "graphenv":
        return GraphVectorEnv(num_envs, env_id=ID, **kwargs)
    how = {"autoreset_mode": AutoresetMode.SAME_STEP}
    return gym.make_vec(
        ID, num_envs=num_envs, vectorization_mode="sync", vector_kwargs=how, **kwargs
    )


def seeds_of(round: int, num_envs: int, groups: bool) -> list[int]:
    """Return a seed per environment; with `groups`, `GROUP` at a time get the same tasks."""
    return [1_000 * round + (i // GROUP if groups else i) for i in range(num_envs)]


def record(
    envs: GraphVectorEnv, seeds: list[int], num_steps: int, dice: np.random.Generator
) -> list[tuple[str, ...]]:
    """Return the turns of a policy that is right three times in four, step by step."""
    wrong = {"program": "no_such_relation", "tools": format_call("follow", relation="nowhere")}
    mode = envs.env.kwargs["mode"]
    envs.reset(seed=seeds)
    turns: list[tuple[str, ...]] = []
    for _ in range(num_steps):
        said = []
        for session in envs.sessions:
            gold = gold_turns(envs.env, session.task.index)
            good = sum(step.status == "ok" for step in session.steps)
            said.append(gold[good] if dice.random() < 0.75 else wrong[mode])
        turns.append(tuple(said))
        envs.step(turns[-1])
    return turns


def work(case: dict[str, Any]) -> None:
    """Play one round for every line on stdin; print its CPU seconds."""
    num_envs, num_steps = case["num_envs"], case["num_steps"]
    envs = make_envs(case["contender"], num_envs, case["kwargs"])
    recorder = GraphVectorEnv(num_envs, env_id=ID, **case["kwargs"])
    for line in sys.stdin:
        # Fresh tasks in every round, or the caches of 64 environments would outdo those of one.
        seeds = seeds_of(int(line), num_envs, case["groups"])
        turns = record(recorder, seeds, num_steps, rng("speed", int(line)))
        envs.reset(seed=seeds)  # type: ignore[arg-type]
        gc.collect()
        start = time.process_time()
        for said in turns:
            envs.step(said)
        print(time.process_time() - start, flush=True)


def compare(
    kwargs: dict[str, Any],
    *,
    groups: bool,
    num_envs: int = 64,
    num_steps: int = 40,
    rounds: int = 7,
) -> dict[str, float]:
    """Return median steps per CPU second of both and the median of the paired ratios."""
    case = {"kwargs": kwargs, "groups": groups, "num_envs": num_envs, "num_steps": num_steps}
    workers = {name: _start({**case, "contender": name}) for name in CONTENDERS}
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for round in range(rounds + 1):
        for name, worker in workers.items():
            assert worker.stdin is not None and worker.stdout is not None
            worker.stdin.write(f"{round}\n")
            worker.stdin.flush()
            took = float(worker.stdout.readline())
            if round:  # the first one warms up
                seconds[name].append(took)
    for worker in workers.values():
        worker.communicate()
    steps = num_envs * num_steps
    pairs = zip(seconds["stock"], seconds["graphenv"], strict=True)
    return {
        "stock_steps_per_s": steps / statistics.median(seconds["stock"]),
        "graphenv_steps_per_s": steps / statistics.median(seconds["graphenv"]),
        "ratio": statistics.median(a / b for a, b in pairs),
    }


def _start(case: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "graphenv.benchmarks.speed.stepping", json.dumps(case)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    work(json.loads(sys.argv[1]))
