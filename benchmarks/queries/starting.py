"""What a worker process costs: its start, its replacement, its memory."""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphenv.benchmarks.queries.databases import texts
from graphenv.envs.queries.engines.backend import backend
from graphenv.envs.queries.engines.pool import close_all, worker_pids
from graphenv.envs.queries.engines.protocol import Database, EngineName, QueryBackend
from graphenv.envs.queries.sources.synthetic.world import World
from graphenv.query.results import Rows

__all__ = ["starting"]

_IMPORTED = "import graphenv.envs.queries.engines.sqlite; print(open('/proc/self/status').read())"


def starting(
    world: World, files: dict[EngineName, Database], *, quick: bool
) -> list[dict[str, Any]]:
    """Return, for every engine, seconds until the first answer, after a kill, and MiB resident.

    The last row is a process that imports the same module in the usual way, by its package.
    """
    times = 2 if quick else 9
    rows = [_engine(world, engine, database, times) for engine, database in files.items()]
    rows.append(_imported(times))
    for row in rows:
        print(row, flush=True)
    return rows


def _engine(world: World, engine: EngineName, database: Database, times: int) -> dict[str, Any]:
    first, after_kill, resident, later = [], [], [], []
    queries = texts(world, engine, "join", 202, 0)
    for number in range(times):
        close_all()
        caged = backend(replace(database, digest=f"{database.digest}-start-{number}"))
        first.append(_seconds(caged, queries[0]))
        [pid] = worker_pids()
        resident.append(_resident(Path(f"/proc/{pid}/status").read_text()))
        os.kill(pid, signal.SIGKILL)
        # Until it is dead; the pool buries it.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        after_kill.append(_seconds(caged, queries[1]))
        caged.run_many(queries[2:])
        [pid] = worker_pids()
        later.append(_resident(Path(f"/proc/{pid}/status").read_text()))
    close_all()
    return {
        "engine": engine,
        "times": times,
        "first_s": statistics.median(first),
        "back_s": statistics.median(after_kill),
        "back_most_s": max(after_kill),
        "resident_mb": statistics.median(resident),
        "resident_after_200_mb": statistics.median(later),
    }


def _seconds(caged: QueryBackend, query: str) -> float:
    start = time.perf_counter()
    result = caged.run(query)
    took = time.perf_counter() - start
    if not isinstance(result, Rows):
        raise AssertionError(f"{query}: {result}")
    return took


def _imported(times: int) -> dict[str, Any]:
    took, resident = [], []
    for _ in range(times):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _IMPORTED], check=True, stdout=subprocess.PIPE, text=True
        )
        took.append(time.perf_counter() - start)
        resident.append(_resident(done.stdout))
    return {
        "engine": "imported",
        "times": times,
        "first_s": statistics.median(took),
        "resident_mb": statistics.median(resident),
    }


def _resident(status: str) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024
