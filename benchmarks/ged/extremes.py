"""Part 5: the first call of a process and of a machine; a prediction far too large."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

__all__ = ["cold_start", "oversized"]

_COLD = """
import json, time
start = time.perf_counter()
from graphenv import Graph
from graphenv.rewards.ged import ged
imported = time.perf_counter()
result = ged(Graph.from_triples([("a", "r", "b")]), Graph.from_triples([("a", "s", "b")]))
first = time.perf_counter()
ged(Graph.from_triples([("a", "r", "b")]), Graph.from_triples([("a", "s", "b")]))
second = time.perf_counter()
assert result.exact and result.upper == 1
print(json.dumps({"import_s": imported - start, "first_s": first - imported,
                  "second_s": second - first}))
"""

_LARGE = """
import json, statistics, time
from pathlib import Path
from graphenv.benchmarks.ged.generate import random_graph
from graphenv.rewards.ged import ged, warmup
from graphenv.seeding import rng
def memory(key):
    status = Path("/proc/self/status").read_text()
    return int(status.split(key + ":")[1].split()[0]) / 1024
warmup()
dice = rng("ged benchmark", "oversized")
gold, large = random_graph(dice, 10), random_graph(dice, 5_000)
ged(random_graph(dice, 70), random_graph(dice, 10))
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before = memory("VmRSS")
times = []
for _ in range(9):
    start = time.process_time()
    result = ged(large, gold)
    times.append(time.process_time() - start)
print(json.dumps({"nodes": len(large), "edges": large.num_edges, "gold_nodes": len(gold),
    "median_ms": statistics.median(times) * 1e3, "more_memory_mb": memory("VmHWM") - before,
    "process_mb": before, "lower": result.lower, "upper": result.upper,
    "reason": result.reason, "similarity": result.similarity}))
"""


def _run(code: str, environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-c", code]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    found: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return found


def cold_start(*, quick: bool) -> dict[str, Any]:
    """Return seconds of import, first and second `ged()` of fresh processes.

    `warm`: the compiled core lies in the cache (least of three); `empty`: it does not, as on a new
    machine.
    """
    runs = [_run(_COLD, {}) for _ in range(1 if quick else 4)]
    found: dict[str, Any] = {"warm": min(runs[-3:], key=lambda run: run["first_s"])}
    if not quick:
        with tempfile.TemporaryDirectory() as folder:
            found["empty"] = _run(_COLD, {"NUMBA_CACHE_DIR": folder})
    return found


def oversized() -> dict[str, Any]:
    """Return milliseconds and memory of a 5,000-node prediction against a 10-node gold graph.

    Memory is read from `/proc`; elsewhere than on Linux nothing is measured.
    """
    if not sys.platform.startswith("linux"):
        return {}
    return _run(_LARGE, {})
